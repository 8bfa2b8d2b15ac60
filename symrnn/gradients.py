"""The gradients with their numbers: a row per time step, the last first, sums below.

The table is the sum over t, and shows which steps matter. Of matrices it has the Euclidean norms.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sympy import Expr, MatrixSymbol, lambdify
from sympy.matrices.expressions import HadamardProduct

from symrnn.contributions import Contributions, contributions
from symrnn.document import Block, Cell, Figure, Formulas, Paragraph, Table
from symrnn.functions import define
from symrnn.layout import Row, points
from symrnn.matrices import shape, variable
from symrnn.nodes import SLOTS, Elementwise, steps_symbol
from symrnn.notation import Letter
from symrnn.program import Equation, Program, Recurrence, symbols_of
from symrnn.prose import Math, Span, prose
from symrnn.styles import LATEX
from symrnn.subject import FEW_STEPS, Subject
from symrnn.substitution import matrix, written
from symrnn.transforms import letter_of, with_samples
from symrnn.typeset import Context, show

_ROOM, _FEW, _DECIMALS, _CELLS = 500, 4, 6, 6


@dataclass(frozen=True)
class Column:
    """A heading in LaTeX, a number for each t, and the total under it where it has one."""

    head: str
    values: tuple[float, ...]
    total: float | None = None
    name: str = ""


def gradients_blocks(subject: Subject) -> tuple[Block, ...]:
    """The tables by time step, the gradients themselves, and the plot of the contributions."""
    found = contributions(subject.gradient, subject.values)
    blocks: list[Block] = []
    if found and len(found[0].values) > 1:
        blocks += [Paragraph(_intro(subject)), *_tables(subject, found), *_share(subject)]
    blocks += [Paragraph(prose("The gradients in all:")), Formulas(tuple(_gradients(subject)))]
    return (*blocks, *_plot(found))


def _intro(subject: Subject) -> tuple:
    what = (
        "each gradient is the sum of its column"
        if subject.scalar
        else "a column shows Euclidean norms, its last row the norm of the whole gradient"
    )
    return prose(f"One row for each time step, the last step first, as the derivation went; {what}.")


# columns ----------------------------------------------------------------------------------------


def _tables(subject: Subject, found: Sequence[Contributions]) -> Iterator[Block]:
    """Tables for each layer and length: what is read, adjoints, terms."""
    groups: dict[tuple[str, int], list[Contributions]] = {}
    for one in found:
        groups.setdefault((one.letter.layer, len(one.values)), []).append(one)
    for listed in groups.values():
        for columns in _fitting(_columns(listed, subject)):
            yield _table(columns, len(listed[0].values))


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
    return max(points(_inline(column.head)), points(_inline(column.name)), 36) + (40 if _is_scaled(column) else 16)


def _columns(found: Sequence[Contributions], subject: Subject) -> list[Column]:
    """What the terms are made of, each once, and the terms; one that is an adjoint itself has the total there."""
    letters, count = subject.gradient.steps.letters, len(found[0].values)
    symbols = dict.fromkeys(s for one in found for s in symbols_of([one.term]))
    adjoints = [s for s in symbols if letter_of(letters, s).is_adjoint]
    others = [s for s in symbols if s not in adjoints] if len(symbols) <= _FEW else []
    before = [*map(partial(_column, subject, count), others), *_origins(adjoints, subject, count)]
    own = {s: _column(subject, count, s) for s in adjoints}
    terms = []
    for one in found:
        total = float(np.linalg.norm(np.sum(one.values, axis=0)))
        if subject.scalar:
            total = float(np.sum(one.values))
        name = _normed(_inline(one.letter.latex), subject)
        single = [s for s in symbols_of([one.term]) if s in own]
        if len(list(symbols_of([one.term]))) == 1 and single and own[single[0]].total is None:
            own[single[0]] = replace(own[single[0]], total=total, name=name)
        else:
            values = tuple(float(v.reshape(())) for v in one.values) if subject.scalar else one.sizes
            terms.append(Column(_normed(_term(one, subject), subject), values, total, name))
    return [*before, *own.values(), *terms]


def _column(subject: Subject, count: int, symbol: Expr) -> Column:
    """The values of a symbol, or their norms, for t = 0, 1, ..."""
    letter = letter_of(subject.gradient.steps.letters, symbol)
    values = tuple(_size(subject.values, letter.at(move_to(letter, t))) for t in range(count))
    return Column(_normed(letter.latex, subject), values)


def _origins(adjoints: Sequence[Expr], subject: Subject, count: int) -> Iterator[Column]:
    """Of a single delta what it is made of: the slope, and the adjoint that arrives."""
    if len(adjoints) != 1 or not subject.scalar:
        return
    items = [item for item in subject.gradient.steps.equations if isinstance(item, Recurrence)]
    steps = {equation.lhs: equation.rhs for item in items for equation in item.body.assignments}
    rhs = steps.get(adjoints[0])
    factors = rhs.args if isinstance(rhs, HadamardProduct) else ()
    letters = subject.gradient.steps.letters
    for factor in factors:
        if (
            isinstance(factor, Elementwise)
            and len(factor.matrices) == 1
            and isinstance(factor.matrices[0], MatrixSymbol)
        ):
            inner = _column(subject, count, factor.matrices[0]).values
            slope = lambdify(SLOTS[0], _defined(factor.template))
            sized = MatrixSymbol(factor.matrices[0].name, 1, 1)
            shown = Context(LATEX, {sized: letter_of(letters, factor.matrices[0])})
            yield Column(shown.show(Elementwise(factor.template, sized)), tuple(float(slope(value)) for value in inner))
    for factor in factors:
        if isinstance(factor, MatrixSymbol):
            yield _column(subject, count, factor)


def _defined(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions, and of those in them."""
    while expr != (expr := define(expr)):
        pass
    return expr


