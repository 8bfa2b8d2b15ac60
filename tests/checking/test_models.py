"""check of every kind of model: masks, states, graphs, losses, detail, cells of your own; what is drawn for it."""

import re

import numpy as np
import pytest
from sympy import Eq, MatrixSymbol, tanh

import symrnn
from symrnn import GRU, LSTM, RNN, Activation, Concatenate, Dense, Dropout, Input, Masking, Model, Sequential, SimpleRNN
from symrnn.checking.keras_models import build
from symrnn.checking.objective import objective_of
from symrnn.checking.recording import kept_states
from symrnn.models.losses import LOSSES, Loss
from symrnn.models.sampling import random_inputs, random_targets
from tests.support.checking import live, quantities
from tests.support.models_of_keras import GRAPHS, LAYERS, MASKED, STATEFUL, STATES

keras = pytest.importorskip("keras")
READ_OUT = {"return_sequences": True}


# every kind of model --------------------------------------------------------------------------------

KINDS = {
    **{f"{name}": made for name, made in LAYERS.items()},
    **{f"masked, {name}": made for name, made in MASKED.items()},
    **{f"given states, {name}": made for name, made in STATES.items()},
    **{f"graph, {name}": made for name, made in GRAPHS.items()},
}
UNMASKED = pytest.mark.filterwarnings(r"ignore:Layer [\s\S]* does not support masking:UserWarning")


@UNMASKED
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model_agrees(name):
    """In float32, as Keras has them; tests/laws/test_properties.py has them in float64."""
    report = symrnn.check(live(KINDS[name]()), loss="mse", detail="steps")
    assert report.ok, str(report)
    assert "L" in quantities(report, "agrees")


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize(("loss", "dtype"), [(None, "float64"), ("mae", "float32")], indirect=["dtype"])
def test_models_that_keep_their_states_agree(name, loss, dtype):
    model = live(STATEFUL[name](), batch_size=3)
    kept = kept_states(model, keras)
    for number, variable in enumerate(kept):
        variable.assign(np.full(variable.shape, number))
    report = symrnn.check(model, loss=loss)
    assert report.ok, str(report)
    assert report.samples == 3
    assert [np.unique(variable.numpy()).tolist() for variable in kept] == [[number] for number in range(len(kept))]
    agrees = quantities(report, "agrees")
    states = [symrnn.derive(model).network.program.names[final].text for final in symrnn.derive(model).network.finals]
    assert set(states) <= set(agrees)
    assert sum("_{-1}" in name or "_T^" in name or name.endswith("_T") for name in agrees) == len(kept)


def test_states_that_are_not_given_are_those_that_the_model_has():
    model = live(Sequential([SimpleRNN(2, stateful=True), Dense(1)], (3, 1)), batch_size=2)
    x, h = np.ones((2, 3, 1)), np.full((2, 2), 0.5)
    one = symrnn.check(model, [x, h])
    assert one.ok
    zero = symrnn.check(model, x)
    assert zero.ok
    assert one.rows != zero.rows
    kept_states(model, keras)[0].assign(h)
    assert symrnn.check(model, x) == one


@UNMASKED
def test_a_model_in_a_model():
    inner = keras.Sequential([keras.Input((4, 2)), keras.layers.GRU(2, return_sequences=True), keras.layers.Dense(3)])
    x = keras.Input((4, 2))
    model = keras.Model(x, keras.layers.LSTM(2)(inner(keras.layers.Masking()(x))))
    report = symrnn.check(model, detail="layers")
    assert report.ok, str(report)
    assert sum(": " in row.quantity for row in report.rows) == 4


# losses -----------------------------------------------------------------------------------------------

HEADS = {"rows": [SimpleRNN(3), Dense(3)], "steps": [Masking(), SimpleRNN(3, **READ_OUT), Dense(3)]}


