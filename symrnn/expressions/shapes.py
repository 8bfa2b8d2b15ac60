"""The shapes of expressions, worked out strictly."""

from functools import singledispatch
from itertools import pairwise

from sympy import Add, Basic, Expr, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Transpose
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
    MatrixNode,
    OneHot,
    RowSoftmax,
    Scalar,
    Shape,
    is_size,
    no_rule,
)


def shape_of(symbol: Expr) -> Shape:
    """The shape of a symbol: () or (rows, columns)."""
    return tuple(symbol.shape) if isinstance(symbol, MatrixSymbol) else ()


@singledispatch
def shape(expr: Expr) -> Shape:
    """The shape of an expression, worked out from its symbols and strictly: nothing is broadcast.

    Raises:
        ValueError: where shapes do not fit, which SymPy accepts while a size is symbolic.
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("shape", expr)


@shape.register(Scalar)
def _(expr: Expr) -> Shape:
    """A number, made of numbers."""
    for symbol in expr.free_symbols:
        if isinstance(symbol, MatrixSymbol):
            raise ValueError(f"{symbol} has the shape {symbol.shape} and stands where a number is expected, in {expr}")
    return ()


@shape.register(MatrixSymbol)
@shape.register(OneMatrix)
@shape.register(ZeroMatrix)
def _(expr: MatrixExpr) -> Shape:
    return tuple(expr.shape)


@shape.register
def _(expr: Transpose) -> Shape:
    return shape(expr.arg)[::-1]


def _check_numbers(expr: MatrixExpr, numbers: set[Basic]) -> None:
    """Beside matrices only N and T are numbers: a derivative by any other would be lost."""
    for symbol in sorted((symbol for symbol in numbers if not is_size(symbol)), key=str):
        raise ValueError(f"{symbol} is a number and stands where a matrix is expected, in {expr}")


@shape.register
def _(expr: Elementwise) -> Shape:
    _check_numbers(expr, expr.template.free_symbols - set(SLOTS))
    return _common_shape(expr, expr.matrices)


@shape.register(MatAdd)
@shape.register(HadamardProduct)
@shape.register(RowSoftmax)
@shape.register(ElementwiseMax)
def _(expr: MatrixExpr) -> Shape:
    return _common_shape(expr, expr.args)


def _common_shape(expr: MatrixExpr, parts: tuple[MatrixExpr, ...]) -> Shape:
    shapes = {shape(part) for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"shapes differ in {expr}: {', '.join(sorted(map(str, shapes)))}")
    return shapes.pop()


@shape.register
def _(expr: MatMul) -> Shape:
    shapes = [shape(arg) for arg in expr.args if isinstance(arg, MatrixExpr)]
    _check_numbers(expr, set().union(*(arg.free_symbols for arg in expr.args if not isinstance(arg, MatrixExpr))))
    for left, right in pairwise(shapes):
        if left[1] != right[0]:
            raise ValueError(f"shapes do not fit in the product {expr}: {left} times {right}")
    return (shapes[0][0], shapes[-1][1])


@shape.register
def _(expr: CrossEntropy) -> Shape:
    target, logits = map(shape, expr.args)
    if target != logits:
        raise ValueError(f"shapes differ in {expr}: {target}, {logits}")
    return (target[0], Integer(1))


@shape.register(LogSumExp)
@shape.register(Differs)
def _(expr: MatrixNode) -> Shape:
    return (shape(expr.args[0])[0], Integer(1))


@shape.register
def _(expr: Concat) -> Shape:
    shapes = list(map(shape, expr.args))
    if len({rows for rows, _ in shapes}) > 1:
        raise ValueError(f"shapes do not fit side by side in {expr}: {', '.join(map(str, shapes))}")
    return (shapes[0][0], Add(*(columns for _, columns in shapes)))


@shape.register
def _(expr: Columns) -> Shape:
    matrix, start, stop = expr.args
    rows, columns = shape(matrix)
    if not 0 <= start < stop <= columns:
        raise ValueError(f"columns {start} to {stop} of {columns} in {expr}")
    return (rows, stop - start)


@shape.register
def _(expr: OneHot) -> Shape:
    rows, columns = shape(expr.args[0])
    if columns != 1:
        raise ValueError(f"expected one column of ids in {expr}, got {columns}")
    return (rows, expr.args[1])


@shape.register
def _(expr: Diagonal) -> Shape:
    rows, columns = shape(expr.args[0])
    if rows != 1:
        raise ValueError(f"expected one row in {expr}, got {rows}")
    return (columns, columns)


@shape.register
def _(expr: Identity) -> Shape:
    return tuple(expr.shape)
