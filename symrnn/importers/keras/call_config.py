"""One call of a layer, as a functional config writes it: a node. Keras 2 wrote lists where Keras 3 writes objects."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symrnn.common.errors import cut, cut_name, short_repr
from symrnn.importers.keras.layer_config import Entry, is_tensor, item, value_text
from symrnn.models.layers.merging import Merge
from symrnn.models.layers.table import LAYERS


@dataclass(frozen=True)
class Reference:
    """A tensor of the config: one result of one call of a layer, and the number of its axes where it is told."""

    layer: str
    index: int
    output: int
    rank: int | None = None

    @property
    def node(self) -> tuple[str, int]:
        """The call."""
        return self.layer, self.index


@dataclass(frozen=True)
class InboundNode:
    """What a layer is called on: references, or what has been put in their place; an operation also takes numbers."""

    inputs: Sequence[Any]
    states: Sequence[Any] = ()
    mask: Any = None

    @property
    def sources(self) -> Iterator[Reference]:
        """The references."""
        return (part for part in (*self.inputs, *self.states, self.mask) if isinstance(part, Reference))

    def filled(self, value: Callable[[Reference], Any]) -> "InboundNode":
        """The node with the value of each reference in its place."""

        def put(part: Any) -> Any:
            return value(part) if isinstance(part, Reference) else part

        return InboundNode(tuple(map(put, self.inputs)), tuple(map(put, self.states)), put(self.mask))


def ends(config: Any, key: str, models: Collection[str] = ()) -> list[Reference]:
    """The tensors at one end of the graph, as input_layers and output_layers give them.

    Here, and not in nodes, Keras counts the calls of a functional model, one of these names, from 1.

    Raises:
        ValueError: there are none.
        NotImplementedError: they are in something else than a list.
    """
    value = item(config, key, list | dict)
    if isinstance(value, dict):
        raise NotImplementedError(
            f"{key}: a dict of tensors is not supported; supported: a list, as in "
            "keras.Model(list(inputs.values()), list(outputs.values()))"
        )
    listed = [value] if _is_history(value) else value
    if not isinstance(listed, list) or not all(map(_is_history, listed)):
        raise NotImplementedError(f"{key}: expected a layer or a list of layers, got {short_repr(value)}")
    if not listed:
        raise ValueError(f"config: {key}: expected at least one layer, got none")
    found = [_reference(history) for history in listed]
    return [replace(end, index=end.index - (end.layer in models)) for end in found]


def node(entry: Entry, reference: Reference) -> InboundNode:
    """The node of an entry that a reference names.

    Raises:
        ValueError: there is no such node, or it is no node.
        NotImplementedError: an argument of the call is not supported.
    """
    listed = item(entry.item, "inbound_nodes", list)
    if not 0 <= reference.index < len(listed):
        raise ValueError(f"config: inbound_nodes: expected a call {reference.index}, got {len(listed)} calls")
    given = listed[reference.index]
    if isinstance(given, list):
        return _bound(entry, *_old_arguments(entry, given))
    args, kwargs = item(given, "args", list), item(given, "kwargs", dict)
    return _bound(entry, list(map(_read, args)), {name: _read(value) for name, value in kwargs.items()})


def written_nodes(entry: Entry) -> list[dict[str, Any]]:
    """All nodes of an entry as Keras 3 writes them, with nothing in them but tensors, numbers and texts.

    Raises:
        ValueError: one is no node.
        NotImplementedError: there is something else in it.
    """
    places = range(len(item(entry.item, "inbound_nodes", list)))
    return [_written_node(entry, entry.item["inbound_nodes"][place], place) for place in places]


def _written_node(entry: Entry, given: Any, place: int) -> dict[str, Any]:
    if isinstance(given, list):
        found = node(entry, Reference(entry.name, place, 0))
        several = len(found.inputs) > 1 or entry.kind in _MERGING
        options = {"initial_state": list(found.states) or None, "mask": found.mask}
        args = [list(found.inputs) if several else found.inputs[0]]
        kwargs = {name: value for name, value in options.items() if value is not None}
    else:
        args, kwargs = _read(item(given, "args", list)), {k: _read(v) for k, v in item(given, "kwargs", dict).items()}
    return {"args": _written(args), "kwargs": {name: _written(value) for name, value in kwargs.items()}}


def _written(value: Any) -> Any:
    """An argument as Keras 3 writes it."""
    if isinstance(value, list):
        return list(map(_written, value))
    if isinstance(value, Reference):
        history = [value.layer, value.index, value.output]  # shape and dtype are those of the tensor that it names
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None], "dtype": "float32", "keras_history": history},
        }
    if isinstance(value, str | int | float | None):
        return value
    raise NotImplementedError(f"the argument {value_text(value)} of a call is not supported")


def _is_history(value: object) -> bool:
    """Whether this is a layer's name, the number of a call and the number of a result."""
    return (
        isinstance(value, list)
        and [type(part) for part in value] == [str, int, int]
        and all(number >= 0 for number in value[1:])
    )


