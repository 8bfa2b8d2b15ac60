"""Keras' activations as named SymPy functions: one table, from which everything else is derived.

A row of `ROWS` holds
- the definition, as Keras 3.15 computes it (keras/src/activations/activations.py);
- the slope f', in the argument x and the output y, in terms of y where that form exists, with the
  value that Keras' gradient has at a kink, and the case that it takes at NaN;
- where the definition would overflow or cancel, a stable form of it;
- whether Keras chooses where the slope is 0;
- what rounding does to it: whether it is in straight pieces, the size of the terms that Keras takes a
  difference of, whether Keras computes the slope without one;
- how the function and its slope are printed: a slope that is `named` is printed f'(x), any other
  in full, as 1 - y^2 or y (1 - y).

Constants that Keras keeps in float32 even in a float64 model are float32 here too.
"""

import math
import struct

from sympy import (
    Abs,
    And,
    Eq,
    Expr,
    Float,
    Integer,
    Max,
    Min,
    Rational,
    S,
    erfc,
    exp,
    log,
    pi,
    sqrt,
    tanh,
)  # fmt: skip
from sympy.codegen.cfunctions import expm1, log1p

from symrnn.expressions.functions import when
from symrnn.expressions.row_functions import ActivationRow, NamedSlope, RowFunction, function_of


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


def _stable_sigmoid(x: Expr) -> Expr:
    small = exp(-Abs(x))
    return when((1 / (1 + small), x >= 0), otherwise=small / (1 + small))


def _stable_softplus(x: Expr) -> Expr:
    return Max(x, 0) + log1p(exp(-Abs(x)))


def _normal_cdf(x: Expr) -> Expr:
    tail = erfc(_GELU * Abs(x)) / 2  # erfc(-k x) by itself becomes 2 - erfc(k x), which cancels
    return when((1 - tail, x >= 0), otherwise=tail)


def leaky_relu_row(slope: Expr) -> ActivationRow:
    """F(x) = x where x > 0, else slope x."""
    return ActivationRow(
        definition=lambda x: when((x, x > 0), otherwise=slope * x),
        slope=lambda x, y: when((1, x > 0), otherwise=slope),
        named=True,
        straight=True,
    )


def elu_row(alpha: Expr) -> ActivationRow:
    """F(x) = x where x > 0, else alpha (e^x - 1)."""
    return ActivationRow(
        definition=lambda x: when((x, x > 0), otherwise=alpha * (exp(x) - 1)),
        slope=lambda x, y: when((y + alpha, x <= 0), otherwise=1),
        stable=lambda x: when((x, x > 0), otherwise=alpha * expm1(Min(x, 0))),
        named=True,
        cancels=lambda x: when((0, x > 0), otherwise=Abs(alpha)),  # a e^x and a
    )


def relu_row(max_value: float | None, negative_slope: float, threshold: float) -> ActivationRow:
    """F(x) = x between the threshold and max_value, below the threshold minus the slope times what it lacks.

    Keras compares x with the threshold in float32, but subtracts it from x in the model's dtype.
    """
    start = float32(threshold) if threshold else Integer(0)
    corner = float64(threshold) if threshold else Integer(0)
    fall = float64(negative_slope) if negative_slope else Integer(0)
    end = None if max_value is None else float32(max_value)
    is_relu6 = max_value == 6 and not threshold  # TensorFlow's relu6 has the slope 0 at 6; its clip has 1

    def definition(x: Expr) -> Expr:
        kept = when((x, x > start), otherwise=0) if threshold else Max(x, 0)
        return (kept if end is None else Min(kept, end)) - fall * Max(corner - x, 0)

    def slope(x: Expr, y: Expr) -> Expr:
        inside = x > start if end is None else And(x > start, x < end if is_relu6 else x <= end)
        outside = x < corner
        both = [(1 + fall, And(inside, outside))] if start < corner else []
        return when(*both, (1, inside), *([(fall, outside)] if fall else []), otherwise=0)

    return ActivationRow(definition, slope, named=True, straight=True, chooses=True)


def huber_row(delta: Expr) -> ActivationRow:
    """F(x) = x^2 / 2 where abs x <= delta, else delta abs x - delta^2 / 2."""
    return ActivationRow(
        definition=lambda x: when((x**2 / 2, Abs(x) <= delta), otherwise=delta * Abs(x) - delta**2 / 2),
        slope=lambda x, y: Min(Max(x, -delta), delta),
        named=True,
        straight=True,
    )


