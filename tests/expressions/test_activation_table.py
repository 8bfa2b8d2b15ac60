"""The table of activations: against the derivatives of the definitions, at 50 digits, and against Keras."""

from collections.abc import Callable
from itertools import product

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Integer, Rational, Symbol, exp, lambdify, simplify
from sympy.core.function import ArgumentIndexError

from symrnn.expressions.activation_table import functions, slopes
from symrnn.expressions.activations import (
    _HELPERS,
    _KERAS_ONLY,
    ROW_ACTIVATIONS,
    activations,
    clip_from,
    elu,
    huber,
    leaky_relu,
    prelu,
    relu,
)
from symrnn.expressions.functions import (
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
)
from symrnn.expressions.row_functions import NamedSlope, RowFunction
from tests.support.bank import computable, exact, written_out

x, y = Symbol("x", real=True), Symbol("y", real=True)
z = sympy.symbols("z_0:3", real=True)
POINTS = [Rational(*point) for point in [(-7, 1), (-2, 1), (-3, 4), (-1, 4), (1, 3), (3, 4), (2, 1), (7, 1)]]
"""One or more between any two kinks; the kinks are at 0, 1/2, 1, 3, 6 and their negatives."""
OF_SQUARES = {"inverse_norm": [Rational(1, 10**15), Rational(1, 10**13), Rational(2), Rational(400)]}
"""The points of a function of positive numbers."""
MADE = [
    leaky_relu(0.3), elu(0.5), elu(-1.3), relu(3.3), relu(6, 0.3), relu(None, 0.0, 0.7), relu(1.3, 0.3, 0.7),
    relu(0.5, 0.25, 0.7), relu(6, 0.0, 1.0), huber(1.3), clip_from(1e-7),
]  # fmt: skip
ALL = functions | {function.__name__: function for function in MADE}
over_all = pytest.mark.parametrize("name", ALL)
KERAS_NAMES = sorted({*activations, *ROW_ACTIVATIONS})


def row_of(name: str) -> sympy.Function:
    return ALL[name].row


# slopes and definitions ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "point"), [(name, p) for name in ALL for p in OF_SQUARES.get(name, POINTS)], ids=str)
def test_slope_is_the_derivative_of_the_definition(name: str, point: Rational) -> None:
    function = ALL[name]
    derivative = exact(function(x).define()).diff(x).subs(x, point).doit()
    slope = exact(written_out(function(x).fdiff())).subs(x, point)
    difference = simplify((derivative - slope).rewrite(exp))
    assert difference == 0 or (
        name == "selu" and abs(difference) < 1e-18
    )  # selu's slope rounds the product of two constants


SEVERAL = [prelu(x, y), equal(x, y), at_least(x, y), larger(x, y), maximum(x, y, *z), differs(x, y, *z), *(
    onehot(Integer(j), x) for j in range(3)
), softmax(Integer(1), *z), logsumexp(*z)]  # fmt: skip


@pytest.mark.parametrize("expr", [*(function(x) for function in ALL.values()), *SEVERAL], ids=str)
def test_define_leaves_no_name(expr: Expr) -> None:
    for other in (expr, expr.diff(expr.args[-1]), expr.subs(expr.args[-1], functions["silu"](expr.args[-1]))):
        assert not define(other).has(NamedFunction)


@over_all
def test_slope_is_named_or_written_in_the_function_itself(name: str) -> None:
    function = ALL[name]
    named = {type(expr).__name__ for expr in function(x).diff(x).atoms(sympy.Function)}
    assert (f"{name}_slope" in named) == row_of(name).named == (function.slope is not None)
    assert function(2 * x).diff(x) == 2 * function(x).fdiff().xreplace({x: 2 * x, function(x): function(2 * x)})


def test_slopes_with_a_name() -> None:
    assert slopes == {name: function.slope for name, function in functions.items() if function.row.named}
    assert all(issubclass(slope, NamedSlope) for slope in slopes.values())


@over_all
def test_a_function_has_one_argument(name: str) -> None:
    with pytest.raises(ArgumentIndexError):
        ALL[name](x).fdiff(2)


