"""Sums and products of matrices: what they simplify to, and that their entries are those of SymPy's matrices."""

from collections.abc import Callable

import pytest
import sympy
from sympy import Abs, Expr, Integer, MatAdd, MatMul, Matrix, MatrixSymbol, Symbol, exp, tanh
from sympy.matrices.expressions import HadamardProduct, OneMatrix, ZeroMatrix

from symrnn.expressions.entries import scalar_entries
from symrnn.expressions.functions import logsumexp, softmax
from symrnn.expressions.matrices import (
    add,
    elementwise,
    hadamard,
    is_zero,
    multiply,
    ones,
    scale,
    substitute,
    transpose,
    variable,
    zeros,
)
from symrnn.expressions.nodes import SLOTS, CrossEntropy, Elementwise, N, RowSoftmax, T
from symrnn.expressions.shapes import shape, shape_of

a, b, c = sympy.symbols("a b c", real=True)
A, B, C = (MatrixSymbol(name, N, 2) for name in "ABC")
V, W = MatrixSymbol("V", 2, 2), MatrixSymbol("W", 2, 3)
ROW, COLUMN = MatrixSymbol("r", 1, 2), MatrixSymbol("k", 2, 1)
ZERO, ONE = ZeroMatrix(N, 2), OneMatrix(N, 2)
P, Q = SLOTS[:2]
ROWS = 3


# building -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (add(A, ZERO, B), MatAdd(A, B)),
        (add(B, A), MatAdd(B, A)),
        (add(ZERO, A), A),
        (add(ZERO, ZERO), ZERO),
        (add(add(A, B), C), MatAdd(A, B, C)),
        (add(multiply(-2, A), multiply(2, B)), MatMul(-2, MatAdd(A, MatMul(-1, B)))),
        (add(multiply(2, A), multiply(2, B)), MatMul(2, MatAdd(A, B))),
        (add(A, multiply(-1, B)), MatAdd(A, MatMul(-1, B))),
        (add(a, Integer(0), b), a + b),
        (multiply(A, V, W), MatMul(A, V, W)),
        (multiply(A, multiply(V, W)), MatMul(A, V, W)),
        (multiply(A, 2, V, 3), MatMul(6, A, V)),
        (multiply(multiply(2, A), multiply(N, V)), MatMul(2 * N, A, V)),
        (multiply(A, ZeroMatrix(2, 3)), ZeroMatrix(N, 3)),
        (multiply(0, A, W), ZeroMatrix(N, 3)),
        (multiply(OneMatrix(1, 1), ROW), ROW),
        (multiply(OneMatrix(1, 1), OneMatrix(1, 1)), OneMatrix(1, 1)),
        (multiply(OneMatrix(N, 1), OneMatrix(1, 2)), ONE),
        (multiply(OneMatrix(N, 1), ROW), MatMul(OneMatrix(N, 1), ROW)),
        (multiply(OneMatrix(1, N), OneMatrix(N, 1)), MatMul(OneMatrix(1, N), OneMatrix(N, 1))),
        (multiply(a, b), a * b),
        (scale(Integer(1), A), A),
        (scale(Integer(2), scale(N, A)), MatMul(2 * N, A)),
        (hadamard(A, B), HadamardProduct(A, B)),
        (hadamard(A, ONE), A),
        (hadamard(ONE, ONE), ONE),
        (hadamard(A, ZERO, B), ZERO),
        (hadamard(A, hadamard(B, C)), HadamardProduct(A, B, C)),
        (hadamard(multiply(2, A), multiply(3, B)), MatMul(6, HadamardProduct(A, B))),
        (hadamard(a, b), a * b),
        (transpose(transpose(A)), A),
        (transpose(ONE), OneMatrix(2, N)),
        (transpose(ZERO), ZeroMatrix(2, N)),
        (transpose(multiply(2, A, V)), MatMul(2, V.T, A.T)),
        (transpose(a), a),
        (elementwise(tanh(P), A), Elementwise(tanh(P), A)),
        (elementwise(P / Q, a, b), a / b),
        (elementwise(P / Q, b, a), b / a),
    ],
    ids=str,
)  # fmt: skip
def test_build(built: Expr, expected: Expr) -> None:
    assert str(built) == str(expected)
    assert shape(built) == shape(expected)


@pytest.mark.parametrize(("kind", "size"), [(zeros, ()), (ones, ()), (zeros, (N, 2)), (ones, (2, 3))])
def test_constants(kind: Callable[[tuple], Expr], size: tuple) -> None:
    assert shape(kind(size)) == size
    assert is_zero(kind(size)) == (kind is zeros)


def test_variable() -> None:
    assert (variable("h", ()), shape_of(variable("h", ()))) == (Symbol("h", real=True), ())
    assert (variable("h", (N, 2)), shape_of(variable("h", (N, 2)))) == (MatrixSymbol("h", N, 2), (N, 2))


def test_free_symbols_are_those_of_the_operands() -> None:
    assert Elementwise(P * Q, A, B).free_symbols == A.free_symbols | B.free_symbols
    assert str(Elementwise(P - P * Q**2, A, B)) == "-A*B**2 + A"


# entries ------------------------------------------------------------------------------------------


