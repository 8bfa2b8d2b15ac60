"""Layers that only move entries."""

from dataclasses import dataclass

from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class Flatten(Layer):
    """The time steps of a sequence side by side. Source: keras/src/layers/reshaping/flatten.py."""

    time = "ends"
