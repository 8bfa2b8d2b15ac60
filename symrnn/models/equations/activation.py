"""Activations as layers."""

from sympy import Expr

from symrnn.common.errors import cut_repr
from symrnn.expressions.activations import activation_name, elu, leaky_relu, prelu, relu
from symrnn.expressions.matrices import elementwise, multiply, ones
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N
from symrnn.models.builder import ProgramBuilder, Value, Values, fixed_timesteps, mask_on, only, plain_value, scope
from symrnn.models.equations.cells import activate
from symrnn.models.equations.rule import apply
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.programs.program import Equation


@apply.register
def _(layer: Activation, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    if place in build.labels.fused.values():
        return [x]
    rhs = activate(layer.activation, x.symbol)
    y = plain_value(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol], x.steps)
    mask = mask_on(build, place, x)
    name = activation_name(layer.activation)
    if name == "linear":  # Keras returns the tensor that it gets
        return [Value(y, x.steps, mask, x.logits, x.normalized)]
    logits = x.symbol if layer.activation in ("softmax", "sigmoid") else None
    return [Value(y, x.steps, mask, logits, name == "softmax")]


@apply.register
def _(layer: Softmax, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    mask = mask_on(build, place, x)
    if mask is not None and x.steps is not None:
        raise NotImplementedError("a mask is not supported here: Keras applies it to the wrong axis")
    rhs = activate("softmax", x.symbol)
    y = plain_value(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol], x.steps)
    return [Value(y, x.steps, mask, x.symbol, normalized=True)]


@apply.register
def _(layer: ReLU, build: ProgramBuilder, place: int, given: Values) -> Values:
    function = relu(layer.max_value, layer.negative_slope, layer.threshold)
    return [_by_entry(function(SLOTS[0]), build, place, only(given))]


@apply.register
def _(layer: LeakyReLU, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [_by_entry(leaky_relu(layer.negative_slope)(SLOTS[0]), build, place, only(given))]


@apply.register
def _(layer: ELU, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [_by_entry(elu(layer.alpha)(SLOTS[0]), build, place, only(given))]


def _by_entry(template: Expr, build: ProgramBuilder, place: int, x: Value) -> Value:
    """A function of one number, applied to each entry."""
    rhs = elementwise(template, x.symbol)
    y = plain_value(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol], x.steps)
    return Value(y, x.steps, mask_on(build, place, x))


@apply.register
def _(layer: PReLU, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    names = scope(build, place, x.steps)
    name = Name("alpha", axes=2)
    if layer.shared_axes == ((1,) if x.steps is not None else None):
        shared = (1,) if x.steps is not None else ()
        alpha = names.weight(name, "alpha", *shared, x.width)
    elif layer.shared_axes is None and x.steps is not None:
        alpha = names.weight_of_steps(name, "alpha", fixed_timesteps(build, x), x.width)
    else:
        supported = "None" if x.steps is None else "None, [1]"
        raise NotImplementedError(
            f"shared_axes={cut_repr(layer.shared_axes)} is not supported here; supported: {supported}"
        )
    rhs = elementwise(prelu(*SLOTS[:2]), x.symbol, multiply(ones((N, 1)), alpha))
    y = plain_value(build, place, rhs, x.steps)
    reads = [x.symbol, *([alpha] if build.names[alpha].time is not None else [])]
    build.append([Equation(y, rhs)], reads, x.steps)
    return [Value(y, x.steps, mask_on(build, place, x))]
