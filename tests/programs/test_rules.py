"""Each rule alone: what it sends back is SymPy's derivative of the entries, with the name of the result in it."""

from itertools import chain

import numpy as np
import pytest
from sympy import (
    Add,
    Derivative,
    Expr,
    Float,
    Identity,
    Integer,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    NumberSymbol,
    Pow,
    Symbol,
    Transpose,
    exp,
    lambdify,
    tanh,
)
from sympy.core.function import Application
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.activation_table import functions
from symrnn.expressions.entries import scalar_entries
from symrnn.expressions.functions import equal
from symrnn.expressions.matrices import variable
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    N,
    OneHot,
    RowSoftmax,
)
from symrnn.expressions.shapes import shape
from symrnn.programs.rules import contributions, vjp
from tests.support.bank import computable

A, B, C = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 2), MatrixSymbol("C", N, 1)
U, V, ROW = MatrixSymbol("U", 2, 3), MatrixSymbol("V", 3, 4), MatrixSymbol("r", 1, 2)
x, y, g, z = (Symbol(name, real=True) for name in "xygz")
P, Q, R = SLOTS
ROWS = 2
EXPRS = [
    OneMatrix(N, 2), ZeroMatrix(1, 3), MatAdd(A, B), MatAdd(A, A), Transpose(A),
    MatMul(A, U), MatMul(Integer(-3), A, U, V), MatMul(OneMatrix(N, 1), ROW), MatMul(1 / N, OneMatrix(1, N), A),
    MatMul(Transpose(A), B), HadamardProduct(A, B), HadamardProduct(A, B, A),
    Elementwise(tanh(P), A), Elementwise(exp(P) * Q - 2 * P * Q**2, A, B), Elementwise(P * Q + R, A, B, A),
    Elementwise(functions["softplus"](P), A), Elementwise(3 * P - 1, A), Elementwise(P / Q, A, B),
    RowSoftmax(A), CrossEntropy(A, B), LogSumExp(A), Concat(A, C, B), Concat(C, A, C),
    Elementwise(P * Q * R, A, B, MatrixSymbol("D", N, 2)), Elementwise(equal(P, Q), A, B),
    Elementwise(exp(P**2 * Q * R), A, B, MatrixSymbol("D", N, 2)), Columns(U, 0, 2), Columns(V, 1, 3),
    OneHot(C, 3), Differs(A, Float(0.5)), ElementwiseMax(A, B), ElementwiseMax(A, B, A),
]  # fmt: skip
over = pytest.mark.parametrize("expr", EXPRS, ids=map(str, EXPRS))


def leaf(symbol: Expr):
    height, width = (ROWS if size == N else int(size) for size in symbol.shape)
    return [[Symbol(f"{symbol.name}_{i}_{j}", real=True) for j in range(width)] for i in range(height)]


def numbers(rows, values):
    """The entries as numbers; those of the name of the result are what the expression has."""
    f = lambdify(list(values), [[computable(entry) for entry in row] for row in rows], "math")
    return np.array(f(*values.values()), float)


@over
def test_a_rule_is_sympys_derivative_of_the_entries(expr):
    generator = np.random.default_rng(0)
    arrays = {s: generator.uniform(0.1, 1, np.shape(leaf(s))) for s in expr.atoms(MatrixSymbol)}
    if isinstance(expr, CrossEntropy):
        arrays[A] /= arrays[A].sum(axis=1, keepdims=True)  # as the rule assumes
    upstream, result = (variable(name, expr.shape) for name in ("g", "Z"))
    arrays[upstream] = generator.normal(size=np.shape(leaf(upstream)))
    values = {s: v for m, array in arrays.items() for s, v in zip(chain(*leaf(m)), array.ravel(), strict=True)}
    whole = scalar_entries(expr, leaf, ROWS)
    named = dict(zip(chain(*leaf(result)), numbers(whole, values).ravel(), strict=True))
    sent = {m: np.zeros(arrays[m].shape) for m in expr.atoms(MatrixSymbol)}
    for symbol, adjoint in vjp(expr, upstream, result):
        assert shape(adjoint) == shape(symbol)
        if symbol in sent:
            sent[symbol] += numbers(scalar_entries(adjoint, leaf, ROWS), values | named)
        elif isinstance(symbol, Transpose):
            sent[symbol.arg] += numbers(scalar_entries(adjoint, leaf, ROWS), values | named).T
    objective = Add(*(a * b for rows in zip(leaf(upstream), whole, strict=True) for a, b in zip(*rows, strict=True)))
    for symbol, found in sent.items():
        exact = numbers([[objective.diff(entry) for entry in row] for row in leaf(symbol)], values)
        assert found == pytest.approx(exact, rel=1e-12, abs=1e-12), symbol


