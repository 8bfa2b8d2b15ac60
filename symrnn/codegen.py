"""Python source from programs: a function of arrays whose length does not depend on T.

Arrays hold one row per sample; a family has time in front, (T, N, width), so that an equation
outside a loop is one operation for all t. A recurrence becomes three parts:
what does not depend on the state, before the loop; what the next state needs, inside; what only
depends on the states, after it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import accumulate, starmap
from typing import Any

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, Symbol
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.arraycode import ATOM, ROW_FUNCTIONS, TOTAL, Scope, in_place
from symrnn.codeprinter import ARRAYS
from symrnn.matrices import add, hadamard, shape, shape_of
from symrnn.nodes import Columns, Concat, Elementwise, N
from symrnn.program import (
    Carry,
    Cut,
    Equation,
    Join,
    Maximum,
    Program,
    Recurrence,
    Reversal,
    families,
    parameters,
    right_sides,
    symbols_of,
)
from symrnn.transforms import family_name, letter_of


@dataclass(frozen=True)
class Schedule:
    """A recurrence's equations by when they can run; what does not move is named and runs before the loop."""

    before: list[Equation]
    inside: list[Equation]
    after: list[Equation]
    carries: list[Carry]


def split(item: Recurrence) -> tuple[list[Equation], list[Equation], list[Equation]]:
    """The equations of a step that can run before the loop, those that the next state needs, and the rest."""
    moving = _moving(item)
    needed = set(symbols_of(carry.next for carry in item.carries))
    for equation in reversed(item.body.assignments):
        if equation.lhs in needed:
            needed |= symbols_of([equation.rhs]).keys()
    before = [e for e in item.body.assignments if e.lhs not in moving]
    inside = [e for e in item.body.assignments if e.lhs in moving and e.lhs in needed]
    return before, inside, [e for e in item.body.assignments if e.lhs in moving and e.lhs not in needed]


def _moving(item: Recurrence) -> set[Expr]:
    """What depends on the carried state."""
    moving = {carry.prev for carry in item.carries}
    for equation in item.body.assignments:
        if not moving.isdisjoint(equation.rhs.free_symbols):
            moving.add(equation.lhs)
    return moving


def schedule(item: Recurrence, fresh: Callable[[Expr, str], Expr]) -> Schedule:
    """Split the body by its dependence on the carried state; `fresh(symbol, suffix)` names a part."""
    moving = _moving(item)
    before, inside, after = split(item)
    hoisted: list[Equation] = []

    def hoist(expr: Expr, symbol: Expr) -> Expr:
        return _hoist(expr, moving, lambda part: _name_part(part, symbol, fresh, hoisted))

    inside = [Equation(e.lhs, hoist(e.rhs, e.lhs)) for e in inside]
    carries = [Carry(c.prev, hoist(c.next, c.prev), c.init, c.final) for c in item.carries]
    return Schedule(before + hoisted, inside, after, carries)


def _name_part(part: Expr, symbol: Expr, fresh: Callable[[Expr, str], Expr], hoisted: list[Equation]) -> Expr:
    same = [equation.lhs for equation in hoisted if equation.rhs == part]
    if not same:
        name = fresh(symbol, "factor" if not isinstance(part, MatAdd | MatMul) else "input")
        same = [MatrixSymbol(name.name, *shape(part))]
        hoisted.append(Equation(same[0], part))
    return same[0]


def _hoist(expr: Expr, moving: set[Expr], name: Callable[[Expr], Expr]) -> Expr:
    """The expression with the parts that do not move, and have a row per sample, named."""
    if moving.isdisjoint(expr.free_symbols):
        if _is_bias(expr):
            return expr
        compound = not isinstance(expr, MatrixSymbol | OneMatrix | ZeroMatrix) and isinstance(expr, MatrixExpr)
        return name(expr) if compound and expr.shape[0] == N else expr
    if isinstance(expr, MatAdd | HadamardProduct):
        build = add if isinstance(expr, MatAdd) else hadamard
        still = [arg for arg in expr.args if moving.isdisjoint(arg.free_symbols)]
        parts = [_hoist(arg, moving, name) for arg in expr.args if arg not in still]
        return build(*([_hoist(build(*still), moving, name)] if still else []), *parts)
    if isinstance(expr, MatMul):
        return expr
    return expr.func(*(_hoist(arg, moving, name) if isinstance(arg, MatrixExpr) else arg for arg in expr.args))


