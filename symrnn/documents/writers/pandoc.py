"""Documents as reStructuredText and for word processors, by pandoc.

Pandoc gets the document as a tree, not as text: there are no signs in it that could be read as
markup, and nothing that names a file or a place in the network.
"""

import importlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, singledispatch
from pathlib import Path
from typing import Any

from symrnn.documents.blocks import Article, Cell, Equations, Figure, Formulas, NumberedStep, Paragraph, Table, Verbatim
from symrnn.documents.inline import Code, Emphasis, Math, Prose, Strong, signed
from symrnn.documents.writers.files import Files, Progress
from symrnn.expressions.names import Name
from symrnn.typesetting import equations, layout
from symrnn.typesetting.layout import DisplayRow
from symrnn.typesetting.styles import LATEX

Node = dict[str, Any]
_API = (1, 23)
_NONE = ["", [], []]
"""No identifier, classes or attributes."""
_SECONDS = 60
_ROWS = 20
"""A formula is not broken over pages; about this many rows fit on one."""


@dataclass(frozen=True)
class _Target:
    """What differs between formats: how a figure is put in, in tables a number's minus sign and an empty first cell."""

    figure: Callable[[Figure], list[Node]]
    minus: str
    empty: tuple[Node, ...] = ()


_EMPTY = {"t": "RawInline", "c": ["rst", "\\ "]}
"""What makes a row whose first cell is empty a row, and not more lines of the row before."""


def rst_files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """reStructuredText, by pandoc."""
    return {"": article_rst(article)}


def docx_files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """A file of a word processor with formulas that can be edited, by pandoc."""
    return {"": article_docx(article)}


def article_rst(article: Article) -> str:
    """The document as reStructuredText; pictures are SVG for HTML, and their captions for all.

    Raises:
        ImportError: pypandoc is missing; the message says what to install.
    """
    target = _Target(_raw_figure, "-", (_EMPTY,))  # not every LaTeX that Sphinx runs knows another
    return _pandoc(_without_links(_tree(article, target)), "--to=rst", "--sandbox").decode("utf-8")


def _without_links(tree: Any) -> Any:
    """The tree for docutils, which makes links of addresses and of names with a colon or a backtick behind them."""
    if isinstance(tree, list):
        return [_without_links(node) for node in tree]
    if not isinstance(tree, dict):
        return tree
    kind = str(tree.get("t"))
    text = tree["c"] if kind == "Str" else tree["c"][-1] if kind == "Code" else ""
    if text and _LINKS[kind].search(text):
        plain = re.sub(r"([^\w\s]|_)", r"\\\1", text)  # every sign as itself
        return _node("RawInline", "rst", f"\\ :literal:`{plain}`\\ " if kind == "Code" else plain)
    return {key: _without_links(value) for key, value in tree.items()}


_LINKS = {"Str": re.compile(r"\w:\S|[@`]"), "Code": re.compile("`")}


def article_docx(article: Article) -> bytes:
    """The document as a .docx file, with formulas that can be edited; the same bytes each time.

    Raises:
        ImportError: pypandoc is missing; the message says what to install.
    """
    with tempfile.TemporaryDirectory(prefix="symrnn-") as folder:
        target = _Target(partial(_file_figure, Path(folder)), "−")
        return _pandoc(
            _tree(article, target), "--to=docx", f"--resource-path={folder}", f"--data-dir={folder}", "--output=-"
        )


