"""Products with something that is 0 in places as selections, in programs for generated code.

m A + (1 - m) B prints so, with a mask m that is 1 or 0, and as such its derivative is taken; computed as
it is written, A at an inf or a NaN would be a NaN where m is 0. `selected` gives a program that chooses:
A where m is 1, else B, as Keras does. So it is with g f'(x) where Keras chooses by cases, as for a clip or
a shrinking activation: where f' is 0 the product is 0, whatever g is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Expr, MatAdd, MatMul, Mul, Ne
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix

from symrnn.expressions.functions import at_least, when
from symrnn.expressions.matrices import add, elementwise, hadamard, spread, substitute, zeros
from symrnn.expressions.nodes import SLOTS, Differs, Elementwise
from symrnn.expressions.row_functions import NamedSlope
from symrnn.programs.program import Carry, Equation, Program, Recurrence, Reversal, Statement
from symrnn.programs.transforms import name_of

_M, _A, _B = SLOTS


def selected(program: Program) -> Program:
    """The program with a choice in the place of each product that is 0 where one of its factors is."""
    masks = _masks(program)
    return replace(program, equations=tuple(_selected_item(item, masks) for item in program.equations))


def _selected_item(item: Statement, masks: set[Expr]) -> Statement:
    if isinstance(item, Equation):
        return Equation(item.lhs, _select(item.rhs, masks))
    if not isinstance(item, Recurrence):
        return item
    steps = tuple(Equation(step.lhs, _select(step.rhs, masks)) for step in item.body.assignments)
    carries = tuple(Carry(c.prev, _select(c.next, masks), c.init, c.final) for c in item.carries)
    sums = tuple(Equation(total.lhs, _select(total.rhs, masks)) for total in item.sums)
    return replace(item, body=replace(item.body, equations=steps), carries=carries, sums=sums)


# masks ------------------------------------------------------------------------------------------


def _masks(program: Program) -> set[Expr]:
    """The symbols that are 1 or 0: inputs that are masks, those that compare, and those made of such."""
    found = {symbol for symbol in program.sequences if name_of(program.names, symbol).base == "m"}
    for lhs, rhs in _definitions(program):
        if _is_mask(rhs, found):
            found.add(lhs)
    return found


def _definitions(program: Program) -> Iterator[tuple[Expr, Expr]]:
    for item in program.equations:
        if isinstance(item, Equation | Reversal):
            yield item.lhs, item.rhs
        elif isinstance(item, Recurrence):
            yield from ((step.lhs, step.rhs) for step in item.body.assignments)


def _is_mask(expr: Expr, masks: set[Expr]) -> bool:
    """Whether an expression is 1 or 0: a comparison, a mask, 1 - m, a product of such."""
    if isinstance(expr, Elementwise):
        return expr.template == 1 - _M and _is_mask(expr.matrices[0], masks)
    if isinstance(expr, HadamardProduct):
        return all(_is_mask(factor, masks) for factor in expr.args)
    return isinstance(expr, Differs) or _column(expr) in masks


def _column(expr: Expr) -> Expr:
    """The column that is repeated side by side in an expression, or the expression itself."""
    repeated = isinstance(expr, MatMul) and len(expr.args) == 2 and isinstance(expr.args[1], OneMatrix)
    return expr.args[0] if repeated and expr.args[0].shape[1:] == (1,) else expr


def _mask_in(factor: Expr, masks: set[Expr]) -> tuple[Expr, bool] | None:
    """The mask of a factor m or 1 - m, and whether it is m; None for any other factor."""
    column = _column(factor)
    if isinstance(column, Elementwise) and column.template == 1 - _M:
        found = _mask_in(column.matrices[0], masks)
        return None if found is None else (found[0], not found[1])
    return (column, True) if column in masks else None


# choices ----------------------------------------------------------------------------------------


def _select(expr: Expr, masks: set[Expr]) -> Expr:
    """An expression with its choices."""
    if isinstance(expr, MatAdd):
        pair = _pair(expr.args, masks)
        return _parts_selected(expr, masks) if pair is None else _select(pair, masks)
    if isinstance(expr, HadamardProduct):
        chosen = _chosen(expr.args, masks)
        return _parts_selected(expr, masks) if chosen is None else chosen
    return _parts_selected(expr, masks)


def _parts_selected(expr: Expr, masks: set[Expr]) -> Expr:
    parts = {part: _select(part, masks) for part in expr.args if isinstance(part, MatrixExpr)}
    changed = {part: new for part, new in parts.items() if new is not part}
    return substitute(expr, changed) if changed else expr


def _pair(terms: Sequence[Expr], masks: set[Expr]) -> Expr | None:
    """A sum with one choice in the place of its terms m A and (1 - m) B; None where there are no such."""
    found: dict[tuple[Expr, bool], tuple[Expr, Expr]] = {}
    for term in terms:
        factors = term.args if isinstance(term, HadamardProduct) else ()
        for factor in factors:
            mask, is_on = _mask_in(factor, masks) or (None, False)
            if mask is None:
                continue
            own = _without(factor, factors)
            if (mask, not is_on) in found:
                other, rest = found[mask, not is_on]
                choice = _choice(_is_on(mask, own), *((own, rest) if is_on else (rest, own)))
                return add(*(choice if one is other else one for one in terms if one is not term))
            found[mask, is_on] = term, own
    return None


def _chosen(factors: Sequence[Expr], masks: set[Expr]) -> Expr | None:
    """A product as a choice by its first factor that can be 0; None where there is none."""
    for factor in factors:
        rest = _without(factor, factors)
        mask, is_on = _mask_in(factor, masks) or (None, False)
        if mask is not None:
            kept, nothing = _select(rest, masks), zeros(rest.shape)
            return _choice(_is_on(mask, rest), *((kept, nothing) if is_on else (nothing, kept)))
        choosing = _choosing(factor)
        if choosing is not None:
            condition = elementwise(Ne(_M, 0), choosing)
            return _choice(condition, hadamard(factor, _select(rest, masks)), zeros(rest.shape))
    return None


def _without(factor: Expr, factors: Sequence[Expr]) -> Expr:
    """The product of the other factors."""
    place = factors.index(factor)
    return hadamard(*factors[:place], *factors[place + 1 :])


def _is_on(mask: Expr, like: Expr) -> Expr:
    """Where a mask is 1."""
    return elementwise(_M > 0, spread(mask, like))


def _choice(condition: Expr, first: Expr, second: Expr) -> Expr:
    """Where the condition holds the first, else the second."""
    return elementwise(when((_A, _M), otherwise=_B), condition, first, second)


def _choosing(factor: Expr) -> Expr | None:
    """The slope in a factor where Keras chooses 0 where it is 0; None where there is none."""
    if not isinstance(factor, Elementwise):
        return None
    for part in Mul.make_args(factor.template):
        if isinstance(part, at_least) or (isinstance(part, NamedSlope) and part.row.chooses):
            return elementwise(part, *factor.matrices)
    return None
