"""check: models that agree, in both precisions; what is undecidable; what is refused."""

import json
import re

import numpy as np
import pytest
from sympy import Eq, MatrixSymbol, tanh

import symrnn
from symrnn import (
    GRU,
    LSTM,
    RNN,
    Activation,
    Concatenate,
    Dense,
    Dropout,
    Input,
    Masking,
    Model,
    Sequential,
    SimpleRNN,
    TimeDistributed,
)
from symrnn.derivation import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.functions import activations
from symrnn.losses import LOSSES, Loss
from symrnn.models import build
from symrnn.objective import objective
from symrnn.observed import kept_states
from symrnn.points import random_inputs, random_targets
from tests.models_of_keras import GRAPHS, LAYERS, MASKED, STATEFUL, STATES

keras = pytest.importorskip("keras")


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


READ_OUT = {"return_sequences": True}
MODELS = {
    "notebook": (Sequential([SimpleRNN(1), Dense(1)], (3, 1)), None),
    "wide": (Sequential([SimpleRNN(8), Dense(3)], (7, 4)), "mse"),
    "open time": (Sequential([SimpleRNN(3), Dense(1)], (None, 2)), "mae"),
    "backwards": (Sequential([SimpleRNN(3, go_backwards=True), Dense(2)], (4, 2)), "huber"),
    "every step": (Sequential([SimpleRNN(3, **READ_OUT), Dense(2, "softmax")], (4, 2)), "categorical_crossentropy"),
    "distributed": (
        Sequential([SimpleRNN(3, **READ_OUT), TimeDistributed(Dense(2, "sigmoid"))], (4, 2)),
        "binary_crossentropy",
    ),
    "stack": (
        Sequential([SimpleRNN(3, "relu", **READ_OUT, go_backwards=True), Dropout(0.5), SimpleRNN(2)], (4, 2)),
        None,
    ),
    "activation": (Sequential([SimpleRNN(3, "gelu"), Dense(2), Activation("sigmoid")], (4, 2)), "binary_crossentropy"),
    "no bias": (Sequential([SimpleRNN(3, use_bias=False), Dense(2, use_bias=False)], (4, 2)), "mse"),
}


@pytest.mark.parametrize("name", MODELS)
def test_right_models_agree(name, dtype):
    model, loss = MODELS[name]
    report = symrnn.check(build(model, seed=5), loss=loss)
    assert report.ok, str(report)
    assert report.dtype == dtype
    names = [row.quantity for row in report.rows]
    assert names[0] in ("y", "y_t")
    assert ("L" in names) == (loss is not None)
    assert sum(name.startswith("h_t") for name in names) == sum(isinstance(one, SimpleRNN) for one in model.layers)
    assert names[-1].endswith("/∂x_t")
    json.dumps(report.to_dict())
    if dtype == "float64":
        assert max(row.difference for row in report.rows) < 1e-13


def test_saturated_states_are_not_called_wrong():
    """Keras' float32 tanh is 1 from 7.9 on, so that its gradient is 0 where the right one is not."""
    model = build(Sequential([SimpleRNN(2), Dense(1)], (3, 1)))
    model.set_weights([np.full((1, 2), 8.1), *model.get_weights()[1:]])
    report = symrnn.check(model, np.ones((1, 3, 1)))
    assert report.verdict != "differs", str(report)


def test_a_chaotic_model_is_undecidable_in_float32():
    model = build(Sequential([SimpleRNN(16), Dense(1)], (150, 1)))
    generator = np.random.default_rng(0)
    model.set_weights([3 * generator.normal(size=weight.shape) for weight in model.get_weights()])
    report = symrnn.check(model)
    assert report.verdict == "undecidable", str(report)
    assert not report.ok


