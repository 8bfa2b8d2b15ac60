"""The SymPy functions that rows of the table of activations describe, and their slopes."""

import copyreg
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Expr
from sympy.core.function import ArgumentIndexError

from symrnn.expressions.functions import NamedFunction

Formula = Callable[..., Expr]


@dataclass(frozen=True)
class ActivationRow:
    """What is known of one function of a number: see the module's text.

    `latex` and `text` are printed in place of the function's name, where they are not empty. A
    function that is `straight` is in straight pieces, or its slope is: rounding moves its value as it
    moves its argument, and at a bound not at all. `cancels` is the size at x of what Keras takes a
    difference of. A `relative` slope is one that Keras computes without a difference. Where the slope of
    one that `chooses` is 0, Keras does not multiply by it but chooses 0, also in the place of an inf or a NaN.
    """

    definition: Formula
    slope: Formula
    stable: Formula | None = None
    named: bool = False
    latex: str = ""
    text: str = ""
    straight: bool = False
    cancels: Formula | None = None
    relative: bool = False
    chooses: bool = False


class _MadeClass(type(NamedFunction)):  # type: ignore[misc]
    """The class of the classes that are made here; `made` says how, so that they can be pickled."""

    made: tuple[Callable[..., Any], tuple[Any, ...]]


def _how_made(kind: _MadeClass) -> str | tuple[Callable[..., Any], tuple[Any, ...]]:
    return kind.made if hasattr(kind, "made") else kind.__qualname__


copyreg.pickle(_MadeClass, _how_made)


class RowFunction(NamedFunction, metaclass=_MadeClass):
    """A function of the table, or one like it; `slope` is its slope, where that has a name."""

    row: ActivationRow
    slope: "type[NamedSlope] | None" = None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope; SymPy's chain rule calls this."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        x = self.args[0]
        return self.slope(x, self) if self.slope else self.row.slope(x, self)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return self.row.definition(*self.args)

    def stable(self) -> Expr:
        """The form to compute with."""
        return (self.row.stable or self.row.definition)(*self.args)


class NamedSlope(NamedFunction, metaclass=_MadeClass):
    """The slope f'(x, y) of a function y = f(x), where it is printed by name."""

    row: ActivationRow

    def define(self) -> Expr:
        """The formula of the slope."""
        return self.row.slope(*self.args)


def function_of(name: str, row: ActivationRow, make: Callable[..., Any], *arguments: Any) -> type[RowFunction]:
    """The SymPy function of a row, which `make(*arguments)` gives again."""
    shared = {"row": row, "latex": row.latex, "text": row.text, "straight": row.straight}
    function: Any = type(name, (RowFunction,), {**shared, "nargs": 1, "made": (make, arguments)})
    if row.named:
        made = {"nargs": 2, "made": (_slope_of, (function,))}
        function.slope = type(f"{name}_slope", (NamedSlope,), {**shared, **made})
    return function


def _slope_of(function: type[RowFunction]) -> type[NamedSlope] | None:
    return function.slope
