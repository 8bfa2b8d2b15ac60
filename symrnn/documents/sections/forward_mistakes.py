"""Common slips in the forward pass, and the output that each would give: a convention of Keras misread.

Each is the same model with something changed: an activation left out, blocks of weights taken in another
order. A reader who recomputes a layer and gets another number finds it, and with it the slip.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from symrnn.derivations.derivation import Derivation
from symrnn.derivations.numbers import lambdify
from symrnn.documents.example import Example
from symrnn.documents.inline import Prose, prose
from symrnn.models.custom_cell import Cell
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Graph
from symrnn.models.layers.rnn import GRUCell, LSTMCell, Recurrent, SimpleRNNCell
from symrnn.models.layers.table import cells_of
from symrnn.models.network import Network, Weight, WeightArray

Weights = list[np.ndarray]
Change = Callable[[Network, Weights], tuple[Graph, Weights]]


@dataclass(frozen=True)
class Misreading:
    """What is misread, in words, and the first entry of the first output that it gives."""

    label: Prose
    value: float


def misreadings(example: Example) -> tuple[Misreading, ...]:
    """The right output, and that of each slip that can be made here and changes something."""
    network, weights = example.derivation.network, list(example.weights)
    right = _output(network.graph, example.x, weights)
    found = [Misreading(prose("none: the right value"), right)]
    for label, change in _CHANGES:
        graph, changed = change(network, weights)
        if graph != network.graph or any(not np.array_equal(a, b) for a, b in zip(changed, weights, strict=True)):
            value = _output(graph, example.x, changed)
            found += [Misreading(prose(label), value)] if value != right else []
    return tuple(found)


def _output(graph: Graph, x: Any, weights: Weights) -> float:
    """The first entry of the first output."""
    found = lambdify(Derivation(forward(graph)))(x, weights)
    first = found[0] if isinstance(found, list) else found
    return float(np.asarray(first).reshape(-1)[0])


# changes ----------------------------------------------------------------------------------------


def _no_activation(network: Network, weights: Weights) -> tuple[Graph, Weights]:
    """The activation of every recurrent layer left out."""
    return replace(network.graph, layers=tuple(map(_linear, network.graph.layers))), weights


def _linear(layer: Any) -> Any:
    """A recurrent layer or a cell, and those within, with a linear activation."""
    if isinstance(layer, list | tuple):
        return type(layer)(map(_linear, layer))
    if not is_dataclass(layer) or isinstance(layer, type | Cell):
        return layer
    cells = isinstance(layer, SimpleRNNCell | LSTMCell | GRUCell)
    inner = {one.name: getattr(layer, one.name) for one in fields(layer) if one.init}
    changed = {name: _linear(value) for name, value in inner.items() if is_dataclass(value) or isinstance(value, list)}
    if (cells or isinstance(layer, Recurrent)) and "activation" in inner:
        changed["activation"] = "linear"
    return replace(layer, **changed) if changed else layer


def _blocks(change: Callable[[WeightArray, np.ndarray], np.ndarray]) -> Change:
    """Each array of weights changed, the layers as they are."""

    def changed(network: Network, weights: Weights) -> tuple[Graph, Weights]:
        pairs = zip(network.arrays, weights, strict=True)
        return network.graph, [change(array, np.array(values)) for array, values in pairs]

    return changed


def _gate(part: Weight) -> str:
    return part.name.sub[-1:]


def _swapped(gates: Sequence[str], one: str, other: str) -> Change:
    """The blocks of two gates exchanged, of cells with these gates."""

    def change(array: WeightArray, values: np.ndarray) -> np.ndarray:
        if {_gate(part) for part in array.parts} != set(gates):
            return values
        by_gate = {(part.row, _gate(part)): part for part in array.parts}
        new = values.copy()
        for (row, gate), part in by_gate.items():
            source = {one: other, other: one}.get(gate, gate)
            part.block(new)[...] = by_gate[row, source].block(values)
        return new

    return _blocks(change)


def _negated(gates: Sequence[str], gate: str) -> Change:
    """One gate's blocks with the other sign: as sigmoid(-a) = 1 - sigmoid(a), z and 1 - z are exchanged."""

    def change(array: WeightArray, values: np.ndarray) -> np.ndarray:
        if {_gate(part) for part in array.parts} == set(gates):
            for part in array.parts:
                if _gate(part) == gate:
                    part.block(values)[...] *= -1
        return values

    negated = _blocks(change)
    return lambda network, weights: negated(network, weights) if _is_symmetric(network) else (network.graph, weights)


def _is_symmetric(network: Network) -> bool:
    """Whether the gates of every cell are activated by an f with f(-a) = 1 - f(a)."""
    used = {getattr(cell, "recurrent_activation", "sigmoid") for cell in cells_of(network.graph.layers)}
    return used <= {"sigmoid", "hard_sigmoid"}


def _transposed(array: WeightArray, values: np.ndarray) -> np.ndarray:
    """Every block of a recurrent weight transposed."""
    if array.name.base == "V":
        for part in array.parts:
            part.block(values)[...] = part.block(values).T.copy()
    return values


def _one_bias(array: WeightArray, values: np.ndarray) -> np.ndarray:
    """The second row of two biases left out."""
    for part in array.parts:
        if part.row == 1 and array.name.base == "b":
            part.block(values)[...] = 0
    return values


_LSTM, _GRU = LSTMCell.gates, GRUCell.gates
_CHANGES: Sequence[tuple[str, Change]] = (
    ("the activation left out; Keras' default is tanh", _no_activation),
    (r"$V^{\mathsf T}$ in place of $V$", _blocks(_transposed)),
    ("the blocks read in the order $i, f, o, c$", _swapped(_LSTM, "c", "o")),
    ("the blocks read in the order $f, i, c, o$", _swapped(_LSTM, "i", "f")),
    ("the blocks read in the order $r, z, h$, which is PyTorch's", _swapped(_GRU, "z", "r")),
    ("$z_t$ and $1 - z_t$ exchanged", _negated(_GRU, "z")),
    ("the second of the two biases left out", _blocks(_one_bias)),
)
"""What is said of a slip, and the change of the model that it is."""
