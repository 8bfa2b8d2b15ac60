"""What a check differentiates: the loss, one for all outputs or one for each, as Keras computes it.

Keras' own function of the loss gives a number per sample, or per step; its mean is over what the mask
of the prediction leaves, as in `compute_loss`. The Loss classes compute the same in `floatx`, whatever
the dtype of the model.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symrnn.models.losses import LOSSES, Loss


def losses_in_words(losses: Sequence[Loss]) -> str | None:
    """The losses for a report: one where all are the same."""
    return " + ".join(dict.fromkeys(map(str, losses))) or None


def objective_of(losses: Sequence[Loss], targets: Sequence[np.ndarray], keras: Any) -> Callable[[list[Any]], Any]:
    """The sum of the losses of a model's outputs, or without losses the sum of all their entries."""

    def total(outputs: list[Any]) -> Any:
        if not losses:
            return sum(keras.ops.sum(y) for y in outputs)
        return sum(_mean(*parts, keras) for parts in zip(losses, targets, outputs, strict=True))

    return total


def _mean(loss: Loss, target: np.ndarray, y: Any, keras: Any) -> Any:
    """The mean over samples and steps; where y has a mask, over the valid ones, and 0 where there are none."""
    target = target.astype("int64") if LOSSES[loss.name].ids else target
    values = keras.losses.get(loss.name)(target, y, **loss.arguments)
    mask = getattr(y, "_keras_mask", None)
    if mask is None:
        return keras.ops.mean(values)
    valid = keras.ops.cast(mask, values.dtype)
    return keras.ops.divide_no_nan(keras.ops.sum(values * valid), keras.ops.sum(valid))
