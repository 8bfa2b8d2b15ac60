"""Where the nodes of a picture go: time to the right, each strand above what it reads.

Strands are placed one after the other, each in the nearest of a list of places where its nodes touch
no arrow and its arrows no node. Where none is free, the one with the fewest clashes is taken, and they
are counted, so that another distance between the steps can be tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from symrnn.diagrams.columns import Key, Timeline
from symrnn.diagrams.geometry import Box, Point, Segment, crosses, overlap
from symrnn.diagrams.labels import Line, set_line
from symrnn.diagrams.lanes import ALL, SAME, START, Lane

ROUND, LINE, DOTS = 38.0, 23.0, 30.0
"""The height of a circle, what each further line adds, and the width of dots."""
PITCHES = (84.0, 100.0, 118.0, 140.0, 165.0, 200.0, 240.0)
"""The distances between the steps that are tried in turn, the first only where there are many columns."""
MANY = 6
_MARGIN = 5.0
_BORDERLESS = ("input", "output", "mask")


@dataclass(frozen=True)
class Room:
    """What the arrows need: between two layers, between a state and the next, left of the first state."""

    up: float = 34.0
    along: float = 50.0
    start: float = 48.0


@dataclass
class Places:
    """Boxes of nodes by their keys, of what states start from by strand, and segments of arrows; being filled."""

    pitch: float
    boxes: dict[Key, Box] = field(default_factory=dict)
    starts: dict[int, Box] = field(default_factory=dict)
    segments: list[tuple[Segment, tuple[Key, ...]]] = field(default_factory=list)
    clashes: int = 0


def node_boxes(timeline: Timeline, place: int) -> dict[Key, Box]:
    """The sizes of a strand's nodes: without a border each as wide as its letter, else the same for all of them."""
    keys = timeline.keys(place)
    lines = range(len(timeline.strands[place].names))
    widths = {key: max(set_line((timeline.name(key, line),))[1] for line in lines) for key in keys}
    if timeline.strands[place].kind in _BORDERLESS:
        return {key: Box(0, 0, DOTS if timeline.is_dots(key) else width + 8, 24) for key, width in widths.items()}
    return dict.fromkeys(keys, _bordered(timeline.strands[place], max(widths.values())))


def _bordered(strand: Lane, width: float) -> Box:
    """A circle for a state, a box for states or a value, wide enough for letters of this width."""
    if strand.kind == "value":
        return Box(0, 0, max(30, width + 14), 30, 3)
    height = ROUND + LINE * (len(strand.names) - 1)
    return Box(0, 0, max(ROUND, width + 9), height, ROUND / 2 if height == ROUND else 12)


def line_offset(strand: Lane, line: int) -> float:
    """How far below its centre a node has a line."""
    return (line - (len(strand.names) - 1) / 2) * LINE


def start_lines(timeline: Timeline, place: int) -> tuple[Line, ...]:
    """What the states of a cell start from, one line for each; empty where an arrow says it."""
    strand = timeline.strands[place]
    lines: list[Line] = []
    for line, zero in enumerate(strand.zero):
        links = [link for link in timeline.links if (link.target, link.line) == (place, line)]
        given = [link for link in links if link.source.when == START]
        before = timeline.before(place, line)
        if zero:
            lines.append((before, " = 0"))
        elif not given or timeline.starts_from(given[0]):
            lines.append(())
        else:
            source = timeline.name(timeline.last(given[0].source.strand), given[0].source.line)
            lines.append((before,) if source.at(before.time) == before else (before, " = ", source))
    return tuple(lines) if any(lines) else ()


def place(timeline: Timeline, pitch: float, room: Room | None = None, starts: bool = True) -> Places:
    """The places of all nodes that are drawn; without `starts`, those before the first step are left out.

    `pitch` is the distance between the steps, more where the nodes are wider.
    """
    room = room or Room(start=0.48 * pitch)
    boxes = [box for strand in timeline.drawn for box in node_boxes(timeline, strand).values()]
    widest = max((box.width for box in boxes), default=ROUND)
    return _Placing(timeline, room, starts, Places(max(pitch, widest + room.along))).run()


