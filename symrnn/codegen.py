"""Python source from programs: a function of arrays whose length does not depend on T.

Arrays hold one row per sample; a family has time in front, (T, N, width), so that an equation
outside a loop is one operation for all t. A recurrence becomes three parts:
what does not depend on the state, before the loop; what the next state needs, inside; what only
depends on the states, after it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, Symbol, exp, tanh
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.arraycode import ATOM, ROW_FUNCTIONS, TOTAL, Scope
from symrnn.codeprinter import ARRAYS
from symrnn.matrices import SLOTS, Elementwise, N, add, hadamard, shape, shape_of
from symrnn.program import Carry, Equation, Program, Recurrence, families, parameters, right_sides, symbols_of
from symrnn.transforms import family_name, letter_of


@dataclass(frozen=True)
class Schedule:
    """A recurrence's equations by when they can run; `extra` names what was taken out of the loop."""

    before: list[Equation]
    inside: list[Equation]
    after: list[Equation]
    carries: list[Carry]


def schedule(item: Recurrence, fresh: Callable[[Expr, str], Expr]) -> Schedule:
    """Split the body by its dependence on the carried state; `fresh(symbol, suffix)` names a part."""
    moving = {carry.prev for carry in item.carries}
    for equation in item.body.assignments:
        if not moving.isdisjoint(equation.rhs.free_symbols):
            moving.add(equation.lhs)
    needed = set(symbols_of(carry.next for carry in item.carries))
    for equation in reversed(item.body.assignments):
        if equation.lhs in needed:
            needed |= symbols_of([equation.rhs]).keys()
    before = [e for e in item.body.assignments if e.lhs not in moving]
    inside = [e for e in item.body.assignments if e.lhs in moving and e.lhs in needed]
    after = [e for e in item.body.assignments if e.lhs in moving and e.lhs not in needed]
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
        fixed = {s: f"np.broadcast_to({self.array(s)}, (T, N, {shape_of(s)[1]}))" for s in rows}
        return Scope(lambda s: fixed.get(s) or self.array(s), stacked=True)

    def write(self, line: str, indent: int = 0) -> None:
        self.lines.append("    " * (indent + 1) + line)

    def equations(self, equations: Iterable[Equation], scope: Scope) -> None:
        for equation in equations:
            self.write(f"{self.array(equation.lhs)} = {scope.code(equation.rhs)}")


def source(program: Program, name: str, description: str = "") -> str:
    """A Python module with one function: arrays in, the program's outputs as a tuple.

    Sequences come as (N, T, features) and go as (N, T, width); every T and N will do.
    """
    writer = _Writer(program, families(program))
    for symbol in program.sequences:
        array = writer.array(symbol)
        writer.write(f"{array} = {array}.swapaxes(0, 1)")
    for item in program.equations:
        if isinstance(item, Equation):
            writer.equations([item], writer.plain)
        elif isinstance(item, Recurrence):
            _write_recurrence(item, writer)
        else:
            writer.write(f"{writer.array(item.lhs)} = {writer.array(item.rhs)}[::-1]")
    returned = ", ".join(_returned(symbol, writer) for symbol in program.outputs)
    writer.write(f"return {returned}{',' if len(program.outputs) == 1 else ''}" if returned else "return ()")
    return _module(program, name, description, writer)


def _returned(symbol: Expr, writer: _Writer) -> str:
    text = writer.array(symbol)
    return f"{text}.swapaxes(0, 1)" if symbol in writer.families else text


def _module(program: Program, name: str, description: str, writer: _Writer) -> str:
    """The imports, the helpers that the lines use, and the function."""
    first = writer.array(program.sequences[0])
    arguments = [writer.array(s) for s in (*program.sequences, *program.inputs)]
    exprs = right_sides(program)
    nodes = [node for expr in exprs for node in expr.atoms(Elementwise, *ROW_FUNCTIONS)]
    helpers = [ARRAYS.helpers(node.template for node in nodes if isinstance(node, Elementwise))]
    helpers += [text for kind, text in ROW_FUNCTIONS.items() if any(isinstance(node, kind) for node in nodes)]
    body = "\n".join(writer.lines)
    helpers += [TOTAL] if "total(" in body else []
    head = [f"    N, T = {first}.shape[:2]"] + ([f"    dtype = {first}.dtype"] if "dtype)" in body else [])
    note = [f'    """{description}"""'] if description else []
    function = "\n".join([f"def {name}({', '.join(arguments)}):", *note, *head, body])
    header = ("import math\n\n" if any("math." in helper for helper in helpers) else "") + "import numpy as np"
    return "\n\n\n".join([header, *filter(None, helpers), function]) + "\n"


