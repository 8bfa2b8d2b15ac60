"""Which loss a model has where none is given: a crossentropy for outputs that are shares of 1."""

import pytest

from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model
from symrnn.models.layers.activation import Activation, Softmax
from symrnn.models.layers.core import Dense, Input, Masking, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from symrnn.models.losses import default_loss

EVERY, CROSS = {"return_sequences": True}, "categorical_crossentropy"

DEFAULTS = [
    ([SimpleRNN(2), Dense(3)], None),
    ([SimpleRNN(2), Dense(3, "softmax")], CROSS),
    ([SimpleRNN(2), Dense(1, "softmax")], None),
    ([SimpleRNN(2), Dense(3), Activation("softmax"), Dropout(0.5)], CROSS),
    ([SimpleRNN(2), Dense(3, "softmax"), Dense(2)], None),
    ([SimpleRNN(2, "softmax")], CROSS),
    ([SimpleRNN(2, "softmax", **EVERY)], CROSS),
    ([LSTM(2, "softmax")], None),
    ([GRU(2), Dense(2, "log_softmax")], None),
    ([Masking(), SimpleRNN(2, "softmax")], CROSS),
    ([Bidirectional(SimpleRNN(2, "softmax"))], CROSS),
    ([Bidirectional(SimpleRNN(2, "softmax"), "mul")], None),
    ([Bidirectional(SimpleRNN(2, "softmax"), "sum")], CROSS),
    ([Bidirectional(SimpleRNN(2, "softmax", **EVERY)), Dropout(0.5)], CROSS),
    ([SimpleRNN(2, "softmax", go_backwards=True, **EVERY)], CROSS),
    ([RNN([GRUCell(3), SimpleRNNCell(2, "softmax")])], CROSS),
    ([RNN([SimpleRNNCell(2, "softmax"), GRUCell(3)])], None),
    ([SimpleRNN(2, **EVERY), TimeDistributed(Dense(2, "softmax")), Masking()], CROSS),
    ([SimpleRNN(2, **EVERY), Dense(2, "softmax"), Flatten()], None),
    ([SimpleRNN(2, **EVERY), Dense(2, "softmax"), GlobalAveragePooling1D()], None),
    ([SimpleRNN(2), Softmax(), Activation("linear")], CROSS),
    ([SimpleRNN(2), Softmax(), Activation("tanh")], None),
]


@pytest.mark.parametrize(("layers", "loss"), DEFAULTS, ids=range(len(DEFAULTS)))
def test_the_default_loss_of_a_model(layers, loss):
    assert default_loss(forward(Sequential(layers, (3, 2))).heads) == loss


def test_the_default_losses_of_several_outputs():
    x = Input((3, 1))
    h = SimpleRNN(2)(x)
    share, other, sums = Dense(2, "softmax")(h), Dense(2)(h), Dense(3, "softmax")(h)
    assert default_loss(forward(Model(x, [share, other])).heads) == [CROSS, "mse"]
    assert default_loss(forward(Model(x, [share, sums])).heads) == CROSS
    assert default_loss(forward(Model(x, [other, Dense(1)(h)])).heads) is None


@pytest.mark.parametrize(("merge", "loss"), [(Add, CROSS), (Concatenate, CROSS), (Multiply, None), (Average, None)])
def test_the_default_loss_of_what_is_merged(merge, loss):
    x = Input((3, 1))
    h = SimpleRNN(2)(x)
    share, more, other = Dense(2, "softmax")(h), Softmax()(h), Dense(2)(h)
    assert default_loss(forward(Model(x, merge()([share, more]))).heads) == loss
    assert default_loss(forward(Model(x, merge()([share, other]))).heads) is None
