"""Keras models of every layer and every kind of graph, and what the tests of reading them share."""

import os
import re
import warnings

import numpy as np
import pytest

from symrnn.importers.imported import Imported
from symrnn.importers.keras.reader import from_keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")
pytest.importorskip("h5py")
K = keras.layers

LAYERS = (
    "SimpleRNN, LSTM, GRU, RNN, Bidirectional, Dense, TimeDistributed(Dense), Activation, Softmax, ReLU, LeakyReLU, "
    "ELU, PReLU, Dropout, Flatten, RepeatVector, GlobalAveragePooling1D, GlobalMaxPooling1D, Embedding, Masking, Add, "
    "Multiply, Average, Concatenate"
)
QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Keras' own calls of NumPy
    pytest.mark.filterwarnings("ignore:.*lambda"),  # what Keras would refuse to load again
    pytest.mark.filterwarnings("ignore:.*does not support masking"),
]


def sequential(*layers, shape=(5, 3), **options):
    return keras.Sequential([keras.Input(shape, name="x", **options), *layers])


def functional(*layers, shape=(5, 3), **options):
    x = y = keras.Input(shape, name="x", **options)
    for layer in layers:
        y = layer(y)
    return keras.Model(x, y)


def several_of_a_kind():
    return (
        K.SimpleRNN(4, return_sequences=True, name="b"),
        K.Dense(4, name="a", activation="relu"),
        K.Dropout(0.5),
        K.SimpleRNN(3, return_sequences=True, use_bias=False, go_backwards=True, name="a_1"),
        K.TimeDistributed(K.Dense(3, use_bias=False)),
        K.Activation("softsign"),
        K.SimpleRNN(2, activation="sigmoid", dropout=0.1, recurrent_dropout=0.2, unroll=True, trainable=False),
        K.Dense(2, use_bias=False),
        K.Dense(3),
        K.Activation("softmax"),
    )


def every_elementwise():
    return (
        K.ReLU(6.0, 0.1, 0.2),
        K.LeakyReLU(),
        K.LeakyReLU(0.1),
        K.ELU(0.5),
        K.PReLU(shared_axes=[1]),
        K.Softmax(),
        K.GlobalMaxPooling1D(),
        K.PReLU(),
    )


def float64():
    return sequential(K.SimpleRNN(2, dtype="float64"), K.Dense(1, dtype="float64"), dtype="float64")


def float64_inside():
    cells = [K.GRUCell(2, dtype="float64"), K.LSTMCell(2, dtype="float64")]
    half = K.RNN(K.StackedRNNCells(cells, dtype="float64"), dtype="float64")
    return sequential(K.Bidirectional(half, dtype="float64"))


def called_once():
    model = keras.Sequential([K.SimpleRNN(2, name="rnn"), K.Dense(1, name="out")])
    model(np.zeros((4, 5, 3), "float32"))
    return model


def in_lists():
    x = keras.Input((5, 3))
    return keras.Model([x], [K.TimeDistributed(K.Dense(2, activation="tanh"))(x)])


def training_off():
    x = keras.Input((5, 3))
    return keras.Model(x, K.SimpleRNN(2)(sequences=K.Dropout(0.5)(x, training=False), training=False))


def part_of_another():
    whole = functional(K.Dense(4), K.SimpleRNN(2), K.Dense(1))
    return keras.Model(whole.layers[2].input, whole.layers[2].output)


def compiled():
    model = functional(K.SimpleRNN(2), K.Dense(1))
    model.compile(optimizer="adam", loss=lambda y_true, y_pred: y_pred)
    model.head = model.layers[2]
    return model


def encoder_decoder():
    ids, sequence = keras.Input((None,), dtype="int32", name="ids"), keras.Input((None, 3), name="sequence")
    _, h, c = K.LSTM(4, return_state=True)(K.Embedding(7, 3, mask_zero=True)(ids))
    decoded = K.LSTM(4, return_sequences=True)(sequence, initial_state=[h, c])
    return keras.Model([ids, sequence], K.Dense(2, activation="softmax")(decoded))


def states_by_place():
    x, h, c = keras.Input((5, 3)), keras.Input((2,)), keras.Input((2,))
    return keras.Model([x, h, c], [*K.LSTM(2, return_state=True)(x, (h, c)), K.GRU(2)(x, h)])


def states_of_stacked_cells():
    x, h = keras.Input((5, 3)), [keras.Input((2,)) for _ in range(3)]
    cells = [K.GRUCell(2), K.LSTMCell(2)]
    return keras.Model([x, *h], K.RNN(cells)(x, initial_state=[h[0], [h[1], h[2]]]))


def states_of_both_halves():
    x = keras.Input((5, 3))
    layer = K.Bidirectional(K.LSTM(2, return_state=True, return_sequences=True), merge_mode=None)
    forwards, backwards, *states = layer(x)
    return keras.Model(x, [K.Bidirectional(K.LSTM(2))(forwards, initial_state=states), backwards])


def masked_with_states():
    x, h = keras.Input((5, 3)), keras.Input((2,))
    masked = K.Masking(0.5)(x)
    implicit, explicit = K.GRU(2), K.GRU(2)
    return keras.Model([x, h], [implicit(masked, h), explicit(masked, h, mask=masked._keras_mask)])


def masks_of_merges():
    x = keras.Input((5, 3))
    a = K.GRU(2, return_sequences=True)(K.Masking(0.5)(x))
    b = K.SimpleRNN(2, return_sequences=True)(K.Masking(0.25)(x))
    added = K.LSTM(2, return_sequences=True)(K.Add()([a, b]))
    joined = K.GRU(2, return_sequences=True)(K.Concatenate()([a, x]))
    return keras.Model(x, K.GlobalAveragePooling1D()(K.Add()([added, joined])))


def shared():
    x = keras.Input((5, 3))
    layer, dense = K.GRU(3, return_sequences=True), K.Dense(3)
    return keras.Model(x, [layer(dense(layer(x))), dense(x)])


def branches():
    x, rows = keras.Input((5, 3)), keras.Input((4,))
    flat = K.Flatten()(K.Multiply()([x, K.Dense(3)(x)]))
    return keras.Model([x, rows], K.Average()([K.Dense(4)(K.Concatenate()([flat, rows])), rows, rows]))


def models_in_models():
    x, inner = keras.Input((5, 3)), keras.Input((5, 3))
    outputs = [K.GRU(3, return_sequences=True)(K.Dense(3)(inner)), K.GlobalAveragePooling1D()(inner)]
    model = keras.Model(inner, outputs)
    chain = keras.Sequential([K.Dense(3), K.SimpleRNN(3, return_sequences=True)])
    once, mean = model(K.Masking()(x))
    twice, again = model(chain(once))
    return keras.Model(x, [K.Dense(1)(chain(twice)), mean, again])


def model_in_sequential():
    return sequential(K.Dense(3), keras.Sequential([keras.Input((5, 3)), K.Dense(3), K.LSTM(2)]), K.Dense(1))


def partly_trainable():
    cells = [K.GRUCell(2), K.LSTMCell(2), K.GRUCell(2)]
    model = sequential(
        K.Bidirectional(K.GRU(2, return_sequences=True)),
        K.RNN(cells, return_sequences=True),
        keras.Sequential([keras.Input((5, 2)), K.Dense(2, trainable=False), K.Dense(2)]),
    )
    model.layers[0].forward_layer.trainable = False
    cells[1].trainable = False
    return model


def backward_rnn():
    return K.SimpleRNN(2, return_sequences=True, go_backwards=True)


def unused_input():
    x, other = keras.Input((5, 3)), keras.Input((2,))
    return keras.Model([x, other], K.SimpleRNN(2)(x))


def functions_on_tensors():
    x = keras.Input((5, 3))
    product = x * K.GRU(3, return_sequences=True)(x + x)
    return keras.Model(x, K.LSTM(2)(keras.ops.concatenate([product, x], axis=-1)))


