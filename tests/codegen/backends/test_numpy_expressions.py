"""Matrix expressions as NumPy text: exact text, parentheses where they are needed, and that it computes."""

import numpy as np
import pytest
from sympy import Inverse, MatrixSymbol, Rational, Symbol, exp, tanh

from symrnn.codegen.backends.numpy_expressions import CALLED, Scope, in_place
from symrnn.expressions.functions import when
from symrnn.expressions.matrices import (
    add,
    columns,
    concat,
    elementwise,
    hadamard,
    multiply,
    ones,
    scale,
    spread,
    transpose,
    zeros,
)
from symrnn.expressions.nodes import SLOTS, CrossEntropy, Differs, ElementwiseMax, LogSumExp, N, OneHot, RowSoftmax

A, B, X = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 2), MatrixSymbol("X", N, 3)
W, b, c = MatrixSymbol("W", 2, 2), MatrixSymbol("b", 1, 2), MatrixSymbol("c", N, 1)
PLAIN, STACKED = Scope(str), Scope(str, stacked="T")
SUMMED, BY_COLUMNS = Scope(str, stacked="T", summed=True), Scope(str, by_columns=True)
FUNCTION = elementwise(tanh(SLOTS[0]), add(A, B))

TEXTS = [
    (add(A, scale(-1, B)), PLAIN, "A - B"),
    (add(A, multiply(ones((N, 1)), b)), PLAIN, "A + b"),
    (hadamard(A, add(A, B)), PLAIN, "A * (A + B)"),
    (multiply(add(A, B), W), PLAIN, "(A + B) @ W"),
    (multiply(A, W, transpose(W)), PLAIN, "A @ W @ W.T"),
    (transpose(add(A, B)), PLAIN, "(A + B).T"),
    (scale(Rational(1, 2), add(A, B)), PLAIN, "1/2 * (A + B)"),
    (scale(-1, add(A, B)), PLAIN, "-(A + B)"),
    (scale(-1, hadamard(A, B)), PLAIN, "-A * B"),
    (FUNCTION, PLAIN, "np.tanh((A + B))"),
    (elementwise(SLOTS[0] / SLOTS[1], add(A, B), A), PLAIN, "(A + B)/A"),
    (multiply(ones((1, N)), A), PLAIN, "A.sum(axis=0)"),
    (multiply(ones((1, N)), A), STACKED, "A.sum(axis=1, keepdims=True)"),
    (multiply(ones((1, N)), A), SUMMED, "A.sum(axis=0).sum(axis=0)"),
    (multiply(add(A, B), ones((2, 1))), PLAIN, "(A + B).sum(axis=-1, keepdims=True)"),
    (multiply(ones((1, N)), A, ones((2, 1))), PLAIN, "A.sum()"),
    (multiply(c, ones((1, 2))), PLAIN, "c"),
    (multiply(transpose(A), B), PLAIN, "A.T @ B"),
    (multiply(transpose(A), B), STACKED, "total(A, B)"),
    (multiply(A, W), BY_COLUMNS, 'np.matmul(A, W, order="F")'),
    (multiply(A, W), Scope(str, "T", by_columns=True), "np.matmul(A, W, out=room(T, N, 2, dtype))"),
    (zeros((N, 2)), PLAIN, "np.zeros((N, 2), dtype)"),
    (zeros((N, 2)), STACKED, "np.zeros((T, N, 2), dtype)"),
    (zeros((N, 2)), BY_COLUMNS, 'np.zeros((N, 2), dtype, "F")'),
    (zeros((1, 2)), PLAIN, "np.zeros(2, dtype)"),
    (concat(A, B), PLAIN, "np.concatenate((A, B), axis=-1)"),
    (columns(X, 1, 3), PLAIN, "X[..., 1:3]"),
    (multiply(OneHot(c, 2), W), PLAIN, "W[c[..., 0].astype(int)]"),
    (multiply(transpose(OneHot(c, 2)), A), PLAIN, "scatter(c, A, 2)"),
    (multiply(transpose(OneHot(c, 2)), A, W), STACKED, "scatter(c, A, 2) @ W"),
    (elementwise(when((SLOTS[1], SLOTS[0]), otherwise=SLOTS[2]), c, c, zeros((N, 1))), PLAIN, "np.where(c, c, zero)"),
    (OneHot(c, 2), PLAIN, "(c.astype(int) == np.arange(2)).astype(dtype)"),
    (Differs(A, Rational(1, 2)), PLAIN, "(A != 1/2).any(axis=-1, keepdims=True).astype(dtype)"),
    (ElementwiseMax(A, B), PLAIN, "np.maximum.reduce((A, B))"),
    (RowSoftmax(A), PLAIN, "softmax(A)"),
    (add(A, multiply(-1, spread(LogSumExp(A), A))), PLAIN, "log_softmax(A)"),
    (add(B, multiply(-1, spread(LogSumExp(A), A))), PLAIN, "B - logsumexp(A)"),
    (LogSumExp(A), PLAIN, "logsumexp(A)"),
    (CrossEntropy(A, B), PLAIN, "cross_entropy(A, B)"),
    (Symbol("s") + 1, PLAIN, "s + 1"),
]


