"""Programs for generated code: gates side by side, so that one product serves them all.

`fuse` gives a program that computes the same with fewer operations in each step:

- equations that are alike become one, [a_i a_f] = x_t [U_i U_f] + 1 [b_i b_f], and with them what is
  alike in what they are used for: one sigmoid for i and f;
- products in one sum become one: d_i V_i^T + d_f V_f^T = [d_i d_f] [V_i V_f]^T;
- sums over t with a common left factor become one: x_t^T d_i and x_t^T d_f are columns of x_t^T [d_i d_f].

A block of weights, [U_i U_f], is an equation before the recurrence: it is put together once in a
call. What is no longer computed by itself becomes `Columns` of the whole.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch
from itertools import pairwise

from sympy import Expr, MatAdd, MatMul, MatrixSymbol
from sympy.matrices.expressions import HadamardProduct, Identity, MatrixExpr, OneMatrix, Transpose, ZeroMatrix

from symrnn.codegen.fusion.blocks import Blocks, within
from symrnn.codegen.fusion.products import join_sums, places
from symrnn.codegen.slices import ColumnSlice, slices_of
from symrnn.expressions.matrices import add, concat, elementwise, hadamard, multiply
from symrnn.expressions.nodes import (
    Columns,
    Concat,
    CrossEntropy,
    Diagonal,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    OneHot,
    RowSoftmax,
    Scalar,
    no_rule,
)  # fmt: skip
from symrnn.programs.program import Equation, Program, Recurrence, Statement, parameters
from symrnn.programs.transforms import prune


def fuse(program: Program) -> Program:
    """The program with what is alike side by side; the program itself where nothing is."""
    blocks = Blocks.of(program)
    items = join_sums([_join_alike(item, blocks) for item in program.equations], blocks)
    if all(new is old for new, old in zip(items, program.equations, strict=False)):
        return program
    return prune(replace(program, equations=tuple(blocks.named(items)), names=blocks.names), program.outputs)


# equations that are alike ---------------------------------------------------------------------------


def _join_alike(item: Statement, blocks: Blocks) -> Statement:
    """The equations that differ in their weights, and in which of the joined values they use, as one."""
    if not isinstance(item, Recurrence):
        return item
    placed: dict[Expr, ColumnSlice] = {}
    found: list[Equation] = []
    for alike in _ordered(_classes(item), item.body.assignments):
        rhs = beside([equation.rhs for equation in alike], placed) if len(alike) > 1 else None
        if rhs is None:
            found += alike
            continue
        symbols = [equation.lhs for equation in alike]
        joined = blocks.declare(blocks.together(symbols), rhs.shape)
        parts = slices_of(joined, symbols)
        found += [Equation(joined, rhs), *(Equation(symbol, place.expr()) for symbol, place in parts.items())]
        placed |= parts
    return blocks.rebuilt(item, found) if placed else item


def _classes(item: Recurrence) -> list[list[Equation]]:
    """The equations of a step, those of one pattern together, in the order of the first of each."""
    when, fixed = places(item), frozenset(parameters(item))
    found: dict[Hashable, list[Equation]] = {}
    numbers: dict[Expr, int] = {}
    for equation in item.body.assignments:
        key = when[equation.lhs], pattern(equation.rhs, numbers, fixed)
        found.setdefault(key, []).append(equation)
        numbers[equation.lhs] = [*found].index(key)
    return [*found.values()]


def _ordered(classes: Sequence[list[Equation]], equations: Sequence[Equation]) -> list[list[Equation]]:
    """Each class in such an order that those whose values are used alike are adjacent.

    A class is used in later ones only, so these are put in order first.
    """
    order: dict[Expr, tuple[int, int]] = {}
    found: list[list[Equation]] = []
    reads = [(equation.lhs, equation.rhs.free_symbols) for equation in equations]
    nowhere = len(classes), 0
    for number, alike in reversed([*enumerate(classes)]):
        uses = {e.lhs: min((order[user] for user, used in reads if e.lhs in used), default=nowhere) for e in alike}
        found.insert(0, sorted(alike, key=lambda equation: uses[equation.lhs]))
        single = len(alike) == 1
        order |= {equation.lhs: nowhere if single else (number, i) for i, equation in enumerate(found[0])}
    return found


_Alone = (
    Concat | CrossEntropy | Diagonal | Differs | ElementwiseMax | LogSumExp | OneHot | RowSoftmax
    | Identity | Transpose | Scalar
)  # fmt: skip
"""What is not written beside another."""


@singledispatch
def pattern(expr: Expr, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    """What two expressions have in common that can be written side by side as one.

    Symbols are known by the `numbers` of their classes, a right factor in `fixed` symbols by its rows.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("pattern", expr)


