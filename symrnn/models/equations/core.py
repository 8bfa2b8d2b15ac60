"""Dense layers, embeddings and masks."""

from dataclasses import replace

from sympy import Expr, Integer

from symrnn.expressions.activation_table import float32
from symrnn.expressions.activations import activation_name
from symrnn.expressions.matrices import multiply, scaled
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import OneHot
from symrnn.models.builder import ProgramBuilder, Value, Values, mask_on, only, plain_value, scope, sequence
from symrnn.models.equations.cells import activated, affine
from symrnn.models.equations.rule import apply
from symrnn.models.graph import Graph, Result
from symrnn.models.layers.activation import Activation
from symrnn.models.layers.core import Dense, Embedding, Masking, NotEqual, TimeDistributed
from symrnn.programs.program import Equation


@apply.register
def _(layer: Dense, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [_dense(layer, build, place, only(given), ())]


@apply.register
def _(layer: TimeDistributed, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [replace(_dense(layer.layer, build, place, sequence(given), ("layer",)), logits=None)]


def _dense(layer: Dense, build: ProgramBuilder, place: int, x: Value, unit: tuple[str, ...]) -> Value:
    names = scope(build, place, x.steps, unit)
    activation = layer.activation
    fused = build.labels.fused.get(place)
    if fused is not None:
        after = build.graph.layer(build.graph.calls[fused])
        activation = after.activation if isinstance(after, Activation) else activation
    W = names.weight(Name("W"), "kernel", x.width, layer.units)
    b = names.weight(Name("b", sub="o"), "bias", layer.units) if layer.use_bias else None
    columns = layer.units // 2 if activation == "glu" else layer.units
    last = build.graph.outputs == (Result(_end(build.graph, place if fused is None else fused)),)
    label = "" if last else names.values or ("" if len(build.graph.outputs) > 1 else "1")
    y = build.row(Name("y", layer=label), columns, x.steps)
    equations = activated(activation, affine([(x.symbol, W)], b), Name("a", sub="y"), y, names)
    build.append(equations, [x.symbol], x.steps)
    logits = equations[0].lhs if activation in ("softmax", "sigmoid") else None
    return Value(y, x.steps, mask_on(build, place, x), logits, normalized=activation_name(activation) == "softmax")


def _identity_after(graph: Graph, place: int) -> int | None:
    """The first call of an identity on a call."""
    readers = graph.readers.get(Result(place), ())
    return next((other for other in readers if graph.layer(graph.calls[other]).is_identity), None)


def _end(graph: Graph, place: int) -> int:
    """The last of the calls of identities that follow a call, or the call itself."""
    while (after := _identity_after(graph, place)) is not None:
        place = after
    return place


@apply.register
def _(layer: Embedding, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    names = scope(build, place, x.steps)
    E = names.weight(Name("E"), "embeddings", layer.input_dim, layer.output_dim)
    e = names.value(Name("e"), layer.output_dim)
    build.append([Equation(e, multiply(OneHot(x.symbol, layer.input_dim), E))], [x.symbol], x.steps)
    return [Value(e, x.steps, build.mask(x, Integer(0)) if layer.mask_zero else None)]


@apply.register
def _(layer: Masking, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    m = build.mask(x, _constant(layer.mask_value))
    rhs = scaled(m, x.symbol)
    y = plain_value(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol, m], x.steps)
    return [Value(y, x.steps, m, normalized=x.normalized)]


@apply.register
def _(layer: NotEqual, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    return [Value(build.mask(x, _constant(layer.value)), x.steps)]


def _constant(value: float) -> Expr:
    """The number that Keras compares with, which it keeps in float32."""
    return Integer(int(value)) if value == int(value) else float32(value)
