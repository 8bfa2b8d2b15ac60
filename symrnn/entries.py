"""Matrices written out: the entries of an expression as scalar expressions."""

from collections.abc import Callable
from functools import singledispatch

from sympy import Add, Expr, Integer, MatAdd, MatMul, MatrixSymbol, Mul, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.functions import softmax
from symrnn.matrices import CrossEntropy, Elementwise, N, Softmax, T, cross_entropy, elementwise, split

Entries = list[list[Expr]]


@singledispatch
def entries(expr: Expr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    """The entries of a matrix as scalar expressions, row by row; `leaf` gives those of a symbol.

    `rows` is the number of samples that takes the place of `N`. A scalar has one entry.
    """
    symbols = {s: leaf(s)[0][0] for s in expr.free_symbols if s not in (N, T)}
    return [[expr.xreplace(symbols | {N: Integer(rows)})]]


@entries.register
def _(expr: MatrixSymbol, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return leaf(expr)


@entries.register(OneMatrix)
@entries.register(ZeroMatrix)
def _(expr: MatrixExpr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    value = Integer(1 if isinstance(expr, OneMatrix) else 0)
    height, width = (rows if size == N else int(size) for size in expr.shape)
    return [[value] * width for _ in range(height)]


@entries.register
def _(expr: Transpose, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return [list(column) for column in zip(*entries(expr.arg, leaf, rows), strict=True)]


@entries.register
def _(expr: MatMul, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    coefficient, matrix = split(expr)
    if coefficient != 1:
        number = coefficient.xreplace({N: Integer(rows)})
        return [[number * entry for entry in row] for row in entries(matrix, leaf, rows)]
    product, *rest = (entries(arg, leaf, rows) for arg in expr.args)
    for factor in rest:
        columns = list(zip(*factor, strict=True))
        product = [[Add(*map(Mul, row, column)) for column in columns] for row in product]
    return product


@entries.register(MatAdd)
@entries.register(HadamardProduct)
@entries.register(Elementwise)
def _(expr: MatrixExpr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    if isinstance(expr, Elementwise):
        combine: Callable[..., Expr] = lambda *values: elementwise(expr.template, *values)  # noqa: E731
    else:
        combine = Add if isinstance(expr, MatAdd) else Mul
    parts = [entries(arg, leaf, rows) for arg in expr.args if isinstance(arg, MatrixExpr)]
    return [[combine(*values) for values in zip(*row, strict=True)] for row in zip(*parts, strict=True)]


@entries.register
def _(expr: Softmax, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return [[softmax(Integer(j), *row) for j in range(len(row))] for row in entries(expr.args[0], leaf, rows)]


@entries.register
def _(expr: CrossEntropy, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    targets, logits = (entries(arg, leaf, rows) for arg in expr.args)
    return [[cross_entropy(t, z)] for t, z in zip(targets, logits, strict=True)]