def test_every_node_type_is_here():
    numbers = {kind for kind in vjp.registry if not issubclass(kind, MatrixExpr)}
    assert vjp.registry.keys() - numbers == {type(expr) for expr in EXPRS}
    assert numbers == {object, Symbol, Number, NumberSymbol, Add, Mul, Pow, Application}


@pytest.mark.parametrize("expr", [Identity(2), Derivative(tanh(x), x), MatrixSymbol("M", 2, 2)[0, 0]])
def test_an_expression_without_a_rule_is_named(expr):
    with pytest.raises(NotImplementedError, match=rf"^no vjp rule for {type(expr).__name__}$"):
        vjp(expr, g, z)


def test_a_slope_of_three_operands_computes_the_result_again():
    expr = Elementwise(exp(P**2 * Q * R), A, B, MatrixSymbol("D", N, 2))
    adjoint = vjp(expr, variable("g", (N, 2)), variable("Z", (N, 2)))[0][1]
    (slope,) = adjoint.atoms(Elementwise)
    assert slope == Elementwise(expr.template * P * Q * R, *expr.matrices)


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (tanh(x), [(x, g * (1 - z**2))]),
        (x * y, [(x, g * y), (y, g * x)]),
        (x**2 + 3, [(x, 2 * g * x)]),
        (exp(x * y), [(x, g * y * z), (y, g * x * z)]),
        (Integer(5), []),
    ],
)
def test_numbers_have_the_name_of_the_result_in_their_slope(expr, expected):
    assert vjp(expr, g, z) == expected


@pytest.mark.parametrize(
    ("expr", "name"), [(Elementwise(tanh(P), A), "Z"), (RowSoftmax(A), "Z"), (ElementwiseMax(A, B), "Z")]
)
def test_the_result_is_not_computed_again(expr, name):
    ((_, adjoint), *_) = vjp(expr, variable("g", expr.shape), variable("Z", expr.shape))
    assert name in {symbol.name for symbol in adjoint.free_symbols if isinstance(symbol, MatrixSymbol)}
    assert not adjoint.has(type(expr)) or isinstance(expr, Elementwise)


def test_equal_ones_share_what_a_peak_receives():
    ((_, first), (_, second)) = vjp(ElementwiseMax(A, B), variable("g", (N, 2)), variable("Z", (N, 2)))
    values = {s: 1.0 for name in ("A", "B", "g", "Z") for s in chain(*leaf(MatrixSymbol(name, N, 2)))}
    for adjoint in (first, second):
        assert (numbers(scalar_entries(adjoint, leaf, ROWS), values) == 0.5).all()


def test_contributions_go_down_to_the_symbols():
    expr = MatAdd(MatMul(A, U), MatMul(Elementwise(tanh(P), A), U))
    found = list(contributions(expr, variable("g", (N, 3)), expr))
    assert [symbol for symbol, _ in found] == [A, U, U, A]
    assert list(contributions(A, B, C)) == [(A, B)]
    assert list(contributions(x * tanh(y), g, z)) == [(x, g * tanh(y)), (y, g * x * (1 - tanh(y) ** 2))]
