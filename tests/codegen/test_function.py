"""The functions of numbers: derivatives, samples and steps, shapes, types, infinity, and what is refused."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Symbol

from symrnn import Dense, Derivation, Sequential, SimpleRNN, TimeDistributed, derive
from symrnn.codegen.arguments import read
from symrnn.codegen.function import NumericFunction
from symrnn.expressions.activations import activations
from symrnn.expressions.functions import Indicator
from symrnn.models.losses import LOSSES, with_loss, with_sum
from symrnn.models.network import ModelInput, ModelOutput
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program
from symrnn.programs.transforms import name_of, named_symbols
from symrnn.programs.unrolling import unroll
from tests.support.bank import (
    GRAPHS,
    LAYERS,
    LOSS_MODELS,
    MODELS,
    SAMPLE,
    SIMPLE,
    Case,
    apart,
    fitted,
    over,
    written_out,
)

Arguments = tuple[Any, ...]
DIGITS = 50


# arguments and results as plain numbers -----------------------------------------------------------


def drawn(d: Derivation, samples: int = 2, loss: str | None = None, dtype: str = "float64", seed: int = 0) -> Arguments:
    """Random arguments (x, weights) or (x, y_true, weights), with weights so small that states contract.

    The numbers are those of float32, so that they are the same in every type.
    """
    generator = np.random.default_rng(seed)
    lengths = {steps: number or 3 for steps, number in d.network.timesteps.items()}

    def uniform(bound: float, *shape: int, middle: float = 0.0) -> np.ndarray:
        return generator.uniform(middle - bound, middle + bound, shape).astype("float32").astype(dtype)

    def rows(steps: Any) -> tuple[int, ...]:
        return (samples,) if steps is None else (samples, lengths[steps])

    def source(one: ModelInput) -> np.ndarray:
        array = uniform(0.5 if one.state else 1, *rows(one.steps), one.width)
        array = fitted(one.symbol, array, d.network.program, generator)
        array = np.argsort(array, axis=1) % 2 if one.kind == "mask" else array  # as many in each sample
        return array[..., 0] if one.is_flat else array

    def target(head: ModelOutput) -> np.ndarray:
        shape = rows(head.steps if head.sequence else None)
        if loss == "sparse_categorical_crossentropy":
            return generator.integers(head.width, size=shape).astype(dtype)
        if loss == "categorical_crossentropy":
            return np.eye(head.width, dtype=dtype)[generator.integers(head.width, size=shape)]
        return uniform(0.4, *shape, head.width, middle=0.5)

    x = list(map(source, d.network.sources))
    weights = [uniform(0.6, *array.shape) for array in d.network.arrays]
    targets = [] if loss is None else [_alone([target(head) for head in d.network.heads])]
    return (_alone(x), *targets, weights)


def _alone(arrays: list[np.ndarray]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def flat(array: Any) -> list[Any]:
    """The numbers of an array in the order of a scalar program: by sample, by column, by step."""
    return list(np.moveaxis(array, 1, -1).ravel() if np.ndim(array) == 3 else np.ravel(array))


def entries(results: Any) -> list[Any]:
    """All numbers in what a function returned: an array, a list, or a loss and a list."""
    if isinstance(results, list | tuple):
        return [number for result in results for number in entries(result)]
    return flat(results)


def inputs(d: Derivation, arguments: Arguments) -> list[Any]:
    """The arguments as the inputs of the scalar program."""
    f = d.lambdify()
    y_true, weights = f.split(arguments[1:])
    call = read(f.arguments, arguments[0], y_true, weights)
    return [number for s in (*d.steps.inputs, *d.steps.sequences) for number in flat(call.arrays[s.name])]


def exactly(number: Any) -> mpmath.mpf:
    """The number, with all its digits."""
    above, below = number.as_integer_ratio()
    return mpmath.mpf(above) / below


def everything(d: Derivation) -> list[str]:
    """The names of all inputs: weights, x, initial states."""
    sources = [source.symbol.name.removesuffix("_t") for source in d.network.sources]
    return [*(weight.symbol.name for weight in d.table), *sources]


OBJECTIVES: dict[str, tuple[Case, str | None]] = {
    **{name: (case, None) for name, case in SIMPLE.items()},
    **{f"{name}, mse": (case, "mse") for name, case in SIMPLE.items()},
    **{f"{name}, mse": (case, "mse") for name, case in (LAYERS | GRAPHS).items()},
    **{name: (case, name.split(" of ")[0]) for name, case in LOSS_MODELS.items() if not name.startswith("sum")},
}
over_objectives = pytest.mark.parametrize(("case", "loss"), OBJECTIVES.values(), ids=OBJECTIVES.keys())
over_losses = pytest.mark.parametrize(
    ("case", "loss"),
    [objective for objective in OBJECTIVES.values() if objective[1]],
    ids=[name for name, (_, loss) in OBJECTIVES.items() if loss],
)


@cache
def slopes_of(case: Case, loss: str | None) -> NumericFunction:
    """The gradient's function, made once."""
    return case.derivation.gradient(loss).lambdify()


