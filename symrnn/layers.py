"""Layers as values, with Keras' names and arguments, and the equations of one time step.

| symbol      | Keras weight       | shape             |
|-------------|--------------------|-------------------|
| `U`         | `kernel`           | (features, units) |
| `V`         | `recurrent_kernel` | (units, units)    |
| `b_h`       | `bias`             | (units,)          |
| `W`         | Dense `kernel`     | (inputs, units)   |
| `b_o`       | Dense `bias`       | (units,)          |

`x_t` is the input, `h_t` the state, `a_t` what the activation is applied to, `y` the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symrnn.functions import activation_name, activations
from symrnn.matrices import SLOTS, N, Softmax, add, elementwise, multiply, ones, shape_of
from symrnn.program import Equation


@dataclass(frozen=True)
class SimpleRNN:
    """h_t = f(x_t U + h_{t-1} V + b_h), h_{-1} = 0; with `initial_state`, h_{-1} is an input.

    With `go_backwards` it is h_t = f(x_t U + h_{t+1} V + b_h) for t = T-1 .. 0.
    Source: keras/src/layers/rnn/simple_rnn.py.
    """

    units: int
    activation: str | None = "tanh"
    use_bias: bool = True
    return_sequences: bool = False
    go_backwards: bool = False
    initial_state: bool = False
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)


@dataclass(frozen=True)
class Dense:
    """y = f(h W + b_o), applied to every time step of a sequence.

    Source: keras/src/layers/core/dense.py.
    """

    units: int
    activation: str | None = None
    use_bias: bool = True
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)


@dataclass(frozen=True)
class TimeDistributed:
    """A Dense applied to every time step; Keras' crossentropies do not see its logits."""

    layer: Dense
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Dense):
            raise NotImplementedError(
                f"TimeDistributed({type(self.layer).__name__}) is not supported; supported: TimeDistributed(Dense)"
            )


@dataclass(frozen=True)
class Activation:
    """y = f(x), entry by entry, or softmax over each row."""

    activation: str | None
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        activation_name(self.activation)


@dataclass(frozen=True)
class Dropout:
    """The identity: every derivation is of inference, `training=False`."""

    rate: float = 0.0
    name: str | None = field(default=None, compare=False)


Layer = SimpleRNN | Dense | TimeDistributed | Activation | Dropout
LAYERS: dict[str, type] = {kind.__name__: kind for kind in (SimpleRNN, Dense, TimeDistributed, Activation, Dropout)}


@dataclass(frozen=True)
class Sequential:
    """Layers one after the other, for samples of shape (timesteps, features); timesteps may be None.

    Raises:
        ValueError: no layers, or sizes that are not positive whole numbers.
        NotImplementedError: a layer that symrnn does not know.
    """

    layers: Sequence[Layer]
    input_shape: tuple[int | None, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("Sequential: expected at least one layer, got none")
        for place, layer in enumerate(self.layers, 1):
            if type(layer) not in LAYERS.values():
                raise NotImplementedError(
                    f"layer {place}: {type(layer).__name__} is not supported; supported: {', '.join(LAYERS)}"
                )
        if not isinstance(self.input_shape, Sequence) or len(self.input_shape) != 2:
            raise ValueError(f"input_shape: expected (timesteps, features), got {self.input_shape!r}")
        object.__setattr__(self, "input_shape", tuple(self.input_shape))
        timesteps, features = self.input_shape
        if timesteps is not None:
            check_size("timesteps", timesteps)
        check_size("features", features)


def check_size(what: str, size: object, where: str = "input_shape") -> None:
    """Check that a size is a positive whole number.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{where}: {what}: expected a positive whole number, got {size!r}")


def _check_size(what: str, size: object, layer: object) -> None:
    check_size(what, size, type(layer).__name__)


# one step ---------------------------------------------------------------------------------------


def affine(terms: Sequence[tuple[Expr, Expr]], bias: Expr | None) -> Expr:
    """X U + h V + 1 b: the products, and the bias added to every row."""
    products = [multiply(x, weight) for x, weight in terms]
    return add(*products, *([] if bias is None else [multiply(ones((N, 1)), bias)]))


def activate(name: str | None, x: Expr) -> Expr:
    """f(x) for a Keras activation: entry by entry, or softmax by rows."""
    name = activation_name(name)
    if name == "softmax":
        return Softmax(x)
    return x if name == "linear" else elementwise(activations[name](SLOTS[0]), x)


def activated(name: str | None, rhs: Expr, a: Expr | None, y: Expr) -> list[Equation]:
    """A = rhs, y = f(a); or y = rhs alone, where f is linear and a would be y again."""
    if activation_name(name) == "linear":
        return [Equation(y, rhs)]
    return [Equation(a, rhs), Equation(y, activate(name, a))]


def width(symbol: Expr) -> int:
    """The number of columns of a symbol."""
    return int(shape_of(symbol)[1])
