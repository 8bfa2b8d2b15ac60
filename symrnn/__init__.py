"""Derivations of recurrent neural networks: equations, backpropagation through time, LaTeX, numbers, checks."""

from typing import TYPE_CHECKING, Any

from symrnn.derivation import Derivation, Gradient, derive
from symrnn.layers import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed

if TYPE_CHECKING:
    from symrnn.checks import Report, check

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


def __getattr__(name: str) -> Any:
    """`check` and `Report` are loaded when they are asked for: NumPy is slow to import."""
    if name in ("Report", "check"):
        from symrnn import checks

        return getattr(checks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