@over_objectives
def test_floats_are_arrays_to_rounding(case: Case, loss: str | None) -> None:
    d = case.derivation
    for rows, by in ((slopes_of(case, loss), loss), (d.lambdify(), None)):
        assert (rows.row_source is None) != d.is_scalar
        if not d.is_scalar:
            continue
        arguments = drawn(d, 1, by)
        ours, theirs = rows(*arguments), replace(rows, row=None)(*arguments)
        assert entries(ours) == pytest.approx(entries(theirs), rel=1e-12, abs=1e-14)
        assert [np.shape(a) for a in parts(ours)] == [np.shape(a) for a in parts(theirs)]


def parts(results: Any) -> Iterator[Any]:
    """The arrays in what a function returned."""
    for result in results if isinstance(results, list | tuple) else [results]:
        yield from parts(result) if isinstance(result, list | tuple) else [result]


# derivatives --------------------------------------------------------------------------------------


def slopes(program: Program, samples: int, timesteps: int, numbers: Sequence[Any]) -> dict[str, mpmath.mpf]:
    """dL/ds by central differences at 50 digits, for every symbol s of a program written out; L sums its outputs."""
    whole = unroll(expand(program, samples), timesteps)
    given = {symbol: Symbol(f"given_{symbol.name}", real=True) for symbol in whole.inputs}
    values = given | {e.lhs: written_out(_at(given, e.rhs)) for e in whole.equations}
    nudges = [Symbol(f"nudge_{symbol.name}", real=True) for symbol in values]
    steps = [(symbol, value + nudge) for (symbol, value), nudge in zip(values.items(), nudges, strict=True)]
    arguments, total = [*given.values(), *nudges], [sympy.Add(*whole.outputs)]
    f = sympy.lambdify(arguments, total, modules="mpmath", cse=lambda outputs: (steps, list(outputs)))
    with mpmath.workdps(DIGITS):
        point, by = [exactly(number) for number in numbers], mpmath.mpf(10) ** -20

        def at(place: int, nudge: mpmath.mpf) -> mpmath.mpf:
            return f(*point, *(nudge if k == place else 0 for k in range(len(nudges))))[0]

        return {s.name: (at(k, by) - at(k, -by)) / (2 * by) for k, s in enumerate(values)}


def _at(given: dict[Any, Any], expr: Any) -> Any:
    """The expression with masks, and the columns that ids name, of the inputs as they are."""
    return expr.replace(lambda e: isinstance(e, Indicator), lambda e: e.xreplace(given))


_OF_EACH_KIND = {
    name: objective
    for name, objective in apart(OBJECTIVES).items()
    if name in LOSS_MODELS or (name.removesuffix(", mse") in SAMPLE and objective[1] is not None)
}


@pytest.mark.parametrize(("case", "loss"), _OF_EACH_KIND.values(), ids=_OF_EACH_KIND.keys())
def test_gradients_are_derivatives(case: Case, loss: str | None) -> None:
    """Laws 2 and 4 at once: what the code gives beside differences of the program; a model of each kind."""
    d = case.derivation
    program = with_sum(d.network) if loss is None else with_loss(d.network, loss)
    names = [(name_of(program.names, symbol), symbol) for symbol in named_symbols(program).values()]
    wrt = [symbol for name, symbol in names if name.base not in ("y_true", "m", "M") and not name.is_total]
    g = d.gradient(loss, wrt)
    arguments = drawn(d, case.rows, loss)
    expected = slopes(program, case.rows, case.timesteps, inputs(g, arguments))
    results = g.lambdify()(*arguments)
    for symbol, result in zip(wrt, results[1] if loss else results, strict=True):
        symbols = unroll(expand(replace(program, outputs=(symbol,)), case.rows), case.timesteps).outputs
        assert flat(result) == pytest.approx([float(expected[s.name]) for s in symbols], rel=1e-12, abs=1e-13), symbol


