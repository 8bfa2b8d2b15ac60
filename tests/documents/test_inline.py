"""Text with formulas: what is read as a sign, and what is left as it is."""

import pytest

from symrnn.documents.inline import Code, Emphasis, Math, Strong, prose, series
from symrnn.expressions.names import Name

SIGNS = [
    ("plain", ("plain",)),
    ("", ()),
    ("the state $h_t$.", ("the state ", Math("h_t"), ".")),
    ("$a$$b$", (Math("a"), Math("b"))),
    ("`kernel`", (Code("kernel"),)),
    ("a *word*, **two**", ("a ", Emphasis("word"), ", ", Strong("two"))),
    ("$U_{(0)} * 2 * 3$ and `a*b*c`", (Math("U_{(0)} * 2 * 3"), " and ", Code("a*b*c"))),
    ("a $ alone, a ` alone, a * alone", ("a $ alone, a ` alone, a * alone",)),
]


@pytest.mark.parametrize(("text", "spans"), SIGNS)
def test_signs(text, spans):
    assert prose(text) == spans


def test_parts_stand_one_after_the_other():
    assert prose("a ", Name("h", time="t"), Code("$x$"), ("$y$", Math("z"))) == (
        "a ",
        Math("h_t"),
        Code("$x$"),
        "$y$",
        Math("z"),
    )


@pytest.mark.parametrize("name", ["$x$", "`x`", "*x*", "**x**", r"\input{x}"])
def test_a_name_is_never_read_for_signs(name):
    assert prose("a ", Code(name), Strong(name), (name,)) == ("a ", Code(name), Strong(name), name)


@pytest.mark.parametrize(
    ("count", "text"), [(0, ""), (1, "a0"), (2, "a0 and a1"), (3, "a0, a1 and a2"), (4, "a0, a1, a2 and a3")]
)
def test_series(count, text):
    assert "".join(series([prose(f"a{i}") for i in range(count)])) == text
    assert "".join(series(tuple(prose(f"a{i}") for i in range(count)), " or ")) == text.replace(" and ", " or ")
