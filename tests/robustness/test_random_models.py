"""Random models, and what is not finite in a part of one: wherever float64 Keras is finite symrnn is, and equal."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import symrnn
from symrnn.checking.keras_models import build
from symrnn.expressions.activations import activations
from symrnn.models.graph import Model
from symrnn.models.layers.activation import Activation, ReLU
from symrnn.models.layers.core import Dense, Embedding, Input, Masking
from symrnn.models.layers.rnn import GRU, LSTM, Bidirectional, SimpleRNN
from symrnn.models.layers.table import Sequential
from tests.robustness.random_models import FAULTS, outcome
from tests.support.sketches import in_float64, keras_numbers, own_numbers

SEEDS = (21, 80, 82, 84, 122, 133, 150, 1033, 2019, 2053, 9426, 20274)


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with in_float64():
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_model_is_keras_where_keras_is_finite(seed):
    found, text = outcome(seed)
    assert found not in FAULTS, text


# the same in parts --------------------------------------------------------------------------------

POINTS = (-1e160, -1e20, -1e3, -1.0, -0.25, 0.0, 0.25, 0.5, 1.0, 6.0, 1e3, 1e20, 1e160, np.inf, -np.inf, np.nan)
FUNCTIONS = [Activation(name) for name in activations if name != "squareplus"] + [
    ReLU(6.0, 0.25, 0.5),
    ReLU(2.0),
    ReLU(threshold=0.125),
]


@pytest.mark.parametrize("layer", FUNCTIONS, ids=lambda layer: getattr(layer, "activation", repr(layer)))
@pytest.mark.parametrize("weight", [1.0, 0.0, np.inf, np.nan])
def test_an_activation_is_keras_where_keras_is_finite(layer, weight):
    """A row of one column with its adjoint: values, slopes, and what is chosen where the adjoint is not finite."""
    assert_keras(Sequential([layer, Dense(1, use_bias=False)], (1,)), np.array(POINTS)[:, None], [np.array([[weight]])])


def masked(steps, at, value, features=1):
    """Ones, with masked steps of zeros, and a value in the first."""
    x = np.ones((2, steps, features))
    x[:, at] = 0.0
    x[0, 0] = value
    return x


EVERY = {"return_sequences": True}
MASKED = {
    "overflow in a step that is masked": (Sequential([Masking(), SimpleRNN(1, "exponential"), Dense(1)], (3, 1)), 700),
    "LSTM": (Sequential([Masking(), LSTM(2, "exponential", "exponential"), Dense(1)], (3, 1)), 300.0),
    "GRU": (Sequential([Masking(), GRU(2, "exponential", "softplus", **EVERY), Dense(1)], (3, 1)), 300.0),
    "both ways": (Sequential([Masking(), Bidirectional(SimpleRNN(2, "exponential", **EVERY))], (3, 1)), 300.0),
    "zeros": (Sequential([Masking(), SimpleRNN(2, "elu", zero_output_for_mask=True, **EVERY)], (3, 1)), -2.0),
}


@pytest.mark.parametrize(("model", "value"), MASKED.values(), ids=MASKED)
@pytest.mark.parametrize("at", [slice(1, None), slice(1, 2), slice(0, 0)], ids=["trailing", "inner", "none"])
def test_a_masked_step_is_chosen_and_not_multiplied(model, value, at):
    arrays = build(model).get_weights()
    assert_keras(model, masked(3, at, value), [np.full(array.shape, 0.9) for array in arrays])


def test_a_masked_output_is_no_negative_zero():
    model = Sequential([Masking(1.0), SimpleRNN(2, "elu", zero_output_for_mask=True, **EVERY)], (2, 1))
    y = symrnn.derive(model).lambdify()(np.array([[[-3.0], [1.0]]]), [np.ones((1, 2)), np.eye(2), np.zeros(2)])
    assert not np.signbit(y[0, 1]).any()
    assert not np.signbit(symrnn.derive(Sequential([Masking(-1.0)], (1, 1))).lambdify()(-np.ones((1, 1, 1)), [])).any()


SHRINKING = ("soft_shrink", "hard_shrink", "relu", "hard_tanh")
CROSS = ("categorical_crossentropy", "binary_crossentropy", "sparse_categorical_crossentropy", "kl_divergence")


@pytest.mark.parametrize("activation", SHRINKING)
@pytest.mark.parametrize("loss", CROSS)
def test_rows_without_shares_are_those_of_keras(activation, loss):
    """Rows of zeros: Keras divides 0 by 0, and its shrinking activations do not hand the NaN on."""
    model = Sequential([Dense(3), Activation(activation)], (2,))
    targets = np.array([0, 2, 1]) if loss.startswith("sparse") else np.eye(3)
    x, weights = np.array([[0.0, 0.0], [1.0, 2.0], [0.1, 0.1]]), [np.ones((2, 3)) / 4, np.array([0.1, 0.0, -0.1])]
    assert_keras(model, x, weights, loss, targets)


def test_log_softmax_keeps_its_digits_where_the_row_is_large():
    assert_keras(Sequential([Activation("log_softmax")], (3,)), np.array([[1e20, 1e20, -1e20], [1e9, 1e9, 1e9]]), [])


def test_a_row_of_an_embedding_takes_nothing_from_another():
    """Of the gradient of the embedding only the rows that were read are not finite."""
    x = Input((2,))
    model = Model([x], SimpleRNN(1, "exponential", use_bias=False)(Embedding(4, 1)(x)))
    assert_keras(model, np.array([[0, 1], [2, 2]]), [np.array([[800.0], [800], [1], [1]]), np.ones((1, 1)), np.eye(1)])


def test_the_gradient_of_states_that_nobody_reads_is_zero():
    """The backward half of the layer overflows, but only the state of the forward half is used."""
    x = Input((3, 1))
    layer = Bidirectional(SimpleRNN(1, return_state=True), backward_layer=SimpleRNN(
        1, "exponential", return_state=True, go_backwards=True))  # fmt: skip
    model = Model([x], Dense(1)(layer(x)[1]))
    weights = [np.full(array.shape, 30.0) for array in build(model).get_weights()]
    assert_keras(model, np.ones((2, 3, 1)), weights)
    assert "bw" not in symrnn.derive(model).gradient().text()


def assert_keras(model, x, weights, loss=None, targets=None):
    """Where Keras is finite so are the numbers here, and equal."""
    live, derivation = build(model), symrnn.derive(model)
    live.set_weights(weights)
    given = [] if targets is None else [targets]
    theirs = keras_numbers(live, derivation.network, loss, [x], given)
    with np.errstate(all="ignore"):
        ours = own_numbers(derivation, derivation.lambdify(), loss, [x], given)(weights)
    for mine, other in zip(ours, theirs, strict=True):
        known = np.isfinite(other)
        largest = np.max(abs(other[known]), initial=0)
        np.testing.assert_allclose(mine[known], other[known], rtol=1e-11, atol=1e-15 * min(largest, 1))
