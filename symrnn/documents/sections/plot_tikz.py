"""A plot as TikZ: matplotlib's axes, with their ticks and lines where they are, drawn anew."""

import re
from collections.abc import Iterator
from typing import Any

_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
_DASHES = {"-": "", "--": ", dashed", "-.": ", dash dot", ":": ", dotted"}
_WIDTH, _EM = 24, 5.6
"""How many em the axes are wide, and how many an inch of the figure's height is."""


def axes_tikz(axes: Any, description: str | None = None) -> str:
    """The tikzpicture; with a description, as what a PDF reads out in its place."""
    picture = "\n".join(_picture(axes))
    if description is None:
        return picture + "\n"
    words = " ".join(re.sub(r"[^A-Za-z0-9.,:=+() -]", " ", description).split())
    return f"\\leavevmode\\BeginAccSupp{{method=escape, Alt={{{words}}}}}%\n{picture}%\n\\EndAccSupp{{}}\n"


def _picture(axes: Any) -> Iterator[str]:
    """One unit is as wide, or as high, as the axes."""
    axes.figure.draw_without_rendering()
    height = _EM * axes.figure.get_size_inches()[1] * axes.get_position().height
    yield _FIT
    yield from (rf"\definecolor{{symrnn{name}}}{{HTML}}{{{name}}}%" for name in sorted(set(map(_colour, axes.lines))))
    yield f"\\begin{{tikzpicture}}[x={_WIDTH}em, y={height:.2f}em, font=\\footnotesize]"
    yield r"  \draw (0,1) -- (0,0) -- (1,0);"
    yield from _ticks(axes, 0)
    yield from _ticks(axes, 1)
    yield rf"  \node[below=1.5em] at (0.5,0) {{{axes.get_xlabel()}}};"
    signs = max(len(re.sub(r"\\[a-z]+|[${}^]", "", tick.label1.get_text())) for tick in axes.yaxis.get_major_ticks())
    yield rf"  \node[rotate=90, above={0.8 + 0.5 * signs:.1f}em] at (0,0.5) {{{axes.get_ylabel()}}};"
    for line in axes.lines:
        yield from _line(line, axes)
    for text in axes.texts:
        at = ",".join(f"{value:.4f}" for value in text.get_position())
        yield rf"  \node[right, inner sep=0pt, font=\normalsize] at ({at}) {{{_text(text.get_text())}}};"
    yield "\\end{tikzpicture}}"


def _ticks(axes: Any, side: int) -> Iterator[str]:
    """The marks below (0), or to the left (1), of the axes, and what they are counted in."""
    axis = (axes.xaxis, axes.yaxis)[side]
    node, out = (("below", "(0,-0.3em)"), ("left", "(-0.3em,0)"))[side]
    places = axes.transData + axes.transAxes.inverted()
    corner = (axes.get_xlim()[0], axes.get_ylim()[0])
    for tick in axis.get_major_ticks():
        value = (tick.get_loc(), corner[1]) if side == 0 else (corner[0], tick.get_loc())
        at = places.transform(value)
        if -1e-6 <= at[side] <= 1 + 1e-6:
            yield rf"  \draw ({at[0]:.4f},{at[1]:.4f}) -- +{out} node[{node}] {{{_text(tick.label1.get_text())}}};"
    if axis.get_offset_text().get_text():
        yield rf"  \node[above right] at (0,1) {{{_text(axis.get_offset_text().get_text())}}};"


def _line(line: Any, axes: Any) -> Iterator[str]:
    """A line, and a point at each step where matplotlib has a sign."""
    places = line.get_transform() + axes.transAxes.inverted()
    points = " ".join(f"({x:.4f},{y:.4f})" for x, y in places.transform(line.get_xydata()))
    colour = f"symrnn{_colour(line)}"
    yield rf"  \draw[{colour}, line width=0.13em{_DASHES[line.get_linestyle()]}] plot coordinates {{{points}}};"
    if line.get_marker() not in ("", "None"):
        yield rf"  \fill[{colour}] plot[only marks, mark=*, mark size=0.18em] coordinates {{{points}}};"


def _colour(line: Any) -> str:
    return line.get_color().removeprefix("#")


def _text(text: str) -> str:
    """A label of matplotlib: mathematics as it is, else its signs escaped."""
    if len(text) > 1 and text.startswith("$") and text.endswith("$"):
        return text.replace(r"\mathdefault", "")
    return "".join(_ESCAPED.get(sign, sign) for sign in text.replace(r"\$", "$"))


_ESCAPED = {
    **{sign: f"\\{sign}" for sign in "&%#_{}$"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$"},
    **{"<": "$<$", ">": "$>$"},
}
