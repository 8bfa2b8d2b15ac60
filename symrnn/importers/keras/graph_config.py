"""A Keras config -> a graph of calls, with every nested model in the place of its call.

A model is read by calling it: `_call_sequential` and `_call_functional` take the results that the model is called
on, add the calls of its layers, and return its results.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from symrnn.common.errors import at, cut_name, cut_repr
from symrnn.importers.keras.call_config import InboundNode, Reference, ends, node
from symrnn.importers.keras.layer_config import (
    DTYPES,
    INTEGERS,
    ConfigOrigin,
    Entry,
    check_arguments,
    check_builtin,
    dtypes,
    is_builtin,
    item,
    read_entries,
    read_entry,
    read_layer,
    snake_case,
)  # fmt: skip
from symrnn.importers.keras.masks import MASKS_OF_TENSORS, OPERATIONS, Mask, Truth, check_mask, mask_after
from symrnn.importers.keras.operations import MERGING, merging_layer, refusal
from symrnn.models.graph import Call, Graph, Result, input_kind
from symrnn.models.layers.core import Embedding, Layer, NotEqual
from symrnn.models.layers.merging import Merge
from symrnn.models.layers.rnn import states_of

_CALLS = 10_000  # so that a small file of models in models cannot fill the memory


@dataclass(frozen=True, eq=False)
class Listing:
    """A model as the config lists it, with the models in it, and the groups of its layers in a file of weights."""

    kind: str
    config: Mapping[str, Any]
    entries: tuple[Entry, ...]
    inner: Mapping[Entry, "Listing"]
    groups: Mapping[Entry, str]


@dataclass(frozen=True)
class Place:
    """Where a layer of the graph comes from: `top` is the layer of the whole model that it is, or is in."""

    where: str
    group: str
    top: str
    entry: Entry
    trainable: bool


@dataclass(frozen=True)
class Read:
    """A graph, where each of its layers comes from, the dtype of the layers, and what the config lists."""

    graph: Graph
    places: tuple[Place, ...]
    dtype: str
    listing: Listing


@dataclass
class _Build:
    """What the calls have added so far; local to one call of `read_graph`."""

    origin: ConfigOrigin
    layers: list[Layer]
    places: Mapping[Entry, int]
    calls: list[Call] = field(default_factory=list)
    masks: dict[Result, Mask] = field(default_factory=dict)
    tests: dict[tuple[Result, float], Result] = field(default_factory=dict)
    casts: list[tuple[Result, Entry]] = field(default_factory=list)
    inputs: int = 0

    def call(self, call: Call) -> tuple[Result, ...]:
        """Its results."""
        if len(self.calls) == _CALLS:
            raise NotImplementedError(f"config: more than {_CALLS} calls of layers are not supported")
        self.calls.append(call)
        return tuple(Result(len(self.calls) - 1, i) for i in range(self.layers[call.layer].results))

    def test(self, source: Result, value: float | None) -> Result:
        """The mask of one test, whose call is made once; without a value it is the input that is the mask."""
        if value is None:
            return source
        if (source, value) not in self.tests:
            self.layers.append(NotEqual(value))
            (self.tests[source, value],) = self.call(Call(len(self.layers) - 1, (source,)))
        return self.tests[source, value]


def read_graph(config: Any, origin: ConfigOrigin) -> Read:
    """The graph of a config.

    Raises:
        ValueError: the config is wrong, or the model is not built.
        NotImplementedError: a layer, an argument, a dtype or a call that is not supported.
    """
    model = _model(_whole(config, origin), "")
    found = list(_places(model, "", "", True))
    inner = {place: _in(place, read_layer) for place in found if place.entry.kind != "InputLayer"}  # name what blocks
    layers = [inner.get(place) or _in(place, read_layer) for place in found]
    build = _Build(origin, layers, {place.entry: number for number, place in enumerate(found)})
    inputs = [build.call(Call(build.places[entry]))[0] for entry in _inputs(model)]
    build.inputs = len(inputs)
    outputs = _CALLERS[model.kind](model, inputs, build)
    called = {call.layer for call in build.calls}
    for number, place in enumerate(found):
        if number not in called:
            raise NotImplementedError(f"{place.where}: not between the inputs and the outputs of the model")
    graph = Graph(tuple(layers), tuple(build.calls), tuple(result.call for result in inputs), tuple(outputs))
    dtype = _common_dtype(found)
    _check_inputs(graph)
    _check_casts(build.casts, graph, dtype)
    return Read(graph, tuple(found), dtype, model)


def _in(place: Place, read: Any) -> Any:
    with at(place.where):
        return read(place.entry)


# models -----------------------------------------------------------------------------------------


def _whole(config: Any, origin: ConfigOrigin) -> Entry:
    """The entry of the whole model."""
    whole = read_entry(config, 1, origin)
    if whole.kind not in _CALLERS or not is_builtin(whole):
        raise NotImplementedError(f"a model of class {whole.kind} is not supported; supported: {', '.join(_CALLERS)}")
    return whole


def _model(whole: Entry, path: str) -> Listing:
    """The model of an entry, and those in it; the names of the groups count the layers of a class."""
    found = read_entries(item(whole.config, "layers", list), whole.origin)
    found = _with_input(whole, found) if whole.kind == "Sequential" and not path else found
    seen: Counter[str] = Counter()
    inner, groups = {}, {}
    for entry in found:
        with at(entry):
            if entry.is_operation:
                _check_operation(entry)
                continue
            groups[entry] = f"{path}layers/{group_name(entry.kind, seen)}"
            if entry.kind in _CALLERS:
                _check_inner(entry)
                inner[entry] = _model(entry, f"{groups[entry]}/")
            else:
                check_arguments(entry)
    return Listing(whole.kind, whole.config, tuple(found), inner, groups)


def group_name(kind: str, seen: Counter[str]) -> str:
    """The name of the group of the next layer of a class: dense, dense_1, ..."""
    name = snake_case(kind)
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}_{seen[name] - 1}"


def _check_operation(entry: Entry) -> None:
    if entry.kind not in {*OPERATIONS, *MERGING}:
        raise NotImplementedError(refusal(entry))


def _check_inner(entry: Entry) -> None:
    check_builtin(entry)
    if entry.origin.is_keras2:
        raise NotImplementedError("a model in a model of Keras 2 is not supported")


def _with_input(whole: Entry, found: list[Entry]) -> list[Entry]:
    """A Sequential model whose first entry is its input; Keras 2 let the first layer have the input's shape."""
    first = found[0] if found else None
    if first is not None and first.kind != "InputLayer" and "batch_input_shape" in first.config:
        shape = {"batch_input_shape": first.config["batch_input_shape"], "dtype": first.config.get("dtype")}
        given = {"class_name": "InputLayer", "config": shape | {"name": f"{first.name}_input"}}
        return [read_entry(given, 1, whole.origin), *found]
    if first is None or first.kind != "InputLayer":
        raise ValueError(
            "the model has no input shape: build it, with keras.Input((timesteps, features)) as its first layer "
            "or by calling it once"
        )
    return found


def _places(model: Listing, where: str, top: str, trainable: bool) -> Iterator[Place]:
    """The layers in the order of the lists, those of inner models in the place of the model, without its inputs."""
    for entry in model.entries:
        here, flag = f"{where}{entry}", trainable and entry.config.get("trainable") is not False
        if entry in model.inner:
            yield from _places(model.inner[entry], f"{here}: its ", top or entry.name, flag)
        elif not entry.is_operation and not (where and entry.kind == "InputLayer"):
            yield Place(here, model.groups[entry], top or entry.name, entry, flag)


def _inputs(model: Listing) -> list[Entry]:
    """The entries of the inputs, in the order in which the model takes them."""
    if model.kind == "Sequential":
        return [entry for entry in model.entries[:1] if entry.kind == "InputLayer"]
    named = {entry.name: entry for entry in model.entries}
    found = [_look_up(named, reference) for reference in ends(model.config, "input_layers")]
    for entry in found:
        if entry.kind != "InputLayer":
            raise ValueError(f"config: input_layers: expected an InputLayer, got {entry}")
    return found


def _look_up(named: Mapping[str, Entry], reference: Reference) -> Entry:
    if reference.layer not in named:
        raise ValueError(
            f"config: the graph names a layer {cut_repr(reference.layer)} that is not in the list of layers"
        )
    return named[reference.layer]


