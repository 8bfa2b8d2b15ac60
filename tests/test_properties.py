"""Law 5 by Hypothesis: over shapes, layers, activations, losses and weights, the numbers are float64 Keras'."""

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import symrnn
from symrnn import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed
from symrnn.functions import activations
from symrnn.losses import LOSSES
from symrnn.models import build

keras = pytest.importorskip("keras")
tensorflow = pytest.importorskip("tensorflow")

NAMES = sorted({*activations, "softmax"})
POSITIVE = {"softmax", "sigmoid", "exponential", "softplus", "squareplus"}
TOLERANCE = 1e-10
met: Counter = Counter()


@pytest.fixture(autouse=True, scope="module")
def _float64():
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


sizes = st.integers(1, 3)
recurrent = st.builds(
    SimpleRNN,
    sizes,
    activation=st.sampled_from(NAMES),
    use_bias=st.booleans(),
    go_backwards=st.booleans(),
    return_sequences=st.booleans(),
)
dense = st.builds(Dense, sizes, st.sampled_from([None, "sigmoid", "softmax", *NAMES]), st.booleans())


@st.composite
def models(draw, activation):
    """One or two SimpleRNN, the last with this activation, then Dense, Activation, Dropout or nothing."""
    first = [draw(recurrent)] if draw(st.booleans()) else []
    first = [SimpleRNN(layer.units, layer.activation, return_sequences=True) for layer in first]
    last = draw(recurrent)
    last = SimpleRNN(last.units, activation, last.use_bias, last.return_sequences, last.go_backwards)
    heads = [[draw(dense)], [Dropout(0.5), draw(dense)], [Dense(2), Activation(draw(st.sampled_from(NAMES)))], []]
    heads += [[TimeDistributed(draw(dense))]] if last.return_sequences else []
    return Sequential([*first, last, *draw(st.sampled_from(heads))], (draw(st.integers(1, 5)), draw(sizes)))


@pytest.mark.parametrize("activation", NAMES)
@settings(max_examples=10, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(data=st.data())
def test_numbers_are_those_of_keras(activation, data):
    model = data.draw(models(activation))
    loss = data.draw(st.sampled_from([None, *LOSSES]).filter(lambda name: _suits(name, model)))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    live = build(model)
    weights = [generator.uniform(-0.5, 0.5, weight.shape) for weight in live.get_weights()]
    live.set_weights(weights)
    x = generator.normal(size=(data.draw(sizes), *model.input_shape))
    derivation = symrnn.derive(live)
    targets = [] if loss is None else [_targets(derivation, loss, x, generator)]
    theirs = _keras(live, loss, x, *targets)
    assume(all(np.isfinite(result).all() for result in theirs))  # e^x of e^x overflows soon
    wrt = [*(weight.symbol.name for weight in derivation.table), "x"]
    found = derivation.gradient(loss, wrt).lambdify()(x, *targets, weights)
    ours = [derivation.lambdify()(x, weights), *(found if loss is None else [found[0], *found[1]])]
    met.update([activation, *(layer.activation for layer in model.layers if hasattr(layer, "activation")), loss])
    for mine, other in zip(ours, theirs, strict=True):
        assert np.shape(mine) == other.shape
        assert np.max(np.abs(mine - other), initial=0) <= TOLERANCE * max(1e-3, np.max(np.abs(other), initial=0))


def _suits(loss, model):
    """The shares of a categorical crossentropy need several columns with a positive sum."""
    last = next(layer for layer in reversed(model.layers) if not isinstance(layer, Dropout))
    last = last.layer if isinstance(last, TimeDistributed) else last
    several = getattr(last, "units", 2) > 1
    return loss != "categorical_crossentropy" or (several and last.activation in POSITIVE)


def _targets(derivation, loss, x, generator):
    """One-hot rows, zeros and ones, or numbers."""
    shape = (*x.shape[: 2 if derivation.network.sequence else 1], derivation.network.outputs)
    if loss == "categorical_crossentropy":
        return np.eye(shape[-1])[generator.integers(shape[-1], size=shape[:-1])]
    return generator.integers(2, size=shape).astype(float) if "cross" in loss else generator.normal(size=shape)


def _keras(model, loss, x, *targets):
    """Prediction, loss, gradients by the weights and by x; Keras warns of a softmax over one unit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _differentiated(model, loss, x, *targets)


def _differentiated(model, loss, x, *targets):
    x = tensorflow.convert_to_tensor(x)
    variables = [variable.value for variable in model.weights]
    with tensorflow.GradientTape() as tape:
        tape.watch([x, *variables])
        y = model(x, training=False)
        names = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}
        value = tensorflow.reduce_sum(y)
        if loss is not None:
            value = tensorflow.reduce_mean(keras.losses.get(names.get(loss, loss))(targets[0], y))
    slopes = tape.gradient(value, [*variables, x], unconnected_gradients="zero")
    return [result.numpy() for result in [y, *([] if loss is None else [value]), *slopes]]


def test_everything_was_met():
    """Runs after the property: no activation and no loss was left out."""
    if not met:
        pytest.skip("the property did not run")
    assert set(met) >= {*NAMES, None, *LOSSES}
