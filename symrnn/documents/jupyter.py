"""What Jupyter shows of a value, by its kind: HTML with MathML, Markdown or LaTeX, and text; the first that it can."""

import base64
from collections.abc import Callable, Sequence
from html import escape
from importlib.util import find_spec

from symrnn.checking.report import Report
from symrnn.common.display import Displayed, mimebundle
from symrnn.derivations.derivation import Derivation
from symrnn.diagrams.picture import Picture
from symrnn.documents.blocks import Article, Block, Equations, Figure, Paragraph, Section, Table
from symrnn.documents.sections.contributions_plot import Plot
from symrnn.documents.writers import html, markdown, text
from symrnn.programs.program import Program
from symrnn.typesetting.equations import Display, render
from symrnn.typesetting.styles import LATEX, TEXT


def bundle(blocks: Sequence[Block]) -> dict[str, str]:
    """Blocks as HTML, where latex2mathml is installed, as Markdown and as text."""
    section = Section("", "", tuple(blocks))
    found = {
        "text/markdown": markdown.blocks_markdown(blocks, images_of([section]), markdown.DOLLARS),
        "text/plain": "\n\n".join(map(text.block_text, blocks)),
    }
    return {**_html(blocks), **found}


def bundle_of(value: Displayed) -> dict[str, str]:
    """What Jupyter shows of a value, by the rules of this module."""
    return mimebundle(value)


@mimebundle.register
def _(document: Article) -> dict[str, str]:
    """A document under its title."""
    found = {
        "text/markdown": markdown.article_markdown(document, images_of(document.sections), markdown.DOLLARS),
        "text/plain": text.sections_text(document.sections),
    }
    return {**_titled_html(document), **found}


@mimebundle.register
def _(section: Section) -> dict[str, str]:
    """A section without its title."""
    return bundle(section.blocks)


@mimebundle.register
def _(picture: Picture) -> dict[str, str]:
    return {"image/svg+xml": picture.svg(), "text/plain": str(picture)}


@mimebundle.register
def _(plot: Plot) -> dict[str, str]:
    return {"image/svg+xml": plot.svg(), "text/plain": plot.alt}


@mimebundle.register
def _(report: Report) -> dict[str, str]:
    """The table, and what it says."""
    head, *rows = map(tuple, report.table)
    conditions = Paragraph((report.conditions.replace("\n", " "),))
    blocks = (Table(head, tuple(rows), (3, 4, 5, 6)), conditions, Paragraph((report.conclusion,)))
    return {**bundle(blocks), "text/plain": str(report)}


@mimebundle.register
def _(derivation: Derivation) -> dict[str, str]:
    """The equations, of few time steps each, of many those of a general step."""
    return mimebundle(derivation.display("unrolled" if derivation.is_short else "step"))


@mimebundle.register
def _(program: Program) -> dict[str, str]:
    return mimebundle(Display(program))


@mimebundle.register
def _(display: Display) -> dict[str, str]:
    """The equations of a program."""
    return {
        **_html([Equations(display)]),
        "text/latex": render(display, LATEX),
        "text/plain": render(display, TEXT),
    }


def _titled_html(document: Article) -> dict[str, str]:
    """The sections as HTML, each under its title."""
    head = f"<h1>{escape(document.title)}</h1>"
    parts = [(f"<h2>{escape(section.title)}</h2>", section.blocks) for section in document.sections]
    return _styled(lambda: "\n".join([head, *(f"{title}\n{html.blocks_html(blocks)}" for title, blocks in parts)]))


def _html(blocks: Sequence[Block]) -> dict[str, str]:
    return _styled(lambda: html.blocks_html(blocks))


def _styled(blocks_html: Callable[[], str]) -> dict[str, str]:
    """The HTML with the style of its blocks, which reaches nothing else on a page; nothing without latex2mathml."""
    if find_spec("latex2mathml") is None:
        return {}
    return {"text/html": f'<style>{html.BLOCK_STYLE}</style>\n<div class="symrnn">\n{blocks_html()}\n</div>'}


def images_of(sections: Sequence[Section]) -> list[str]:
    """The pictures of sections, each as an address that is the picture itself."""
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    return [f"data:image/svg+xml;base64,{base64.b64encode(f.picture.svg().encode()).decode()}" for f in figures]
