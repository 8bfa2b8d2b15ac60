"""A document as one web page: HTML with MathML and pictures in it, no script, nothing from elsewhere."""

import re
from collections.abc import Iterable, Sequence
from functools import singledispatch
from html import escape
from string import Template

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
from symrnn.documents.inline import Code, Emphasis, Math, Prose, Span, Strong, signed
from symrnn.documents.writers.files import Files, Progress
from symrnn.expressions.names import Name
from symrnn.typesetting import equations, layout
from symrnn.typesetting.mathml import display, inline_math
from symrnn.typesetting.styles import LATEX

ROOM = 430
"""How wide a line of equations may be, in points of 10 pt type: what a page of 46 em holds."""
_CONTENTS_FROM = 4


def files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """A web page: one file with MathML, which needs no network."""
    return {"": article_html(article)}


def article_html(article: Article) -> str:
    """The document as one HTML file.

    Raises:
        ImportError: latex2mathml is missing; the message says what to install.
        ValueError: something in a formula has no MathML; the message names it.
    """
    page = _PAGE.substitute(
        title=escape(article.title),
        style=_PAGE_STYLE + BLOCK_STYLE,
        subtitle=_paragraph(article.subtitle, "subtitle"),
        summary=_paragraph(article.summary, "summary"),
        contents=_contents(article.sections) if len(article.sections) >= _CONTENTS_FROM else "",
        sections="\n".join(_section(number, section) for number, section in enumerate(article.sections, 1)),
    )
    return _with_single_ids(page)


def blocks_html(blocks: Iterable[Block]) -> str:
    """The blocks alone, to stand in another page."""
    return _with_single_ids("\n".join(map(block_html, blocks)))


def _with_single_ids(text: str) -> str:
    """The text with each id where it is first; what users chose has its quotes escaped and is not touched."""
    known: set[str] = set()

    def first(found: re.Match[str]) -> str:
        new = found[1] not in known
        known.add(found[1])
        return found[0] if new else ""

    return re.sub(r' id="([^"]*)"', first, text)


def _section(number: int, section: Section) -> str:
    head = f'<h2 id="{_anchor(section)}"><span class="number">{number}</span> {escape(section.title)}</h2>'
    return "\n".join(["<section>", head, *map(block_html, section.blocks), "</section>"])


def _anchor(section: Section) -> str:
    return re.sub(r"[^\w.-]+", "-", section.name)


def _contents(sections: Sequence[Section]) -> str:
    items = [f'<li><a href="#{_anchor(section)}">{escape(section.title)}</a></li>' for section in sections]
    return "\n".join(['<nav aria-label="Contents">', "<ol>", *items, "</ol>", "</nav>"])


# blocks -----------------------------------------------------------------------------------------


@singledispatch
def block_html(block: object) -> str:
    """A block of a document as HTML."""
    raise NotImplementedError(f"HTML: no rule for {type(block).__name__}")


@block_html.register
def _(block: Paragraph) -> str:
    front = f"<strong>{escape(block.title)}</strong> " if block.title else ""
    return f"<p>{front}{prose_html(block.text)}</p>"


@block_html.register
def _(block: Table) -> str:
    head = _table_row(block.head, block.right, "th")
    rows = [_table_row(row, block.right, "td") for row in block.rows]
    cut = len(rows) - block.totals
    parts = [f"<thead>\n{head}\n</thead>", *_row_group("tbody", rows[:cut]), *_row_group("tfoot", rows[cut:])]
    table = _wide("\n".join(["", "<table>", *parts, "</table>", ""]))
    return f"{table}\n{_paragraph(block.note, 'note')}".rstrip()


def _row_group(tag: str, rows: Sequence[str]) -> list[str]:
    return [f"<{tag}>", *rows, f"</{tag}>"] if rows else []


def _table_row(cells: Sequence[Cell], right: Sequence[int], tag: str) -> str:
    """A row of a table; a number has the minus sign of mathematics."""
    styles = [' style="text-align: right"' if i in right else "" for i in range(len(cells))]
    scope = ' scope="col"' if tag == "th" else ""
    texts = [f"<{tag}{scope}{style}>{_cell(cell)}</{tag}>" for cell, style in zip(cells, styles, strict=True)]
    return f"<tr>{''.join(texts)}</tr>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Name):
        return inline_math(cell.latex)
    if isinstance(cell, tuple):
        return prose_html(cell)
    return escape(signed(cell))


@block_html.register
def _(block: Equations) -> str:
    lines = equations.lines_of(block.display, LATEX)
    return block_html(Formulas(tuple(layout.rows(lines, room=ROOM))))


@block_html.register
def _(block: Formulas) -> str:
    return _wide(display(block.rows))


@block_html.register
def _(block: NumberedStep) -> str:
    rule = f'<span class="rule">{prose_html(block.rule)}</span>' if block.rule else ""
    title = f"<span><strong>Step {block.number}.</strong> {prose_html(block.title)}</span>"
    head = f'<h3 id="step-{block.number}">{title}{rule}</h3>'
    why = [f'<p class="why"><em>Why:</em> {prose_html(block.why)}</p>'] if block.why else []
    return "\n".join(['<section class="step">', head, block_html(block.formulas), *why, "</section>"])


