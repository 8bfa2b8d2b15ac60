"""The formats of documents, by the ending of the file, and files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from symrnn.documents.blocks import Article, Figure
from symrnn.documents.writers import html, latex, markdown, notebook, pandoc
from symrnn.documents.writers.pdf import pdf_of

Progress = Callable[[str], None]
Files = Mapping[str, str | bytes]
"""The text of a document by what follows its name: "" is the document itself, "-1.svg" a picture beside it."""


def _figures(made: Article) -> list[Figure]:
    return [block for section in made.sections for block in section.blocks if isinstance(block, Figure)]


def _tex(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": latex.render(made)}


def _pdf(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": pdf_of(latex.render(made), progress).pdf}


def _md(made: Article, stem: str, progress: Progress | None) -> Files:
    pictures = {f"-{i}.svg": figure.picture.svg() for i, figure in enumerate(_figures(made), 1)}
    return {"": markdown.render(made, [quote(f"{stem}{name}") for name in pictures]), **pictures}


def _html(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": html.render(made)}


def _ipynb(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": notebook.of(made)}


def _rst(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": pandoc.rst(made)}


def _docx(made: Article, stem: str, progress: Progress | None) -> Files:
    return {"": pandoc.docx(made)}


WRITERS: Mapping[str, Callable[[Article, str, Progress | None], Files]] = {
    ".tex": _tex,
    ".pdf": _pdf,
    ".md": _md,
    ".html": _html,
    ".ipynb": _ipynb,
    ".rst": _rst,
    ".docx": _docx,
}
"""How a document is written, by the ending of the file."""


def writer(path: str | os.PathLike) -> Callable[[Article, str, Progress | None], Files]:
    """The writer for a file.

    Raises:
        ValueError: an ending that no format has.
    """
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"{path}: expected a name that ends in one of {' '.join(WRITERS)}, got {ending or 'none'}")
    return WRITERS[ending]


def save(made: Article, path: str | os.PathLike, progress: Progress | None = None) -> None:
    """Write a document in the format of the file's ending; the pictures of a .md stand beside it."""
    target = Path(path)
    check_place(target)
    files = writer(target)(made, target.stem, progress)
    for name, text in sorted(files.items(), reverse=True):  # the document itself at the end
        write(target if not name else target.with_name(target.stem + name), text)


def check_place(target: Path) -> None:
    """Check that a file can stand there.

    Raises:
        FileNotFoundError: there is a folder of this name, or none to put it in.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected the name of a file in a folder that exists")


def write(path: str | os.PathLike, text: str | bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: the place cannot be written to; a file that was there is as it was.
    """
    target = Path(path)
    check_place(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
