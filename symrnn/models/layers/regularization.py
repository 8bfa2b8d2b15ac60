"""What only training knows."""

from dataclasses import dataclass

from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class Dropout(Layer):
    """The identity: every derivation is of inference, `training=False`."""

    is_plain = False
    is_identity = True
    does = ""

    rate: float = 0.0