def move_to(letter: Letter, t: int) -> int:
    """The time step that a letter such as h_{t-1} has at t."""
    return t + {"t-1": -1, "t+1": 1}.get(str(letter.time), 0)


def _size(values: Mapping[str, np.ndarray], letter: Letter) -> float:
    """A number, or the norm of a row; a state outside of the sequence is 0."""
    array = np.asarray(values.get(letter.code, 0.0))
    return float(array.reshape(())) if array.size == 1 else float(np.linalg.norm(array))


def _normed(latex: str, subject: Subject) -> str:
    return latex if subject.scalar else rf"\lVert {latex} \rVert"


def _term(one: Contributions, subject: Subject) -> str:
    """The term in LaTeX, for one sample: of a scalar model a product of numbers."""
    letters = subject.gradient.steps.letters
    symbols = tuple(symbols_of([one.term]))
    names = [letter_of(letters, s).latex for s in symbols]
    if subject.scalar:
        adjoint = [name for s, name in zip(symbols, names, strict=True) if letter_of(letters, s).is_adjoint]
        return " ".join([*adjoint, *(name for name in names if name not in adjoint)])
    whole = Program(symbols, (), (Equation(variable("term", shape(one.term)), one.term),), (), letters)
    sized = with_samples(whole, 1)
    return show(sized.assignments[0].rhs, Context(LATEX, sized.letters)).text


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
    largest = [max(map(abs, c.values)) for c in columns if _is_scaled(c) and max(map(abs, c.values)) > 0]
    smallest = min(largest, default=1.0)
    return min(9, -math.floor(math.log10(smallest))) if smallest < 0.1 else 0


def _is_scaled(column: Column) -> bool:
    """Adjoints and terms are scaled, what was computed forward is not."""
    return column.total is not None or "delta" in column.head or "bar" in column.head


def _scaled(head: str, power: int, column: Column | None = None) -> str:
    if not power or (column is not None and not _is_scaled(column)):
        return _inline(head)
    return f"10^{{{power}}}\\, {_inline(head)}"


def _inline(latex: str) -> str:
    return latex.removeprefix(r"\frac{").removesuffix("}").replace("}{", " / ") if latex.startswith(r"\frac") else latex


