"""Layers that only move entries."""

from dataclasses import dataclass

from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class Flatten(Layer):
    """The time steps of a sequence side by side. Source: keras/src/layers/reshaping/flatten.py."""

    time = "ends"
    does = "is all {x} side by side"


@dataclass(frozen=True)
class RepeatVector(Layer):
    """g_t = x for t = 0, ..., n-1: a row becomes a sequence. Source: keras/src/layers/reshaping/repeat_vector.py."""

    time = "starts"
    does = "is what arrives, in every time step,"

    n: int

    @property
    def timesteps(self) -> int:
        """As many as the row is repeated."""
        return self.n
