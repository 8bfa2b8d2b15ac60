"""How many time steps each result has: which lengths are one, and what they are called."""

from symrnn.models.graph import Graph, Result, takes_ids
from symrnn.models.layers import InputLayer, Merge

Lengths = dict[Result, str | None]
"""The name of the number of time steps of each result; None where it is no sequence."""


def lengths_of(graph: Graph) -> Lengths:
    """The names T, T_2, ... of the lengths: one for inputs of equal length, or that are merged."""
    parents: dict[int, int] = {}

    def root(one: int) -> int:
        while parents[one] != one:
            one = parents[one]
        return one

    found: dict[Result, int | None] = {}
    known: dict[int, int] = {}
    for place, call in enumerate(graph.calls):
        layer = graph.layer(call)
        sources = [found.get(result) for result in call.inputs]
        if isinstance(layer, InputLayer):
            is_sequence = len(layer.shape) == 2 or takes_ids(graph, place)
            own = known.setdefault(layer.shape[0], place) if is_sequence and layer.shape[0] is not None else place
            parents.setdefault(own, own)
            parents[place] = own
            found[Result(place)] = place if is_sequence else None
            continue
        if isinstance(layer, Merge):
            given = [source for source in sources if source is not None]
            for other in given[1:]:
                parents[root(other)] = root(given[0])
        for output in range(layer.results):
            found[Result(place, output)] = sources[0] if layer.keeps_time(output) else None
    roots = list(dict.fromkeys(root(one) for one in found.values() if one is not None))
    names = {one: "T" if i == 0 else f"T_{i + 1}" for i, one in enumerate(roots)}
    return {result: None if one is None else names[root(one)] for result, one in found.items()}
