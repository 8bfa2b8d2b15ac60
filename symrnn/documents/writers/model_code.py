"""Models as code: Python source that builds a model again with symrnn's classes.

A chain is one `Sequential`, another graph a statement for each call. What a rebuilt model would
number or order differently is written as the `Graph` itself.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import singledispatch
from typing import Any

from symrnn.models.custom_cell import Cell
from symrnn.models.graph import Call, Graph, Model, Result, graph_of
from symrnn.models.layers.core import Input, InputLayer, Layer, Tensor
from symrnn.models.layers.rnn import CELLS
from symrnn.models.layers.table import LAYERS, Sequential
from symrnn.models.losses import Loss

_PUBLIC = {*LAYERS, *CELLS, "InputLayer", "NotEqual", "Loss"}
"""The classes that are reached from `import symrnn`."""
_COLUMNS = 88
"""Above this width a list of layers has a line for each."""


def statements(model: Sequential | Model | Graph) -> str:
    """Statements that end in `model = ...`, which is equal to this model as a graph.

    They need `import symrnn` before them.

    >>> print(statements(Sequential([symrnn.GRU(2, reset_after=False)], (5, 3))))
    model = symrnn.Sequential([symrnn.GRU(2, reset_after=False)], input_shape=(5, 3))

    Raises:
        NotImplementedError: it has something that is not code, such as a cell of your own; it is named.
    """
    graph = graph_of(model)
    chain = _as_sequential(graph)
    if chain is not None:
        return _sequential_code(chain)
    return "\n".join(_statements(graph) if _is_rebuilt(graph) else _graph_lines(graph))


def loss_code(loss: str | Loss | Sequence[str | Loss]) -> str:
    """A loss, or the list of those of several outputs: a name where it has no arguments.

    >>> loss_code(["mse", Loss("huber", delta=2.0)])
    "['mse', symrnn.Loss('huber', delta=2.0)]"
    """
    if isinstance(loss, list | tuple):
        return f"[{', '.join(map(loss_code, loss))}]"
    return code(loss.name if isinstance(loss, Loss) and not loss.arguments else loss)


# values -----------------------------------------------------------------------------------------


@singledispatch
def code(value: Any) -> str:
    """An expression that gives an equal value: layers, graphs, losses, numbers, strings, lists.

    Raises:
        NotImplementedError: there is none for this kind of value.
    """
    if is_dataclass(value):
        return f"{_class(type(value))}({', '.join(_arguments(value))})"
    raise NotImplementedError(f"{type(value).__name__} has no code; supported: layers, numbers, strings and lists")


@code.register(type(None))
@code.register(bool)
def _(value: bool | None) -> str:
    return repr(value)


@code.register
def _(value: int) -> str:
    return repr(int(value))


@code.register
def _(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else f"float({str(float(value))!r})"


@code.register
def _(value: str) -> str:
    return repr(str(value))


@code.register(list)
def _(value: list[Any]) -> str:
    return f"[{', '.join(map(code, value))}]"


@code.register(tuple)
def _(value: tuple[Any, ...]) -> str:
    return f"({', '.join(map(code, value))}{',' if len(value) == 1 else ''})"


@code.register
def _(value: Cell) -> str:
    raise NotImplementedError(
        f"RNN({value.title}): a cell of your own has no code; supported: SimpleRNNCell, LSTMCell, GRUCell"
    )


def _class(kind: type) -> str:
    """The class as it is reached from `import symrnn`."""
    return f"{'symrnn' if kind.__name__ in _PUBLIC else kind.__module__}.{kind.__name__}"


def _arguments(value: Any) -> Iterator[str]:
    """Those without a default by place, then by name those that differ from it, the layer's own name last."""
    parts = sorted(fields(value), key=lambda part: (not _is_required(part), part.name == "name"))
    for part in parts:
        given = getattr(value, part.name)
        if _is_required(part):
            yield code(given)
        elif not _is_default(part, given):
            yield f"{part.name}={code(given)}"


def _is_required(part: Field[Any]) -> bool:
    return part.default is MISSING and part.default_factory is MISSING


def _is_default(part: Field[Any], given: Any) -> bool:
    default = part.default_factory() if part.default_factory is not MISSING else part.default
    return type(given) is type(default) and given == default


# chains -----------------------------------------------------------------------------------------


def _as_sequential(graph: Graph) -> Sequential | None:
    """The `Sequential` with this graph, if there is one."""
    first, *rest = graph.layers
    if not isinstance(first, InputLayer):
        return None
    try:
        made = Sequential(rest, first.shape, first.dtype)
    except (ValueError, NotImplementedError):
        return None
    return made if graph_of(made) == graph else None