# samples, steps, forms of the arguments -----------------------------------------------------------


def one(arguments: Arguments, i: int) -> Arguments:
    """One sample of a batch, without the samples' axis."""
    *given, weights = arguments
    return (*([part[i] for part in array] if isinstance(array, list) else array[i] for array in given), weights)


@over(MODELS)
def test_a_batch_is_its_samples(case: Case) -> None:
    d = case.derivation
    f, g = d.lambdify(), d.gradient(wrt=[everything(d)[-1], d.table[0].symbol]).lambdify()
    arguments = drawn(d, 3)
    outputs, (dx, dU) = parts(f(*arguments)), g(*arguments)
    alone = [one(arguments, i) for i in range(3)]
    slopes = [g(*sample) for sample in alone]
    for y, *rows in zip(outputs, *(parts(f(*sample)) for sample in alone), strict=True):
        assert y == pytest.approx(np.stack(rows), rel=1e-12)
    assert dx == pytest.approx(np.stack([row[0] for row in slopes]), rel=1e-12, abs=1e-15)
    assert dU == pytest.approx(sum(row[1] for row in slopes), rel=1e-12, abs=1e-15)


@over_losses
def test_a_loss_is_the_mean_over_the_samples(case: Case, loss: str) -> None:
    g = slopes_of(case, loss)
    arguments = drawn(case.derivation, 3, loss)
    alone = [entries(g(*one(arguments, i))) for i in range(3)]
    assert entries(g(*arguments)) == pytest.approx(np.mean(alone, axis=0), rel=1e-12, abs=1e-15)


NOTEBOOK = derive()
WEIGHTS = [[[1.4501959]], [[-1.0]], [0.0], [[0.5759429]], [0.0]]
FORMS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "numbers": ([1, 2, 3], (1,)),
    "a tuple": ((1.0, 2.0, 3.0), (1,)),
    "a column": ([[1], [2], [3]], (1,)),
    "a batch": ([[[1], [2], [3]]], (1, 1)),
    "an array": (np.array([1, 2, 3]), (1,)),
    "a view": (np.arange(9, dtype="float32").reshape(3, 3)[::-1, 1], (1,)),
    "truth values": (np.array([[[True]] * 3] * 2), (2, 1)),
}


@pytest.mark.parametrize(("x", "shape"), FORMS.values(), ids=FORMS.keys())
def test_forms_of_x(x: Any, shape: tuple[int, ...]) -> None:
    f = NOTEBOOK.lambdify()
    assert f(x, WEIGHTS).shape == shape
    assert entries(f(x, WEIGHTS)) == entries(f(np.array(x, "float64").reshape(-1, 3, 1), WEIGHTS))


def test_the_notebooks_number() -> None:
    y = NOTEBOOK.lambdify()([1, 2, 3], [np.float32(weight) for weight in WEIGHTS])
    assert (y.dtype, y.tolist()) == (np.float32, pytest.approx([0.5746256], abs=1e-7))


TARGETS: list[tuple[str, Any, Any]] = [
    ("scalar", (3, 1), 0.5),
    ("scalar", (3,), [0.5]),
    ("scalar", (3,), [[0.5]]),
    ("scalar", (1, 3, 1), 0.5),
    ("features and outputs", (2, 2), [[0.5, 0.5]]),
    ("features and outputs", (1, 2, 2), [0.5, 0.5]),
    ("scalar", (1, 3, 1), [0.5]),
    ("scalar", (1, 3, 1), [[0.5]]),
    ("scalar", (4, 3, 1), [0.5] * 4),
    ("scalar", (4, 3, 1), [[0.5]] * 4),
    ("sequence backwards", (3,), [0.5] * 3),
    ("sequence backwards", (3, 1), [[0.5]] * 3),
    ("sequence backwards", (2, 3, 1), [[0.5] * 3] * 2),
    ("sequence backwards", (2, 3, 1), [[[0.5]] * 3] * 2),
    ("features and outputs", (2, 2), [0.5, 0.5]),
    ("features and outputs", (1, 2, 2), [[0.5, 0.5]]),
]


