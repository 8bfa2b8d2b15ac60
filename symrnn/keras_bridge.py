"""Keras' JSON config and weights -> layers: the only module that knows Keras' formats.

A live model is read through `to_json()` and `get_weights()`, a `.keras` file as the zip that it is:
`config.json` holds what `to_json()` gives, and `model.weights.h5` the arrays 0, 1, ... of each layer
in one group, named after the layer's class and its number among the layers of that class.

Neither Keras nor TensorFlow is imported, and nothing that a file contains is run.
"""

import json
import os
import reprlib
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any

from symrnn.functions import activation_name
from symrnn.keras_file import Shapes, Stored, at, check_shape, h5_arrays, members, read_json
from symrnn.layers import Activation, Dense, Dropout, Layer, Sequential, SimpleRNN, TimeDistributed, check_size

if TYPE_CHECKING:
    import numpy as np

_DTYPES = ("float32", "float64")
_CHAIN = "a chain of layers from one input to one output, each called once"


@dataclass(frozen=True)
class Imported:
    """A Keras model as layers, each with its Keras name, and its arrays in the order of `get_weights()`."""

    model: Sequential
    weights: "tuple[np.ndarray, ...]"
    dtype: str


@dataclass(frozen=True, eq=False)
class _Entry:
    """One entry of the config's list of layers; `number` counts those of its class before it."""

    kind: str
    name: str
    place: int
    number: int
    item: Mapping[str, Any]

    @property
    def config(self) -> Mapping[str, Any]:
        """The layer's arguments."""
        return self.item["config"]

    def __str__(self) -> str:
        named = f"{self.kind} {self.name!r}"
        return named if self.kind == "InputLayer" else f"layer {self.place} ({named})"


Arrays = Callable[[Sequence[Stored]], "Sequence[np.ndarray]"]


def is_keras_model(model: object) -> bool:
    """Whether this is a live Keras model, told by its methods: Keras is not imported."""
    methods = (getattr(model, name, None) for name in ("to_json", "get_weights"))
    return not isinstance(model, type) and all(map(callable, methods))


def from_keras(model: object, timesteps: int | None = None) -> Imported:
    """The layers and weights of a live Keras model, or of the `.keras` file at a path.

    Args:
        model: A Sequential model or a functional one that is a chain of layers, or a path.
        timesteps: The number of time steps, for a model whose input is open in time.

    Keras casts x to the InputLayer's dtype, which may differ from the layers' dtype that is returned.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A damaged file, a model that is not built, an input that is not (timesteps, features).
        NotImplementedError: A layer, an argument, a dtype or a graph that is not supported.
    """
    if timesteps is not None:
        check_size("timesteps", timesteps, "from_keras")
    if isinstance(model, str | os.PathLike):
        return _from_file(Path(model), timesteps)
    if is_keras_model(model):
        return _from_live(model, timesteps)
    raise ValueError(f"expected a Keras model or the path of a .keras file, got {reprlib.repr(model)}")


def _from_live(model: Any, timesteps: int | None) -> Imported:
    with warnings.catch_warnings():
        # Keras warns of what would be unsafe to load again, and of its own calls of NumPy
        warnings.simplefilter("ignore")
        return _import(_live_config(model), lambda stored: model.get_weights(), timesteps)


def _live_config(model: Any) -> Any:
    try:
        return json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise NotImplementedError(
            f"{type(model).__name__}: its to_json() fails; supported: Sequential and Functional"
        ) from error


def _from_file(path: Path, timesteps: int | None) -> Imported:
    if path.suffix != ".keras":
        raise NotImplementedError(f"{path}: expected a file that ends in .keras, as model.save('model.keras') writes")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    with at(path):
        config, weights = members(path)
        return _import(read_json(config), lambda stored: h5_arrays(weights, stored), timesteps)


def _import(config: Any, arrays: Arrays, timesteps: int | None) -> Imported:
    """The one reader: config -> entries in the order of the graph -> layers -> weights."""
    first, *entries = _chain(config)
    with at(first):
        shape = _input_shape(first, timesteps)
    model = Sequential([_layer(entry) for entry in entries], shape)
    dtype = _common_dtype(first, entries)
    stored = _stored(model, entries)
    weights = tuple(arrays(stored))
    _check_weights(weights, stored, dtype)
    return Imported(model, weights, dtype)


