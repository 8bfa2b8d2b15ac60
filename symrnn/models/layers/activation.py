"""Activations as layers."""

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.common.errors import cut_repr
from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class Activation(Layer):
    """y = f(x), entry by entry, or softmax over each row."""

    activation: str | None


@dataclass(frozen=True)
class Softmax(Layer):
    """The softmax of each row. Source: keras/src/layers/activations/softmax.py."""

    reads_mask = True
    does = "applies Softmax to what arrives"


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0); its arguments move the bounds. Source: keras/src/layers/activations/relu.py."""

    does = "applies ReLU to what arrives"

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x where x > 0, else slope x. Source: keras/src/layers/activations/leaky_relu.py."""

    does = "applies LeakyReLU to what arrives"

    negative_slope: float = 0.3


@dataclass(frozen=True)
class ELU(Layer):
    """x where x > 0, else alpha (e^x - 1). Source: keras/src/layers/activations/elu.py."""

    does = "applies ELU to what arrives"

    alpha: float = 1.0


@dataclass(frozen=True)
class PReLU(Layer):
    """relu(x) - alpha relu(-x), with a weight alpha per entry; `shared_axes=(1,)` shares it over time.

    Source: keras/src/layers/activations/prelu.py.
    """

    letters = "alpha"
    does = "applies PReLU with {weights} to what arrives"

    shared_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        axes: object = self.shared_axes
        if axes is not None and not (isinstance(axes, Sequence) and all(isinstance(axis, int) for axis in axes)):
            raise ValueError(f"PReLU: shared_axes: expected a list of axes or None, got {cut_repr(axes)}")
        object.__setattr__(self, "shared_axes", None if self.shared_axes is None else tuple(self.shared_axes))
