"""One entry of a Keras config -> one layer; whatever symrnn does not know is refused by name.

The arguments of a layer are the fields of its class in `layers`, which have Keras' names; `ARGUMENTS` says how
each is read, and which others may only have one value.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import UnionType
from typing import Any, get_type_hints

from symrnn.common.errors import at, cut_name, cut_repr, short_repr
from symrnn.expressions.activations import activation_name
from symrnn.importers.keras.keras2 import HARD_SIGMOID, LAYOUTS, updated
from symrnn.models.layers.core import InputLayer
from symrnn.models.layers.rnn import CELLS, Bidirectional, states_of
from symrnn.models.layers.table import LAYERS

DTYPES = ("float32", "float64")
INTEGERS = ("int32", "int64")
MODELS = ("Sequential", "Functional")
_LONGEST = 200
"""Characters of the name of a class."""


@dataclass(frozen=True)
class ConfigOrigin:
    """The version of Keras that wrote a config, None where it is not known; old formats name no modules."""

    version: tuple[int, int] | None = None
    modules: bool = True

    @property
    def is_keras2(self) -> bool:
        """Whether Keras 2, or tf.keras, wrote it."""
        return self.version is not None and self.version[0] == 2


def read_version(text: object) -> tuple[int, int]:
    """Major and minor number of a version such as 3.15.1.

    Raises:
        ValueError: it is no version.
        NotImplementedError: it is neither Keras 2 nor Keras 3.
    """
    found = re.match(r"(\d{1,4})\.(\d{1,4})", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"keras_version: expected a version such as 3.15.1, got {short_repr(text)}")
    if found[1] not in ("2", "3"):
        raise NotImplementedError(f"keras_version: {found[0]} is not supported; supported: 2 and 3")
    return int(found[1]), int(found[2])


@dataclass(frozen=True, eq=False)
class Entry:
    """One entry of the config's list of layers; its name is empty where it has none.

    `item` is what the file says; `kind` and `config`, the layer's arguments, are in the words of Keras 3.
    `place` counts the layers from 1, without inputs and operations.
    """

    kind: str
    name: str
    place: int
    item: Mapping[str, Any]
    config: Mapping[str, Any]
    origin: ConfigOrigin

    @property
    def is_operation(self) -> bool:
        """Whether it is one of Keras' functions on tensors: of all entries but these they alone are not trainable."""
        return self.kind not in ("InputLayer", *MODELS) and "trainable" not in self.config and is_builtin(self)

    def __str__(self) -> str:
        named = f"{self.kind} {cut_repr(self.name)}" if self.name else self.kind
        if self.kind == "InputLayer":
            return named
        return f"operation ({named})" if self.is_operation else f"layer {self.place} ({named})"