def _sequential_code(model: Sequential) -> str:
    layers = [code(layer) for layer in model.layers]
    dtype = "" if model.dtype is None else f", dtype={code(model.dtype)}"
    ends = f"input_shape={code(model.input_shape)}{dtype})"
    line = f"model = symrnn.Sequential([{', '.join(layers)}], {ends}"
    if len(line) <= _COLUMNS:
        return line
    return "\n".join(["model = symrnn.Sequential(", "    [", *(f"        {one}," for one in layers), "    ],"]) + (
        f"\n    {ends[:-1]},\n)"
    )


# other graphs -----------------------------------------------------------------------------------


def _is_rebuilt(graph: Graph) -> bool:
    """Whether the calls, made one after the other, give this graph again and no other."""
    layers = [replace(layer) for layer in graph.layers]
    tensors: dict[Result, Tensor] = {}
    for place, call in enumerate(graph.calls):
        made = _made(layers[call.layer], call, tensors)
        tensors |= {Result(place, output): tensor for output, tensor in enumerate(made)}
    try:
        ends = [tensors[Result(place)] for place in graph.inputs], [tensors[result] for result in graph.outputs]
        return graph_of(Model(*ends)) == graph
    except (ValueError, NotImplementedError):
        return False


def _made(layer: Layer, call: Call, tensors: dict[Result, Tensor]) -> tuple[Tensor, ...]:
    if isinstance(layer, InputLayer):
        return (Input(layer.shape, layer.dtype, layer.name),)
    states = [tensors[result] for result in call.states]
    mask = None if call.mask is None else tensors[call.mask]
    found = layer(*(tensors[result] for result in call.inputs), initial_state=states, mask=mask)
    return found if isinstance(found, tuple) else (found,)


def _graph_lines(graph: Graph) -> Iterator[str]:
    """The graph by its fields, with a line for each layer and each call."""
    yield f"model = {_class(Graph)}("
    for field, values in (("layers", graph.layers), ("calls", graph.calls)):
        yield f"    {field}=("
        yield from (f"        {code(value)}," for value in values)
        yield "    ),"
    yield f"    inputs={code(graph.inputs)},"
    yield f"    outputs={code(graph.outputs)},"
    yield ")"


def _statements(graph: Graph) -> Iterator[str]:
    """A line for each layer that is shared, for each call, and for the model."""
    uses = Counter(call.layer for call in graph.calls)
    names = _result_names(graph)
    shared = _numbered({place: f"{_snake(graph.layers[place])}_layer" for place, count in uses.items() if count > 1})
    made: set[int] = set()
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if call.layer in shared and call.layer not in made:
            made.add(call.layer)
            yield f"{shared[call.layer]} = {code(layer)}"
        called = shared.get(call.layer) or code(layer)
        right = _input_code(layer) if isinstance(layer, InputLayer) else f"{called}({_called_on(call, names)})"
        yield f"{', '.join(names[Result(place, output)] for output in range(layer.results))} = {right}"
    inputs = [names[Result(place)] for place in graph.inputs]
    yield f"model = symrnn.Model({_listed(inputs)}, {_listed([names[result] for result in graph.outputs])})"


def _input_code(layer: InputLayer) -> str:
    return f"symrnn.Input({', '.join(_arguments(layer))})"


def _called_on(call: Call, names: dict[Result, str]) -> str:
    parts = [_listed([names[result] for result in call.inputs])]
    if call.states:
        parts.append(f"initial_state=[{', '.join(names[result] for result in call.states)}]")
    if call.mask is not None:
        parts.append(f"mask={names[call.mask]}")
    return ", ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


# names of variables, which are made of the names of classes only --------------------------------


def _result_names(graph: Graph) -> dict[Result, str]:
    """A variable for each result: the layer's kind, with a number where several have it; a state has one more."""
    calls = _numbered(
        {
            place: "x" if isinstance(graph.layer(call), InputLayer) else _snake(graph.layer(call))
            for place, call in enumerate(graph.calls)
        }
    )
    return {
        Result(place, output): f"{name}_state_{output}" if output else name
        for place, name in calls.items()
        for output in range(graph.layer(graph.calls[place]).results)
    }


def _numbered(names: dict[int, str]) -> dict[int, str]:
    """The names with a number after each that occurs several times."""
    counts, met = Counter(names.values()), Counter[str]()
    found: dict[int, str] = {}
    for key, name in names.items():
        met[name] += 1
        found[key] = f"{name}_{met[name]}" if counts[name] > 1 else name
    return found


def _snake(layer: Layer) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(layer).__name__).lower()
