"""Drawings as SVG: plain shapes and text, nothing from outside, no names that could be taken twice."""

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from symrnn.diagrams.drawing import INK, LOOKS, Arrow, Drawing, Label, Look, Node
from symrnn.diagrams.geometry import Point, bezier
from symrnn.diagrams.labels import TextRun, bar_height, set_line, text_width

FONT = "'Times New Roman', 'Liberation Serif', 'Nimbus Roman', Times, serif"


def render_svg(drawing: Drawing, title: str, description: str) -> str:
    """One svg element, as wide as the drawing, or as the page where that is narrower."""
    left, top, right, bottom = drawing.bounds
    across, down = right - left, bottom - top
    head = _tag(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=" ".join(map(_number, (left, top, across, down))),
        width=across,
        height=down,
        role="img",
        font_family=FONT,
        style="max-width: 100%; height: auto",
    )
    parts = [f"<title>{escape(title)}</title>", f"<desc>{escape(description)}</desc>"]
    parts.append(_tag("rect", "/", x=left, y=top, width=across, height=down, fill="#FFFFFF"))
    parts += [part for arrow in drawing.arrows for part in _arrow(arrow)]
    parts += [part for node in drawing.nodes for part in _node(node)]
    parts += [part for label in drawing.labels for part in _label(label)]
    return "\n".join([head, *parts, "</svg>\n"])


def _number(value: float) -> str:
    """Two decimals at most, and no minus before a zero."""
    return f"{round(value, 2) + 0:.2f}".rstrip("0").rstrip(".")


def _tag(name: str, end: str = "", **attributes: object) -> str:
    """A tag; numbers are shortened, an underscore in a name is a hyphen."""
    texts = {key: _number(value) if isinstance(value, float) else str(value) for key, value in attributes.items()}
    inner = "".join(f" {key.replace('_', '-')}={quoteattr(value)}" for key, value in texts.items())
    return f"<{name}{inner}{end}>"


# nodes ------------------------------------------------------------------------------------------


def _node(node: Node) -> Iterator[str]:
    left, top, _, _ = node.box.edges
    if node.kind in ("state", "value"):
        size = {"width": node.box.width, "height": node.box.height, "rx": node.box.radius}
        yield _tag("rect", "/", x=left, y=top, **size, fill="#FFFFFF", stroke=f"#{INK}", stroke_width=1.1)


def _label(label: Label) -> Iterator[str]:
    for place, line in enumerate(label.lines):
        y = label.at.y + (place - (len(label.lines) - 1) / 2) * 1.25 * label.size
        if line == ("⋯",):
            yield from (_tag("circle", "/", cx=label.at.x + dx, cy=y, r=1.4, fill=f"#{INK}") for dx in (-6, 0, 6))
            continue
        runs, text_width = set_line(line, label.size)
        start, base = label.at.x - text_width / 2, y + 0.32 * label.size
        inner = "".join(_run(run, start, base) for run in runs)
        yield f"{_tag('text', fill=f'#{label.colour}')}{inner}</text>"
        yield from (_bar(run, start, base) for run in runs if run.bar)


def _run(run: TextRun, start: float, base: float) -> str:
    """Text at a place of its own; a space at its beginning is left out, as not every reader keeps it."""
    style = {"font_style": "italic"} if run.italic else {}
    words = run.text.lstrip(" ")
    x = start + run.x + text_width(" " * (len(run.text) - len(words)), run.size)
    tag = _tag("tspan", x=x, y=base - run.rise, font_size=float(run.size), **style)
    return f"{tag}{escape(words)}</tspan>"


def _bar(run: TextRun, start: float, base: float) -> str:
    """The bar over a letter: a combining sign sits differently in every font."""
    (x1, x2), y = run.bar or (0, 0), base - bar_height(run)
    return _tag("line", "/", x1=start + x1, y1=y, x2=start + x2, y2=y, stroke=f"#{INK}", stroke_width=0.9)


# arrows -----------------------------------------------------------------------------------------


def _arrow(arrow: Arrow) -> Iterator[str]:
    """The line, which ends inside the head, and the head."""
    look = LOOKS[arrow.look]
    length, half = head_size(look)
    tip, before = arrow.path[-1], _before(arrow.path, length)
    path = (*arrow.path[:-1], before)
    curve = f"M{_pair(path[0])} " + ("L" if len(path) == 2 else "C") + " ".join(map(_pair, path[1:]))
    dashes = {"stroke_dasharray": "5 3"} if look.dashed else {}
    plain = {"d": curve, "fill": "none"}
    if look.double:
        yield _tag("path", "/", **plain, stroke=f"#{look.colour}", stroke_width=3 * look.width)
        yield _tag("path", "/", **plain, stroke="#FFFFFF", stroke_width=look.width)
    else:
        yield _tag("path", "/", **plain, stroke=f"#{look.colour}", stroke_width=look.width, **dashes)
    yield _tag("path", "/", d=_head(tip, before, length, half), fill=f"#{look.colour}")


def head_size(look: Look) -> tuple[float, float]:
    """Length and half the width of an arrow's head."""
    return (10.0, 4.8) if look.double or look.width > 2 else (8.0, 3.4)


def _before(path: tuple[Point, ...], length: float) -> Point:
    """The point of the path that is a head's length from its end, less the notch of the head."""
    tip, wanted = path[-1], 0.75 * length
    for part in range(200, -1, -1):
        point = bezier(path, part / 200)
        if math.dist(point, tip) >= wanted:
            return point
    return path[0]


def _head(tip: Point, before: Point, length: float, half: float) -> str:
    """A triangle with a notch, as TikZ's Stealth."""
    size = math.dist(tip, before) or 1.0
    x, y = (tip.x - before.x) / size, (tip.y - before.y) / size
    back = Point(tip.x - length * x, tip.y - length * y)
    corners = [tip, Point(back.x - half * y, back.y + half * x), before, Point(back.x + half * y, back.y - half * x)]
    return f"M{' L'.join(map(_pair, corners))} Z"


def _pair(point: Point) -> str:
    return f"{_number(point.x)} {_number(point.y)}"