@dataclass
class _Placing:
    """One attempt with one distance between the steps."""

    timeline: Timeline
    room: Room
    with_starts: bool
    places: Places
    offsets: dict[int, float] = field(default_factory=dict)
    layers: dict[int, float] = field(default_factory=dict)
    origin: float = 0.0
    sizes: dict[Key, Box] = field(default_factory=dict)
    height: float = 0.0

    @property
    def spacing(self) -> float:
        """How far strands that stand side by side are apart."""
        return 0.6 * max(self.places.pitch, PITCHES[1])

    def run(self) -> Places:
        timeline = self.timeline
        drawn = sorted(timeline.drawn)
        self.sizes = {key: box for place in drawn for key, box in node_boxes(timeline, place).items()}
        self.height = self.room.up + max((box.height for box in self.sizes.values()), default=0)
        plain = [place for place in drawn if timeline.stretches[place] is None]
        inputs = [place for place in plain if timeline.strands[place].kind == "input"]
        waiting = [place for place in plain if place not in inputs]
        for stretch in range(len(timeline.columns) or 1):  # a model without time has none
            own = [place for place in drawn if timeline.stretches[place] == stretch]
            self._open(own, stretch)
            for place in own:
                self._put(place)
            while ready := [place for place in waiting if self._sources(place) <= set(self.layers)]:
                waiting.remove(ready[0])
                self._put(ready[0])
        for place in inputs:
            self._put(place)
        return self.places

    def _sources(self, place: int) -> set[int]:
        """What a strand without time reads that is placed before it: all but inputs without time."""
        timeline = self.timeline
        found = {link.source.strand for link in timeline.links if link.target == place}
        return {s for s in found if timeline.stretches[s] is not None or timeline.strands[s].kind != "input"}

    def _open(self, own: list[int], stretch: int) -> None:
        """The place of the first column: right of all that is there, with room for what states start from."""
        boxes = [*self.places.boxes.values(), *self.places.starts.values()]
        if not boxes:
            return
        lines = [start_lines(self.timeline, place) for place in own if not self.timeline.leftwards(place)]
        width = max((_width(line) + self.room.start for line in lines if line and self.with_starts), default=0)
        right = max(box.edges[2] for box in boxes)
        self.origin = right + max(60, self.room.along) + width + ROUND

    # candidates

    def _put(self, place: int) -> None:
        """Take the first of the candidates that is free, or the one with the fewest clashes."""
        tried: list[tuple[int, int, float, float]] = []
        for number, (layer, offset) in enumerate(self._candidates(place)):
            tried.append((self._clashes(place, layer, offset), number, layer, offset))
            if not tried[-1][0]:
                break
        clashes, _, self.layers[place], self.offsets[place] = min(tried)
        self.places.clashes += clashes
        boxes, starts, segments = self._parts(place, self.layers[place], self.offsets[place])
        self.places.boxes |= boxes
        self.places.starts |= starts
        self.places.segments += segments

    def _candidates(self, place: int) -> Iterator[tuple[float, float]]:
        """Layers and offsets, the nearest first."""
        timeline = self.timeline
        strand = timeline.strands[place]
        links = [link for link in timeline.links if link.target == place and link.source.when != START]
        sources = [link.source.strand for link in links if link.source.strand in self.layers]
        if strand.kind == "input" and timeline.stretches[place] is None:
            readers = [link.target for link in timeline.links if link.source.strand == place]
            low, centre = self.layers[readers[0]] - 1, self._x(readers[0])
        else:
            low = 1 + max((self.layers[source] for source in sources), default=-1)
            centre = self._centre(place, sources)
        beside = [0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.0, -2.0, 0.25, -0.25, 0.75, -0.75]
        if strand.kind == "mask" and sources:
            yield from ((low - 1, centre + offset * self.spacing) for offset in (0.9, 1.2, -0.9))
        found = [(layer, offset) for layer in range(4) for offset in beside]
        found.sort(key=lambda one: (one[0] + abs(one[1]) * 0.7, one[0], -one[1]))
        yield from ((low + layer, centre + offset * self.spacing) for layer, offset in found)

    def _centre(self, place: int, sources: list[int]) -> float:
        """Above what a strand reads; cells that read the same stand left and right of it."""
        timeline = self.timeline
        if timeline.stretches[place] is None:
            centres = [self._x(source) for source in sources]
            return sum(centres) / len(centres) if centres else self.origin
        offsets = [self.offsets[source] for source in sources if timeline.stretches[source] is not None]
        centre = sum(offsets) / len(offsets) if offsets else 0.0
        if not sources:
            inputs = [s for s in sorted(timeline.drawn) if self._is_input_of(s, timeline.stretches[place])]
            return (inputs.index(place) - (len(inputs) - 1) / 2) * self.spacing if place in inputs else 0.0
        cells = [s for s in sorted(timeline.drawn) if self._reads(s, sources[0])]
        return centre + ((cells.index(place) - (len(cells) - 1) / 2) * self.spacing if place in cells else 0.0)

    def _is_input_of(self, place: int, stretch: int | None) -> bool:
        return self.timeline.strands[place].kind == "input" and self.timeline.stretches[place] == stretch

    def _reads(self, place: int, source: int) -> bool:
        """Whether a strand is another cell, the lowest of its layer, that reads the source."""
        links = [link for link in self.timeline.links if (link.target, link.source.strand) == (place, source)]
        return (
            place != source
            and self.timeline.strands[place].kind == "state"
            and any(link.source.when == SAME for link in links)
        )

    def _x(self, place: int) -> float:
        """Where what is read of a strand stands: its last node, or the middle of all where all are read."""
        boxes = [self.places.boxes[key] for key in self.timeline.keys(place)]
        strand = self.timeline.strands[place]
        if strand.kind == "state" and not self._is_read_at_every_step(place):
            return self.places.boxes[self.timeline.last(place)].x
        return sum(box.x for box in boxes) / len(boxes)

    def _is_read_at_every_step(self, place: int) -> bool:
        return any(link.source.strand == place and link.source.when == ALL for link in self.timeline.links)

    # what a strand adds to the picture

    def _parts(
        self, place: int, layer: float, offset: float
    ) -> tuple[dict[Key, Box], dict[int, Box], list[tuple[Segment, tuple[Key, ...]]]]:
        """The boxes of its nodes, of what it starts from, and the segments of its arrows."""
        timeline = self.timeline
        y = -layer * self.height
        boxes = {key: self.sizes[key].moved(self._column(key) + offset, y) for key in timeline.keys(place)}
        known = self.places.boxes | boxes
        links = [link for link in timeline.links if place in (link.target, link.source.strand)]
        ends = [pair for link in links for pair in timeline.ends(link) if all(key in known for key in pair)]
        new = [(a, b) for a, b in ends if a in boxes or b in boxes]
        segments: list[tuple[Segment, tuple[Key, ...]]] = [(_segment(known[a], known[b]), (a, b)) for a, b in new]
        starts = self._start(place, boxes) if self.with_starts else {}
        segments += [(_segment(at, boxes[timeline.first(place)]), (timeline.first(place),)) for at in starts.values()]
        return boxes, starts, segments

    def _start(self, place: int, boxes: dict[Key, Box]) -> dict[int, Box]:
        lines = start_lines(self.timeline, place)
        if not lines:
            return {}
        first = boxes[self.timeline.first(place)]
        width = _width(lines) + 6
        away = (first.width + width) / 2 + self.room.start
        side = 1 if self.timeline.leftwards(place) else -1
        return {place: Box(first.x + side * away, first.y, width, LINE * len(lines))}

    def _column(self, key: Key) -> float:
        """Where a column is; dots take less room."""
        timeline = self.timeline
        stretch = timeline.stretches[key[0]]
        if stretch is None:
            return 0.0
        columns = timeline.columns[stretch]
        dots = columns.index(None) if None in columns else len(columns)
        narrower = 0.15 * ((key[1] >= dots) + (key[1] > dots))
        return self.origin + (key[1] - narrower) * self.places.pitch

    def _clashes(self, place: int, layer: float, offset: float) -> int:
        boxes, starts, segments = self._parts(place, layer, offset)
        old = self.places
        new = [*boxes.values(), *starts.values()]
        others = [*old.boxes.values(), *old.starts.values()]
        count = sum(overlap(box.grown(_MARGIN), other) for box in new for other in others)
        count += sum(crosses(segment, box.grown(_MARGIN)) for segment, _ in old.segments for box in new)
        known = [*old.boxes.items(), *boxes.items(), *((None, box) for box in old.starts.values())]
        count += sum(
            crosses(segment, box.grown(_MARGIN)) for segment, keys in segments for key, box in known if key not in keys
        )
        return count


def _segment(start: Box, end: Box) -> Segment:
    return Point(start.x, start.y), Point(end.x, end.y)


def _width(lines: tuple[Line, ...]) -> float:
    return 1.125 * max(set_line(line)[1] for line in lines) + 8
