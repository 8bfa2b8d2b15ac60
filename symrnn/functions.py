"""Keras' activations as named SymPy functions: one table, from which everything else is derived.

A row of `_ROWS` holds
- the definition, as Keras 3.15 computes it (keras/src/activations/activations.py);
- the slope f', in the argument x and the output y, in terms of y where that form exists, with the
  value that Keras' gradient has at a kink;
- where the definition would overflow or cancel, a stable form of it;
- how the function and its slope are printed: a slope that is `named` is printed f'(x), any other
  in full, as 1 - y^2 or y (1 - y).

A function with parameters, such as `leaky_relu(0.3)`, is a row made on demand. A function of several
numbers, such as `softmax` or `maximum`, is a class of its own.

Constants that Keras keeps in float32 even in a float64 model are float32 here too.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Eq,
    Expr,
    Float,
    Function,
    Ge,
    Integer,
    Max,
    Min,
    Ne,
    Or,
    Piecewise,
    Rational,
    erfc,
    exp,
    log,
    pi,
    sqrt,
    tanh,
)  # fmt: skip
from sympy.codegen.cfunctions import expm1, log1p
from sympy.core.function import ArgumentIndexError

Formula = Callable[..., Expr]


@dataclass(frozen=True)
class Row:
    """What is known of one function of a number: see the module's text.

    `latex` and `text` are printed in place of the function's name, where they are not empty.
    """

    definition: Formula
    slope: Formula
    stable: Formula | None = None
    named: bool = False
    latex: str = ""
    text: str = ""


def float64(value: float) -> Expr:
    """The number, exactly; Keras rounds it to the dtype of the model, and so does generated code."""
    return Float(value, 17)


def float32(value: float) -> Expr:
    """The number that Keras keeps in float32 whatever the dtype of the model, exactly."""
    return float64(struct.unpack("f", struct.pack("f", value))[0])


_SELU_SCALE, _SELU_ALPHA = Float("1.0507009873554805", 17), Float("1.6732632423543772", 17)
_GELU = float32(math.sqrt(0.5))
_HALF = Rational(1, 2)
_LOG_2 = float32(math.log(2))
EPSILON = float64(1e-7)
"""Where Keras' crossentropies clip a probability: keras.config.epsilon()."""
_LARGEST = Integer(10**7)  # what Python and Keras get for 1 / 1e-7


def _when(*cases: tuple[Any, Any], otherwise: Any) -> Expr:
    return Piecewise(*cases, (otherwise, True))


def _stable_sigmoid(x: Expr) -> Expr:
    small = exp(-Abs(x))
    return _when((1 / (1 + small), x >= 0), otherwise=small / (1 + small))


def _stable_softplus(x: Expr) -> Expr:
    return Max(x, 0) + log1p(exp(-Abs(x)))


def _normal_cdf(x: Expr) -> Expr:
    tail = erfc(_GELU * Abs(x)) / 2  # erfc(-k x) by itself becomes 2 - erfc(k x), which cancels
    return _when((1 - tail, x >= 0), otherwise=tail)


def _leaky_relu(slope: Expr) -> Row:
    return Row(
        definition=lambda x: _when((x, x > 0), otherwise=slope * x),
        slope=lambda x, y: _when((1, x > 0), otherwise=slope),
        named=True,
    )


def _elu(alpha: Expr) -> Row:
    return Row(
        definition=lambda x: _when((x, x > 0), otherwise=alpha * (exp(x) - 1)),
        slope=lambda x, y: _when((1, x > 0), otherwise=y + alpha),
        stable=lambda x: _when((x, x > 0), otherwise=alpha * expm1(Min(x, 0))),
        named=True,
    )


