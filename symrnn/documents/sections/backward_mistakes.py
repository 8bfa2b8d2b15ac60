"""Common slips, and the number that each would give: the same sweep with one rule swapped.

A reader whose gradient differs finds the number, and with it the slip.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr, MatrixSymbol, Transpose, tanh
from sympy.matrices.expressions import MatrixExpr

from symrnn.derivations.derivation import Gradient
from symrnn.derivations.numbers import lambdify
from symrnn.documents.inline import Prose, prose
from symrnn.expressions.activation_table import sigmoid
from symrnn.expressions.matrices import elementwise, substitute, transpose, zeros
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Carry, Equation, Program, Recurrence, Statement, families, recurrence, symbols_of
from symrnn.programs.transforms import name_of, stack_all
from symrnn.typesetting.equations import is_adjoint

Change = Callable[[Program], Program]


@dataclass(frozen=True)
class Slip:
    """What is done wrong, in words, and the gradients that it gives, in the order of the weights."""

    label: Prose
    gradients: tuple[np.ndarray, ...]


def slips(gradient: Gradient, arguments: Sequence[Any]) -> tuple[Slip, ...]:
    """The right gradients, and those of each slip that can be made here and changes something.

    `arguments` are those of the gradient's function: x, y_true where there is a loss, weights.
    """
    right = _gradients(gradient, arguments)
    found = [Slip(prose("none: the right value"), right)]
    program = stack_all(gradient.steps)
    for label, change in _SLIPS:
        wrong = _gradients(replace(gradient, backward=change(program)), arguments)
        if not all(map(np.array_equal, wrong, right)):
            found.append(Slip(label(gradient), wrong))
    return tuple(found)


def _gradients(gradient: Gradient, arguments: Sequence[Any]) -> tuple[np.ndarray, ...]:
    found = lambdify(gradient)(*arguments)
    return tuple(np.asarray(value) for value in (found[1] if gradient.loss else found))


# changing the way back --------------------------------------------------------------------------


def _each(program: Program, change: Callable[[Statement, Program], Statement]) -> Program:
    """The program with every item of the way back changed."""
    items = [change(item, program) if is_adjoint(item, program) else item for item in program.equations]
    return replace(program, equations=tuple(items))


def _with(program: Program, put: Callable[[Expr], Expr]) -> Program:
    """The program with every right side of the way back changed."""

    def changed(item: Statement, whole: Program) -> Statement:
        if isinstance(item, Equation):
            return Equation(item.lhs, put(item.rhs))
        if not isinstance(item, Recurrence):
            return item
        steps = [Equation(e.lhs, put(e.rhs)) for e in item.body.assignments]
        carries = [replace(c, next=put(c.next)) for c in item.carries]
        sums = [Equation(e.lhs, put(e.rhs)) for e in item.sums]
        return _rebuilt(item, whole, steps, carries, sums)

    return _each(program, changed)


def _rebuilt(
    item: Recurrence, program: Program, steps: Sequence[Equation], carries: Sequence[Carry], sums: Sequence[Equation]
) -> Recurrence:
    """The recurrence with other equations, and whatever families these read."""
    own = {*item.stacked, *(c.prev for c in carries)}
    used = symbols_of([*(e.rhs for e in steps), *(c.next for c in carries), *(e.rhs for e in sums)])
    known = [s for s in families(program) if s in used and s not in own]
    names = item.body.names or program.names
    return recurrence(steps, known, carries, item.stacked, sums, item.reverse, names, item.length)


def _replaced(expr: Expr, put: Callable[[Elementwise], Expr]) -> Expr:
    """The expression with its elementwise parts replaced."""
    if not isinstance(expr, MatrixExpr):
        return expr
    return substitute(expr, {part: put(part) for part in expr.atoms(Elementwise)})


# the slips --------------------------------------------------------------------------------------


def _activated(program: Program, kind: type) -> dict[Expr, Expr]:
    """By the symbol of an activated value what the activation is applied to."""
    steps = [e for item in program.equations if isinstance(item, Recurrence) for e in item.body.assignments]
    pairs = [(e.lhs, e.rhs) for e in steps if isinstance(e.rhs, Elementwise) and isinstance(e.rhs.template, kind)]
    return {lhs: rhs.matrices[0] for lhs, rhs in pairs if isinstance(rhs.matrices[0], MatrixSymbol)}


_Z = SLOTS[0]
_OF_TANH, _OF_SIGMOID = 1 - _Z**2, _Z * (1 - _Z)


def _at_sum(program: Program) -> Program:
    """The slope with the sum before the activation put in: 1 - a^2."""
    sources = {_OF_TANH: _activated(program, tanh), _OF_SIGMOID: _activated(program, sigmoid)}

    def put(part: Elementwise) -> Expr:
        known = sources.get(part.template, {})
        first = part.matrices[0]
        return elementwise(part.template, known[first]) if first in known else part

    return _with(program, lambda expr: _replaced(expr, put))


def _not_squared(program: Program) -> Program:
    """1 - h."""
    known = _activated(program, tanh)

    def put(part: Elementwise) -> Expr:
        first = part.matrices[0]
        return elementwise(1 - _Z, first) if part.template == _OF_TANH and first in known else part

    return _with(program, lambda expr: _replaced(expr, put))


def _no_way_back(program: Program) -> Program:
    """Nothing goes from a step to the one before."""

    def changed(item: Statement, whole: Program) -> Statement:
        if not isinstance(item, Recurrence):
            return item
        carries = [replace(c, next=zeros(shape_of(c.prev))) for c in item.carries]
        return _rebuilt(item, whole, item.body.assignments, carries, item.sums)

    return _each(program, changed)


def _same_step(program: Program) -> Program:
    """The state of a step in the place of the one before, in the sums over t."""
    states = {
        carry.prev: carry.next
        for item in program.equations
        if isinstance(item, Recurrence) and not is_adjoint(item, program)
        for carry in item.carries
        if isinstance(carry.next, MatrixSymbol)
    }

    def changed(item: Statement, whole: Program) -> Statement:
        if not isinstance(item, Recurrence):
            return item
        sums = [Equation(e.lhs, substitute(e.rhs, states)) for e in item.sums]
        return _rebuilt(item, whole, item.body.assignments, item.carries, sums)

    return _each(program, changed)


def _not_transposed(program: Program) -> Program:
    """A square weight in the place of its transpose."""

    def put(expr: Expr) -> Expr:
        if not isinstance(expr, MatrixExpr):
            return expr
        parts = [p for p in expr.atoms(Transpose) if p.arg in program.inputs and _is_square(p.arg)]
        return substitute(expr, {part: transpose(part) for part in parts})

    return _with(program, put)


def _is_square(symbol: Expr) -> bool:
    rows, columns = shape_of(symbol)
    return rows == columns != 1


def _said(text: str) -> Callable[[Gradient], Prose]:
    return lambda gradient: prose(text)


def _slope_at_sum(gradient: Gradient) -> Prose:
    """In the letters of the model: h for tanh, a gate's otherwise."""
    pairs = _activated(gradient.steps, tanh)
    if not pairs:
        return prose("a slope such as $s (1 - s)$ with the sum before the activation put in")
    h, a = (name_of(gradient.steps.names, symbol).latex for symbol in next(reversed(pairs.items())))
    return prose(f"$1 - ({a})^2$ in place of $1 - ({h})^2$" if "^" in h else f"$1 - {a}^2$ in place of $1 - {h}^2$")


def _slope_not_squared(gradient: Gradient) -> Prose:
    h = name_of(gradient.steps.names, next(reversed(_activated(gradient.steps, tanh)))).latex
    return prose(f"$1 - {h}$ in place of $1 - ({h})^2$" if "^" in h else f"$1 - {h}$ in place of $1 - {h}^2$")


_SLIPS: Sequence[tuple[Callable[[Gradient], Prose], Change]] = (
    (_slope_at_sum, _at_sum),
    (_slope_not_squared, _not_squared),
    (_said("each $h_{t-1}$ taken as a constant (no way back through time)"), _no_way_back),
    (_said(r"$h_t$ paired with $\delta_t$ in place of $h_{t-1}$"), _same_step),
    (_said(r"$V$ in place of $V^{\mathsf T}$ on the way back"), _not_transposed),
)
"""The slips: what is said of them, and the change of the way back that they are."""
