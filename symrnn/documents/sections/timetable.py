"""What happens at each time step as a table: what is read, the adjoints, the terms of each sum over t.

The last step comes first, as on the way back. Of matrices the table has the Euclidean norms.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sympy import Expr, MatrixSymbol, lambdify
from sympy.matrices.expressions import HadamardProduct

from symrnn.derivations.contributions import Contributions
from symrnn.documents.blocks import Cell, Table
from symrnn.documents.example import FEW_STEPS, Example
from symrnn.documents.inline import Math, prose
from symrnn.expressions.functions import define
from symrnn.expressions.matrices import variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.expressions.shapes import shape
from symrnn.programs.program import Equation, Program, Recurrence, symbols_of
from symrnn.programs.transforms import name_of, with_samples
from symrnn.typesetting.expressions import Context, show
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import written
from symrnn.typesetting.widths import points

_ROOM, _FEW, _DECIMALS = 500, 4, 6


@dataclass(frozen=True)
class Column:
    """A heading in LaTeX, a number for each t, and the total under it, with its name, where it has one.

    What is `scaled` has its power of ten in the heading: adjoints and terms, not what came forward; what
    is `given` stands in full.
    """

    head: str
    values: tuple[float, ...]
    scaled: bool = False
    given: bool = False
    total: float | None = None
    name: str = ""


def tables(example: Example, found: Sequence[Contributions]) -> Iterator[Table]:
    """Tables for each layer and length: what is read, adjoints, terms."""
    groups: dict[tuple[str, int], list[Contributions]] = {}
    for one in found:
        groups.setdefault((one.name.layer, len(one.sizes)), []).append(one)
    for listed in groups.values():
        for columns in _fitting(_columns(listed, example)):
            yield _table(columns, len(listed[0].sizes))


def _fitting(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """The columns in as many tables as the width of a page makes necessary."""
    table: list[Column] = []
    for column in columns:
        if table and sum(map(_points, [*table, column])) > _ROOM:
            yield table
            table = []
        table.append(column)
    yield table


def _points(column: Column) -> int:
    """The width of a column with a power of ten before its heading, and the room between."""
    return max(points(in_line(column.head)), points(in_line(column.name)), 36) + (40 if column.scaled else 16)


def _columns(found: Sequence[Contributions], example: Example) -> list[Column]:
    """What the terms are made of, each once, and the terms; one that is an adjoint itself has the total there."""
    names, count = example.gradient.steps.names, len(found[0].sizes)
    symbols = dict.fromkeys(s for one in found for s in symbols_of([one.term]))
    adjoints = [s for s in symbols if name_of(names, s).is_adjoint]
    others = [s for s in symbols if s not in adjoints] if len(symbols) <= _FEW else []
    before = [*map(partial(_column, example, count), others), *_origins(adjoints, example, count)]
    own = {s: _column(example, count, s) for s in adjoints}
    terms = []
    for one in found:
        total = one.total
        end = float(total.reshape(())) if example.scalar else float(np.linalg.norm(total))
        name = _normed(in_line(one.name.latex), example)
        (first, *others_read) = symbols_of([one.term])
        if not others_read and first in own and own[first].total is None:
            own[first] = replace(own[first], total=end, name=name)
        else:
            values = one.numbers if example.scalar else one.sizes
            terms.append(Column(_normed(_term(one, example), example), values, True, total=end, name=name))
    return [*before, *own.values(), *terms]


def _column(example: Example, count: int, symbol: Expr) -> Column:
    """The values of a symbol, or their norms, for t = 0, 1, ..."""
    name = name_of(example.gradient.steps.names, symbol)
    values = tuple(size_at(example.values, name.at(_time(name, t))) for t in range(count))
    given = example.scalar and name.at(0).code in example.numbers.given
    return Column(_normed(name.latex, example), values, name.is_adjoint, given)


def _origins(adjoints: Sequence[Expr], example: Example, count: int) -> Iterator[Column]:
    """Of a single delta what it is made of: the slope, and the adjoint that arrives."""
    if len(adjoints) != 1 or not example.scalar:
        return
    items = [item for item in example.gradient.steps.equations if isinstance(item, Recurrence)]
    steps = {equation.lhs: equation.rhs for item in items for equation in item.body.assignments}
    rhs = steps.get(adjoints[0])
    factors = rhs.args if isinstance(rhs, HadamardProduct) else ()
    for factor in factors:
        if isinstance(factor, Elementwise) and all(isinstance(m, MatrixSymbol) for m in factor.matrices[:2]):
            yield from _slope(factor, example, count)
    for factor in factors:
        if isinstance(factor, MatrixSymbol):
            yield _column(example, count, factor)


def _slope(slope: Elementwise, example: Example, count: int) -> Iterator[Column]:
    """The slope at each step, where it is a function of one quantity."""
    if len(slope.matrices) == 1:
        symbol = slope.matrices[0]
        function = lambdify(SLOTS[0], _defined(slope.template))
        values = tuple(float(function(value)) for value in _column(example, count, symbol).values)
        sized = MatrixSymbol(symbol.name, 1, 1)
        context = Context(LATEX, {sized: name_of(example.gradient.steps.names, symbol)})
        yield Column(context.show(Elementwise(slope.template, sized)), values)


def _defined(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions, and of those in them."""
    while expr != (expr := define(expr)):
        pass
    return expr


