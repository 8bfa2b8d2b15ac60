"""The drawing of the way back: dashed arrows with the names of the adjoints, and their numbers.

It has the places of the forward pass, without inputs and masks. An adjoint that one arrow brings
stands at the arrow; one that is the sum of what several bring stands at its node.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symrnn.diagrams.columns import Key, Timeline, shifted
from symrnn.diagrams.drawing import Arrow, Drawing, Label, Node, label_box
from symrnn.diagrams.forward_pass import TITLE, before, best, commas, node_of
from symrnn.diagrams.geometry import Box, Segment
from symrnn.diagrams.labels import Line, Number, Transposed
from symrnn.diagrams.lanes import BEFORE, LAST, SAME, START, Link
from symrnn.diagrams.placement import Room, place
from symrnn.diagrams.routing import Bundle, Obstacles, Wanted, around, free, segments, straight, with_labels
from symrnn.expressions.names import Name
from symrnn.models.network import Network

Numbers = Mapping[str, float]
_MARGIN, _AWAY, _NOTE = 4.0, 40.0, 14.0


def draw_back(network: Network, forth: Timeline, numbers: Numbers) -> Drawing:
    """The drawing of the way back through what has, or reads, weights: the best of several attempts."""
    time = _with_weights(forth)
    scalar = all(size == 1 for array in network.arrays for size in array.shape)
    arriving = [(link, a, b) for link in time.links for a, b in time.ends(link)]
    wanted = [_wanted(time, link, a, b, numbers, scalar) for link, a, b in arriving]
    widths = [label_box(one.lines, one.size).width for row in wanted for one in row] + _widths(forth, time, numbers)
    along = 24 + max(widths, default=0)
    attempts = (_attempt(time, forth, Room(58, along * more, 0), numbers, wanted) for more in (1, 1.3, 1.7, 2.2))
    return best(attempts)


def _attempt(
    time: Timeline, forth: Timeline, room: Room, numbers: Numbers, wanted: Sequence[Sequence[Wanted]]
) -> tuple[float, Drawing]:
    """The drawing with this room, and how much covers something in it."""
    places = place(time, 0, room, starts=False)
    nodes = {key: node_of(time, key, places) for key in places.boxes}
    arriving = [(link, a, b) for link in time.links for a, b in time.ends(link)]
    arrows = [_arrow(time, link, nodes[a], nodes[b], a, b, numbers) for link, a, b in arriving]
    boxes = [node.box for node in nodes.values()]
    notes, touched = _notes(forth, nodes, numbers, [segment for arrow in arrows for segment in segments(arrow.path)])
    more = [_to_note(note) for note in notes]
    boxes += [note.box for _, note in notes]
    done, covered = with_labels([*_bundles([link for link, *_ in arriving], arrows, wanted), (more, [])], boxes)
    sums = Obstacles(
        [*boxes, *(label.box for arrow in done for label in arrow.labels)],
        [segment for arrow in done for segment in segments(arrow.path)],
    )
    labels = tuple(_sums(time, nodes, numbers, sums))
    drawing = Drawing((*nodes.values(), *(note for _, note in notes)), tuple(done), (), labels)
    return 10 * (places.clashes + touched) + covered + sums.covered, drawing


def _with_weights(time: Timeline) -> Timeline:
    """Only the strands that have weights, or read such a one, and what is read of them."""
    kept: set[int] = set()
    for number, strand in enumerate(time.strands):
        sources = {link.source.strand for link in time.links if link.target == number}
        if strand.kind not in ("input", "mask") and (strand.arrays or sources & kept):
            kept.add(number)
    links = tuple(link for link in time.links if {link.source.strand, link.target} <= kept)
    return replace(time, links=links, hidden=frozenset(range(len(time.strands))) - kept)


# arrows -----------------------------------------------------------------------------------------


def _is_alone(time: Timeline, link: Link, key: Key) -> bool:
    """Whether the adjoint of a node comes by one arrow: then the arrow bears its name."""
    source = link.source
    others = [other for other in time.links if other.source[:2] == source[:2]]
    if time.is_dots(key):
        others = [other for other in others if other.source.when != LAST]
        return len(others) == 1
    inner = any((other.source.strand, other.source.when) == (other.target, SAME) for other in others)
    return not inner and sum(a == key for other in others for a, _ in time.ends(other)) == 1


def _adjoint(time: Timeline, link: Link, a: Key, b: Key) -> Name:
    return time.carried(a, b, link.source.line).adjoint()


def _wanted(time: Timeline, link: Link, a: Key, b: Key, numbers: Numbers, scalar: bool) -> list[Wanted]:
    """The labels of an arrow: the adjoint and the product that it is, and on the other side its number.

    Of an adjoint that is a sum it bears only the product, which is a term of it.
    """
    name, product = _adjoint(time, link, a, b), _product(time, link, a, b, scalar)
    if not _is_alone(time, link, a):
        return [Wanted((product,))] if product else []
    labels = [Wanted(((name, *((" = ", *product) if product else ())),))]
    if name.code in numbers:
        labels.append(Wanted(((Number(numbers[name.code]),),), -1, TITLE))
    return labels


def _product(time: Timeline, link: Link, a: Key, b: Key, scalar: bool) -> Line:
    """The adjoint of a product times its weight, where that is all there is."""
    like = before(time, link.target, link.line) if link.source.when == START else link
    products = list(like.products)
    if len(products) != 1 or not products[0].whole or products[0].array is None or products[0].lhs is None:
        return ()
    weight, name = products[0].array.name, _at(time, products[0].lhs, b)
    if time.is_dots(b):
        name = name.at(shifted(time.time(a) or 0, -1 if time.strands[b[0]].reverse else 1))
    return (name.adjoint(), " ", weight if scalar else Transposed(weight))


def _at(time: Timeline, name: Name, key: Key) -> Name:
    """The letter of a sum in the strand of a node, at the step of the node."""
    return name if time.stretches[key[0]] is None else name.at(time.time(key))


def _arrow(time: Timeline, link: Link, read: Node, reader: Node, a: Key, b: Key, numbers: Numbers) -> Arrow:
    level = link.source.when in (BEFORE, START) and time.stretches[a[0]] is not None
    rise = read.offsets[link.source.line] if level else 0
    fall = reader.offsets[link.source.line if link.source.when == BEFORE else link.line] if level else 0
    name = _adjoint(time, link, a, b)
    alone = _is_alone(time, link, a)
    carries: Line = (name, *_value(name, numbers)) if alone else ("a term of ", name)
    return Arrow(reader.name, read.name, straight(reader.box, read.box, fall, rise), "back", carries)


def _value(name: Name, numbers: Numbers) -> Line:
    return (" = ", Number(numbers[name.code])) if name.code in numbers else ()


def _bundles(links: Sequence[Link], arrows: Sequence[Arrow], wanted: Sequence[Sequence[Wanted]]) -> Iterator[Bundle]:
    """The arrows of a link with equally many labels together, so that these are at the same parts of them."""
    found: dict[tuple[Link, int], list[int]] = {}
    for number, (link, labels) in enumerate(zip(links, wanted, strict=True)):
        found.setdefault((link, len(labels)), []).append(number)
    for (_, count), numbers in found.items():
        rows = list(zip(*(wanted[number] for number in numbers), strict=True)) if count else []
        yield [arrows[number] for number in numbers], rows


# what is at the nodes ---------------------------------------------------------------------------


def _sums(time: Timeline, nodes: Mapping[Key, Node], numbers: Numbers, obstacles: Obstacles) -> Iterator[Label]:
    """The adjoints that are sums of what several arrows bring, beside their nodes."""
    read = {(a, link.source.line): link for link in time.links for a, _ in time.ends(link)}
    rows: dict[tuple[int, int], list[Iterator[Label]]] = {}
    for (key, line), link in read.items():
        if not _is_alone(time, link, key) and not time.is_dots(key):
            name = time.name(key, line).adjoint()
            said = ((name, *_value(name, numbers)),)
            rows.setdefault((key[0], line), []).append(around(nodes[key].box, said, TITLE))
    for row in rows.values():
        yield from obstacles.place([list(candidates) for candidates in row])


def _notes(
    time: Timeline, nodes: Mapping[Key, Node], numbers: Numbers, lines: Sequence[Segment]
) -> tuple[list[tuple[Node, Node]], int]:
    """To which weights each node sends its part of their derivatives, and how much these notes touch."""
    found: list[tuple[Node, Node]] = []
    touched = 0
    boxes, paths = [node.box for node in nodes.values()], list(lines)
    for strand in sorted({key[0] for key in nodes}):
        keys = [key for key in time.keys(strand) if not time.is_dots(key)]
        if not time.strands[strand].arrays:
            continue
        said = [_note(time, key, numbers) for key in keys]
        width = max(label_box((line,), _NOTE).width for rows in said for line in rows)
        size, row = Box(0, 0, width + 6, 18 * len(said[0])), [nodes[key].box for key in keys]
        cost, places = _places(row, size, boxes, paths)
        touched += cost
        together = zip(keys, places, said, strict=True)
        made = [(nodes[key], _note_at(nodes[key], box, rows)) for key, box, rows in together]
        boxes += places
        paths += [segment for pair in made for segment in segments(_to_note(pair).path)]
        found += made
    return found, touched


def _note_at(node: Node, box: Box, rows: tuple[Line, ...]) -> Node:
    offsets = tuple((i - (len(rows) - 1) / 2) * 18 for i in range(len(rows)))
    weights = rows[0][1 : rows[0].index(": ") if ": " in rows[0] else None]
    return Node(f"{node.name}_note", "note", box, rows, offsets, weights, _NOTE, node.column)


def _note(time: Timeline, key: Key, numbers: Numbers) -> tuple[Line, ...]:
    """To which weights: their letters and, where one adjoint is the factor of all, its name and number."""
    strand = time.strands[key[0]]
    weights = commas([array.name for array in strand.arrays])
    links = [link for link in time.links if link.target == key[0]]
    products = [product for link in links for product in link.products if product.array in strand.arrays]
    sums = list({product.lhs for product in products if product.lhs is not None})
    if len(sums) != 1:
        return (("to ", *weights),)
    name = _at(time, sums[0], key).adjoint()
    first = ("to ", *weights, ": ", name)
    return (first, (Number(numbers[name.code]),)) if name.code in numbers else (first,)


def _widths(forth: Timeline, time: Timeline, numbers: Numbers) -> list[float]:
    """How wide the notes are."""
    keys = [key for strand in time.drawn for key in time.keys(strand)]
    return [label_box((line,), _NOTE).width for key in keys for line in _note(forth, key, numbers)]


def _to_note(pair: tuple[Node, Node]) -> Arrow:
    node, note = pair
    rest = note.lines[0][1 + len(note.text) :]
    value: Line = (" = ", *note.lines[1]) if len(note.lines) > 1 else ()
    carries: Line = (*rest[1:], *value) if rest else ("a part",)
    return Arrow(node.name, note.name, straight(node.box, note.box), "back", carries)


def _around(row: Sequence[Box], size: Box) -> Iterator[list[Box]]:
    """Places for notes at all nodes of a row: below, above, aslant, beside."""
    x, y = (row[0].width + size.width) / 2, (row[0].height + size.height) / 2
    for across, down in ((0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0)):
        dx, dy = across * (x + (8 if down else _AWAY)), down * (y + _AWAY)
        yield [size.moved(box.x + dx, box.y + dy) for box in row]


def _places(row: Sequence[Box], size: Box, boxes: Sequence[Box], lines: Sequence[Segment]) -> tuple[int, Sequence[Box]]:
    """What notes at the nodes of a row touch, and their places: alike at all nodes where these can be free."""
    candidates = list(_around(row, size))
    cost, _, alike = min((_touched(at, row, boxes, lines), number, at) for number, at in enumerate(candidates))
    if not cost:
        return 0, alike
    chosen: list[Box] = []
    paths = list(lines)
    for box, own in zip(row, zip(*candidates, strict=True), strict=True):
        costs = [_touched([at], [box], [*boxes, *chosen], paths) for at in own]
        chosen.append(own[costs.index(min(costs))])
        paths += segments(straight(box, chosen[-1]))
    return min((cost, alike), (_touched(chosen, row, boxes, lines), chosen), key=lambda one: one[0])


def _touched(places: Sequence[Box], row: Sequence[Box], boxes: Sequence[Box], lines: Sequence[Segment]) -> int:
    """How much notes at these places, and the arrows to them, would touch."""
    count = free(places, boxes, lines, _MARGIN)
    for box, at in zip(row, places, strict=True):
        count += free([other for other in boxes if other != box], [], segments(straight(box, at)), _MARGIN)
    return count
