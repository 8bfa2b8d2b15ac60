"""Lines of equations as a block: broken where they are too wide, aligned at the sign of equality."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symrnn.typesetting.styles import LATEX, TEXT, Style
from symrnn.typesetting.widths import columns_taken, points

_ROOM = {LATEX: 322, TEXT: 100}
"""What fits in a line: points of a page set in 10 pt article, columns of a terminal."""


@dataclass(frozen=True)
class Line:
    """lhs = the terms of a sum, each a list of factors; `note` says for which t, `value` is the result."""

    lhs: str
    terms: list[list[str]]
    note: str = ""
    value: str = ""
    name: str = ""
    adjoint: bool = False


@dataclass(frozen=True)
class DisplayRow:
    """One row of a display: cells set to the right and to the left in turn, as in align.

    `gap` is how much more room there is above it, in points.
    """

    cells: tuple[str, ...]
    tag: str = ""
    gap: int = 0

    @property
    def continues(self) -> bool:
        """Whether it goes on with the formula of the row before."""
        return not self.cells[0]


def rows(lines: Sequence[Line], room: int = _ROOM[LATEX]) -> list[DisplayRow]:
    """The lines in LaTeX, broken so that each fits in `room` points; more room before the adjoint lines."""
    found: list[DisplayRow] = []
    margin = max((points(line.lhs) for line in lines), default=0)
    for before, line in zip([None, *lines], lines, strict=False):
        first, *rest = _broken(line, LATEX, room - margin - (8 if line.note else 0))  # for the space before the note
        note = f"{LATEX.space}{line.note}" if line.note else ""
        texts = [f"= {first}", *(f"\\qquad {piece}" for piece in rest)]
        texts[-1] += note
        value = ("", line.value) if line.value else ()
        gap = _gap(before, line) if before else 0
        found.append(DisplayRow((line.lhs, texts[0], *(() if rest else value)), gap=gap))
        found += [DisplayRow(("", text)) for text in texts[1:-1]]
        found += [DisplayRow(("", texts[-1], *value))] if rest else []
    return found


def align(rows: Sequence[DisplayRow], show: Callable[[DisplayRow], str] | None = None) -> str:
    """One align* block; `show` writes a row, with its label where that is shown."""
    texts = ["    " * row.continues + (show or cells)(row) for row in rows]
    text = texts[0] if rows else ""
    for row, following in zip(rows[1:], texts[1:], strict=True):
        text += f" \\\\{f'[{row.gap}pt]' if row.gap else ''}\n{following}"
    return f"\\begin{{align*}}\n{text}\n\\end{{align*}}"


def cells(row: DisplayRow) -> str:
    """The cells with the signs that align them."""
    text = row.cells[0]
    for before, cell in pairwise(row.cells):
        text += f"{' ' if before else ''}&{cell}"
    return text


def _gap(before: Line, line: Line) -> int:
    """More room where the way back begins, and between fractions."""
    if before.adjoint != line.adjoint:
        return 6
    return 3 if before.lhs.startswith(r"\frac") and line.lhs.startswith(r"\frac") else 0


def _broken(line: Line, style: Style, room: int) -> list[str]:
    """The right side of a line in pieces that fit in the room, beside its note or value."""
    width = points if style is LATEX else columns_taken
    return pieces(line.terms, room - width(line.note + line.value), style)


def pieces(terms: list[list[str]], room: int, style: Style = LATEX) -> list[str]:
    """A sum in pieces that fit in the room: broken before a term, or in one before a factor."""
    width = points if style is LATEX else columns_taken
    indent = 30 if style is LATEX else 4
    found, used = [""], 0
    for term in [[part for factor in term for part in _apart(factor, style)] for term in terms]:
        widths = [width(factor) + (style is TEXT) for factor in term]  # with the space before it
        if used and used + sum(widths) > room:
            found.append("{}" if style is LATEX else "")
            used = indent
        for i, (factor, size_) in enumerate(zip(term, widths, strict=True)):
            if i and used + size_ > room:
                found.append(factor if factor.startswith(style.had.strip()) else style.times + factor)
                used = indent
            else:
                found[-1] += (" " if found[-1] else "") + factor
            used += size_
    return found


def _apart(factor: str, style: Style) -> list[str]:
    """A product entry by entry as its factors, each with the sign before it; parentheses stay whole."""
    sign = style.had.strip()
    found, depth = [""], 0
    for part in re.split(r"([(){}]|" + re.escape(sign) + ")", factor):
        if part == sign and depth == 0:
            found[-1] = found[-1].rstrip()
            found.append("")
        depth += (part in ("(", "{")) - (part in (")", "}"))
        found[-1] += part
    return found


def flat(terms: Iterable[Iterable[str]]) -> str:
    """The terms, lists of factors, in one line."""
    return " ".join(" ".join(term) for term in terms)


def plain_text(lines: list[Line]) -> str:
    """Text with the signs of equality below each other, an empty line before the adjoint lines."""
    margin = max((columns_taken(line.lhs) for line in lines), default=0)
    beside = max((columns_taken(TEXT.space + (line.note or line.value)) for line in lines), default=0)
    rooms = [_ROOM[TEXT] - margin - 3 - (beside if line.note or line.value else 0) for line in lines]
    broken = [pieces(line.terms, room, TEXT) for line, room in zip(lines, rooms, strict=True)]
    rows = [
        [f"{' ' * (margin - columns_taken(line.lhs))}{line.lhs} = {pieces[0].strip()}"]
        + [" " * (margin + 6) + piece.strip() for piece in pieces[1:]]
        for line, pieces in zip(lines, broken, strict=True)
    ]
    column = max(
        (columns_taken(row[-1]) for line, row in zip(lines, rows, strict=True) if line.note or line.value), default=0
    )
    text: list[str] = []
    for before, line, row in zip([None, *lines], lines, rows, strict=False):
        text += [""] if before is not None and before.adjoint != line.adjoint else []
        right = " " * (column - columns_taken(row[-1])) + TEXT.space + (line.note or line.value)
        text += [*row[:-1], (row[-1] + right).rstrip()]
    return "\n".join(text)
