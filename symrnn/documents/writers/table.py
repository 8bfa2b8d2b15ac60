"""The formats of documents, by the ending of the file."""

import os
from collections.abc import Mapping
from pathlib import Path

from symrnn.common.errors import cut, cut_repr
from symrnn.documents.blocks import Article
from symrnn.documents.writers import html, latex, markdown, notebook, pandoc, pdf
from symrnn.documents.writers.files import Progress, Writer, check_place, write

WRITERS: Mapping[str, Writer] = {
    ".tex": latex.files,
    ".pdf": pdf.files,
    ".md": markdown.files,
    ".html": html.files,
    ".ipynb": notebook.files,
    ".rst": pandoc.rst_files,
    ".docx": pandoc.docx_files,
}
"""How a document is written, by the ending of the file."""


def writer_of(path: str | os.PathLike[str]) -> Writer:
    """The writer for a file.

    Raises:
        ValueError: an ending that no format has.
    """
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(
            f"{cut(str(path))}: expected a name that ends in one of {' '.join(WRITERS)}, got {ending or 'none'}"
        )
    return WRITERS[ending]


def save(article: Article, path: str | os.PathLike[str], progress: Progress | None = None) -> None:
    """Write a document in the format of the file's ending; the pictures of a .md stand beside it."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"save: expected the name of a file, got {cut_repr(path)}")
    target = Path(path)
    check_place(target)
    files = writer_of(target)(article, target.stem, progress)
    for name, text in sorted(files.items(), reverse=True):  # the document itself at the end
        write(target if not name else target.with_name(target.stem + name), text)
