"""A document's blocks as the nodes that Sphinx builds its pages from."""

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

from docutils import nodes
from sphinx import addnodes

from symrnn.diagrams.picture import Picture
from symrnn.documents.blocks import (
    Article,
    Cell,
    Equations,
    Figure,
    Formulas,
    Image,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from symrnn.documents.figures import figure
from symrnn.documents.inline import Code, Emphasis, Math, Prose, Strong, signed
from symrnn.documents.writers.latex import rows_latex
from symrnn.expressions.names import Name
from symrnn.sphinxext.displays import rows_of
from symrnn.typesetting.equations import Display, lines_of
from symrnn.typesetting.layout import DisplayRow, rows
from symrnn.typesetting.styles import LATEX


class drawing(nodes.paragraph):  # noqa: N801  (nodes are named in small letters)
    """A picture as the attributes `svg` and `tikz`; what it contains is for builders that draw neither."""


def figure_of(image: Image, caption: Iterable[Any]) -> nodes.figure:
    """A drawing with its caption."""
    drawn = drawing(image.alt, image.alt, svg=image.svg(), tikz=image.tikz(alt=True))
    text = prose_nodes(caption)
    return nodes.figure("", drawn, *([nodes.caption("", "", *text)] if text else []), classes=["symrnn"])


# blocks -----------------------------------------------------------------------------------------


@singledispatch
def nodes_of(block: Any) -> list[nodes.Node]:
    """A block, a section with its title, or a document's sections, as nodes.

    Raises:
        NotImplementedError: it is none of these.
    """
    raise NotImplementedError(f"doctree: expected a part of a document, got {type(block).__name__}")


@nodes_of.register
def _(document: Article) -> list[nodes.Node]:
    return [node for section in document.sections for node in nodes_of(section)]


@nodes_of.register
def _(section: Section) -> list[nodes.Node]:
    """A rubric, not a section: a directive stands inside a section of the page."""
    return [nodes.rubric(section.title, section.title), *contents(section)]


def contents(section: Section) -> list[nodes.Node]:
    """A section without its title."""
    return [node for block in section.blocks for node in nodes_of(block)]


@nodes_of.register
def _(block: Paragraph) -> list[nodes.Node]:
    title = (Strong(f"{block.title} "),) if block.title else ()
    return [_paragraph((*title, *block.text))]


@nodes_of.register
def _(block: Table) -> list[nodes.Node]:
    table, group = nodes.table(classes=["symrnn"]), nodes.tgroup(cols=len(block.head))
    group += [nodes.colspec(colwidth=1) for _ in block.head]
    plain = len(block.rows) - block.totals
    body = [_row(row, block.right, ["symrnn-total"] * (i == plain)) for i, row in enumerate(block.rows)]
    group += [nodes.thead("", _row(block.head, block.right)), nodes.tbody("", *body)]
    table += group
    columns = "".join("R" if i in block.right else "L" for i in range(len(block.head)))
    note = [_paragraph(block.note)] if block.note else []
    return [addnodes.tabular_col_spec(spec=columns), table, *note]


@nodes_of.register
def _(block: Equations) -> list[nodes.Node]:
    return nodes_of(block.display)


@nodes_of.register
def _(what: Display) -> list[nodes.Node]:
    return [math_block(rows(lines_of(what, LATEX)))]


@nodes_of.register
def _(block: Formulas) -> list[nodes.Node]:
    return [math_block(block.rows)]


@nodes_of.register
def _(block: NumberedStep) -> list[nodes.Node]:
    rule = (" (", *block.rule, ")") if block.rule else ()
    title = _paragraph((Strong(f"Step {block.number}. "), *block.title, *rule))
    why = [_paragraph((Emphasis("Why:"), " ", *block.why))] if block.why else []
    return [title, *nodes_of(block.formulas), *why]


@nodes_of.register
def _(block: Figure) -> list[nodes.Node]:
    return [figure_of(block.picture, block.caption)]


@nodes_of.register
def _(picture: Picture) -> list[nodes.Node]:
    return nodes_of(figure(picture))


@nodes_of.register
def _(block: Verbatim) -> list[nodes.Node]:
    return [nodes.literal_block(block.text, block.text, language="text")]


# formulas ---------------------------------------------------------------------------------------


def math_block(formulas: Sequence[DisplayRow]) -> nodes.math_block:
    """The rows as one display, whose LaTeX is a whole environment."""
    return _display(rows_latex(formulas), whole=True)


def numbered(block: nodes.math_block) -> nodes.math_block:
    """A display in a form that can have one number: within an environment that numbers it."""
    return _display(block.astext().replace("{alignat*}", "{alignedat}"), whole=False)


def tags_of(block: nodes.math_block) -> tuple[str, ...]:
    """The tags of a display's rows."""
    return tuple(row.tag for row in rows_of(block.astext()) if row.tag)


def with_targets(block: nodes.math_block, page: str, labels: Mapping[str, str]) -> nodes.math_block:
    """A display whose rows with tags can be referred to: labels by tag."""
    text = block.astext()
    for tag, label in labels.items():
        text = text.replace(rf"\tag{{{tag}}}", rf"\tag{{{tag}}}\label{{equation:{page}:{label}}}")
    return _display(text, whole=True)


def _display(text: str, whole: bool) -> nodes.math_block:
    block = nodes.math_block(text, text, number=None, label=None)
    block["no-wrap"] = block["nowrap"] = whole
    return block


# text -------------------------------------------------------------------------------------------


def prose_nodes(text: Iterable[Any]) -> list[nodes.Node]:
    """Text with formulas in it as nodes."""
    return [span_node(part) for part in text]


@singledispatch
def span_node(part: Any) -> nodes.Node:
    """A piece of running text, or a symbol, as a node."""
    raise NotImplementedError(f"doctree: expected a piece of text, got {type(part).__name__}")


@span_node.register
def _(part: str) -> nodes.Node:
    return nodes.Text(part)


@span_node.register(Name)
@span_node.register(Math)
def _(part: Name | Math) -> nodes.Node:
    return nodes.math(part.latex, part.latex)


@span_node.register
def _(part: Code) -> nodes.Node:
    return nodes.literal(part.text, part.text)


@span_node.register
def _(part: Strong) -> nodes.Node:
    return nodes.strong(part.text, part.text)


@span_node.register
def _(part: Emphasis) -> nodes.Node:
    return nodes.emphasis(part.text, part.text)


def _paragraph(text: Prose) -> nodes.paragraph:
    return nodes.paragraph("", "", *prose_nodes(text))


# tables -----------------------------------------------------------------------------------------


def _row(texts: Sequence[Cell], right: Sequence[int], classes: Sequence[str] = ()) -> nodes.row:
    entries = [_entry(text, ["text-right"] if i in right else ["text-left"]) for i, text in enumerate(texts)]
    return nodes.row("", *entries, classes=list(classes))


def _entry(text: Cell, classes: list[str]) -> nodes.entry:
    parts = (signed(text),) if isinstance(text, str) else (text,) if isinstance(text, Name) else text
    return nodes.entry("", nodes.paragraph("", "", *prose_nodes(parts)), classes=classes)
