"""What the symbols of a graph are called: numbers where there are several of a kind.

All recurrent layers are one kind, as they share the letters U, V, b, h; so are the dense ones. A
layer that is called twice has one set of weights and, for its values, a letter for each call.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from symrnn.expressions.names import Name
from symrnn.models.cell_names import name_of_identifier
from symrnn.models.custom_cell import Cell
from symrnn.models.graph import Call, Graph, Result, input_kind
from symrnn.models.layers.activation import Activation
from symrnn.models.layers.core import Dense, Layer
from symrnn.models.layers.rnn import states_of


@dataclass(frozen=True)
class Numbering:
    """The labels of a graph's symbols.

    `numbers` has, by the place of a layer, a number for each of its cells, `calls` a letter for
    each call of a shared layer, `plain` a number for each call that has no weights, `inputs` the
    letter of each input, `fused` the Activation that each of some dense calls takes in.
    """

    numbers: dict[int, tuple[str, ...]]
    calls: dict[int, str]
    plain: dict[int, str]
    inputs: dict[int, Name]
    fused: dict[int, int]
    masks: int

    def weights(self, layer: int, half: str = "", cell: int = 0) -> str:
        """The label of a cell's weights."""
        return self.numbers[layer][cell] + half

    def values(self, layer: int, call: int, half: str = "", cell: int = 0) -> str:
        """The label of a cell's values."""
        return self.numbers[layer][cell] + self.calls[call] + half

    def mask(self, place: int) -> str:
        """The label of a mask: a number where there are several."""
        return "" if self.masks <= 1 and place == 0 else str(place + 1)


def numbering_of(graph: Graph) -> Numbering:
    """The labels of a graph."""
    fused = _fused(graph)
    used = [call.layer for call in graph.calls]
    numbers: dict[int, tuple[str, ...]] = {}
    for letters, always in _kinds(graph).items():
        numbers |= _numbers(graph, list(dict.fromkeys(used)), letters, always)
    totals, before = Counter(used), Counter[int]()
    suffixes = {}
    for place, layer in enumerate(used):
        suffixes[place] = "" if totals[layer] == 1 else _letter(before[layer])
        before[layer] += 1
    taken = set(fused.values())
    plain = [place for place, call in enumerate(graph.calls) if graph.layer(call).is_plain and place not in taken]
    plain = [place for place in plain if graph.outputs != (Result(place),)]  # that one is y
    counted = {place: "" if len(plain) == 1 else str(i) for i, place in enumerate(plain, 1)}
    made = Numbering(numbers, suffixes, counted, {}, fused, _count_masks(graph))
    return Numbering(numbers, suffixes, counted, _inputs(graph, made), fused, made.masks)


def _letter(place: int) -> str:
    return chr(ord("a") + place) if place < 22 else f"{chr(ord('a') + place % 22)}{place // 22}"


_LETTERS = {"dense": {"W", "b_o", "a_y", "y"}, "embedding": {"E", "e"}, "alpha": {"alpha"}}
"""The names that a cell of one's own may have, too, by the kind of the layers that have them."""


def _kinds(graph: Graph) -> dict[frozenset[str], bool]:
    """The layers that are numbered together, and whether one alone has a number, too.

    Layers of one kind share their letters. Where a cell of one's own has those of another kind, or one that the model
    has itself, all are numbered.
    """
    kinds = dict.fromkeys(layer.letters for layer in graph.layers if layer.letters is not None)
    cells = [cell for layer in graph.layers for half in layer.halves for cell in half.cells if isinstance(cell, Cell)]
    own = {letter.code for cell in cells for letter in map(name_of_identifier, cell.names)}
    others = {"y"}.union({"m"} if _count_masks(graph) else (), *(_LETTERS.get(kind, ()) for kind in kinds))
    others |= {"g"} if any(layer.is_plain for layer in graph.layers) else set()
    if own.isdisjoint(others):
        return {frozenset([kind]): False for kind in kinds}
    return {frozenset(kinds): True}


def _numbers(graph: Graph, order: Iterable[int], letters: frozenset[str], always: bool) -> dict[int, tuple[str, ...]]:
    """A number for each cell of the layers that share letters, in the order of their first calls."""
    cells = {place: _cells(graph.layers[place]) for place in order if graph.layers[place].letters in letters}
    total, found, start = sum(cells.values()), {}, 1
    for place, count in cells.items():
        found[place] = tuple("" if total == 1 and not always else str(start + i) for i in range(count))
        start += count
    return found


def _cells(layer: Layer) -> int:
    """How many cells a layer has; the halves of a bidirectional one share their number."""
    return max((len(half.cells) for half in layer.halves), default=1)


def _count_masks(graph: Graph) -> int:
    """How many masks there are: inputs that are one, and tests of a value."""
    tests = {(call.inputs, graph.layer(call).masked_value) for call in graph.calls}
    return len(_given_masks(graph)) + sum(value is not None for _, value in tests)


def _given_masks(graph: Graph) -> list[int]:
    return [place for place in graph.inputs if input_kind(graph, place) == "mask"]


def _fused(graph: Graph) -> dict[int, int]:
    """Dense without activation, then Activation: one y = f(x W + b_o), identities between them or not."""
    found: dict[int, int] = {}
    calls = Counter(call.layer for call in graph.calls)
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if not isinstance(layer, Activation):
            continue
        source, alone = _through_identities(graph, call.inputs[0])
        before = graph.layer(graph.calls[source.call])
        once = calls[graph.calls[source.call].layer] == 1
        if isinstance(before, Dense) and before.activation in (None, "linear") and alone and once:
            found[source.call] = place
    return found


def _through_identities(graph: Graph, result: Result) -> tuple[Result, bool]:
    """Where a result comes from but for layers that are the identity, and whether nothing else reads it on the way."""
    alone = True
    while True:
        alone = alone and len(graph.readers.get(result, ())) == 1 and result not in graph.outputs
        call = graph.calls[result.call]
        if not graph.layer(call).is_identity:
            return result, alone
        result = call.inputs[0]


# inputs -----------------------------------------------------------------------------------------


def _inputs(graph: Graph, made: Numbering) -> dict[int, Name]:
    """The letters of the inputs: m for a mask, h_{-1} for one that only is the state before a first step, else x."""
    found = {place: Name("m", layer=made.mask(i)) for i, place in enumerate(_given_masks(graph))}
    for place in graph.inputs:
        uses = [
            (at, call, index)
            for at, call in enumerate(graph.calls)
            for index, state in enumerate(call.states)
            if state == Result(place)
        ]
        others = any(Result(place) in (*call.inputs, call.mask) for call in graph.calls)
        if len(uses) == 1 and not others and Result(place) not in graph.outputs:
            found[place] = _state_name(graph, made, *uses[0])
    rest = [place for place in graph.inputs if place not in found]
    return found | {place: Name("x", layer="" if len(rest) == 1 else str(i)) for i, place in enumerate(rest, 1)}


def _state_name(graph: Graph, made: Numbering, at: int, call: Call, index: int) -> Name:
    layer = graph.layer(call)
    labels = ("",) if len(layer.halves) == 1 else ("fw", "bw")
    slots = [
        (name, half, cell, run.go_backwards)
        for half, run in zip(labels, layer.halves, strict=False)
        for cell, one in enumerate(run.cells)
        for name, _ in states_of(one)
    ]
    if index >= len(slots):  # more states than the layer has, which is refused where it is called
        return Name("x", layer=f"state{index}")
    name, half, cell, backwards = slots[index]
    return Name(name, layer=made.values(call.layer, at, half, cell), time="T" if backwards else -1)