@pytest.mark.parametrize(("expr", "scope", "expected"), TEXTS, ids=[expected for *_, expected in TEXTS])
def test_texts(expr, scope, expected):
    assert scope.code(expr) == expected


def test_an_expression_without_a_rule_is_named():
    with pytest.raises(NotImplementedError, match=r"^no NumPy rule for Inverse, in W\*\*\(-1\)$"):
        PLAIN.code(Inverse(W))


def test_symbols_are_written_as_the_scope_names_them():
    assert Scope(lambda symbol: f"{symbol}[t]").code(multiply(A, W)) == "A[t] @ W[t]"


@pytest.mark.parametrize(("level", "expected"), [(0, "A + B"), (1, "A + B"), (2, "(A + B)"), (3, "(A + B)")])
def test_parentheses_where_it_binds_less_tightly(level, expected):
    assert PLAIN.code(add(A, B), level) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (elementwise(tanh(SLOTS[0]), A), "np.tanh(A"),
        (elementwise(exp(2 * SLOTS[0]), A), ""),
        (hadamard(A, B, add(A, B)), "np.multiply(A * B, A + B"),
        (add(A, B), "np.add(A, B"),
        (add(A, scale(-1, B)), ""),
        (multiply(A, W), "np.matmul(A, W"),
        (multiply(A, W, W), ""),
        (scale(2, A), ""),
        (multiply(ones((N, 1)), b), ""),
        (RowSoftmax(A), ""),
    ],
)
def test_calls_whose_result_can_be_put_in_a_place(expr, expected):
    assert in_place(expr, PLAIN) == expected


# what is defined in the code ----------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "samples"), [(1, 1), (40, 1), (5, 3), (3, 15), (3, 16), (70, 40)])
@pytest.mark.parametrize("by_columns", [False, True])
def test_total_is_the_sum_over_the_steps(steps, samples, by_columns):
    names: dict = {"np": np}
    exec("\n".join(CALLED.values()), names)
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=(steps, samples, width)) for width in (64, 96))
    room = [names["room"](steps, samples, array.shape[2], array.dtype) for array in (a, b)]
    for place, array in zip(room, (a, b), strict=True):
        place[...] = array
    total = names["total"](*(room if by_columns else (a, b)))
    np.testing.assert_allclose(total, np.einsum("tni,tnj->ij", a, b), rtol=1e-12, atol=1e-12)


def test_functions_of_rows_take_large_numbers():
    names: dict = {"np": np}
    exec("\n".join(CALLED.values()), names)
    z, t = np.array([[1000.0, 1000.0], [-1000.0, -1000.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    np.testing.assert_allclose(names["softmax"](z), np.full((2, 2), 0.5))
    np.testing.assert_allclose(names["logsumexp"](z), [[1000 + np.log(2)], [np.log(2) - 1000]])
    np.testing.assert_allclose(names["cross_entropy"](t, z), np.full((2, 1), np.log(2)))


@pytest.mark.parametrize("ids", [[0], [3, 1, 3, 0, 3, 1], [[2.9], [0.5]]])
def test_scatter_is_the_product_with_the_transposed_rows(ids):
    ids = np.array(ids)
    names = {"np": np}
    exec(CALLED["scatter"], names)
    d = np.arange(3.0 * ids.size).reshape(*ids.shape, 3)
    rows = (ids.astype(int).reshape(-1, 1) == np.arange(4)).astype(float)
    np.testing.assert_array_equal(names["scatter"](ids, d, 4), rows.T @ d.reshape(-1, 3))
