"""Building and substituting matrix expressions.

The functions build the same sum or product from matrices and from scalars, so that a scalar model
is a special case of nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from itertools import chain
from typing import Any

from sympy import Add, Expr, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Mul, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.functions import maximum
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    Elementwise,
    ElementwiseMax,
    MatrixNode,
    Scalar,
    Shape,
    no_rule,
)


def variable(name: str, shape: Shape) -> Expr:
    """A real Symbol for the shape (), a MatrixSymbol for (rows, columns)."""
    return MatrixSymbol(name, *shape) if shape else Symbol(name, real=True)


# building ---------------------------------------------------------------------------------------


def zeros(shape: Shape) -> Expr:
    """Nothing: 0, or the matrix of zeros."""
    return ZeroMatrix(*shape) if shape else Integer(0)


def ones(shape: Shape) -> Expr:
    """1, or the matrix of ones."""
    return OneMatrix(*shape) if shape else Integer(1)


def is_zero(expr: Expr) -> bool:
    """Whether the expression is the 0 of its kind."""
    return isinstance(expr, ZeroMatrix) or expr == 0


def add(*terms: Expr) -> Expr:
    """The sum, in the order given, with a common number in front (SymPy orders a scalar sum itself).

    Where the first term is taken away, those that are not come before it.
    """
    kept = [term for term in terms if not is_zero(term)]
    if not kept:
        return terms[0]
    if not isinstance(kept[0], MatrixExpr):
        return Add(*kept)
    flat = _flat(kept, MatAdd)
    if len(flat) == 1:
        return flat[0]
    numbers, matrices = zip(*map(split, flat), strict=True)
    first = numbers[0]
    if first == -1 and 1 in numbers:
        return add(*(term for number, term in sorted(zip(numbers, flat, strict=True), key=lambda pair: pair[0] == -1)))
    if first != 1 and all(number in (first, -first) for number in numbers):
        return scale(first, add(*(scale(n / first, m) for n, m in zip(numbers, matrices, strict=True))))
    return MatAdd(*flat, _sympify=False)


def multiply(*factors: Expr) -> Expr:
    """The matrix product, in the order given; numbers go to the front, a column of ones times a row is one matrix."""
    flat = _flat(factors, MatMul)
    matrices = [f for f in flat if isinstance(f, MatrixExpr)]
    if not matrices:
        return Mul(*flat)
    coefficient = Mul(*(f for f in flat if not isinstance(f, MatrixExpr)))
    shape = (matrices[0].shape[0], matrices[-1].shape[1])
    if coefficient == 0 or any(isinstance(m, ZeroMatrix) for m in matrices):
        return ZeroMatrix(*shape)
    kept: list[Expr] = []
    for m in matrices:
        if isinstance(m, OneMatrix) and m.shape == (1, 1):
            continue
        if kept and m.shape[0] == 1 and isinstance(m, OneMatrix) and isinstance(kept[-1], OneMatrix):
            m = OneMatrix(kept.pop().shape[0], m.shape[1])
        kept.append(m)
    return scale(
        coefficient, MatMul(*kept, _sympify=False) if len(kept) > 1 else kept[0] if kept else OneMatrix(*shape)
    )


def scale(coefficient: Expr, matrix: Expr) -> Expr:
    """A number times a matrix."""
    if not isinstance(matrix, MatrixExpr):
        return Mul(coefficient, matrix)
    number, matrix = split(matrix)
    coefficient = coefficient * number
    return matrix if coefficient == 1 else MatMul(coefficient, *_flat([matrix], MatMul), _sympify=False)


def hadamard(*factors: Expr) -> Expr:
    """The elementwise product, in the order given; numbers go to the front, matrices of ones vanish."""
    if not any(isinstance(f, MatrixExpr) for f in factors):
        return Mul(*factors)
    numbers, matrices = zip(*map(split, _flat(factors, HadamardProduct)), strict=True)
    coefficient = Mul(*numbers)
    for matrix in matrices:
        if isinstance(matrix, ZeroMatrix):
            return matrix
    kept = [m for m in matrices if not isinstance(m, OneMatrix)] or [matrices[0]]
    return scale(coefficient, HadamardProduct(*kept) if len(kept) > 1 else kept[0])


def transpose(expr: Expr) -> Expr:
    """The transpose; a scalar is its own."""
    if not isinstance(expr, MatrixExpr):
        return expr
    if isinstance(expr, OneMatrix | ZeroMatrix):
        return type(expr)(expr.shape[1], expr.shape[0])
    if isinstance(expr, Transpose):
        return expr.arg
    if isinstance(expr, MatMul):
        return multiply(*(transpose(factor) for factor in reversed(expr.args)))
    return Transpose(expr)


def elementwise(template: Expr, *operands: Expr) -> Expr:
    """f(A, B, ...) entry by entry, with f written in `SLOTS`."""
    if isinstance(operands[0], MatrixExpr):
        return Elementwise(template, *operands)
    return template.xreplace(dict(zip(SLOTS, operands, strict=False)))


def factored(terms: Sequence[Expr]) -> list[Expr]:
    """Elementwise products with the same first factor as one: g o p + g o q is g o (p + q)."""
    numbers, matrices = zip(*map(split, terms), strict=True) if terms else ((), ())
    if len(terms) < 2 or not all(isinstance(matrix, HadamardProduct) for matrix in matrices):
        return list(terms)
    first = matrices[0].args[0]
    if any(matrix.args[0] != first for matrix in matrices):
        return list(terms)
    rests = (scale(n, hadamard(*m.args[1:])) for n, m in zip(numbers, matrices, strict=True))
    return [hadamard(first, add(*rests))]


def scaled(column: Expr, matrix: Expr) -> Expr:
    """Each row of the matrix times the number of that row in a column."""
    return hadamard(spread(column, matrix), matrix)


def spread(column: Expr, like: Expr) -> Expr:
    """A column repeated side by side, to the shape of another matrix."""
    return multiply(column, ones((1, like.shape[1]))) if isinstance(column, MatrixExpr) else column


def complement(column: Expr) -> Expr:
    """1 - m."""
    return add(ones(getattr(column, "shape", ())), multiply(-1, column))


def concat(*parts: Expr) -> Expr:
    """Matrices side by side; those that are side by side in them too."""
    flat = _flat(parts, Concat)
    return flat[0] if len(flat) == 1 else Concat(*flat)


def peak(*parts: Expr) -> Expr:
    """The largest of several matrices, entry by entry."""
    if len(parts) == 1:
        return parts[0]
    return ElementwiseMax(*parts) if isinstance(parts[0], MatrixExpr) else maximum(*parts)


def columns(matrix: Expr, start: int, stop: int) -> Expr:
    """The columns start .. stop-1."""
    return matrix if (start, stop) == (0, matrix.shape[1]) else Columns(matrix, start, stop)


def _flat(items: Iterable[Any], kind: Any) -> list[Expr]:
    return list(chain.from_iterable(item.args if isinstance(item, kind) else (item,) for item in items))


def split(expr: Expr) -> tuple[Expr, Expr]:
    """A number and the matrix that it multiplies."""
    if isinstance(expr, MatMul) and not isinstance(expr.args[0], MatrixExpr):
        return expr.args[0], expr.args[1] if len(expr.args) == 2 else MatMul(*expr.args[1:], _sympify=False)
    return Integer(1), expr


# substituting -----------------------------------------------------------------------------------


@singledispatch
def substitute(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """The expression with symbols replaced; terms and factors that become zero are gone.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("substitution", expr)


