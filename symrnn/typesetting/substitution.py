r"""Formulas with numbers put in, position by position: U x_0 + b_h is 1.4501959 \times 1 + 0.

What was given stands in full. What was computed has seven significant digits, in matrices four
decimals, and is carried unrounded. A difference 1 - h^2 that cancels shows h with so many decimals
that seven digits of the difference are right: with n zeros behind its point, 7 + n.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sympy import Add, Expr, MatrixSymbol, Pow, Rational, Symbol, Transpose

from symrnn.common.decimals import shortest
from symrnn.expressions.matrices import substitute
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.programs.program import Equation, Names, symbols_of
from symrnn.typesetting.expressions import Context, terms_of
from symrnn.typesetting.layout import DisplayRow, flat, pieces
from symrnn.typesetting.styles import ADD, ATOM, LATEX, MUL, Text, decimal
from symrnn.typesetting.widths import points

ROOM, PAGE = 420, 455
"""Points that a display may take beside its label, and that a line of a page has."""
CORNERS = (6, 4)
"""Beyond this many rows and columns a matrix shows its corners."""
CANCELS = 0.01
"""Below this a difference 1 - h^2 is worked out with the square first."""
_DIGITS, _LAST = 7, 10**9


@dataclass(frozen=True)
class Numbers:
    """The values of symbols by name; which of them were given; those known exactly, as fractions."""

    values: Mapping[str, np.ndarray]
    given: frozenset[str] = frozenset()
    exact: Mapping[str, Rational] = field(default_factory=dict)

    def scalar(self, symbol: Expr) -> float:
        """The value of a symbol that is one number."""
        return float(np.asarray(self.values[symbol.name]).reshape(()))

    def matrix(self, symbol: MatrixSymbol) -> np.ndarray:
        """The value of a matrix; what has one axis is a row."""
        return np.asarray(self.values[symbol.name], float).reshape(tuple(map(int, symbol.shape)))


@dataclass(frozen=True)
class Chain:
    """lhs = formula = numbers put in = ... = result; the members but the last as lists of terms."""

    lhs: str
    formula: list[list[str]]
    members: tuple[list[list[str]], ...]
    result: str
    gap: int = 0


def chain(equation: Equation, numbers: Numbers, names: Names, gap: int = 0) -> Chain:
    """An equation with its numbers; a right side that is a number, or one symbol, has less between."""
    plain = Context(LATEX, names)
    formula = terms_of(equation.rhs, plain)
    lhs = plain.show(equation.lhs)
    members = _scalar_members if isinstance(equation.lhs, Symbol) else _matrix_members
    if not symbols_of([equation.rhs]):
        ones = isinstance(equation.lhs, MatrixSymbol) and equation.lhs.shape != (1, 1)
        return Chain(lhs, formula, (), _result(equation.lhs, numbers) if ones else "", gap)
    return Chain(lhs, formula, tuple(members(equation.rhs, numbers, names)), _result(equation.lhs, numbers), gap)


def exactly(equations: Sequence[Equation], numbers: Numbers) -> Numbers:
    """The numbers, with those that are sums and products of given ones as exact fractions."""
    exact: dict[str, Rational] = {name: _fraction(numbers, name) for name in numbers.given}
    for equation in equations:
        names = {symbol.name: symbol for symbol in symbols_of([equation.rhs])}
        if isinstance(equation.lhs, Symbol) and names.keys() <= exact.keys() and equation.rhs.is_polynomial():
            value = equation.rhs.xreplace({symbol: exact[name] for name, symbol in names.items()})
            if isinstance(value, Rational) and _is_short(value):
                exact[equation.lhs.name] = value
    return replace(numbers, exact=exact)


def _fraction(numbers: Numbers, name: str) -> Rational:
    array = np.asarray(numbers.values[name])
    return Rational(_shortest(float(array.reshape(())))) if array.size == 1 else Rational(0)


def _is_short(value: Rational) -> bool:
    """Whether the decimals end after at most nine."""
    return (value * 10**9).q == 1 and abs(value) < 10**7


# numbers as texts -------------------------------------------------------------------------------


def _shortest(value: float) -> str:
    """The shortest decimal that reads back, in float32 where the number is a float32."""
    text = shortest(value)
    return text.removesuffix(".0")


def written(value: float, given: bool = False) -> str:
    """A number in LaTeX: in full, or with seven significant digits and a power of ten where it is small."""
    if given:
        digits, _, exponent = _shortest(value).partition("e")
    else:
        digits, power = decimal(value)
        exponent = str(power) if power else ""
    return digits + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def _finite(value: Rational) -> str:
    """The decimals of a fraction that end."""
    text = f"{float(value):.9f}".rstrip("0").rstrip(".")
    return text if text != "-0" else "0"


def _named(symbol: Expr, numbers: Numbers) -> str:
    if symbol.name in numbers.exact and symbol.name not in numbers.given:
        return _finite(numbers.exact[symbol.name])
    return written(numbers.scalar(symbol), symbol.name in numbers.given)


def _text(latex: str) -> Text:
    """A number as a factor: a negative one in parentheses."""
    if latex.startswith("-"):
        return Text(f"({latex})", ATOM)
    return Text(latex, MUL if "times" in latex else ATOM)


def matrix(values: np.ndarray, given: bool = False) -> Text:
    """A matrix of numbers, one power of ten in front where all are small; a single one as a number."""
    if values.size == 1:
        return _text(written(float(values.reshape(())), given))
    power = min(_power(values), 0) if given else _power(values)
    rows = r" \\ ".join(" & ".join(row) for row in _corners(values, power, given))
    text = rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
    return Text(rf"10^{{{power}}} {text}", MUL) if power else Text(text, ATOM)


def _power(values: np.ndarray) -> int:
    """The power of ten to take out: of matrices with no entry from 0.01 to 1000."""
    largest = float(np.max(np.abs(values), initial=0.0))
    if not math.isfinite(largest) or largest == 0 or 1e-2 <= largest < 1e3:
        return 0
    return math.floor(math.log10(largest))


def _entry(value: float, given: bool) -> str:
    short = _shortest(value)
    if (given or value == round(value)) and len(short) <= 6 and "e" not in short:
        return short
    text = f"{value:.4f}"
    return text if float(text) else text.removeprefix("-")


def _corners(values: np.ndarray, power: int, given: bool) -> list[list[str]]:
    """The entries; of more than `CORNERS` rows or columns the first two, dots, and the last."""
    (rows, more_rows), (columns, more_columns) = map(_ends, values.shape, CORNERS)
    shown = [[_entry(value, given) for value in row] for row in values[np.ix_(rows, columns)] / 10.0**power]
    wide = [[*row[:-1], r"\cdots", row[-1]] if more_columns else row for row in shown]
    return [*wide[:-1], [r"\vdots"] * len(wide[0]), wide[-1]] if more_rows else wide


def _ends(count: int, most: int) -> tuple[list[int], bool]:
    """The places that are shown, and whether there are more between the last two."""
    return (list(range(count)), False) if count <= most else ([0, 1, count - 1], True)


# members ----------------------------------------------------------------------------------------


def _result(symbol: Expr, numbers: Numbers) -> str:
    """= where the shown number is the number, about otherwise."""
    if symbol.name in numbers.exact:
        return f"= {_finite(numbers.exact[symbol.name])}"
    if isinstance(symbol, MatrixSymbol):
        values = numbers.matrix(symbol)
        whole = bool(np.all(values == np.round(values)))
        sign = "=" if whole else r"\approx"
        return f"{sign} {_bare(matrix(values).text)}"
    return LATEX.value(numbers.scalar(symbol))


def _bare(text: str) -> str:
    """A number without the parentheses that only a factor needs."""
    return text[1:-1] if text.startswith("(-") and text.endswith(")") else text


def _scalar_members(expr: Expr, numbers: Numbers, names: Names) -> Iterator[list[list[str]]]:
    """The numbers put in; then each 1 - h^2 worked out, with the square first where it cancels."""
    texts = {symbol: _text(_named(symbol, numbers)) for symbol in symbols_of([expr])}
    if expr.is_Symbol:
        return
    differences = _differences(expr)
    for symbol, power in differences.values():
        texts[symbol] = _text(_precise(symbol, power, numbers))
    context = Context(LATEX, names, texts, times=LATEX.times)
    yield _unbracketed(terms_of(expr, context))
    if not differences or expr in differences:
        return
    marks = {part: Symbol(f"_difference{i}", real=True) for i, part in enumerate(differences)}
    after = replace(context, names={**names, **{mark: Name("z", time=_LAST) for mark in marks.values()}})
    shown = {marks[part]: (numbers.scalar(symbol), power) for part, (symbol, power) in differences.items()}
    put = expr.xreplace(marks)
    if any(power == 2 and abs(1 - h**2) < CANCELS for h, power in shown.values()):
        squares = {mark: Text(_square(h, power), ADD) for mark, (h, power) in shown.items()}
        yield _unbracketed(terms_of(put, replace(after, texts={**texts, **squares})))
    values = {mark: _text(written(1 - h**power)) for mark, (h, power) in shown.items()}
    yield _unbracketed(terms_of(put, replace(after, texts={**texts, **values})))


def _differences(expr: Expr) -> dict[Expr, tuple[Expr, int]]:
    """The parts 1 - s and 1 - s^2 of an expression, each with its symbol and power."""
    found = {}
    for part in sorted(expr.atoms(Add), key=str):
        rest = 1 - part
        base, power = (rest.base, rest.exp) if isinstance(rest, Pow) else (rest, 1)
        if base.is_Symbol and power in (1, 2):
            found[part] = base, int(power)
    return found


def _zeros(difference: float) -> int:
    return max(0, math.ceil(-math.log10(abs(difference)))) if difference else 0


def decimals(difference: float) -> int:
    """How many decimals of h are needed for seven digits of the difference 1 - h^2."""
    return _DIGITS + _zeros(difference)


def _precise(symbol: Expr, power: int, numbers: Numbers) -> str:
    """The value with enough decimals for seven digits of the difference."""
    value = numbers.scalar(symbol)
    if symbol.name in numbers.given or symbol.name in numbers.exact or value == round(value):
        return _named(symbol, numbers)
    return f"{value:.{decimals(1 - value**power)}f}" if abs(value) >= 1e-3 else _named(symbol, numbers)


def _square(value: float, power: int) -> str:
    if power == 1:
        return f"1 - {written(value)}"
    return f"1 - {value**2:.{_DIGITS - 1 + _zeros(1 - value**2)}f}"


def _unbracketed(terms: list[list[str]]) -> list[list[str]]:
    """A negative number at the very beginning needs no parentheses."""
    text = terms[0][0]
    close = text.find(")")
    if text.startswith("(-") and "(" not in text[1:close] and text[close + 1 : close + 2] != "^":
        terms[0][0] = text[1:close] + text[close + 1 :]
    return terms


def _matrix_members(expr: Expr, numbers: Numbers, names: Names) -> Iterator[list[list[str]]]:
    """The numbers put in; a slope such as 1 - h o h and a transposed matrix as numbers, too."""
    if isinstance(expr, MatrixSymbol):
        return
    marks: dict[Expr, Expr] = {}
    texts: dict[Expr, Text] = {}
    for part in sorted(expr.atoms(Transpose, Elementwise), key=str):
        value = _part_value(part, numbers)
        if value is not None:
            marks[part] = MatrixSymbol(f"_part{len(marks)}", *part.shape)
            texts[marks[part]] = matrix(value, isinstance(part, Transpose) and part.arg.name in numbers.given)
    put = substitute(expr, marks)
    texts |= {s: matrix(numbers.matrix(s), s.name in numbers.given) for s in symbols_of([put]) if s not in texts}
    yield _unbracketed(terms_of(put, Context(LATEX, names, texts, times=LATEX.times)))


def _part_value(part: Expr, numbers: Numbers) -> np.ndarray | None:
    """The value of a transposed symbol, or of a polynomial slope of one; None of anything else."""
    if isinstance(part, Transpose):
        return numbers.matrix(part.arg).T if isinstance(part.arg, MatrixSymbol) else None
    operands = part.matrices
    if len(operands) != 1 or not isinstance(operands[0], MatrixSymbol) or not part.template.is_polynomial(SLOTS[0]):
        return None
    values = numbers.matrix(operands[0])
    entries = [float(part.template.xreplace({SLOTS[0]: _real(value)})) for value in values.flat]
    return np.array(entries).reshape(values.shape)


def _real(value: float) -> Expr:
    return Rational(value) if math.isfinite(value) else Symbol("nan")


# rows -------------------------------------------------------------------------------------------


def chain_rows(chains: Sequence[Chain]) -> tuple[DisplayRow, ...]:
    """Formula, numbers and result in columns of their own; below each other where that is too wide."""
    lists = [_columns(one) for one in chains]
    if _width(lists) <= ROOM:
        return tuple(row for rows in lists for row in rows)
    return tuple(row for one in chains for row in _stacked(one))


def _columns(one: Chain) -> list[DisplayRow]:
    formula = f"= {flat(one.formula)}"
    members = [f"= {flat(member)}" for member in one.members]
    first, *rest = members or [""]
    results = [""] * len(rest) + [one.result]
    rows = [DisplayRow((one.lhs, formula, "", first, "", results[0]), gap=one.gap)]
    return rows + [DisplayRow(("", "", "", member, "", end)) for member, end in zip(rest, results[1:], strict=True)]


def _width(lists: Sequence[Sequence[DisplayRow]]) -> float:
    columns = zip(*(row.cells for rows in lists for row in rows), strict=True)
    return sum(max(map(points, column)) for column in columns) + 30


def _stacked(one: Chain) -> Iterator[DisplayRow]:
    """As many members in a row as fit; one that is too wide is broken at its signs."""
    room = ROOM - points(one.lhs) - 20
    texts: list[str] = []
    for terms in (one.formula, *one.members):
        first, *rest = found = pieces(terms, room)
        if terms is not one.formula and max(map(points, found)) > ROOM:
            continue  # nothing in it can be broken, and the result says the same
        texts += [f"= {first}", *(rf"\qquad {piece}" for piece in rest)]
    texts += [one.result] if one.result else []
    lines = [texts[0]]
    for text in texts[1:]:
        fits = points(lines[-1] + text) <= room and not text.startswith(r"\qquad") and r"\qquad" not in lines[-1]
        lines = [*lines[:-1], f"{lines[-1]} {text}"] if fits else [*lines, text]
    yield DisplayRow((one.lhs, lines[0]), gap=one.gap)
    yield from (DisplayRow(("", line)) for line in lines[1:])
