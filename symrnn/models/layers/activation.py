"""Activations as layers."""

from dataclasses import dataclass

from symrnn.expressions.activations import activation_name
from symrnn.models.layers.core import Layer, check_number


@dataclass(frozen=True)
class Activation(Layer):
    """y = f(x), entry by entry, or softmax over each row."""

    activation: str | None

    def __post_init__(self) -> None:
        activation_name(self.activation)


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

    def __post_init__(self) -> None:
        for what in ("negative_slope", "threshold", *([] if self.max_value is None else ["max_value"])):
            check_number(what, getattr(self, what), type(self).__name__)


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x where x > 0, else slope x. Source: keras/src/layers/activations/leaky_relu.py."""

    does = "applies LeakyReLU to what arrives"

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        check_number("negative_slope", self.negative_slope, type(self).__name__)


@dataclass(frozen=True)
class ELU(Layer):
    """x where x > 0, else alpha (e^x - 1). Source: keras/src/layers/activations/elu.py."""

    does = "applies ELU to what arrives"

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_number("alpha", self.alpha, type(self).__name__)


@dataclass(frozen=True)
class PReLU(Layer):
    """relu(x) - alpha relu(-x), with a weight alpha per entry; `shared_axes=(1,)` shares it over time.

    Source: keras/src/layers/activations/prelu.py.
    """

    letters = "alpha"
    does = "applies PReLU with {weights} to what arrives"

    shared_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shared_axes", None if self.shared_axes is None else tuple(self.shared_axes))