def _reference(history: object, shape: object = None) -> Reference:
    if not isinstance(history, list) or not _is_history(history):
        raise ValueError(f"config: expected a tensor's history [layer, call, result], got {short_repr(history)}")
    layer, index, output = history
    return Reference(layer, index, output, len(shape) if isinstance(shape, list) else None)


def _read(value: Any) -> Any:
    """An argument with references in the place of its tensors."""
    if is_tensor(value):
        config = item(value, "config", dict)
        return _reference(config.get("keras_history"), config.get("shape"))
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        value = item(value, "items", list)
    return list(map(_read, value)) if isinstance(value, list) else value


def _old_arguments(entry: Entry, given: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of Keras 2: a list of [layer, call, result, kwargs], of which all have the same kwargs."""
    if not given or not all(isinstance(part, list) and _is_history(part[:3]) for part in given):
        raise NotImplementedError(f"the call {short_repr(given)} is not supported")
    tensors = [_reference(part[:3]) for part in given]
    kwargs = given[-1][3] if len(given[-1]) == 4 else {}
    if not isinstance(kwargs, dict):
        raise NotImplementedError(f"the call {short_repr(given)} is not supported")
    several = len(tensors) > 1 or entry.kind in _MERGING
    return [tensors if several else tensors[0]], {name: _read_old(value) for name, value in kwargs.items()}


def _read_old(value: Any) -> Any:
    if _is_history(value):
        return _reference(value)
    return list(map(_read_old, value)) if isinstance(value, list) else value


_RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional")
_MERGING = tuple(name for name, kind in LAYERS.items() if issubclass(kind, Merge))
_SIGNATURES: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(_RECURRENT, ("inputs", "initial_state", "mask", "training")),
    **dict.fromkeys(("TimeDistributed", "Functional", "Sequential"), ("inputs", "training", "mask")),
    **dict.fromkeys(("Softmax", "GlobalAveragePooling1D"), ("inputs", "mask")),
}
"""The arguments of `call` in their order where they are not inputs, training."""
_ALIASES = {"sequences": "inputs", "sequence": "inputs"}


def _bound(entry: Entry, args: list[Any], kwargs: dict[str, Any]) -> InboundNode:
    """The node of a call's arguments."""
    if entry.is_operation:
        return InboundNode(_flat([*args, *kwargs.values()]))
    names = _SIGNATURES.get(entry.kind, ("inputs", "training"))
    kwargs = {_ALIASES.get(name, name): value for name, value in kwargs.items() if _is_given(value)}
    given = {name: value for name, value in zip(names, args, strict=False) if _is_given(value)} | kwargs
    parts = {name: _flat([value]) for name, value in given.items()}
    supported = [name for name in names if name != "training"]
    if len(args) > len(names) or not set(parts) <= set(supported) or not _are_tensors(parts):
        call = ", ".join([*map(_shown, args), *(f"{cut_name(name)}={_shown(value)}" for name, value in kwargs.items())])
        raise NotImplementedError(f"the call ({cut(call)}) is not supported; supported: ({', '.join(supported)})")
    inputs, states = parts["inputs"], parts.get("initial_state", ())
    if entry.kind in _RECURRENT:
        inputs, states = inputs[:1], (*inputs[1:], *states)
    return InboundNode(inputs, states, *parts.get("mask", ()))


def _is_given(value: object) -> bool:
    return value is not False and any(part is not None for part in _flat([value]))


def _flat(values: Sequence[Any]) -> tuple[Any, ...]:
    """What is in a list, or in lists in it."""
    return tuple(part for value in values for part in (_flat(value) if isinstance(value, list) else (value,)))


def _are_tensors(parts: Mapping[str, Sequence[Any]]) -> bool:
    """Whether there are inputs, at most one mask, of a sequence, and nothing but tensors."""
    masks = parts.get("mask", ())
    tensors = all(isinstance(part, Reference) for listed in parts.values() for part in listed)
    return tensors and "inputs" in parts and len(masks) < 2 and all(mask.rank in (2, None) for mask in masks)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return "tensor" if isinstance(value, Reference) else value_text(value)
