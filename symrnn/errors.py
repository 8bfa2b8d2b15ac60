"""Where an error happened: the place goes before the message of what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at(place: object) -> Iterator[None]:
    """Put the place before the message of whatever is refused inside."""
    try:
        yield
    except NotImplementedError as error:
        raise NotImplementedError(f"{place}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
