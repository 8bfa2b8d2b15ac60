"""How many time steps each result has: which lengths are one, what they are called, and how long they are."""

from dataclasses import dataclass, field

from sympy import Expr

from symrnn.expressions.nodes import steps_symbol
from symrnn.models.graph import Graph, Result, input_kind
from symrnn.models.layers.core import InputLayer
from symrnn.models.layers.merging import Merge


@dataclass(frozen=True)
class Length:
    """A number of time steps: its symbol T, T_2, ..., and the number itself, None where it is open."""

    steps: Expr
    timesteps: int | None = None


Lengths = dict[Result, Length | None]
"""The length of each result; None where it is no sequence."""


@dataclass
class _Groups:
    """Places at which sequences start, in groups of equal length; local to one call of `lengths_of`."""

    parents: dict[int, int] = field(default_factory=dict)
    numbers: dict[int, int | None] = field(default_factory=dict)

    def add(self, place: int, number: int | None) -> None:
        """A place of its own, or one of the group that starts with the same number of steps."""
        same = (one for one in self.parents if number is not None and self.numbers[one] == number)
        self.parents[place] = next(same, place)
        self.numbers[place] = number

    def root(self, place: int) -> int:
        """The first place of the group."""
        while self.parents[place] != place:
            place = self.parents[place]
        return place

    def join(self, one: int, other: int) -> None:
        """Make two groups one, unless their numbers of steps contradict each other."""
        first, second = self.root(one), self.root(other)
        number = self.numbers[first] or self.numbers[second]
        if self.numbers[second] in (number, None):
            self.parents[second] = first
            self.numbers[first] = number


def lengths_of(graph: Graph) -> Lengths:
    """The lengths T, T_2, ...: one where sequences of equal length start, or are merged."""
    groups = _Groups()
    found: dict[Result, int | None] = {}
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        if layer.time == "starts":
            is_sequence = not isinstance(layer, InputLayer) or input_kind(graph, place) != "rows"
            if is_sequence:
                groups.add(place, layer.timesteps)
            found[Result(place)] = place if is_sequence else None
            continue
        sources = [found.get(result) for result in call.inputs]
        if isinstance(layer, Merge) or call.mask is not None:
            alike = sources if call.mask is None else [sources[0], found.get(call.mask)]
            given = [source for source in alike if source is not None]
            for other in given[1:]:
                groups.join(given[0], other)
        for output in range(layer.results):
            found[Result(place, output)] = sources[0] if layer.keeps_time(output) else None
    roots = dict.fromkeys(groups.root(one) for one in found.values() if one is not None)
    lengths = {
        one: Length(steps_symbol("T" if i == 0 else f"T_{i + 1}"), groups.numbers[one]) for i, one in enumerate(roots)
    }
    return {result: None if one is None else lengths[groups.root(one)] for result, one in found.items()}