def _time(name: Name, t: int) -> int:
    """The time step that a letter such as h_{t-1} has at t."""
    return t + {"t-1": -1, "t+1": 1}.get(str(name.time), 0)


def size_at(values: Mapping[str, np.ndarray], name: Name) -> float:
    """A number, or the norm of a row; a state outside of the sequence is 0."""
    array = np.asarray(values.get(name.code, 0.0))
    return float(array.reshape(())) if array.size == 1 else float(np.linalg.norm(array))


def _normed(latex: str, example: Example) -> str:
    return latex if example.scalar else rf"\lVert {latex} \rVert"


def _term(one: Contributions, example: Example) -> str:
    """The term in LaTeX, for one sample: of a scalar model a product of numbers."""
    letters = example.gradient.steps.names
    symbols = tuple(symbols_of([one.term]))
    names = [name_of(letters, s).latex for s in symbols]
    if example.scalar:
        adjoint = [name for s, name in zip(symbols, names, strict=True) if name_of(letters, s).is_adjoint]
        return " ".join([*adjoint, *(name for name in names if name not in adjoint)])
    whole = Program(symbols, (), (Equation(variable("term", shape(one.term)), one.term),), (), letters)
    sized = with_samples(whole, 1)
    return show(sized.assignments[0].rhs, Context(LATEX, sized.names)).text


# tables -----------------------------------------------------------------------------------------


def _table(columns: Sequence[Column], count: int) -> Table:
    """The rows of all steps, or of the last two and the first; the sums of all under a rule."""
    power = _power(columns)
    scale = 10.0**power
    shown = list(range(count)) if count <= FEW_STEPS + 1 else [0, -1, count - 2, count - 1]
    rows: list[tuple[Cell, ...]] = []
    for t in reversed(shown):
        if t < 0:
            rows.append((prose(r"$\vdots$"), *(prose(r"$\vdots$") for _ in columns)))
        else:
            rows.append((str(t), *(_cell(column.values[t], column, scale) for column in columns)))
    totals = [("" if c.total is None else _cell(c.total, c, scale)) for c in columns]
    names = [(Math(_scaled(c.name, power)),) if c.total is not None else "" for c in columns]
    sums = [("sum", *totals), ("which is", *names)] if any(c.total is not None for c in columns) else []
    head = (prose("$t$"), *((Math(_scaled(column.head, power, column)),) for column in columns))
    return Table(head, (*rows, *sums), tuple(range(1, len(columns) + 1)), totals=len(sums))


def _power(columns: Sequence[Column]) -> int:
    """The power of ten in the headings: that of the smallest column that is small."""
    largest = [max(map(abs, c.values)) for c in columns if c.scaled and max(map(abs, c.values)) > 0]
    smallest = min(largest, default=1.0)
    return min(9, -math.floor(math.log10(smallest))) if smallest < 0.1 else 0


def _scaled(head: str, power: int, column: Column | None = None) -> str:
    if not power or (column is not None and not column.scaled):
        return in_line(head)
    return f"10^{{{power}}}\\, {in_line(head)}"


def in_line(latex: str) -> str:
    r"""A derivative within a line: \partial y / \partial U."""
    return latex.removeprefix(r"\frac{").removesuffix("}").replace("}{", " / ") if latex.startswith(r"\frac") else latex


def _cell(value: float, column: Column, scale: float) -> Cell:
    if not math.isfinite(value):
        return str(value)
    if not column.scaled:
        return "0" if value == 0 else (Math(written(value, column.given or value == round(value))),)
    if value == 0:
        return "0"
    scaled = value * scale
    return (Math(f"{scaled:.{_DECIMALS}f}" if abs(scaled) >= 1e-6 else written(scaled)),)
