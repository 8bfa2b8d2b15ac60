"""Where the parts of a matrix are that holds several side by side."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from sympy import Expr

from symrnn.expressions.matrices import columns


class ColumnSlice(NamedTuple):
    """The columns start .. stop-1 of a matrix."""

    whole: Expr
    start: int
    stop: int

    def expr(self) -> Expr:
        """The columns as an expression."""
        return columns(*self)


def slices_of(whole: Expr, parts: Sequence[Expr]) -> dict[Expr, ColumnSlice]:
    """Where each of the parts is that make up a matrix side by side."""
    ends = list(accumulate(int(part.shape[1]) for part in parts))
    return {part: ColumnSlice(whole, start, end) for part, start, end in zip(parts, [0, *ends], ends, strict=False)}
