"""Matrices written out: the entries have the shape and the values that NumPy finds for the same expression."""

from itertools import chain

import numpy as np
import pytest
from sympy import Float, Identity, Integer, MatAdd, MatMul, MatrixSymbol, Symbol, Transpose, exp, lambdify, tanh
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.entries import scalar_entries
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
)
from tests.support.bank import computable

A, B, C = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 2), MatrixSymbol("C", N, 1)
V, ROW, WIDE = MatrixSymbol("V", 2, 3), MatrixSymbol("r", 1, 3), MatrixSymbol("W", N, 30)
x, y = Symbol("x", real=True), Symbol("y", real=True)
P, Q = SLOTS[:2]
ROWS = (1, 2, 5)


def leaf_of(rows):
    """The entries of a symbol for so many samples, each a symbol of its own."""

    def leaf(symbol):
        if symbol.is_Symbol:
            return [[symbol]]
        height, width = (rows if size == N else int(size) for size in symbol.shape)
        return [[Symbol(f"{symbol.name}_{i}_{j}", real=True) for j in range(width)] for i in range(height)]

    return leaf


def softmax(array):
    return np.exp(array) / np.exp(array).sum(axis=1, keepdims=True)


# what NumPy makes of an expression; `m` gives the value of a symbol ----------------------------------

NUMPY = [
    (A, lambda m: m(A)),
    (Transpose(A), lambda m: m(A).T),
    (MatAdd(A, B), lambda m: m(A) + m(B)),
    (MatMul(A, V), lambda m: m(A) @ m(V)),
    (MatMul(Integer(-3), Transpose(A), A, V), lambda m: -3 * m(A).T @ m(A) @ m(V)),
    (MatMul(1 / N, OneMatrix(1, N), A), lambda m: m(A).mean(axis=0, keepdims=True)),
    (MatMul(OneMatrix(N, 1), ROW), lambda m: np.ones((len(m(A)), 1)) * m(ROW)),
    (HadamardProduct(A, B, A), lambda m: m(A) * m(B) * m(A)),
    (ZeroMatrix(N, 3), lambda m: np.zeros((len(m(A)), 3))),
    (OneMatrix(2, N), lambda m: np.ones((2, len(m(A))))),
    (Identity(3), lambda m: np.eye(3)),
    (Diagonal(ROW), lambda m: np.diag(m(ROW)[0])),
    (Elementwise(tanh(P) * Q - P, A, B), lambda m: np.tanh(m(A)) * m(B) - m(A)),
    (RowSoftmax(A), lambda m: softmax(m(A))),
    (LogSumExp(A), lambda m: np.log(np.exp(m(A)).sum(axis=1, keepdims=True))),
    (CrossEntropy(A, B), lambda m: -(m(A) * np.log(softmax(m(B)))).sum(axis=1, keepdims=True)),
    (Concat(A, C, B), lambda m: np.hstack([m(A), m(C), m(B)])),
    (Columns(WIDE, 7, 29), lambda m: m(WIDE)[:, 7:29]),
    (ElementwiseMax(A, B, A), lambda m: np.maximum(m(A), m(B))),
    (OneHot(C, 3), lambda m: (np.trunc(m(C)) == np.arange(3)).astype(float)),
    (Differs(A, Float(0.5)), lambda m: (m(A) != 0.5).any(axis=1, keepdims=True).astype(float)),
    (RowSoftmax(MatAdd(A, MatMul(Integer(2), B))), lambda m: softmax(m(A) + 2 * m(B))),
]  # fmt: skip


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("expr", "expected"), NUMPY, ids=[str(expr) for expr, _ in NUMPY])
def test_entries_have_the_values_of_the_matrix(expr, expected, rows):
    generator, leaf = np.random.default_rng(rows), leaf_of(rows)
    values = {s: generator.normal(size=np.shape(leaf(s))) for s in (A, B, V, ROW, WIDE)}
    values[C] = generator.integers(3, size=(rows, 1)) + 0.25
    values[A][-1] = 0.5

    found = scalar_entries(expr, leaf, rows)
    symbols = sorted({s for row in found for entry in row for s in entry.free_symbols}, key=str)
    numbers = {str(entry): value for s, array in values.items() for entry, value in
               zip(chain(*leaf(s)), array.ravel(), strict=True)}  # fmt: skip
    f = lambdify(symbols, [[computable(entry) for entry in row] for row in found], "math")
    shown = np.array(f(*(numbers[str(s)] for s in symbols)), float)
    whole = expected(values.__getitem__)
    assert shown.shape == whole.shape
    assert shown == pytest.approx(whole, rel=1e-13, abs=1e-13)


def test_every_node_type_is_here():
    kinds = {kind for kind in scalar_entries.registry if issubclass(kind, MatrixExpr)}
    assert kinds - {type(part) for expr, _ in NUMPY for part in (expr, *expr.args)} == set()


@pytest.mark.parametrize("rows", ROWS)
def test_a_number_has_one_entry_and_the_samples_are_counted(rows):
    assert scalar_entries(x * exp(y) / N, leaf_of(rows), rows) == [[x * exp(y) / rows]]
    assert scalar_entries(Integer(7), leaf_of(rows), rows) == [[Integer(7)]]


def test_symbols_of_a_number_are_those_of_the_leaf():
    assert scalar_entries(x + 2 * y, {x: [[y]], y: [[x]]}.get, 1) == [[y + 2 * x]]
