"""A picture as a value: nodes, arrows and titles with their places; what SVG and TikZ are both made from."""

from dataclasses import dataclass, field

from symrnn.diagrams.geometry import Box, Point, bounds
from symrnn.diagrams.labels import SIZE, Line, set_line


@dataclass(frozen=True)
class Look:
    """How an arrow is drawn: its colour and width, and whether it is double or dashed."""

    colour: str
    width: float
    double: bool = False
    dashed: bool = False


LOOKS: dict[str, Look] = {
    "U": Look("0072B2", 1.3),
    "V": Look("D55E00", 2.8),
    "W": Look("009E73", 1.3, double=True),
    "plain": Look("000000", 1.1),
    "back": Look("000000", 1.2, dashed=True),
}
"""Thin, thick and double say what the colours say; these have a contrast on white of 5.2, 3.9 and 3.4."""
INK, FAINT = "000000", "555555"


@dataclass(frozen=True)
class Label:
    """Lines of text by their common centre."""

    lines: tuple[Line, ...]
    at: Point
    size: float = SIZE
    colour: str = INK

    @property
    def box(self) -> Box:
        """The room that it takes."""
        return label_box(self.lines, self.size).moved(*self.at)


def label_box(lines: tuple[Line, ...], size: float) -> Box:
    """The room of lines, around the origin; an eighth more than in Times, for TeX's wider letters."""
    return Box(0, 0, 1.125 * max(set_line(line, size)[1] for line in lines), 1.2 * len(lines) * size)


@dataclass(frozen=True)
class Node:
    """What stands at a place: a kind, lines of text, and the box that arrows end at.

    `offsets` are how far below the centre the lines are, of this `size`. `name` is an identifier, `text`
    what it is called, `column` where it comes in reading order.
    """

    name: str
    kind: str
    box: Box
    lines: tuple[Line, ...]
    offsets: tuple[float, ...]
    text: Line
    size: float = SIZE
    column: int = 0

    @property
    def labels(self) -> tuple[Label, ...]:
        """Its lines as labels."""
        pairs = zip(self.lines, self.offsets, strict=True)
        return tuple(
            Label((line,), Point(self.box.x, self.box.y + offset), self.size) for line, offset in pairs if line
        )


@dataclass(frozen=True)
class Arrow:
    """From node to node, by name: a line of two points or a curve of four, its look and its labels.

    `carries` is what it brings, `by` the weights by which that is multiplied.
    """

    start: str
    end: str
    path: tuple[Point, ...]
    look: str
    carries: Line
    by: Line = ()
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class Group:
    """The nodes of a layer, and its name beside them."""

    title: str
    nodes: tuple[str, ...]
    label: Label


@dataclass(frozen=True)
class Drawing:
    """All that is drawn."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    groups: tuple[Group, ...] = ()
    notes: tuple[Label, ...] = field(default=())

    @property
    def labels(self) -> tuple[Label, ...]:
        """All text in it."""
        found = [label for node in self.nodes for label in node.labels]
        found += [label for arrow in self.arrows for label in arrow.labels]
        return (*found, *(group.label for group in self.groups), *self.notes)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, with a margin."""
        boxes = [node.box for node in self.nodes] + [label.box for label in self.labels]
        boxes += [Box(*point, 4, 4) for arrow in self.arrows for point in arrow.path]
        left, top, right, bottom = bounds(boxes)
        return left - 6, top - 6, right + 6, bottom + 6
