r"""Drawings as TikZ: plain coordinates in units of the font, so that the picture grows with the text.

The nodes have names, such as (h_0), so that more can be drawn to them.
"""

import re
from collections.abc import Iterator
from unicodedata import normalize

from symrnn.diagrams.drawing import INK, LOOKS, Arrow, Drawing, Label, Look, Node
from symrnn.diagrams.geometry import Point
from symrnn.diagrams.labels import Line, latex

PREAMBLE = "\\usepackage{tikz}\n\\usetikzlibrary{arrows.meta}"
"""What a document needs before it begins; with a description also the package accsupp."""

_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_SIZES = {16: "", 14: r"\small", 13: r"\footnotesize"}


def render_tikz(drawing: Drawing, description: str | None = None) -> str:
    """The tikzpicture; with a description, as what a PDF reads out in its place."""
    styles = ",\n  ".join(_styles(drawing))
    head = f"\\begin{{tikzpicture}}[x=0.0625em, y=-0.0625em,\n  {styles}]"
    parts = [part for arrow in drawing.arrows for part in _arrow(arrow)]
    parts += [part for node in drawing.nodes for part in _node(node)]
    parts += [part for label in drawing.labels for part in _label(label)]
    picture = "\n".join([_FIT, *_colours(drawing), head, *(f"  {part}" for part in parts), "\\end{tikzpicture}}"])
    if description is None:
        return picture + "\n"
    alt = f"\\leavevmode\\BeginAccSupp{{method=escape, Alt={{{_plain(description)}}}}}%"
    return f"{alt}\n{picture}%\n\\EndAccSupp{{}}\n"


def _plain(description: str) -> str:
    """The description in ASCII and without signs that TeX reads."""
    text = "".join(_WORDS.get(sign, sign) for sign in normalize("NFD", description))
    return " ".join(text.encode("ascii", "ignore").decode().split())


_WORDS = {
    **{"\N{COMBINING MACRON}": " bar", "δ": "delta", "→": "forward", "←": "backward", "&": "and"},
    **dict.fromkeys("_^\\#%~{}$", " "),
}


def _em(units: float) -> str:
    return f"{units / 16:.3f}".rstrip("0").rstrip(".") + "em"


def _number(value: float) -> str:
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")


def _pair(point: tuple[float, float]) -> str:
    return f"({_number(point[0])}, {_number(point[1])})"


# styles -----------------------------------------------------------------------------------------


def _used(drawing: Drawing) -> list[str]:
    found = {arrow.look for arrow in drawing.arrows}
    return [name for name in LOOKS if name in found]


def _colours(drawing: Drawing) -> Iterator[str]:
    for name in _used(drawing):
        if LOOKS[name].colour != INK:
            yield rf"\definecolor{{symrnn{name}}}{{HTML}}{{{LOOKS[name].colour}}}%"


def _styles(drawing: Drawing) -> Iterator[str]:
    """The styles that the drawing uses: of nodes, of text, of arrows by their weights."""
    kinds = {node.kind for node in drawing.nodes}
    yield f"every path/.style={{line width={_em(1.1)}}}"
    yield "every node/.style={inner sep=0pt}"
    yield "letters/.style={anchor=base}"
    if kinds & {"state", "value"}:
        yield "frame/.style={draw, fill=white}"
    yield from (f"{name}/.style={{{_style(name, LOOKS[name])}}}" for name in _used(drawing))


def _style(name: str, look: Look) -> str:
    colour = "" if look.colour == INK else f"symrnn{name}, "
    dashes = f", dash pattern=on {_em(5)} off {_em(3)}" if look.dashed else ""
    double = f", double, double distance={_em(look.width)}" if look.double else ""
    length, width = (10, 9.6) if look.double or look.width > 2 else (8, 6.8)
    head = f"-{{Stealth[length={_em(length)}, width={_em(width)}]}}"
    return f"{colour}line width={_em(look.width)}{dashes}{double}, {head}"


# nodes, arrows, labels --------------------------------------------------------------------------


def _node(node: Node) -> Iterator[str]:
    """A shape with its name, or a name alone."""
    box = node.box
    size = f"minimum width={_em(box.width)}, minimum height={_em(box.height)}"
    kind = f"frame, rounded corners={_em(box.radius - 0.01)}, {size}" if node.kind in ("state", "value") else size
    if node.kind in ("state", "value") and box.width == box.height == 2 * box.radius:
        kind = f"frame, circle, minimum size={_em(box.width)}"
    yield rf"\node[{kind}] ({_name(node)}) at {_pair((box.x, box.y))} {{}};"


def _name(node: Node) -> str:
    """The name of a node in ASCII, without signs that TeX reads."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda sign: f"u{ord(sign[0]):x}", node.name)


def _arrow(arrow: Arrow) -> Iterator[str]:
    start, *controls, end = arrow.path
    way = "--" if not controls else f".. controls {' and '.join(map(_pair, controls))} .."
    yield rf"\draw[{arrow.look}] {_pair(start)} {way} {_pair(end)};"


def _label(label: Label) -> Iterator[str]:
    size = _SIZES[round(label.size)]
    options = ["letters", *([f"font={size}"] if size else []), *(["text=black!67"] if label.colour != INK else [])]
    for place, line in enumerate(label.lines):
        y = label.at.y + ((place - (len(label.lines) - 1) / 2) * 1.25 + 0.32) * label.size
        at = Point(label.at.x, y - (1.1 if line == ("⋯",) else 0))
        yield rf"\node[{', '.join(options)}] at {_pair(at)} {{{_text(line)}}};"


def _text(line: Line) -> str:
    return r"$\cdots$" if line == ("⋯",) else latex(line)
