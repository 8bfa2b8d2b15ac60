"""check: models that agree, in both precisions; what is undecidable; what is refused."""

import json
import re

import numpy as np
import pytest

import symrnn
from symrnn import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed
from symrnn.checking.keras_models import build
from symrnn.expressions.activations import activations
from symrnn.models.lecture import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X
from tests.support.checking import live, quantities

keras = pytest.importorskip("keras")


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
def test_every_activation_agrees(activation):
    """In float32, as Keras has them; tests/laws/test_properties.py has them in float64."""
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