@pytest.mark.parametrize("name", [name for name in ALL if row_of(name).stable])
@pytest.mark.parametrize("point", ["-200", "-30", "-1", "-1e-30", "0", "1e-30", "0.75", "30", "200"])
def test_stable_form_equals_the_definition(name: str, point: str) -> None:
    stable_form, definition = (lambdify(x, f(ALL[name](x)), "mpmath") for f in (stable, RowFunction.define))
    with mpmath.workdps(50):
        ours = stable_form(mpmath.mpf(point))
    with mpmath.workdps(400):
        assert mpmath.almosteq(ours, definition(mpmath.mpf(point)), rel_eps=1e-18 if name == "selu" else 1e-47)


@pytest.mark.parametrize("name", [name for name in ALL if not row_of(name).stable])
def test_stable_form_is_the_definition_where_no_other_is_needed(name: str) -> None:
    assert stable(ALL[name](x)) == ALL[name](x).define()


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("sigmoid", "y*(1 - y)"), ("softplus", "sigmoid(x)"), ("softsign", "(Abs(x) + 1)**(-2)"),
        ("relu", "relu_slope(x, y)"), ("tanh_shrink", "tanh(x)**2"), ("squareplus", "y**2/(y**2 + 1)"),
        ("log_sigmoid", "sigmoid(-x)"), ("log_cosh", "tanh(x)"), ("inverse_norm", "inverse_norm_slope(x, y)"),
    ],
)  # fmt: skip
def test_slope_in_terms_of_the_output(name: str, slope: str) -> None:
    assert str(functions[name](x).fdiff().xreplace({functions[name](x): y})) == slope


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


def _tape(function: Callable[..., object], *arrays: np.ndarray) -> list[np.ndarray]:
    """A function's values in float64 and their derivatives by its arguments, from TensorFlow."""
    import tensorflow as tf

    points = [tf.constant(array, dtype="float64") for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = function(*points)
    return [part.numpy() for part in (values, *tape.gradient(values, points))]


def _assert_close(expr: Expr, theirs: np.ndarray, grid: np.ndarray) -> None:
    difference = np.abs(list(map(_numeric(expr), grid)) - theirs)
    assert (difference <= 1e-15 + 5e-17 * np.abs(grid) + 1e-14 * np.abs(theirs)).all()


@pytest.mark.parametrize(("name", "kink", "slope"), KINKS)
def test_slope_at_a_kink(name: str, kink: float, slope: float) -> None:
    assert _numeric(functions[name](x).diff(x))(float(kink)) == slope


def test_names_are_keras_names() -> None:
    pytest.importorskip("keras")
    from keras.src.activations import ALL_OBJECTS_DICT

    assert set(ALL_OBJECTS_DICT) == {*activations, *_KERAS_ONLY, *ROW_ACTIVATIONS} - {"hard_sigmoid_keras2"}
    assert set(activations).isdisjoint(_KERAS_ONLY)


@pytest.mark.parametrize("name", sorted(activations))
def test_value_and_derivative_are_keras(name: str) -> None:
    pytest.importorskip("keras")
    from symrnn.checking.keras_models import activation_of, import_frameworks

    keras, _ = import_frameworks()
    grid = GRID[np.abs(GRID) < 100] if name == "exponential" else GRID
    values, slopes = _tape(keras.activations.get(activation_of(name, keras)), grid)
    _assert_close(activations[name](x), values, grid)
    _assert_close(activations[name](x).diff(x), slopes, grid)


def _around(*kinks: float) -> np.ndarray:
    """The grid, with the kinks in both precisions, and what lies next to them."""
    both = np.array([number for kink in kinks for number in (kink, float(np.float32(kink)))])
    return np.unique(
        np.concatenate([GRID, both, np.nextafter(both, 9), np.nextafter(both, -9), 0.5 * (both[::2] + both[1::2])])
    )


LIMITS, FALLS, STARTS = (None, 0.0, 0.5, 3.3, 6.0), (0.0, 0.3, 1.5), (0.0, 0.7, 1.0)
LAYERS = [
    *(("LeakyReLU", {"negative_slope": slope}, leaky_relu(slope), ()) for slope in (0.0, 0.2, 0.3, 1.5)),
    *(("ELU", {"alpha": alpha}, elu(alpha), ()) for alpha in (0.0, 0.3, 1.0, 2.5, -1.3)),
    *(
        (
            "ReLU",
            {"max_value": limit, "negative_slope": fall, "threshold": start},
            relu(limit, fall, start),
            (start, *([] if limit is None else [limit])),
        )
        for limit, fall, start in product(LIMITS, FALLS, STARTS)
    ),
]


@pytest.mark.parametrize(("layer", "parameters", "function", "kinks"), LAYERS, ids=str)
def test_function_with_parameters_is_keras_layer(
    layer: str, parameters: dict[str, float], function: type[RowFunction], kinks: tuple[float, ...]
) -> None:
    keras = pytest.importorskip("keras")
    grid = _around(0.0, *kinks)
    grid = grid[(grid == 0) | (np.abs(grid) > 1e-300)]  # TensorFlow takes subnormal numbers as 0
    values, slopes = _tape(getattr(keras.layers, layer)(**parameters, dtype="float64"), grid)
    _assert_close(function(x), values, grid)
    _assert_close(function(x).diff(x), slopes, grid)


def test_prelu_is_keras() -> None:
    keras = pytest.importorskip("keras")
    points = np.array([[-2.0, -0.5, 0.0, 0.25, 3.0]])
    layer = keras.layers.PReLU(dtype="float64")
    layer.build(points.shape)

    def call(inputs: object, alpha: object) -> object:
        return keras.activations.relu(inputs) - alpha * keras.activations.relu(-inputs)

    alphas = np.array([[0.3, -0.7, 0.3, 0.3, 1.5]])
    layer.alpha.assign(alphas[0])
    theirs = _tape(call, points, alphas)
    np.testing.assert_array_equal(theirs[0], layer(points))
    for expr, expected in zip([prelu(x, y), prelu(x, y).diff(x), prelu(x, y).diff(y)], theirs, strict=True):
        f = lambdify([x, y], computable(expr), "math")
        assert [f(*pair) for pair in zip(points[0], alphas[0], strict=True)] == pytest.approx(expected[0], rel=1e-15)


PAIRS = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, -1.0]])


