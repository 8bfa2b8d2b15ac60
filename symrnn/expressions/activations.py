"""Keras' activations by name, and those with parameters, such as `leaky_relu(0.3)`: a row made on demand."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from sympy import (
    Expr,
    Integer,
    Max,
    exp,
    tanh,
)  # fmt: skip

from symrnn.common.errors import cut_repr
from symrnn.expressions.activation_table import (
    clip_row,
    elu_row,
    float32,
    float64,
    functions,
    huber_row,
    leaky_relu_row,
    relu_row,
)
from symrnn.expressions.functions import NamedFunction
from symrnn.expressions.matrices import add, columns, elementwise, hadamard, multiply, spread
from symrnn.expressions.nodes import SLOTS, LogSumExp, RowSoftmax
from symrnn.expressions.row_functions import ActivationRow, Formula, RowFunction, function_of

# functions with parameters ----------------------------------------------------------------------


@cache
def leaky_relu(slope: float) -> type[RowFunction]:
    """F(x) = x where x > 0, else slope x; Keras keeps the slope in float32."""
    if slope == 0.2:
        return functions["leaky_relu"]
    return _with_parameters("leaky_relu", leaky_relu_row(float32(slope)), {"": slope}, leaky_relu, slope)


@cache
def elu(alpha: float) -> type[RowFunction]:
    """F(x) = x where x > 0, else alpha (e^x - 1)."""
    if alpha == 1:
        return functions["elu"]
    return _with_parameters("elu", elu_row(float64(alpha)), {"": alpha}, elu, alpha)


@cache
def relu(max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0) -> type[RowFunction]:
    """F(x) = min(x [x > threshold], max_value) - negative_slope max(threshold - x, 0), nothing negative.

    With a slope alone it is `leaky_relu`, as in Keras.
    """
    if max_value is None and not threshold:
        return leaky_relu(negative_slope) if negative_slope else functions["relu"]
    if max_value == 6 and not negative_slope and not threshold:
        return functions["relu6"]
    given = {"max": max_value, "slope": negative_slope or None, "threshold": threshold or None}
    parameters = {name: value for name, value in given.items() if value is not None}
    given_to = max_value, negative_slope, threshold
    return _with_parameters("relu", relu_row(*given_to), parameters, relu, *given_to)


@cache
def huber(delta: float) -> type[RowFunction]:
    """F(x) = x^2 / 2 where abs x <= delta, else delta abs x - delta^2 / 2."""
    if delta == 1:
        return functions["huber"]
    return _with_parameters("huber", huber_row(float64(delta)), {"": delta}, huber, delta)


@cache
def clip_from(low: float) -> type[RowFunction]:
    """The number in [low, 1] that is nearest to x; its slope is 1 at both ends, as in TensorFlow."""
    return _with_parameters("clip", clip_row(float64(low), Integer(1)), {"from": low}, clip_from, low)


def _with_parameters(
    name: str, row: ActivationRow, parameters: dict[str, float], make: Callable[..., Any], *arguments: Any
) -> type[RowFunction]:
    """The function of a row, with parameters in its name: leaky_relu_0_3, printed leaky_relu_0.3.

    A parameter is printed by its value alone where it has no name.
    """
    words = [name, *(word for key, value in parameters.items() for word in (key, _decimal(value)) if word)]
    latex = ",".join(
        rf"\mathrm{{{key}}}={_latex(value)}" if key else _latex(value) for key, value in parameters.items()
    )
    text = ",".join(f"{key}={_decimal(value)}" if key else _decimal(value) for key, value in parameters.items())
    text = f"{{{text}}}" if "=" in text else text
    head = name.replace("_", r"\_")
    printed = replace(row, latex=rf"\mathrm{{{head}}}_{{{latex}}}", text=f"{name}_{text}")
    return function_of("_".join(words).translate(str.maketrans(".-+", "_mp")), printed, make, *arguments)


def _decimal(value: float) -> str:
    """The shortest decimal that reads back, without a fraction where it is whole."""
    return repr(float(value)).removesuffix(".0")


def _latex(value: float) -> str:
    """The decimal, with a power of ten for an exponent."""
    digits, _, exponent = _decimal(value).partition("e")
    power = rf"10^{{{int(exponent)}}}" if exponent else ""
    return power if power and digits == "1" else rf"{digits} \times {power}" if power else digits


class prelu(NamedFunction):  # noqa: N801 - a mathematical function, as SymPy writes them
    """prelu(x, alpha) = relu(x) - alpha relu(-x)."""

    nargs = 2
    straight = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """By x: relu'(x) + alpha relu'(-x); by alpha: -relu(-x)."""
        x, alpha = self.args
        rising, falling = functions["relu"](x), functions["relu"](-x)
        return rising.fdiff() + alpha * falling.fdiff() if argindex == 1 else -falling

    def define(self) -> Expr:
        """The definition put in for the name."""
        x, alpha = self.args
        return Max(x, 0) - alpha * Max(-x, 0)


# names ------------------------------------------------------------------------------------------


_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_KERAS_ONLY = {
    "sparsemax": "what Keras 3.15.1 computes under this name is not the published function, see keras#23425",
    "threshold": "Keras gives it no default arguments, so that it cannot be used by name",
}
_HELPERS = ("huber", "log_cosh", "clip", "inverse_norm")
activations: dict[str, Formula] = {
    "linear": lambda x: x,
    "tanh": tanh,
    "exponential": exp,
    **{name: function for name, function in functions.items() if name not in _HELPERS},
    **{alias: functions[name] for alias, name in _ALIASES.items()},
}
"""Keras' name of each elementwise activation, and the function."""


def _log_softmax(x: Expr) -> Expr:
    return add(x, multiply(-1, spread(LogSumExp(x), x)))


def _glu(x: Expr) -> Expr:
    """A o sigma(B) for the halves of each row."""
    half, odd = divmod(int(x.shape[1]), 2)
    if odd:
        raise ValueError(f"glu: expected an even number of columns, got {2 * half + 1}")
    gate = elementwise(functions["sigmoid"](SLOTS[0]), columns(x, half, 2 * half))
    return hadamard(columns(x, 0, half), gate)


ROW_ACTIVATIONS: dict[str, Formula] = {"softmax": RowSoftmax, "log_softmax": _log_softmax, "glu": _glu}
"""Keras' name of each activation that is a function of a whole row, and the matrix; glu halves the row's width."""


def activation_name(name: object) -> str:
    """The name of an activation, checked: None is linear, as in Keras.

    Raises:
        ValueError: Keras has no such activation.
        NotImplementedError: Keras has it, symrnn does not.
    """
    name = "linear" if name is None else name
    if isinstance(name, str) and (name in activations or name in ROW_ACTIVATIONS):
        return name
    supported = ", ".join(sorted([*activations, *ROW_ACTIVATIONS]))
    if isinstance(name, str) and name in _KERAS_ONLY:
        raise NotImplementedError(
            f"activation {cut_repr(name)} is not supported ({_KERAS_ONLY[name]}); supported: {supported}"
        )
    raise ValueError(f"unknown activation {cut_repr(name)}; known: {supported}")
