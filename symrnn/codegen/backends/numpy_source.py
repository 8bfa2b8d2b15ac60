"""Python source from programs: a function of arrays whose length does not depend on T.

Arrays hold one row per sample; a family has time in front, (T, N, width), so that an equation
outside a loop is one operation for all t. A recurrence becomes three parts:
what does not depend on the state, before the loop; what the next state needs, inside; what only
depends on the states, after it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import starmap
from typing import Any

from sympy import Expr, MatMul, MatrixSymbol, Symbol
from sympy.matrices.expressions import ZeroMatrix

from symrnn.codegen.backends.lifetimes import with_releases
from symrnn.codegen.backends.numpy_expressions import ATOM, CALLED, Scope, in_place
from symrnn.codegen.scalar_code import ARRAYS
from symrnn.codegen.schedule import Layout, Schedule, layout, schedule_of
from symrnn.expressions.nodes import Columns, Elementwise, N
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import (
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Program,
    Recurrence,
    Reversal,
    families,
    parameters,
    right_sides,
    symbols_of,
)
from symrnn.programs.transforms import family_names, name_of


@dataclass
class _Writer:
    """The lines so far; local to one call of `source`."""

    program: Program
    families: dict[Expr, None]
    lines: list[str] = field(default_factory=list)
    parts: dict[Expr, str] = field(default_factory=dict)

    @cached_property
    def arrays(self) -> dict[Expr, str]:
        """The variables that hold all rows of families."""
        return family_names(self.program)

    @cached_property
    def taken(self) -> set[str]:
        """The names of the program's symbols and of their families, and of what was made beside them."""
        letters = {name for letter in self.program.names.values() for name in (letter.code, letter.family)}
        return {*letters, *self.arrays.values()}

    def array(self, symbol: Expr) -> str:
        """The variable that holds all rows of a family, or a plain symbol's."""
        return self.parts.get(symbol) or self.arrays.get(symbol) or symbol.name

    def free(self, name: str) -> str:
        """The name, with underscores behind it where it is taken."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def fresh(self, symbol: Expr, suffix: str) -> Expr:
        name = self.free(f"{name_of(self.program.names, symbol).family}_{suffix}")
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


def source(program: Program, name: str, lengths: Mapping[str, int] | None = None) -> str:
    """A Python module with one function: arrays in, the program's outputs as a tuple.

    Sequences come as (N, T, features) and go as (N, T, width), a weight for each time step comes as
    (T, width); every T and N will do. `lengths` are the numbers of time steps of other sequences.
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
    return _module(program, name, lengths or {}, writer)


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
    MaxOverTime: lambda writer, item: f"{writer.array(item.rhs)}.max(axis=0)",
}


def _returned(symbol: Expr, writer: _Writer) -> str:
    text = writer.array(symbol)
    return f"{text}.swapaxes(0, 1)" if symbol in writer.families else text


def _module(program: Program, name: str, known: Mapping[str, int], writer: _Writer) -> str:
    """The imports, the helpers that the lines use, and the function."""
    sizes, dtype = _sizes(program, writer)
    arguments = [writer.array(s) for s in (*program.sequences, *program.inputs)]
    exprs = right_sides(program)
    nodes = [node for expr in exprs for node in expr.atoms(Elementwise)]
    helpers = [ARRAYS.helpers(node.template for node in nodes)]
    body = "\n".join(with_releases(writer.lines))
    helpers += [text for call, text in CALLED.items() if re.search(rf"\b{call}\(", body)]
    told = {name_of(program.names, symbol).steps for symbol in program.sequences if _has_rows(symbol)}
    used = {steps: n for steps, n in known.items() if steps not in told and re.search(rf"\b{steps}\b", body)}
    head = sizes + [f"    {steps} = {number}" for steps, number in used.items()]
    head += [f"    dtype = {dtype}"] if re.search(r"\b(dtype|zero)\b", body) else []
    head += ["    zero = np.zeros((), dtype)"] if re.search(r"\bzero\b", body) else []
    function = "\n".join([f"def {name}({', '.join(arguments)}):", *head, body])
    header = ("import math\n\n" if any("math." in helper for helper in helpers) else "") + "import numpy as np"
    return "\n\n\n".join([header, *filter(None, helpers), function]) + "\n"