def snake_case(name: str) -> str:
    """The name of a class as Keras writes it in names: simple_rnn for SimpleRNN."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def item(config: object, key: str, kind: type | UnionType) -> Any:
    """The item of a JSON object, which must be there and of this kind.

    Raises:
        ValueError: it is not.
    """
    value = config.get(key) if isinstance(config, Mapping) else None
    if not isinstance(value, kind):
        raise ValueError(f"config: {key}: expected {getattr(kind, '__name__', kind)}, got {short_repr(value)}")
    return value


def read_entries(listed: Sequence[Any], origin: ConfigOrigin) -> list[Entry]:
    """The entries of a config's list of layers.

    Raises:
        ValueError: one is no layer, or two have one name.
    """
    found: list[Entry] = []
    names: set[str] = set()
    place = 1
    for given in listed:
        entry = read_entry(given, place, origin)
        if entry.name in names:
            raise ValueError(f"config: expected layers of different names, got two {cut_repr(entry.name)}")
        found.append(entry)
        names |= {entry.name} - {""}
        place += not entry.is_operation and entry.kind != "InputLayer"
    return found


def read_entry(given: Any, place: int, origin: ConfigOrigin) -> Entry:
    """One layer, cell or model of a config.

    Raises:
        ValueError: it has no class or no configuration.
    """
    kind, written = item(given, "class_name", str), given.get("config")
    if not kind.isidentifier() or len(kind) > _LONGEST:
        raise ValueError(f"config: class_name: expected the name of a class, got {cut_repr(kind)}")
    kind, config = updated(kind, written) if origin.is_keras2 else (kind, written)
    config = item({"config": config}, "config", dict)
    name = config.get("name", given.get("name"))
    return Entry(kind, name if isinstance(name, str) else "", place, given, config, origin)


def is_builtin(entry: Entry) -> bool:
    """Whether module and registered name are those of a class of Keras itself."""
    registered, packages = entry.item.get("registered_name"), ("keras", "tf_keras")[: 1 + entry.origin.is_keras2]
    if "module" not in entry.item:
        return not entry.origin.modules
    return str(entry.item["module"]).split(".")[0] in packages and registered in (None, entry.item["class_name"])


def check_builtin(entry: Entry) -> None:
    """Check that the class is Keras' own.

    Raises:
        NotImplementedError: it is not.
    """
    if not is_builtin(entry):
        raise NotImplementedError(f"the custom class {entry.kind} is not supported; supported: {SUPPORTED}")


def is_tensor(value: object) -> bool:
    """Whether this stands for a tensor among the arguments of a call."""
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def value_text(value: object) -> str:
    """A value of the config, for a message: of an object its class, of a function its name; a lambda has none."""
    if is_tensor(value):
        return "tensor"
    if not isinstance(value, dict):
        return short_repr(value)
    kind, name = value.get("class_name", "lambda"), value.get("config")
    return cut_name(f"{kind} {name}" if isinstance(name, str) else str(kind))


# arguments --------------------------------------------------------------------------------------

Reader = Callable[[Entry, str], Any]


def _of(kind: type | UnionType) -> Reader:
    return lambda entry, name: item(entry.config, name, kind)


_number, _whole, _boolean = _of(int | float), _of(int), _of(bool)


def _number_or_none(entry: Entry, name: str) -> float | None:
    return None if entry.config.get(name) is None else _number(entry, name)


def _later(entry: Entry, name: str) -> bool:
    """An argument that is False where the writer did not know it."""
    return name in entry.config and _boolean(entry, name)


def _axes(entry: Entry, name: str) -> tuple[int, ...] | None:
    axes = entry.config.get(name)
    if axes is None:
        return None
    if not isinstance(axes, list) or not all(type(axis) is int for axis in axes):
        raise ValueError(f"config: {name}: expected a list of axes, got {short_repr(axes)}")
    return tuple(axes)


REGISTERED = {HARD_SIGMOID: f"symrnn>{HARD_SIGMOID}"}
"""Activations that Keras 3 lacks, and the names under which `checking` registers them there."""


def _activation(entry: Entry, name: str) -> str:
    value = entry.config.get(name)
    if isinstance(value, dict):
        known = [own for own, registered in REGISTERED.items() if value.get("config") == registered]
        if not known:
            raise NotImplementedError(
                f"{name}={value_text(value)} is not supported; supported: the name of a Keras activation"
            )
        return known[0]
    return activation_name(item(entry.config, name, str))


def _merge_mode(entry: Entry, name: str) -> str | None:
    return None if entry.config.get(name, "") is None else item(entry.config, name, str)


# layers in layers -------------------------------------------------------------------------------


def _within(entry: Entry, given: object, kinds: Sequence[str]) -> Any:
    """The layer inside an entry, which must be of one of these kinds."""
    inner = read_entry(given, 1, entry.origin)
    if inner.kind not in kinds:
        supported = f"{entry.kind}({kinds[0]})" if len(kinds) == 1 else ", ".join(kinds)
        raise NotImplementedError(f"{entry.kind}({inner.kind}) is not supported; supported: {supported}")
    with at(f"its {inner.kind} {cut_repr(inner.name)}"):
        return read_layer(inner)


def _inside(*kinds: str) -> Reader:
    return lambda entry, name: _within(entry, item(entry.config, name, dict), kinds)


def _inside_or_none(*kinds: str) -> Reader:
    return lambda entry, name: None if entry.config.get(name) is None else _inside(*kinds)(entry, name)


def _stacked(entry: Entry, name: str) -> tuple[Any, ...]:
    return tuple(_within(entry, cell, tuple(CELLS)) for cell in item(entry.config, name, list))


def _bidirectional(**arguments: Any) -> Bidirectional:
    """The halves without what Bidirectional itself decides, and the backward one only where it is another."""
    layer = replace(arguments.pop("layer"), zero_output_for_mask=False)
    backward = arguments.pop("backward_layer")
    backward = None if backward is None else replace(backward, zero_output_for_mask=False)
    turned = replace(layer, go_backwards=True)
    made = Bidirectional(layer, backward_layer=None if backward == turned else backward, **arguments)
    check_halves(made)
    return made


def check_halves(layer: Bidirectional) -> None:
    """Check that Keras knows the shapes of the results. Source: `compute_output_shape` in rnn/bidirectional.py.

    Raises:
        NotImplementedError: it does not.
    """
    states = [[states_of(cell) for cell in half.cells] for half in layer.halves]
    (first, second), (ahead, back) = ([own[-1][0][1] for own in states], states)
    if first != second or (layer.layer.return_state and ahead != back):
        different = f"widths, {first} and {second}," if first != second else "states"
        raise NotImplementedError(
            f"halves of different {different} are not supported: Keras takes the shapes of the backward half's results "
            "from the forward half"
        )


def inner_entries(entry: Entry) -> Iterator[Entry]:
    """The layers and cells inside a layer."""
    config = entry.config
    cells = config.get("cells")
    for given in (*map(config.get, ("layer", "backward_layer", "cell")), *(cells if isinstance(cells, list) else ())):
        if isinstance(given, dict):
            yield read_entry(given, 1, entry.origin)


# the table --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Arguments:
    """How the arguments of a layer are read, and those for which one value is supported; `old` ones Keras 2 had."""

    read: Mapping[str, Reader] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    old: Mapping[str, object] = field(default_factory=dict)
    make: Callable[..., Any] | None = None


_BY_TYPE: dict[object, Reader] = {int: _whole, float: _number, bool: _boolean, float | None: _number_or_none}
_BY_NAME: dict[str, Reader] = {
    **dict.fromkeys(("activation", "recurrent_activation"), _activation),
    "zero_output_for_mask": _later,
    "shared_axes": _axes,
    "merge_mode": _merge_mode,
}
_OURS = ("name", "initial_state")
"""Fields that are no arguments of Keras' layers."""