# calls ------------------------------------------------------------------------------------------


def _call_sequential(model: Listing, inputs: Sequence[Result], build: _Build) -> tuple[Result, ...]:
    """The results of the layers one after the other."""
    given = tuple(inputs)
    for entry in model.entries[len(_inputs(model)) :]:
        with at(entry):
            if entry.kind == "InputLayer":
                raise NotImplementedError("a second input is not supported in a Sequential model")
            if len(given) != 1:
                raise NotImplementedError(f"called on {len(given)} results; supported in a Sequential model: one")
            given = _call_entry(model, entry, InboundNode(given), build)
    return given


def _call_functional(model: Listing, inputs: Sequence[Result], build: _Build) -> tuple[Result, ...]:
    """The results of the nodes that the outputs need, each after those that it needs."""
    models = {entry.name for entry in model.inner if entry.kind == "Functional"}
    starts, outputs = ends(model.config, "input_layers"), ends(model.config, "output_layers", models)
    if len(starts) != len(inputs):
        raise NotImplementedError(f"called on {len(inputs)} results; expected {len(starts)}, as the model has inputs")
    values: dict[tuple[str, int], Sequence[Any]] = {
        start.node: (result,) for start, result in zip(starts, inputs, strict=True)
    }
    named = {entry.name: entry for entry in model.entries}
    waiting, opened = list(reversed(outputs)), set()
    while waiting:
        reference = waiting[-1]
        if reference.node in values:
            waiting.pop()
            continue
        entry = _look_up(named, reference)
        with at(entry):
            call = node(entry, reference)
            missing = [source for source in call.sources if source.node not in values]
            if missing and reference.node in opened:
                raise ValueError("config: the graph leads from this layer back to it")
            if missing:
                opened.add(reference.node)
                waiting += reversed(missing)
            else:
                values[reference.node] = _call_entry(model, entry, call.filled(partial(_value, values)), build)
    return tuple(_result(_value(values, reference)) for reference in outputs)


_CALLERS = {"Sequential": _call_sequential, "Functional": _call_functional}


def _value(values: Mapping[tuple[str, int], Sequence[Any]], reference: Reference) -> Any:
    found = values[reference.node]
    if reference.output >= len(found):
        raise ValueError(
            f"config: {cut_repr(reference.layer)}: expected a result from 0 to {len(found) - 1}, got {reference.output}"
        )
    return found[reference.output]


def _result(value: Any) -> Result:
    if not isinstance(value, Result):
        raise NotImplementedError("a mask as the input or output of a layer is not supported")
    return value


def _call_entry(model: Listing, entry: Entry, call: InboundNode, build: _Build) -> tuple[Any, ...]:
    """The results of one call: of an operation, a model or a layer."""
    if entry.is_operation:
        return _call_operation(entry, call.inputs, build)
    inputs, states = tuple(map(_result, call.inputs)), tuple(map(_result, call.states))
    masks = [build.masks.get(result) for result in inputs]
    given = _given(call, masks, build.inputs)
    if entry in model.inner:
        if given not in (None, masks[0]):
            raise NotImplementedError("a mask for a model in a model is not supported")
        return _call_inner(model.inner[entry], inputs, build)
    place = build.places[entry]
    layer = build.layers[place]
    if len(inputs) > 1 and not isinstance(layer, Merge):
        raise NotImplementedError(f"called on {len(inputs)} results; supported: one")
    _check_states(layer, states)
    check_mask(layer, [given, *masks], states, build.origin)
    if given is not None and len(given) != 1 and (given != masks[0] or states):
        raise NotImplementedError("a mask made of several masks is not supported")
    test = build.test(*next(iter(given))) if given is not None and len(given) == 1 else None
    results = build.call(Call(place, inputs, states, test))
    mask = mask_after(layer, inputs, masks, given)
    build.masks |= {result: mask for result in results if layer.keeps_time(result.output)}
    return results


