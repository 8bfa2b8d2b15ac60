"""What a picture says in words: its title, its caption, and the text for those who cannot see it.

The caption tells what is not drawn: biases, activations, and that arrows with one label are one weight.
The alternative text tells the connections in reading order, from the drawing itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from symrnn.diagrams.columns import Timeline
from symrnn.diagrams.drawing import Arrow, Drawing, Node
from symrnn.diagrams.labels import Line, Piece, text
from symrnn.diagrams.lanes import ALL, LAST, START, Lane, Link
from symrnn.expressions.activations import activation_name
from symrnn.expressions.names import Name
from symrnn.models.custom_cell import Cell
from symrnn.models.layers.activation import Activation
from symrnn.models.layers.core import Dense, InputLayer, Layer, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.rnn import RNN, Bidirectional, Cells, Recurrent, SimpleRNNCell
from symrnn.models.network import Network, State

_HOW = {"unrolled": "unrolled in time", "rolled": "rolled up", "backward": "on the way back"}


def title(network: Network, how: str) -> str:
    """The layers, and which picture of them it is: SimpleRNN(1), Dense(1), unrolled in time."""
    layers = [layer for layer in network.graph.layers if not isinstance(layer, InputLayer)]
    return ", ".join([*map(_name, layers), _HOW[how]])


def _name(layer: Layer | Cells) -> str:
    """A layer or cell with its number of units."""
    if isinstance(layer, Cell):
        return layer.title
    if isinstance(layer, RNN):
        return f"RNN({', '.join(map(_name, layer.cells))})"
    inner = getattr(layer, "layer", None)
    size = _name(inner) if inner is not None else getattr(layer, "units", getattr(layer, "activation", None))
    return type(layer).__name__ + (f"({size})" if size is not None else "")


def layer_title(network: Network, strand: Lane) -> str:
    """The name beside a row of states: that of the layer, or of the cell in an RNN."""
    state = _state_of(network, strand)
    layer = network.graph.layers[state.layer]
    half = layer.halves[state.unit[0] == "backward_layer"]
    return _name(_cell(network, strand) if isinstance(half, RNN) else half)


def _state_of(network: Network, strand: Lane) -> State:
    return next(state for state in network.states if state.symbol == strand.symbols[0])


def _cell(network: Network, strand: Lane) -> Cells:
    """The cell whose states a strand has."""
    state = _state_of(network, strand)
    half = network.graph.layers[state.layer].halves[state.unit[0] == "backward_layer"]
    return half.cells[int(state.unit[-1]) if state.unit[-1].isdecimal() else 0]


# the caption ------------------------------------------------------------------------------------


def caption(network: Network, time: Timeline, drawing: Drawing, how: str) -> Line:
    """What the drawing leaves out, in sentences."""
    if how == "backward":
        return _of_the_way_back(time)
    sentences = [_kinds(time)]
    sentences += [_of_strand(network, time, place) for place in sorted(time.drawn)]
    outputs = {symbol for strand in time.strands if strand.kind == "output" for symbol in strand.symbols}
    if any(head.symbol not in outputs for head in network.heads):
        sentences.append(("Outputs: ", *_listed([network.program.names[head.symbol] for head in network.heads]), "."))
    sentences.append(_of_weights(drawing.arrows, how))
    if how == "rolled":
        sentences.append(("The loop leads from one time step to the next.",))
    if any(node.kind == "dots" for node in drawing.nodes):
        sentences.append(("Dots stand for the time steps between.",))
    return _joined(sentences)


def _joined(sentences: Iterable[Line]) -> Line:
    pieces: list[Piece] = [piece for sentence in sentences if sentence for piece in (" ", *sentence)]
    return tuple(pieces[1:])


def _kinds(time: Timeline) -> Line:
    """What the shapes mean, where there are two."""
    kinds = {time.strands[place].kind for place in time.drawn}
    return ("Round nodes hold states, square ones values without memory.",) if {"state", "value"} <= kinds else ()


def _of_strand(network: Network, time: Timeline, place: int) -> Line:
    """What the nodes of a strand do with what arrives, and what of a sequence they read."""
    strand = time.strands[place]
    name = strand.names[0]
    if strand.kind == "input":
        return ()
    if strand.kind == "mask":
        return (name, " is 1 where a time step counts, else 0.")
    biases: Line = tuple(a.name for a in strand.arrays if a.name.base == "b")
    does = _state(network, strand, biases) if strand.kind == "state" else _value(network, time, place, biases)
    links = [link for link in time.links if link.target == place]
    only = [_letter(time, link) for link in links if link.source.when == LAST]
    starts = [link for link in links if link.source.when == START and time.starts_from(link)]
    parts: list[Line] = [does] if does else []
    parts += [("reads the last ", *_listed(only), " only")] if only else []
    masks = [_letter(time, link) for link in links if time.strands[link.source.strand].kind == "mask"]
    parts += [("stays as it was where ", masks[0], " is 0")] if masks and strand.kind == "state" else []
    parts += [("goes from the last time step to the first",)] if strand.reverse else []
    if starts:
        last: Line = ("the last ",) if time.stretches[starts[0].source.strand] is not None else ()
        parts.append(("starts from ", *last, *_listed([_letter(time, link) for link in starts])))
    if not parts:
        return ()
    joints = [" ", *[", "] * (len(parts) - 2), *[" and "] * (len(parts) > 1)]
    pieces = [piece for joint, part in zip(joints, parts, strict=True) for piece in (joint, *part)]
    return (name, *pieces, ".")


def _letter(time: Timeline, link: Link) -> Name:
    """The letter of what a link reads."""
    return time.strands[link.source.strand].names[link.source.line]


def _listed(pieces: Sequence[Piece]) -> Line:
    """The pieces with commas, and the last with and."""
    found: list[Piece] = []
    for place, piece in enumerate(pieces):
        found += [piece] if not place else [" and " if place == len(pieces) - 1 else ", ", piece]
    return tuple(found)


def _applies(biases: Line, activation: str | None) -> Line:
    """Adds b and applies f to what arrives."""
    name = activation_name(activation)
    added: Line = ("adds ", *_listed(biases)) if biases else ()
    applied: Line = (f"applies {name}",) if name != "linear" else ()
    both = (*added, *((" and ",) if added and applied else ()), *applied)
    return (*both, " to what arrives") if both else ()


def _state(network: Network, strand: Lane, biases: Line) -> Line:
    cell = _cell(network, strand)
    if isinstance(cell, SimpleRNNCell):
        return _applies(biases, cell.activation)
    named = f"the cell {_name(cell)}" if isinstance(cell, Cell) else _name(cell).replace("Cell(", "(")
    rest: Line = (" and ", *_listed(strand.names[1:]), " are the states of ") if strand.names[1:] else ()
    added: Line = (", which adds ", *_listed(biases)) if biases else ()
    return (*(("and ", *rest[1:]) if rest else ("is the state of ",)), named, *added)


@dataclass(frozen=True)
class Arriving:
    """What arrives at a value: what is read, by which links, and the weights that it meets.

    `after` are the activations that a Dense takes in.
    """

    read: Name
    links: Sequence[Link] = ()
    biases: Line = ()
    weights: Line = ()
    after: Sequence[str | None] = ()


def _value(network: Network, time: Timeline, place: int, biases: Line) -> Line:
    """What a layer without memory does; for a Dense and the Activation after it, both."""
    strand = time.strands[place]
    links = [link for link in time.links if link.target == place]
    read = next(_letter(time, link) for link in links if time.strands[link.source.strand].kind != "mask")
    layers = [
        network.graph.layer(network.graph.calls[result.call])
        for result, symbol in network.values.items()
        if symbol == strand.symbols[0]
    ]
    if not layers:
        return ()
    after = [other.activation for other in layers[1:] if isinstance(other, Activation)]
    return action(layers[0], Arriving(read, links, biases, tuple(a.name for a in strand.arrays), after))


@singledispatch
def action(layer: Layer, arriving: Arriving) -> Line:
    """What a layer does with what arrives, after the letter of its value: is the sum of what arrives.

    Raises:
        NotImplementedError: there are no words for the layer.
    """
    if layer.does is None:
        raise NotImplementedError(f"{type(layer).__name__} has no words in captions")
    return _filled(layer.does, arriving)


def _filled(sentence: str, arriving: Arriving) -> Line:
    """The words of a layer with letters in the places of their names."""
    known: dict[str, Line] = {
        "x": (arriving.read,),
        "weights": _listed(arriving.weights),
        "counted": _counted(arriving.links),
    }
    pieces = re.split(r"\{(\w+)\}", sentence)
    lines = [known.get(piece, (Name(piece),)) if i % 2 else (piece,) for i, piece in enumerate(pieces) if piece]
    return tuple(piece for line in lines for piece in line)


@action.register
def _(layer: Dense, arriving: Arriving) -> Line:
    return _applies(arriving.biases, next(iter(arriving.after), layer.activation))


@action.register
def _(layer: TimeDistributed, arriving: Arriving) -> Line:
    return action(layer.layer, arriving)


@action.register
def _(layer: Recurrent, arriving: Arriving) -> Line:
    """Its states have words of their own; another value of it is its sequence turned round."""
    return ("is ", arriving.read, " with the last time step first")


@action.register
def _(layer: Bidirectional, arriving: Arriving) -> Line:
    return action(_MERGED[layer.merge_mode or "concat"](), replace(arriving, links=()))


@action.register
def _(layer: Activation, arriving: Arriving) -> Line:
    return _applies((), layer.activation)


_MERGED = {"concat": Concatenate, "sum": Add, "mul": Multiply, "ave": Average}


def _counted(links: Sequence[Link]) -> Line:
    """That a mean, or a merge, takes only time steps that count."""
    quiet = [link for link in links if not link.has_arrow]
    return () if not quiet else (" that count",) if quiet[0].source.when == ALL else (", where it counts",)


_WIDTHS = {"U": "thin", "V": "thick", "W": "double"}


def _of_weights(arrows: Sequence[Arrow], how: str) -> Line:
    """Which arrows are one weight, where more than one are."""
    counts: dict[Line, list[str]] = {}
    for arrow in arrows:
        if arrow.by:
            counts.setdefault(arrow.by, []).append(arrow.look)
    several = [(by, looks[0]) for by, looks in counts.items() if len(looks) > 1]
    if how == "rolled" or not several:
        return ()
    if len(several) > 3:
        return ("Arrows with the same label are one weight.",)
    named: list[Line] = [(f"the {_WIDTHS.get(look, 'plain')} arrows ", *by) for by, look in several]
    first, *rest = named
    more = [piece for line in rest for piece in (", and so are ", *line)]
    return ("T" + str(first[0])[1:], *first[1:], " are one weight", *more, ".")


def _of_the_way_back(time: Timeline) -> Line:
    """What the signs mean, and where adjoints are added and multiplied."""
    sums = {product.lhs.base for link in time.links for product in link.products if product.lhs is not None}
    delta: Line = (", ", Name("delta"), " that by what an activation is applied to") if "a" in sums else ()
    return _joined(
        [
            ("A bar marks the derivative by a quantity", *delta, "."),
            ("Where arrows meet, what they carry is added, and an activation multiplies it by its slope.",),
            ("The derivative by a weight is the sum of what is sent to it.",),
        ]
    )


# the alternative text ---------------------------------------------------------------------------


def alt_text(drawing: Drawing, how: str) -> str:
    """The connections in reading order: from left to right, upwards; on the way back the other way."""
    sign = -1 if how == "backward" else 1
    order = sorted(drawing.nodes, key=lambda node: (sign * node.column, -sign * node.box.y))
    says = _sends if how == "backward" else _reads
    sentences = dict.fromkeys(filter(None, (says(node, drawing) for node in order)))
    return re.sub("[{}]", "", " ".join(sentences))


def _reads(node: Node, drawing: Drawing) -> str:
    """What a node reads, and by which weights it multiplies that."""
    if node.kind == "dots":
        return "The time steps between follow in the same way."
    found = [
        (*arrow.carries, *((" through ", *arrow.by) if arrow.by else ()))
        for arrow in drawing.arrows
        if arrow.end == node.name
    ]
    verb = "reads" if len(node.lines) == 1 else "read"
    return f"{text(node.text)} {verb} {_series(found)}." if found else ""


def _sends(node: Node, drawing: Drawing) -> str:
    """Which adjoints a node sends, and to what."""
    called = {other.name: other.text for other in drawing.nodes}
    found = [(*arrow.carries, " to ", *called[arrow.end]) for arrow in drawing.arrows if arrow.start == node.name]
    said = text(node.text)
    verb = "sends" if len(node.lines) == 1 and node.kind != "dots" else "send"
    return f"{said[0].upper() + said[1:] if node.kind == 'dots' else said} {verb} {_series(found)}." if found else ""


def _series(lines: Sequence[Line]) -> str:
    """The lines as text, with commas, and the last with and."""
    texts = list(map(text, lines))
    comma = "; " if any(", " in said for said in texts) else ", "
    return texts[0] if len(texts) == 1 else f"{comma.join(texts[:-1])} and {texts[-1]}"