@substitute.register(Scalar)
@substitute.register(Identity)
def _(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    return expr.xreplace(mapping)


@substitute.register
def _(expr: MatrixSymbol, mapping: Mapping[Expr, Expr]) -> Expr:
    return mapping.get(expr, expr)


@substitute.register(OneMatrix)
@substitute.register(ZeroMatrix)
def _(expr: MatrixExpr, mapping: Mapping[Expr, Expr]) -> Expr:
    return type(expr)(*(mapping.get(size, size) for size in expr.shape))


@substitute.register(MatAdd)
@substitute.register(MatMul)
@substitute.register(HadamardProduct)
@substitute.register(Transpose)
def _(expr: MatrixExpr, mapping: Mapping[Expr, Expr]) -> Expr:
    build = {MatAdd: add, MatMul: multiply, HadamardProduct: hadamard, Transpose: transpose}[type(expr)]
    return mapping[expr] if expr in mapping else build(*(substitute(arg, mapping) for arg in expr.args))


@substitute.register
def _(expr: MatrixNode, mapping: Mapping[Expr, Expr]) -> Expr:
    parts = (substitute(arg, mapping) if isinstance(arg, MatrixExpr) else arg for arg in expr.args)
    return mapping[expr] if expr in mapping else type(expr)(*parts)