def _item(config: object, key: str, kind: type | UnionType) -> Any:
    """The item of a JSON object, which must be there and of this kind."""
    value = config.get(key) if isinstance(config, dict) else None
    fits = isinstance(value, kind)
    if not fits:
        raise ValueError(f"config: {key}: expected {getattr(kind, '__name__', kind)}, got {reprlib.repr(value)}")
    return value


# the graph --------------------------------------------------------------------------------------


def _chain(config: Any) -> list[_Entry]:
    """The model's layers from its input to its output."""
    kind, inner = _item(config, "class_name", str), _item(config, "config", dict)
    if kind not in _MODELS or not _is_builtin(config):
        raise NotImplementedError(f"a model of class {kind} is not supported; supported: {', '.join(_MODELS)}")
    entries = _entries(_item(inner, "layers", list))
    for entry in entries:
        with at(entry):
            _check_arguments(entry)
    return _MODELS[kind](inner, entries)


def _entries(listed: Sequence[Any]) -> list[_Entry]:
    entries: list[_Entry] = []
    seen: Counter[str] = Counter()
    for item in listed:
        kind, config = _item(item, "class_name", str), _item(item, "config", dict)
        place = len(entries) - seen["InputLayer"] + 1
        entries.append(_Entry(kind, str(config.get("name")), place, seen[kind], item))
        seen[kind] += 1
    return entries


def _in_list(config: object, entries: list[_Entry]) -> list[_Entry]:
    """A Sequential: the order of the list. Keras writes no InputLayer before the model is built."""
    if not entries or entries[0].kind != "InputLayer":
        raise ValueError(
            "the model has no input shape: build it, with keras.Input((timesteps, features)) as its first layer "
            "or by calling it once"
        )
    for entry in entries[1:]:
        if entry.kind == "InputLayer":
            raise NotImplementedError(f"{entry}: a second input is not supported; supported: {_CHAIN}")
    return entries


def _in_graph(config: object, entries: list[_Entry]) -> list[_Entry]:
    """A functional model: from the output back to the input, as its nodes say."""
    named = {entry.name: entry for entry in entries}
    chain = [_look_up(named, _end(config, "output_layers"))]
    while chain[-1].kind != "InputLayer" and len(chain) <= len(entries):
        with at(chain[-1]):
            chain.append(_look_up(named, _source(chain[-1])))
    first = _end(config, "input_layers")
    if chain[-1] is not _look_up(named, first):
        raise ValueError(f"config: input_layers: expected {chain[-1].name!r}, which leads to the output, got {first!r}")
    for entry in entries:
        if entry not in chain:
            raise NotImplementedError(f"{entry}: not between the input and the output; supported: {_CHAIN}")
    return chain[::-1]


_MODELS = {"Sequential": _in_list, "Functional": _in_graph}


def _look_up(named: Mapping[str, _Entry], name: str) -> _Entry:
    if name not in named:
        raise ValueError(f"config: the graph names a layer {name!r} that is not in the list of layers")
    return named[name]


def _end(config: Any, key: str) -> str:
    """The layer at one end of the graph: [name, 0, 0], alone or in a list."""
    ends = _item(config, key, object)
    ends = [ends] if isinstance(ends, list) and ends and isinstance(ends[0], str) else ends
    if not isinstance(ends, list) or len(ends) != 1:
        raise NotImplementedError(f"{key}: expected one layer, got {reprlib.repr(ends)}; supported: {_CHAIN}")
    return _history(ends[0])


def _source(entry: _Entry) -> str:
    """The layer whose output is the only argument of this one's only call."""
    calls = _item(entry.item, "inbound_nodes", list)
    if len(calls) != 1:
        raise NotImplementedError(f"called {len(calls)} times; supported: {_CHAIN}")
    args, kwargs = _item(calls[0], "args", list), _item(calls[0], "kwargs", dict)
    kwargs = {name: value for name, value in kwargs.items() if value is not None and value is not False}
    given = [*args, *kwargs.values()]
    if len(given) != 1 or not _is_tensor(given[0]):
        shown = [*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in kwargs.items())]
        raise NotImplementedError(f"the call ({', '.join(shown)}) is not supported; supported: (tensor)")
    return _history(_item(given[0], "config", dict).get("keras_history"))


def _is_tensor(value: object) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _history(value: object) -> str:
    """The layer's name in [name, call, output], whose calls `_source` counts."""
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str) or value[2] != 0:
        raise ValueError(f"config: expected a tensor's history [layer, call, 0], got {reprlib.repr(value)}")
    return value[0]


