"""Derivations of recurrent neural networks: equations, backpropagation through time, LaTeX, numbers, checks."""

from symrnn.checking.report import Report
from symrnn.expressions.activations import activations
from symrnn.interface import Derivation, Gradient, check, derive
from symrnn.models.custom_cell import Cell
from symrnn.models.graph import Model
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, InputLayer, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from symrnn.models.losses import Loss

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "Add",
    "Average",
    "Bidirectional",
    "Cell",
    "Concatenate",
    "Dense",
    "Derivation",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Gradient",
    "Input",
    "InputLayer",
    "LSTMCell",
    "LeakyReLU",
    "Loss",
    "Masking",
    "Model",
    "Multiply",
    "NotEqual",
    "PReLU",
    "ReLU",
    "RepeatVector",
    "Report",
    "Sequential",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "TimeDistributed",
    "activations",
    "check",
    "derive",
]
__version__ = "0.1.0"
