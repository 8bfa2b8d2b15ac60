"""How wide a formula is set: points in LaTeX, columns in a terminal."""

import re
import unicodedata

_TOKEN = re.compile(r"\\[a-zA-Z]+|[_^](?:\{[^{}]*\}|.)|.", re.DOTALL)
_POINTS = {
    "\\tanh": 22,
    "\\sum": 8,
    "\\odot": 12,
    "\\sigma": 6,
    "\\delta": 5,
    "\\dots": 15,
    "\\cdots": 15,
    "\\exp": 17,
    "\\log": 14,
    "\\times": 12,
    "\\approx": 13,
    "\\ne": 13,
    "\\ge": 13,
    "\\partial": 6,
    "\\lVert": 5,
    "\\rVert": 5,
}
_GREEK = ("alpha", "beta", "gamma", "eta", "theta", "kappa", "mu", "nu", "xi", "rho", "tau", "phi", "psi", "omega")
_POINTS |= {f"\\{name}": 6 for name in _GREEK}
_POINTS |= {"+": 12, "-": 12, "=": 13, "(": 4, ")": 4, " ": 0, "{": 0, "}": 0, ",": 4}


def points(latex: str) -> int:
    """About how wide a formula is set, in points: symbols 6, commands by a table, scripts smaller.

    A subscript and the superscript after it stand above each other; a matrix is as wide as the
    widest entry of each column, a fraction as the wider of its parts; there may be matrices in cases.
    """
    latex = _FRACTION.sub(lambda match: max(match[1], match[2], key=points), latex)
    found = 1
    while found:
        latex, found = _MATRIX.subn(lambda match: rf"\hspace{{{_matrix_points(match[2])}}}", latex)
    spaces = map(int, _SPACE.findall(latex))
    latex = _WORDS.sub(r"\1", _SPACE.sub("", latex))
    total = before = 0.0
    for token in _TOKEN.findall(latex):
        if token[0] in "_^":
            own = _script_points(token)
            total += max(own - before, 0.0)
            before = own if token[0] == "_" else 0.0
        else:
            total += _POINTS.get(token, 0 if token[0] == "\\" else 5.6)
            before = 0.0
    return int(1.06 * total) + sum(spaces)


_GROUP = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
_FRACTION = re.compile(rf"\\frac{_GROUP}{_GROUP}")
_MATRIX = re.compile(r"\\begin\{(pmatrix|cases)\}((?:(?!\\begin).)*?)\\end\{\1\}", re.DOTALL)  # with none in it
_SPACE = re.compile(r"\\hspace\{(\d+)\}")
_WORDS = re.compile(r"\\text\{([^{}]*)\}")


def _matrix_points(body: str) -> int:
    """The width of a matrix: its columns, 10 points between them, and the parentheses."""
    columns = zip(*(row.split("&") for row in body.split(r"\\")), strict=False)
    return int(sum(max(map(_entry_points, column)) + 10 for column in columns)) + 8


def _entry_points(cell: str) -> float:
    """The width of an entry: a number's digits are 5 wide, its point 3, its minus 8."""
    number = cell.strip()
    if not number.lstrip("-").replace(".", "", 1).isdigit():
        return points(cell)
    return sum({".": 3.0, "-": 8.0}.get(sign, 5.1) for sign in number)


def _script_points(token: str) -> float:
    """The width of a script without its sign and braces: a sign or a command 6.5, a comma 2.5, others 4.5."""
    signs = re.findall(r"\\[a-zA-Z]+|.", token[1:].strip("{}").replace("\\mathsf", "").replace(" ", ""))
    widths = {",": 2.5, "(": 3.5, ")": 3.5, "-": 6.5, "+": 6.5, "=": 6.5, "{": 0.0, "}": 0.0}
    return sum(widths.get(sign, 8.0 if sign[0] == "\\" else 4.5) for sign in signs)


def columns_taken(text: str) -> int:
    """The columns that a text takes in a terminal; a bar over a letter takes none."""
    return sum(not unicodedata.combining(sign) for sign in text)
