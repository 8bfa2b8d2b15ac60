"""A model of each kind, for the checks against Keras: layers, masks, states, graphs."""

from collections.abc import Callable

from symrnn.models.graph import Model
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN
from symrnn.models.layers.table import Sequential

EVERY = {"return_sequences": True}
Described = Sequential | Model


def encoder_decoder() -> Model:
    """A masked sequence of ids, and another one of another length that starts where the first one ends."""
    source, target = Input((5,)), Input((3,))
    words = Embedding(6, 2, mask_zero=True)
    _, h, c = LSTM(2, return_state=True)(words(source))
    return Model([source, target], Dense(6, "softmax")(LSTM(2, **EVERY)(words(target), initial_state=[h, c])))


def given_states(layer: Callable[..., object], count: int, masked: bool) -> Model:
    """A layer whose initial states are inputs and whose states are outputs."""
    x, states = Input((5, 2)), [Input((2,)) for _ in range(count)]
    mask = {"mask": NotEqual(0.0)(x)} if masked else {}
    returned = layer(return_state=True, **EVERY)(x, initial_state=states, **mask)
    return Model([x, *states], list(returned))


def called_twice() -> Model:
    x, h = Input((4, 2)), Input((2,))
    layer, dense = SimpleRNN(2, return_state=True, **EVERY), Dense(2, "tanh")
    first, last = layer(x, initial_state=h)
    second, _ = layer(dense(first), initial_state=last)
    return Model([x, h], [Average()([first, second]), dense(second)])


def branches() -> Model:
    x, z = Input((5, 2)), Input((3,))
    one, other = GRU(3)(x), Bidirectional(SimpleRNN(3), merge_mode="sum")(x)
    both = Concatenate()([Add()([one, other]), Multiply()([other, z]), z])
    return Model([x, z], [Dense(2, "tanh")(both), Dense(1)(one)])


def merged_masks(merge: type) -> Model:
    """Sequences with different masks side by side."""
    x, z = Input((4, 2)), Input((4, 2))
    return Model([x, z], GRU(2)(merge()([SimpleRNN(3, **EVERY)(Masking()(x)), SimpleRNN(3, **EVERY)(Masking(1.0)(z))])))