def clip_row(low: Expr, high: Expr) -> ActivationRow:
    """The number in [low, high] that is nearest to x."""
    return ActivationRow(
        definition=lambda x: Min(Max(x, low), high),
        slope=lambda x, y: when((1, And(x >= low, x <= high)), otherwise=0),
        named=True,
        chooses=True,
        straight=True,
    )


def _mish_slope(x: Expr, y: Expr) -> Expr:
    inner = tanh(softplus(x))
    return inner + x * sigmoid(x) * (1 - inner**2)


ROWS: dict[str, ActivationRow] = {
    "sigmoid": ActivationRow(
        definition=lambda x: 1 / (1 + exp(-x)),
        slope=lambda x, y: y * (1 - y),
        stable=_stable_sigmoid,
        latex=r"\sigma",
        text="σ",
    ),
    "relu": ActivationRow(
        definition=lambda x: Max(x, 0),
        slope=lambda x, y: when((1, y > 0), otherwise=0),
        named=True,
        straight=True,
    ),
    "leaky_relu": leaky_relu_row(float32(0.2)),
    "relu6": ActivationRow(
        definition=lambda x: Min(Max(x, 0), 6),
        slope=lambda x, y: when((1, And(y > 0, y < 6)), otherwise=0),
        named=True,
        straight=True,
    ),
    "elu": elu_row(Integer(1)),
    "selu": ActivationRow(
        definition=lambda x: _SELU_SCALE * when((x, x > 0), otherwise=_SELU_ALPHA * (exp(x) - 1)),
        slope=lambda x, y: when((y + _SELU_SCALE * _SELU_ALPHA, y < 0), otherwise=_SELU_SCALE),
        stable=lambda x: when((_SELU_SCALE * x, x > 0), otherwise=_SELU_SCALE * _SELU_ALPHA * expm1(Min(x, 0))),
        named=True,
        cancels=lambda x: when((0, x > 0), otherwise=_SELU_SCALE * _SELU_ALPHA),  # as elu
    ),
    "celu": ActivationRow(
        definition=lambda x: Max(x, 0) + exp(Min(x, 0)) - 1,
        slope=lambda x, y: when((1, x > 0), (2, Eq(x, 0)), (exp(x), x < 0), otherwise=0),
        stable=lambda x: Max(x, 0) + expm1(Min(x, 0)),
        named=True,
        chooses=True,
        relative=True,  # e^x, and not 1 + y
    ),
    "softplus": ActivationRow(
        definition=lambda x: log(1 + exp(x)),
        slope=lambda x, y: sigmoid(x),
        stable=_stable_softplus,
    ),
    "softsign": ActivationRow(
        definition=lambda x: x / (1 + Abs(x)),
        slope=lambda x, y: 1 / (1 + Abs(x)) ** 2,
    ),
    "silu": ActivationRow(
        definition=lambda x: x / (1 + exp(-x)),
        slope=lambda x, y: sigmoid(x) + y * (1 - sigmoid(x)),
        stable=lambda x: x * _stable_sigmoid(x),
    ),
    "gelu": ActivationRow(
        definition=lambda x: x * erfc(-_GELU * x) / 2,
        slope=lambda x, y: _normal_cdf(x) + x * _GELU / sqrt(pi) * exp(-((_GELU * x) ** 2)),
        stable=lambda x: x * _normal_cdf(x),
        named=True,
    ),
    "mish": ActivationRow(
        definition=lambda x: x * tanh(log(1 + exp(x))),
        slope=_mish_slope,
        stable=lambda x: x * tanh(_stable_softplus(x)),
        named=True,
    ),
    "hard_sigmoid": ActivationRow(
        definition=lambda x: Min(Max(x + 3, 0), 6) / 6,
        slope=lambda x, y: when((Rational(1, 6), Abs(x) < 3), otherwise=0),
        named=True,
        straight=True,
    ),
    "hard_sigmoid_keras2": ActivationRow(  # keras/backend.py of Keras 2, whose clip has the slope 1 at both ends
        definition=lambda x: Min(Max(x / 5 + _HALF, 0), 1),
        slope=lambda x, y: when((Rational(1, 5), Abs(x) <= Rational(5, 2)), otherwise=0),
        named=True,
        chooses=True,
        straight=True,
    ),
    "hard_silu": ActivationRow(
        definition=lambda x: x * Min(Max(x + 3, 0), 6) / 6,
        slope=lambda x, y: when((0, x <= -3), (1, x >= 3), otherwise=(2 * x + 3) / 6),
        named=True,
    ),
    "hard_tanh": ActivationRow(
        definition=lambda x: Min(Max(x, -1), 1),
        slope=lambda x, y: when((1, Abs(x) <= 1), otherwise=0),
        named=True,
        chooses=True,
        straight=True,
    ),
    "tanh_shrink": ActivationRow(
        definition=lambda x: x - tanh(x),
        slope=lambda x, y: tanh(x) ** 2,
        cancels=Abs,  # x and tanh x
    ),
    "soft_shrink": ActivationRow(
        definition=lambda x: when((x - _HALF, x > _HALF), (x + _HALF, x < -_HALF), otherwise=0),
        slope=lambda x, y: when((1, Abs(x) > _HALF), otherwise=0),
        named=True,
        chooses=True,
        straight=True,
    ),
    "hard_shrink": ActivationRow(
        definition=lambda x: when((x, Abs(x) > _HALF), otherwise=0),
        slope=lambda x, y: when((1, Abs(x) > _HALF), otherwise=0),
        named=True,
        chooses=True,
        straight=True,
    ),
    "sparse_plus": ActivationRow(
        definition=lambda x: when((0, x <= -1), (x, x >= 1), otherwise=(x + 1) ** 2 / 4),
        slope=lambda x, y: when((0, x <= -1), ((x + 1) / 2, x < 1), otherwise=1),
        named=True,
        chooses=True,
    ),
    "sparse_sigmoid": ActivationRow(
        definition=lambda x: when((0, x <= -1), (1, x >= 1), otherwise=(x + 1) / 2),
        slope=lambda x, y: when((0, x <= -1), (0, x >= 1), otherwise=_HALF),
        named=True,
        chooses=True,
        straight=True,
    ),
    "squareplus": ActivationRow(
        definition=lambda x: (x + sqrt(x**2 + 4)) / 2,
        slope=lambda x, y: y**2 / (y**2 + 1),
        stable=lambda x: when(((x + sqrt(x**2 + 4)) / 2, x >= 0), otherwise=2 / (sqrt(x**2 + 4) - x)),
        cancels=lambda x: Abs(x) + 1,  # sqrt(x^2 + 4) and x
    ),
    "log_sigmoid": ActivationRow(
        definition=lambda x: -log(1 + exp(-x)),
        slope=lambda x, y: sigmoid(-x),
        stable=lambda x: -_stable_softplus(-x),
    ),
    # helpers of the losses
    "huber": huber_row(Integer(1)),
    "log_cosh": ActivationRow(
        definition=lambda x: x + log(1 + exp(-2 * x)) - _LOG_2,
        slope=lambda x, y: tanh(x),
        stable=lambda x: Abs(x) + log1p(exp(-2 * Abs(x))) - _LOG_2,
    ),
    "clip": clip_row(EPSILON, S.One - EPSILON),
    "inverse_norm": ActivationRow(
        definition=lambda x: Min(1 / sqrt(x), _LARGEST),
        slope=lambda x, y: when((-(y**3) / 2, 1 / sqrt(x) <= _LARGEST), otherwise=0),
        named=True,
    ),
}  # fmt: skip


def function_named(name: str) -> type[RowFunction]:
    """The function of the table's row of this name."""
    return functions[name]


functions: dict[str, type[RowFunction]] = {
    name: function_of(name, row, function_named, name) for name, row in ROWS.items()
}
slopes: dict[str, type[NamedSlope]] = {name: function.slope for name, function in functions.items() if function.slope}
sigmoid: type[RowFunction] = functions["sigmoid"]
softplus: type[RowFunction] = functions["softplus"]
log_cosh: type[RowFunction] = functions["log_cosh"]
clip: type[RowFunction] = functions["clip"]
inverse_norm: type[RowFunction] = functions["inverse_norm"]
