"""Points, boxes and lines of pictures: x to the right, y down, 16 units to the size of the letters."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle by its centre and size; `radius` rounds its corners."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0

    def grown(self, by: float) -> "Box":
        """The box with a margin."""
        return self._replace(width=self.width + 2 * by, height=self.height + 2 * by)

    def moved(self, x: float, y: float) -> "Box":
        """The box at another place."""
        return self._replace(x=self.x + x, y=self.y + y)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return (
            self.x - self.width / 2,
            self.y - self.height / 2,
            self.x + self.width / 2,
            self.y + self.height / 2,
        )


Segment = tuple[Point, Point]


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have points in common."""
    apart = abs(one.x - other.x) * 2 >= one.width + other.width
    return not apart and abs(one.y - other.y) * 2 < one.height + other.height


def crosses(segment: Segment, box: Box) -> bool:
    """Whether a line enters a box (Liang and Barsky 1984)."""
    (x0, y0), (x1, y1) = segment
    left, top, right, bottom = box.edges
    start, end = 0.0, 1.0
    for step, room in ((x0 - x1, x0 - left), (x1 - x0, right - x0), (y0 - y1, y0 - top), (y1 - y0, bottom - y0)):
        if step == 0:
            if room <= 0:
                return False
        elif step < 0:
            start = max(start, room / step)
        else:
            end = min(end, room / step)
    return start < end


def depth(box: Box, point: tuple[float, float]) -> float:
    """How far a point is inside a box with round corners; negative outside."""
    across = abs(point[0] - box.x) - box.width / 2 + box.radius
    down = abs(point[1] - box.y) - box.height / 2 + box.radius
    return box.radius - math.hypot(max(across, 0), max(down, 0)) - min(max(across, down), 0)


def between(start: tuple[float, float], end: tuple[float, float], part: float) -> Point:
    """The point at this part of the way."""
    return Point(start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)


def bounds(boxes: Iterable[Box]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all boxes together."""
    edges = [box.edges for box in boxes]
    return (
        min(edge[0] for edge in edges),
        min(edge[1] for edge in edges),
        max(edge[2] for edge in edges),
        max(edge[3] for edge in edges),
    )


def bezier(path: tuple[Point, ...], part: float) -> Point:
    """The point of a line or curve at this part, by de Casteljau's rule."""
    points = list(path)
    while len(points) > 1:
        points = [between(a, b, part) for a, b in pairwise(points)]
    return points[0]