def test_dead_units_agree():
    model = build(Sequential([SimpleRNN(2, "relu"), Dense(1)], (3, 1)))
    model.set_weights([-np.ones((1, 2)), np.zeros((2, 2)), np.zeros(2), np.ones((2, 1)), np.zeros(1)])
    report = symrnn.check(model, np.ones((2, 3, 1)))
    assert report.ok
    assert next(row for row in report.rows if row.quantity == "∂y/∂U").ours == 0


def test_nan_agrees_with_nan():
    model = build(Sequential([SimpleRNN(2), Dense(1)], (3, 1)))
    report = symrnn.check(model, [[np.nan], [1], [2]])
    assert report.ok, str(report)


def test_the_seed_decides_what_is_random():
    model = build(Sequential([SimpleRNN(2), Dense(1)], (3, 1)))
    assert symrnn.check(model, loss="mse", seed=1) == symrnn.check(model, loss="mse", seed=1)
    assert symrnn.check(model, seed=1).rows != symrnn.check(model, seed=2).rows


MODEL = Sequential([SimpleRNN(2), Dense(1)], (3, 1))
REFUSED = [
    ({"loss": "squares"}, ValueError, "unknown loss 'squares'; known: .*"),
    ({"x": np.ones((2, 4, 1))}, ValueError, r"x: expected the shape \(samples, 3, 1\), .*, got \(2, 4, 1\)"),
    (
        {"x": np.ones((2, 3, 1)), "y_true": np.ones((3, 1)), "loss": "mse"},
        ValueError,
        r"y_true: expected the shape \(2, 1\), got \(3, 1\)",
    ),
    (
        {"derivation": symrnn.derive(Sequential([SimpleRNN(3), Dense(1)], (3, 1)))},
        ValueError,
        "derivation: expected weights of the shapes .*, as the model has it, got .*",
    ),
    (
        {"derivation": symrnn.derive(MODEL).gradient("mse"), "loss": "mae"},
        ValueError,
        "loss: expected mse, the loss of the derivation, got 'mae'",
    ),
    (
        {"derivation": symrnn.derive(MODEL).gradient(wrt=["h_1"])},
        NotImplementedError,
        "check: derivative by h_t: Keras is asked for weights, inputs and initial states only",
    ),
]


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED, ids=lambda value: str(value)[:30])
def test_refused(options, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        symrnn.check(build(MODEL), **options)


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(
        NotImplementedError, match="^" + re.escape("check: Keras runs on jax; supported: tensorflow") + "$"
    ):
        symrnn.check(None)


# more of what is right ------------------------------------------------------------------------------


def live(model, scale=0.5, seed=0, batch_size=None):
    """The Keras model with normal weights."""
    built = build(model, batch_size=batch_size)
    generator = np.random.default_rng(seed)
    built.set_weights([generator.normal(0, scale, weight.shape) for weight in built.get_weights()])
    return built


def quantities(report, verdict):
    return [row.quantity for row in report.rows if row.verdict == verdict]


@pytest.mark.parametrize(
    ("layers", "loss", "names"),
    [
        ([SimpleRNN(2), Dense(1)], None, "y h_t ∂y/∂U ∂y/∂V ∂y/∂b_h ∂y/∂W ∂y/∂b_o ∂y/∂x_t"),
        ([SimpleRNN(2), Dense(1)], "mse", "y h_t L ∂L/∂U ∂L/∂V ∂L/∂b_h ∂L/∂W ∂L/∂b_o ∂L/∂x_t"),
        ([SimpleRNN(2, use_bias=False)], None, "y h_t ∂s/∂U ∂s/∂V ∂s/∂x_t"),
        ([Dense(2, "tanh")], "mae", "y_t L ∂L/∂W ∂L/∂b_o ∂L/∂x_t"),
        (
            [SimpleRNN(2, **READ_OUT), SimpleRNN(1, **READ_OUT)],
            "huber",
            "y_t h_t^{(1)} h_t^{(2)} L ∂L/∂U^{(1)} ∂L/∂V^{(1)} ∂L/∂b_h^{(1)} "
            "∂L/∂U^{(2)} ∂L/∂V^{(2)} ∂L/∂b_h^{(2)} ∂L/∂x_t",
        ),
    ],
)
def test_quantities(layers, loss, names):
    report = symrnn.check(live(Sequential(layers, (3, 2))), loss=loss)
    assert quantities(report, "agrees") == names.split()
    assert (report.loss, report.samples, report.timesteps, report.dtype) == (loss, 4, 3, "float32")


def test_the_notebook_in_float64(dtype):
    """The gradient that is off by 3.6e-5 in float32 is right to twelve digits in float64."""
    model = build(NOTEBOOK, weights=NOTEBOOK_WEIGHTS)
    report = symrnn.check(model, NOTEBOOK_X)
    assert report.ok
    assert (max(row.difference for row in report.rows) < 1e-12) == (dtype == "float64")


@pytest.mark.parametrize("activation", sorted({*activations, "softmax"}))
def test_every_activation_agrees(activation, dtype):
    model = Sequential([SimpleRNN(3, activation), Dense(2, activation)], (4, 2))
    for scale in (0.1, 1.0):
        report = symrnn.check(live(model, scale), loss="mse")
        assert report.ok, str(report)


@pytest.mark.parametrize("scale", [5, 20, 100])
def test_saturated_models_agree(scale, dtype):
    report = symrnn.check(live(Sequential([SimpleRNN(3), Dense(2)], (5, 2)), scale))
    assert quantities(report, "differs") == []
    assert {"y", "h_t", "∂s/∂W", "∂s/∂b_o"} <= set(quantities(report, "agrees"))


@pytest.mark.parametrize("activation", ["relu6", "hard_sigmoid", "hard_tanh", "sparse_sigmoid"])
def test_states_at_the_bound_of_an_activation_are_exact(activation, dtype):
    """No rounding moves a state that a minimum holds at its bound."""
    model = build(Sequential([SimpleRNN(2, activation), Dense(1)], (3, 1)))
    weights = [[[9.0, 0.1]], np.eye(2) / 2, [0.0, 0.2], [[0.5], [-0.7]], [0.1]]
    model.set_weights([np.array(weight) for weight in weights])
    report = symrnn.check(model, [[1], [2], [3]])
    assert report.ok, str(report)
    assert max(row.allowed for row in report.rows) < 1e-4


SOFTMAX = {
    "Dense": [SimpleRNN(4), Dense(3, "softmax"), Dropout(0.5)],
    "Activation": [SimpleRNN(4), Activation("softmax")],
    "TimeDistributed": [SimpleRNN(4, **READ_OUT), TimeDistributed(Dense(3, "softmax"))],
    "state": [SimpleRNN(4, "softmax")],
    "states backwards": [SimpleRNN(4, "softmax", **READ_OUT, go_backwards=True)],
}


@pytest.mark.parametrize("layers", SOFTMAX.values(), ids=SOFTMAX.keys())
def test_a_softmax_agrees(layers, dtype):
    """The entries of a softmax sum to one: the gradients of their sum are zero, but for rounding."""
    for seed in range(3):
        report = symrnn.check(live(Sequential(layers, (4, 3)), 2.0, seed))
        assert report.ok, str(report)


@pytest.mark.parametrize(
    ("activation", "middle", "scale"),
    [
        ("elu", 0, 1e-3),
        ("selu", 0, 1e-3),
        ("tanh_shrink", 0, 1e-3),
        ("tanh_shrink", 0, 1e-1),
        ("squareplus", -20, 0.5),
        ("mish", -50, 0.1),
        ("mish", 0, 10),
        ("sigmoid", -50, 0.1),
    ],
)
def test_a_function_that_keras_computes_with_a_cancellation(activation, middle, scale, dtype):
    """TensorFlow's e^x - 1, x - tanh x or x + sqrt(x^2 + 4) lose digits; what is subnormal becomes 0."""
    model = live(Sequential([SimpleRNN(3, activation), Dense(2)], (3, 2)), scale)
    U, V, b, W, c = model.get_weights()
    model.set_weights([U, V, b + middle, W / scale, c])
    for loss in (None, "mse"):
        report = symrnn.check(model, loss=loss)
        assert quantities(report, "differs") == [], str(report)


def test_the_slope_of_celu_far_below_zero():
    """Keras has e^x, which 1 + y rounds to 0 in float32 from x = -17 on."""
    model = live(Sequential([SimpleRNN(3, "celu"), Dense(2)], (3, 2)))
    U, V, b, W, c = model.get_weights()
    model.set_weights([U, V, b - 20, W, c])
    report = symrnn.check(model)
    assert report.ok, str(report)


def test_what_overflows_in_keras_does_not_differ():
    """e^(e^x) is infinite in float32 and a number in float64."""
    report = symrnn.check(live(Sequential([SimpleRNN(2, "exponential"), Dense(1)], (5, 3)), 2.0, 3))
    assert any(not np.isfinite(row.theirs) for row in report.rows)
    assert quantities(report, "differs") == []


def test_chaotic_gradients_do_not_agree():
    """They are 1e17 in float64 and a thousand in float32: equal to nothing."""
    report = symrnn.check(live(Sequential([SimpleRNN(16), Dense(1)], (200, 2)), 3.0))
    assert quantities(report, "agrees") == ["∂y/∂b_o"]
    assert quantities(report, "differs") == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_spoilt_weights_agree(value, dtype):
    model = live(Sequential([SimpleRNN(2), Dense(2)], (3, 1)))
    for place, weight in enumerate(right := model.get_weights()):
        spoilt = [value + weight if i == place else w for i, w in enumerate(right)]
        model.set_weights(spoilt)
        report = symrnn.check(model, loss="mse")
        assert report.ok, str(report)


def test_not_a_number_on_one_side_only_is_a_difference(monkeypatch):
    model = live(MODEL)
    right = model.get_weights()
    model.set_weights([right[0] * np.nan, *right[1:]])
    monkeypatch.setattr(model, "get_weights", lambda: right)
    report = symrnn.check(model)
    assert set(quantities(report, "differs")) == {row.quantity for row in report.rows} - {"∂y/∂b_o"}
    assert {row.difference for row in report.rows} == {np.inf, 0.0}


def test_what_rounding_does_not_explain_differs(dtype, monkeypatch):
    """A weight that is off by a hundred roundings, in a model of a few layers and steps."""
    model = live(MODEL)
    report = symrnn.check(model)
    assert max(row.allowed for row in report.rows) < 100 * np.finfo(dtype).eps
    U, *rest = model.get_weights()
    monkeypatch.setattr(model, "get_weights", lambda: [U * (1 + 200 * np.finfo(dtype).eps), *rest])
    assert "h_t" in quantities(symrnn.check(model), "differs")


def test_input_in_another_type_than_the_layers():
    """The InputLayer casts x to float32, the layers compute in float64."""
    model = keras.Sequential(
        [
            keras.Input((3, 1), dtype="float32"),
            *(keras.layers.SimpleRNN(2, dtype="float64"), keras.layers.Dense(1, dtype="float64")),
        ]
    )
    report = symrnn.check(model, np.full((2, 3, 1), 0.1))
    assert report.ok, str(report)
    assert report.dtype == "float64"


@pytest.mark.parametrize(
    ("x", "y_true", "samples"),
    [([1, 2, 3], 0.5, 1), ([1, 2, 3], None, 1), ([[1], [2], [3]], [0.5], 1), (np.ones((5, 3, 1)), np.ones(5), 5)],
)
def test_forms_of_arguments(x, y_true, samples):
    model = live(MODEL)
    report = symrnn.check(model, x, y_true, loss="mean_squared_error")
    assert (report.ok, report.samples, report.loss) == (True, samples, "mse")


def test_what_the_derivation_brings():
    model = live(MODEL)
    d = symrnn.derive(MODEL)
    assert symrnn.check(model, derivation=d.gradient("mse")) == symrnn.check(
        model, loss="mse", derivation=d.gradient("mse")
    )
    assert quantities(symrnn.check(model, derivation=d.gradient(wrt=["x", "V"])), "agrees") == [
        "y",
        "h_t",
        "∂y/∂x_t",
        "∂y/∂V",
    ]
    opened = symrnn.derive(Sequential(MODEL.layers, (None, 1)))
    assert symrnn.check(model, derivation=opened).ok


def test_the_model_is_not_changed():
    model = live(MODEL)
    before, config = model.get_weights(), model.to_json()
    symrnn.check(model, loss="mse")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert (model.to_json(), len(model.layers)) == (config, 2)


def test_a_file_as_the_derivation(tmp_path):
    model = live(MODEL)
    model.save(tmp_path / "model.keras")
    d = symrnn.derive(tmp_path / "model.keras")
    assert symrnn.check(model, derivation=d).ok
    x = np.ones((2, 3, 1))
    assert d.dtype == "float32"
    assert d.lambdify()(x, d.weights) == pytest.approx(np.asarray(model(x)), rel=1e-6)


@pytest.mark.parametrize("value", [None, 3, MODEL, "model.keras"], ids=lambda value: type(value).__name__)
def test_refuses_what_is_no_keras_model(value):
    kind = type(value).__name__
    with pytest.raises(ValueError, match=f"^check: expected a Keras model, got {kind}$"):
        symrnn.check(value)


@pytest.mark.parametrize(
    "layers",
    [[SimpleRNN(2, **READ_OUT), Dense(1)], [SimpleRNN(2), Activation("tanh"), Dense(1, "tanh"), Activation("tanh")]],
)
@pytest.mark.parametrize("timesteps", [3, 4])
def test_refuses_the_derivation_of_another_model(layers, timesteps):
    """Weights of the same shapes, but another output or another number of time steps."""
    if layers[0].return_sequences or timesteps == 4:
        with pytest.raises(ValueError, match=r"^derivation: expected .*, got .*$"):
            symrnn.check(live(MODEL), derivation=symrnn.derive(Sequential(layers, (timesteps, 1))))
    else:
        report = symrnn.check(live(MODEL), derivation=symrnn.derive(Sequential(layers, (timesteps, 1))))
        assert "y" in quantities(report, "differs")


def test_refuses_targets_without_a_loss():
    with pytest.raises(ValueError, match=r"^y_true: .*loss.*$"):
        symrnn.check(live(MODEL), np.ones((2, 3, 1)), np.ones((2, 1)))


def test_refuses_what_is_no_derivation():
    for value in (3, "mse", MODEL):
        with pytest.raises(ValueError, match=f"^derivation: expected a Derivation, got {type(value).__name__}$"):
            symrnn.check(live(MODEL), derivation=value)


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
def test_every_kind_of_model_agrees(name, dtype):
    report = symrnn.check(live(KINDS[name]()), detail="layers")
    assert report.ok, str(report)
    if dtype == "float64":
        assert max(row.difference for row in report.rows) < 1e-13


@UNMASKED
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model_agrees_with_a_loss(name):
    report = symrnn.check(live(KINDS[name]()), loss="mse", detail="steps")
    assert report.ok, str(report)
    assert "L" in quantities(report, "agrees")


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize("loss", [None, "mae"])
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
    states = [symrnn.derive(model).network.program.letters[final].text for final in symrnn.derive(model).network.finals]
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


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("loss", LOSSES)
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
    found = objective([Loss(loss)], [target.astype("float32")], keras)([y])
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
_BLOCKS = [f"{letter}_{gate}" for letter in "UV" for gate in "ifco"]
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
