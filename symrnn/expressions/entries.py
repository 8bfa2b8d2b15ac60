"""Matrices written out: the entries of an expression as scalar expressions."""

from collections.abc import Callable, Iterable
from functools import singledispatch
from itertools import chain

from sympy import Add, Expr, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Mul, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.functions import differs, logsumexp, maximum, onehot, softmax
from symrnn.expressions.matrices import elementwise, split
from symrnn.expressions.nodes import (
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
    cross_entropy,
    is_size,
    no_rule,
)

Entries = list[list[Expr]]


@singledispatch
def scalar_entries(expr: Expr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    """The entries of a matrix as scalar expressions, row by row; `leaf` gives those of a symbol.

    `rows` is the number of samples that takes the place of `N`. A scalar has one entry.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("entries", expr)


@scalar_entries.register(Scalar)
def _(expr: Expr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    symbols = {s: leaf(s)[0][0] for s in expr.free_symbols if not is_size(s)}
    return [[expr.xreplace(symbols | {N: Integer(rows)})]]


@scalar_entries.register
def _(expr: MatrixSymbol, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return leaf(expr)


@scalar_entries.register(OneMatrix)
@scalar_entries.register(ZeroMatrix)
def _(expr: MatrixExpr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    value = Integer(1 if isinstance(expr, OneMatrix) else 0)
    height, width = (rows if size == N else int(size) for size in expr.shape)
    return [[value] * width for _ in range(height)]


@scalar_entries.register
def _(expr: Transpose, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return [list(column) for column in zip(*scalar_entries(expr.arg, leaf, rows), strict=True)]


@scalar_entries.register
def _(expr: MatMul, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    coefficient, matrix = split(expr)
    if coefficient != 1:
        number = coefficient.xreplace({N: Integer(rows)})
        return [[number * entry for entry in row] for row in scalar_entries(matrix, leaf, rows)]
    product, *rest = (scalar_entries(arg, leaf, rows) for arg in expr.args)
    for factor in rest:
        columns = list(zip(*factor, strict=True))
        product = [[Add(*map(Mul, row, column)) for column in columns] for row in product]
    return product


@scalar_entries.register(MatAdd)
@scalar_entries.register(HadamardProduct)
@scalar_entries.register(ElementwiseMax)
def _(expr: MatrixExpr, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return _entry_by_entry(
        {MatAdd: Add, HadamardProduct: Mul, ElementwiseMax: maximum}[type(expr)], expr.args, leaf, rows
    )


@scalar_entries.register
def _(expr: Elementwise, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return _entry_by_entry(lambda *values: elementwise(expr.template, *values), expr.matrices, leaf, rows)


def _entry_by_entry(
    combine: Callable[..., Expr], matrices: Iterable[Expr], leaf: Callable[[Expr], Entries], rows: int
) -> Entries:
    parts = [scalar_entries(matrix, leaf, rows) for matrix in matrices]
    return [[combine(*values) for values in zip(*row, strict=True)] for row in zip(*parts, strict=True)]


@scalar_entries.register
def _(expr: RowSoftmax, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return [[softmax(Integer(j), *row) for j in range(len(row))] for row in scalar_entries(expr.args[0], leaf, rows)]


@scalar_entries.register
def _(expr: CrossEntropy, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    targets, logits = (scalar_entries(arg, leaf, rows) for arg in expr.args)
    return [[cross_entropy(t, z)] for t, z in zip(targets, logits, strict=True)]


@scalar_entries.register
def _(expr: LogSumExp, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    return [[logsumexp(*row)] for row in scalar_entries(expr.args[0], leaf, rows)]


@scalar_entries.register
def _(expr: Concat, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    parts = [scalar_entries(part, leaf, rows) for part in expr.args]
    return [list(chain.from_iterable(row)) for row in zip(*parts, strict=True)]


@scalar_entries.register
def _(expr: Columns, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    matrix, start, stop = expr.args
    return [row[int(start) : int(stop)] for row in scalar_entries(matrix, leaf, rows)]


@scalar_entries.register
def _(expr: OneHot, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    ids, depth = expr.args
    return [[onehot(Integer(j), entry) for j in range(int(depth))] for (entry,) in scalar_entries(ids, leaf, rows)]


@scalar_entries.register
def _(expr: Differs, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    matrix, value = expr.args
    return [[differs(value, *row)] for row in scalar_entries(matrix, leaf, rows)]


@scalar_entries.register
def _(expr: Diagonal, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    (row,) = scalar_entries(expr.args[0], leaf, rows)
    return [[entry if i == j else Integer(0) for j in range(len(row))] for i, entry in enumerate(row)]


@scalar_entries.register
def _(expr: Identity, leaf: Callable[[Expr], Entries], rows: int) -> Entries:
    size = int(expr.shape[0])
    return [[Integer(i == j) for j in range(size)] for i in range(size)]