def _relu(max_value: float | None, negative_slope: float, threshold: float) -> Row:
    """F(x) = x between the threshold and max_value, below the threshold minus the slope times what it lacks.

    Keras compares x with the threshold in float32, but subtracts it from x in the model's dtype.
    """
    start = float32(threshold) if threshold else Integer(0)
    corner = float64(threshold) if threshold else Integer(0)
    fall = float64(negative_slope) if negative_slope else Integer(0)
    end = None if max_value is None else float32(max_value)
    is_relu6 = max_value == 6 and not threshold  # TensorFlow's relu6 has the slope 0 at 6; its clip has 1

    def definition(x: Expr) -> Expr:
        kept = _when((x, x > start), otherwise=0) if threshold else Max(x, 0)
        return (kept if end is None else Min(kept, end)) - fall * Max(corner - x, 0)

    def slope(x: Expr, y: Expr) -> Expr:
        inside = x > start if end is None else And(x > start, x < end if is_relu6 else x <= end)
        outside = x < corner
        both = [(1 + fall, And(inside, outside))] if start < corner else []
        return _when(*both, (1, inside), *([(fall, outside)] if fall else []), otherwise=0)

    return Row(definition, slope, named=True)


def _huber(delta: Expr) -> Row:
    return Row(
        definition=lambda x: _when((x**2 / 2, Abs(x) <= delta), otherwise=delta * Abs(x) - delta**2 / 2),
        slope=lambda x, y: Min(Max(x, -delta), delta),
        named=True,
    )


def _clip(low: Expr, high: Expr) -> Row:
    return Row(
        definition=lambda x: Min(Max(x, low), high),
        slope=lambda x, y: _when((0, x < low), (0, x > high), otherwise=1),
        named=True,
    )


def _mish_slope(x: Expr, y: Expr) -> Expr:
    inner = tanh(softplus(x))
    return inner + x * sigmoid(x) * (1 - inner**2)


