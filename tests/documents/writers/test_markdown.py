"""Documents as Markdown, as GitHub renders it."""

import re

import pytest

from symrnn import GRU, Dense, Embedding, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Paragraph, Section, Table, Verbatim
from symrnn.documents.document import Document
from symrnn.documents.inline import Code, Emphasis, Math, Strong, prose
from symrnn.documents.writers.markdown import (
    DOLLARS,
    GITHUB,
    article_markdown,
    block_markdown,
    blocks_markdown,
    prose_markdown,
    sections_markdown,
)
from tests.documents.writers.test_text import BLOCKS

MODELS = [
    None,
    Sequential([GRU(2), Dense(2, "softmax")], (3, 2)),
    Sequential([Embedding(5, 2, mask_zero=True), SimpleRNN(2, return_sequences=True)], (12,)),
]


def cells(line: str) -> int:
    """The cells of a row of a table: bars that no backslash takes away."""
    return len(re.findall(r"(?<!\\)\|", line)) - 1


@pytest.mark.parametrize("dialect", [GITHUB, DOLLARS], ids=["GitHub", "dollars"])
@pytest.mark.parametrize("model", MODELS, ids=["notebook", "GRU", "ids"])
def test_what_is_rendered(model, dialect):
    made = derive(model).document(check=False)
    text = article_markdown(made, ["a.svg"] * 9, dialect)
    assert "align*" not in text
    assert "alignat" not in text
    lines = text.split("\n")
    assert sum(line.startswith("```") for line in lines) % 2 == 0
    assert sum(line == "$$" for line in lines) % 2 == 0
    assert text.count(r"\begin{aligned}") == text.count(r"\end{aligned}") > 3
    assert [line[3:] for line in lines if line.startswith("## ")] == [section.title for section in made.sections]
    assert lines[0] == f"# {made.title}"
    for i, line in enumerate(lines):
        if line.startswith("| --") or line.startswith("| ---"):
            assert cells(line) == cells(lines[i - 1])
            for row in lines[i + 1 :]:
                if not row.startswith("|"):
                    break
                assert cells(row) == cells(line)


@pytest.mark.parametrize("model", MODELS, ids=["notebook", "GRU", "ids"])
def test_displays_have_balanced_parentheses(model):
    for display in re.findall(r"```math\n(.*?)\n```", article_markdown(derive(model).document(check=False)), re.DOTALL):
        plain = display.replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
        assert display.startswith("\\begin{aligned}\n")
        assert "\n\n" not in display
        assert r"\tag" not in display


SPANS = [
    ("a_b*c", r"a\_b\*c"),
    (Code("a_b"), "`a_b`"),
    (Code("a`b"), "`` a`b ``"),
    (Code("a``b`c"), "``` a``b`c ```"),
    (Math("h_t"), "$`h_t`$"),
    (Strong("a*"), r"**a\***"),
    (Emphasis("_"), r"*\_*"),
    ("<b> [x](y) #1 | $5 ~ \\", r"\<b\> \[x\](y) \#1 \| \$5 \~ \\"),
]


@pytest.mark.parametrize(("span", "expected"), SPANS, ids=str)
def test_spans(span, expected):
    assert prose_markdown((span,)) == expected


def test_bars_in_cells_are_escaped():
    table = Table(("|", prose("$|x|$")), ((Code("a|b").text, (Code("a|b"),)),))
    assert [cells(line) for line in block_markdown(table).split("\n")] == [2, 2, 2]


def test_a_fence_is_longer_than_what_is_in_it():
    assert block_markdown(Verbatim("a\n````\nb")) == "`````text\na\n````\nb\n`````"


@pytest.mark.parametrize("block", [block for block, _ in BLOCKS], ids=lambda block: type(block).__name__)
@pytest.mark.parametrize("dialect", [GITHUB, DOLLARS], ids=["GitHub", "dollars"])
def test_every_block_is_written(block, dialect):
    text = blocks_markdown([block], [], dialect)
    assert text == text.strip()
    assert "None" not in text


def test_pictures_stand_at_their_addresses_in_order():
    figure = next(block for block, _ in BLOCKS if hasattr(block, "caption"))
    parts = [Section("a", "A", (figure, Paragraph(("text",)))), Section("b", "B", (figure,))]
    text = sections_markdown(parts, ["1.svg", "2.svg"])
    assert re.findall(r"!\[A picture of nothing\.\]\((.*?)\)", text) == ["1.svg", "2.svg"]
    assert "*A picture of nothing.*" in sections_markdown(parts)


def test_titles_are_escaped():
    text = article_markdown(Document("a_b *c*", (), (), (Section("s", "<i>", ()),)))
    assert text.startswith("# a\\_b \\*c\\*\n\n## \\<i\\>\n")


def test_what_is_no_block_is_refused():
    with pytest.raises(NotImplementedError, match=r"^Markdown: expected a block of a document, got str$"):
        block_markdown("text")