@block_html.register
def _(block: Figure) -> str:
    """The picture over its caption."""
    below = [f"<figcaption>{prose_html(block.caption)}</figcaption>"] if block.caption else []
    return "\n".join(["<figure>", _wide(block.picture.svg()), *below, "</figure>"])


def _wide(inner: str) -> str:
    """What may be wider than the page, in a box of its own to scroll in."""
    return f'<div class="wide" style="overflow-x: auto">{inner}</div>'


@block_html.register
def _(block: Verbatim) -> str:
    return f'<pre tabindex="0">{escape(block.text)}</pre>'


# text -------------------------------------------------------------------------------------------


def prose_html(text: Prose) -> str:
    """Text with formulas in it."""
    return "".join(map(span_html, text))


@singledispatch
def span_html(span: Span) -> str:
    """A piece of running text."""
    raise NotImplementedError(f"HTML: expected a piece of text, got {type(span).__name__}")


span_html.register(str, escape)
span_html.register(Math, lambda span: inline_math(span.latex))
span_html.register(Code, lambda span: f"<code>{escape(span.text)}</code>")
span_html.register(Strong, lambda span: f"<strong>{escape(span.text)}</strong>")
span_html.register(Emphasis, lambda span: f"<em>{escape(span.text)}</em>")


def _paragraph(text: Prose, name: str) -> str:
    return f'<p class="{name}">{prose_html(text)}</p>' if text else ""


# page -------------------------------------------------------------------------------------------

BLOCK_STYLE = """\
.symrnn {
  h3 { line-height: 1.25; break-after: avoid; font-size: 1em; font-weight: normal; margin: 0; display: flex;
    flex-wrap: wrap; gap: 0 2em; justify-content: space-between; align-items: baseline; }
  math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Libertinus Math", math; }
  .wide { overflow-x: auto; overflow-y: hidden; max-width: 100%; margin: 0.8em 0; }
  table { border-collapse: collapse; margin: 0 auto; border: 0; border-top: 1.5px solid; border-bottom: 1.5px solid;
    font-variant-numeric: tabular-nums lining-nums; }
  th, td { padding: 0.12em 0.75em; text-align: left; vertical-align: baseline; }
  th { font-weight: normal; border-bottom: 1px solid; padding-bottom: 0.3em; }
  tfoot tr:first-child td { border-top: 1px solid; }
  thead + tbody tr:first-child td, tfoot tr:first-child td { padding-top: 0.3em; }
  .note, .why, figcaption { font-size: 0.9em; color: var(--soft, inherit); }
  .step { margin: 1.5em 0; break-inside: avoid; }
  .step .wide { margin: 0.5em 0; }
  .why { margin: 0.3em 0 0; }
  .rule { color: var(--soft, inherit); margin-left: auto; }
  figure { margin: 1.5em 0; text-align: center; break-inside: avoid; }
  figure svg { background: #fff; border-radius: 4px; }
  figcaption { max-width: 38em; margin: 0.6em auto 0; }
  pre, code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
  pre { overflow-x: auto; font-size: 0.8em; line-height: 1.4; padding: 0.8em 1em; border-radius: 4px;
    border: 1px solid var(--rule, currentColor); }
  code { font-size: 0.85em; overflow-wrap: anywhere; }
  table code { overflow-wrap: normal; }
}
"""
"""How blocks look, within an element of the class symrnn and nowhere else: they stand in pages of others, too."""
_PAGE_STYLE = """\
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #595959; --rule: #b8b8b8; --page: #ffffff; --link: #0b5394; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e2de; --soft: #a8a6a1; --rule: #55534f; --page: #1b1b1d; --link: #8ab8ea; }
}
html { background: var(--page); color: var(--ink); font: 100%/1.5 "Latin Modern Roman", "STIX Two Text", Cambria,
  "Libertinus Serif", Georgia, "Times New Roman", serif; -webkit-text-size-adjust: 100%; }
body { max-width: 46em; margin: 0 auto; padding: 2.5em 1.25em 4em; font-size: 1.0625rem; }
h1, h2 { line-height: 1.25; break-after: avoid; }
h1 { font-size: 1.75em; margin: 0 0 0.25em; }
h2 { font-size: 1.3em; margin: 2.2em 0 0.7em; }
h2 .number { margin-right: 0.6em; }
p { margin: 0.7em 0; }
a { color: var(--link); }
.subtitle { color: var(--soft); margin: 0 0 1.2em; }
nav ol { columns: 2; padding-left: 1.4em; margin: 1.2em 0; }
nav a { text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
@media (max-width: 34em) { nav ol { columns: 1; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --rule: #999; --page: #fff; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  .wide, pre { overflow: visible !important; }
  pre { white-space: pre-wrap; }
}
"""

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style</style>
</head>
<body class="symrnn">
<header>
<h1>$title</h1>
$subtitle
</header>
<main>
$summary
$contents
$sections
</main>
</body>
</html>
""")
