"""What Jupyter shows of a value: HTML with MathML, Markdown or LaTeX, and text; the first that it can."""

import base64
from collections.abc import Sequence
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
    blocks = [block for section in document.sections for block in section.blocks]
    found = {
        "text/markdown": markdown.render(document, images_of(document.sections), markdown.DOLLARS),
        "text/plain": plaintext.sections_text(document.sections),
    }
    return {**_html(blocks), **found}


def equations(display: Display) -> dict[str, str]:
    """The equations of a program."""
    return {
        **_html([Equations(display)]),
        "text/latex": render(display, LATEX),
        "text/plain": render(display, TEXT),
    }


def _html(blocks: Sequence[Block]) -> dict[str, str]:
    if find_spec("latex2mathml") is None:
        return {}
    return {"text/html": f"<style>{webpage.STYLE}</style>\n{webpage.fragment(blocks)}"}


def images_of(sections: Sequence[Section]) -> list[str]:
    """The pictures of sections, each as an address that is the picture itself."""
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    return [f"data:image/svg+xml;base64,{base64.b64encode(f.picture.svg().encode()).decode()}" for f in figures]
