"""Keras' functions on tensors that are what a layer is: keras.ops.add, multiply and concatenate, also as + and *."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symrnn.common.errors import cut_name, cut_repr
from symrnn.expressions.activations import ROW_ACTIVATIONS, activations
from symrnn.importers.keras.layer_config import SUPPORTED, Entry, snake_case
from symrnn.models.graph import Result
from symrnn.models.layers.merging import Add, Concatenate, Merge, Multiply

MERGING: Mapping[str, Callable[..., Merge]] = {"Add": Add, "Multiply": Multiply, "Concatenate": Concatenate}
_OTHERWISE = ("gelu",)
"""What an activation of the same name computes otherwise."""


def merging_layer(entry: Entry, values: Sequence[Any]) -> Merge:
    """The layer that an operation on tensors is.

    Raises:
        NotImplementedError: there is none.
    """
    if entry.kind not in MERGING:
        raise NotImplementedError(refusal(entry))
    if not all(isinstance(value, Result) for value in values):
        raise NotImplementedError(f"{entry.kind} of a tensor and a number is not supported; supported: tensors")
    if entry.config.get("axis", -1) != -1:
        raise NotImplementedError(f"axis={cut_repr(entry.config['axis'])} is not supported; supported: axis=-1")
    return MERGING[entry.kind](name=entry.name)


def refusal(entry: Entry) -> str:
    """Why an operation is refused, and by which layer it can be said."""
    name, where = snake_case(entry.kind), cut_name(entry.item.get("module", "keras"))
    if name in {*activations, *ROW_ACTIVATIONS} - {*_OTHERWISE}:
        return f"{entry.kind} of {where} is not supported; supported: the layer Activation({cut_repr(name)})"
    return f"{entry.kind} of {where} is not supported; supported: the layers {SUPPORTED}"
