"""Labels of pictures: lines of letters, words and numbers, as LaTeX, as text, and as placed glyphs.

SVG has no mathematics, so a letter is set as runs of plain text with its sub- and superscripts. How
wide a run is comes from the widths of Times, which the usual serif fonts share.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symrnn.expressions.names import Name
from symrnn.typesetting.escapes import escaped
from symrnn.typesetting.styles import decimal

SIZE = 16.0
"""The size of the letters of labels; the unit of pictures is 1/16 of it."""
SMALL = 13 / 16
SCRIPT = 0.72


@dataclass(frozen=True)
class Number:
    """A number with seven significant digits and, where it is small, a power of ten."""

    value: float


@dataclass(frozen=True)
class Transposed:
    """The transpose of a matrix."""

    name: Name


Piece = str | Name | Number | Transposed
Line = tuple[Piece, ...]


@dataclass(frozen=True)
class TextRun:
    """A text in one style, from x on; `rise` is how far its base line is above that of the label."""

    text: str
    x: float
    rise: float = 0.0
    size: float = SIZE
    italic: bool = False
    bar: tuple[float, float] | None = None


# text and LaTeX ---------------------------------------------------------------------------------


def text(line: Iterable[Piece]) -> str:
    """The pieces for a terminal, in Unicode."""
    return "".join(_text(piece) for piece in line)


def _text(piece: Piece) -> str:
    if isinstance(piece, Number):
        digits, exponent = decimal(piece.value)
        return digits + (f"e{exponent}" if exponent else "")
    if isinstance(piece, Transposed):
        return f"{piece.name.text}ᵀ"
    return piece.text if isinstance(piece, Name) else piece


def latex(line: Iterable[Piece]) -> str:
    """The pieces in LaTeX's text mode; letters, with only a sign between them, are one formula."""
    pieces = ["", *line, ""]
    texts = []
    for before, piece, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
        inside = piece == " " and not isinstance(before, str) and not isinstance(after, str)
        texts.append("$ $" if inside else _latex(piece))
    return _JOINED.sub("", "".join(texts))


_JOINED = re.compile(r"(?<!\\)\$\$")
"""Where one formula ends and another begins; a dollar after a backslash is text."""


def _latex(piece: Piece) -> str:
    if isinstance(piece, Number):
        digits, exponent = decimal(piece.value)
        return f"${digits}" + (rf" \times 10^{{{exponent}}}" if exponent else "") + "$"
    if isinstance(piece, Transposed):
        base = f"{{{piece.name.latex}}}" if "^" in piece.name.latex else piece.name.latex
        return rf"${base}^{{\mathsf T}}$"
    if isinstance(piece, Name):
        return f"${piece.latex}$"
    return f"${piece}$" if re.fullmatch(r" = \d?", piece) else escaped(piece)


# glyphs -----------------------------------------------------------------------------------------

_ITALIC = {
    278: "fijlt", 333: "I", 389: "rsz", 444: "cekvxyJ", 500: "abdghnopquS", 556: "LTYZ", 611: "ABEFPRVX",
    667: "wCKN", 722: "mDGHOQU", 833: "MW",
}  # fmt: skip
_ROMAN = {
    250: " .,", 278: "ijlt:;/", 333: "frI()[]-", 389: "sJ", 444: "acez", 450: "₀₁₂₃₄₅₆₇₈₉", 500: "bdghknopquvxy",
    556: "FPS", 564: "=+−×<>", 611: "ELTZ", 667: "BCR", 722: "wADGHKNOQUVXY", 778: "m", 889: "M", 944: "W", 1000: "→←",
}  # fmt: skip
_WIDTHS = tuple({sign: width for width, signs in table.items() for sign in signs} for table in (_ROMAN, _ITALIC))
_TALL = frozenset("bdfhklδβθλABCDEFGHIJKLMNOPQRSTUVWXYZ")


def text_width(characters: str, size: float = SIZE, italic: bool = False) -> float:
    """How wide a text is, in Times."""
    return sum(_WIDTHS[italic].get(character, 500) for character in characters) * size / 1000


def set_line(line: Sequence[Piece], size: float = SIZE) -> tuple[tuple[TextRun, ...], float]:
    """The runs of a line, from x = 0 on, and its width."""
    runs: list[TextRun] = []
    x = 0.0
    for piece in line:
        made, x = _set(piece, x, size)
        runs += made
    return tuple(runs), x


def _set(piece: Piece, x: float, size: float) -> tuple[list[TextRun], float]:
    if isinstance(piece, Name):
        return _set_name(piece, x, size)
    if not isinstance(piece, Transposed):
        return _set_words(piece, x, size)
    made, end = _set_name(piece.name, x, size)
    small = SCRIPT * size
    return [*made, TextRun("T", end + 0.06 * size, 0.42 * size, small)], end + text_width("T", small) + 0.06 * size


def _set_words(piece: str | Number, x: float, size: float) -> tuple[list[TextRun], float]:
    if isinstance(piece, str):
        return [TextRun(piece, x, 0, size)], x + text_width(piece, size)
    digits, exponent = decimal(piece.value)
    digits = digits.replace("-", "−") + (" × 10" if exponent else "")
    end = x + text_width(digits, size)
    if not exponent:
        return [TextRun(digits, x, 0, size)], end
    power, small = str(exponent).replace("-", "−"), SCRIPT * size
    return [TextRun(digits, x, 0, size), TextRun(power, end, 0.38 * size, small)], end + text_width(power, small)


def _set_name(name: Name, x: float, size: float) -> tuple[list[TextRun], float]:
    """The base, and from its end on the subscript and above it the superscript."""
    base, below, above = _parts(name)
    end, slant = x + text_width(base, size, italic=True), 0.06 * size
    runs = [TextRun(base, x, 0, size, True, (x + slant, end + slant) if name.mark else None)]
    low, first = _set_script(below, end, -0.22 * size, SCRIPT * size)
    high, second = _set_script(above, end + slant, 0.42 * size, SCRIPT * size)
    return [*runs, *low, *high], max(end, first, second)


def bar_height(run: TextRun) -> float:
    """How far above the base line the bar over a letter is."""
    return (0.75 if run.text in _TALL else 0.54) * run.size


def _parts(name: Name) -> tuple[str, str, str]:
    """Base, subscript and superscript as text."""
    scripts, _, above = replace(name, base="x", mark="").text.removeprefix("x").partition("^")
    below = re.sub(r"_(\d)", lambda found: found[1].translate(_BELOW), scripts.removeprefix("_"))
    return Name(name.base).text, below.strip("{}"), above.strip("{}")


_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _set_script(script: str, x: float, rise: float, size: float) -> tuple[list[TextRun], float]:
    """A subscript or superscript: its single letters slanted, all else upright."""
    runs = []
    for part in _by_kind(script):
        italic = part.isalpha() and len(part) == 1
        runs.append(TextRun(part.replace("-", "−"), x, rise, size, italic))
        x += text_width(runs[-1].text, size, italic)
    return runs, x


def _by_kind(script: str) -> list[str]:
    """The script in pieces: words, and what is between them."""
    pieces: list[str] = []
    for character in script:
        if pieces and pieces[-1][-1].isalpha() == character.isalpha():
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces
