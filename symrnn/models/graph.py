"""Models as graphs of calls: what is called on what, in an order in which it can be computed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from symrnn.common.errors import cut_repr
from symrnn.models.layer_order import keras_order
from symrnn.models.layers.core import Embedding, InputLayer, Layer, NotEqual, Tensor, check_size
from symrnn.models.layers.table import LAYERS, Sequential


@dataclass(frozen=True)
class Result:
    """One result of one call, by their places."""

    call: int
    output: int = 0


@dataclass(frozen=True)
class Call:
    """A layer, by its place in the list of layers, called on results of earlier calls."""

    layer: int
    inputs: tuple[Result, ...] = ()
    states: tuple[Result, ...] = ()
    mask: Result | None = None


@dataclass(frozen=True)
class Graph:
    """A model: layers in the order of get_weights(), calls in the order of computation, both ends.

    `inputs` are places of calls of an `InputLayer`. Masks travel with the results as in Keras, and
    `Call.mask` is a mask that was given.
    """

    layers: tuple[Layer, ...]
    calls: tuple[Call, ...]
    inputs: tuple[int, ...]
    outputs: tuple[Result, ...]

    def layer(self, call: Call) -> Layer:
        """The layer of a call."""
        return self.layers[call.layer]

    @cached_property
    def readers(self) -> Mapping[Result, tuple[int, ...]]:
        """The places of the calls that read a result, by the result, in their order."""
        found: dict[Result, list[int]] = {}
        for place, call in enumerate(self.calls):
            for result in dict.fromkeys((*call.inputs, *call.states, *filter(None, [call.mask]))):
                found.setdefault(result, []).append(place)
        return {result: tuple(places) for result, places in found.items()}

    @property
    def input_layers(self) -> tuple[InputLayer, ...]:
        """The inputs, in the order in which the model takes them."""
        found = (self.layer(self.calls[place]) for place in self.inputs)
        return tuple(layer for layer in found if isinstance(layer, InputLayer))


@dataclass(frozen=True, eq=False)
class Model:
    """Layers called on tensors, from `inputs` to `outputs`: each a tensor or a list of tensors.

    Raises:
        ValueError: no input or output, or an output that depends on something else.
        NotImplementedError: a layer that symrnn does not know.
    """

    inputs: Any
    outputs: Any

    def __post_init__(self) -> None:
        for what in ("inputs", "outputs"):
            given = getattr(self, what)
            listed = (given,) if isinstance(given, Tensor) else tuple(given) if isinstance(given, list | tuple) else ()
            if not listed or not all(isinstance(tensor, Tensor) for tensor in listed):
                raise ValueError(f"Model: {what}: expected a tensor or a list of tensors, got {cut_repr(given)}")
            object.__setattr__(self, what, listed)
        graph_of(self)


def graph_of(model: "Sequential | Model | Graph") -> Graph:
    """The graph of a model.

    Raises:
        ValueError: an output depends on an input that is not among the model's.
        NotImplementedError: a layer that symrnn does not know.
    """
    if isinstance(model, Graph):
        return model
    if isinstance(model, Sequential):
        first = InputLayer(model.input_shape, model.dtype)
        calls = [Call(i, (Result(i - 1),) if i else ()) for i in range(len(model.layers) + 1)]
        outputs = tuple(Result(len(model.layers), i) for i in range(model.layers[-1].results))
        return Graph((first, *model.layers), tuple(calls), (0,), outputs)
    return _from_tensors(model.inputs, model.outputs)


def _from_tensors(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Graph:
    """Layers in Keras' order, calls after those they depend on, with all inputs first."""
    order = _calls_in_order(outputs)
    for tensor in order:
        _check_layer(tensor, inputs)
    layers = keras_order(inputs, order, outputs)
    places = {id(layer): place for place, layer in enumerate(layers)}
    calls: dict[int, int] = {}
    made: list[Call] = []

    def result(source: Tensor) -> Result:
        return Result(calls[id(source.call)], source.result)

    for tensor in [*inputs, *order]:
        if id(tensor.call) not in calls:
            calls[id(tensor.call)] = len(made)
            parts = tuple(map(result, tensor.inputs)), tuple(map(result, tensor.states))
            mask = None if tensor.mask is None else result(tensor.mask)
            made.append(Call(places[id(tensor.layer)], *parts, mask))
    starts = tuple(calls[id(tensor.call)] for tensor in inputs)
    return Graph(tuple(layers), tuple(made), starts, tuple(map(result, outputs)))


def _sources(tensor: Tensor) -> Iterator[Tensor]:
    yield from tensor.inputs
    yield from tensor.states
    if tensor.mask is not None:
        yield tensor.mask


def _calls_in_order(outputs: Sequence[Tensor]) -> list[Tensor]:
    """One tensor of each call, after those it depends on; without recursion, as a chain may be long."""
    order: list[Tensor] = []
    done: set[int] = set()
    waiting: list[tuple[Tensor, bool]] = [(tensor, False) for tensor in reversed(outputs)]
    while waiting:
        tensor, ready = waiting.pop()
        if id(tensor.call) in done:
            continue
        if ready:
            done.add(id(tensor.call))
            order.append(tensor)
        else:
            waiting.append((tensor, True))
            waiting += [(source, False) for source in reversed(list(_sources(tensor)))]
    return order


def _check_layer(tensor: Tensor, inputs: Sequence[Tensor]) -> None:
    kind = type(tensor.layer)
    if isinstance(tensor.layer, InputLayer):
        if not any(tensor.call is given.call for given in inputs):
            raise ValueError(f"Model: the outputs depend on an input of shape {tensor.layer.shape} that is not given")
    elif kind not in LAYERS.values() and kind is not NotEqual:
        raise NotImplementedError(f"{kind.__name__} is not supported; supported: {', '.join(LAYERS)}")


def input_kind(graph: Graph, place: int) -> str:
    """What the input at this place is, as its readers and its shape tell.

    - "ids": a sequence of ids, which an Embedding reads
    - "mask": one number for each time step, 0 or 1, which is the mask of calls and nothing else
    - "sequence": (timesteps, features)
    - "rows": (features,), one row per sample
    """
    source = Result(place)
    readers = [graph.calls[reader] for reader in graph.readers.get(source, ())]
    if any(isinstance(graph.layer(call), Embedding) and source in call.inputs for call in readers):
        return "ids"
    if readers and source not in graph.outputs and all(source not in (*call.inputs, *call.states) for call in readers):
        return "mask"
    layer = graph.layer(graph.calls[place])
    return "sequence" if isinstance(layer, InputLayer) and len(layer.shape) == 2 else "rows"


def with_timesteps(graph: Graph, timesteps: int | None) -> Graph:
    """The graph with a number of time steps for all inputs that leave it open.

    Raises:
        ValueError: no input leaves it open and it is another.
    """
    if timesteps is None:
        return graph
    check_size("timesteps", timesteps, "derive")
    sequences = [
        (graph.calls[place].layer, layer)
        for place, layer in zip(graph.inputs, graph.input_layers, strict=True)
        if input_kind(graph, place) != "rows"
    ]
    fixed = {layer.shape[0] for _, layer in sequences}
    if None not in fixed and timesteps not in fixed:
        found = ", ".join(map(str, sorted(filter(None, fixed)))) or "none"
        raise ValueError(f"derive: timesteps: expected {found}, as the model has it, got {timesteps}")
    layers = list(graph.layers)
    for place, layer in sequences:
        if layer.shape[0] is None:
            layers[place] = replace(layer, shape=(timesteps, *layer.shape[1:]))
    return Graph(tuple(layers), graph.calls, graph.inputs, graph.outputs)