@pytest.mark.parametrize(("name", "shape", "y_true"), TARGETS)
def test_forms_of_the_target(name: str, shape: tuple[int, ...], y_true: Any) -> None:
    d = derive(MODELS[name].model)
    weights = drawn(d)[1]
    y = d.lambdify()(np.ones(shape), weights)
    loss, _ = d.gradient("mse").lambdify()(np.ones(shape), y_true, weights)
    assert loss == pytest.approx(np.mean((y - 0.5) ** 2))


def test_weights_by_name_in_any_order() -> None:
    d = derive(MODELS["stack"].model)
    x, weights = drawn(d)
    names = [weight.symbol.name for weight in d.table]
    by_name = dict(reversed(list(zip(names, weights, strict=True))))
    for f in (d.lambdify(), d.gradient().lambdify()):
        assert entries(f(x, by_name)) == entries(f(x, weights)) == entries(f(x, tuple(weights)))


def test_arguments_are_not_changed() -> None:
    for name in ("sequence backwards", "stack with initial states"):
        d = derive(MODELS[name].model)
        arguments, copies = drawn(d, 1, "mse"), drawn(d, 1, "mse")
        d.gradient("mse").lambdify()(*arguments)
        assert entries(arguments) == entries(copies)


# the source is the same for any number of steps, as test_numpy_source.py says of all models: here it is read
_READ = ("scalar", "sequence backwards", "initial state", "Embedding", "masked LSTM", "GRU of sequences both ways")
_READ += ("LSTM that keeps its state", "masked average", "maximum", "a shared layer", "encoder and decoder")


@over({name: SAMPLE[name] for name in (*_READ, "several outputs")})
def test_an_open_number_of_steps_takes_any(case: Case) -> None:
    opened = derive(case.at(None))
    for timesteps in (1, 5):
        d = derive(case.at(timesteps))
        arguments = drawn(d, 2, "mse")
        for ours, theirs in [(opened, d), (opened.gradient("mse"), d.gradient("mse"))]:
            given = arguments if ours is not opened else (arguments[0], arguments[-1])
            assert entries(ours.lambdify()(*given)) == entries(theirs.lambdify()(*given))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("units", [1, 2])
def test_a_run_continues_from_its_state(units: int, backwards: bool) -> None:
    layer = SimpleRNN(units, go_backwards=backwards, initial_state=True)
    d = derive(Sequential([layer, Dense(1)], (None, 1)))
    (x, start), weights = drawn(derive(Sequential([layer, Dense(1)], (5, 1))), 2)
    first, rest = (x[:, 3:], x[:, :3]) if backwards else (x[:, :2], x[:, 2:])
    middle = d.values([first, start], weights)[f"h_{0 if backwards else 1}"]
    g = d.gradient(wrt=["h_init", "h_3" if backwards else "h_1"]).lambdify()
    assert d.lambdify()([rest, middle], weights) == pytest.approx(d.lambdify()([x, start], weights))
    ours, by_state = g([x, start], weights)
    by_start = d.gradient(wrt=["h_init"]).lambdify()
    assert by_state == pytest.approx(by_start([rest, middle], weights)[0])
    assert ours.shape == by_state.shape == (2, units)


def test_a_zero_initial_state_is_none() -> None:
    layers = [SimpleRNN(2, return_sequences=True), Dense(1)]
    plain = derive(Sequential(layers, (3, 1)))
    given = derive(Sequential([replace(layers[0], initial_state=True), layers[1]], (3, 1)))
    x, weights = drawn(plain)
    for x_start in ([x, np.zeros((2, 2))], (x, np.zeros((2, 2)))):
        assert given.lambdify()(x_start, weights) == pytest.approx(plain.lambdify()(x, weights), rel=1e-15)


# shapes of results --------------------------------------------------------------------------------

SHAPED = Sequential([SimpleRNN(4, return_sequences=True, initial_state=True), SimpleRNN(3), Dense(2)], (5, 6))
SHAPES: dict[str, tuple[int, ...]] = {
    "U1": (6, 4), "V1": (4, 4), "b1_h": (4,), "U2": (4, 3), "V2": (3, 3), "b2_h": (3,), "W": (3, 2), "b_o": (2,),
    "x": (7, 5, 6), "x_0": (7, 6), "x_4": (7, 6), "h1": (7, 5, 4), "h1_2": (7, 4), "h2_4": (7, 3), "h2": (7, 5, 3),
    "a1_0": (7, 4), "a2": (7, 5, 3), "h1_init": (7, 4), "y": (7, 2),
}  # fmt: skip


