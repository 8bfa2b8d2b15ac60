"""What a picture of a network shows: strands, each one node or one for each time step, and links.

A strand is an input, the states of a cell, or another value that a layer returns. Gates,
pre-activations and sums are not shown: what they read is read by the strand they belong to. The
links are what the equations of the program read, so the picture says what the equations say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sympy import Basic, Expr, MatMul

from symrnn.expressions.names import Name
from symrnn.models.network import Network, WeightArray
from symrnn.programs.program import Carry, Equation, Join, MaxOverTime, Recurrence, Reversal, Statement, families, reads

SAME, BEFORE, LAST, ALL, TURNED, START = "same", "before", "last", "all", "turned", "start"
"""What a link reads of a strand: its element at the same step, at the step before, after the last step, at
all steps, at the step T-1-t; and START, what the state before the first step is."""


class LaneEnd(NamedTuple):
    """One line of a strand, and which element of it is read."""

    strand: int
    line: int
    when: str = SAME


class Product(NamedTuple):
    """How something is read: times a weight, in the equation of `lhs`; `whole` where it is a term of its own."""

    array: WeightArray | None
    lhs: Name | None
    whole: bool = False


Readings = Mapping[LaneEnd, frozenset[Product]]


@dataclass(frozen=True)
class Lane:
    """A symbol, or the states of a cell, one in each line.

    `kind` is "input", "state", "mask", "value" or "output"; `steps` the number of time steps, None
    where it has no time; `arrays` are its weights. `zero` says which lines start from zero, `before`
    are the letters of the step before.
    """

    symbols: tuple[Expr, ...]
    names: tuple[Name, ...]
    kind: str
    steps: Expr | None = None
    reverse: bool = False
    call: int | None = None
    arrays: tuple[WeightArray, ...] = ()
    zero: tuple[bool, ...] = ()
    before: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Link:
    """The strand `target`, by its place, reads `source`; the weights by which it is multiplied.

    What one state of a cell reads of another in the same step is such a link, too, without an arrow;
    and what a mean or a merge reads of a mask, which the caption says.
    """

    source: LaneEnd
    target: int
    products: frozenset[Product]
    line: int = 0
    has_arrow: bool = True

    @property
    def arrays(self) -> tuple[WeightArray, ...]:
        """The weights, each once, in the order of get_weights()."""
        found = {product.array.place: product.array for product in self.products if product.array is not None}
        return tuple(found[place] for place in sorted(found))


@dataclass
class _Weave:
    """The strands and links found so far; local to one call of `weave`."""

    network: Network
    shown: dict[Expr, None]
    arrays: dict[Expr, WeightArray]
    strands: list[Lane] = field(default_factory=list)
    links: dict[tuple[LaneEnd, int, int], frozenset[Product]] = field(default_factory=dict)
    known: dict[Expr, Readings] = field(default_factory=dict)
    places: dict[Expr, LaneEnd] = field(default_factory=dict)

    def add(self, strand: Lane) -> int:
        """A new strand; its place."""
        place = len(self.strands)
        self.strands.append(strand)
        self.places |= {symbol: LaneEnd(place, line) for line, symbol in enumerate(strand.symbols)}
        return place

    def link(self, readings: Readings, target: LaneEnd) -> None:
        """Links to a strand; what is read by a gate and by the state itself is one link."""
        for source, products in readings.items():
            if source != target:
                key = source, target.strand, target.line if source.when == START else 0
                self.links[key] = self.links.get(key, frozenset()) | products


def lanes_of(network: Network) -> tuple[tuple[Lane, ...], tuple[Link, ...]]:
    """The strands of a network in the order of computation, and the links between them."""
    program = network.program
    arrays = {part.symbol: array for array in network.arrays for part in array.parts}
    made = _Weave(network, _shown(network), arrays)
    timed = families(program)
    for source in network.sources:
        name = program.names[source.symbol]
        place = made.add(Lane((source.symbol,), (name,), "mask" if source.kind == "mask" else "input", source.steps))
        made.known[source.symbol] = {LaneEnd(place, 0): frozenset()}
    for item in program.equations:
        _add(item, made, timed)
    links = (
        Link(source, target, products, line, _has_arrow(made, source, target))
        for (source, target, line), products in made.links.items()
    )
    return tuple(made.strands), tuple(links)


def _has_arrow(made: _Weave, source: LaneEnd, target: int) -> bool:
    if (source.strand, source.when) == (target, SAME):
        return False
    reader, graph = made.strands[target], made.network.graph
    if made.strands[source.strand].kind != "mask" or reader.kind in ("state", "mask") or reader.call is None:
        return True
    return graph.layer(graph.calls[reader.call]).mask == "makes"


def _shown(network: Network) -> dict[Expr, None]:
    """The symbols that have a node: states, masks, outputs, what layers return and what others read of a cell."""
    program = network.program
    shown = dict.fromkeys([*network.values.values(), *(head.symbol for head in network.heads)])
    shown |= dict.fromkeys(state.symbol for state in network.states)
    read = {symbol for item in program.equations for symbol in reads(item)}
    for item in program.equations:
        if isinstance(item, Reversal):
            shown[item.lhs] = None
        if isinstance(item, Recurrence):
            shown |= dict.fromkeys(carry.next for carry in item.carries)
            names = [(symbol, program.names[symbol]) for symbol in item.stacked]
            shown |= dict.fromkeys(s for s, name in names if name.base == "m" or (item.carries and s in read))
            for carry in item.carries:
                shown.pop(carry.final, None)
    return shown


def _add(item: Statement, made: _Weave, timed: Mapping[Expr, None]) -> None:
    if isinstance(item, Recurrence):
        _add_recurrence(item, made)
    elif isinstance(item, Equation):
        _define(item, made, made.known, None)
    else:
        when = {Reversal: TURNED, Join: ALL, MaxOverTime: ALL}[type(item)]  # the forward program has no Cut
        found = _seen(made.known[item.rhs], when)
        steps = made.strands[next(iter(found)).strand].steps if item.lhs in timed else None
        place = made.add(_value(item.lhs, made, steps))
        made.link(found, LaneEnd(place, 0))
        made.known[item.lhs] = {LaneEnd(place, 0): frozenset()}


def _seen(readings: Readings, when: str) -> Readings:
    """The same sources, read at other steps; what has no time stays."""
    return {source._replace(when=when): products for source, products in readings.items()}


def _value(symbol: Expr, made: _Weave, steps: Expr | None) -> Lane:
    """The strand of a symbol that is no state."""
    network = made.network
    name = network.program.names[symbol]
    heads = {head.symbol for head in network.heads}
    call = next((result.call for result, value in network.values.items() if value == symbol), None)
    kind = "output" if symbol in heads else "mask" if name.base == "m" else "value"
    layer = None if call is None else network.graph.calls[call].layer
    cells = {state.layer for state in network.states}
    arrays = tuple(array for array in network.arrays if array.layer == layer and layer not in cells)
    return Lane((symbol,), (name,), kind, steps, call=call, arrays=arrays)


def _define(equation: Equation, made: _Weave, known: dict[Expr, Readings], steps: Expr | None) -> None:
    """What the left side reads: links to its strand where it is shown, else readings to be handed on."""
    found = _readings(equation.rhs, known, made.arrays, made.network.program.names[equation.lhs])
    if equation.lhs not in made.shown and equation.lhs not in made.places:
        known[equation.lhs] = found
        return
    if equation.lhs not in made.places:
        made.add(_value(equation.lhs, made, steps))
    target = made.places[equation.lhs]
    made.link(found, target)
    known[equation.lhs] = {target: frozenset()}


def _add_recurrence(item: Recurrence, made: _Weave) -> None:
    inner = {symbol: made.known[symbol] for symbol in item.body.inputs if symbol in made.known}
    _add_cells(item, made)
    for carry in item.carries:
        inner[carry.prev] = {made.places[carry.next]._replace(when=BEFORE): frozenset()}
    for equation in item.body.assignments:
        _define(equation, made, inner, item.length)
    made.known |= {symbol: inner[symbol] for symbol in item.stacked if symbol in inner}
    for total in item.sums:
        made.known[total.lhs] = _seen(_readings(total.rhs, inner, made.arrays, None), ALL)
    for carry in item.carries:
        target = made.places[carry.next]
        made.link(_seen(_readings(carry.init, made.known, made.arrays, None), START), target)
        if carry.final is not None:
            made.known[carry.final] = {target._replace(when=LAST): frozenset()}


def _add_cells(item: Recurrence, made: _Weave) -> None:
    """A strand for each cell of a recurrent layer, with all of it that is shown, the states first."""
    names = made.network.program.names
    carries = {carry.next: carry for carry in item.carries}
    states = [state for state in made.network.states if state.symbol in carries]
    for state in states:
        if state.symbol in made.places:
            continue
        own = [other.symbol for other in states if other.unit == state.unit]
        layer = names[state.symbol].layer
        stacked = [symbol for symbol in item.stacked if names[symbol].layer == layer]
        lines = [*own, *(symbol for symbol in stacked if symbol in made.shown and symbol not in own)]
        found = [carries.get(symbol) for symbol in lines]
        place = made.add(
            Lane(
                tuple(lines),
                tuple(names[symbol] for symbol in lines),
                "state",
                item.length,
                item.reverse,
                state.call,
                tuple(a for a in made.network.arrays if (a.layer, a.unit) == (state.layer, state.unit)),
                tuple(carry is not None and _starts_from_zero(carry) for carry in found),
                tuple(
                    names[symbol if carry is None else carry.prev] for symbol, carry in zip(lines, found, strict=True)
                ),
            )
        )
        bases = [names[symbol].base for symbol in own]
        new = {symbol: names[symbol].base.removesuffix("~") for symbol in stacked if "~" in names[symbol].base}
        made.places |= {symbol: LaneEnd(place, bases.index(base)) for symbol, base in new.items()}  # before a mask


def _starts_from_zero(carry: Carry) -> bool:
    return not carry.init.free_symbols - {symbol for size in carry.init.shape for symbol in size.free_symbols}


# what an expression reads -----------------------------------------------------------------------


def _readings(
    expr: Expr, known: Mapping[Expr, Readings], arrays: Mapping[Expr, WeightArray], lhs: Name | None
) -> Readings:
    """What an expression reads, each with the weights by which it is multiplied."""
    terms = expr.args if expr.is_MatAdd else (expr,)
    return _union(_walk(term, known, arrays, lhs, whole=True) for term in terms)


def _walk(
    expr: Basic,
    known: Mapping[Expr, Readings],
    arrays: Mapping[Expr, WeightArray],
    lhs: Name | None,
    whole: bool = False,
) -> Readings:
    if expr in known:
        return known[expr]
    found = _union(_walk(arg, known, arrays, lhs) for arg in expr.args)
    if not isinstance(expr, MatMul):
        return found
    weights = [arrays[symbol] for arg in expr.args for symbol in sorted(arg.free_symbols, key=str) if symbol in arrays]
    alone = whole and len(expr.args) == 2 and list(known.get(expr.args[0], {}).values()) == [frozenset()]
    products = frozenset(Product(array, lhs, alone) for array in weights)
    return {source: inner if any(p.array for p in inner) else products for source, inner in found.items()}


def _union(parts: Iterable[Readings]) -> Readings:
    """All readings; a source that is read in several ways has them all, with a product of no weight for none."""
    found: dict[LaneEnd, frozenset[Product]] = {}
    for readings in parts:
        for source, products in readings.items():
            if source in found:
                nothing = frozenset([Product(None, None)])
                found[source] = (found[source] or nothing) | (products or nothing)
            else:
                found[source] = products
    return found