def _is_bias(expr: Expr) -> bool:
    """1 b, or a sum of such: NumPy adds the row to every row, and it is the same in every step."""
    if isinstance(expr, MatAdd):
        return all(map(_is_bias, expr.args))
    return isinstance(expr, MatMul) and isinstance(expr.args[0], OneMatrix) and expr.args[1].shape[0] == 1


# programs ---------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """The lines so far; local to one call of `source`."""

    program: Program
    families: dict[Expr, None]
    lines: list[str] = field(default_factory=list)
    parts: dict[Expr, str] = field(default_factory=dict)

    def array(self, symbol: Expr) -> str:
        """The variable that holds all rows of a family, or a plain symbol's."""
        if symbol not in self.parts:
            letter = letter_of(self.program.letters, symbol)
            family = letter.time in ("t", "t-1", "t+1")
            self.parts[symbol] = family_name(self.program, symbol) if family else letter.code
        return self.parts[symbol]

    def fresh(self, symbol: Expr, suffix: str) -> Expr:
        name = f"{letter_of(self.program.letters, symbol).family}_{suffix}"
        while name in self.parts.values():
            name += "_"
        part = Symbol(name)
        self.parts[MatrixSymbol(name, *shape_of(symbol))] = name
        return part

    @property
    def plain(self) -> Scope:
        """Outside recurrences."""
        return Scope(self.array)

    def stacked(self, item: Recurrence) -> Scope:
        """All steps of a recurrence at once; what is the same in every step is repeated."""
        rows = [s for s in parameters(item) if shape_of(s)[:1] == (N,)]
        fixed = {s: f"np.broadcast_to({self.array(s)}, ({item.length}, N, {shape_of(s)[1]}))" for s in rows}
        return Scope(lambda s: fixed.get(s) or self.array(s), str(item.length))

    def write(self, line: str, indent: int = 0) -> None:
        self.lines.append("    " * (indent + 1) + line)

    def equations(self, equations: Iterable[Equation], scope: Scope) -> None:
        for equation in equations:
            self.write(f"{self.array(equation.lhs)} = {scope.code(equation.rhs)}")


def source(program: Program, name: str, description: str = "") -> str:
    """A Python module with one function: arrays in, the program's outputs as a tuple.

    Sequences come as (N, T, features) and go as (N, T, width), a weight for each time step comes as
    (T, width); every T and N will do.
    """
    writer = _Writer(program, families(program))
    for symbol in program.sequences:
        array = writer.array(symbol)
        whole = f"{array}.swapaxes(0, 1)" if _has_rows(symbol) else f"{array}[:, None]"
        writer.write(f"{array} = {whole}")
    for item in program.equations:
        if isinstance(item, Equation):
            writer.equations([item], writer.plain)
        elif isinstance(item, Recurrence):
            _write_recurrence(item, writer)
        else:
            writer.write(f"{writer.array(item.lhs)} = {_RESHAPED[type(item)](writer, item)}")
    returned = ", ".join(_returned(symbol, writer) for symbol in program.outputs)
    writer.write(f"return {returned}{',' if len(program.outputs) == 1 else ''}" if returned else "return ()")
    return _module(program, name, description, writer)


def _has_rows(family: Expr) -> bool:
    """Whether a family has a row per sample; a weight for each time step has one row."""
    return shape_of(family)[:1] in ((N,), ())


def _join(writer: _Writer, item: Join) -> str:
    return f"{writer.array(item.rhs)}.swapaxes(0, 1).reshape(N, {shape_of(item.lhs)[1]})"


def _cut(writer: _Writer, item: Cut) -> str:
    return f"{writer.array(item.rhs)}.reshape(N, -1, {shape_of(item.lhs)[1]}).swapaxes(0, 1)"


_RESHAPED: dict[type, Callable[[_Writer, Any], str]] = {
    Reversal: lambda writer, item: f"{writer.array(item.rhs)}[::-1]",
    Join: _join,
    Cut: _cut,
    Maximum: lambda writer, item: f"{writer.array(item.rhs)}.max(axis=0)",
}


def _returned(symbol: Expr, writer: _Writer) -> str:
    text = writer.array(symbol)
    return f"{text}.swapaxes(0, 1)" if symbol in writer.families else text


