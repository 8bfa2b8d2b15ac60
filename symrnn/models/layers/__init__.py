"""Layers as values, with Keras' names and arguments; others import them from here, not from its modules.

A layer is called on tensors, as in Keras: `LSTM(4)(x)`. A layer that is called twice is shared: its
weights are one. `LAYERS` and `CELLS` are the tables of what symrnn knows.

- `core`: what all layers have; inputs, dense layers, embeddings, masks
- `rnn`: cells and recurrent layers
- `activation`: activations as layers
- `reshaping`: entries moved
- `pooling`: one row of all time steps
- `regularization`: what only training knows
- `merging`: several inputs
- `table`: the layers that symrnn knows, and layers one after the other
"""

from symrnn.models.custom_cell import Cell
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import (
    Dense,
    Embedding,
    Input,
    InputLayer,
    Layer,
    Masking,
    NotEqual,
    Shape,
    Tensor,
    TimeDistributed,
    check_size,
)
from symrnn.models.layers.merging import Add, Average, Concatenate, Merge, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import (
    CELLS,
    GRU,
    LSTM,
    MERGE_MODES,
    RNN,
    Bidirectional,
    Cells,
    GRUCell,
    LSTMCell,
    Recurrent,
    SimpleRNN,
    SimpleRNNCell,
    states_of,
)
from symrnn.models.layers.table import LAYERS, Sequential, cells_of

__all__ = [
    "CELLS",
    "ELU",
    "GRU",
    "LAYERS",
    "LSTM",
    "MERGE_MODES",
    "RNN",
    "Activation",
    "Add",
    "Average",
    "Bidirectional",
    "Cell",
    "Cells",
    "Concatenate",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Layer",
    "LeakyReLU",
    "Masking",
    "Merge",
    "Multiply",
    "NotEqual",
    "PReLU",
    "ReLU",
    "Recurrent",
    "Sequential",
    "Shape",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "Tensor",
    "TimeDistributed",
    "cells_of",
    "check_size",
    "states_of",
]