def explicit(symbol: Expr) -> Matrix:
    """The symbol as a matrix of three rows where it has N."""
    height, width = (ROWS if size == N else int(size) for size in symbol.shape)
    return Matrix(height, width, lambda i, j: Symbol(f"{symbol.name}_{i}_{j}", real=True))


def row_sums(matrix: Matrix) -> Matrix:
    return matrix * sympy.ones(matrix.shape[1], 1)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (add(A, B, multiply(-1, C)), lambda A, B, C: A + B - C),
        (add(multiply(A, V), multiply(OneMatrix(N, 1), ROW)), lambda A, V, r: A * V + sympy.ones(ROWS, 1) * r),
        (multiply(3, A, V, W), lambda A, V, W: 3 * A * V * W),
        (multiply(transpose(A), B), lambda A, B: A.T * B),
        (multiply(OneMatrix(1, N), A), lambda A: sympy.ones(1, ROWS) * A),
        (multiply(1 / N, OneMatrix(1, N), A, COLUMN), lambda A, k: sympy.ones(1, ROWS) * A * k / ROWS),
        (hadamard(A, B, multiply(2, C)), lambda A, B, C: 2 * A.multiply_elementwise(B).multiply_elementwise(C)),
        (elementwise(tanh(P) * Q, A, B), lambda A, B: A.applyfunc(tanh).multiply_elementwise(B)),
        (elementwise(P, multiply(A, V)), lambda A, V: A * V),
        (add(ONE, multiply(Integer(4), A)), lambda A: sympy.ones(ROWS, 2) + 4 * A),
        (transpose(multiply(A, W)), lambda A, W: W.T * A.T),
    ],
    ids=lambda value: str(value) if isinstance(value, Expr) else "",
)  # fmt: skip
def test_entries_are_sympys(expr: Expr, expected: Callable[..., Matrix]) -> None:
    operands = {s.name: explicit(s) for s in (A, B, C, V, W, ROW, COLUMN) if s in expr.free_symbols}
    found = Matrix(scalar_entries(expr, lambda symbol: explicit(symbol).tolist(), ROWS))
    assert (found - expected(**operands)).expand() == sympy.zeros(*found.shape)


def test_entries_of_functions_of_rows() -> None:
    z, t = explicit(A), explicit(B)
    leaf = {A: z.tolist(), B: t.tolist()}.get
    assert scalar_entries(RowSoftmax(A), leaf, ROWS) == [
        [softmax(0, *z.row(i)), softmax(1, *z.row(i))] for i in range(ROWS)
    ]
    totals = [logsumexp(*z.row(i)) for i in range(ROWS)]
    losses = [[sum(t[i, j] * (totals[i] - z[i, j]) for j in range(2))] for i in range(ROWS)]
    assert scalar_entries(CrossEntropy(B, A), leaf, ROWS) == losses


@pytest.mark.parametrize(
    "expr", [RowSoftmax(V), Elementwise(exp(P), V), CrossEntropy(V, V), Elementwise(Abs(P - Q), V, V)], ids=str
)
def test_entries_by_index(expr: Expr) -> None:
    by_index = [[expr[i, j] for j in range(expr.shape[1])] for i in range(expr.shape[0])]
    assert by_index == scalar_entries(expr, lambda symbol: [[symbol[i, j] for j in range(2)] for i in range(2)], 1)


# substituting and shapes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "mapping", "expected"),
    [
        (add(A, multiply(B, V)), {B: ZERO}, A),
        (add(A, multiply(-1, B)), {A: C}, add(C, multiply(-1, B))),
        (hadamard(A, B), {B: ONE}, A),
        (hadamard(A, B), {A: ZERO}, ZERO),
        (transpose(A), {A: add(B, C)}, transpose(add(B, C))),
        (Elementwise(tanh(P), A), {A: add(A, B)}, Elementwise(tanh(P), add(A, B))),
        (Elementwise(tanh(P), A), {Elementwise(tanh(P), A): B}, B),
        (RowSoftmax(A), {A: B}, RowSoftmax(B)),
        (CrossEntropy(A, B), {A: B, B: A}, CrossEntropy(B, A)),
        (multiply(OneMatrix(N, 1), ROW), {N: Integer(1)}, ROW),
        (multiply(1 / (N * T), A), {T: Integer(4)}, multiply(1 / (4 * N), A)),
        (ZERO, {N: Integer(2)}, ZeroMatrix(2, 2)),
        (a + b, {a: c}, b + c),
    ],
    ids=str,
)  # fmt: skip
def test_substitute(expr: Expr, mapping: dict[Expr, Expr], expected: Expr) -> None:
    assert substitute(expr, mapping) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (a, ()), (A, (N, 2)), (A.T, (2, N)), (multiply(2, A, W), (N, 3)), (add(A, B), (N, 2)), (RowSoftmax(A), (N, 2)),
        (CrossEntropy(A, B), (N, 1)), (hadamard(A, B), (N, 2)), (Elementwise(P, W), (2, 3)),
        (multiply(OneMatrix(1, N), A), (1, 2)), (ZERO, (N, 2)), (N, ()),
    ],
    ids=str,
)  # fmt: skip
def test_shape(expr: Expr, expected: tuple) -> None:
    assert shape(expr) == expected
