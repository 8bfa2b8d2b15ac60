"""Documents as text for a terminal."""

from collections.abc import Sequence
from functools import singledispatch
from textwrap import fill

from symrnn.documents.blocks import (
    Block,
    Cell,
    Equations,
    Figure,
    Formulas,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from symrnn.documents.inline import Math, Prose
from symrnn.expressions.names import Name
from symrnn.typesetting.equations import render
from symrnn.typesetting.styles import TEXT


def sections_text(sections: Sequence[Section]) -> str:
    """Each section's title and, indented, its blocks."""
    return "\n\n".join(f"{part.title}\n\n{_indented(_blocks(part.blocks))}" for part in sections) + "\n"


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n\n".join(map(block_text, blocks))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))


@singledispatch
def block_text(block: Block) -> str:
    """A block as text; its formulas, but for those of a program, as LaTeX."""
    raise NotImplementedError(f"text: expected a block of a document, got {type(block).__name__}")


@block_text.register
def _(block: Paragraph) -> str:
    return fill(f"{block.title} {prose_text(block.text)}".strip(), 100)


@block_text.register
def _(block: Formulas) -> str:
    return "\n".join(" ".join(filter(None, [*row.cells, f"({row.tag})" if row.tag else ""])) for row in block.rows)


@block_text.register
def _(block: NumberedStep) -> str:
    why = [fill(f"Why: {prose_text(block.why)}", 100)] if block.why else []
    head = f"Step {block.number}. {prose_text(block.title)} ({prose_text(block.rule)})"
    return "\n".join([head, _indented(block_text(block.formulas)), *why])


@block_text.register
def _(block: Figure) -> str:
    return fill(block.picture.alt, 100)


@block_text.register
def _(block: Equations) -> str:
    return render(block.display, TEXT)


@block_text.register
def _(block: Verbatim) -> str:
    return block.text


@block_text.register
def _(block: Table) -> str:
    table = [tuple(map(_cell, block.head)), *(tuple(map(_cell, row)) for row in block.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            c.rjust(w) if i in block.right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, *([prose_text(block.note)] if block.note else [])])


def _cell(cell: Cell) -> str:
    return TEXT.symbol(cell) if isinstance(cell, Name) else cell if isinstance(cell, str) else prose_text(cell)


def prose_text(text: Prose) -> str:
    """The text without its marks; a formula as LaTeX."""
    return "".join(s if isinstance(s, str) else s.latex if isinstance(s, Math) else s.text for s in text)