def _write_recurrence(item: Recurrence, writer: _Writer) -> None:
    plan = schedule(item, writer.fresh)
    scope = writer.stacked(item)
    writer.equations(plan.before, scope)
    if plan.carries:
        _write_loop(item, plan, writer)
    writer.equations(plan.after, scope)
    for total in item.sums:
        rows = shape_of(total.lhs)[0]
        text = f"{scope.code(total.rhs, ATOM)}.sum(axis=0)" if rows == N else scope.code(total.rhs)
        writer.write(f"{writer.array(total.lhs)} = {text}")


def _write_loop(item: Recurrence, plan: Schedule, writer: _Writer) -> None:
    """For t: the equations that the next state needs; states that are read later are kept."""
    later = {*item.stacked, *symbols_of([*(s.rhs for s in item.sums), *(e.rhs for e in plan.after)])}
    kept = [e.lhs for e in plan.inside if e.lhs in later]
    paired = {c.next: c for c in plan.carries if c.prev in later and c.next in kept}
    locals_ = {e.lhs: e.lhs.name for e in plan.inside} | {c.prev: c.prev.name for c in plan.carries}
    scope = Scope(lambda s: locals_.get(s) or _now(s, item, plan, writer))
    for carry in plan.carries:
        writer.write(f"{carry.prev.name} = {writer.plain.code(carry.init)}")
        if carry.prev in later and carry.next not in paired:
            writer.write(f"{writer.array(carry.prev)} = np.empty((T, N, {shape_of(carry.prev)[1]}), dtype)")
    for symbol in kept:
        _allocate(symbol, paired.get(symbol), item.reverse, writer)
    writer.write(f"for t in {'range(T - 1, -1, -1)' if item.reverse else 'range(T)'}:")
    for carry in plan.carries:
        if carry.prev in later and carry.next not in paired:
            writer.write(f"{writer.array(carry.prev)}[t] = {carry.prev.name}", 1)
    for equation in plan.inside:
        if equation.lhs in kept:
            writer.write(_kept(equation, f"{writer.array(equation.lhs)}[t]", scope), 1)
        else:
            writer.write(f"{equation.lhs.name} = {scope.code(equation.rhs)}", 1)
    names = ", ".join(carry.prev.name for carry in plan.carries)
    writer.write(f"{names} = {', '.join(scope.code(carry.next) for carry in plan.carries)}", 1)
    for carry in plan.carries:
        if carry.final is not None:
            writer.write(f"{writer.array(carry.final)} = {carry.prev.name}")


def _kept(equation: Equation, place: str, scope: Scope) -> str:
    """The assignment of a value that is kept: computed in its place where NumPy can, else put there."""
    name, rhs = equation.lhs.name, equation.rhs
    if isinstance(rhs, Elementwise) and isinstance(rhs.template, tanh | exp) and rhs.template.args == SLOTS[:1]:
        return f"{name} = np.{type(rhs.template).__name__}({scope.code(rhs.matrices[0])}, out={place})"
    if isinstance(rhs, HadamardProduct) and len(rhs.args) == 2:
        return f"{name} = np.multiply({', '.join(map(scope.code, rhs.args))}, out={place})"
    return f"{place} = {name} = {scope.code(rhs)}"


def _now(symbol: Expr, item: Recurrence, plan: Schedule, writer: _Writer) -> str:
    """A family's rows of this step; a plain symbol by its name."""
    family = symbol in item.sequences or symbol in {e.lhs for e in plan.before}
    return f"{writer.array(symbol)}[t]" if family else writer.array(symbol)


def _allocate(symbol: Expr, carry: Carry | None, reverse: bool, writer: _Writer) -> None:
    """Room for the rows of all steps; with the neighbouring states too, as two views of one array."""
    array, width = writer.array(symbol), shape_of(symbol)[1]
    if carry is None:
        writer.write(f"{array} = np.empty((T, N, {width}), dtype)")
        return
    before = writer.array(carry.prev)
    first, views = (-1, f"{array}_all[:-1], {array}_all[1:]") if reverse else (0, f"{array}_all[1:], {array}_all[:-1]")
    writer.write(f"{array}_all = np.empty((T + 1, N, {width}), dtype)")
    writer.write(f"{array}_all[{first}] = {carry.prev.name}")
    writer.write(f"{array}, {before} = {views}")
