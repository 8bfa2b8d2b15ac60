"""The public interface: derive, symbols, programs, values, closed forms and gradients of one derivation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Matrix, MatrixSymbol, Symbol, symbols, tanh

import symrnn
from symrnn import Activation, Dense, Derivation, Gradient, Sequential, SimpleRNN, derive
from symrnn.codegen.arguments import read_weights
from symrnn.expressions.nodes import N
from symrnn.models.losses import ALIASES, LOSSES, Loss
from symrnn.programs.expansion import expand
from tests.codegen.backends.test_numpy_source import evaluated, roundings
from tests.codegen.test_function import WEIGHTS, drawn, entries, exactly, inputs, over_objectives, parts, refused
from tests.support.bank import LOSS_MODELS, MODELS, SAMPLE, SIMPLE, Case, over, written_out

NOTEBOOK = derive()
LAYERS = [SimpleRNN(1), Dense(1)]
OPEN = derive(Sequential(LAYERS, (None, 1)))
UNITS = derive(MODELS["features and outputs"].model)


# derive -------------------------------------------------------------------------------------------


def test_the_default_is_the_notebook() -> None:
    assert NOTEBOOK.network == derive(Sequential(LAYERS, input_shape=(3, 1))).network
    assert (NOTEBOOK.timesteps, NOTEBOOK.weights, NOTEBOOK.dtype) == (3, None, "float32")
    rows = [(weight.symbol.name, weight.keras, weight.shape) for weight in NOTEBOOK.table]
    assert rows == [
        ("U", "kernel", (1, 1)),
        ("V", "recurrent_kernel", (1, 1)),
        ("b_h", "bias", (1,)),
        ("W", "kernel", (1, 1)),
        ("b_o", "bias", (1,)),
    ]


def test_timesteps() -> None:
    assert derive(Sequential(LAYERS, (None, 1)), timesteps=4).timesteps == 4
    assert derive(Sequential(LAYERS, (4, 1)), timesteps=4).timesteps == 4
    assert derive(timesteps=3).timesteps == 3
    assert OPEN.timesteps is None


@pytest.mark.parametrize("timesteps", [0, -1, 1.5, True, "3", np.float64(3)])
def test_refuses_timesteps(timesteps: Any) -> None:
    for model in (None, Sequential(LAYERS, (None, 1))):
        with refused(f"derive: timesteps: expected a positive whole number, got {timesteps!r}"):
            derive(model, timesteps=timesteps)


def test_refuses_timesteps_that_contradict_the_model() -> None:
    with refused("derive: timesteps: expected 3, as the model has it, got 4"):
        derive(timesteps=4)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (3, "int"),
        (LAYERS, "list"),
        (LAYERS[0], "SimpleRNN"),
        (Sequential, "type"),
        (NOTEBOOK, "Derivation"),
        (b"m", "bytes"),
    ],
)
def test_refuses_what_is_no_model(model: Any, name: str) -> None:
    with refused(f"derive: expected a Sequential, a Model, a Keras model or a path, got {name}"):
        derive(model)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    for model in (path, str(path)):
        with refused(f"{path}: no such file", FileNotFoundError):
            derive(model)


@pytest.mark.parametrize(
    ("layers", "features", "scalar"),
    [
        ([SimpleRNN(1)], 1, True),
        ([SimpleRNN(1), Dense(1), Activation("tanh")], 1, True),
        ([SimpleRNN(1, return_sequences=True), SimpleRNN(1)], 1, True),
        ([SimpleRNN(1)], 2, False),
        ([SimpleRNN(2)], 1, False),
        ([SimpleRNN(1), Dense(2)], 1, False),
        ([Activation("tanh")], 2, False),
    ],
)
def test_a_model_is_scalar_where_every_size_is_one(layers: list[Any], features: int, scalar: bool) -> None:
    d = derive(Sequential(layers, (2, features)))
    assert d.is_scalar is scalar
    assert all(isinstance(symbol, Symbol if scalar else MatrixSymbol) for symbol in d.symbols.values())


def test_what_the_package_exports() -> None:
    assert all(hasattr(symrnn, name) for name in symrnn.__all__)
    assert sorted(symrnn.__all__) == sorted(set(symrnn.__all__))


# symbols and programs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "names"),
    [
        (NOTEBOOK, "U V b_h W b_o x_0 x_1 x_2 a_0 h_0 a_1 h_1 a_2 h_2 y"),
        (OPEN, "U V b_h W b_o x_t a_t h_t y"),
        (
            NOTEBOOK.gradient("mse"),
            "U V b_h W b_o y_true x_0 x_1 x_2 a_0 h_0 a_1 h_1 a_2 h_2 y L "
            "dy dh_2 delta_2 dh_1 delta_1 dh_0 delta_0 dU dV db_h dW db_o",
        ),
        (NOTEBOOK.gradient(wrt=["h_2"]), "U V b_h W b_o x_0 x_1 x_2 a_0 h_0 a_1 h_1 a_2 h_2 y dy dh_2"),
        (
            derive(MODELS["stack"].model),
            "U1 V1 b1_h U2 V2 b2_h W b_o x_0 x_1 a1_0 h1_0 a1_1 h1_1 a2_0 h2_0 a2_1 h2_1 y",
        ),
    ],
)
def test_names_of_symbols(d: Derivation, names: str) -> None:
    assert sorted(d.symbols) == sorted(names.split())
    assert all(symbol.name == name for name, symbol in d.symbols.items())


def test_symbols_are_real_numbers_or_matrices() -> None:
    assert NOTEBOOK.symbols["x_0"] == Symbol("x_0", real=True)
    assert UNITS.symbols["x_0"] == MatrixSymbol("x_0", N, 2)
    assert UNITS.symbols["b_h"] == MatrixSymbol("b_h", 1, 2)


def test_programs() -> None:
    for zoom in ("step", "unrolled", "scalar"):
        for samples in (1, 2):
            scalar = UNITS.program(zoom, samples)
            assert all(isinstance(s, Symbol if zoom == "scalar" else MatrixSymbol) for s in scalar.inputs)
    assert len(UNITS.program("scalar", 2).outputs) == 2 * len(UNITS.program("scalar").outputs) == 4
    assert UNITS.program() == UNITS.program("unrolled")
    assert NOTEBOOK.program("unrolled") == NOTEBOOK.program("scalar")
    assert all(isinstance(symbol, Symbol) for symbol in NOTEBOOK.program("step").inputs)
    assert [e.eq() for e in NOTEBOOK.program().assignments][-1] == sympy.Eq(
        NOTEBOOK.symbols["y"], NOTEBOOK.symbols["W"] * NOTEBOOK.symbols["h_2"] + NOTEBOOK.symbols["b_o"]
    )


@pytest.mark.parametrize("zoom", ["nope", "", "Step", None, 0, ["step"]])
def test_refuses_a_zoom(zoom: Any) -> None:
    for d in (NOTEBOOK, NOTEBOOK.gradient()):
        with refused(f"unknown zoom {zoom!r}; known: step, unrolled, scalar"):
            d.program(zoom)
        for show in (d.latex, d.text):
            with refused(f"unknown zoom {zoom!r}; known: step, unrolled, scalar, closed"):
                show(zoom)


@pytest.mark.parametrize("d", [OPEN, OPEN.gradient("mse")], ids=["values", "gradient"])
def test_open_steps_have_one_zoom(d: Derivation) -> None:
    message = "the model leaves the number of time steps open: give timesteps, or take zoom 'step'"
    for zoom in ("unrolled", "scalar"):
        for show in (d.program, d.latex, d.text):
            with refused(f"zoom {zoom!r}: {message}"):
                show(zoom)
    for show in (d.latex, d.text):
        with refused(f"zoom 'closed': {message}"):
            show("closed")
    for closed in (d.closed, lambda: d.y):
        with pytest.raises(ValueError, match=f"^.*{message}$"):
            closed()
    assert d.program("step").outputs
    assert d.latex("step")
    assert d.text("step")


@pytest.mark.parametrize("samples", [0, -1, 1.5, True, "2", None])
def test_refuses_samples(samples: Any) -> None:
    for show in (NOTEBOOK.program, NOTEBOOK.latex, NOTEBOOK.text):
        with pytest.raises(ValueError, match=f"^[a-z' ]+: samples: expected a positive whole number, got {samples!r}$"):
            show("unrolled", samples)


# values -------------------------------------------------------------------------------------------


UNUSED = {f"dp{layer}_0" for layer in ("", "1", "2", "fw")} | {"dp_1", "dpbw_1"}
"""The adjoints of h_{-1} V_h, which is 0: nothing needs them."""


@over_objectives
def test_values_are_those_of_every_symbol(case: Case, loss: str | None) -> None:
    """The names are those of `symbols` and of the unrolled program, the numbers those of law 4."""
    d = case.derivation
    forward = () if case in LOSS_MODELS.values() or (loss and case in SIMPLE.values()) else (d,)  # those of no loss
    for given in (*forward, d.gradient(loss)):
        arguments = drawn(given, 1, loss if given is not d else None)
        values = given.values(*arguments)
        program = given.program("unrolled")
        assert {s.name for s in (*program.inputs, *(e.lhs for e in program.assignments))} == set(given.symbols)
        assert set(values) - set(given.symbols) <= UNUSED
        program = expand(replace(program, outputs=tuple(given.symbols.values())))
        numbers = [values[symbol.name] for symbol in given.program("unrolled").inputs]
        exact, sizes = evaluated(program, entries(numbers))
        assert roundings([values[name] for name in given.symbols], exact, sizes, 2.0**-53) < 100


@over(MODELS)
def test_values_are_what_the_functions_return(case: Case) -> None:
    d = case.derivation
    arguments = drawn(d, 2, "mse")
    x, _, weights = arguments
    values = d.gradient("mse").values(*arguments)
    loss, slopes = d.gradient("mse", [part.symbol for part in d.table]).lambdify()(*arguments)
    names = iter(symbol.name for symbol in d.program("unrolled", "N").outputs)
    for head, y in zip(d.network.heads, parts(d.lambdify()(x, weights)), strict=False):
        steps = np.moveaxis(y, 1, 0) if head.sequence else [y]
        assert [values[next(names)] for _ in steps] == [pytest.approx(step, rel=1e-14) for step in steps]
    assert values["L"] == pytest.approx(loss, rel=1e-14)
    arrays = read_weights(d.lambdify().arguments, weights)
    for part, slope in zip(d.table, slopes, strict=True):
        name = part.symbol.name
        assert values[f"d{name}"] == pytest.approx(slope, rel=1e-12, abs=1e-15)
        assert (values[name].tolist(), values[name].shape) == (arrays[name].tolist(), part.shape)


@pytest.mark.parametrize("name", ["scalar", "units", "stack", "sequence backwards", "initial state"])
def test_adjoints_among_the_values_are_derivatives(name: str) -> None:
    d = derive(MODELS[name].model)
    names = d.network.program.names
    families = {names[s].family for s in d.steps.names if names[s].base in "ah" and names[s].time == "t"}
    for loss in (None, "mse"):
        arguments = drawn(d, 2, loss)
        values = d.gradient(loss).values(*arguments)
        for family in families:
            bar = family.replace("a", "delta") if family[0] == "a" else f"d{family}"
            for t in range(d.timesteps):
                slope = list(parts(d.gradient(loss, [f"{family}_{t}"]).lambdify()(*arguments)))[-1]
                assert values[f"{bar}_{t}"] == pytest.approx(slope, rel=1e-12, abs=1e-15)


def test_values_of_one_sample_have_no_samples_axis() -> None:
    (x, y_true, weights) = drawn(UNITS, 1, "mse")
    batch = UNITS.gradient("mse").values(x, y_true, weights)
    alone = UNITS.gradient("mse").values(x[0], y_true[0], weights)
    assert {name: value.shape for name, value in alone.items() if name in ("h_0", "delta_1", "y", "U", "dU")} == {
        "h_0": (2,), "delta_1": (2,), "y": (2,), "U": (2, 2), "dU": (2, 2),
    }  # fmt: skip
    assert {name: np.squeeze(value).tolist() for name, value in batch.items()} == {
        name: np.squeeze(value).tolist() for name, value in alone.items()
    }


def test_values_of_open_steps() -> None:
    values = OPEN.values([1, 2, 3, 4], WEIGHTS)
    assert [name for name in values if name.startswith("h")] == ["h_0", "h_1", "h_2", "h_3"]
    assert values["y"] == pytest.approx(OPEN.lambdify()([1, 2, 3, 4], WEIGHTS))


def test_the_notebooks_values() -> None:
    values = NOTEBOOK.gradient().values([1, 2, 3], WEIGHTS)
    h_0, h_1, h_2 = (float(values[f"h_{t}"][0]) for t in range(3))
    assert h_0 == pytest.approx(np.tanh(1.4501959))
    assert h_1 == pytest.approx(np.tanh(2 * 1.4501959 - h_0))
    assert (float(values["y"][0]), float(values["dW"][0, 0])) == pytest.approx((0.5746256, h_2), abs=1e-7)
    assert float(values["delta_2"][0]) == pytest.approx(0.5759429 * (1 - h_2**2), rel=1e-12)


# closed forms -------------------------------------------------------------------------------------


def test_y_is_the_notebooks_formula() -> None:
    U, V, b_h, W, b_o, x_0, x_1, x_2 = symbols("U V b_h W b_o x_0 x_1 x_2", real=True)
    h_1 = tanh(U * x_1 + V * tanh(U * x_0 + b_h) + b_h)
    assert NOTEBOOK.y == W * tanh(U * x_2 + V * h_1 + b_h) + b_o
    assert NOTEBOOK.closed() == (NOTEBOOK.y,)
    assert NOTEBOOK.gradient().y == NOTEBOOK.gradient("mse").y == NOTEBOOK.y


def test_y_holds_definitions_and_closed_holds_names() -> None:
    d = derive(Sequential([SimpleRNN(1, "sigmoid")], (1, 1)))
    U, b_h, x_0 = symbols("U b_h x_0", real=True)
    assert d.y == 1 / (1 + sympy.exp(-U * x_0 - b_h))
    assert str(d.closed()[0]) == "sigmoid(U*x_0 + b_h)"


def test_y_of_several_outputs_is_a_row() -> None:
    assert isinstance(UNITS.y, Matrix)
    assert UNITS.y.shape == (1, 2)
    assert tuple(UNITS.y) == UNITS.closed()
    assert derive(MODELS["sequence"].model).y.shape == (1, 4)


def computed(d: Derivation, exprs: Any, arguments: tuple[Any, ...]) -> list[float]:
    """Expressions in the inputs, as numbers."""
    program = d.program("scalar")
    f = sympy.lambdify(program.inputs, [written_out(expr) for expr in exprs], modules="mpmath")
    with mpmath.workdps(50):
        return [float(value) for value in f(*map(exactly, inputs(d, arguments)))]


@over(SAMPLE)
def test_closed_forms_are_the_numbers(case: Case) -> None:
    d = case.derivation
    arguments = drawn(d, 1)
    results = list(parts(d.lambdify()(*arguments)))[: len(d.network.heads)]
    y = pytest.approx(entries(results), rel=1e-12, abs=1e-15)
    outputs = d.y if isinstance(d.y, tuple) else (d.y,)
    assert computed(d, d.closed(), arguments) == y
    assert computed(d, [entry for one in outputs for entry in Matrix([one])], arguments) == y


SMALL = ["scalar", "units", "stack", "backwards", "sequence", "TimeDistributed", "softmax output", "activation gelu"]


@pytest.mark.parametrize("loss", [None, "mse"])
@pytest.mark.parametrize("name", SMALL)
def test_closed_gradients_are_the_numbers(name: str, loss: str | None) -> None:
    d = derive(MODELS[name].model).gradient(loss)
    arguments = drawn(d, 1, loss)
    slopes = d.lambdify()(*arguments)[-1 if loss else slice(None)]
    assert computed(d, d.closed(), arguments) == pytest.approx(entries(slopes), rel=1e-11, abs=1e-14)


# gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [None, "mse"])
def test_a_gradient_is_a_derivation(loss: str | None) -> None:
    g = NOTEBOOK.gradient(loss)
    assert isinstance(g, Gradient)
    assert isinstance(g, Derivation)
    assert (g.timesteps, g.table, g.is_scalar) == (3, NOTEBOOK.table, True)
    assert g.loss == (None if loss is None else (Loss(loss),))
    assert set(NOTEBOOK.symbols) < set(g.symbols)
    for zoom in ("step", "unrolled", "scalar", "closed"):
        assert g.latex(zoom).startswith(r"\begin{align*}")
        assert g.text(zoom)


def test_the_notebooks_gradients() -> None:
    """Keras' own, of float32, are within a thousand roundings of these."""
    slopes = NOTEBOOK.gradient().lambdify()([1, 2, 3], WEIGHTS)
    assert entries(slopes) == pytest.approx([0.00756265, 0.00237273, 0.00248374, 0.9977128, 1], rel=1e-4)


@pytest.mark.parametrize(
    ("name", "meant"), [("mean_squared_error", "mse"), ("MAE", "mae"), ("bce", "binary_crossentropy")]
)
def test_other_names_of_losses(name: str, meant: str) -> None:
    assert NOTEBOOK.gradient(name) == NOTEBOOK.gradient(meant)
    assert NOTEBOOK.gradient(name).loss == (Loss(meant),)


@pytest.mark.parametrize("loss", ["nope", "", 3, {"name": "mse"}])
def test_refuses_a_loss(loss: Any) -> None:
    with refused(f"unknown loss {loss!r}; known: {', '.join(sorted([*LOSSES, *ALIASES]))}"):
        NOTEBOOK.gradient(loss)


@pytest.mark.parametrize("wrt", ["b_h", "x", 5, NOTEBOOK.symbols["U"]], ids=str)
def test_refuses_wrt_that_is_no_list(wrt: Any) -> None:
    with pytest.raises(ValueError, match=r"^wrt: expected a list of names, got .*$"):
        NOTEBOOK.gradient(wrt=wrt)