LAST = [(loss, None) for loss in LOSSES]
LAST += [(loss, name) for loss in LOSSES if "crossentropy" in loss for name in ("softmax", "sigmoid")]
"""A loss, and the activation before it: only a crossentropy looks for one."""


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("loss", "activation"), LAST)
def test_every_loss_agrees(loss, head, activation):
    *layers, dense = HEADS[head]
    model = live(Sequential([*layers, Dense(dense.units, activation)], (4, 2)))
    report = symrnn.check(model, loss=loss)
    assert report.ok, str(report)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_that_of_keras_classes(loss):
    """With the mask of the prediction, as `compute_loss` has it; the classes compute in float32."""
    model = live(Sequential([Masking(), SimpleRNN(3, **READ_OUT), Dense(3, "softmax")], (5, 2)))
    d = symrnn.derive(model)
    x = random_inputs(d.network, 4, 0)[0].astype("float32")
    (target,) = random_targets([loss], d.network.heads, 4, {"T": 5}, 0)
    kind = getattr(keras.losses, LOSSES[loss].names[-1])()
    y = model(x, training=False)
    assert y._keras_mask is not None
    expected = kind(target.astype("float32"), y)
    found = objective_of([Loss(loss)], [target.astype("float32")], keras)([y])
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_nothing_valid_has_the_loss_zero():
    model = live(Sequential([Masking(), SimpleRNN(2, **READ_OUT)], (3, 2)))
    report = symrnn.check(model, np.zeros((2, 3, 2)), loss="mse")
    assert report.ok, str(report)
    assert next(row for row in report.rows if row.quantity == "L").ours == 0


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (["mse", "mae"], "mse + mae"),
        ("mse", "mse"),
        (Loss("huber", delta=0.3), "huber(delta=0.3)"),
        ([Loss("categorical_crossentropy", label_smoothing=0.1), "log_cosh"],
         "categorical_crossentropy(label_smoothing=0.1) + log_cosh"),
    ],
)  # fmt: skip
def test_losses_of_several_outputs(loss, name, dtype):
    report = symrnn.check(live(GRAPHS["branches"]()), loss=loss)
    assert report.ok, str(report)
    assert report.loss == name
    assert f"gradients of the loss {name}." in str(report)


def test_targets_of_several_outputs():
    x, z, y = np.ones((2, 5, 2)), np.ones((2, 3)), [np.ones((2, 2)), np.ones((2, 1))]
    model = live(GRAPHS["branches"]())
    report = symrnn.check(model, [x, z], y, "mse")
    assert report.ok
    assert report.samples == 2
    with pytest.raises(ValueError, match=r"^y_true: expected the list \[.*\], got ndarray$"):
        symrnn.check(model, [x, z], y[0], "mse")


def test_a_softmax_among_other_outputs():
    """Its sum has no derivatives, and so all outputs have a loss."""
    x = Input((4, 2))
    h = GRU(3)(x)
    report = symrnn.check(live(Model(x, [Dense(2)(h), Dense(3, "softmax")(h)])))
    assert report.ok, str(report)
    assert report.loss == "mse + categorical_crossentropy"


def test_bad_losses():
    model = live(GRAPHS["branches"]())
    with pytest.raises(ValueError, match=r"^loss: expected one for all outputs, or a list of 2, got a list of 1$"):
        symrnn.check(model, loss=["mse"])


# detail -----------------------------------------------------------------------------------------------

DETAILED = Sequential(
    [Masking(), LSTM(2, **READ_OUT, name="memory"), Dropout(0.5), Dense(1), Activation("tanh")], (2, 1)
)
_BLOCKS = [f"{name}_{gate}" for name in "UV" for gate in "ifco"]
GRADIENTS = [f"∂s/∂{symbol}" for symbol in [*_BLOCKS, *(f"b_{{h{gate}}}" for gate in "ifco"), "W", "b_o", "x_t"]]


@pytest.mark.parametrize(
    ("detail", "rows"),
    [
        ("model", ["y_t", "h_t", "c_t"]),
        ("layers", ["y_t", "masking: g_t", "h_t", "c_t", "memory, dropout: h_t", "dense, activation: y_t"]),
        (
            "steps",
            ["y_t", "masking: g_t", "h_0", "h_1", "c_0", "c_1", "memory, dropout: h_t", "dense, activation: y_t"],
        ),
    ],
)
def test_detail(detail, rows):
    keras.utils.clear_session()
    report = symrnn.check(live(DETAILED), detail=detail)
    assert quantities(report, "agrees") == [*rows, *GRADIENTS]


def test_the_steps_of_what_a_layer_returns():
    keras.utils.clear_session()
    model = live(Sequential([SimpleRNN(2, go_backwards=True, **READ_OUT, name="back"), Dense(1)], (2, 1)))
    names = [row.quantity for row in symrnn.check(model, detail="steps").rows]
    assert names[:6] == ["y_t", "h_0", "h_1", "back: s_0", "back: s_1", "dense: y_t"]


def test_a_row_of_a_step_has_no_axis_of_time():
    report = symrnn.check(live(DETAILED), detail="steps")
    assert {row.quantity: row.shape for row in report.rows}["c_1"] == (4, 2)


# what is drawn ----------------------------------------------------------------------------------------