def _sizes(program: Program, writer: _Writer) -> tuple[list[str], str]:
    """The lines that find N and the numbers of time steps, and what has the dtype."""
    lines: list[str] = []
    lengths: dict[str, str] = {}
    given = [symbol for symbol in program.sequences if _has_rows(symbol)]
    for symbol in given:
        lengths.setdefault(name_of(program.names, symbol).steps, writer.array(symbol))
    for i, (name, array) in enumerate(lengths.items()):
        lines.append(f"    N, {name} = {array}.shape[:2]" if i == 0 else f"    {name} = {array}.shape[1]")
    rows = [symbol for symbol in program.inputs if shape_of(symbol)[:1] == (N,)]
    if not lines and rows:
        lines = [f"    N = len({writer.array(rows[0])})"]
    weights = [symbol for symbol in program.inputs if symbol not in rows]
    return lines, f"{writer.array([*weights, *rows, *given][0])}.dtype"


def _write_recurrence(item: Recurrence, writer: _Writer) -> None:
    plan = schedule_of(item, writer.fresh)
    places = layout(item, plan)
    scope = writer.stacked(item)
    writer.equations(plan.before, replace(scope, by_columns=places.by_columns))
    if plan.carries:
        _write_loop(item, plan, places, writer)
    writer.equations([equation for equation in plan.after if equation.lhs not in places.wholes], scope)
    for total in item.sums:
        rows = shape_of(total.lhs)[0]
        summed = replace(scope, summed=True)
        text = f"{summed.code(total.rhs, ATOM)}.sum(axis=0)" if rows == N else summed.code(total.rhs)
        writer.write(f"{writer.array(total.lhs)} = {text}")


def _write_loop(item: Recurrence, plan: Schedule, places: Layout, writer: _Writer) -> None:
    """For t: the equations that the next state needs; what is read later is kept."""
    T, inside = item.length, {equation.lhs: equation for equation in plan.inside}
    kept = {*places.arrays, *places.columns, *places.wholes}
    views = {s for s, e in inside.items() if s in places.wholes or (s in kept and isinstance(e.rhs, Columns))}
    names = {s: f"{writer.array(s)}[t]" if s in views else s.name for s in (*inside, *places.wholes)}
    names |= {carry.prev: carry.prev.name for carry in plan.carries}
    scope = Scope(lambda s: names.get(s) or _now(s, item, plan, writer), by_columns=places.by_columns)
    for carry in plan.carries:
        writer.write(f"{carry.prev.name} = {_start(carry.init, replace(writer.plain, by_columns=places.by_columns))}")
    for symbol in [*(carry.prev for carry in places.copied), *places.wholes, *places.arrays]:
        _allocate(symbol, places, item, writer)
    writer.equations(starmap(Equation, places.columns.items()), writer.plain)
    writer.write(f"for t in {f'range({T} - 1, -1, -1)' if item.reverse else f'range({T})'}:")
    for carry in places.copied:
        writer.write(f"{writer.array(carry.prev)}[t] = {carry.prev.name}", 1)
    lines = [equation for symbol, equation in inside.items() if symbol not in views]
    used = symbols_of([*(equation.rhs for equation in lines), *(carry.next for carry in plan.carries)])
    for equation in lines:
        place = f"{writer.array(equation.lhs)}[t]" if equation.lhs in kept else ""
        writer.write(_assigned(equation, place, equation.lhs in used, scope), 1)
    states = ", ".join(carry.prev.name for carry in plan.carries)
    writer.write(f"{states} = {', '.join(scope.code(carry.next) for carry in plan.carries)}", 1)
    for carry in plan.carries:
        if carry.final is not None:
            writer.write(f"{writer.array(carry.final)} = {carry.prev.name}")


def _start(init: Expr, scope: Scope) -> str:
    """What a loop starts from, by columns too where its values are."""
    text = scope.code(init)
    return f"np.asfortranarray({text})" if scope.by_columns and not isinstance(init, ZeroMatrix | MatMul) else text


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


def _allocate(symbol: Expr, places: Layout, item: Recurrence, writer: _Writer) -> None:
    """Room for the rows of all steps; with the neighbouring states too, as two views of one array."""
    array, steps, width = writer.array(symbol), str(item.length), shape_of(symbol)[1]
    carry = places.paired.get(symbol)
    name, steps = (array, steps) if carry is None else (writer.free(f"{array}_all"), f"{steps} + 1")
    empty = f"room({steps}, N, {width}, dtype)" if places.by_columns else f"np.empty(({steps}, N, {width}), dtype)"
    writer.write(f"{name} = {empty}")
    if carry is not None:
        first, own, before = (-1, "[:-1]", "[1:]") if item.reverse else (0, "[1:]", "[:-1]")
        writer.write(f"{name}[{first}] = {carry.prev.name}")
        writer.write(f"{array}, {writer.array(carry.prev)} = {name}{own}, {name}{before}")
