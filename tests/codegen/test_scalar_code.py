"""Scalar expressions as Python: both dialects against 50 digits and each other, and their exact text."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Abs, Expr, Max, Min, Piecewise, Rational, Symbol, erfc, exp, log, pi, sign, sqrt, tanh
from sympy.codegen.cfunctions import expm1, log1p

from symrnn.codegen.backends.python_code import compile_source
from symrnn.codegen.scalar_code import ARRAYS, FLOATS, Dialect
from symrnn.expressions.activation_table import functions, sigmoid, slopes
from symrnn.expressions.activations import activations, clip_from, elu, huber, leaky_relu, prelu, relu
from symrnn.expressions.functions import at_least, differs, equal, larger, logsumexp, maximum, onehot, softmax
from tests.support.bank import written_out

x, y, z = (Symbol(name, real=True) for name in "xyz")
UNIT = 2.0**-53
MADE = [leaky_relu(0.3), elu(0.5), relu(3.3), relu(6, 0.3, 0.75), relu(None, 0.3, 0.75), huber(1.3), clip_from(1e-7)]
FUNCTIONS = {name: f(x) for name, f in {**activations, **functions, **{f.__name__: f for f in MADE}}.items()}
SLOPES = {name: expr.diff(x).xreplace({expr: y}) for name, expr in FUNCTIONS.items()}
POINTS = [s * p for p in (1e-9, 1e-3, 0.3, 0.7, 1.2, 2.4, 3.5, 5.9, 6.1, 8.0, 40.0, 300.0) for s in (1, -1)]
KINKS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 6.0]
OF_SQUARES = {"inverse_norm": [1e-16, 1e-12, 0.3, 2.5, 300.0]}
"""The points of a function of positive numbers."""
SPECIAL = [np.nan, np.inf, -np.inf, 1e-308, -1e-308, 1e10, -1e10, 800.0, -800.0]


def function(dialect: Dialect, expr: Expr, names: str = "x") -> Callable[..., Any]:
    """The expression as a function of x, or of x and y."""
    body = f"def f({names}):\n    return {dialect.text(expr)}\n"
    imports = "import math\nimport numpy as np\n" if dialect is ARRAYS else "from math import *\n"
    return compile_source("\n\n".join([imports, dialect.helpers([expr]), body]), "f")


def on_array(expr: Expr, *values: float) -> float:
    """The expression computed by NumPy, for an array with one entry."""
    with np.errstate(all="ignore"):
        result = function(ARRAYS, expr, "x, y"[: 3 * len(values) - 2])(*(np.array([value]) for value in values))
    return float(np.broadcast_to(result, (1,))[0])


def slope_on_array(name: str, value: float) -> float:
    """The slope of a function, after its value."""
    return on_array(SLOPES[name], value, on_array(FUNCTIONS[name], value))


def exact(expr: Expr, value: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The definition's value and derivative at 50 digits."""
    f = sympy.lambdify([x], written_out(expr), modules="mpmath")
    at = mpmath.mpf(value)
    return f(at), mpmath.diff(f, at)


# numbers ------------------------------------------------------------------------------------------

