"""Derivations of recurrent neural networks: equations, backpropagation through time, LaTeX, numbers, checks."""

from symrnn.checks import Report, check
from symrnn.derivation import Derivation, Gradient, derive
from symrnn.layers import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed

__all__ = [
    "Activation",
    "Dense",
    "Derivation",
    "Dropout",
    "Gradient",
    "Report",
    "Sequential",
    "SimpleRNN",
    "TimeDistributed",
    "check",
    "derive",
]
__version__ = "0.1.0"
