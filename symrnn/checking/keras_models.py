"""Live Keras models to check against: built from layers, or loaded from a file."""

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np

from symrnn.common.errors import at, cut
from symrnn.common.terminal import one_line
from symrnn.importers.keras.keras2 import HARD_SIGMOID
from symrnn.importers.keras.layer_config import REGISTERED, check_halves
from symrnn.importers.keras.reader import excerpt_of
from symrnn.models.custom_cell import Cell
from symrnn.models.graph import Call, Graph, Model, Result, graph_of, input_kind
from symrnn.models.layers.activation import PReLU
from symrnn.models.layers.core import InputLayer, Layer, NotEqual, TimeDistributed
from symrnn.models.layers.rnn import CELLS, RNN, Bidirectional, Recurrent, states_of
from symrnn.models.layers.table import Sequential


def build(
    model: Sequential | Model | Graph,
    seed: int = 0,
    weights: Sequence[Any] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
) -> Any:
    """The Keras model of these layers, with these weights, or with Keras' initial ones by the seed.

    It computes in `dtype`, by default in what Keras is set to.

    A Sequential becomes a keras.Sequential, as does a graph that is one; anything else a functional
    model. A stateful model needs a batch size, the number of samples of every call.

    Raises:
        ImportError: Keras or TensorFlow is missing.
        NotImplementedError: Keras has no such layer.
    """
    keras = import_frameworks()[0]
    keras.utils.set_random_seed(seed)
    graph = graph_of(model)
    make = _sequential if _is_chain(graph) and not isinstance(model, Model) else _functional
    with _dtype(dtype, keras):
        built = [_make(layer, keras) for layer in graph.layers]
        made = make(graph, built, batch_size, keras)
    _check_order(made, graph, built)
    if weights is not None:
        made.set_weights([np.asarray(weight) for weight in weights])
    return made


