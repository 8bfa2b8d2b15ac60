"""From a graph of layers to the forward program: each call adds its equations to those before it.

Masks travel with the values, as in Keras (keras/src/layers/layer.py): a layer called on one tensor
uses the tensor's mask, a layer called on several, such as a decoder with `initial_state`, does not,
and still hands it on.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from sympy import Expr, Integer

from symrnn.common.errors import at
from symrnn.expressions.activation_table import float32
from symrnn.expressions.activations import activation_name, elu, leaky_relu, prelu, relu
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, scale, scaled, spread
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N, OneHot, T, steps_symbol
from symrnn.models.builder import MERGES, CallScope, ProgramBuilder, Value, Values, mask_on, only, sequence, width
from symrnn.models.equations.cells import activate, activated, affine
from symrnn.models.equations.rnn import recur, recur_both_ways
from symrnn.models.graph import Call, Graph, Model, Result, graph_of, takes_ids
from symrnn.models.layers import (
    ELU,
    Activation,
    Add,
    Average,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    InputLayer,
    Layer,
    LeakyReLU,
    Masking,
    Multiply,
    NotEqual,
    PReLU,
    Recurrent,
    ReLU,
    Sequential,
    Softmax,
    TimeDistributed,
)
from symrnn.models.naming import lengths, numbering_of
from symrnn.models.network import ModelInput, ModelOutput, Network, WeightArray
from symrnn.programs.program import Equation, Join, MaxOverTime, Program, recurrence


def forward(model: Sequential | Model | Graph) -> Network:
    """The network of a model: for its calls in turn, their equations.

    Raises:
        ValueError: a layer does not get what it needs, such as a recurrent layer a sequence.
        NotImplementedError: a layer that symrnn does not know.
    """
    graph = graph_of(model)
    build = ProgramBuilder(graph, numbering_of(graph), lengths(graph))
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if isinstance(layer, InputLayer):
            _input(layer, build, place)
            continue
        with at(_name(graph, call)):
            given = [build.values[result] for result in call.inputs]
            found = _apply(layer, build, place, given)
        build.values |= {Result(place, output): value for output, value in enumerate(found)}
    heads = _heads(build)
    sources = (*(build.sources[place] for place in graph.inputs), *build.extra)
    arrays = _in_order(build)
    weights = [part for array in arrays for part in array.parts]
    inputs = [weight.symbol for weight in weights if weight.name.time is None]
    inputs += [source.symbol for source in sources if source.steps is None]
    sequences = [source.symbol for source in sources if source.steps is not None]
    sequences += [weight.symbol for weight in weights if weight.name.time is not None]
    outputs = tuple(head.symbol for head in heads)
    program = Program(tuple(inputs), tuple(sequences), tuple(build.items), outputs, build.names)
    values = {result: value.symbol for result, value in build.values.items()}
    return Network(graph, program, arrays, sources, tuple(build.states), heads, tuple(build.finals), values)


def _name(graph: Graph, call: Call) -> str:
    """The layer of a call, for a message: layer 2 (LSTM)."""
    before = sum(not isinstance(layer, InputLayer) for layer in graph.layers[: call.layer])
    return f"layer {before + 1} ({type(graph.layer(call)).__name__})"


def _in_order(build: ProgramBuilder) -> tuple[WeightArray, ...]:
    """The arrays in the order of the layers, which may not be the order of the calls."""
    listed = sorted(build.arrays.values(), key=lambda array: (array.layer, array.place))
    return tuple(
        replace(array, place=i, parts=tuple(replace(part, array=i) for part in array.parts))
        for i, array in enumerate(listed)
    )


def _input(layer: InputLayer, build: ProgramBuilder, place: int) -> None:
    letter, shape = build.labels.inputs[place], layer.shape
    name = build.lengths[Result(place)]
    ids = takes_ids(build.graph, place)
    if len(shape) not in ((1,) if ids else (1, 2)) or (shape[-1] is None and not ids):
        expected = "(timesteps,) for an Embedding" if ids else "(timesteps, features) or (features,)"
        raise ValueError(f"Input: expected the shape {expected}, got {shape}")
    columns = 1 if ids else int(shape[-1] or 0)
    if name is None:
        symbol = build.symbol(letter, N, columns)
        source = ModelInput(symbol, "rows", columns, state=letter.time is not None, dtype=layer.dtype)
        build.sources[place] = source
        build.values[Result(place)] = Value(symbol)
        return
    steps = steps_symbol(name)
    symbol = build.row(letter, columns, steps)
    depth = min(_depths(build.graph, place)) if ids else None
    kind = "ids" if ids else "sequence"
    build.sources[place] = ModelInput(symbol, kind, columns, steps, shape[0], depth, dtype=layer.dtype)
    build.values[Result(place)] = Value(symbol, steps)


def _depths(graph: Graph, place: int) -> list[int]:
    """The numbers of ids that the embeddings of an input know."""
    readers = [graph.layer(call) for call in graph.calls if Result(place) in call.inputs]
    return [layer.input_dim for layer in readers if isinstance(layer, Embedding)]


def _heads(build: ProgramBuilder) -> tuple[ModelOutput, ...]:
    """The outputs of the model: a single one is called y, and none is an input or the same as another."""
    heads: list[ModelOutput] = []
    single = len(build.graph.outputs) == 1
    for place, result in enumerate(build.graph.outputs, 1):
        value = build.values[result]
        name = build.names[value.symbol]
        taken = [head.symbol for head in heads] + [source.symbol for source in build.sources.values()]
        if (single and (name.base != "y" or name.layer)) or value.symbol in taken:
            y = build.row(Name("y", layer="" if single else f"out{place}"), value.width, value.steps)
            build.append([Equation(y, value.symbol)], [value.symbol], value.steps)
            value = replace(value, symbol=y)
        heads.append(
            ModelOutput(value.symbol, value.steps is not None, value.width, value.logits, value.mask, value.steps or T)
        )
    return tuple(heads)


@singledispatch
def _apply(layer: Layer, build: ProgramBuilder, place: int, given: Values) -> Values:
    """Add the symbols and equations of one call of a layer; what it returns."""
    raise NotImplementedError(f"{type(layer).__name__} is not supported")


@_apply.register
def _(layer: Recurrent, build: ProgramBuilder, place: int, given: Values) -> Values:
    return recur(layer, build, place, given)


@_apply.register
def _(layer: Bidirectional, build: ProgramBuilder, place: int, given: Values) -> Values:
    return recur_both_ways(layer, build, place, given)


# layers without memory --------------------------------------------------------------------------


def _names(build: ProgramBuilder, place: int, steps: Expr | None, unit: tuple[str, ...] = ()) -> CallScope:
    labels, layer = build.labels, build.graph.calls[place].layer
    return CallScope(build, layer, place, unit, labels.weights(layer), labels.values(layer, place), steps)


def _plain(build: ProgramBuilder, place: int, rhs: Expr, steps: Expr | None, name: str = "g") -> Expr:
    """The value of a call without weights, y where it is the model's only output."""
    label = build.labels.plain.get(place)
    named = Name("y") if label is None else Name(name, layer=label)
    return build.row(named, width(rhs), steps)


