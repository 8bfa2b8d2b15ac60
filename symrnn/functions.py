"""Keras' activations as named SymPy functions: one table, from which everything else is derived.

A row of `_ROWS` holds
- the definition, as Keras 3.15 computes it (keras/src/activations/activations.py);
- the slope f', in the argument x and the output y, in terms of y where that form exists, with the
  value that Keras' gradient has at a kink;
- where the definition would overflow or cancel, a stable form of it;
- how the function and its slope are printed: a slope that is `named` is printed f'(x), any other
  in full, as 1 - y^2 or y (1 - y).

Constants that Keras keeps in float32 even in a float64 model are float32 here too.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import (
    Abs,
    Expr,
    Float,
    Function,
    Integer,
    Max,
    Min,
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
    """What is known of one function of a number: see the module's text."""

    definition: Formula
    slope: Formula
    stable: Formula | None = None
    named: bool = False
    latex: str = ""


def float32(value: float) -> Expr:
    """The number that Keras keeps in float32, exactly."""
    return Float(struct.unpack("f", struct.pack("f", value))[0], 17)


_SLOPE = float32(0.2)
_SELU_SCALE, _SELU_ALPHA = Float("1.0507009873554805", 17), Float("1.6732632423543772", 17)
_GELU = float32(math.sqrt(0.5))
_HALF = Rational(1, 2)
EPSILON = Float("1e-7", 17)
"""Where Keras' crossentropies clip a probability: keras.config.epsilon()."""


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


def _mish_slope(x: Expr, y: Expr) -> Expr:
    inner = tanh(softplus(x))
    return inner + x * sigmoid(x) * (1 - inner**2)


_ROWS: dict[str, Row] = {
    "sigmoid": Row(
        definition=lambda x: 1 / (1 + exp(-x)),
        slope=lambda x, y: y * (1 - y),
        stable=_stable_sigmoid,
        latex=r"\sigma",
    ),
    "relu": Row(
        definition=lambda x: Max(x, 0),
        slope=lambda x, y: _when((1, y > 0), otherwise=0),
        named=True,
    ),
    "leaky_relu": Row(
        definition=lambda x: _when((x, x > 0), otherwise=_SLOPE * x),
        slope=lambda x, y: _when((1, y > 0), otherwise=_SLOPE),
        named=True,
    ),
    "relu6": Row(
        definition=lambda x: Min(Max(x, 0), 6),
        slope=lambda x, y: _when((0, y <= 0), (0, y >= 6), otherwise=1),
        named=True,
    ),
    "elu": Row(
        definition=lambda x: _when((x, x > 0), otherwise=exp(x) - 1),
        slope=lambda x, y: _when((1, y > 0), otherwise=1 + y),
        stable=lambda x: _when((x, x > 0), otherwise=expm1(Min(x, 0))),
        named=True,
    ),
    "selu": Row(
        definition=lambda x: _SELU_SCALE * _when((x, x > 0), otherwise=_SELU_ALPHA * (exp(x) - 1)),
        slope=lambda x, y: _when((_SELU_SCALE, y >= 0), otherwise=y + _SELU_SCALE * _SELU_ALPHA),
        stable=lambda x: _when((_SELU_SCALE * x, x > 0), otherwise=_SELU_SCALE * _SELU_ALPHA * expm1(Min(x, 0))),
        named=True,
    ),
    "celu": Row(
        definition=lambda x: Max(x, 0) + exp(Min(x, 0)) - 1,
        slope=lambda x, y: _when((1, y > 0), (1 + y, y < 0), otherwise=2),
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
    "huber": Row(
        definition=lambda x: _when((x**2 / 2, Abs(x) <= 1), otherwise=Abs(x) - _HALF),
        slope=lambda x, y: Min(Max(x, -1), 1),
        named=True,
    ),
    "clip": Row(
        definition=lambda x: Min(Max(x, EPSILON), 1 - EPSILON),
        slope=lambda x, y: _when((0, x < EPSILON), (0, x > 1 - EPSILON), otherwise=1),
        named=True,
    ),
}  # fmt: skip


class NamedFunction(Function):
    """A function of the table: it stays a name in expressions until its definition is asked for."""

    row: Row
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """The slope; SymPy's chain rule calls this."""
        if argindex != 1:
            raise ArgumentIndexError(self, argindex)
        x = self.args[0]
        return slopes[type(self).__name__](x, self) if self.row.named else self.row.slope(x, self)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return self.row.definition(*self.args)


class NamedSlope(Function):
    """The slope f'(x, y) of a function y = f(x), where it is printed by name."""

    row: Row
    is_extended_real = True

    def define(self) -> Expr:
        """The formula of the slope."""
        return self.row.slope(*self.args)


functions: dict[str, type[NamedFunction]] = {
    name: type(name, (NamedFunction,), {"row": row, "nargs": 1}) for name, row in _ROWS.items()
}
slopes: dict[str, type[NamedSlope]] = {
    name: type(f"{name}_slope", (NamedSlope,), {"row": row, "nargs": 2}) for name, row in _ROWS.items() if row.named
}
sigmoid: type[NamedFunction] = functions["sigmoid"]
softplus: type[NamedFunction] = functions["softplus"]
huber: type[NamedFunction] = functions["huber"]
clip: type[NamedFunction] = functions["clip"]


class softmax(Function):  # noqa: N801 - a mathematical function, as SymPy writes them
    """softmax(j, z_0, z_1, ...) = exp(z_j) / sum_k exp(z_k)."""

    is_extended_real = True

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


class logsumexp(Function):  # noqa: N801
    """log sum_k exp(z_k)."""

    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative by z_k is softmax(k, z_0, z_1, ...)."""
        return softmax(Integer(argindex - 1), *self.args)

    def define(self) -> Expr:
        """The definition put in for the name."""
        return log(sum(map(exp, self.args)))


def define(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions put in."""
    named = (NamedFunction, NamedSlope, softmax, logsumexp)
    while expr.has(*named):
        expr = expr.replace(lambda e: isinstance(e, named), lambda e: e.define())
    return expr


_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}
_KERAS_ONLY = {
    "log_softmax": "a function of a whole row",
    "glu": "a function of a whole row that halves its width",
    "sparsemax": "a function of a whole row",
    "threshold": "Keras gives it no default arguments, so that it cannot be used by name",
}
_HELPERS = ("huber", "clip")
activations: dict[str, Formula] = {
    "linear": lambda x: x,
    "tanh": tanh,
    "exponential": exp,
    **{name: function for name, function in functions.items() if name not in _HELPERS},
    **{alias: functions[name] for alias, name in _ALIASES.items()},
}
"""Keras' name of each elementwise activation, and the function."""


def activation_name(name: str | None) -> str:
    """The name checked: None is linear, as in Keras; "softmax" is allowed beside the elementwise ones.

    Raises:
        ValueError: Keras has no such activation.
        NotImplementedError: Keras has it, symrnn does not.
    """
    name = "linear" if name is None else name
    if isinstance(name, str) and (name in activations or name == "softmax"):
        return name
    supported = ", ".join(sorted([*activations, "softmax"]))
    if isinstance(name, str) and name in _KERAS_ONLY:
        raise NotImplementedError(f"activation {name!r} is not supported ({_KERAS_ONLY[name]}); supported: {supported}")
    raise ValueError(f"unknown activation {name!r}; known: {supported}")


def stable(expr: Expr) -> Expr:
    """A named function or slope of numbers in the form to compute with."""
    row = expr.row
    formula = row.slope if isinstance(expr, NamedSlope) else row.stable or row.definition
    return formula(*expr.args)