def _cell(value: float, column: Column, scale: float) -> Cell:
    if not math.isfinite(value):
        return str(value)
    if not _is_scaled(column):
        return "0" if value == 0 else (Math(written(value, value == round(value))),)
    if value == 0:
        return "0"
    scaled = value * scale
    return (Math(f"{scaled:.{_DECIMALS}f}" if abs(scaled) >= 1e-6 else written(scaled)),)


# the gradients ----------------------------------------------------------------------------------


def _gradients(subject: Subject) -> Iterator[Row]:
    """Each derivative and its value, three numbers in a row; of large matrices the corners."""
    pending: tuple[str, ...] = ()
    for weight in subject.gradient.table:
        name = weight.letter.partial(subject.gradient.objective)
        value = np.asarray(subject.values[name.code], float)
        if value.size > 1:
            yield Row((name.latex, rf"\approx {matrix(np.atleast_2d(value)).text}"), gap=3)
            continue
        pending += (name.latex, LATEX.value(float(value.reshape(()))))
        if len(pending) == _CELLS:
            yield Row(pending, gap=3)
            pending = ()
    if pending:
        yield Row(pending, gap=3)


def _share(subject: Subject) -> Iterator[Block]:
    """Which part of the deltas, added up, the step with the largest has."""
    letters = subject.gradient.steps.letters
    items = [item for item in subject.gradient.steps.equations if isinstance(item, Recurrence)]
    named = [equation.lhs for item in items for equation in item.body.assignments]
    for symbol in [s for s in named if letter_of(letters, s).base == "delta"][:1]:
        letter = letter_of(letters, symbol)
        sizes, t = [], 0
        while letter.at(t).code in subject.values:
            sizes.append(abs(_size(subject.values, letter.at(t))))
            t += 1
        total = sum(sizes)
        if total > 0 and math.isfinite(total):
            largest = int(np.argmax(sizes))
            size = (
                rf"\sum_t \lvert {letter.latex} \rvert" if subject.scalar else rf"\sum_t \lVert {letter.latex} \rVert"
            )
            yield Paragraph(
                prose(
                    f"The step $t = {largest}$ makes {100 * sizes[largest] / total:.1f} % of ${size}$.",
                    *_reach(subject),
                )
            )


def _reach(subject: Subject) -> Iterator[Span]:
    """By what a signal is multiplied from the last step to the first: the Jacobian of the states, or its norm."""
    derivation, states = subject.derivation, subject.derivation.network.states
    if derivation.is_open or not states or states[0].reverse:
        return
    letter = letter_of(derivation.network.program.letters, states[0].symbol)
    last = (derivation.network.timesteps[steps_symbol(letter.steps)] or 1) - 1
    later, earlier = letter.at(last), letter.at(0)
    value = derivation.jacobian(later.code, earlier.code).lambdify()(subject.x, list(subject.weights))
    name = rf"\partial {later.latex} / \partial {earlier.latex}"
    yield from prose(f" From $t = {last}$ to $t = 0$ the signal is multiplied by ")
    if subject.scalar:
        yield Math(f"{name} {LATEX.value(float(value.reshape(())))}")
    else:
        yield from prose(f"a Jacobian, $\\lVert {name} \\rVert {LATEX.value(float(np.linalg.norm(value)))}$")
    yield "."


def _plot(found: Sequence[Contributions]) -> Iterator[Block]:
    """The plot of the sizes, where there are several time steps and matplotlib is installed."""
    if not found or len(found[0].values) < 2:
        return
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return
    from symrnn.plot import contributions_plot

    count = len(found[0].values)
    kept = [one for one in found if len(one.values) == count and all(math.isfinite(size) for size in one.sizes)]
    if kept:
        names = {_weight_latex(one): one.sizes for one in kept[:6]}
        yield Figure(contributions_plot(names), prose(_CAPTION))


def _weight_latex(one: Contributions) -> str:
    letter = replace(one.letter, mark="", objective="")
    return letter.latex


_CAPTION = "How large the term of each time step is in the sums that are the gradients, as a Euclidean norm."
