"""What the layers refuse, and what others must know of each."""

import re
from collections.abc import Callable

import pytest

from symrnn.expressions.activations import ROW_ACTIVATIONS, activations
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU
from symrnn.models.layers.core import Dense, Embedding, Input, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, LSTMCell, SimpleRNN
from symrnn.models.layers.table import Sequential

KNOWN = ", ".join(sorted([*activations, *ROW_ACTIVATIONS]))
SHAPE = "input_shape: expected (timesteps, features) or (features,)"
POSITIVE = "expected a positive whole number"
LAYERS = (
    "SimpleRNN, LSTM, GRU, RNN, Bidirectional, Dense, TimeDistributed, Activation, Softmax, ReLU, LeakyReLU, ELU, "
    "PReLU, Dropout, Flatten, RepeatVector, GlobalAveragePooling1D, GlobalMaxPooling1D, Embedding, Masking, Add, "
    "Multiply, Average, Concatenate"
)


@pytest.mark.parametrize("units", [0, -1, 1.5, 2.0, True, "2", None], ids=repr)
@pytest.mark.parametrize("layer", [SimpleRNN, LSTM, GRU, Dense])
def test_refuses_units(layer: type, units: object) -> None:
    with pytest.raises(ValueError, match=rf"^{layer.__name__}: units: {POSITIVE}, got {units!r}$"):
        layer(units)


@pytest.mark.parametrize("make", [lambda name: SimpleRNN(1, name), lambda name: Dense(1, name), Activation])
def test_refuses_an_activation(make: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match=rf"^unknown activation 'tahn'; known: {KNOWN}$"):
        make("tahn")
    for name, reason in [
        ("threshold", "Keras gives it no default arguments, so that it cannot be used by name"),
        (
            "sparsemax",
            "what Keras 3.15.1 computes under this name is not the published function, see keras#23425",
        ),
    ]:
        with pytest.raises(
            NotImplementedError, match=rf"^activation '{name}' is not supported \({reason}\); supported: {KNOWN}$"
        ):
            make(name)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential([], (3, 1)), ValueError, "Sequential: expected at least one layer, got none"),
        (lambda: Sequential([Dense(1)], ()), ValueError, f"{SHAPE}, got ()"),
        (lambda: Sequential([Dense(1)], 3), ValueError, f"{SHAPE}, got 3"),
        (lambda: Sequential([Dense(1)], (0, 1)), ValueError, f"input_shape: timesteps: {POSITIVE}, got 0"),
        (lambda: Sequential([Dense(1)], (True, 1)), ValueError, f"input_shape: timesteps: {POSITIVE}, got True"),
        (lambda: Sequential([Dense(1)], (3, 0)), ValueError, f"input_shape: features: {POSITIVE}, got 0"),
        (lambda: Sequential([Dense(1)], (3, None)), ValueError, f"input_shape: features: {POSITIVE}, got None"),
        (
            lambda: Sequential([Dense(1), "Dense"], (3, 1)), NotImplementedError,
            f"layer 2: str is not supported; supported: {LAYERS}",
        ),
        (lambda: Sequential([Embedding(3, 1)], (3, 1)), ValueError,
         "input_shape: expected (timesteps,) for an Embedding, got (3, 1)"),
        (lambda: Sequential([Embedding(3, 1)], (0,)), ValueError, f"input_shape: timesteps: {POSITIVE}, got 0"),
        (lambda: Embedding(0, 1), ValueError, f"Embedding: input_dim: {POSITIVE}, got 0"),
        (lambda: Embedding(3, 1.5), ValueError, f"Embedding: output_dim: {POSITIVE}, got 1.5"),
        (lambda: Masking("0"), ValueError, "Masking: mask_value: expected a finite number, got '0'"),
        (lambda: Masking(float("nan")), ValueError, "Masking: mask_value: expected a finite number, got nan"),
        (lambda: ReLU("6"), ValueError, "ReLU: max_value: expected a finite number or None, got '6'"),
        (lambda: ReLU(None, True), ValueError, "ReLU: negative_slope: expected a finite number, got True"),
        (lambda: LeakyReLU(None), ValueError, "LeakyReLU: negative_slope: expected a finite number, got None"),
        (lambda: ELU("1"), ValueError, "ELU: alpha: expected a finite number, got '1'"),
        (
            lambda: TimeDistributed(SimpleRNN(1)), NotImplementedError,
            "TimeDistributed(SimpleRNN) is not supported; supported: TimeDistributed(Dense)",
        ),
    ],
)  # fmt: skip
def test_refuses(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def test_lists_become_tuples() -> None:
    assert (Input([3, 1]).layer.shape, PReLU([1]).shared_axes) == ((3, 1), (1,))
    assert RNN([LSTMCell(1)]).cells == RNN((LSTMCell(1),)).cells == (LSTMCell(1),)


def test_a_model_is_a_value() -> None:
    model = Sequential([SimpleRNN(2), Dropout(0.5), Dense(1)], [3, 1])
    assert model == Sequential((SimpleRNN(2, name="rnn"), Dropout(0.5), Dense(1)), (3, 1))
    assert Sequential([SimpleRNN(1)], (None, 1)).input_shape == (None, 1)


# traits -------------------------------------------------------------------------------------------

EVERY = {"return_sequences": True}
BOTH = GRU(2), GRU(2, **EVERY), Bidirectional(GRU(2)), Bidirectional(GRU(2, **EVERY))


def test_what_keeps_time_steps():
    assert [layer.keeps_time() for layer in BOTH] == [False, True, False, True]
    assert all(layer.keeps_time() for layer in (Dense(1), TimeDistributed(Dense(1)), Dropout(0.5), Masking()))
    assert not any(layer.keeps_time() for layer in (Flatten(), GlobalAveragePooling1D(), GlobalMaxPooling1D()))


def test_which_results_keep_time_steps():
    def sequences(layer):
        return [layer.keeps_time(result) for result in range(layer.results)]

    assert sequences(GRU(2, return_state=True, **EVERY)) == [True, False]
    assert sequences(Bidirectional(GRU(2, **EVERY), merge_mode=None)) == [True, True]
    assert sequences(Bidirectional(GRU(2, return_state=True, **EVERY))) == [True, False, False]


def test_which_value_masks_a_step():
    assert [layer.masked_value for layer in (Masking(0.5), NotEqual(2.0))] == [0.5, 2.0]
    assert [Embedding(3, 2, mask_zero=zero).masked_value for zero in (True, False)] == [0.0, None]
    assert Dense(1).masked_value is None


def test_the_recurrent_layers_in_a_layer():
    assert Dense(1).halves == ()
    assert GRU(2).halves == (GRU(2),)
    assert [half.go_backwards for half in Bidirectional(GRU(2)).halves] == [False, True]
