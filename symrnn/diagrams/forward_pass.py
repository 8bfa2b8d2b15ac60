"""The drawing of the forward pass: a node for each strand and step, an arrow for each link."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from symrnn.diagrams.captions import layer_title
from symrnn.diagrams.columns import Key, Timeline
from symrnn.diagrams.drawing import FAINT, LOOKS, Arrow, Drawing, Group, Label, Node, label_box
from symrnn.diagrams.geometry import Box, Point, bounds
from symrnn.diagrams.labels import SMALL, Line, Piece
from symrnn.diagrams.lanes import ALL, BEFORE, LAST, START, LaneEnd, Link
from symrnn.diagrams.placement import DOTS, LINE, MANY, PITCHES, Places, line_offset, place, start_lines
from symrnn.diagrams.routing import Bundle, Obstacles, Wanted, free, loop, segments, straight, with_labels
from symrnn.expressions.names import Name
from symrnn.models.network import Network

TITLE = SMALL * 16


def draw(network: Network, time: Timeline, rolled: bool) -> Drawing:
    """The drawing of a network in time."""
    pitches = PITCHES if sum(map(len, time.columns)) > MANY else PITCHES[1:]
    return best(_attempt(network, time, rolled, pitch) for pitch in pitches)


def best(attempts: Iterable[tuple[float, Drawing]]) -> Drawing:
    """The first attempt in which nothing is covered, or that with the least; a later one has to be better."""
    found: list[tuple[float, Drawing]] = []
    for number, (covered, drawing) in enumerate(attempts):
        if not covered:
            return drawing
        found.append((covered + 0.7 * number, drawing))
    return min(found, key=lambda one: one[0])[1]


def _attempt(network: Network, time: Timeline, rolled: bool, pitch: float) -> tuple[float, Drawing]:
    """The drawing with a distance between the steps, and how much covers something in it."""
    places = place(time, pitch, starts=not rolled)
    nodes = {key: node_of(time, key, places) for key in places.boxes}
    starts = {strand: _start_node(time, strand, places) for strand in places.starts}
    arrows = [arrow for link in time.links for arrow in _arrows(time, link, nodes)]
    arrows += [arrow for strand, node in starts.items() for arrow in _start_arrows(time, strand, node, nodes)]
    arrows += _loops(time, nodes) if rolled else []
    drawn = [*nodes.values(), *starts.values()]
    arrows, covered = with_labels(_bundles(arrows), [node.box for node in drawn])
    drawing = Drawing(tuple(drawn), tuple(arrows), _groups(network, time, nodes, drawn, arrows))
    return 10 * places.clashes + covered, drawing


def node_of(time: Timeline, key: Key, places: Places) -> Node:
    """The node of a strand in a column: its letters in lines, or dots."""
    strand, offsets, column = time.strands[key[0]], _offsets(time, key[0]), time.column(key)
    lines = range(len(strand.names))
    if time.is_dots(key):
        box = places.boxes[key]._replace(width=DOTS, height=16 + LINE * (len(lines) - 1), radius=0)
        called = strand.names[0].at("dots").code
        dots: tuple[Line, ...] = tuple(("⋯",) for _ in lines)
        return Node(called, "dots", box, dots, offsets, ("the time steps between",), column=column)
    names = tuple(time.name(key, line) for line in lines)
    rows: tuple[Line, ...] = tuple((name,) for name in names)
    return Node(names[0].code, strand.kind, places.boxes[key], rows, offsets, commas(names), column=column)


def _offsets(time: Timeline, strand: int) -> tuple[float, ...]:
    return tuple(line_offset(time.strands[strand], line) for line in range(len(time.strands[strand].names)))


def _start_node(time: Timeline, strand: int, places: Places) -> Node:
    lines = start_lines(time, strand)
    first = next(line for line, said in enumerate(lines) if said)
    offsets = tuple((line - (len(time.strands[strand].names) - 1) / 2) * LINE for line in range(len(lines)))
    said: list[Piece] = [piece for line in lines if line for piece in (", ", *line)]
    return Node(time.before(strand, first).code, "start", places.starts[strand], lines, offsets, tuple(said[1:]))


def weights(link: Link) -> Line:
    """The letters of the weights of a link, with commas."""
    return commas([array.name for array in link.arrays])


def commas(names: Sequence[Name]) -> Line:
    """The letters with commas between them."""
    return tuple(piece for name in names for piece in (", ", name))[1:]


def look(link: Link) -> str:
    """The look of the weights of a link: that of their letter."""
    bases = {array.name.base for array in link.arrays}
    return bases.pop() if len(bases) == 1 and bases <= LOOKS.keys() else "plain"


def _arrows(time: Timeline, link: Link, nodes: Mapping[Key, Node]) -> list[Arrow]:
    """The arrows of a link: states at the heights of their lines, all else from centre to centre."""
    arrows = []
    level, line = link.source.when in (BEFORE, START), link.source.line
    for a, b in time.ends(link):
        rise = line_offset(time.strands[a[0]], line) if level else 0
        fall = line_offset(time.strands[b[0]], line if link.source.when == BEFORE else link.line) if level else 0
        path = straight(nodes[a].box, nodes[b].box, rise, fall)
        like = before(time, b[0], link.line) if link.source.when == START else link
        carries = _carried(time, link, a, b)
        arrows.append(Arrow(nodes[a].name, nodes[b].name, path, look(like), carries, weights(like)))
    return arrows


def _carried(time: Timeline, link: Link, a: Key, b: Key) -> Line:
    """What an arrow of a link brings; in a rolled picture its source stands for all steps."""
    name = time.carried(a, b, link.source.line)
    if time.time(a) not in ("t", "T-1-t") or link.source.when not in (LAST, START, ALL):
        return ("those between",) if link.source.when == ALL and time.is_dots(a) else (name,)
    if link.source.when == ALL:
        return ("all ", name)
    count, strand = time.counts[time.stretches[a[0]] or 0], time.strands[a[0]]
    return (name.at(0 if strand.reverse else "T-1" if count is None else count - 1),)


def before(time: Timeline, strand: int, line: int) -> Link:
    """The link by which a cell reads a state before the step; one without weights where it does not read it."""
    source = LaneEnd(strand, line, BEFORE)
    return next(
        (link for link in time.links if (link.source, link.target) == (source, strand)),
        Link(source, strand, frozenset()),
    )


def _start_arrows(time: Timeline, strand: int, node: Node, nodes: Mapping[Key, Node]) -> list[Arrow]:
    """The arrows of what a cell starts from, which are as those between its steps."""
    end = nodes[time.first(strand)]
    arrows = []
    for line, (said, offset) in enumerate(zip(node.lines, node.offsets, strict=True)):
        if said:
            path, like = straight(node.box, end.box, offset, offset), before(time, strand, line)
            arrows.append(Arrow(node.name, end.name, path, look(like), said, weights(like)))
    return arrows


def _loops(time: Timeline, nodes: Mapping[Key, Node]) -> list[Arrow]:
    """The arrows from a state to its next step, on the side where nothing is; those with weights outside."""
    found = []
    others = [node.box for node in nodes.values()]
    paths = [straight(nodes[a].box, nodes[b].box) for link in time.links for a, b in time.ends(link)]
    lines = [segment for path in paths for segment in segments(path)]
    for strand in sorted(time.drawn):
        links = [link for link in time.links if link.target == strand and link.source.when == BEFORE]
        links.sort(key=lambda link: bool(link.arrays))
        if not links:
            continue
        node = nodes[(strand, 0)]
        room = {side: node.box.moved(side * (node.box.width + 40) / 2, 0)._replace(width=40) for side in (1, -1)}
        side = min((1, -1), key=lambda side: free([room[side]], others, lines, 0))
        for size, link in enumerate(links):
            name = time.strands[strand].before[link.source.line].at(_loop_time(time, strand))
            path = loop(node.box, side, size)
            found.append(Arrow(node.name, node.name, path, look(link), (name,), weights(link)))
    return found


def _loop_time(time: Timeline, strand: int) -> str:
    return "t+1" if time.strands[strand].reverse else "t-1"


def _bundles(arrows: Sequence[Arrow]) -> list[Bundle]:
    """The arrows with the same weights, and what stands beside each of them: these weights."""
    found: dict[Line, list[Arrow]] = {}
    for arrow in arrows:
        found.setdefault(arrow.by, []).append(arrow)
    return [(own, [[Wanted((by,)) for _ in own]] if by else []) for by, own in found.items()]


# names of layers --------------------------------------------------------------------------------


def _groups(
    network: Network, time: Timeline, nodes: Mapping[Key, Node], drawn: Sequence[Node], arrows: Sequence[Arrow]
) -> tuple[Group, ...]:
    """The recurrent layers by name, where there are several."""
    strands = [place for place in sorted(time.drawn) if time.strands[place].kind == "state"]
    if len(strands) < 2:
        return ()
    lines = [segment for arrow in arrows for segment in segments(arrow.path)]
    boxes = [node.box for node in drawn] + [label.box for arrow in arrows for label in arrow.labels]
    edges = bounds([*boxes, *(Box(*point, 0, 0) for line in lines for point in line)])
    obstacles = Obstacles(boxes, lines, 6)
    found: list[Group] = []
    for strand in strands:
        keys = time.keys(strand)
        name, row = layer_title(network, time.strands[strand]), [nodes[key].box for key in keys]
        if len(time.columns) == 1:
            candidates = _titles((name,), row, edges)
        else:
            rows = sum(time.stretches[other] == time.stretches[strand] for other in strands)
            letter = time.strands[strand].names[0].at(None)
            candidates = _titles_below((letter, f": {name}") if rows > 1 else (name,), row, edges)
        [label] = obstacles.place([list(candidates)])
        found.append(Group(name, tuple(nodes[key].name for key in keys), label))
    return tuple(found)


def _titles(name: Line, row: Sequence[Box], edges: tuple[float, float, float, float]) -> Iterator[Label]:
    """Places for the name of a row: beside its ends, beside everything, above or below it."""
    first, last = row[0], row[-1]
    yield _beside(name, last, 1, 0)
    yield _beside(name, first, -1, 0)
    yield _beside(name, last._replace(width=2 * (edges[2] - last.x)), 1, 0)
    yield _beside(name, first._replace(width=2 * (first.x - edges[0])), -1, 0)
    yield from (_beside(name, box, 0, down) for down in (-1.1, 1.1) for box in row)


def _titles_below(name: Line, row: Sequence[Box], edges: tuple[float, float, float, float]) -> Iterator[Label]:
    """Places for the name of a row beside which there is another: below everything, one under the other."""
    centre = (row[0].x + row[-1].x) / 2
    yield from (Label((name,), Point(centre, edges[3] + 18 + 20 * line), TITLE, FAINT) for line in range(6))


def _beside(name: Line, box: Box, across: float, down: float) -> Label:
    own = label_box((name,), TITLE)
    x, y = (box.width + own.width) / 2 + 8, (box.height + own.height) / 2 + 2
    return Label((name,), Point(box.x + across * x, box.y + down * y), TITLE, FAINT)
