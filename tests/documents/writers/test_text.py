"""Documents as text."""

import pytest

from symrnn import derive
from symrnn.documents.blocks import Figure, Formulas, NumberedStep, Paragraph, Section, Table, Verbatim
from symrnn.documents.inline import Code, prose
from symrnn.documents.writers.text import block_text, prose_text, sections_text
from symrnn.expressions.names import Name
from symrnn.typesetting.layout import DisplayRow


class Drawing:
    """A picture of nothing."""

    alt = "A picture of nothing."

    def svg(self) -> str:
        return "<svg/>"

    def tikz(self, alt: bool = False) -> str:
        return r"\begin{tikzpicture}\end{tikzpicture}"


BLOCKS = [
    (Paragraph(prose("the *state* $h_t$ of `SimpleRNN`"), "Note."), "Note. the state h_t of SimpleRNN"),
    (Paragraph(prose("a **b**")), "a b"),
    (Formulas((DisplayRow(("a", "= 1"), "F1"), DisplayRow(("", "= 2")))), "a = 1 (F1)\n= 2"),
    (
        NumberedStep(2, prose("Back to $h$."), prose("by R1"), Formulas((DisplayRow(("a", "= 1")),)), prose("so")),
        "Step 2. Back to h. (by R1)\n  a = 1\nWhy: so",
    ),
    (NumberedStep(1, prose("T."), prose("R"), Formulas((DisplayRow(("a",)),))), "Step 1. T. (R)\n  a"),
    (Figure(Drawing(), prose("A caption")), "A picture of nothing."),
    (Verbatim("a\n  b"), "a\n  b"),
    (
        Table(("name", prose("$n$")), ((Name("h", time="t"), "1"), (prose("`a`"), "20")), (1,), prose("note")),
        "name   n\n--------\nh_t    1\na     20\n--------\nnote",
    ),
]


@pytest.mark.parametrize(("block", "expected"), BLOCKS, ids=lambda value: type(value).__name__)
def test_blocks(block, expected):
    assert block_text(block) == expected


def test_sections_are_indented():
    parts = [Section("a", "One", (Verbatim("x\n\ny"),)), Section("b", "Two", ())]
    assert sections_text(parts) == "One\n\n  x\n\n  y\n\nTwo\n\n\n"


def test_long_text_is_wrapped():
    lines = block_text(Paragraph(("word " * 60,))).split("\n")
    assert max(map(len, lines)) <= 100
    assert len(lines) == 3


def test_what_is_no_block_is_refused():
    with pytest.raises(NotImplementedError, match=r"^text: expected a block of a document, got int$"):
        block_text(3)


def test_names_are_as_they_are():
    assert prose_text(prose("of ", Code("a_b*$`"))) == "of a_b*$`"


def test_a_document_has_all_its_sections():
    made = derive().document(check=False)
    whole = sections_text(made.sections)
    assert [line for line in whole.split("\n") if line and not line.startswith(" ")] == [
        section.title for section in made.sections
    ]