@pattern.register(_Alone)
@pattern.register(Columns)
def _(expr: Expr, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    """Itself: another one is like it only where it is the same."""
    return expr


@pattern.register
def _(expr: MatrixSymbol, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    return numbers.get(expr, expr)


@pattern.register(OneMatrix)
@pattern.register(ZeroMatrix)
def _(expr: MatrixExpr, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    return type(expr), expr.shape[0]


@pattern.register(MatAdd)
@pattern.register(HadamardProduct)
def _(expr: MatrixExpr, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    return type(expr), *(pattern(arg, numbers, fixed) for arg in expr.args)


@pattern.register
def _(expr: Elementwise, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    return expr.template, *(pattern(arg, numbers, fixed) for arg in expr.matrices)


@pattern.register
def _(expr: MatMul, numbers: Mapping[Expr, int], fixed: frozenset[Expr]) -> Hashable:
    left, right = expr.args[:-1], expr.args[-1]
    return (MatMul, left, right.shape[0]) if within(right, fixed) else expr


@singledispatch
def _beside(first: Expr, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    raise no_rule("side by side", first)


@_beside.register(_Alone)
def _(first: Expr, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    return None


def beside(exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    """Expressions of one pattern side by side, as one; None where that would have to copy values.

    `placed` tells which symbols are columns of what.
    """
    return _beside(exprs[0], exprs, placed)


def _all_beside(exprs: Iterable[Sequence[Expr]], placed: Mapping[Expr, ColumnSlice]) -> list[Expr] | None:
    found = [beside(alike, placed) for alike in exprs]
    return None if None in found else [expr for expr in found if expr is not None]


@_beside.register
def _(first: MatrixSymbol, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    return _adjacent([placed.get(expr) for expr in exprs])


@_beside.register
def _(first: Columns, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    return _adjacent([ColumnSlice(*expr.args) for expr in exprs])


def _adjacent(places: Sequence[ColumnSlice | None]) -> Expr | None:
    first, last = places[0], places[-1]
    if first is None or last is None:
        return None
    for left, right in pairwise(places):
        if left is None or right is None or (left.whole, left.stop) != (right.whole, right.start):
            return None
    return ColumnSlice(first.whole, first.start, last.stop).expr()


@_beside.register(OneMatrix)
@_beside.register(ZeroMatrix)
def _(first: MatrixExpr, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    return type(first)(first.shape[0], sum(int(expr.shape[1]) for expr in exprs))


@_beside.register(MatAdd)
@_beside.register(HadamardProduct)
def _(first: MatrixExpr, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    parts = _all_beside(zip(*(expr.args for expr in exprs), strict=True), placed)
    build = add if isinstance(first, MatAdd) else hadamard
    return None if parts is None else build(*parts)


@_beside.register
def _(first: Elementwise, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    parts = _all_beside(zip(*(expr.matrices for expr in exprs), strict=True), placed)
    return None if parts is None else elementwise(first.template, *parts)


@_beside.register
def _(first: MatMul, exprs: Sequence[Expr], placed: Mapping[Expr, ColumnSlice]) -> Expr | None:
    rights = [expr.args[-1] for expr in exprs]
    ones = [right for right in rights if isinstance(right, OneMatrix)]
    block = beside(ones, placed) if len(ones) == len(rights) else concat(*rights)
    return multiply(*first.args[:-1], block)