_ROWS: dict[str, Row] = {
    "sigmoid": Row(
        definition=lambda x: 1 / (1 + exp(-x)),
        slope=lambda x, y: y * (1 - y),
        stable=_stable_sigmoid,
        latex=r"\sigma",
        text="σ",
    ),
    "relu": Row(
        definition=lambda x: Max(x, 0),
        slope=lambda x, y: _when((1, y > 0), otherwise=0),
        named=True,
    ),
    "leaky_relu": _leaky_relu(float32(0.2)),
    "relu6": Row(
        definition=lambda x: Min(Max(x, 0), 6),
        slope=lambda x, y: _when((0, y <= 0), (0, y >= 6), otherwise=1),
        named=True,
    ),
    "elu": _elu(Integer(1)),
    "selu": Row(
        definition=lambda x: _SELU_SCALE * _when((x, x > 0), otherwise=_SELU_ALPHA * (exp(x) - 1)),
        slope=lambda x, y: _when((_SELU_SCALE, y >= 0), otherwise=y + _SELU_SCALE * _SELU_ALPHA),
        stable=lambda x: _when((_SELU_SCALE * x, x > 0), otherwise=_SELU_SCALE * _SELU_ALPHA * expm1(Min(x, 0))),
        named=True,
    ),
    "celu": Row(
        definition=lambda x: Max(x, 0) + exp(Min(x, 0)) - 1,
        slope=lambda x, y: _when((1, x > 0), (exp(x), x < 0), otherwise=2),
        stable=lambda x: Max(x, 0) + expm1(Min(x, 0)),
        named=True,
    ),
    "softplus": Row(
        definition=lambda x: log(1 + exp(x)),
        slope=lambda x, y: sigmoid(x),
        stable=_stable_softplus,
    ),
    "softsign": Row(
        definition=lambda x: x / (1 + Abs(x)),
        slope=lambda x, y: (1 - Abs(y)) ** 2,
    ),
    "silu": Row(
        definition=lambda x: x / (1 + exp(-x)),
        slope=lambda x, y: sigmoid(x) + y * (1 - sigmoid(x)),
        stable=lambda x: x * _stable_sigmoid(x),
    ),
    "gelu": Row(
        definition=lambda x: x * erfc(-_GELU * x) / 2,
        slope=lambda x, y: _normal_cdf(x) + x * _GELU / sqrt(pi) * exp(-((_GELU * x) ** 2)),
        stable=lambda x: x * _normal_cdf(x),
        named=True,
    ),
    "mish": Row(
        definition=lambda x: x * tanh(log(1 + exp(x))),
        slope=_mish_slope,
        stable=lambda x: x * tanh(_stable_softplus(x)),
        named=True,
    ),
    "hard_sigmoid": Row(
        definition=lambda x: Min(Max(x + 3, 0), 6) / 6,
        slope=lambda x, y: _when((Rational(1, 6), Abs(x) < 3), otherwise=0),
        named=True,
    ),
    "hard_silu": Row(
        definition=lambda x: x * Min(Max(x + 3, 0), 6) / 6,
        slope=lambda x, y: _when((0, x <= -3), (1, x >= 3), otherwise=(2 * x + 3) / 6),
        named=True,
    ),
    "hard_tanh": Row(
        definition=lambda x: Min(Max(x, -1), 1),
        slope=lambda x, y: _when((1, Abs(x) <= 1), otherwise=0),
        named=True,
    ),
    "tanh_shrink": Row(
        definition=lambda x: x - tanh(x),
        slope=lambda x, y: tanh(x) ** 2,
    ),
    "soft_shrink": Row(
        definition=lambda x: _when((x - _HALF, x > _HALF), (x + _HALF, x < -_HALF), otherwise=0),
        slope=lambda x, y: _when((1, Abs(x) > _HALF), otherwise=0),
        named=True,
    ),
    "hard_shrink": Row(
        definition=lambda x: _when((x, Abs(x) > _HALF), otherwise=0),
        slope=lambda x, y: _when((1, Abs(x) > _HALF), otherwise=0),
        named=True,
    ),
    "sparse_plus": Row(
        definition=lambda x: _when((0, x <= -1), (x, x >= 1), otherwise=(x + 1) ** 2 / 4),
        slope=lambda x, y: _when((0, x <= -1), (1, x >= 1), otherwise=(x + 1) / 2),
        named=True,
    ),
    "sparse_sigmoid": Row(
        definition=lambda x: _when((0, x <= -1), (1, x >= 1), otherwise=(x + 1) / 2),
        slope=lambda x, y: _when((_HALF, Abs(x) < 1), otherwise=0),
        named=True,
    ),
    "squareplus": Row(
        definition=lambda x: (x + sqrt(x**2 + 4)) / 2,
        slope=lambda x, y: y**2 / (y**2 + 1),
        stable=lambda x: _when(((x + sqrt(x**2 + 4)) / 2, x >= 0), otherwise=2 / (sqrt(x**2 + 4) - x)),
    ),
    "log_sigmoid": Row(
        definition=lambda x: -log(1 + exp(-x)),
        slope=lambda x, y: sigmoid(-x),
        stable=lambda x: -_stable_softplus(-x),
    ),
    # helpers of the losses
    "huber": _huber(Integer(1)),
    "log_cosh": Row(
        definition=lambda x: x + log(1 + exp(-2 * x)) - _LOG_2,
        slope=lambda x, y: tanh(x),
        stable=lambda x: Abs(x) + log1p(exp(-2 * Abs(x))) - _LOG_2,
    ),
    "clip": _clip(EPSILON, 1 - EPSILON),
    "inverse_norm": Row(
        definition=lambda x: Min(1 / sqrt(x), _LARGEST),
        slope=lambda x, y: _when((-(y**3) / 2, 1 / sqrt(x) <= _LARGEST), otherwise=0),
        named=True,
    ),
}  # fmt: skip


class NamedFunction(Function):
    """A function that stays a name in expressions until its definition is asked for.

    `latex` and `text` are printed in place of its name, where they are not empty; `signs`, where it
    is a relation, is printed between its arguments, in brackets, in LaTeX and as text.
    """

    latex: str = ""
    text: str = ""
    signs: tuple[str, str] | None = None
    is_extended_real = True

    def define(self) -> Expr:
        """The definition put in for the name."""
        raise NotImplementedError(f"{type(self).__name__} has no definition")

    def stable(self) -> Expr:
        """The form to compute with."""
        return self.define()


class RowFunction(NamedFunction):
    """A function of the table, or one like it; `slope` is its slope, where that has a name."""

    row: Row
    slope: "type[NamedSlope] | None" = None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope; SymPy's chain rule calls this."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        x = self.args[0]
        return self.slope(x, self) if self.slope else self.row.slope(x, self)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return self.row.definition(*self.args)

    def stable(self) -> Expr:
        """The form to compute with."""
        return (self.row.stable or self.row.definition)(*self.args)


