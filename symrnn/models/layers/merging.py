"""Layers of several inputs."""

from dataclasses import dataclass

from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class Merge(Layer):
    """What all layers of several inputs have."""

    mask = "joins"


@dataclass(frozen=True)
class Add(Merge):
    """The sum of the inputs. Source: keras/src/layers/merging/add.py."""

    does = "is the sum of what arrives{counted}"


@dataclass(frozen=True)
class Multiply(Merge):
    """The elementwise product of the inputs. Source: keras/src/layers/merging/multiply.py."""

    does = "is the product of what arrives, entry by entry{counted}"


@dataclass(frozen=True)
class Average(Merge):
    """The mean of the inputs. Source: keras/src/layers/merging/average.py."""

    does = "is the mean of what arrives{counted}"


@dataclass(frozen=True)
class Concatenate(Merge):
    """The inputs side by side, on the last axis. Source: keras/src/layers/merging/concatenate.py."""

    does = "is what arrives side by side{counted}"
