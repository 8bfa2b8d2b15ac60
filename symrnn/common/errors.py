"""What is said of errors: where they happened, values and names cut short, and what to install."""

import importlib
import reprlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LONGEST = 200


@contextmanager
def at(place: object) -> Iterator[None]:
    """Put the place, cut short, before the message of whatever is refused inside."""
    try:
        yield
    except NotImplementedError as error:
        raise NotImplementedError(f"{cut(str(place))}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{cut(str(place))}: {error}") from None


def cut_repr(value: object) -> str:
    """A value for a message, in at most 200 characters; a number too long to be written by its size."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        text = f"a number above 10^{sys.get_int_max_str_digits() - 1}"
    return cut(text)


def cut(text: str) -> str:
    """The first 200 characters of a text, and whether there were more."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def short_repr(value: object) -> str:
    """A value of any size for a message: of what is long or deep, some parts."""
    return cut(reprlib.repr(value))


def cut_name(name: object) -> str:
    """A name or a word for a message: as it is, or as Python writes it where it has control signs, and not longer."""
    return cut(name if isinstance(name, str) and name.isprintable() else cut_repr(name))


def import_extra(name: str, what: str, extra: str = "docs") -> Any:
    """A module of an optional library.

    Raises:
        ImportError: it is missing; the message says what needs it and what to install.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise ImportError(f"{what} needs {library} ({error}); pip install 'symrnn[{extra}]' installs it") from None