# one layer --------------------------------------------------------------------------------------


def _is_builtin(item: Mapping[str, Any]) -> bool:
    """Whether module and registered name are those of a class of Keras itself."""
    package = str(item.get("module")).split(".")[0]
    return package == "keras" and item.get("registered_name") in (None, item["class_name"])


@dataclass(frozen=True)
class _Arguments:
    """The arguments of a layer that are read, and those for which one value is supported."""

    read: tuple[str, ...]
    fixed: Mapping[str, object] = field(default_factory=dict)


_ARGUMENTS = {
    "InputLayer": _Arguments(("batch_shape",), {"sparse": False, "ragged": False, "optional": False}),
    "SimpleRNN": _Arguments(
        ("units", "activation", "use_bias", "return_sequences", "go_backwards"),
        {"return_state": False, "stateful": False},
    ),
    "Dense": _Arguments(("units", "activation", "use_bias")),
    "TimeDistributed": _Arguments(("layer",)),
    "Activation": _Arguments(("activation",)),
    "Dropout": _Arguments(("rate",)),
}
_WITHOUT_EFFECT = {
    *("name", "trainable", "dtype"),  # dtype is read by _common_dtype
    *(f"{weight}_{use}" for weight in ("kernel", "recurrent", "bias") for use in ("initializer", "constraint")),
    *(f"{what}_regularizer" for what in ("kernel", "recurrent", "bias", "activity")),
    *("dropout", "recurrent_dropout", "noise_shape", "seed"),  # inference
    *("unroll", "zero_output_for_mask"),  # without a mask, nothing
}


def _check_arguments(entry: _Entry) -> None:
    """Check that the layer and all its arguments are known, each with a supported value."""
    arguments = _ARGUMENTS.get(entry.kind)
    if arguments is None:
        raise NotImplementedError(f"{entry.kind} is not supported; supported: {_SUPPORTED}")
    if not _is_builtin(entry.item):
        raise NotImplementedError(f"the custom class {entry.kind} is not supported; supported: {_SUPPORTED}")
    for name, value in entry.config.items():
        if name in arguments.fixed and value != arguments.fixed[name]:
            raise NotImplementedError(
                f"{name}={_shown(value)} is not supported; supported: {name}={arguments.fixed[name]}"
            )
        if value is not None and name not in {*arguments.read, *arguments.fixed, *_WITHOUT_EFFECT}:
            raise NotImplementedError(
                f"argument {name}={_shown(value)} is not supported; supported: {', '.join(arguments.read)}"
            )


def _layer(entry: _Entry) -> Layer:
    with at(entry):
        return _READERS[entry.kind](entry)


def _simple_rnn(entry: _Entry) -> SimpleRNN:
    flags = {name: _item(entry.config, name, bool) for name in ("use_bias", "return_sequences", "go_backwards")}
    return SimpleRNN(_item(entry.config, "units", int), _activation(entry), **flags, name=entry.name)


def _dense(entry: _Entry) -> Dense:
    use_bias = _item(entry.config, "use_bias", bool)
    return Dense(_item(entry.config, "units", int), _activation(entry), use_bias, name=entry.name)


def _time_distributed(entry: _Entry) -> TimeDistributed:
    inner = _inner(entry)
    with at(f"its {inner.kind} {inner.name!r}"):
        _check_arguments(inner)
        return TimeDistributed(_dense(inner), name=entry.name)


def _inner(entry: _Entry) -> _Entry:
    """The layer inside TimeDistributed."""
    (inner,) = _entries([_item(entry.config, "layer", dict)])
    if inner.kind != "Dense":
        raise NotImplementedError(f"TimeDistributed({inner.kind}) is not supported; supported: TimeDistributed(Dense)")
    return inner


def _activation(entry: _Entry) -> str:
    value = entry.config.get("activation")
    if isinstance(value, dict):
        raise NotImplementedError(
            f"activation={_shown(value)} is not supported; supported: the name of a Keras activation"
        )
    return activation_name(_item(entry.config, "activation", str))


def _shown(value: object) -> str:
    """A value of the config, for a message: of an object its class, of a function its name; a lambda has none."""
    if _is_tensor(value):
        return "tensor"
    if not isinstance(value, dict):
        return reprlib.repr(value)
    kind, name = value.get("class_name", "lambda"), value.get("config")
    return f"{kind} {name}" if isinstance(name, str) else str(kind)


