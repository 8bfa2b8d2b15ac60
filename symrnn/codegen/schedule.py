"""A recurrence as a loop: what runs before it, in it and after it, and where its values are kept."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, MatAdd, MatMul, MatrixSymbol
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.codegen.slices import slices_of
from symrnn.expressions.matrices import add, hadamard
from symrnn.expressions.nodes import Columns, Concat, N
from symrnn.expressions.shapes import shape
from symrnn.programs.program import Carry, Equation, Recurrence, symbols_of

# when -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schedule:
    """A recurrence's equations by when they can run; what does not move is named and runs before the loop."""

    before: list[Equation]
    inside: list[Equation]
    after: list[Equation]
    carries: list[Carry]


def split_step(item: Recurrence) -> tuple[list[Equation], list[Equation], list[Equation]]:
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


def schedule_of(item: Recurrence, fresh: Callable[[Expr, str], Expr]) -> Schedule:
    """Split the body by its dependence on the carried state; `fresh(symbol, suffix)` names a part."""
    moving = _moving(item)
    before, inside, after = split_step(item)
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


# where ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """Where the values of a loop are kept for all steps.

    `arrays` have an array each, `columns` are columns of one; the values of a step that are side by
    side in a matrix of `wholes` are computed in their place in it. A carry in `paired`, by its next
    state, has its previous states in the array of the next ones, the one in `copied` in another.
    `by_columns` says that parts of matrices are read or written in the loop: then the columns of each
    step are one after the other in memory, so that those of a part are adjacent.
    """

    arrays: list[Expr]
    columns: dict[Expr, Columns]
    wholes: dict[Expr, Concat]
    paired: dict[Expr, Carry]
    copied: list[Carry]
    by_columns: bool


def layout(item: Recurrence, plan: Schedule) -> Layout:
    """Where the values of a loop are kept: those that are read later, and those side by side with one that is."""
    inside = {equation.lhs: equation.rhs for equation in plan.inside}
    later = {*item.stacked, *symbols_of([*(s.rhs for s in item.sums), *(e.rhs for e in plan.after)])}
    views = {s: rhs for s, rhs in inside.items() if isinstance(rhs, Columns) and rhs.args[0] in inside}
    joined = {e.lhs: e.rhs for e in (*plan.inside, *plan.after) if isinstance(e.rhs, Concat)}
    once = {part for part, uses in Counter(p for rhs in joined.values() for p in rhs.args).items() if uses == 1}
    computed = {*inside} - {*views} - {*joined}
    wholes = {symbol: rhs for symbol, rhs in joined.items() if {*rhs.args} <= computed & once}
    columns = {
        part: place.expr() for whole, rhs in wholes.items() for part, place in slices_of(whole, rhs.args).items()
    }
    free = computed - {*columns}
    paired = {c.next: c for c in reversed(plan.carries) if c.prev in later and c.next in free}
    later |= {*paired, *(view.args[0] for symbol, view in views.items() if symbol in later)}
    arrays = [symbol for symbol in inside if symbol in later & free]
    columns |= {symbol: view for symbol, view in views.items() if view.args[0] in {*arrays, *wholes}}
    copied = [c for c in plan.carries if c.prev in later and paired.get(c.next) != c]
    read = any(expr.has(Columns) for expr in (*inside.values(), *(carry.next for carry in plan.carries)))
    return Layout(arrays, columns, wholes, paired, copied, read or bool(wholes))
