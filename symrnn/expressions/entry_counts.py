"""How many symbols the entries of an expression hold, without writing them out."""

from collections.abc import Callable
from functools import singledispatch
from math import prod
from typing import Any

from sympy import Expr, Identity, MatAdd, MatMul, MatrixSymbol, Pow, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Diagonal,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    N,
    OneHot,
    RowSoftmax,
    Scalar,
    is_size,
    no_rule,
)
from symrnn.expressions.shapes import shape

Leaf = Callable[[Expr], int]


def entries_of(expr: Expr, rows: int) -> int:
    """The number of entries; `rows` is the number of samples that takes the place of `N`."""
    return prod(_sizes(expr, rows))


def _sizes(expr: Expr, rows: int) -> tuple[int, ...]:
    return tuple(rows if size == N else int(size) for size in shape(expr))


@singledispatch
def entry_count(expr: Expr, leaf: Leaf, rows: int) -> int:
    """The symbols in all entries that `scalar_entries` writes; `leaf` gives those in the entries of a symbol.

    It is linear in what `leaf` gives: the entries of A B, (m, k) times (k, n), hold those of A n times
    and those of B m times.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("count of entries", expr)


@entry_count.register(Scalar)
def _(expr: Expr, leaf: Leaf, rows: int) -> int:
    return sum(leaf(symbol) for symbol in _symbols(expr))


def _symbols(expr: Expr) -> list[Any]:
    """The symbols of a number, each as often as it is written; the base of a power once."""
    found: list[Any] = []
    waiting: list[Any] = [expr]
    while waiting:
        part = waiting.pop()
        if part.is_Symbol and not is_size(part):
            found.append(part)
        waiting += part.args[:1] if isinstance(part, Pow) and part.exp.is_number else part.args
    return found


@entry_count.register
def _(expr: MatrixSymbol, leaf: Leaf, rows: int) -> int:
    return leaf(expr)


@entry_count.register(OneMatrix)
@entry_count.register(ZeroMatrix)
@entry_count.register(Identity)
def _(expr: MatrixExpr, leaf: Leaf, rows: int) -> int:
    return 0


@entry_count.register
def _(expr: Transpose, leaf: Leaf, rows: int) -> int:
    return entry_count(expr.arg, leaf, rows)


@entry_count.register
def _(expr: MatMul, leaf: Leaf, rows: int) -> int:
    total = height = 0
    for factor in (arg for arg in expr.args if isinstance(arg, MatrixExpr)):
        inner, width = _sizes(factor, rows)
        own = entry_count(factor, leaf, rows)
        total, height = (total * width + height * own, height) if height else (own, inner)
    return total


@entry_count.register(MatAdd)
@entry_count.register(HadamardProduct)
@entry_count.register(ElementwiseMax)
@entry_count.register(Concat)
@entry_count.register(LogSumExp)
def _(expr: MatrixExpr, leaf: Leaf, rows: int) -> int:
    return sum(entry_count(arg, leaf, rows) for arg in expr.args)


@entry_count.register
def _(expr: Elementwise, leaf: Leaf, rows: int) -> int:
    slots = _symbols(expr.template)
    return sum(
        slots.count(slot) * entry_count(matrix, leaf, rows)
        for slot, matrix in zip(SLOTS, expr.matrices, strict=False)
        if slot in slots
    )


@entry_count.register
def _(expr: RowSoftmax, leaf: Leaf, rows: int) -> int:
    return _sizes(expr, rows)[1] * entry_count(expr.args[0], leaf, rows)


@entry_count.register
def _(expr: CrossEntropy, leaf: Leaf, rows: int) -> int:
    targets, logits = (entry_count(arg, leaf, rows) for arg in expr.args)
    return targets + (_sizes(expr.args[1], rows)[1] + 1) * logits


@entry_count.register
def _(expr: Columns, leaf: Leaf, rows: int) -> int:
    (_, of_all), (_, kept) = _sizes(expr.args[0], rows), _sizes(expr, rows)
    return -(-entry_count(expr.args[0], leaf, rows) * kept // of_all)


@entry_count.register
def _(expr: OneHot, leaf: Leaf, rows: int) -> int:
    return int(expr.args[1]) * entry_count(expr.args[0], leaf, rows)


@entry_count.register(Differs)
@entry_count.register(Diagonal)
def _(expr: MatrixExpr, leaf: Leaf, rows: int) -> int:
    return entry_count(expr.args[0], leaf, rows)
