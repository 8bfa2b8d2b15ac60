"""Which mask each result carries in Keras, and what the mask operations in Keras' graphs amount to.

A mask is the set of the tests it is made of, pairs of a result and a value: a step is valid where, for one of
them, a feature of the step differs from the value; an input that is a mask has no value. None is no mask: every
step is valid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symrnn.importers.keras.layer_config import ConfigOrigin, Entry
from symrnn.models.graph import Result
from symrnn.models.layers.activation import Softmax
from symrnn.models.layers.core import Layer, TimeDistributed
from symrnn.models.layers.merging import Merge
from symrnn.models.layers.rnn import Bidirectional, Recurrent

Mask = frozenset[tuple[Result, float | None]] | None
_LOSES_MASKS = (Recurrent, Bidirectional, TimeDistributed)
"""What hands no mask on in Keras 3.16 and later."""


def either(masks: Sequence[Mask]) -> Mask:
    """Valid where one of them is."""
    return None if None in masks else frozenset().union(*filter(None, masks))


def mask_after(layer: Layer, inputs: Sequence[Result], masks: Sequence[Mask], given: Mask) -> Mask:
    """The mask that the result carries; `masks` are those of the inputs, `given` that of the call.

    Sources: compute_mask in keras/src/layers and its subclasses, Keras 3.15.
    """
    if layer.mask == "makes":
        return None if layer.masked_value is None else frozenset({(inputs[0], float(layer.masked_value))})
    if layer.mask == "joins":
        return either(masks)
    if not layer.keeps_time():
        return None
    return masks[0] if given is None else given


def check_mask(layer: Layer, masks: Sequence[Mask], states: Sequence[Result], origin: ConfigOrigin) -> None:
    """Check that a masked call means in the version of Keras that wrote it what it means in Keras 3.15.

    Raises:
        NotImplementedError: it does not.
    """
    if not any(masks):
        return
    if origin.is_keras2 and (states or isinstance(layer, Merge | Softmax)):
        raise NotImplementedError(
            "a mask here has another meaning in Keras 2 than in Keras 3; supported: masks for recurrent layers without "
            "initial_state, Bidirectional, TimeDistributed and GlobalAveragePooling1D"
        )
    if origin.version and origin.version >= (3, 16) and isinstance(layer, _LOSES_MASKS) and layer.keeps_time():
        raise NotImplementedError(
            "a mask for a layer that returns a sequence is not supported for Keras 3.16 and later, whose masks end "
            "there; supported: masks of Keras 3.0 to 3.15"
        )


# Keras' operations ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """What an operation on masks returns."""

    mask: Mask


Values = Sequence[Any]


def _not_equal(entry: Entry, values: Values) -> Mask:
    """Where a tensor differs from a number."""
    source, number = values if len(values) == 2 else (None, None)
    if not isinstance(source, Result) or not isinstance(number, int | float) or isinstance(number, bool):
        raise NotImplementedError("supported: a tensor and a number")
    return frozenset({(source, float(number))})


def _same(entry: Entry, values: Values) -> Mask:
    """Any over the features, or one more axis."""
    if entry.config.get("axis", -1) != -1 or entry.config.get("keepdims"):
        raise NotImplementedError("supported: axis=-1, keepdims=False")
    return _truths(values)[0]


def _union(entry: Entry, values: Values) -> Mask:
    if entry.config.get("axis", -1) != -1:
        raise NotImplementedError("supported: axis=-1")
    return either(_truths(values))


def _truths(values: Values) -> list[Mask]:
    if not values or not all(isinstance(value, Truth) for value in values):
        raise NotImplementedError("supported: masks")
    return [value.mask for value in values]


OPERATIONS: Mapping[str, Callable[[Entry, Values], Mask]] = {
    "NotEqual": _not_equal,
    "Any": _same,
    "ExpandDims": _same,
    "LogicalOr": _union,
    "Concatenate": _union,
    "ZerosLike": lambda entry, values: frozenset(),
    "OnesLike": lambda entry, values: None,
}
"""What Keras makes of the masks of Masking, Embedding, Add and Concatenate."""
MASKS_OF_TENSORS = ("NotEqual", "ZerosLike", "OnesLike")
"""Those that take a tensor, and not a mask."""
