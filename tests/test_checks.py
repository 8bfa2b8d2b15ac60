"""check: models that agree, in both precisions; what is undecidable; what is refused."""

import json
import re

import numpy as np
import pytest

import symrnn
from symrnn import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed
from symrnn.models import build

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
        "derivation: expected weights of the shapes .*, those of the model, got .*",
    ),
    (
        {"derivation": symrnn.derive(MODEL).gradient("mse"), "loss": "mae"},
        ValueError,
        "loss: expected mse, the loss of the derivation, got 'mae'",
    ),
    (
        {"derivation": symrnn.derive(MODEL).gradient(wrt=["h_1"])},
        NotImplementedError,
        "check: derivative by h_t: Keras is asked for weights and x only",
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