@pytest.mark.parametrize("loss", [None, "mse"])
def test_shapes(loss: str | None) -> None:
    d = derive(SHAPED)
    arguments = drawn(d, 7, loss)
    g = d.gradient(loss, SHAPES).lambdify()
    for given, batch in [(arguments, True), (one(arguments, 0), False)]:
        results = g(*given)[-1] if loss else g(*given)
        shapes = [shape if batch or shape[0] != 7 else shape[1:] for shape in SHAPES.values()]
        assert [result.shape for result in results] == shapes


@pytest.mark.parametrize("loss", [None, "mse"])
@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize(
    ("x", "whole", "step", "family"),
    [
        ((3,), (3,), (1,), (3, 1)),
        ((3, 1), (3, 1), (1,), (3, 1)),
        ((1, 3, 1), (1, 3, 1), (1, 1), (1, 3, 1)),
        ((2, 3, 1), (2, 3, 1), (2, 1), (2, 3, 1)),
    ],
)
def test_shapes_of_a_scalar_model(loss: str | None, rows: bool, x: Any, whole: Any, step: Any, family: Any) -> None:
    d = derive(Sequential([SimpleRNN(1, initial_state=True), Dense(1)], (3, 1)))
    wrt = ["x", "x_2", "h_0", "a", "h", "h_init", "y", "U", "b_o"]
    g = d.gradient(loss, wrt).lambdify()
    start = np.zeros(step)
    results = (g if rows else replace(g, row=None))([np.ones(x), start], *([start] if loss else []), WEIGHTS)
    total, shapes = (results[0], results[1]) if loss else (np.float64(0), results)
    assert [result.shape for result in shapes] == [whole, step, step, family, family, step, step, (1, 1), (1,)]
    assert (type(total), np.shape(total)) == (np.float64, ())


def test_derivatives_in_the_order_asked_for() -> None:
    asked = ["h_1", "U", "x_0", "h_1", "b_o", "U"]
    arguments = drawn(NOTEBOOK, 1)
    results = NOTEBOOK.gradient(wrt=asked).lambdify()(*arguments)
    alone = [NOTEBOOK.gradient(wrt=[name]).lambdify()(*arguments) for name in asked]
    assert entries(results) == entries(alone)
    assert NOTEBOOK.gradient(wrt=[]).lambdify()(*arguments) == []


# types --------------------------------------------------------------------------------------------

TYPES = {"float32": "float32", "float64": "float64", "longdouble": "longdouble", "int64": "float64", "int8": "float32"}
LOGITS = ("softmax", "sigmoid")
"""The activations whose argument a crossentropy takes."""
over_sizes = pytest.mark.parametrize(("units", "samples"), [(1, 1), (1, 3), (2, 3)])


@over_sizes
@pytest.mark.parametrize("name", [*activations, "softmax"])
def test_types_of_activations(name: str, units: int, samples: int) -> None:
    d = derive(Sequential([SimpleRNN(units, name), Dense(units, name)], (2, 1)))
    f, g = d.lambdify(), d.gradient(wrt=everything(d)).lambdify()
    x, weights = drawn(d, samples)
    for given, computed in TYPES.items():
        typed = [np.ones(weight.shape, given) for weight in weights]
        results = [f(x, typed), *g(x, typed)]
        assert all(isinstance(result, np.ndarray) for result in results)
        assert {result.dtype for result in results} == {np.dtype(computed)}, given


@over_sizes
@pytest.mark.parametrize(
    ("loss", "output"),
    [(loss, output) for loss in LOSSES for output in ([None, *LOGITS] if "crossentropy" in loss else [None])],
)
def test_types_of_losses(loss: str, output: str | None, units: int, samples: int) -> None:
    for last in (Dense(units, output), TimeDistributed(Dense(units, output))):
        layers = [SimpleRNN(units, return_sequences=isinstance(last, TimeDistributed)), last]
        d = derive(Sequential(layers, (2, 1))).gradient(loss)
        arguments = drawn(d, samples, loss, "float32")
        total, slopes = d.lambdify()(*arguments)
        results = [total, *slopes, *d.values(*arguments).values()]
        assert type(total) is np.float32
        assert {result.dtype for result in results} == {np.dtype("float32")}


def test_the_widest_weight_decides() -> None:
    weights = [np.float32(weight) for weight in WEIGHTS]
    assert NOTEBOOK.lambdify()(np.array([1, 2, 3], "float64"), weights).dtype == np.float32
    assert NOTEBOOK.lambdify()(np.array([1, 2, 3], "int32"), [*weights[:4], [0.0]]).dtype == np.float64


