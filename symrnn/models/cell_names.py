"""The names of a cell of your own: how they are printed, and which are refused."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symrnn.common.errors import cut_repr
from symrnn.expressions.names import Name, Time

_TAKEN = ("L", "N", "S", "T", "s", "delta")
"""The letters that have a meaning in every model."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def name_of_identifier(name: str) -> Name:
    """How a name is printed: a_i_t and a_i are a with the subscript i, lambda_ is the Greek letter."""
    base, _, sub = name.removesuffix("_t").partition("_")
    return Name(base, sub=sub.replace("_", ""))


def check_cell_name(name: Any) -> None:
    """Check that a name can be printed, and be an identifier in code.

    Raises:
        ValueError: it cannot, or it has a meaning in every model.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"Cell: the name {cut_repr(name)}: expected a letter from a to z or A to Z, then such letters, digits and "
            "underscores; a Greek letter is written out, as alpha"
        )
    letter = name_of_identifier(name)
    if letter.base in _TAKEN or letter.code == "y_true":
        raise ValueError(f"Cell: the name {cut_repr(name)} is taken; take another")


def check_apart(names: Sequence[str]) -> None:
    """Check that no two names are printed alike, and none as a time step, an entry or a derivative of another.

    Raises:
        ValueError: two are; both are named.
    """
    letters = [name_of_identifier(name) for name in names]
    whole = {letter.base: name for letter, name in zip(letters, names, strict=True) if not letter.sub}
    found = dict.fromkeys(_codes(Name("x")), ("the input x", -1))
    for place, (letter, name) in enumerate(zip(letters, names, strict=True)):
        if letter.sub.isdecimal() and letter.base in whole:
            raise _alike(repr(whole[letter.base]), name, letter.code)
        for code in _codes(letter):
            other, first = found.setdefault(code, (repr(name), place))
            if first != place:
                raise _alike(other, name, code)


def _alike(other: str, name: str, code: str) -> ValueError:
    return ValueError(f"Cell: {other} and {cut_repr(name)} cannot be told apart, both can be {code}; take another name")


def _codes(letter: Name) -> list[str]:
    """What a symbol is called in code: at any time step, before a mask is applied, and its derivatives."""
    times: list[Time | None] = [None, "t", "t-1", "t+1", "T-1", "T"]
    letters = [letter, replace(letter, base=f"{letter.base}~")]
    letters += [marked for order in (1, 2) for marked in (letter.partial("", order), letter.message(order))]
    return [one.at(time).code for one in letters for time in times]