LAYERS: dict[str, Callable[[], Described]] = {
    "weights of steps that no input has": lambda: Sequential(
        [SimpleRNN(2), RepeatVector(3), PReLU(), SimpleRNN(1)], (2, 1)
    ),
    "LSTM": lambda: Sequential([LSTM(3), Dense(2)], (4, 2)),
    "LSTM without bias": lambda: Sequential([LSTM(3, use_bias=False, **EVERY), LSTM(2, "relu")], (4, 2)),
    "LSTM of softmaxes": lambda: Sequential([LSTM(3, "softmax", "softmax"), Dense(1)], (4, 2)),
    "GRU": lambda: Sequential([GRU(3), Dense(2)], (4, 2)),
    "GRU, reset before": lambda: Sequential([GRU(3, "softsign", "hard_sigmoid", reset_after=False)], (4, 2)),
    "backwards": lambda: Sequential([LSTM(2, go_backwards=True, **EVERY), GRU(2, go_backwards=True)], (4, 2)),
    "concat": lambda: Sequential([Bidirectional(LSTM(2, **EVERY)), Bidirectional(GRU(2))], (4, 2)),
    "ave": lambda: Sequential([Bidirectional(GRU(2, **EVERY), merge_mode="ave"), Dense(1)], (4, 2)),
    "mul": lambda: Sequential([Bidirectional(SimpleRNN(2), merge_mode="mul"), Dense(1)], (4, 2)),
    "both outputs": lambda: Sequential([Bidirectional(GRU(2, **EVERY), merge_mode=None)], (4, 2)),
    "another backward layer": lambda: Sequential(
        [Bidirectional(SimpleRNN(3), backward_layer=GRU(3, go_backwards=True)), Dense(1)], (4, 2)
    ),
    "a cell": lambda: Sequential([RNN(GRUCell(3), return_state=True)], (4, 2)),
    "cells": lambda: Sequential([RNN([LSTMCell(3), GRUCell(2)], **EVERY), Dense(1)], (4, 2)),
    "Embedding": lambda: Sequential([Embedding(5, 2), GRU(2), Dense(3, "softmax")], (4,)),
    "functions": lambda: Sequential(
        [SimpleRNN(3, **EVERY), ReLU(1.0, 0.1, 0.2), ELU(0.5), LeakyReLU(), PReLU(shared_axes=(1,)), Flatten()], (4, 2)
    ),
    "rows": lambda: Sequential([GRU(3), PReLU(), Dense(3), Softmax(), Dense(4, "glu")], (4, 2)),
    "Dropout": lambda: Sequential([GRU(3, **EVERY), Dropout(0.5), Dense(2), Dropout(0.5), Activation("tanh")], (4, 2)),
    "the mean": lambda: Sequential([GRU(3, **EVERY), GlobalAveragePooling1D(), Dense(1)], (4, 2)),
    "the largest": lambda: Sequential([GRU(3, "relu", **EVERY), GlobalMaxPooling1D(), Dense(1)], (4, 2)),
    "one step": lambda: Sequential([LSTM(3, **EVERY), TimeDistributed(Dense(2, "softmax"))], (1, 2)),
    "open time": lambda: Sequential([GRU(2, **EVERY), Dense(1)], (None, 2)),
}
"""Without masks and given states."""
MASKED: dict[str, Callable[[], Described]] = {
    "LSTM": lambda: Sequential([Masking(), LSTM(3, **EVERY), GRU(2), Dense(1)], (5, 2)),
    "every step": lambda: Sequential([Masking(0.1), GRU(2, **EVERY), Dense(3, "softmax")], (5, 2)),
    "ids": lambda: Sequential([Embedding(5, 2, mask_zero=True), SimpleRNN(2, **EVERY), LSTM(2)], (5,)),
    "backwards": lambda: Sequential([Masking(), GRU(2, go_backwards=True, **EVERY), SimpleRNN(2)], (5, 2)),
    "both ways": lambda: Sequential([Masking(), Bidirectional(LSTM(2, **EVERY)), Bidirectional(GRU(2))], (5, 2)),
    "cells": lambda: Sequential([Masking(), RNN([LSTMCell(2), GRUCell(2)], **EVERY)], (5, 2)),
    "zeros": lambda: Sequential(
        [Masking(), LSTM(2, zero_output_for_mask=True, **EVERY), GRU(2, zero_output_for_mask=True)], (5, 2)
    ),
    "wrong zeros": lambda: Sequential([Masking(), Bidirectional(GRU(2, unroll=True, **EVERY))], (5, 2)),
    "the mean": lambda: Sequential([Masking(), GRU(2, "elu", **EVERY), GlobalAveragePooling1D()], (5, 2)),
    "RepeatVector": lambda: Sequential([Masking(), LSTM(2), RepeatVector(4), GRU(2, **EVERY), Dense(1)], (3, 2)),
    "Flatten": lambda: Sequential([Masking(), GRU(2, **EVERY), Flatten(), Dense(1)], (3, 2)),
    "of what is computed": lambda: Sequential([Dense(2, "relu"), Masking(), GRU(2), Dense(1)], (5, 2)),
}
"""With masks."""
STATES: dict[str, Callable[[], Described]] = {
    "LSTM": lambda: given_states(lambda **options: LSTM(2, **options), 2, masked=False),
    "LSTM with a mask": lambda: given_states(lambda **options: LSTM(2, **options), 2, masked=True),
    "GRU backwards with a mask": lambda: given_states(lambda **o: GRU(2, go_backwards=True, **o), 1, masked=True),
    "both ways": lambda: given_states(lambda **options: Bidirectional(LSTM(2, **options)), 4, masked=False),
    "called twice": called_twice,
    "encoder, decoder": encoder_decoder,
}
"""Whose initial states are given."""


def mask_as_input() -> Described:
    """Both ways with it, and on to a layer that is called without it."""
    x, m, start = Input((4, 2)), Input((4,)), Input((2,))
    h = GRU(2, **EVERY)(Bidirectional(LSTM(2, **EVERY))(x, mask=m))
    return Model([x, m, start], [Dense(1)(h), SimpleRNN(2)(x, initial_state=start, mask=m)])


GRAPHS: dict[str, Callable[[], Described]] = {
    "branches": branches,
    "a sum": lambda: merged_masks(Add),
    "side by side": lambda: merged_masks(Concatenate),
    "a mask as an input": mask_as_input,
}
"""With several inputs and outputs."""
STATEFUL: dict[str, Callable[[], Described]] = {
    "LSTM": lambda: Sequential([Masking(), LSTM(2, stateful=True, **EVERY), GRU(2, stateful=True)], (4, 2)),
    "backwards": lambda: Sequential([GRU(2, stateful=True, go_backwards=True), Dense(1)], (4, 2)),
    "both ways": lambda: Sequential([Bidirectional(LSTM(2, stateful=True)), Dense(1)], (4, 2)),
    "cells": lambda: Sequential([RNN([LSTMCell(2), GRUCell(2)], stateful=True), Dense(1)], (4, 2)),
}
"""That keep their states."""
