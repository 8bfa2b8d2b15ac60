"""The table of activations: against the derivatives of the definitions, at 50 digits, and against Keras."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Integer, Rational, Symbol, lambdify, simplify
from sympy.core.function import ArgumentIndexError

from symrnn.functions import (
    _HELPERS,
    _KERAS_ONLY,
    _ROWS,
    NamedFunction,
    NamedSlope,
    activation_name,
    activations,
    define,
    functions,
    logsumexp,
    slopes,
    softmax,
    softplus,
    stable,
)  # fmt: skip
from tests.bank import computable, exact, written_out

x = Symbol("x", real=True)
z = sympy.symbols("z_0:3", real=True)
POINTS = [Rational(*point) for point in [(-7, 1), (-2, 1), (-3, 4), (-1, 4), (1, 3), (3, 4), (2, 1), (7, 1)]]
"""One or more between any two kinks; the kinks are at 0, 1/2, 1, 3, 6 and their negatives."""
over_rows = pytest.mark.parametrize("name", _ROWS)
KERAS_NAMES = sorted(set(activations) | {"softmax"})


# slopes and definitions ---------------------------------------------------------------------------


@over_rows
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_slope_is_the_derivative_of_the_definition(name: str, point: Rational) -> None:
    function = functions[name]
    derivative = exact(function(x).define()).diff(x).subs(x, point).doit()
    slope = exact(written_out(function(x).fdiff())).subs(x, point)
    difference = simplify(derivative - slope)
    assert difference == 0 or (
        name == "selu" and abs(difference) < 1e-18
    )  # selu's slope rounds the product of two constants


@over_rows
def test_define_leaves_no_name(name: str) -> None:
    for expr in (functions[name](x), functions[name](x).diff(x), functions[name](functions[name](x))):
        assert not define(expr).has(NamedFunction, NamedSlope)


@over_rows
def test_slope_is_named_or_written_in_the_function_itself(name: str) -> None:
    function = functions[name]
    named = {type(expr).__name__ for expr in function(x).diff(x).atoms(sympy.Function)}
    assert (f"{name}_slope" in named) == _ROWS[name].named == (name in slopes)
    assert function(2 * x).diff(x) == 2 * function(x).fdiff().xreplace({x: 2 * x, function(x): function(2 * x)})


@over_rows
def test_a_function_has_one_argument(name: str) -> None:
    with pytest.raises(ArgumentIndexError):
        functions[name](x).fdiff(2)


@pytest.mark.parametrize("name", [name for name, row in _ROWS.items() if row.stable])
@pytest.mark.parametrize("point", ["-200", "-30", "-1", "-1e-30", "0", "1e-30", "0.75", "30", "200"])
def test_stable_form_equals_the_definition(name: str, point: str) -> None:
    stable_form, definition = (lambdify(x, f(functions[name](x)), "mpmath") for f in (stable, NamedFunction.define))
    with mpmath.workdps(50):
        ours = stable_form(mpmath.mpf(point))
    with mpmath.workdps(400):
        assert mpmath.almosteq(ours, definition(mpmath.mpf(point)), rel_eps=1e-18 if name == "selu" else 1e-47)


@pytest.mark.parametrize("name", [name for name, row in _ROWS.items() if not row.stable])
def test_stable_form_is_the_definition_where_no_other_is_needed(name: str) -> None:
    assert stable(functions[name](x)) == functions[name](x).define()


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("expr", [softmax(Integer(0), *z), softmax(Integer(2), *z), logsumexp(*z)], ids=str)
def test_derivative_of_a_function_of_a_row(expr: Expr, k: int) -> None:
    assert simplify(define(expr).diff(z[k]) - define(expr.diff(z[k]))) == 0
    assert expr.diff(z[k]).has(softmax)


def test_softmax_has_no_derivative_by_its_index() -> None:
    with pytest.raises(ArgumentIndexError):
        softmax(Integer(0), *z).fdiff(1)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("sigmoid", "y*(1 - y)"), ("softplus", "sigmoid(x)"), ("softsign", "(1 - Abs(y))**2"),
        ("relu", "relu_slope(x, y)"), ("tanh_shrink", "tanh(x)**2"), ("squareplus", "y**2/(y**2 + 1)"),
        ("log_sigmoid", "sigmoid(-x)"),
    ],
)  # fmt: skip
def test_slope_in_terms_of_the_output(name: str, slope: str) -> None:
    assert str(functions[name](x).fdiff().xreplace({functions[name](x): Symbol("y", real=True)})) == slope


# names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_activation_name(name: str) -> None:
    assert activation_name(name) == name
    assert activation_name(None) == "linear"


@pytest.mark.parametrize("name", ["Tanh", "", "huber", "clip", "logistic"])
def test_unknown_activation(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^unknown activation '{name}'; known: {', '.join(KERAS_NAMES)}$"):
        activation_name(name)


@pytest.mark.parametrize("name", [5, ["tanh"], {"class_name": "ReLU"}, softplus])
def test_activation_that_is_no_name(name: object) -> None:
    with pytest.raises(ValueError, match=r"^unknown activation "):
        activation_name(name)


@pytest.mark.parametrize(("name", "reason"), _KERAS_ONLY.items())
def test_unsupported_activation(name: str, reason: str) -> None:
    message = rf"^activation '{name}' is not supported \({reason}\); supported: {', '.join(KERAS_NAMES)}$"
    with pytest.raises(NotImplementedError, match=message):
        activation_name(name)


# Keras --------------------------------------------------------------------------------------------

GRID = np.unique(np.concatenate([np.linspace(-8, 8, 65), [-700, -40, -1e-3, -1e-9, 1e-9, 1e-3, 40, 700]]))
KINKS = [
    ("relu", 0, 0), ("leaky_relu", 0, 0.20000000298023224), ("relu6", 0, 0), ("relu6", 6, 0), ("elu", 0, 1),
    ("selu", 0, 1.0507009873554805), ("celu", 0, 2), ("softsign", 0, 1), ("hard_sigmoid", -3, 0),
    ("hard_sigmoid", 3, 0),
    ("hard_silu", -3, 0), ("hard_silu", 3, 1), ("hard_tanh", -1, 1), ("hard_tanh", 1, 1), ("soft_shrink", -0.5, 0),
    ("soft_shrink", 0.5, 0), ("hard_shrink", -0.5, 0), ("hard_shrink", 0.5, 0), ("sparse_plus", -1, 0),
    ("sparse_plus", 1, 1), ("sparse_sigmoid", -1, 0), ("sparse_sigmoid", 1, 0),
]  # fmt: skip


def _numeric(expr: Expr) -> Callable[[float], float]:
    return lambdify(x, computable(expr), "math")


@pytest.mark.parametrize(("name", "kink", "slope"), KINKS)
def test_slope_at_a_kink(name: str, kink: float, slope: float) -> None:
    assert _numeric(functions[name](x).diff(x))(float(kink)) == slope


def test_names_are_keras_names() -> None:
    pytest.importorskip("keras")
    from keras.src.activations import ALL_OBJECTS_DICT

    assert set(ALL_OBJECTS_DICT) == set(activations) | set(_KERAS_ONLY) | {"softmax"}
    assert set(activations).isdisjoint(_KERAS_ONLY)


@pytest.mark.parametrize("name", sorted(activations))
def test_value_and_derivative_are_keras(name: str) -> None:
    keras = pytest.importorskip("keras")
    import tensorflow as tf

    grid = GRID[np.abs(GRID) < 100] if name == "exponential" else GRID
    points = tf.constant(grid, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = keras.activations.get(name)(points)
    gradient = tape.gradient(values, points)
    for ours, theirs in [(activations[name](x), values), (activations[name](x).diff(x), gradient)]:
        difference = np.abs(list(map(_numeric(ours), grid)) - theirs.numpy())
        assert (difference <= 1e-15 + 5e-17 * np.abs(grid) + 1e-14 * np.abs(theirs)).all()


@pytest.mark.parametrize("row", [[1, 2, 3], [-40, 0, 40], [1, 1, -1, 5]], ids=str)
def test_softmax_is_keras(row: list[float]) -> None:
    keras = pytest.importorskip("keras")
    theirs = keras.activations.softmax(np.array([row], dtype="float64"))
    ours = [float(softmax(Integer(j), *row).define()) for j in range(len(row))]
    np.testing.assert_allclose([ours], theirs, rtol=1e-14)


def test_helpers_are_no_activations() -> None:
    assert set(functions) == (set(activations) & set(functions)) | set(_HELPERS)
