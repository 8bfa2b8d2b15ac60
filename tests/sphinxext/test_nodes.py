"""Blocks of a document as the nodes of a page: their text, their classes, and displays that can be numbered."""

import re
from typing import get_args

import pytest

pytest.importorskip("sphinx")

from docutils import nodes

import symrnn
from symrnn.documents.blocks import (
    Block,
    Equations,
    Figure,
    Formulas,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from symrnn.documents.document import Document
from symrnn.documents.figures import figure
from symrnn.documents.inline import Code, Math, Span, prose
from symrnn.expressions.names import Name
from symrnn.sphinxext.displays import rows_of
from symrnn.sphinxext.nodes import (
    contents,
    drawing,
    figure_of,
    math_block,
    nodes_of,
    numbered,
    prose_nodes,
    span_node,
    tags_of,
    with_targets,
)
from symrnn.typesetting.layout import DisplayRow

# blocks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", get_args(Block), ids=lambda kind: kind.__name__)
def test_every_block_has_a_rule(kind):
    assert nodes_of.dispatch(kind) is not nodes_of.dispatch(object)


@pytest.mark.parametrize("kind", get_args(Span), ids=lambda kind: kind.__name__)
def test_every_piece_of_text_has_a_rule(kind):
    assert span_node.dispatch(kind) is not span_node.dispatch(object)


def markup(block):
    """The nodes of a block, as XML (not escaped) without attributes."""
    return re.sub(r"(<\w+) [^>]*?(/?>)", r"\1\2", "".join(str(node) for node in nodes_of(block)))


FORMULAS = Formulas((DisplayRow(("a", "= b"), "F1"), DisplayRow(("c", "= d"), gap=3)))
DISPLAY = "\n".join([r"\begin{alignat*}{1}", r"a &= b \tag{F1} \\[3pt]", r"c &= d", r"\end{alignat*}"])


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Paragraph(prose("**all** *of* $h_t$ `x`")),
         "<paragraph><strong>all</strong> <emphasis>of</emphasis> <math>h_t</math> <literal>x</literal></paragraph>"),
        (Paragraph(("text",), "Title."), "<paragraph><strong>Title. </strong>text</paragraph>"),
        (Verbatim("a  < b"), "<literal_block>a  < b</literal_block>"),
        (FORMULAS, f"<math_block>{DISPLAY}</math_block>"),
        (Section("n", "Name", (Verbatim("a"),)), "<rubric>Name</rubric><literal_block>a</literal_block>"),
    ],
)  # fmt: skip
def test_blocks(block, expected):
    assert markup(block) == expected


def test_a_step_has_its_number_its_rule_and_its_reason():
    step = NumberedStep(3, prose("Back through $h_2$"), prose("rule 1"), FORMULAS, prose("why"))
    title, display, why = nodes_of(step)
    assert title.astext() == "Step 3. Back through h_2 (rule 1)"
    assert display.astext() == DISPLAY
    assert why.astext() == "Why: why"


def test_a_table_has_its_columns_totals_and_letters():
    rows = (("a_b <i>", Name("h"), "-1"), ("sum", "", "2"))
    columns, table, note = nodes_of(Table(("x", "y", "z"), rows, (2,), prose("*note*"), totals=1))
    assert columns["spec"] == "LLR"
    entries = [entry for row in table.findall(nodes.row) for entry in row]
    assert [entry.astext() for entry in entries] == ["x", "y", "z", "a_b <i>", "h", "−1", "sum", "", "2"]
    assert [entry["classes"] for entry in entries[:3]] == [["text-left"], ["text-left"], ["text-right"]]
    assert [formula.astext() for formula in table.findall(nodes.math)] == ["h"]
    assert [row["classes"] for row in table.findall(nodes.row)] == [[], [], ["symrnn-total"]]
    assert note.astext() == "note"


def test_equations_and_pictures_are_those_of_the_derivation():
    derivation = symrnn.derive()
    (block,) = nodes_of(Equations(derivation.display()))
    assert rows_of(block.astext()) == rows_of(derivation.latex())
    (drawn,) = nodes_of(derivation.picture())
    assert drawn.pformat() == nodes_of(figure(derivation.picture()))[0].pformat()
    assert [node.astext() for node in drawn] == [derivation.picture().alt, derivation.picture().caption]


def test_what_is_no_part_of_a_document_is_refused():
    with pytest.raises(NotImplementedError, match=r"^doctree: expected a part of a document, got Code$"):
        nodes_of(Code("a"))


def test_a_numbered_display_has_no_numbers_of_its_own():
    (block,) = nodes_of(Formulas((DisplayRow(("a", "= b")),)))
    assert numbered(block).astext() == "\n".join([r"\begin{alignedat}{1}", "a &= b", r"\end{alignedat}"])
    assert (block["nowrap"], numbered(block)["nowrap"]) == (True, False)


# formulas ---------------------------------------------------------------------------------------


def test_rows_with_tags_can_be_referred_to():
    plain = math_block((DisplayRow(("a",), "F1"), DisplayRow(("b",), "F1.2"), DisplayRow(("c",))))
    assert tags_of(plain) == ("F1", "F1.2")
    block = with_targets(plain, "index", {"F1": "forward-F1"})
    assert block.astext().count(r"\label{") == 1
    assert r"a \tag{F1}\label{equation:index:forward-F1}" in block.astext()
    assert (block["nowrap"], block["no-wrap"], block["number"], block["label"]) == (True, True, None, None)


def test_spans():
    found = prose_nodes(["a < b & ü", Name("h", time="t"), Math("a^2"), Code("a_b`*")])
    assert [node.astext() for node in found] == ["a < b & ü", "h_t", "a^2", "a_b`*"]
    assert [type(node) for node in found] == [nodes.Text, nodes.math, nodes.math, nodes.literal]


@pytest.mark.parametrize(
    ("cell", "text"),
    [("-1", "−1"), ("1.0e-06", "1.0e−06"), ("a-b", "a-b"), ("(-.5, 2-3)", "(−.5, 2-3)"), ("x-1", "x-1"), ("-x", "-x")],
)
def test_signs_of_numbers_in_a_cell(cell, text):
    assert nodes_of(Table(("a",), ((cell,),)))[1].next_node(nodes.tbody).astext() == text


def test_a_document_is_its_sections_under_rubrics():
    sections = tuple(Section(name, f"A {name}", (Verbatim(name),)) for name in ("one", "two"))
    found = nodes_of(Document("t", (), (), sections))
    assert [node.tagname for node in found] == ["rubric", "literal_block"] * 2
    assert [node.astext() for node in (*found, *contents(sections[0]))] == ["A one", "one", "A two", "two", "one"]


def test_a_drawing_is_its_description_and_two_pictures():
    picture = symrnn.derive().picture()
    found, captioned = figure_of(picture, ()), nodes_of(Figure(picture, prose("of $h_t$")))[0]
    assert ([type(node) for node in found], captioned[1].astext()) == ([drawing], "of h_t")
    assert (found[0]["svg"], found[0]["tikz"]) == (picture.svg(), picture.tikz(alt=True))
    assert found[0].astext() == picture.alt
