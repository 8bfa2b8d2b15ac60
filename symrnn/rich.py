"""What Jupyter shows of a value: HTML with MathML, Markdown or LaTeX, and text; the first that it can."""

import base64
from collections.abc import Callable, Sequence
from html import escape
from importlib.util import find_spec

from symrnn import markdown, plaintext, webpage
from symrnn.document import Block, Document, Equations, Figure, Section
from symrnn.printing import Display, render
from symrnn.styles import LATEX, TEXT


def bundle(blocks: Sequence[Block]) -> dict[str, str]:
    """Blocks as HTML, where latex2mathml is installed, as Markdown and as text."""
    section = Section("", "", tuple(blocks))
    found = {
        "text/markdown": markdown.blocks_markdown(blocks, images_of([section]), markdown.DOLLARS),
        "text/plain": "\n\n".join(map(plaintext.text, blocks)),
    }
    return {**_html(blocks), **found}


def whole(document: Document) -> dict[str, str]:
    """A document under its title."""
    found = {
        "text/markdown": markdown.render(document, images_of(document.sections), markdown.DOLLARS),
        "text/plain": plaintext.sections_text(document.sections),
    }
    return {**_titled_html(document), **found}


def equations(display: Display) -> dict[str, str]:
    """The equations of a program."""
    return {
        **_html([Equations(display)]),
        "text/latex": render(display, LATEX),
        "text/plain": render(display, TEXT),
    }


def _titled_html(document: Document) -> dict[str, str]:
    """The sections as HTML, each under its title."""
    head = f"<h1>{escape(document.title)}</h1>"
    parts = [(f"<h2>{escape(section.title)}</h2>", section.blocks) for section in document.sections]
    return _styled(lambda: "\n".join([head, *(f"{title}\n{webpage.fragment(blocks)}" for title, blocks in parts)]))


def _html(blocks: Sequence[Block]) -> dict[str, str]:
    return _styled(lambda: webpage.fragment(blocks))


def _styled(html: Callable[[], str]) -> dict[str, str]:
    """The HTML with the style of its blocks, which reaches nothing else on a page; nothing without latex2mathml."""
    if find_spec("latex2mathml") is None:
        return {}
    return {"text/html": f'<style>{webpage.BLOCK_STYLE}</style>\n<div class="symrnn">\n{html()}\n</div>'}


def images_of(sections: Sequence[Section]) -> list[str]:
    """The pictures of sections, each as an address that is the picture itself."""
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    return [f"data:image/svg+xml;base64,{base64.b64encode(f.picture.svg().encode()).decode()}" for f in figures]
