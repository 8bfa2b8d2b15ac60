"""From a graph of layers to the forward program: each call adds its equations to those before it.

Masks travel with the values, as in Keras (keras/src/layers/layer.py): a layer called on one tensor
uses the tensor's mask, a layer called on several, such as a decoder with `initial_state`, does not,
and still hands it on.
"""

from dataclasses import replace
from itertools import accumulate

from symrnn.common.errors import at
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import N, T
from symrnn.models.builder import ProgramBuilder, Value
from symrnn.models.equations.table import apply
from symrnn.models.graph import Graph, Model, Result, graph_of, input_kind
from symrnn.models.layers.core import Embedding, InputLayer
from symrnn.models.layers.table import Sequential
from symrnn.models.lengths import lengths_of
from symrnn.models.naming import numbering_of
from symrnn.models.network import ModelInput, ModelOutput, Network, WeightArray
from symrnn.programs.program import Equation, Program


def forward(model: Sequential | Model | Graph) -> Network:
    """The network of a model: for its calls in turn, their equations.

    Raises:
        ValueError: a layer does not get what it needs, such as a recurrent layer a sequence.
        NotImplementedError: a layer that symrnn does not know.
    """
    graph = graph_of(model)
    build = ProgramBuilder(graph, numbering_of(graph), lengths_of(graph))
    numbers = list(accumulate(not isinstance(layer, InputLayer) for layer in graph.layers))
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if isinstance(layer, InputLayer):
            _input(layer, build, place)
            continue
        with at(f"layer {numbers[call.layer]} ({type(layer).__name__})"):
            given = [build.values[result] for result in call.inputs]
            found = apply(layer, build, place, given)
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
    timesteps = {one.steps: one.timesteps for one in build.lengths.values() if one is not None}
    return Network(graph, program, arrays, sources, tuple(build.states), heads, tuple(build.finals), timesteps, values)


def _in_order(build: ProgramBuilder) -> tuple[WeightArray, ...]:
    """The arrays in the order of the layers, which may not be the order of the calls."""
    listed = sorted(build.arrays.values(), key=lambda array: (array.layer, array.place))
    return tuple(
        replace(array, place=i, parts=tuple(replace(part, array=i) for part in array.parts))
        for i, array in enumerate(listed)
    )


def _input(layer: InputLayer, build: ProgramBuilder, place: int) -> None:
    letter, shape = build.labels.inputs[place], layer.shape
    length = build.lengths[Result(place)]
    kind = input_kind(build.graph, place)
    expected = _FLAT.get(kind)
    if len(shape) not in ((1, 2) if expected is None else (1,)) or (shape[-1] is None and expected is None):
        raise ValueError(f"Input: expected the shape {expected or _SHAPES}, got {shape}")
    columns = int(shape[-1] or 0) if expected is None else 1
    if length is None:
        symbol = build.symbol(letter, N, columns)
        source = ModelInput(symbol, kind, columns, state=letter.time is not None, dtype=layer.dtype)
        build.sources[place] = source
        build.values[Result(place)] = Value(symbol)
        return
    steps = length.steps
    symbol = build.row(letter, columns, steps)
    depth = min(_depths(build.graph, place)) if kind == "ids" else None
    build.sources[place] = ModelInput(symbol, kind, columns, steps, length.timesteps, depth, dtype=layer.dtype)
    build.values[Result(place)] = Value(symbol, steps)
    build.masks |= {(symbol, None): symbol} if kind == "mask" else {}


_SHAPES = "(timesteps, features) or (features,)"
_FLAT = {"ids": "(timesteps,) for an Embedding", "mask": "(timesteps,) for a mask"}
"""The shapes of inputs, by their kind where they have one number for each time step."""


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
            ModelOutput(
                value.symbol,
                value.steps is not None,
                value.width,
                value.logits,
                value.mask,
                value.steps or T,
                value.normalized,
            )
        )
    return tuple(heads)
