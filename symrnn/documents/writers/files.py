"""Files that are written whole or not at all, and what every format gives: the files of an article."""

import io
import os
import stat
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


_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def check_place(target: Path) -> None:
    """Check that a file can stand there, or be replaced.

    Raises:
        FileNotFoundError: there is a folder of this name, or none to put it in.
        PermissionError: the file that stands there is read-only.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected the name of a file in a folder that exists")
    if target.is_file() and not target.stat().st_mode & _WRITABLE:
        raise PermissionError(f"{target}: expected a file that can be written, got a read-only one")


def write(path: str | os.PathLike[str], text: str | bytes) -> None:
    """Write a file whole or not at all, where a link leads to; its mode and owner stay.

    What is no regular file, such as a device or a pipe, is written as it is; so is a file of several names,
    or of another owner.

    Raises:
        OSError: the place cannot be written to; a file that was there is as it was.
    """
    target = Path(path)
    data = text.encode() if isinstance(text, str) else text
    check_place(target)
    try:
        before = target.stat() if target.exists() else None
        if before is None or _is_replaced(before):
            _replace(Path(os.path.realpath(target)), data, before)
        else:
            with open(target, "r+b" if stat.S_ISREG(before.st_mode) else "wb", buffering=0) as stream:
                _write_all(stream, data)
    except OSError as error:  # its own text would name the file that is written first
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(target)) from None


def _is_replaced(before: os.stat_result) -> bool:
    """Whether another file can take the place of this one and have its mode and owner."""
    is_ours = not hasattr(os, "geteuid") or os.geteuid() in (0, before.st_uid)
    return stat.S_ISREG(before.st_mode) and before.st_nlink == 1 and is_ours


def _write_all(stream: io.RawIOBase, data: bytes) -> None:
    """All bytes, and nothing of what a regular file had after them."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.truncate(len(data))


def _replace(place: Path, data: bytes, before: os.stat_result | None) -> None:
    """Write the data beside the file, then put it in its place."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".symrnn.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        if before is None:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
        else:
            if hasattr(os, "chown"):
                os.chown(name, before.st_uid, before.st_gid)
            os.chmod(name, stat.S_IMODE(before.st_mode))
        os.replace(name, place)
    except BaseException:
        os.unlink(name)
        raise