def _call_operation(entry: Entry, values: Sequence[Any], build: _Build) -> tuple[Any, ...]:
    """The result of an operation: a mask, or what a layer returns that is the same."""
    tensors = [value for value in values if isinstance(value, Result)]
    if entry.kind in MASKS_OF_TENSORS or not tensors:
        return (Truth(OPERATIONS[entry.kind](entry, values)),)
    layer = merging_layer(entry, values)
    if any(build.masks.get(result) for result in tensors):
        raise NotImplementedError(
            f"{entry.kind} drops the mask of a tensor; supported: the layer {entry.kind}, which keeps it"
        )
    build.layers.append(layer)
    return build.call(Call(len(build.layers) - 1, tuple(tensors)))


def _check_states(layer: Layer, states: Sequence[Result]) -> None:
    """Check that a recurrent layer is given a state for each of its own, or none."""
    expected = sum(len(states_of(cell)) for half in layer.halves for cell in half.cells)
    if len(states) not in (0, expected):
        raise ValueError(f"initial_state: expected {expected} states, got {len(states)}")


def _call_inner(model: Listing, inputs: Sequence[Result], build: _Build) -> tuple[Result, ...]:
    """The results of a model in a model, whose inputs cast as all inputs do."""
    for entry, result in zip(_inputs(model), inputs, strict=False):
        build.casts.append((result, entry))
    return _CALLERS[model.kind](model, inputs, build)


def _given(call: InboundNode, masks: Sequence[Mask], inputs: int) -> Mask:
    """The mask that the call names; the first calls are those of the inputs."""
    if call.mask is None:
        return None
    if isinstance(call.mask, Result) and call.mask.call < inputs:
        return frozenset({(call.mask, None)})
    if not isinstance(call.mask, Truth):
        raise NotImplementedError(
            "a mask that is the output of a layer is not supported; supported: an input of shape (timesteps,)"
        )
    if call.mask.mask is None and any(masks):
        raise NotImplementedError("a mask made of several masks is not supported")
    return call.mask.mask


# dtypes -----------------------------------------------------------------------------------------


def _common_dtype(places: Sequence[Place]) -> str:
    """The dtype of all layers; an InputLayer's may be another, as it only casts x."""
    expected = None
    for place in places:
        with at(place.where):
            for dtype in () if place.entry.kind == "InputLayer" else dtypes(place.entry):
                _check_dtype(dtype, DTYPES)
                expected = expected or dtype
                if dtype != expected:
                    raise NotImplementedError(
                        f"dtype {cut_name(dtype)} after layers of dtype {expected} is not supported; "
                        "supported: one dtype for all layers"
                    )
    if expected is None:
        raise ValueError("config: expected at least one layer, got none")
    return expected


def _check_inputs(graph: Graph) -> None:
    """Check that every input is a sequence of numbers, a sequence of ids, or one row per sample."""
    for start, layer in zip(graph.inputs, graph.input_layers, strict=True):
        kind = input_kind(graph, start)
        flat = kind in _FLAT_DTYPES
        with at(f"InputLayer {cut_repr(layer.name)}"):
            _check_dtype(str(layer.dtype), _FLAT_DTYPES.get(kind, DTYPES))
            if flat and len(layer.shape) != 1:
                raise ValueError(f"expected {kind} of shape (timesteps,), got {cut_repr(layer.shape)}")
            if not flat and layer.shape[-1] is None:
                raise ValueError(f"expected a number of features, got the shape {cut_repr(layer.shape)}")


_FLAT_DTYPES = {"ids": DTYPES + INTEGERS, "mask": ("bool", *DTYPES, *INTEGERS)}
"""The dtypes of inputs that have one number for each time step."""


def _check_casts(casts: Sequence[tuple[Result, Entry]], graph: Graph, dtype: str) -> None:
    """Check that the input of a model in a model keeps what it casts."""
    readers: defaultdict[Result, list[Layer]] = defaultdict(list)
    for call in graph.calls:
        for result in call.inputs:
            readers[result].append(graph.layer(call))
    for result, entry in casts:
        found = readers[result]
        ids = found and all(isinstance(layer, Embedding | NotEqual) for layer in found)
        with at(entry):
            _check_dtype(str(entry.config.get("dtype")), DTYPES + INTEGERS if ids else (dtype,))


def _check_dtype(dtype: str, supported: Sequence[str]) -> None:
    if dtype not in supported:
        raise NotImplementedError(f"dtype {cut_name(dtype)} is not supported; supported: {', '.join(supported)}")