_READERS: dict[str, Callable[[_Entry], Layer]] = {
    "SimpleRNN": _simple_rnn,
    "Dense": _dense,
    "TimeDistributed": _time_distributed,
    "Activation": lambda entry: Activation(_activation(entry), name=entry.name),
    "Dropout": lambda entry: Dropout(_item(entry.config, "rate", int | float), name=entry.name),
}
_SUPPORTED = ", ".join("TimeDistributed(Dense)" if kind == "TimeDistributed" else kind for kind in _READERS)


def _input_shape(entry: _Entry, timesteps: int | None) -> tuple[int | None, int]:
    """The InputLayer's shape without its batch axis."""
    shape = tuple(_item(entry.config, "batch_shape", list)[1:])
    if len(shape) != 2:
        raise ValueError(f"expected an input of shape (timesteps, features), got {shape}")
    fixed, features = shape
    if fixed is not None:
        check_size("timesteps", fixed)
    check_size("features", features)
    if timesteps not in (None, fixed) and fixed is not None:
        raise ValueError(f"timesteps: expected {fixed}, the length of the input, got {timesteps}")
    return timesteps or fixed, features


# dtypes and weights -----------------------------------------------------------------------------


def _common_dtype(first: _Entry, entries: Sequence[_Entry]) -> str:
    """The dtype of all layers; the InputLayer's may be the other one, as it only casts x."""
    expected = _dtypes(entries[0])[0]
    for entry in (first, *entries):
        with at(entry):
            for dtype in _dtypes(entry):
                _check_dtype(dtype, dtype if entry is first else expected)
    return expected


def _dtypes(entry: _Entry) -> list[str]:
    """The layer's dtype, and that of the layer inside it."""
    policy = entry.config.get("dtype")
    if isinstance(policy, dict):
        policy = _item(policy, "config", dict).get("name", policy.get("class_name"))
    return [str(policy), *(_dtypes(_inner(entry)) if entry.kind == "TimeDistributed" else [])]


def _check_dtype(dtype: str, expected: str) -> None:
    if dtype not in _DTYPES:
        raise NotImplementedError(f"dtype {dtype} is not supported; supported: {', '.join(_DTYPES)}")
    if dtype != expected:
        raise NotImplementedError(
            f"dtype {dtype} after layers of dtype {expected} is not supported; supported: one dtype for all layers"
        )


_GROUPS = {
    "SimpleRNN": "layers/simple_rnn{}/cell/vars",
    "Dense": "layers/dense{}/vars",
    "TimeDistributed": "layers/time_distributed{}/layer/vars",
}


def _stored(model: Sequential, entries: Sequence[_Entry]) -> list[Stored]:
    """What each layer with weights must have, and where a file has it."""
    found, inputs = [], model.input_shape[1]
    for layer, entry in zip(model.layers, entries, strict=True):
        if shapes := _shapes(layer, inputs):
            group = _GROUPS[entry.kind].format(f"_{entry.number}" if entry.number else "")
            found.append(Stored(str(entry), shapes, group))
            inputs = shapes["kernel"][1]
    return found


def _shapes(layer: Layer, inputs: int) -> Shapes:
    """The shapes of a layer's arrays, by Keras' names and in its order."""
    layer = layer.layer if isinstance(layer, TimeDistributed) else layer
    if not isinstance(layer, SimpleRNN | Dense):
        return {}
    recurrent: Shapes = {"recurrent_kernel": (layer.units, layer.units)} if isinstance(layer, SimpleRNN) else {}
    bias: Shapes = {"bias": (layer.units,)} if layer.use_bias else {}
    return {"kernel": (inputs, layer.units), **recurrent, **bias}


def _check_weights(weights: "Sequence[np.ndarray]", stored: Sequence[Stored], dtype: str) -> None:
    """Check that there are as many arrays as the layers need, each of its shape and dtype."""
    expected = [(layer, name) for layer in stored for name in layer.shapes]
    if len(weights) != len(expected):
        raise ValueError(f"expected {len(expected)} arrays of weights, got {len(weights)}")
    for array, (layer, name) in zip(weights, expected, strict=True):
        with at(f"{layer.layer}: {name}"):
            check_shape(array, layer.shapes[name])
            if str(array.dtype) != dtype:
                raise ValueError(f"expected {dtype}, got {array.dtype}")
