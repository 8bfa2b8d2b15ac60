"""The rules of all layers: `apply` with what the modules beside this one register."""

from symrnn.models.equations import activation, core, merging, pooling, regularization, reshaping, rnn
from symrnn.models.equations.rule import apply

RULES = (core, rnn, activation, reshaping, pooling, regularization, merging)
"""The modules with rules, in the order of those of `layers`."""
__all__ = ["RULES", "apply"]