BANK = {
    "one layer": lambda: sequential(K.SimpleRNN(4)),
    "dense": lambda: sequential(K.SimpleRNN(4), K.Dense(1)),
    "functional": lambda: functional(K.SimpleRNN(4), K.Dense(2, activation="softmax")),
    "several": lambda: sequential(*several_of_a_kind()),
    "functional several": lambda: functional(*several_of_a_kind()),
    "gates": lambda: sequential(
        K.LSTM(2, return_sequences=True, recurrent_activation="hard_sigmoid"),
        K.GRU(3, return_sequences=True, use_bias=False),
        K.GRU(2, reset_after=False),
    ),
    "rows": lambda: functional(K.Dense(2), K.Dense(3), shape=(4,)),
    "elementwise": lambda: functional(*every_elementwise()),
    "cells": lambda: sequential(
        K.RNN(K.GRUCell(2), return_sequences=True),
        K.RNN([K.GRUCell(2), K.LSTMCell(3), K.GRUCell(2, reset_after=False)], return_sequences=True),
        K.RNN(K.StackedRNNCells([K.SimpleRNNCell(2)])),
    ),
    "both ways": lambda: sequential(
        K.Bidirectional(K.LSTM(2, return_sequences=True), merge_mode="mul"),
        K.Bidirectional(K.GRU(2, return_sequences=True), backward_layer=backward_rnn()),
        K.Bidirectional(K.RNN([K.GRUCell(2), K.GRUCell(3)]), merge_mode="ave"),
    ),
    "ids": lambda: sequential(K.Embedding(9, 3, mask_zero=True), K.Flatten(), shape=(4,), dtype="int64"),
    "masks": lambda: sequential(
        K.Masking(0.5), K.LSTM(2, return_sequences=True), K.TimeDistributed(K.Dense(2)), K.GlobalAveragePooling1D()
    ),
    "functional masks": lambda: functional(
        K.Masking(0.5), K.Bidirectional(K.GRU(2, return_sequences=True)), K.Dropout(0.1), K.GRU(2)
    ),
    "states": lambda: sequential(K.LSTM(2, return_state=True)),
    "stateful": lambda: sequential(K.GRU(2, stateful=True), shape=None, batch_shape=(2, 5, 3)),
    "a row repeated": lambda: sequential(K.GRU(2), K.RepeatVector(3), K.LSTM(2, return_sequences=True)),
    "open in time": lambda: functional(K.SimpleRNN(4), shape=(None, 3)),
    "no weights": lambda: sequential(K.Activation("tanh"), K.Dropout(0.3)),
    "regularized": lambda: sequential(
        K.Dense(2, kernel_regularizer="l2", activity_regularizer="l1", bias_constraint="non_neg")
    ),
    "batch size": lambda: sequential(K.SimpleRNN(2), shape=None, batch_shape=(2, 5, 3)),
    "float64": float64,
    "float64 inside": float64_inside,
    "called once": called_once,
    "in lists": in_lists,
    "training off": training_off,
    "part of another": part_of_another,
    "compiled": compiled,
    "encoder, decoder": encoder_decoder,
    "states by place": states_by_place,
    "states of stacked cells": states_of_stacked_cells,
    "states of both halves": states_of_both_halves,
    "masked with states": masked_with_states,
    "masks of merges": masks_of_merges,
    "shared": shared,
    "branches": branches,
    "models in models": models_in_models,
    "model in sequential": model_in_sequential,
    "partly trainable": partly_trainable,
    "unused input": unused_input,
    "functions on tensors": functions_on_tensors,
}


def randomized(model):
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=array.shape) for array in model.get_weights()])
    return model


def saved(model, tmp_path, name="m.keras"):
    model.save(tmp_path / name)
    return tmp_path / name


def names(imported: Imported) -> list:
    return [layer.name for layer in imported.graph.layers]


def assert_same(got: Imported, expected: Imported):
    assert (got.graph, got.dtype, names(got)) == (expected.graph, expected.dtype, names(expected))
    for ours, theirs in zip(got.weights, expected.weights, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def assert_refused(error, message, model, timesteps=None):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        from_keras(model, timesteps)
