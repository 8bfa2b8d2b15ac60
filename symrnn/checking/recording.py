"""What Keras computes: outputs, states, losses and gradients of one call of a model in inference.

While the model is called, every call of its layers is recorded: what Keras handed to the layer, its
mask and its initial states among them, and what came back. The states of all steps are those of the
layer's own cell, run by Keras' loop on what the layer was given.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from symrnn.checking.keras_models import import_frameworks
from symrnn.models.graph import Graph, Result
from symrnn.models.layers.core import InputLayer, NotEqual

Tensors = list[Any]
Objective = Callable[[Tensors], Any]
"""What to differentiate: a number made of the model's outputs."""


@dataclass(frozen=True)
class Record:
    """One call of a layer: its tensors, for a recurrent layer its initial states and mask, its results."""

    layer: Any
    inputs: tuple[Any, ...]
    states: tuple[Any, ...]
    mask: Any
    outputs: tuple[Any, ...]


@dataclass(frozen=True)
class KerasRun:
    """One call of a Keras model: its outputs, the states it leaves, the objective, and what led there."""

    keras: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    finals: tuple[np.ndarray, ...]
    objective: Any
    slopes: Mapping[int, np.ndarray]
    records: tuple[Record, ...]


def layers_of(model: Any, keras: Any) -> Iterator[Any]:
    """The layers of a model, those of models in it in their place, without the inputs."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from layers_of(layer, keras)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def operations_of(model: Any, keras: Any) -> Iterator[Any]:
    """The functions on tensors in a model, those of models in it too."""
    for one in getattr(model, "operations", ()):
        if isinstance(one, keras.Model):
            yield from operations_of(one, keras)
        elif not isinstance(one, keras.layers.Layer):
            yield one


def halves_of(layer: Any) -> list[Any]:
    """The recurrent layers that a layer is, or is made of."""
    if hasattr(layer, "forward_layer"):
        return [layer.forward_layer, layer.backward_layer]
    return [layer] if hasattr(layer, "cell") else []


def kept_states(model: Any, keras: Any) -> list[Any]:
    """The variables in which stateful layers keep their states."""
    halves = [half for layer in layers_of(model, keras) for half in halves_of(layer) if half.stateful]
    return [variable for half in halves for variable in keras.tree.flatten(half.states)]


# running ----------------------------------------------------------------------------------------


def run(
    model: Any, inputs: Sequence[np.ndarray], initial: Sequence[np.ndarray], objective: Objective, keras: Any
) -> KerasRun:
    """Call the model with `training=False` and differentiate the objective by weights, inputs and kept states.

    `initial` are the values of the kept states at the start, which are put back afterwards.
    """
    _, tensorflow = import_frameworks()
    kept = kept_states(model, keras)
    before = [variable.numpy() for variable in kept]
    x = [tensorflow.convert_to_tensor(value) for value in inputs]
    sources = [*(weight.value for weight in model.weights), *x, *(variable.value for variable in kept)]
    watched = {place: one for place, one in enumerate(sources) if one.dtype.is_floating}
    try:
        for variable, value in zip(kept, initial, strict=True):
            variable.assign(value)
        with (
            warnings.catch_warnings(),
            _recording([*layers_of(model, keras), *operations_of(model, keras)], keras) as records,
            tensorflow.GradientTape(watch_accessed_variables=False) as tape,
        ):
            warnings.simplefilter("ignore")  # of masks that end at a layer
            tape.watch(list(watched.values()))
            outputs = keras.tree.flatten(model(x[0] if len(x) == 1 else x, training=False))
            total = objective(outputs)
        finals = tuple(variable.numpy() for variable in kept)
    finally:
        for variable, value in zip(kept, before, strict=True):
            variable.assign(value)
    found = tape.gradient(total, list(watched.values()), unconnected_gradients="zero")
    slopes = {place: np.asarray(tensorflow.convert_to_tensor(s)) for place, s in zip(watched, found, strict=True)}
    return KerasRun(keras, tuple(x), tuple(outputs), finals, total, slopes, tuple(records))


@contextmanager
def _recording(layers: Sequence[Any], keras: Any) -> Iterator[list[Record]]:
    """The calls of these layers, and of the halves of bidirectional ones, in the order in which they return."""
    records: list[Record] = []
    watched = {id(one): one for layer in layers for one in (layer, *halves_of(layer))}
    own = {key: vars(layer)["call"] for key, layer in watched.items() if "call" in vars(layer)}

    def recorded(layer: Any) -> Callable[..., Any]:
        call, signature = layer.call, inspect.signature(layer.call)

        def record(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs).arguments
            tensors = tuple(keras.tree.flatten(next(iter(given.values()))))
            states = given.get("initial_state")
            states = layer.states if states is None and getattr(layer, "stateful", False) else states
            listed = () if states is None else tuple(map(keras.ops.copy, keras.tree.flatten(states)))
            outputs = call(*args, **kwargs)
            records.append(Record(layer, tensors, listed, given.get("mask"), tuple(keras.tree.flatten(outputs))))
            return outputs

        return record

    calls = {key: recorded(layer) for key, layer in watched.items()}
    try:
        for key, layer in watched.items():
            vars(layer)["call"] = calls[key]  # not by setattr, with which Keras would keep it
        yield records
    finally:
        for key, layer in watched.items():
            del vars(layer)["call"]
            vars(layer).update({"call": own[key]} if key in own else {})


# what the calls of a graph are ------------------------------------------------------------------


@dataclass(frozen=True)
class Recording:
    """A run seen through a graph: the records of its calls."""

    run: KerasRun
    graph: Graph
    layers: Mapping[int, Any]

    @cached_property
    def calls(self) -> dict[int, int]:
        """By the place of a call the place of its record: the one of its layer with the same inputs."""
        found: dict[int, int] = {}
        values = {Result(place): x for place, x in zip(self.graph.inputs, self.run.inputs, strict=False)}
        for place, call in enumerate(self.graph.calls):
            layer = self.graph.layer(call)
            if isinstance(layer, InputLayer | NotEqual):
                continue
            free = [
                number
                for number, record in enumerate(self.run.records)
                if record.layer is self.layers.get(call.layer) and number not in found.values()
            ]
            given = [values.get(result) for result in (*call.inputs, *call.states)]
            same = [number for number in free if len(free) == 1 or _same(self.run.records[number], given)]
            if same:
                found[place] = same[0]
                outputs = self.run.records[same[0]].outputs
                values |= {Result(place, output): value for output, value in enumerate(outputs)}
        return found

    def name(self, place: int) -> str:
        """The name of the layer of a call."""
        return str(self.run.records[self.calls[place]].layer.name) if place in self.calls else ""

    def results(self, place: int) -> tuple[Any, ...]:
        """What a call returned, nothing where it was not seen."""
        return self.run.records[self.calls[place]].outputs if place in self.calls else ()

    def states(self, place: int) -> list[np.ndarray]:
        """The states of a recurrent call for all t, in the order of time; nothing where it was not seen."""
        if place not in self.calls:
            return []
        record = self.run.records[self.calls[place]]
        halves = halves_of(record.layer)
        if halves == [record.layer]:
            return recorded_states(record, self.run)
        before = self.run.records[: self.calls[place]]
        count = sum(other.layer is record.layer for other in before)
        parts = [[other for other in self.run.records if other.layer is half][count] for half in halves]
        return [state for part in parts for state in recorded_states(part, self.run)]


def observe(run: KerasRun, model: Any, graph: Graph) -> Recording:
    """The run seen through a graph: its layers are those of the same names, or all in the same order, or none."""
    keras_layers = [*layers_of(model, run.keras), *operations_of(model, run.keras)]
    places = [place for place, layer in enumerate(graph.layers) if not isinstance(layer, InputLayer | NotEqual)]
    named: dict[int, Any] = {}
    for place in places:
        same = next((one for one in keras_layers if one.name == graph.layers[place].name), None)
        named |= {} if same is None else {place: same}
        keras_layers = [one for one in keras_layers if one is not same]
    if len(named) == len(places):
        return Recording(run, graph, named)
    keras_layers = list(layers_of(model, run.keras))
    ordered = dict(zip(places, keras_layers, strict=True)) if len(places) == len(keras_layers) else {}
    return Recording(run, graph, ordered)


def _same(record: Record, given: Sequence[Any]) -> bool:
    """Whether the inputs and the states of a record are these values, as far as they are known."""
    pairs = zip((*record.inputs, *record.states), given, strict=False)
    return all(
        value is None or np.array_equal(np.asarray(tensor), np.asarray(value).astype(tensor.dtype.name), equal_nan=True)
        for tensor, value in pairs
    )


# states -----------------------------------------------------------------------------------------


def recorded_states(record: Record, run: KerasRun) -> list[np.ndarray]:
    """The states of all steps, in the order of time, of a call of a recurrent layer; nothing of any other.

    The layer's cell runs in another layer, whose output is all its states side by side. Keras
    repeats the output of the step before in a masked step, and begins with zeros where the states
    begin with the initial ones.
    """
    keras, own = run.keras, record.layer
    if halves_of(own) != [own]:
        return []
    ops, tree, sequence = keras.ops, keras.tree, record.inputs[0]
    widths = [int(size) for size in tree.flatten(own.cell.state_size)]
    every = keras.layers.RNN(_all_states(own.cell, sum(widths), keras), return_sequences=True, dtype=own.dtype_policy)
    nothing = own.get_initial_state(batch_size=len(sequence))
    initial = list(record.states or tree.flatten(nothing))

    def order(value: Any) -> Any:
        return ops.flip(value, axis=1) if own.go_backwards else value

    mask = None if record.mask is None else order(record.mask)
    found = every(order(sequence), initial_state=tree.pack_sequence_as(nothing, initial), mask=mask, training=False)
    if mask is not None:
        seen = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
        found = ops.where(seen[:, :, None], found, ops.concatenate(initial, axis=-1)[:, None])
    ends = np.cumsum([0, *widths])
    return [np.asarray(order(found))[..., a:b] for a, b in pairwise(ends)]


def _all_states(cell: Any, width: int, keras: Any) -> Any:
    """A cell that computes what the cell does and puts out all its new states."""

    class AllStates(keras.layers.Layer):
        """The states of a cell side by side."""

        def __init__(self) -> None:
            super().__init__(dtype=cell.dtype_policy)
            self.cell, self.state_size, self.output_size = cell, cell.state_size, width
            self.built = True

        def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, Any]:
            _, states = cell(inputs, states)
            return keras.ops.concatenate(keras.tree.flatten(states), axis=-1), states

    return AllStates()