def _module(program: Program, name: str, description: str, writer: _Writer) -> str:
    """The imports, the helpers that the lines use, and the function."""
    sizes, dtype = _sizes(program, writer)
    arguments = [writer.array(s) for s in (*program.sequences, *program.inputs)]
    exprs = right_sides(program)
    nodes = [node for expr in exprs for node in expr.atoms(Elementwise, *ROW_FUNCTIONS)]
    helpers = [ARRAYS.helpers(node.template for node in nodes if isinstance(node, Elementwise))]
    helpers += [text for kind, text in ROW_FUNCTIONS.items() if any(isinstance(node, kind) for node in nodes)]
    body = "\n".join(writer.lines)
    helpers += [TOTAL] if "total(" in body else []
    head = sizes + ([f"    dtype = {dtype}"] if "dtype)" in body else [])
    note = [f'    """{description}"""'] if description else []
    function = "\n".join([f"def {name}({', '.join(arguments)}):", *note, *head, body])
    header = ("import math\n\n" if any("math." in helper for helper in helpers) else "") + "import numpy as np"
    return "\n\n\n".join([header, *filter(None, helpers), function]) + "\n"


def _sizes(program: Program, writer: _Writer) -> tuple[list[str], str]:
    """The lines that find N and the numbers of time steps, and what has the dtype."""
    lines: list[str] = []
    lengths: dict[str, str] = {}
    given = [symbol for symbol in program.sequences if _has_rows(symbol)]
    for symbol in given:
        lengths.setdefault(letter_of(program.letters, symbol).steps, writer.array(symbol))
    for i, (name, array) in enumerate(lengths.items()):
        lines.append(f"    N, {name} = {array}.shape[:2]" if i == 0 else f"    {name} = {array}.shape[1]")
    rows = [symbol for symbol in program.inputs if shape_of(symbol)[:1] == (N,)]
    if not lines and rows:
        lines = [f"    N = len({writer.array(rows[0])})"]
    weights = [symbol for symbol in program.inputs if symbol not in rows]
    return lines, f"{writer.array([*weights, *rows, *given][0])}.dtype"


def _write_recurrence(item: Recurrence, writer: _Writer) -> None:
    plan = schedule(item, writer.fresh)
    scope = writer.stacked(item)
    writer.equations(plan.before, scope)
    if plan.carries:
        _write_loop(item, plan, writer)
    wholes = _layout(item, plan).wholes if plan.carries else {}
    writer.equations([equation for equation in plan.after if equation.lhs not in wholes], scope)
    for total in item.sums:
        rows = shape_of(total.lhs)[0]
        summed = replace(scope, summed=True)
        text = f"{summed.code(total.rhs, ATOM)}.sum(axis=0)" if rows == N else summed.code(total.rhs)
        writer.write(f"{writer.array(total.lhs)} = {text}")


@dataclass(frozen=True)
class _Layout:
    """Where the values of a loop are kept for all steps.

    `arrays` have an array each, `columns` are columns of one; the values of a step that are side by
    side in a matrix of `wholes` are computed in their place in it. A carry in `paired`, by its next
    state, has its previous states in the array of the next ones, the one in `copied` in another.
    """

    arrays: list[Expr]
    columns: dict[Expr, Columns]
    wholes: dict[Expr, Concat]
    paired: dict[Expr, Carry]
    copied: list[Carry]


def _layout(item: Recurrence, plan: Schedule) -> _Layout:
    inside = {equation.lhs: equation.rhs for equation in plan.inside}
    later = {*item.stacked, *symbols_of([*(s.rhs for s in item.sums), *(e.rhs for e in plan.after)])}
    views = {s: rhs for s, rhs in inside.items() if isinstance(rhs, Columns) and rhs.args[0] in inside}
    joined = {e.lhs: e.rhs for e in (*plan.inside, *plan.after) if isinstance(e.rhs, Concat)}
    once = {part for part, uses in Counter(p for rhs in joined.values() for p in rhs.args).items() if uses == 1}
    computed = {*inside} - {*views} - {*joined}
    wholes = {symbol: rhs for symbol, rhs in joined.items() if {*rhs.args} <= computed & once}
    columns = {part: place for whole, rhs in wholes.items() for part, place in _columns(whole, rhs).items()}
    free = computed - {*columns}
    paired = {c.next: c for c in reversed(plan.carries) if c.prev in later and c.next in free}
    later |= {*paired, *(view.args[0] for symbol, view in views.items() if symbol in later)}
    arrays = [symbol for symbol in inside if symbol in later & free]
    columns |= {symbol: view for symbol, view in views.items() if view.args[0] in {*arrays, *wholes}}
    copied = [c for c in plan.carries if c.prev in later and paired.get(c.next) != c]
    return _Layout(arrays, columns, wholes, paired, copied)