# infinity and not a number ------------------------------------------------------------------------

SPECIAL = [np.nan, np.inf, -np.inf, 1e308, -1e308, 800.0, -800.0]


def spoilt(d: Derivation, loss: str | None, value: float) -> Iterator[Arguments]:
    """Arguments with the value in one place: in x, in each weight, in y_true."""
    arguments = drawn(d, 1, loss)
    x, *target, weights = arguments
    for array in [x, *target, *weights]:
        kept = array.flat[-1]
        array.flat[-1] = value
        yield arguments
        array.flat[-1] = kept


@pytest.mark.parametrize(
    ("name", "loss"),
    [*product(activations, [None]), *product(["tanh"], ["mse", "mae", "huber", "binary_crossentropy"])],
)
def test_special_values_flow_through_floats_as_through_arrays(name: str, loss: str | None) -> None:
    d = derive(Sequential([SimpleRNN(1, name), Dense(1, name)], (3, 1)))
    f, g = d.lambdify(), d.gradient(loss).lambdify()
    f_arrays, g_arrays = replace(f, row=None), replace(g, row=None)
    for value in SPECIAL:
        for arguments in spoilt(d, loss, value):
            ours, theirs = g(*arguments), g_arrays(*arguments)
            assert entries(ours) == pytest.approx(entries(theirs), rel=1e-9, abs=1e-300, nan_ok=True)
            x, weights = arguments[0], arguments[-1]
            assert f(x, weights) == pytest.approx(f_arrays(x, weights), nan_ok=True)


@pytest.mark.parametrize("name", [*activations, "softmax"])
def test_special_values_flow_through_matrices(name: str) -> None:
    d = derive(Sequential([SimpleRNN(2, name), Dense(2, name)], (3, 1)))
    g = d.gradient("mse").lambdify()
    for value in SPECIAL:
        for arguments in spoilt(d, "mse", value):
            _, slopes = g(*arguments)
            assert [slope.shape for slope in slopes] == [weight.shape for weight in d.table]


def test_floats_that_overflow_are_computed_with_arrays() -> None:
    d = derive(Sequential([SimpleRNN(1, "exponential"), Dense(1)], (2, 1)))
    f = d.lambdify()
    weights = [np.array([[1.0]]), np.array([[1.0]]), np.array([0.0]), np.array([[-2.0]]), np.array([0.0])]
    with pytest.raises(OverflowError):
        f._floats([10.0, 10.0], 1.0, 1.0, 0.0, -2.0, 0.0)
    assert f([10.0, 10.0], weights).tolist() == [-np.inf]


def test_a_number_too_large_for_the_type_is_infinite() -> None:
    weights = [np.float32(weight) for weight in WEIGHTS]
    loss, slopes = NOTEBOOK.gradient("mse").lambdify()([1e300, 1, 1], 1e300, weights)
    assert loss == np.inf
    assert slopes[0].shape == (1, 1)


@pytest.mark.parametrize(("p", "t", "loss"), [(2.0, 0.0, 15.942385), (-1.0, 1.0, 16.118095)])
def test_a_clipped_probability_in_float32(p: float, t: float, loss: float) -> None:
    """1 - 1e-7 is 1 - 1.19e-7 in float32, with arrays and with floats, as in Keras."""
    weights = [np.float32(weight) for weight in ([[0]], [[0]], [0], [[0]], [p])]
    for samples in (1, 2):
        found, _ = NOTEBOOK.gradient("binary_crossentropy").lambdify()([[[0]] * 3] * samples, [t] * samples, weights)
        assert found == pytest.approx(loss, rel=1e-6)


# what is refused ----------------------------------------------------------------------------------

