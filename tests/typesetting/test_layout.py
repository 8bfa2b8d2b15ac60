"""Lines broken to fit: nothing is lost, nothing is wider than the room where it can be broken."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import DisplayRow, Line, align, pieces, plain_text, rows
from symrnn.typesetting.styles import LATEX, TEXT
from symrnn.typesetting.widths import columns_taken, points
from tests.support.bank import SAMPLE, over

FACTORS = st.sampled_from(["U", "x_0", r"\tanh(a)", "(1 - h_0^2)", r"\bar h_{t-1}", "W" * 20, "-7", "ü", r"\theta"])
SUMS = st.lists(st.lists(FACTORS, min_size=1, max_size=6), min_size=1, max_size=6)
ROOMS = st.integers(-10, 400)
INDENT = {LATEX: 30, TEXT: 4}


def signed(terms):
    """The terms of a sum, each but the first with its sign."""
    return [[f"+ {first}" if i else first, *others] for i, (first, *others) in enumerate(terms)]


@pytest.mark.parametrize("style", [LATEX, TEXT], ids=["latex", "text"])
@given(SUMS, ROOMS)
def test_pieces_are_the_whole(style, terms, room):
    found = pieces(signed(terms), room, style)
    joined = re.sub(r"(^|(?<=\n))(\{\} |\\times |× |  ?)?", "", "\n".join(piece.strip() for piece in found))
    whole = " ".join(factor for term in signed(terms) for factor in term)
    assert joined.split() == whole.split()


@pytest.mark.parametrize(("style", "width"), [(LATEX, points), (TEXT, columns_taken)], ids=["latex", "text"])
@given(SUMS, ROOMS)
def test_a_piece_fits_or_cannot_be_broken(style, width, terms, room):
    factors = {factor for term in signed(terms) for factor in term}
    for i, piece in enumerate(pieces(signed(terms), room, style)):
        body = re.sub(r"^(\{\} |\\times |× )", "", piece).strip()
        used = (INDENT[style] if i else 0) + width(body.replace(" ", ""))
        assert body in factors or used <= room + len(body.split()), piece


def test_everything_fits_in_enough_room():
    assert pieces([["a", "b"], ["+ c"]], 1000) == ["a b + c"]
    assert pieces([["a", "b"], ["+ c"]], 0) == ["a", r"\times b", "{} + c"]
    assert pieces([["a", "b"], ["+ c"]], 0, TEXT) == ["a", "× b", "+ c"]
    assert pieces([[r"a \odot (b \odot c) \odot d"]], 0) == ["a", r"\odot (b \odot c)", r"\odot d"]
    assert pieces([], 10) == [""]


@over(SAMPLE)
def test_rows_have_the_cells_of_the_lines(case):
    lines = lines_of(case.gradient.display("step"), LATEX)
    found = rows(lines)
    assert [row.cells[0] for row in found if not row.continues] == [line.lhs for line in lines]
    shown = "".join(re.sub(r"^(= |\\qquad \{\} |\\qquad (\\times )?)", "", row.cells[1]) for row in found)
    whole = "".join(" ".join(" ".join(term) for term in line.terms) + line.note for line in lines)
    assert re.sub(r"\s|\\qquad|\\times", "", shown) == re.sub(r"\s|\\qquad|\\times", "", whole)
    assert [row.gap for row in found].count(6) == 1


def test_rows_have_notes_values_and_gaps():
    lines = [Line("a", [["b"]], note="(t)"), Line("c", [["d" * 20], ["+ e"]], value=r"\approx 1", adjoint=True)]
    assert rows(lines, 60) == [
        DisplayRow(("a", r"= b \qquad (t)")),
        DisplayRow(("c", "= " + "d" * 20), gap=6),
        DisplayRow(("", r"\qquad {} + e", "", r"\approx 1")),
    ]
    fractions = [Line(r"\frac{1}{2}", [["b"]]), Line(r"\frac{3}{4}", [["b"]])]
    assert [row.gap for row in rows(fractions)] == [0, 3]
    assert rows([]) == []


def test_an_align_block():
    lines = [DisplayRow(("a", "= b", "", "= 1")), DisplayRow(("", "+ c"), gap=3), DisplayRow(("d",))]
    assert align(lines) == "\\begin{align*}\na &= b &&= 1 \\\\[3pt]\n    &+ c \\\\\nd\n\\end{align*}"
    assert align([DisplayRow(("a",), "F1")], lambda row: row.tag) == "\\begin{align*}\nF1\n\\end{align*}"
    assert align([]) == "\\begin{align*}\n\n\\end{align*}"


@over(SAMPLE)
def test_text_has_its_signs_of_equality_below_each_other(case):
    lines = lines_of(case.gradient.display("step"), TEXT)
    text = plain_text(lines)
    margin = max(columns_taken(line.lhs) for line in lines)
    heads = [line.partition(" = ")[0] for line in text.splitlines() if " = " in line]
    assert [head.strip() for head in heads if columns_taken(head) == margin] == [line.lhs for line in lines]
    assert max(map(columns_taken, text.splitlines())) <= 100
    assert text.count("\n\n") == 1
