"""What is said of errors: where they happened, and what to install where a library is missing."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def at(place: object) -> Iterator[None]:
    """Put the place before the message of whatever is refused inside."""
    try:
        yield
    except NotImplementedError as error:
        raise NotImplementedError(f"{place}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


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