MATRICES = derive(MODELS["features and outputs"].model)
SEQUENCE = derive(MODELS["sequence and Dense"].model)
STARTED = derive(MODELS["initial state"].model)
OPEN = derive(Sequential([SimpleRNN(1), Dense(1)], (None, 1)))
X = [1, 2, 3]
HALF = np.float16(1)
NAMES = "U, V, b_h, W, b_o"
X_SHAPE = "x: expected the shape (samples, 3, 1), or (3, 1) for one sample, got "
WRONG_WEIGHTS: dict[str, tuple[Any, str]] = {
    "too few": (WEIGHTS[:4], f"weights: expected 5 arrays ({NAMES}), got 4"),
    "too many": ([*WEIGHTS, [0.0]], f"weights: expected 5 arrays ({NAMES}), got 6"),
    "none": ([], f"weights: expected 5 arrays ({NAMES}), got 0"),
    "a number for a kernel": (
        [1.0, *WEIGHTS[1:]], "weights[0] (U, kernel): expected the shape (1, 1), got ()",
    ),
    "a row for a bias": (
        [*WEIGHTS[:2], [[0.0]], *WEIGHTS[3:]], "weights[2] (b_h, bias): expected the shape (1,), got (1, 1)",
    ),
    "a name missing": ({"U": WEIGHTS[0]}, f"weights: expected the names {NAMES}, got U"),
    "a name too many": (
        dict(zip(["U", "V", "b_h", "W", "b_o", "Z"], [*WEIGHTS, 0], strict=True)),
        f"weights: expected the names {NAMES}, got {NAMES}, Z",
    ),
    "strings": ([["1"], *WEIGHTS[1:]], "weights[0] (U): expected an array of real numbers, got <U1"),
    "complex": (
        [*WEIGHTS[:4], [1j]], "weights[4] (b_o): expected an array of real numbers, got complex128",
    ),
    "objects": ([*WEIGHTS[:4], [None]], "weights[4] (b_o): expected an array of real numbers, got object"),
    "ragged": (
        [[[1], [2, 3]], *WEIGHTS[1:]], "weights[0] (U): expected an array of numbers, got rows of different lengths",
    ),
    "nothing": (None, f"weights: expected a list of 5 arrays ({NAMES}), or a mapping by name, got NoneType"),
    "a number": (3.0, f"weights: expected a list of 5 arrays ({NAMES}), or a mapping by name, got float"),
    "a set": ({1.0, 2.0}, f"weights: expected a list of 5 arrays ({NAMES}), or a mapping by name, got set"),
}  # fmt: skip
WRONG_X: dict[str, tuple[Any, str]] = {
    "a number": (1.0, X_SHAPE + "()"),
    "rank 4": (np.zeros((1, 1, 3, 1)), X_SHAPE + "(1, 1, 3, 1)"),
    "two steps": ([1, 2], X_SHAPE + "(2,)"),
    "two steps in a batch": (np.zeros((4, 2, 1)), X_SHAPE + "(4, 2, 1)"),
    "two features": (np.zeros((4, 3, 2)), X_SHAPE + "(4, 3, 2)"),
    "samples and steps": (np.zeros((4, 3)), X_SHAPE + "(4, 3)"),
    "no samples": (np.zeros((0, 3, 1)), X_SHAPE + "(0, 3, 1)"),
    "empty": ([], X_SHAPE + "(0,)"),
    "strings": (["1", "2", "3"], "x: expected an array of real numbers, got <U1"),
    "complex": ([1j, 2, 3], "x: expected an array of real numbers, got complex128"),
    "objects": ([1, 2, None], "x: expected an array of real numbers, got object"),
    "None": (None, "x: expected an array of real numbers, got object"),
    "a mapping": ({"x": [1, 2, 3]}, "x: expected an array of real numbers, got object"),
    "dates": (np.array(["2020-01-01"] * 3, "datetime64[D]"), "x: expected an array of real numbers, got datetime64[D]"),
    "no double": ([10**400, 1, 2], "x: expected an array of real numbers, got object"),
    "ragged": ([[1], [2, 3], [4]], "x: expected an array of numbers, got rows of different lengths"),
}
WRONG_TARGETS: dict[str, tuple[Derivation, Any, str]] = {
    "two numbers": (NOTEBOOK, [1, 2], "y_true: expected the shape (1,), got (2,)"),
    "a batch": (NOTEBOOK, [[1], [2]], "y_true: expected the shape (1,), got (2, 1)"),
    "None": (NOTEBOOK, None, "y_true: expected an array of real numbers, got object"),
    "one output": (MATRICES, [1], "y_true: expected the shape (2,), got (1,)"),
    "one step": (SEQUENCE, [1, 2], "y_true: expected the shape (2, 2), got (2,)"),
}
WRONG_STARTS: dict[str, tuple[Any, str]] = {
    "none": (X, "x: expected the list [x, h_init], got 3 entries"),
    "only x": ([X], "x: expected the list [x, h_init], got 1 entries"),
    "an array": (np.zeros((2, 2, 1)), "x: expected the list [x, h_init], got ndarray"),
    "another width": ([[1, 2], [0, 0, 0]], "h_init: expected the shape (samples, 2), or (2,) for one sample, got (3,)"),
    "no batch": ([np.zeros((3, 2, 1)), [0, 0]], "h_init: expected an axis of samples, as x has"),
    "a batch of one": ([np.zeros((1, 2, 1)), [0, 0]], "h_init: expected an axis of samples, as x has"),
    "another batch": ([np.zeros((3, 2, 1)), [[0, 0]] * 2], "h_init: expected 3 samples, as x has, got 2"),
    "one of a batch": ([np.zeros((2, 1)), [[0, 0]]], "h_init: expected no axis of samples, as x has none"),
    "None": ([[1, 2], None], "h_init: expected an array of real numbers, got object"),
}