@contextlib.contextmanager
def _dtype(dtype: str | None, keras: Any) -> Iterator[None]:
    """Keras set to a dtype for a while."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    if dtype is not None:
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def load(path: str | os.PathLike[str]) -> Any:
    """The model of a .keras or .h5 file: Keras is handed of it what symrnn has read, and in its safe mode.

    Raises:
        ValueError: symrnn or Keras refuses the file, or Keras finds other weights in it than symrnn.
        NotImplementedError: something in the file is not supported.
    """
    keras, excerpt = import_frameworks()[0], excerpt_of(path)
    with at(path), kept_to_a_line("Keras cannot load it"), tempfile.TemporaryDirectory() as folder:
        model = keras.saving.deserialize_keras_object(excerpt.config, safe_mode=True)
        model.load_weights(excerpt.write(Path(folder)))
        found = model.get_weights()
    if not all(map(np.array_equal, found, excerpt.weights)) or len(found) != len(excerpt.weights):
        raise ValueError(f"{cut(str(path))}: Keras loads other weights from it than symrnn reads")
    return model


def import_frameworks() -> tuple[Any, Any]:
    """The modules keras and tensorflow.

    Raises:
        ImportError: one is missing; the message says what to install.
        NotImplementedError: Keras runs on another backend.
    """
    try:
        keras, tensorflow = map(importlib.import_module, ("keras", "tensorflow"))
    except ImportError as error:
        raise ImportError(
            f"check needs Keras and TensorFlow ({error}); pip install 'symrnn[keras]' installs them"
        ) from None
    if keras.backend.backend() != "tensorflow":
        raise NotImplementedError(f"check: Keras runs on {keras.backend.backend()}; supported: tensorflow")
    if keras.saving.get_registered_object(REGISTERED[HARD_SIGMOID]) is None:
        keras.saving.register_keras_serializable("symrnn", HARD_SIGMOID)(_hard_sigmoid_keras2)
    return keras, tensorflow


def activation_of(name: str | None, keras: Any) -> Any:
    """What Keras takes for an activation: its own name, or the function that is registered where it has none."""
    return keras.saving.get_registered_object(REGISTERED[name]) if name in REGISTERED else name


def _hard_sigmoid_keras2(x: Any) -> Any:
    """What Keras 2 computes as hard_sigmoid. Source: keras/src/backend.py of Keras 2.15."""
    return importlib.import_module("keras").ops.clip(0.2 * x + 0.5, 0, 1)


_ENCOUNTERED = "Exception encountered: "
"""What Keras writes before the reason, after the whole configuration."""


@contextlib.contextmanager
def kept_to_a_line(what: str) -> Iterator[None]:
    """What Keras or TensorFlow raises, whatever it is, as a ValueError of one line.

    Raises:
        ValueError: something is raised inside.
    """
    try:
        yield
    except Exception as error:
        reason = one_line(str(error)).rpartition(_ENCOUNTERED)[2]
        raise ValueError(f"{what}: {type(error).__name__}: {cut(reason)}") from error


# models -----------------------------------------------------------------------------------------


def _is_chain(graph: Graph) -> bool:
    """Whether every layer is called once, on the one before."""
    chain = tuple(Call(i, (Result(i - 1),) if i else ()) for i in range(len(graph.layers)))
    ends = tuple(Result(len(chain) - 1, i) for i in range(graph.layers[-1].results))
    return graph.calls == chain and graph.inputs == (0,) and graph.outputs == ends


def _sequential(graph: Graph, built: Sequence[Any], batch_size: int | None, keras: Any) -> Any:
    return keras.Sequential([_input(graph.input_layers[0], batch_size, keras), *built[1:]])


def _functional(graph: Graph, built: Sequence[Any], batch_size: int | None, keras: Any) -> Any:
    """The calls in their order, each on the tensors that those before it have returned."""
    tensors: dict[Result, Any] = {}
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if isinstance(layer, InputLayer):
            given = "bool" if input_kind(graph, place) == "mask" else None
            found = [_input(replace(layer, dtype=layer.dtype or given), batch_size, keras)]
        else:
            found = _called(layer, built[call.layer], call, tensors, keras)
        tensors |= {Result(place, output): tensor for output, tensor in enumerate(found)}
    inputs = [tensors[Result(place)] for place in graph.inputs]
    outputs = [tensors[result] for result in graph.outputs]
    return keras.Model(_alone(inputs), _alone(outputs))


def _input(layer: InputLayer, batch_size: int | None, keras: Any) -> Any:
    return keras.Input(layer.shape, batch_size, dtype=layer.dtype, name=layer.name)


def _called(layer: Layer, built: Any, call: Call, tensors: dict[Result, Any], keras: Any) -> list[Any]:
    """What one call returns."""
    given = [tensors[result] for result in call.inputs]
    if isinstance(layer, NotEqual):
        differs = keras.ops.not_equal(given[0], layer.value)
        return [keras.ops.any(differs, axis=-1) if len(differs.shape) == 3 else differs]
    options: dict[str, Any] = {}
    if call.states:
        options["initial_state"] = _initial_state(layer, [tensors[result] for result in call.states])
    if call.mask is not None:
        options["mask"] = tensors[call.mask]
    returned = built(given if len(given) > 1 else given[0], **options)
    return keras.tree.flatten(returned)


def _initial_state(layer: Layer, states: Sequence[Any]) -> list[Any]:
    """The states as Keras takes them: those of one of several cells that has two are a list."""
    halves = layer.halves if isinstance(layer, Bidirectional) else (layer,)
    remaining = iter(states)
    nested: list[Any] = []
    for half in halves:
        counts = [len(states_of(cell)) for cell in half.cells] if isinstance(half, Recurrent) else []
        own = [_alone([next(remaining) for _ in range(count)]) for count in counts]
        nested += own if _is_stacked(half) else [state for state in own for state in _listed(state)]
    return nested


def _is_stacked(layer: Layer) -> bool:
    return isinstance(layer, RNN) and isinstance(layer.cell, list | tuple)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _alone(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _check_order(made: Any, graph: Graph, built: Sequence[Any]) -> None:
    """Check that Keras lists the layers that have weights in the order of the graph."""
    places = {id(layer): place for place, layer in enumerate(built)}
    found = [places[id(layer)] for layer in made.layers if id(layer) in places and layer.weights]
    if found != sorted(found):
        names = ", ".join(str(graph.layers[place].name or type(graph.layers[place]).__name__) for place in found)
        raise NotImplementedError(f"build: the layers' weights are in another order in Keras: {names}")


# layers -----------------------------------------------------------------------------------------


@singledispatch
def _make(layer: Any, keras: Any) -> Any:
    """The layer of Keras: its arguments have the names of the fields."""
    return _of_keras(layer, keras)


def _of_keras(layer: Any, keras: Any, /, **changed: Any) -> Any:
    arguments = {part.name: getattr(layer, part.name) for part in fields(layer) if part.name != "initial_state"}
    for name in {"activation", "recurrent_activation"} & set(arguments):
        arguments[name] = activation_of(arguments[name], keras)
    arguments |= changed
    if arguments.get("name") is None:
        arguments.pop("name", None)
    return getattr(keras.layers, type(layer).__name__)(**arguments)


@_make.register(InputLayer)
@_make.register(NotEqual)
def _(layer: Layer, keras: Any) -> None:
    """An input is a tensor, and a mask an operation."""


@_make.register
def _(layer: Recurrent, keras: Any) -> Any:
    if layer.initial_state:
        raise NotImplementedError(
            f"{type(layer).__name__}: initial_state=True is not supported in a Keras model; "
            "supported: the zero state, and tensors, layer(x, initial_state=[h, c])"
        )
    return _of_keras(layer, keras)


@_make.register
def _(layer: RNN, keras: Any) -> Any:
    cells = [_cell(cell, keras) for cell in layer.cells]
    return _of_keras(layer, keras, cell=cells if _is_stacked(layer) else cells[0])


def _cell(cell: Any, keras: Any) -> Any:
    if isinstance(cell, Cell):
        raise NotImplementedError(f"RNN(Cell) is not supported in a Keras model; supported: {', '.join(CELLS)}")
    return _of_keras(cell, keras)


@_make.register
def _(layer: Bidirectional, keras: Any) -> Any:
    check_halves(layer)
    backward = None if layer.backward_layer is None else _make(layer.backward_layer, keras)
    return _of_keras(layer, keras, layer=_make(layer.layer, keras), backward_layer=backward)


@_make.register
def _(layer: TimeDistributed, keras: Any) -> Any:
    return _of_keras(layer, keras, layer=_make(layer.layer, keras))


@_make.register
def _(layer: PReLU, keras: Any) -> Any:
    return _of_keras(layer, keras, shared_axes=None if layer.shared_axes is None else list(layer.shared_axes))