def masked_steps(model, samples=5, seed=0):
    d = symrnn.derive(model)
    (x,) = random_inputs(d.network, samples, seed)
    return x, (x == 0) if x.ndim == 2 else (x == float(np.float32(0.1))).all(axis=-1)


@pytest.mark.parametrize("model", [MASKED["every step"](), MASKED["ids"]()], ids=["x", "ids"])
def test_steps_are_masked_at_the_beginning_in_the_middle_and_at_the_end(model):
    _, mask = masked_steps(model)
    assert any(row[0] and not row[-1] for row in mask)
    assert any(row[-1] and not row[0] for row in mask)
    assert any(row[0] and row[-1] and not row.all() for row in mask)
    assert any(not row.any() for row in mask)
    assert any(row.all() for row in mask)


def test_no_sample_is_all_masked_where_a_mean_is_taken():
    x = random_inputs(symrnn.derive(MASKED["the mean"]()).network, 8, 0)[0]
    assert not (x == 0).all(axis=(1, 2)).any()
    assert (x == 0).all(axis=2).any()


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("timesteps", [1, 2, 3])
def test_few_samples_and_steps_are_not_all_masked(samples, timesteps):
    model = Sequential([Masking(), SimpleRNN(2), Dense(1)], (timesteps, 2))
    (x,) = random_inputs(symrnn.derive(model).network, samples, 0)
    assert not (x == 0).all(axis=(1, 2)).any()


def test_a_feature_that_is_the_value_masks_nothing():
    (x,) = random_inputs(symrnn.derive(MASKED["every step"]()).network, 4, 0)
    some = (x == float(np.float32(0.1))).any(axis=-1) & ~(x == float(np.float32(0.1))).all(axis=-1)
    assert some.any()


def test_ids():
    d = symrnn.derive(LAYERS["Embedding"]())
    (ids,) = random_inputs(d.network, 50, 0)
    assert set(ids.ravel()) == set(range(5))


def test_open_lengths_are_different():
    x, z = Input((None, 1)), Input((None, 1))
    model = live(Model([x, z], Concatenate()([GRU(2)(x), GRU(2)(z)])))
    report = symrnn.check(model)
    assert report.ok, str(report)
    assert report.lengths == {"T": 5, "T_2": 6}
    assert "samples: 4, time steps: T = 5, T_2 = 6; gradients" in str(report)
    assert report.to_dict()["lengths"] == {"T": 5, "T_2": 6}


def test_no_time_at_all():
    x = Input((3,))
    report = symrnn.check(live(Model(x, Dense(2)(x))))
    assert report.ok
    assert "samples: 4; gradients" in str(report)
    assert report.timesteps == 1


def test_a_model_without_weights(dtype):
    x, z = Input((4, 2)), Input((4, 2))
    for model in (Sequential([Masking(), Activation("tanh")], (3, 2)), Model([x, z], Concatenate()([x, z]))):
        report = symrnn.check(build(model), loss="mse")
        assert report.ok, str(report)
        assert report.dtype == dtype


def test_ids_are_cut_as_keras_cuts_them():
    model = keras.Sequential([keras.Input((3,), dtype="float32"), keras.layers.Embedding(5, 2), keras.layers.GRU(2)])
    assert symrnn.check(model, [[0.9, 1.5, 4.9]]).ok


# what is asked for ------------------------------------------------------------------------------------


def test_derivatives_by_a_step_and_by_an_initial_state():
    model = live(STATES["LSTM"]())
    d = symrnn.derive(model)
    state = d.network.sources[1].symbol.name
    report = symrnn.check(model, derivation=d.gradient(wrt=["x_1", state, "U", "V_f"]))
    names = quantities(report, "agrees")
    assert names[-7:] == ["∂s/∂x_1", "∂s/∂h_{-1}", *(f"∂s/∂U_{gate}" for gate in "ifco"), "∂s/∂V_f"]


def test_the_model_is_as_it_was():
    model = live(STATEFUL["LSTM"](), batch_size=2)
    own = [dict(vars(layer)) for layer in model.layers]
    symrnn.check(model)
    with pytest.raises(ValueError, match=r"^x: expected 2 samples, for which the model is made, got 5$"):
        symrnn.check(model, [np.ones((5, 4, 2)), *(np.ones((5, 2)) for _ in range(3))])
    assert [set(vars(layer)) for layer in model.layers] == [set(one) for one in own]
    assert all("call" not in vars(layer) for layer in model.layers)


# custom cells -----------------------------------------------------------------------------------------


