r"""Displayed formulas read back into rows: the text of an align, a split or a formula alone."""

import re
from collections.abc import Iterator

from symrnn.typesetting.layout import DisplayRow

_ENVIRONMENT = re.compile(
    r"\\begin\{(?P<name>align|aligned|alignat|alignedat|split|gather|gathered|equation|multline)(?P<star>\*?)\}"
    r"(?:\[[^]]*\]|\{\d+\})?(?P<body>.*)\\end\{(?P=name)(?P=star)\}",
    re.DOTALL,
)
_NUMBERING = re.compile(r"\\(?:label\{[^{}]*\}|notag\b|nonumber\b)\s*")
_TAG = re.compile(r"\\tag\*?\{(?P<tag>(?:[^{}]|\{[^{}]*\})*)\}\s*")
_TOKEN = re.compile(r"\\begin\{|\\end\{|\\\\(?:\s*\[[^]]*\])?|\\.|\n[ \t]*\n|.", re.DOTALL)
_POINTS = re.compile(r"\[\s*(?P<points>\d+)(?:\.\d+)?pt\s*\]$")


def rows_of(latex: str) -> tuple[DisplayRow, ...]:
    r"""The rows and cells of a display: split at `\\`, at empty lines, and at `&`.

    >>> rows_of(r"\begin{split}y &= W h \\[3pt] &\quad + b\end{split}")
    (Row(cells=('y', '= W h'), tag='', gap=0), Row(cells=('', r'\quad + b'), tag='', gap=3))
    """
    text = latex.strip()
    while match := _ENVIRONMENT.fullmatch(text):
        text = match["body"].strip()
    found = [_row(cells, gap) for cells, gap in _split(_NUMBERING.sub("", text))]
    return tuple(row for row in found if any(row.cells))


def _split(text: str) -> Iterator[tuple[list[str], int]]:
    """The cells of each row, and the room above it; what stands in braces or an environment is whole."""
    cells, gap, depth = [""], 0, 0
    for sign in _TOKEN.findall(text):
        if depth == 0 and (sign.startswith("\\\\") or (not sign.strip() and sign.count("\n") == 2)):
            yield cells, gap
            points = _POINTS.search(sign)
            cells, gap = [""], int(points["points"]) if points else 0
        elif depth == 0 and sign == "&":
            cells.append("")
        else:
            depth += _DEPTH.get(sign, 0)
            cells[-1] += sign
    yield cells, gap


_DEPTH = {"{": 1, "}": -1, "\\begin{": 2, "\\end{": 0}
"""How much deeper a sign leads; the brace of an environment's name closes one of the two of its beginning."""


def _row(cells: list[str], gap: int) -> DisplayRow:
    tags = [match["tag"] for cell in cells for match in _TAG.finditer(cell)]
    texts = [_TAG.sub("", cell).strip() for cell in cells]
    texts[2::2] = [text.removeprefix(r"\quad").lstrip() for text in texts[2::2]]  # between pairs of columns
    return DisplayRow(tuple(texts), tags[0] if tags else "", gap)