def _arguments(kind: type, row: _Arguments) -> _Arguments:
    """A row with the fields of the class, each read as its name or type says, or as the row does."""
    types = get_type_hints(kind)
    listed = sorted((one for one in fields(kind) if one.name not in _OURS), key=lambda one: bool(one.kw_only))
    read = {one.name: row.read.get(one.name) or _BY_NAME.get(one.name) or _BY_TYPE[types[one.name]] for one in listed}
    return replace(row, read=read)


_RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN")
_RNN = _Arguments(old={"time_major": False})
_POOLING = _Arguments(fixed={"data_format": "channels_last", "keepdims": False})
_LAST_AXIS = _Arguments(fixed={"axis": -1})

_ROWS: dict[str, _Arguments] = {
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), _RNN),
    "RNN": replace(_RNN, read={"cell": _inside(*CELLS, "StackedRNNCells")}),
    "Bidirectional": _Arguments(
        {"layer": _inside(*_RECURRENT), "backward_layer": _inside_or_none(*_RECURRENT)}, make=_bidirectional
    ),
    "TimeDistributed": _Arguments({"layer": _inside("Dense")}),
    "Softmax": _LAST_AXIS,
    "Flatten": _Arguments(fixed={"data_format": "channels_last"}),
    "GlobalAveragePooling1D": _POOLING,
    "GlobalMaxPooling1D": _POOLING,
    "Concatenate": _LAST_AXIS,
}
"""What the fields of a layer's class do not say."""