def _columns(whole: Expr, rhs: Concat) -> dict[Expr, Columns]:
    """The parts of a matrix as its columns."""
    ends = list(accumulate(int(part.shape[1]) for part in rhs.args))
    return {part: Columns(whole, end - int(part.shape[1]), end) for part, end in zip(rhs.args, ends, strict=True)}


def _write_loop(item: Recurrence, plan: Schedule, writer: _Writer) -> None:
    """For t: the equations that the next state needs; what is read later is kept."""
    layout, T = _layout(item, plan), item.length
    kept = {*layout.arrays, *layout.columns, *layout.wholes}
    in_place = {e.lhs for e in plan.inside if isinstance(e.rhs, Columns) and e.lhs in kept} | {*layout.wholes}
    names = {s: f"{writer.array(s)}[t]" for s in in_place}
    names |= {e.lhs: e.lhs.name for e in plan.inside if e.lhs not in in_place}
    names |= {carry.prev: carry.prev.name for carry in plan.carries}
    scope = Scope(lambda s: names.get(s) or _now(s, item, plan, writer))
    for carry in plan.carries:
        writer.write(f"{carry.prev.name} = {writer.plain.code(carry.init)}")
    for symbol in [*(carry.prev for carry in layout.copied), *layout.wholes, *layout.arrays]:
        _allocate(symbol, layout.paired.get(symbol), item, writer)
    writer.equations(starmap(Equation, layout.columns.items()), writer.plain)
    writer.write(f"for t in {f'range({T} - 1, -1, -1)' if item.reverse else f'range({T})'}:")
    for carry in layout.copied:
        writer.write(f"{writer.array(carry.prev)}[t] = {carry.prev.name}", 1)
    lines = [equation for equation in plan.inside if equation.lhs not in in_place]
    used = symbols_of([*(equation.rhs for equation in lines), *(carry.next for carry in plan.carries)])
    for equation in lines:
        place = f"{writer.array(equation.lhs)}[t]" if equation.lhs in kept else ""
        writer.write(_assigned(equation, place, equation.lhs in used, scope), 1)
    states = ", ".join(carry.prev.name for carry in plan.carries)
    writer.write(f"{states} = {', '.join(scope.code(carry.next) for carry in plan.carries)}", 1)
    for carry in plan.carries:
        if carry.final is not None:
            writer.write(f"{writer.array(carry.final)} = {carry.prev.name}")


def _assigned(equation: Equation, place: str, named: bool, scope: Scope) -> str:
    """The assignment of a value: one that is kept is computed in its place where NumPy can, else put there."""
    name = f"{equation.lhs.name} = " if named or not place else ""
    call = in_place(equation.rhs, scope) if place else ""
    if call:
        return f"{name}{call}, out={place})"
    return f"{f'{place} = ' if place else ''}{name}{scope.code(equation.rhs)}"


def _now(symbol: Expr, item: Recurrence, plan: Schedule, writer: _Writer) -> str:
    """A family's rows of this step; a plain symbol by its name."""
    family = symbol in item.sequences or symbol in {e.lhs for e in plan.before}
    return f"{writer.array(symbol)}[t]" if family else writer.array(symbol)


def _allocate(symbol: Expr, carry: Carry | None, item: Recurrence, writer: _Writer) -> None:
    """Room for the rows of all steps; with the neighbouring states too, as two views of one array."""
    array, width, T = writer.array(symbol), shape_of(symbol)[1], item.length
    if carry is None:
        writer.write(f"{array} = np.empty(({T}, N, {width}), dtype)")
        return
    before = writer.array(carry.prev)
    first, views = (
        (-1, f"{array}_all[:-1], {array}_all[1:]") if item.reverse else (0, f"{array}_all[1:], {array}_all[:-1]")
    )
    writer.write(f"{array}_all = np.empty(({T} + 1, N, {width}), dtype)")
    writer.write(f"{array}_all[{first}] = {carry.prev.name}")
    writer.write(f"{array}, {before} = {views}")