DIFFERENCES = {"tanh_shrink", "soft_shrink", "log_cosh", *(f.__name__ for f in MADE if "threshold" in f.__name__)}
"""What is a difference of numbers of the size of x and 1, to which its error is relative."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_against_the_definition(name: str) -> None:
    """Relative to the value and to what a rounding of x moves."""
    with mpmath.workdps(200):
        for point in OF_SQUARES.get(name, POINTS):
            value, slope = exact(FUNCTIONS[name], point)
            scale = abs(value) + abs(point * slope) + (abs(point) + 1 if name in DIFFERENCES else 0)
            assert abs(on_array(FUNCTIONS[name], point) - value) <= 16 * UNIT * scale, point
            assert abs(slope_on_array(name, point) - slope) <= 32 * UNIT * max(1, abs(slope)), point


def _exactly(value: np.floating) -> mpmath.mpf:
    """The number of any type as it is."""
    return mpmath.mpf(float(value)) + mpmath.mpf(float(value - type(value)(float(value))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_sigmoid_of_an_array(dtype: type) -> None:
    """It is as exact as the exponential, and 0 where that overflows."""
    unit, last = np.finfo(dtype).eps / 2, float(np.log(np.finfo(dtype).max)) if dtype is not np.longdouble else 500.0
    points = np.concatenate([np.linspace(1 - last, 60, 401), [-1e-9, 0.0, 1e-9]]).astype(dtype)
    with np.errstate(over="ignore"):
        ours, far = function(ARRAYS, sigmoid(x))(points), function(ARRAYS, sigmoid(x))(dtype([-1e6, -np.inf, np.inf]))
    with mpmath.workdps(60):
        for point, value in zip(points, ours, strict=True):
            true = 1 / (1 + mpmath.exp(-_exactly(point)))
            assert abs(_exactly(value) / true - 1) <= 6 * float(unit), point
    assert (far == [0, 0, 1]).all()
    assert (np.isnan(function(ARRAYS, sigmoid(x))(dtype([np.nan])))).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_floats_are_arrays(name: str) -> None:
    value, slope = function(FLOATS, FUNCTIONS[name]), function(FLOATS, SLOPES[name], "x, y")
    for point in [*OF_SQUARES[name], 1e-14, 0.0, np.nan] if name in OF_SQUARES else [*POINTS, *KINKS, *SPECIAL]:
        try:
            ours = value(point), slope(point, value(point))
        except (ArithmeticError, ValueError):
            continue  # then arrays are taken
        theirs = on_array(FUNCTIONS[name], point), slope_on_array(name, point)
        assert ours == pytest.approx(theirs, rel=1e-14, abs=1e-15, nan_ok=True), point


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_keep_their_type(name: str, dtype: str) -> None:
    points = np.array([[1e-15, 0.25] if name in OF_SQUARES else [-1.5, 0.25], [0.75, 3.5]], dtype)
    values = function(ARRAYS, FUNCTIONS[name])(points)
    slopes = function(ARRAYS, SLOPES[name], "x, y")(points, values)
    assert (values.dtype, values.shape) == (points.dtype, points.shape)
    assert isinstance(slopes, int) or (slopes.dtype, slopes.shape) == (points.dtype, points.shape)


ROWS = [[1.0, 2.0, 3.0], [-800.0, 0.0, 800.0], [1e308, 1e308, 0.0]]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_functions_of_a_row(row: list[float]) -> None:
    exps = np.exp(np.array(row) - max(row))
    for j in range(3):
        f = function(FLOATS, softmax(sympy.Integer(j), x, y, z), "x, y, z")
        assert f(*row) == pytest.approx(exps[j] / exps.sum(), rel=1e-15)
    assert function(FLOATS, logsumexp(x, y, z), "x, y, z")(*row) == pytest.approx(max(row) + np.log(exps.sum()))


PAIRS = [(-1.5, 0.25), (0.25, 0.25), (2.0, 0.75), (0.0, -0.0), (-0.0, 3.0), (1.0, np.nan), (np.nan, 1.0)]
_OF_PAIRS = [prelu(x, y), larger(x, y), equal(x, y), at_least(x, y), maximum(x, y, 1 - x), differs(2, x, y)]
_OF_NUMBERS = [onehot(sympy.Integer(j), x) for j in range(3)]
OF_PAIRS = [other for expr in _OF_PAIRS for other in (expr, expr.diff(x), expr.diff(y)) if not other.is_number]
"""Functions of several numbers, and their derivatives."""


@pytest.mark.parametrize("expr", OF_PAIRS + _OF_NUMBERS, ids=str)
def test_floats_are_arrays_for_functions_of_several_numbers(expr: Expr) -> None:
    floats, arrays = (function(dialect, expr, "x, y") for dialect in (FLOATS, ARRAYS))
    for pair in PAIRS:
        try:
            ours = floats(*pair)
        except (ArithmeticError, ValueError):
            continue  # then arrays are taken
        with np.errstate(all="ignore"):
            assert ours == pytest.approx(arrays(*(np.array([value]) for value in pair))[0], nan_ok=True), pair


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
@pytest.mark.parametrize("expr", OF_PAIRS + _OF_NUMBERS, ids=str)
def test_arrays_keep_their_type_in_functions_of_several_numbers(expr: Expr, dtype: str) -> None:
    values = function(ARRAYS, expr, "x, y")(*np.array([[[-1.5, 0.25], [0.75, 2.0]], [[0.25, 0.25], [1.0, 2.0]]], dtype))
    assert (values.dtype, values.shape) == (np.dtype(dtype), (2, 2))


def test_maximum_keeps_nan() -> None:
    for pair in [(1.0, np.nan), (np.nan, 1.0)]:
        assert np.isnan(function(FLOATS, maximum(x, y), "x, y")(*pair))


# text ---------------------------------------------------------------------------------------------

TEXTS: list[tuple[Expr, str, str]] = [
    (x + y / 3, "x + (1/3)*y", "x + (1/3)*y"),
    (x**2, "(x*x)", "(x*x)"),
    (x**3, "x**3", "x**3"),
    ((x + 1) ** 2, "(x + 1)**2", "(x + 1)**2"),
    (1 - x**2, "1 - (x*x)", "1 - (x*x)"),
    (sqrt(x), "np.sqrt(x)", "sqrt(x)"),
    (1 / sqrt(x), "1/np.sqrt(x)", "1/sqrt(x)"),
    (tanh(x), "np.tanh(x)", "tanh(x)"),
    (exp(-x), "np.exp(-x)", "exp(-x)"),
    (log(x), "np.log(x)", "log(x)"),
    (log1p(x), "np.log1p(x)", "log1p(x)"),
    (expm1(x), "np.expm1(x)", "expm1(x)"),
    (erfc(x), "erfc(x)", "erfc(x)"),
    (Abs(x), "np.abs(x)", "abs(x)"),
    (sign(x), "np.sign(x)", "sign(x)"),
    (pi * x, "3.141592653589793*x", "3.141592653589793*x"),
    (Max(x, 0), "np.maximum(x, 0)", "(0 if x < 0 else x)"),
    (Min(x, 6), "np.minimum(x, 6)", "(6 if x > 6 else x)"),
    (Piecewise((x, x > 0), (0, True)), "np.where((x > 0), x, 0)", "(x if (x > 0) else 0)"),
    (
        Piecewise((1, x > 1), (Rational(1, 2), (x > 0) | (x < -1)), (0, True)),
        "np.where((x > 1), 1, np.where((x > 0) | (x < -1), 1/2, 0)).astype(np.result_type(x))",
        "(1 if (x > 1) else 1/2 if (x > 0) or (x < -1) else 0)",
    ),
    (sigmoid(x) + 1, "sigmoid(x) + 1", "sigmoid(x) + 1"),
    (slopes["relu"](x, y), "relu_slope(x, y)", "relu_slope(x, y)"),
    (leaky_relu(0.3)(x), "leaky_relu_0_3(x)", "leaky_relu_0_3(x)"),
    (larger(1 - x * y, 0), "np.maximum(-x*y + 1, 0)", "larger(-x*y + 1, 0)"),
    (
        Piecewise((1, (x > 1) & (y <= 2)), (2, ((x > 1) & (y > 2)) | (x < y)), (0, True)),
        "np.where((y <= 2) & (x > 1), 1, np.where((x < y) | ((x > 1) & (y > 2)), 2, 0)).astype(np.result_type(x, y))",
        "(1 if (y <= 2) and (x > 1) else 2 if (x > 1) and (y > 2) or (x < y) else 0)",
    ),
    (sympy.Float(0.3, 17) * x, "0.3*x", "0.3*x"),
]


@pytest.mark.parametrize(("expr", "arrays", "floats"), TEXTS, ids=[str(expr) for expr, _, _ in TEXTS])
def test_text(expr: Expr, arrays: str, floats: str) -> None:
    assert (ARRAYS.text(expr), FLOATS.text(expr)) == (arrays, floats)


def test_helpers() -> None:
    assert ARRAYS.helpers([sigmoid(x), sigmoid(y)]) == ("def sigmoid(x):\n    return 1/(1 + np.exp(-x))")
    assert FLOATS.helpers([sigmoid(x), sigmoid(y)]) == (
        "def sigmoid(x):\n    u = exp(-abs(x))\n    v = 1/(u + 1)\n    return (v if (x >= 0) else u*v)"
    )
    assert ARRAYS.helpers([larger(x, 0)]) == ""
    assert (
        ARRAYS.helpers([at_least(x, 0)])
        == "def at_least(x, y):\n    return np.where((x >= y), 1, 0).astype(np.result_type(x, y))"
    )
    assert FLOATS.helpers([slopes["relu"](x, y)]) == "def relu_slope(x, y):\n    return (1 if (y > 0) else 0)"
    assert ARRAYS.helpers([tanh(x)]) == FLOATS.helpers([x]) == ""


@pytest.mark.parametrize("dialect", [ARRAYS, FLOATS], ids=["arrays", "floats"])
def test_a_helper_comes_after_those_it_calls_and_once(dialect: Dialect) -> None:
    text = dialect.helpers([FUNCTIONS["mish"].diff(x), FUNCTIONS["mish"], sigmoid(x)])
    names = [line.removeprefix("def ").partition("(")[0] for line in text.splitlines() if line.startswith("def ")]
    assert names == ["mish", "sigmoid", "softplus", "mish_slope"]
