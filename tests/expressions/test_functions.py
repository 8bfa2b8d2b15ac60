"""Functions that stay names: what they are, their slopes, and that nothing of the name is left when asked for."""

import pytest
import sympy
from sympy import Expr, Function, Integer, Max, Piecewise, Symbol, lambdify, simplify
from sympy.core.function import ArgumentIndexError

from symrnn.expressions.activations import prelu
from symrnn.expressions.functions import (
    Indicator,
    NamedFunction,
    at_least,
    define,
    differs,
    equal,
    larger,
    logsumexp,
    maximum,
    onehot,
    softmax,
    stable,
    when,
)
from tests.support.bank import computable

x, y = Symbol("x", real=True), Symbol("y", real=True)
z = sympy.symbols("z_0:3", real=True)

# functions of several numbers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "derivatives"),
    [
        (prelu(x, y), ["y*relu_slope(-x, relu(-x)) + relu_slope(x, relu(x))", "-relu(-x)"]),
        (equal(x, y), ["0", "0"]),
        (at_least(x, y), ["0", "0"]),
        (differs(x, y), ["0", "0"]),
        (onehot(x, y), ["0", "0"]),
        (larger(x, y), ["at_least(x, y)", "exceeds(y, x)"]),
        (
            maximum(x, y),
            [f"equal({s}, maximum(x, y))/(equal(x, maximum(x, y)) + equal(y, maximum(x, y)))" for s in "xy"],
        ),
    ],
    ids=str,
)
def test_derivatives_of_a_function_of_several_numbers(expr: Expr, derivatives: list[str]) -> None:
    assert [str(expr.diff(symbol)) for symbol in (x, y)] == derivatives


@pytest.mark.parametrize(
    ("expr", "values"),
    [
        (equal(x, y), {(1.0, 1.0): 1, (1.0, 2.0): 0}),
        (at_least(x, y), {(1.0, 1.0): 1, (1.0, 2.0): 0, (2.0, 1.0): 1}),
        (larger(x, y), {(1.0, 1.0): 1, (1.0, 2.0): 2, (2.0, 1.0): 2}),
        (larger(x, y).diff(x), {(1.0, 1.0): 1, (1.0, 2.0): 0, (2.0, 1.0): 1}),
        (larger(x, y).diff(y), {(1.0, 1.0): 0, (1.0, 2.0): 1, (2.0, 1.0): 0}),
        (maximum(x, y, 0), {(1.0, 2.0): 2, (-1.0, -2.0): 0}),
        (maximum(x, y, 0).diff(x), {(1.0, 2.0): 0, (2.0, 1.0): 1, (1.0, 1.0): 0.5, (0.0, 0.0): 1 / 3}),
        (differs(0.5, x, y), {(0.5, 0.5): 0, (0.5, 1.0): 1, (1.0, 0.5): 1}),
        (onehot(Integer(0), x), {(0.0, 0): 1, (0.9, 0): 1, (-0.9, 0): 1, (1.0, 0): 0, (-1.0, 0): 0}),
        (onehot(Integer(2), x), {(2.0, 0): 1, (2.9, 0): 1, (1.9, 0): 0, (3.0, 0): 0, (-2.0, 0): 0}),
    ],
    ids=str,
)  # fmt: skip
def test_values_of_a_function_of_several_numbers(expr: Expr, values: dict[tuple[float, float], float]) -> None:
    f = lambdify([x, y], computable(expr), "math")
    assert {point: f(*point) for point in values} == values


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("expr", [softmax(Integer(0), *z), softmax(Integer(2), *z), logsumexp(*z)], ids=str)
def test_derivative_of_a_function_of_a_row(expr: Expr, k: int) -> None:
    assert simplify(define(expr).diff(z[k]) - define(expr.diff(z[k]))) == 0
    assert expr.diff(z[k]).has(softmax)


def test_softmax_has_no_derivative_by_its_index() -> None:
    with pytest.raises(ArgumentIndexError):
        softmax(Integer(0), *z).fdiff(1)


# names and definitions --------------------------------------------------------------------------


def test_the_first_case_that_holds():
    assert when((1, x > 2), (y, x > 1), otherwise=0) == Piecewise((1, x > 2), (y, x > 1), (0, True))
    assert when((7, True), otherwise=0) == 7
    assert when(otherwise=y) == y


def test_names_within_names_are_defined():
    assert define(larger(larger(x, y), 0)) == Max(x, y, 0)
    assert define(x + y) == x + y
    assert stable(larger(x, y)) == larger(x, y).define() == Max(x, y)


def test_softmax_is_a_share():
    shares = [softmax(Integer(j), *z) for j in range(3)]
    assert simplify(sum(map(define, shares))) == 1
    assert simplify(sum(share.diff(z[1]) for share in shares).xreplace({share: define(share) for share in shares})) == 0


@pytest.mark.parametrize(
    ("kind", "method", "message"),
    [(NamedFunction, "define", "Own has no definition"), (NamedFunction, "stable", "Own has no definition"),
     (Indicator, "condition", "Own has no condition"), (Indicator, "define", "Own has no condition")],
)  # fmt: skip
def test_what_a_kind_must_say_for_itself(kind, method, message):
    own = type("Own", (kind,), {})
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        getattr(own(x), method)()
    assert isinstance(own(x), Function)
    assert own(x).is_extended_real
