"""Files that are written whole or not at all, and what every format gives: the files of an article."""

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from symrnn.documents.blocks import Article

Progress = Callable[[str], None]
"""Is told what takes long, in a few words."""
Files = Mapping[str, str | bytes]
"""The contents by what follows the document's name: "" is the document itself, "-1.svg" a picture beside it."""
Writer = Callable[[Article, str, Progress | None], Files]
"""The files of an article whose name, without the ending, is the text."""


def check_place(target: Path) -> None:
    """Check that a file can stand there.

    Raises:
        FileNotFoundError: there is a folder of this name, or none to put it in.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected the name of a file in a folder that exists")


def write(path: str | os.PathLike[str], text: str | bytes) -> None:
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