ARGUMENTS: dict[str, _Arguments] = {
    **{name: _arguments(kind, _ROWS.get(name, _Arguments())) for name, kind in (LAYERS | CELLS).items()},
    "InputLayer": _Arguments({"batch_shape": _of(list)}, {"sparse": False, "ragged": False, "optional": False}),
    "StackedRNNCells": _Arguments({"cells": _stacked}, old={"reverse_state_order": False}, make=lambda cells: cells),
}
_WEIGHTS = ("kernel", "recurrent", "bias", "embeddings", "alpha")
_WITHOUT_EFFECT = {
    *("name", "trainable", "dtype"),  # dtype is read for the whole model
    *(f"{weight}_{use}" for weight in _WEIGHTS for use in ("initializer", "constraint", "regularizer")),
    *("activity_regularizer", "unit_forget_bias"),
    *("dropout", "recurrent_dropout", "noise_shape", "seed"),  # inference
    *("implementation", "batch_input_shape", "input_length"),  # Keras 2
}
SUPPORTED = ", ".join("TimeDistributed(Dense)" if kind == "TimeDistributed" else kind for kind in LAYERS)


def check_arguments(entry: Entry) -> None:
    """Check that the layer and all its arguments are known, each with a supported value.

    Raises:
        NotImplementedError: one is not.
    """
    check_builtin(entry)
    arguments = ARGUMENTS.get(entry.kind)
    if arguments is None:
        raise NotImplementedError(f"{entry.kind} is not supported; supported: {SUPPORTED}")
    if entry.origin.modules and entry.item["class_name"] in LAYOUTS:
        raise NotImplementedError(
            f"{entry.item['class_name']} is not supported in a .keras file; supported: the model's .h5 file"
        )
    fixed = {**arguments.fixed, **arguments.old}
    for name, value in entry.config.items():
        if name in fixed and value != fixed[name]:
            raise NotImplementedError(f"{name}={value_text(value)} is not supported; supported: {name}={fixed[name]}")
        if value is not None and name not in {*arguments.read, *fixed, *_WITHOUT_EFFECT}:
            known = ", ".join(arguments.read) or "none"
            raise NotImplementedError(
                f"argument {cut_name(name)}={value_text(value)} is not supported; supported: {known}"
            )


def read_layer(entry: Entry) -> Any:
    """The layer, or the cell, that an entry describes.

    Raises:
        ValueError: an argument is missing or wrong.
        NotImplementedError: the layer, or a value of an argument, is not supported.
    """
    check_arguments(entry)
    if entry.kind == "InputLayer":
        return _input_layer(entry)
    arguments = ARGUMENTS[entry.kind]
    found = {name: read(entry, name) for name, read in arguments.read.items()}
    if entry.kind in LAYERS:
        found["name"] = entry.name
    return (arguments.make or (LAYERS | CELLS)[entry.kind])(**found)


def _input_layer(entry: Entry) -> InputLayer:
    """The input: its shape is Keras' without the batch axis."""
    samples, *sizes = item(entry.config, "batch_shape", list) or [None]
    shape = tuple(sizes)
    if not _is_size(samples):
        raise ValueError(f"batch_shape: expected a number of samples or None, got {short_repr(samples)}")
    if len(shape) not in (1, 2) or not all(_is_size(size) for size in shape):
        raise ValueError(
            "expected an input of shape (timesteps, features), (timesteps,) of ids or (features,), "
            f"got {cut_repr(shape)}"
        )
    return InputLayer(shape, str(entry.config.get("dtype")), name=entry.name)


def _is_size(size: object) -> bool:
    return size is None or (type(size) is int and size > 0)


def regularizers(entry: Entry) -> list[str]:
    """The regularizers of the layer, and of the layers and cells inside it: kernel_regularizer=L2."""
    named = ((name, value) for name, value in entry.config.items() if name.endswith("_regularizer"))
    own = [f"{name}={value_text(value)}" for name, value in named if value is not None]
    return [*own, *(one for inner in inner_entries(entry) for one in regularizers(inner))]


# dtypes -----------------------------------------------------------------------------------------


def dtypes(entry: Entry) -> list[str]:
    """The layer's dtype, and those of the layers and cells inside it."""
    policy = entry.config.get("dtype")
    if isinstance(policy, dict):
        policy = item(policy, "config", dict).get("name", policy.get("class_name"))
    return [str(policy), *(dtype for inner in inner_entries(entry) for dtype in dtypes(inner))]