@_apply.register
def _(layer: Dense, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [_dense(layer, build, place, only(given), ())]


@_apply.register
def _(layer: TimeDistributed, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [replace(_dense(layer.layer, build, place, sequence(given), ("layer",)), logits=None)]


def _dense(layer: Dense, build: ProgramBuilder, place: int, x: Value, unit: tuple[str, ...]) -> Value:
    names = _names(build, place, x.steps, unit)
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
    return Value(y, x.steps, mask_on(build, place, x), logits)


def _end(graph: Graph, place: int) -> int:
    """The last of the Dropout calls that follow a call, or the call itself."""
    for other, call in enumerate(graph.calls):
        if call.inputs == (Result(place),) and isinstance(graph.layer(call), Dropout):
            return _end(graph, other)
    return place


@_apply.register
def _(layer: Dropout, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [only(given)]


@_apply.register
def _(layer: Activation, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    if place in build.labels.fused.values():
        return [x]
    rhs = activate(layer.activation, x.symbol)
    y = _plain(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol], x.steps)
    mask = mask_on(build, place, x)
    if activation_name(layer.activation) == "linear":  # Keras returns the tensor that it gets
        return [Value(y, x.steps, mask, x.logits)]
    return [Value(y, x.steps, mask, x.symbol if layer.activation in ("softmax", "sigmoid") else None)]


@_apply.register(Softmax)
@_apply.register(ReLU)
@_apply.register(LeakyReLU)
@_apply.register(ELU)
def _(layer: Layer, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    mask = mask_on(build, place, x)
    if isinstance(layer, Softmax):
        if mask is not None and x.steps is not None:
            raise NotImplementedError("a mask is not supported here: Keras applies it to the wrong axis")
        rhs = activate("softmax", x.symbol)
    else:
        rhs = elementwise(_FUNCTIONS[type(layer)](layer)(SLOTS[0]), x.symbol)
    y = _plain(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol], x.steps)
    return [Value(y, x.steps, mask, x.symbol if isinstance(layer, Softmax) else None)]


_FUNCTIONS: dict[type, Callable[[Any], Callable[..., Expr]]] = {
    ReLU: lambda layer: relu(layer.max_value, layer.negative_slope, layer.threshold),
    LeakyReLU: lambda layer: leaky_relu(layer.negative_slope),
    ELU: lambda layer: elu(layer.alpha),
}


@_apply.register
def _(layer: PReLU, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    names = _names(build, place, x.steps)
    name = Name("alpha", axes=2)
    if layer.shared_axes == ((1,) if x.steps is not None else None):
        shared = (1,) if x.steps is not None else ()
        alpha = names.weight(name, "alpha", *shared, x.width)
    elif layer.shared_axes is None and x.steps is not None:
        alpha = names.weight_of_steps(name, "alpha", _count(build, x), x.width)
    else:
        supported = "None" if x.steps is None else "None, [1]"
        raise NotImplementedError(f"shared_axes={layer.shared_axes!r} is not supported here; supported: {supported}")
    rhs = elementwise(prelu(*SLOTS[:2]), x.symbol, multiply(ones((N, 1)), alpha))
    y = _plain(build, place, rhs, x.steps)
    reads = [x.symbol, *([alpha] if build.names[alpha].time is not None else [])]
    build.append([Equation(y, rhs)], reads, x.steps)
    return [Value(y, x.steps, mask_on(build, place, x))]


@_apply.register
def _(layer: Embedding, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    names = _names(build, place, x.steps)
    E = names.weight(Name("E"), "embeddings", layer.input_dim, layer.output_dim)
    e = names.value(Name("e"), layer.output_dim)
    build.append([Equation(e, multiply(OneHot(x.symbol, layer.input_dim), E))], [x.symbol], x.steps)
    return [Value(e, x.steps, build.mask(x, Integer(0)) if layer.mask_zero else None)]


@_apply.register
def _(layer: Masking, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    m = build.mask(x, _constant(layer.mask_value))
    rhs = scaled(m, x.symbol)
    y = _plain(build, place, rhs, x.steps)
    build.append([Equation(y, rhs)], [x.symbol, m], x.steps)
    return [Value(y, x.steps, m)]


@_apply.register
def _(layer: NotEqual, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    return [Value(build.mask(x, _constant(layer.value)), x.steps)]


def _constant(value: float) -> Expr:
    """The number that Keras compares with, which it keeps in float32."""
    return Integer(int(value)) if value == int(value) else float32(value)


def _count(build: ProgramBuilder, x: Value) -> int:
    """The number of time steps of a sequence, for a layer whose weights have their shape from it."""
    count = next((s.timesteps for s in build.sources.values() if s.steps == x.steps), None)
    if count is None:
        raise ValueError("expected a fixed number of time steps; give timesteps")
    return count


@_apply.register
def _(layer: Flatten, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    if x.steps is None:
        return [replace(x, mask=None)]
    count = _count(build, x)
    label = build.labels.plain.get(place)
    flat = build.symbol(Name("y") if label is None else Name("g", layer=label), N, count * x.width)
    build.items.append(Join(flat, x.symbol))
    return [Value(flat)]


@_apply.register
def _(layer: GlobalMaxPooling1D, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    top = _plain(build, place, x.symbol, None)
    build.items.append(MaxOverTime(top, x.symbol))
    return [Value(top)]


@_apply.register
def _(layer: GlobalAveragePooling1D, build: ProgramBuilder, place: int, given: Values) -> Values:
    """S = sum of h_t over t, divided by T; with a mask, by the number of valid steps."""
    x = sequence(given)
    mask = mask_on(build, place, x)
    mean = _plain(build, place, x.symbol, None)
    name = replace(build.names[mean], sub="sum")
    total = build.symbol(name, N, x.width)
    if mask is None:
        sums = [Equation(total, x.symbol)]
        rhs = scale(1 / (x.steps or T), total)
    else:
        count = build.symbol(replace(name, base="m"), N, 1)
        sums = [Equation(total, scaled(mask, x.symbol)), Equation(count, mask)]
        rhs = elementwise(SLOTS[0] / SLOTS[1], total, spread(count, total))
    reads = [x.symbol, *([] if mask is None else [mask])]
    build.items.append(recurrence([], reads, sums=sums, names=build.names, length=x.steps or T))
    build.items.append(Equation(mean, rhs))
    return [Value(mean)]


@_apply.register(Add)
@_apply.register(Multiply)
@_apply.register(Average)
@_apply.register(Concatenate)
def _(layer: Layer, build: ProgramBuilder, place: int, given: Values) -> Values:
    if len(given) < 2:
        raise ValueError(f"expected at least two inputs, got {len(given)}")
    joined = isinstance(layer, Concatenate)
    steps = {value.steps for value in given}
    widths = [value.width for value in given]
    if len(steps) > 1 or (not joined and len(set(widths)) > 1):
        what = "all sequences or none" if len(steps) > 1 else "inputs of equal width"
        raise ValueError(f"expected {what}, got widths {widths}")
    symbols = [value.symbol for value in given]
    masks = [value.mask for value in given]
    mask = _merged_mask(masks, build, given[0].steps)
    rhs = MERGES[type(layer)](symbols)
    if isinstance(layer, Multiply):
        rhs = _masked_product(symbols, masks, mask)
    y = _plain(build, place, rhs, given[0].steps)
    reads = [*symbols, *(one for one in (*masks, mask) if one is not None)]
    build.append([Equation(y, rhs)], reads, given[0].steps)
    return [Value(y, given[0].steps, mask)]


def _masked_product(symbols: list[Expr], masks: list[Expr | None], mask: Expr | None) -> Expr:
    """Keras' Multiply: a masked step of an input counts as 1, one that is masked in all of them is 0."""
    if mask is not None and all(one == mask for one in masks):
        return scaled(mask, hadamard(*symbols))
    factors = [
        x if m is None else add(scaled(m, x), spread(elementwise(1 - SLOTS[0], m), x))
        for x, m in zip(symbols, masks, strict=True)
    ]
    return hadamard(*factors) if mask is None else scaled(mask, hadamard(*factors))


def _merged_mask(masks: list[Expr | None], build: ProgramBuilder, steps: Expr | None) -> Expr | None:
    """Keras' mask of a merge: a step is valid where it is in any input; an input without a mask is all valid."""
    known = list(dict.fromkeys(mask for mask in masks if mask is not None))
    if not known or None in masks:
        return None
    if len(known) == 1:
        return known[0]
    rhs = elementwise(1 - SLOTS[0], hadamard(*(elementwise(1 - SLOTS[0], mask) for mask in known)))
    m = build.row(Name("m", sub="or", layer=str(len(build.items))), 1, steps)
    build.append([Equation(m, rhs)], known, steps)
    return m
