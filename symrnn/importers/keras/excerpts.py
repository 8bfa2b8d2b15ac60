"""What symrnn has read of a Keras configuration, as a configuration of Keras 3: all that Keras is handed of a file.

It is the file's own, not what symrnn makes of it, with every field taken out that `layer_config` does not read:
what builds or compiles a model, initializers, constraints, what counts in training only. What Keras 2 wrote is
in the words of Keras 3.
"""

from collections.abc import Mapping
from typing import Any

from symrnn.importers.keras.call_config import written_nodes
from symrnn.importers.keras.graph_config import Listing
from symrnn.importers.keras.layer_config import ARGUMENTS, REGISTERED, Entry, dtypes, read_entry

_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
_OPERATIONS_MODULE, _OPERATIONS_ARGUMENTS = "keras.src.ops.numpy", ("axis", "keepdims", "dtype")


def model_excerpt(model: Listing, name: object = None) -> dict[str, Any]:
    """A model, with the models and the layers in it.

    Raises:
        NotImplementedError: a call that the outputs do not need has something in it that is not supported.
    """
    config: dict[str, Any] = {"name": name, "layers": [_listed(entry, model) for entry in model.entries]}
    if model.kind == "Functional":
        config |= {key: model.config[key] for key in ("input_layers", "output_layers")}
        config["trainable"] = model.config.get("trainable") is not False
    return _written(_MODULES[model.kind], model.kind, config)


def _written(module: str, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def _listed(entry: Entry, model: Listing) -> dict[str, Any]:
    """An entry of the list of layers, in a functional model with its calls."""
    if entry in model.inner:
        found = model_excerpt(model.inner[entry], entry.name)
    elif entry.is_operation:
        plain = {name: value for name, value in entry.config.items() if isinstance(value, str | int)}
        config = {name: plain[name] for name in _OPERATIONS_ARGUMENTS if name in plain}
        found = _written(_OPERATIONS_MODULE, entry.kind, config | {"name": entry.name})
    else:
        found = _layer(entry)
    if model.kind == "Functional":
        found |= {"name": entry.name, "inbound_nodes": written_nodes(entry)}
    return found


def _layer(entry: Entry) -> dict[str, Any]:
    """A layer or a cell: the arguments that are read, its name, its dtype, and whether it is trainable."""
    arguments = ARGUMENTS[entry.kind]
    names = [name for name in (*arguments.read, *arguments.fixed) if name in entry.config]
    config = {name: _value(entry, entry.config[name]) for name in names}
    config["dtype"] = dtypes(entry)[0]
    if entry.name:
        config["name"] = entry.name
    if entry.kind != "InputLayer":
        config["trainable"] = entry.config.get("trainable") is not False
    return _written("keras.layers", entry.kind, config)


def _value(entry: Entry, value: Any) -> Any:
    """The value of an argument: a number, a text, a layer, a function, or a list of these."""
    if isinstance(value, list):
        return [_value(entry, one) for one in value]
    if isinstance(value, dict) and value.get("class_name") != "function":
        return _layer(read_entry(value, 1, entry.origin))
    name = value["config"] if isinstance(value, dict) else REGISTERED.get(value)
    if name is None:
        return value
    return {"module": "symrnn", "class_name": "function", "config": name, "registered_name": name}
