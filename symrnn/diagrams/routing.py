"""Arrows between placed nodes, and their labels where nothing else is."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from symrnn.diagrams.drawing import Arrow, Label, label_box
from symrnn.diagrams.geometry import Box, Point, Segment, between, bezier, crosses, depth, overlap
from symrnn.diagrams.labels import SIZE, Line

_PARTS = (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.2, 0.8)
_GAP = 3.5


def straight(start: Box, end: Box, rise: float = 0.0, fall: float = 0.0) -> tuple[Point, ...]:
    """The line between two boxes, `rise` and `fall` below their centres, without what is inside them."""
    source, target = Point(start.x, start.y + rise), Point(end.x, end.y + fall)
    return _leave(start, source, target), _leave(end, target, source)


def _leave(box: Box, inside: Point, outside: Point) -> Point:
    """Where a line from inside a box leaves it, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if depth(box, between(inside, outside, middle)) > 0 else (low, middle)
    return between(inside, outside, low)


def loop(box: Box, side: int, size: int) -> tuple[Point, ...]:
    """A curve from the lower to the upper part of a side, 1 for the right; a greater one for a greater size."""
    height = (0.32 + 0.12 * size) * box.height
    out = 34.0 + 22 * size
    low, high = (straight(box, Box(box.x + side * box.width, box.y + 2 * y, 0, 0))[0] for y in (height, -height))
    return (
        low,
        Point(low.x + side * out, low.y + 10 + 4 * size),
        Point(high.x + side * out, high.y - 10 - 4 * size),
        high,
    )


def segments(path: Sequence[Point]) -> list[Segment]:
    """A path as straight pieces."""
    if len(path) == 2:
        return [(path[0], path[1])]
    points = [bezier(tuple(path), i / 12) for i in range(13)]
    return list(pairwise(points))


@dataclass(frozen=True)
class Wanted:
    """A label to be placed: its lines, its size, and on which side: 1 above or left, -1 below or right."""

    lines: tuple[Line, ...]
    side: int = 1
    size: float = SIZE


Bundle = tuple[Sequence[Arrow], Sequence[Sequence[Wanted]]]
"""Arrows, and for each label that they have, what it says on each of them."""


def with_labels(bundles: Sequence[Bundle], boxes: Sequence[Box]) -> tuple[list[Arrow], float]:
    """The arrows with their labels, and how much these cover.

    The labels of a bundle, such as all arrows V, are at the same part of each, if there they cover nothing.
    """
    obstacles = Obstacles(list(boxes), [])
    for arrows, _ in bundles:
        obstacles.lines += [segment for arrow in arrows for segment in segments(arrow.path)]
    done: list[Arrow] = []
    for arrows, rows in sorted(bundles, key=lambda bundle: not bundle[1]):
        made = list(arrows)
        for row in rows:
            placed = obstacles.place([list(_beside(arrow, wanted)) for arrow, wanted in zip(arrows, row, strict=True)])
            made = [replace(arrow, labels=(*arrow.labels, label)) for arrow, label in zip(made, placed, strict=True)]
        done += made
    return done, obstacles.covered


@dataclass
class Obstacles:
    """What labels must not cover; each one placed is added. `covered` is how much they do."""

    boxes: list[Box]
    lines: list[Segment]
    margin: float = 1.0
    covered: float = 0.0

    def cost(self, label: Label) -> float:
        """How much a label covers."""
        box = label.box.grown(self.margin)
        hidden = sum(overlap(box, other) for other in self.boxes)
        return 10 * hidden + sum(crosses(line, box) for line in self.lines)

    def place(self, candidates: Sequence[Sequence[Label]]) -> list[Label]:
        """For each of several labels one of its candidates: the same one for all if one is free for all."""
        for together in zip(*candidates, strict=False):
            apart = not any(overlap(a.box, b.box) for a, b in combinations(together, 2))
            if apart and not any(self.cost(label) for label in together):
                self.boxes += [label.box for label in together]
                return list(together)
        chosen: list[Label] = []
        for own in candidates:
            chosen.append(min(own, key=self.cost))
            self.covered += self.cost(chosen[-1])
            self.boxes.append(chosen[-1].box)
        return chosen


def _beside(arrow: Arrow, wanted: Wanted) -> Iterator[Label]:
    """Places for a label, the best first: along the arrow, on the side that is wanted and on the other."""
    box, curved = label_box(wanted.lines, wanted.size), len(arrow.path) == 4
    x, y = _across(arrow.path)
    away = _GAP * (1 + curved) + abs(x) * box.width / 2 + abs(y) * box.height / 2
    for side in (wanted.side, -wanted.side):
        for part in _PARTS[: 3 if curved else None]:
            point = bezier(arrow.path, part)
            yield Label(wanted.lines, Point(point.x + side * away * x, point.y + side * away * y), wanted.size)


def _across(path: tuple[Point, ...]) -> Point:
    """The direction across a path: up where it is level, else left; away from the node for a loop."""
    if len(path) == 4:
        return Point(1.0 if path[1].x > path[0].x else -1.0, 0.0)
    dx, dy = path[1].x - path[0].x, path[1].y - path[0].y
    length = math.hypot(dx, dy) or 1.0
    across = Point(-dy / length, dx / length)
    upward = across.y < 0 if abs(dy) < 0.3 * abs(dx) else across.x < 0
    return across if upward else Point(-across.x, -across.y)


def around(box: Box, lines: tuple[Line, ...], size: float = SIZE) -> Iterator[Label]:
    """Places for a label at a node: at its corners, then beside it."""
    own = label_box(lines, size)
    x, y = (box.width + own.width) / 2 + 2, (box.height + own.height) / 2
    corners = [(across, down) for by in (0.8, 1.3) for down in (-by, by) for across in (1, -1)]
    for across, down in (*corners, (1, 0), (-1, 0), (0, -1.1), (0, 1.1)):
        yield Label(lines, Point(box.x + across * x, box.y + down * y), size)


def free(boxes: Iterable[Box], others: Sequence[Box], lines: Sequence[Segment], margin: float) -> int:
    """How many of the other boxes and lines the boxes touch."""
    grown = [box.grown(margin) for box in boxes]
    touched = sum(overlap(box, other) for box in grown for other in others)
    return touched + sum(crosses(line, box) for box in grown for line in lines)