def refused(message: str, error: type[Exception] = ValueError) -> Any:
    """The whole message of the error that the block raises."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(("weights", "message"), WRONG_WEIGHTS.values(), ids=WRONG_WEIGHTS.keys())
def test_refuses_weights(weights: Any, message: str) -> None:
    for f in (NOTEBOOK.lambdify(), NOTEBOOK.gradient().lambdify(), NOTEBOOK.values):
        with refused(message):
            f(X, weights)


@pytest.mark.parametrize(("x", "message"), WRONG_X.values(), ids=WRONG_X.keys())
def test_refuses_x(x: Any, message: str) -> None:
    for f in (NOTEBOOK.lambdify(), NOTEBOOK.gradient().lambdify(), NOTEBOOK.values):
        with refused(message):
            f(x, WEIGHTS)


@pytest.mark.parametrize("shape", [(1, 0, 1), (1, 4, 3), ()])
def test_refuses_x_of_open_steps(shape: tuple[int, ...]) -> None:
    with refused(f"x: expected the shape (samples, timesteps, 1), or (timesteps, 1) for one sample, got {shape}"):
        OPEN.lambdify()(np.zeros(shape), WEIGHTS)


def test_refuses_too_few_steps_for_the_step_asked_for() -> None:
    g = OPEN.gradient(wrt=["h_9"]).lambdify()
    assert g([1] * 10, WEIGHTS)[0].shape == (1,)
    for x in ([1] * 9, [[[1]] * 9] * 2):
        with refused("x: expected more than 9 time steps, because step 9 was asked for, got 9"):
            g(x, WEIGHTS)


@pytest.mark.parametrize(("d", "y_true", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS.keys())
def test_refuses_y_true(d: Derivation, y_true: Any, message: str) -> None:
    x, weights = drawn(d, 1)
    with refused(message):
        d.gradient("mse").lambdify()(x[0], y_true, weights)


@pytest.mark.parametrize(("x", "message"), WRONG_STARTS.values(), ids=WRONG_STARTS.keys())
def test_refuses_initial_states(x: Any, message: str) -> None:
    with refused(message):
        STARTED.lambdify()(x, drawn(STARTED)[1])


@pytest.mark.parametrize(
    ("x", "y_true", "weights", "what"),
    [
        ([HALF] * 3, 1, WEIGHTS, "x"),
        (X, HALF, WEIGHTS, "y_true"),
        (X, 1, [[[HALF]], *WEIGHTS[1:]], "weights[0] (U)"),
    ],
)
def test_refuses_float16(x: Any, y_true: Any, weights: Any, what: str) -> None:
    with refused(f"{what}: float16 is not supported; supported: float32, float64", NotImplementedError):
        NOTEBOOK.gradient("mse").lambdify()(x, y_true, weights)


def test_refuses_another_number_of_arguments() -> None:
    f, g = NOTEBOOK.lambdify(), NOTEBOOK.gradient("mse").lambdify()
    for name, function, arguments, expected in [
        ("predict", f, (X,), "x, weights"),
        ("predict", f, (X, 1, WEIGHTS), "x, weights"),
        ("gradient", g, (X, WEIGHTS), "x, y_true, weights"),
        ("gradient", g, (X, 1, WEIGHTS, 1), "x, y_true, weights"),
        ("gradient", NOTEBOOK.gradient().lambdify(), (X, 1, WEIGHTS), "x, weights"),
    ]:
        with refused(f"{name}: expected the arguments ({expected}), got {len(arguments)} arguments"):
            function(*arguments)
