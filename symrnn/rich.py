"""What Jupyter shows of a value: HTML with MathML, Markdown or LaTeX, and text; the first that it can."""

import base64
from collections.abc import Sequence
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
    parts = [
        f"<h2>{escape(s.title)}</h2>\n{shown['text/html']}" for s in document.sections if (shown := _html(s.blocks))
    ]
    return {"text/html": "\n".join([f"<h1>{escape(document.title)}</h1>", *parts])} if parts else {}


def _html(blocks: Sequence[Block]) -> dict[str, str]:
    if find_spec("latex2mathml") is None:
        return {}
    return {"text/html": f"<style>{webpage.STYLE}</style>\n{webpage.fragment(blocks)}"}


def images_of(sections: Sequence[Section]) -> list[str]:
    """The pictures of sections, each as an address that is the picture itself."""
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    return [f"data:image/svg+xml;base64,{base64.b64encode(f.picture.svg().encode()).decode()}" for f in figures]