def _pandoc(content: Node, *options: str) -> bytes:
    """What pandoc makes of a tree."""
    command = [pandoc_path(), "--from=json", "--standalone", "--wrap=none", *options]
    text, settings = json.dumps(content).encode(), {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    try:
        run = subprocess.run(  # noqa: S603 - the program by its path, the options fixed
            command, input=text, capture_output=True, env=settings, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"pandoc: took longer than {_SECONDS} seconds") from None
    if run.returncode != 0:
        raise ValueError(f"pandoc: {' '.join(run.stderr.decode('utf-8', 'replace').split())}")
    return run.stdout


def pandoc_path() -> str:
    """Where pandoc is.

    Raises:
        ImportError: it is missing; the message says what to install.
    """
    try:
        return str(importlib.import_module("pypandoc").get_pandoc_path())
    except (ImportError, OSError) as error:
        what = " ".join(str(error).split())
        raise ImportError(f".rst and .docx need pandoc ({what}); pip install 'symrnn[docs]' installs it") from None


# the tree ---------------------------------------------------------------------------------------


def _node(kind: str, *content: Any) -> Node:
    """A node of pandoc's tree: its content alone, or the list of its parts."""
    return {"t": kind, "c": content[0] if len(content) == 1 else list(content)}


def _tree(article: Article, target: _Target) -> Node:
    texts = {"title": (article.title,), "subtitle": article.subtitle}
    meta = {name: _node("MetaInlines", _inlines(text)) for name, text in texts.items() if any(text)}
    meta["lang"] = _node("MetaString", "en")
    blocks = [*_paragraph(article.summary)]
    for section in article.sections:
        blocks.append(_node("Header", 1, _NONE, _inlines((section.title,))))
        blocks += [node for block in section.blocks for node in block_nodes(block, target)]
    return {"pandoc-api-version": _API, "meta": meta, "blocks": blocks}


@singledispatch
def block_nodes(block: object, target: _Target) -> list[Node]:
    """A block of a document as pandoc's blocks."""
    raise NotImplementedError(f"pandoc: no rule for {type(block).__name__}")


@block_nodes.register
def _(block: Paragraph, target: _Target) -> list[Node]:
    return _paragraph((*((Strong(block.title), " ") if block.title else ()), *block.text))


@block_nodes.register
def _(block: Table, target: _Target) -> list[Node]:
    sides = ["AlignRight" if i in block.right else "AlignLeft" for i in range(len(block.head))]
    columns = [[{"t": side}, {"t": "ColWidthDefault"}] for side in sides]
    if not block.rows:  # reStructuredText has no table without rows
        return _paragraph(block.note)
    rows = [_row(row, target) for row in block.rows]  # totals too: reStructuredText has no foot of a table
    parts = ([_NONE, [_row(block.head, target)]], [[_NONE, 0, [], rows]], [_NONE, []])
    return [_node("Table", _NONE, [None, []], columns, *parts), *_paragraph(block.note)]


def _row(cells: Sequence[Cell], target: _Target) -> list[Any]:
    texts = [_cell(cell, target) for cell in cells]
    contents = [[_node("Plain", text or list(target.empty if not place else ()))] for place, text in enumerate(texts)]
    return [_NONE, [[_NONE, {"t": "AlignDefault"}, 1, 1, content] for content in contents]]


def _cell(cell: Cell, target: _Target) -> list[Node]:
    """What stands in a cell; a number has the target's minus sign."""
    if isinstance(cell, Name):
        return _inlines((Math(cell.latex),))
    return _inlines(cell if isinstance(cell, tuple) else (signed(cell, target.minus),))


@block_nodes.register
def _(block: Equations, target: _Target) -> list[Node]:
    return _formulas(layout.rows(equations.lines_of(block.display, LATEX)))


@block_nodes.register
def _(block: Formulas, target: _Target) -> list[Node]:
    return _formulas(block.rows)


def _formulas(rows: Sequence[DisplayRow]) -> list[Node]:
    """A display, or several; the tag of a row is text behind it, as there is no place for one beside each row."""
    return [_node("Para", [_node("Math", {"t": "DisplayMath"}, _aligned(part))]) for part in _parts(rows)]


def _parts(rows: Sequence[DisplayRow], most: int = _ROWS) -> list[list[DisplayRow]]:
    """The rows in parts that are not much longer than this; what goes on with a formula stays with it."""
    parts: list[list[DisplayRow]] = []
    for row in rows:
        if not parts or (len(parts[-1]) >= most and not row.continues):
            parts.append([])
        parts[-1].append(row)
    return parts


def _aligned(rows: Sequence[DisplayRow]) -> str:
    plain = [replace(row, cells=_with_tag(row), gap=0) for row in rows]
    return _readable(layout.align(plain)).replace("{align*}", "{aligned}")


def _readable(latex: str) -> str:
    """LaTeX that pandoc and docutils can read, too."""
    plain = _DOTS.sub(r"\\ldots", _UNKNOWN.sub("", latex))
    return f"{{}}{plain}" if plain.startswith(("^", "_")) else plain


_UNKNOWN = re.compile(r"\\(?:mathclap|mathstrut|notag|nonumber)(?![a-zA-Z])[ \t]*")
_DOTS = re.compile(r"\\dots(?![a-zA-Z])")


def _with_tag(row: DisplayRow) -> tuple[str, ...]:
    name = row.tag.strip("()")
    return (*row.cells[:-1], rf"{row.cells[-1]} \qquad \text{{({name})}}") if name else row.cells


@block_nodes.register
def _(block: NumberedStep, target: _Target) -> list[Node]:
    rule = (" (", *block.rule, ")") if block.rule else ()
    why = (Emphasis("Why:"), " ", *block.why) if block.why else ()
    head = (Strong(f"Step {block.number}."), " ", *block.title, *rule)
    return [*_paragraph(head), *block_nodes(block.formulas, target), *_paragraph(why)]


@block_nodes.register
def _(block: Figure, target: _Target) -> list[Node]:
    return target.figure(block)


@block_nodes.register
def _(block: Verbatim, target: _Target) -> list[Node]:
    return [_node("CodeBlock", _NONE, block.text)] if block.text.strip() else []


# figures ----------------------------------------------------------------------------------------


def _raw_figure(figure: Figure) -> list[Node]:
    """The SVG itself for HTML, and the caption."""
    return [_node("RawBlock", "html", figure.picture.svg()), *_paragraph(figure.caption)]


def _file_figure(folder: Path, figure: Figure) -> list[Node]:
    """The SVG as a file beside the others."""
    name = f"picture-{1 + len(list(folder.iterdir()))}.svg"
    (folder / name).write_text(figure.picture.svg(), encoding="utf-8")
    image = _node("Image", _NONE, _inlines((figure.picture.alt,)), [name, ""])
    caption = [_node("Plain", _inlines(figure.caption))]
    return [_node("Figure", _NONE, [None, caption], [_node("Plain", [image])])]


# text -------------------------------------------------------------------------------------------


def _paragraph(text: Prose) -> list[Node]:
    return [_node("Para", _inlines(text))] if text else []


def _inlines(text: Prose) -> list[Node]:
    return [node for span in text for node in span_nodes(span)]


@singledispatch
def span_nodes(span: Any) -> Iterator[Node]:
    """A piece of running text."""
    raise NotImplementedError(f"pandoc: no rule for {type(span).__name__}")


@span_nodes.register
def _(span: str) -> Iterator[Node]:
    """Words and the spaces between them."""
    for part in re.split(r"(\s+)", span):
        if part:
            yield {"t": "Space"} if part.isspace() else _node("Str", part)


@span_nodes.register
def _(span: Math) -> Iterator[Node]:
    yield _node("Math", {"t": "InlineMath"}, _readable(span.latex))


@span_nodes.register
def _(span: Code) -> Iterator[Node]:
    yield _node("Code", _NONE, span.text)


@span_nodes.register
def _(span: Strong) -> Iterator[Node]:
    yield _node("Strong", _inlines((span.text,)))


@span_nodes.register
def _(span: Emphasis) -> Iterator[Node]:
    yield _node("Emph", _inlines((span.text,)))