def test_larger_and_maximum_are_tensorflows() -> None:
    pytest.importorskip("keras")
    import tensorflow as tf

    for expr, function in [
        (larger(x, y), tf.maximum),
        (maximum(x, y), lambda a, b: tf.reduce_max(tf.stack([a, b]), axis=0)),
        (maximum(x, y, -1), lambda a, b: tf.reduce_max(tf.stack([a, b, -tf.ones_like(a)]), axis=0)),
    ]:
        theirs = _tape(function, *PAIRS.T)
        for ours, expected in zip([expr, expr.diff(x), expr.diff(y)], theirs, strict=True):
            f = lambdify([x, y], computable(ours), "math")
            assert [f(*pair) for pair in PAIRS] == list(expected)


@pytest.mark.parametrize("delta", [0.5, 1.0, 1.3])
def test_huber_is_keras(delta: float) -> None:
    keras = pytest.importorskip("keras")
    grid = _around(delta, -delta)
    values, slopes = _tape(lambda e: keras.losses.huber(0 * e[:, None], e[:, None], delta=delta), grid)
    _assert_close(huber(delta)(x), values, grid)
    _assert_close(huber(delta)(x).diff(x), slopes, grid)


def test_log_cosh_is_keras() -> None:
    keras = pytest.importorskip("keras")
    values, slopes = _tape(lambda e: keras.losses.log_cosh(0 * e[:, None], e[:, None]), GRID)
    _assert_close(functions["log_cosh"](x), values, GRID)
    np.testing.assert_allclose(list(map(_numeric(functions["log_cosh"](x).diff(x)), GRID)), slopes, atol=1e-15)


def test_inverse_norm_is_keras() -> None:
    keras = pytest.importorskip("keras")
    squares = np.array([1e-300, 1e-15, 1e-7 * 1e-7, 1e-14, 1e-13, 1.0, 2.0, 400.0])
    values, slopes = _tape(lambda s: keras.ops.minimum(keras.ops.rsqrt(s), 1 / 1e-7), squares)
    _assert_close(functions["inverse_norm"](x), values, squares)
    _assert_close(functions["inverse_norm"](x).diff(x), slopes, squares)


@pytest.mark.parametrize("row", [[1, 2, 3], [-40, 0, 40], [1, 1, -1, 5]], ids=str)
def test_softmax_is_keras(row: list[float]) -> None:
    keras = pytest.importorskip("keras")
    theirs = keras.activations.softmax(np.array([row], dtype="float64"))
    ours = [float(softmax(Integer(j), *row).define()) for j in range(len(row))]
    np.testing.assert_allclose([ours], theirs, rtol=1e-14)


def test_helpers_are_no_activations() -> None:
    assert set(functions) == (set(activations) & set(functions)) | set(_HELPERS)