class NamedSlope(NamedFunction):
    """The slope f'(x, y) of a function y = f(x), where it is printed by name."""

    row: Row

    def define(self) -> Expr:
        """The formula of the slope."""
        return self.row.slope(*self.args)


def _function(name: str, row: Row) -> type[RowFunction]:
    """The SymPy function of a row."""
    shared = {"row": row, "latex": row.latex, "text": row.text}
    slope = type(f"{name}_slope", (NamedSlope,), {**shared, "nargs": 2}) if row.named else None
    return type(name, (RowFunction,), {**shared, "slope": slope, "nargs": 1})


functions: dict[str, type[RowFunction]] = {name: _function(name, row) for name, row in _ROWS.items()}
slopes: dict[str, type[NamedSlope]] = {name: function.slope for name, function in functions.items() if function.slope}
sigmoid: type[RowFunction] = functions["sigmoid"]
softplus: type[RowFunction] = functions["softplus"]
log_cosh: type[RowFunction] = functions["log_cosh"]
clip: type[RowFunction] = functions["clip"]
inverse_norm: type[RowFunction] = functions["inverse_norm"]


# functions with parameters ----------------------------------------------------------------------


@cache
def leaky_relu(slope: float) -> type[RowFunction]:
    """F(x) = x where x > 0, else slope x; Keras keeps the slope in float32."""
    if slope == 0.2:
        return functions["leaky_relu"]
    return _with_parameters("leaky_relu", _leaky_relu(float32(slope)), {"": slope})


@cache
def elu(alpha: float) -> type[RowFunction]:
    """F(x) = x where x > 0, else alpha (e^x - 1)."""
    if alpha == 1:
        return functions["elu"]
    return _with_parameters("elu", _elu(float64(alpha)), {"": alpha})


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
    return _with_parameters("relu", _relu(max_value, negative_slope, threshold), parameters)


@cache
def huber(delta: float) -> type[RowFunction]:
    """F(x) = x^2 / 2 where abs x <= delta, else delta abs x - delta^2 / 2."""
    if delta == 1:
        return functions["huber"]
    return _with_parameters("huber", _huber(float64(delta)), {"": delta})


@cache
def clip_from(low: float) -> type[RowFunction]:
    """The number in [low, 1] that is nearest to x; its slope is 1 at both ends, as in TensorFlow."""
    return _with_parameters("clip", _clip(float64(low), Integer(1)), {"from": low})


def _with_parameters(name: str, row: Row, parameters: dict[str, float]) -> type[RowFunction]:
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
    return _function("_".join(words).translate(str.maketrans(".-+", "_mp")), printed)


def _decimal(value: float) -> str:
    """The shortest decimal that reads back, without a fraction where it is whole."""
    return repr(float(value)).removesuffix(".0")


def _latex(value: float) -> str:
    """The decimal, with a power of ten for an exponent."""
    digits, _, exponent = _decimal(value).partition("e")
    power = rf"10^{{{int(exponent)}}}" if exponent else ""
    return power if power and digits == "1" else rf"{digits} \times {power}" if power else digits


# functions of several numbers -------------------------------------------------------------------


class prelu(NamedFunction):  # noqa: N801 - a mathematical function, as SymPy writes them
    """prelu(x, alpha) = relu(x) - alpha relu(-x)."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        """By x: relu'(x) + alpha relu'(-x); by alpha: -relu(-x)."""
        x, alpha = self.args
        rising, falling = functions["relu"](x), functions["relu"](-x)
        return rising.fdiff() + alpha * falling.fdiff() if argindex == 1 else -falling

    def define(self) -> Expr:
        """The definition put in for the name."""
        x, alpha = self.args
        return Max(x, 0) - alpha * Max(-x, 0)


class Indicator(NamedFunction):
    """A function that is 1 or 0: TensorFlow takes each of its derivatives as 0."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Nothing."""
        return Integer(0)

    def condition(self) -> Any:
        """Where the function is 1."""
        raise NotImplementedError(f"{type(self).__name__} has no condition")

    def define(self) -> Expr:
        """The definition put in for the name."""
        return _when((1, self.condition()), otherwise=0)


