"""Documents as Markdown, in the dialects of GitHub and of Jupyter and pandoc, which differ in how formulas stand."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from urllib.parse import quote

from symrnn.documents.blocks import (
    Article,
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
from symrnn.documents.inline import Code, Emphasis, Math, Prose, Span, Strong
from symrnn.documents.writers.files import Files, Progress
from symrnn.expressions.names import Name
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import DisplayRow, align, cells, rows
from symrnn.typesetting.styles import LATEX


@dataclass(frozen=True)
class Flavour:
    """How a formula stands within a line and by itself; whether a display may be `align*`."""

    inline: str
    display: str
    environment: str


GITHUB = Flavour("$`{}`$", "```math\n{}\n```", "aligned")
DOLLARS = Flavour("${}$", "$$\n{}\n$$", "aligned")
"""For Jupyter and pandoc."""
_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|$~&"})


def files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """Markdown as GitHub renders it; the pictures stand beside it."""
    shown = [block for section in article.sections for block in section.blocks if isinstance(block, Figure)]
    pictures = {f"-{number}.svg": figure.picture.svg() for number, figure in enumerate(shown, 1)}
    return {"": article_markdown(article, [quote(f"{stem}{name}") for name in pictures]), **pictures}


def article_markdown(article: Article, images: Sequence[str] = (), dialect: Flavour = GITHUB) -> str:
    """The whole document; `images` are the addresses of its pictures, in their order."""
    head = [
        f"# {_escaped(article.title)}",
        prose_markdown(article.subtitle, dialect),
        prose_markdown(article.summary, dialect),
    ]
    return "\n\n".join([*filter(None, head), sections_markdown(article.sections, images, dialect)])


def sections_markdown(sections: Sequence[Section], images: Sequence[str] = (), dialect: Flavour = GITHUB) -> str:
    """Each section's title as a heading, and its blocks."""
    addresses = iter(images)
    parts = [f"## {_escaped(s.title)}\n\n{blocks_markdown(s.blocks, addresses, dialect)}" for s in sections]
    return "\n\n".join(parts) + "\n"


def blocks_markdown(blocks: Sequence[Block], images: Iterable[str] = (), dialect: Flavour = GITHUB) -> str:
    """The blocks; `images` are the addresses of the pictures among them."""
    addresses = iter(images)
    return "\n\n".join(
        _figure(block, next(addresses, ""), dialect) if isinstance(block, Figure) else block_markdown(block, dialect)
        for block in blocks
    )


def _figure(block: Figure, address: str, dialect: Flavour) -> str:
    """The picture at an address, or what it shows in words, and its caption."""
    alternative = " ".join(_escaped(block.picture.alt).split())
    picture = f"![{alternative}]({address})" if address else f"*{alternative}*"
    return f"{picture}\n\n{prose_markdown(block.caption, dialect)}".rstrip()


@singledispatch
def block_markdown(block: Block, dialect: Flavour = GITHUB) -> str:
    """A block as Markdown; of a picture what it shows in words, as it stands in a file of its own."""
    raise NotImplementedError(f"Markdown: expected a block of a document, got {type(block).__name__}")


@block_markdown.register
def _(block: Figure, dialect: Flavour = GITHUB) -> str:
    return _figure(block, "", dialect)


@block_markdown.register
def _(block: Paragraph, dialect: Flavour = GITHUB) -> str:
    return (
        f"**{_escaped(block.title)}** {prose_markdown(block.text, dialect)}"
        if block.title
        else prose_markdown(block.text, dialect)
    )


@block_markdown.register
def _(block: Equations, dialect: Flavour = GITHUB) -> str:
    return display_math(align(rows(lines_of(block.display, LATEX))), dialect)


@block_markdown.register
def _(block: Formulas, dialect: Flavour = GITHUB) -> str:
    return display_math(align(block.rows, _with_tag), dialect)


def _with_tag(row: DisplayRow) -> str:
    return cells(row) + (rf" \qquad \text{{({row.tag})}}" if row.tag else "")


def display_math(latex: str, dialect: Flavour = GITHUB) -> str:
    """A block of LaTeX by itself, with `aligned` in the place of `align*`."""
    return dialect.display.format(latex.replace("{align*}", f"{{{dialect.environment}}}"))


@block_markdown.register
def _(block: NumberedStep, dialect: Flavour = GITHUB) -> str:
    head = f"**Step {block.number}.** {prose_markdown(block.title, dialect)} ({prose_markdown(block.rule, dialect)})"
    why = [f"*Why:* {prose_markdown(block.why, dialect)}"] if block.why else []
    return "\n\n".join([head, block_markdown(block.formulas, dialect), *why])


@block_markdown.register
def _(block: Verbatim, dialect: Flavour = GITHUB) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in _runs(block.text)), default=0))
    return f"{fence}text\n{block.text}\n{fence}"


def _runs(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split() if run]


@block_markdown.register
def _(block: Table, dialect: Flavour = GITHUB) -> str:
    rule = ["---:" if i in block.right else "---" for i in range(len(block.head))]
    table = [[_cell(c, dialect) for c in block.head], rule, *([_cell(c, dialect) for c in row] for row in block.rows)]
    note = f"\n\n{prose_markdown(block.note, dialect)}" if block.note else ""
    return "\n".join(f"| {' | '.join(row)} |" for row in table) + note


def _cell(cell: Cell, dialect: Flavour) -> str:
    if isinstance(cell, Name):
        return dialect.inline.format(cell.latex)
    return _escaped(cell) if isinstance(cell, str) else prose_markdown(cell, dialect).replace("|", r"\|")


def prose_markdown(text: Prose, dialect: Flavour = GITHUB) -> str:
    """Running text."""
    return "".join(span_markdown(span, dialect) for span in text)


@singledispatch
def span_markdown(span: Span, dialect: Flavour = GITHUB) -> str:
    """A piece of running text."""
    raise NotImplementedError(f"Markdown: expected a piece of text, got {type(span).__name__}")


span_markdown.register(str, lambda span, dialect=GITHUB: _escaped(span))
span_markdown.register(Math, lambda span, dialect=GITHUB: dialect.inline.format(span.latex))
span_markdown.register(Strong, lambda span, dialect=GITHUB: f"**{_escaped(span.text)}**")
span_markdown.register(Emphasis, lambda span, dialect=GITHUB: f"*{_escaped(span.text)}*")


@span_markdown.register
def _(span: Code, dialect: Flavour = GITHUB) -> str:
    """Code between more backticks than it has side by side."""
    ticks = "`" * (1 + max((len(run) for run in _runs(span.text)), default=0))
    return f"{ticks} {span.text} {ticks}" if "`" in span.text else f"`{span.text}`"


def _escaped(text: str) -> str:
    """Text without signs that Markdown reads, and without what readers make a link of: http:, www., a@b."""
    return _LINKS.sub(r"\\\g<0>", text.translate(_SPECIAL))


_LINKS = re.compile(r"(?<=\w):(?=\S)|(?<=www)\.|@", re.IGNORECASE)