class Elman(keras.layers.Layer):
    """h = tanh(x U + h V + b), written for Keras."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, shape):
        self.U = self.add_weight(shape=(shape[-1], self.units), name="U")
        self.V = self.add_weight(shape=(self.units, self.units), name="V")
        self.b = self.add_weight(shape=(self.units,), name="b")

    def call(self, x, states):
        h = keras.ops.tanh(x @ self.U + states[0] @ self.V + self.b)
        return h, [h]


def elman(function=tanh, units=3):
    x, a, h, before = (
        MatrixSymbol(name, 1, size) for name, size in [("x_t", 2), ("a_t", 3), ("h_t", 3), ("h_prev", 3)]
    )
    U, V, b = MatrixSymbol("U", 2, 3), MatrixSymbol("V", 3, 3), MatrixSymbol("b_h", 1, 3)
    equations = [Eq(a, x * U + before * V + b), Eq(h, a.applyfunc(function))]
    return symrnn.Cell(equations, x, {"h": (before, h)}, {"U": (2, 3), "V": (3, 3), "b_h": (3,)})


@pytest.fixture
def custom():
    keras.utils.clear_session()
    layers = [keras.layers.Masking(), keras.layers.RNN(Elman(3), return_sequences=True), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((4, 2)), *layers])


def test_a_cell_of_your_own(custom, dtype):
    d = symrnn.derive(Sequential([Masking(), RNN(elman(), **READ_OUT), Dense(2)], (4, 2)))
    report = symrnn.check(custom, derivation=d, loss="mse", detail="layers")
    assert report.ok, str(report)
    names = ["y_t", "masking: g_t", "h_t", "rnn: h_t", "dense: y_t", "L"]
    assert [row.quantity for row in report.rows][:6] == names
    with pytest.raises(NotImplementedError, match="Elman"):
        symrnn.check(custom)


def test_layers_that_the_derivation_leaves_out(custom):
    """The states are still those of the recurrent layers, in their order."""
    model = keras.Sequential([keras.Input((4, 2)), *custom.layers, keras.layers.Dropout(0.5)])
    d = symrnn.derive(Sequential([Masking(), RNN(elman(), **READ_OUT), Dense(2)], (4, 2)))
    report = symrnn.check(model, derivation=d, detail="steps")
    assert report.ok, str(report)
    assert [row.quantity for row in report.rows][:5] == ["y_t", "h_0", "h_1", "h_2", "h_3"]


def test_another_cell_differs(custom):
    d = symrnn.derive(Sequential([Masking(), RNN(elman(lambda z: z), **READ_OUT), Dense(2)], (4, 2)))
    assert "h_t" in quantities(symrnn.check(custom, derivation=d), "differs")


CUSTOM_REFUSED = [
    ((Masking(), RNN(elman()), Dense(2)), "y: expected the shape (4, 4, 2), as Keras' value has it, got (4, 2)"),
    (
        (Masking(), RNN(elman(), **READ_OUT), Dense(1)),
        "expected weights of the shapes [(2, 3), (3, 3), (3,), (3, 2), (2,)], as the model has it, "
        "got weights of the shapes [(2, 3), (3, 3), (3,), (3, 1), (1,)]",
    ),
]


@pytest.mark.parametrize(("layers", "message"), CUSTOM_REFUSED)
def test_refuses_the_derivation_of_another_custom_model(custom, layers, message):
    with pytest.raises(ValueError, match=f"^derivation: {re.escape(message)}$"):
        symrnn.check(custom, derivation=symrnn.derive(Sequential(layers, (4, 2))))


# what is refused --------------------------------------------------------------------------------------

TWO = np.ones((2, 5, 2)), np.ones((2, 3))
SEVERAL_REFUSED = [
    ({"x": TWO[0]}, r"x: expected the list \[x1, x2\], got ndarray"),
    ({"x": [*TWO, TWO[0]]}, r"x: expected the list \[x1, x2\], got 3 entries"),
    ({"x": [TWO[0], np.ones((3, 3))]}, r"x2: expected 2 samples, as x1 has, got 3"),
    ({"detail": "all"}, "detail: expected one of model, layers, steps, got 'all'"),
    ({"derivation": symrnn.derive(LAYERS["LSTM"]())}, "derivation: expected .* inputs: sequence of 2, rows of 3, .*"),
]


@pytest.mark.parametrize(("options", "message"), SEVERAL_REFUSED, ids=lambda value: str(value)[:30])
def test_refused_of_several_inputs(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        symrnn.check(live(GRAPHS["branches"]()), **options)