class equal(Indicator):  # noqa: N801
    """equal(a, b) = 1 where a = b, else 0."""

    nargs = 2
    signs = ("=", "=")

    def condition(self) -> Any:
        """Where the function is 1."""
        return Eq(*self.args)


class at_least(Indicator):  # noqa: N801
    """at_least(a, b) = 1 where a >= b, else 0."""

    nargs = 2
    signs = (r"\ge", "≥")

    def condition(self) -> Any:
        """Where the function is 1."""
        return Ge(*self.args)


class differs(Indicator):  # noqa: N801
    """differs(value, z_0, z_1, ...) = 1 where any z_k is not the value, else 0."""

    def condition(self) -> Any:
        """Where the function is 1."""
        value, *entries = self.args
        return Or(*(Ne(z, value) for z in entries))


class onehot(Indicator):  # noqa: N801
    """onehot(j, z) = 1 where z, cut to a whole number towards 0, is j, else 0."""

    nargs = 2

    def condition(self) -> Any:
        """Where the function is 1."""
        j, z = self.args
        return And(z > j - 1, z < 1) if j == 0 else And(z >= j, z < j + 1)


class larger(NamedFunction):  # noqa: N801
    """larger(a, b) = max(a, b); where they are equal a gets the derivative, as in TensorFlow's maximum."""

    nargs = 2
    latex, text = r"\max", "max"

    def fdiff(self, argindex: int = 1) -> Expr:
        """1 where a >= b, else 0; for b it is the other way round."""
        first = at_least(*self.args)
        return first if argindex == 1 else 1 - first

    def define(self) -> Expr:
        """The definition put in for the name."""
        return Max(*self.args)


class maximum(NamedFunction):  # noqa: N801
    """maximum(z_0, z_1, ...); equal ones share the derivative, as in TensorFlow's reduce_max."""

    latex, text = r"\max", "max"

    def fdiff(self, argindex: int = 1) -> Expr:
        """[z_j = max] divided by the number of the z_k that are equal to the maximum."""
        ties = [equal(z, self) for z in self.args]
        return ties[argindex - 1] / Add(*ties)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return Max(*self.args)


class softmax(NamedFunction):  # noqa: N801
    """softmax(j, z_0, z_1, ...) = exp(z_j) / sum_k exp(z_k)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """D s_j / d z_k = s_j ([j = k] - s_k)."""
        j, *logits = self.args
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        k = argindex - 2
        return self * ((1 if j == k else 0) - softmax(Integer(k), *logits))

    def define(self) -> Expr:
        """The definition put in for the name."""
        j, *logits = self.args
        return exp(logits[int(j)]) / sum(map(exp, logits))


class logsumexp(NamedFunction):  # noqa: N801
    """log sum_k exp(z_k)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative by z_k is softmax(k, z_0, z_1, ...)."""
        return softmax(Integer(argindex - 1), *self.args)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return log(sum(map(exp, self.args)))


def define(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions put in."""
    while expr.has(NamedFunction):
        expr = expr.replace(lambda e: isinstance(e, NamedFunction), lambda e: e.define())
    return expr


def stable(expr: Expr) -> Expr:
    """A named function or slope of numbers in the form to compute with."""
    return expr.stable()


# names ------------------------------------------------------------------------------------------


_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_KERAS_ONLY = {
    "sparsemax": "what Keras 3.15.1 computes under this name is not the published function, see keras#23425",
    "threshold": "Keras gives it no default arguments, so that it cannot be used by name",
}
_HELPERS = ("huber", "log_cosh", "clip", "inverse_norm")
ROW_ACTIVATIONS = ("softmax", "log_softmax", "glu")
"""Keras' name of each activation that is a function of a whole row; glu halves the row's width."""
activations: dict[str, Formula] = {
    "linear": lambda x: x,
    "tanh": tanh,
    "exponential": exp,
    **{name: function for name, function in functions.items() if name not in _HELPERS},
    **{alias: functions[name] for alias, name in _ALIASES.items()},
}
"""Keras' name of each elementwise activation, and the function."""


def activation_name(name: str | None) -> str:
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
        raise NotImplementedError(f"activation {name!r} is not supported ({_KERAS_ONLY[name]}); supported: {supported}")
    raise ValueError(f"unknown activation {name!r}; known: {supported}")
