"""Derivations of recurrent neural networks: equations, backpropagation through time, LaTeX, numbers, checks."""

from typing import TYPE_CHECKING, Any

from symrnn.custom import Cell
from symrnn.derivation import Derivation, Gradient, derive
from symrnn.graph import Model
from symrnn.layers import (
    ELU,
    GRU,
    LSTM,
    RNN,
    Activation,
    Add,
    Average,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    GRUCell,
    Input,
    LeakyReLU,
    LSTMCell,
    Masking,
    Multiply,
    PReLU,
    ReLU,
    Sequential,
    SimpleRNN,
    SimpleRNNCell,
    Softmax,
    TimeDistributed,
)
from symrnn.losses import Loss
from symrnn.nonlinearities import activations

if TYPE_CHECKING:
    from symrnn.checks import Report, check

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
    "LSTMCell",
    "LeakyReLU",
    "Loss",
    "Masking",
    "Model",
    "Multiply",
    "PReLU",
    "ReLU",
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


def __getattr__(name: str) -> Any:
    """`check` and `Report` are loaded when they are asked for: NumPy is slow to import."""
    if name in ("Report", "check"):
        from symrnn import checks

        return getattr(checks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
