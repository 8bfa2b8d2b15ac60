"""The losses: values and derivatives against Keras, for predictions and for logits that Keras has kept."""

from collections.abc import Callable

import numpy as np
import pytest

from symrnn.adjoint import backprop
from symrnn.forward import Network, forward
from symrnn.layers import Activation, Dense, Sequential, SimpleRNN
from symrnn.losses import ALIASES, LOSSES, loss_name, with_loss, with_sum
from tests.bank import Case, evaluate

NAMES = sorted([*LOSSES, *ALIASES])
CROSSENTROPIES = ["binary_crossentropy", "categorical_crossentropy"]
ROWS, STEPS, WIDTH = 2, 3, 3
RNG = np.random.default_rng(7)
MODERATE = RNG.normal(size=(ROWS, STEPS, WIDTH))
KINKS = np.array([[[0.0, 1.0, -1.0], [2.0, 0.5, -0.5], [3.0, -3.0, 0.0]]] * ROWS)
LARGE = np.array([[[40.0, -40.0, 0.0], [-30.0, 30.0, 1.0], [20.0, 19.0, -20.0]]] * ROWS)
SHARES = RNG.dirichlet(np.ones(WIDTH), size=(ROWS, STEPS))
ONE_HOT = np.eye(WIDTH)[RNG.integers(WIDTH, size=(ROWS, STEPS))]
ZERO = np.zeros((ROWS, STEPS, WIDTH))


def sequence(name: str | None) -> Network:
    """y_t = f(x_t)."""
    return forward(Sequential([Activation(name)], (STEPS, WIDTH)))


def vector(name: str | None) -> Network:
    """y = f(x_0 U), for one step; with U = 1 it is f(x_0)."""
    return forward(Sequential([SimpleRNN(WIDTH, None, use_bias=False), Activation(name)], (1, WIDTH)))


def state(name: str | None) -> Network:
    """h_0 = f(x_0 U), whose logits Keras does not see."""
    return forward(Sequential([SimpleRNN(WIDTH, name, use_bias=False)], (1, WIDTH)))


def ours(network: Network, loss: str, z: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss, and its derivative by the input."""
    program = with_loss(network, loss)
    case = Case(lambda: program, z.shape[1], ROWS)
    weights = [np.eye(WIDTH), np.zeros((WIDTH, WIDTH))] if network.weights else []
    arrays = [*weights, *([target] if not network.sequence else []), z.swapaxes(0, 1)]
    arrays += [target.swapaxes(0, 1)] if network.sequence else []
    gradient = evaluate(backprop(program, program.sequences[:1]), case, *arrays)
    return float(evaluate(program, case, *arrays)[0]), gradient.reshape(z.swapaxes(0, 1).shape).swapaxes(0, 1)


def theirs(name: str | None, loss: str, z: np.ndarray, target: np.ndarray, kept: bool) -> tuple[float, np.ndarray]:
    """Keras' loss of f(z), with the logits kept or not, and its derivative by z."""
    keras = pytest.importorskip("keras")
    import tensorflow as tf

    logits = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        predicted = keras.activations.get(name)(logits)
        predicted = predicted if kept else tf.identity(predicted)
        value = keras.ops.mean(keras.losses.get(loss)(tf.constant(target), predicted))
    return float(value), tape.gradient(value, logits).numpy()


def compare(
    network: Network, name: str | None, loss: str, z: np.ndarray, target: np.ndarray, kept: bool = True
) -> None:
    """Our loss and derivative equal Keras'."""
    if not network.sequence:
        z, target = z[:, :1], target[:, 0]
    value, gradient = ours(network, loss, z, target)
    expected, slope = theirs(name, loss, z if network.sequence else z[:, 0], target, kept)
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(gradient.reshape(slope.shape), slope, rtol=1e-9, atol=1e-14)


shape = pytest.mark.parametrize("make", [vector, sequence])


@shape
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", [None, "softmax", "sigmoid", "tanh"])
def test_keras_agrees(make: Callable[[str | None], Network], loss: str, name: str | None) -> None:
    positive = MODERATE if name else np.abs(MODERATE) + 0.1
    compare(make(name), name, loss, positive, SHARES)


@shape
@pytest.mark.parametrize("loss", CROSSENTROPIES)
@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
@pytest.mark.parametrize("z", [LARGE, ZERO], ids=["large", "zero"])
def test_keras_agrees_on_logits(make: Callable[[str | None], Network], loss: str, name: str, z: np.ndarray) -> None:
    compare(make(name), name, loss, z, ONE_HOT)


@pytest.mark.parametrize("loss", CROSSENTROPIES)
@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
@pytest.mark.parametrize("z", [MODERATE, LARGE], ids=["moderate", "large"])
def test_keras_agrees_where_it_does_not_see_the_logits(loss: str, name: str, z: np.ndarray) -> None:
    compare(state(name), name, loss, z, SHARES, kept=False)


@shape
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_keras_agrees_at_kinks(make: Callable[[str | None], Network], loss: str) -> None:
    compare(make(None), None, loss, KINKS, ZERO)


@shape
def test_keras_agrees_at_the_ends_of_the_clipped_interval(make: Callable[[str | None], Network]) -> None:
    ends = np.array([[[0.0, 1.0, 1e-7], [1 - 1e-7, 0.5, 2.0], [-1.0, 1e-8, 1 - 1e-8]]] * ROWS)
    compare(make(None), None, "binary_crossentropy", ends, SHARES)


# names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_loss_name(name: str) -> None:
    keras = pytest.importorskip("keras")
    assert keras.losses.get(name) is keras.losses.get(loss_name(name))


@pytest.mark.parametrize("name", ["mspe", "", "MSe", None, 3, ["mse"], {"name": "mse"}], ids=repr)
def test_unknown_loss(name: object) -> None:
    with pytest.raises(ValueError, match=r"^unknown loss .*; known: " + ", ".join(NAMES) + "$"):
        loss_name(name)


def test_the_target_is_an_input() -> None:
    one, many = with_loss(state("tanh"), "mse"), with_loss(sequence("tanh"), "mse")
    assert [symbol.name for symbol in (*one.inputs, *one.sequences, *one.outputs)] == ["U", "V", "y_true", "x_t", "L"]
    assert [symbol.name for symbol in (*many.inputs, *many.sequences, *many.outputs)] == ["x_t", "y_true_t", "L"]
    assert [symbol.name for symbol in many.equations[-1].rhs.free_symbols if symbol.name not in "NT"] == ["S"]


def test_sum_of_the_outputs() -> None:
    numbers = np.arange(18.0).reshape(ROWS, STEPS, WIDTH)
    program = with_sum(sequence(None))
    assert evaluate(program, Case(lambda: program, STEPS, ROWS), numbers) == pytest.approx([numbers.sum()])
    single = forward(Sequential([SimpleRNN(1), Dense(1)], (1, 1)))
    assert with_sum(single) is single.program
