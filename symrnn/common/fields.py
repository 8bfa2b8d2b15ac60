"""The fields of a value checked by their annotations: what a whole number, a number, a switch and a name may be."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from numbers import Real
from typing import Any, get_origin, get_type_hints

from symrnn.common.errors import cut_repr

_LARGEST = sys.float_info.max


def is_count(value: object) -> bool:
    """Whether a value is a positive whole number."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_number(value: object) -> bool:
    """Whether a value is a number that a double holds: not infinite, and not larger than any."""
    number: Any = value
    return isinstance(value, Real) and not isinstance(number, bool) and bool(abs(number) <= _LARGEST)


def is_listing(value: object) -> bool:
    """Whether a value is several others: no text, and no array without an axis."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes) and getattr(value, "ndim", 1) != 0


_MEANINGS: dict[object, tuple[str, Callable[[Any], bool]]] = {
    int: ("a positive whole number", is_count),
    float: ("a finite number", is_number),
    float | None: ("a finite number or None", lambda value: value is None or is_number(value)),
    bool | None: ("True, False or None", lambda value: value is None or isinstance(value, bool)),
    bool: ("True or False", lambda value: isinstance(value, bool)),
    str: ("a text", lambda value: isinstance(value, str)),
    str | None: ("a text or None", lambda value: value is None or isinstance(value, str)),
    Sequence: ("a list", lambda value: isinstance(value, list | tuple)),
    Mapping: ("a mapping", lambda value: isinstance(value, Mapping)),
}
"""What a field of a type may hold, in words and as a test; a field of another type is left to its class."""


@cache
def _meanings(kind: type) -> dict[str, tuple[str, Callable[[Any], bool]]]:
    types = {name: get_origin(hint) if hint not in _MEANINGS else hint for name, hint in get_type_hints(kind).items()}
    return {one.name: _MEANINGS[types[one.name]] for one in fields(kind) if types[one.name] in _MEANINGS}


def check_fields(value: Any, where: str | None = None) -> None:
    """Check that the fields of a dataclass hold what their annotations say.

    Raises:
        ValueError: one does not; the message names the class, or `where`, the field, what was expected and what given.
    """
    kind: Any = type(value)
    for name, (expected, fits) in _meanings(kind).items():
        given = getattr(value, name)
        if not fits(given):
            raise ValueError(f"{where or kind.__name__}: {name}: expected {expected}, got {cut_repr(given)}")
