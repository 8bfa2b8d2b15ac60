"""Where each quantity of a program is read, and by which rules its adjoint comes back from there.

The rules are those of `rules`, by the kind of expression on the way from an equation's right side
down to the quantity. An activated value whose adjoint has no name of its own is passed through.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from sympy import (
    Add,
    Basic,
    Expr,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    NumberSymbol,
    Pow,
    Symbol,
    Transpose,
)
from sympy.core.function import Application
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean
from sympy.matrices.expressions import HadamardProduct, OneMatrix, ZeroMatrix

from symrnn.expressions.names import Name, move
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Diagonal,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    OneHot,
    RowSoftmax,
    no_rule,
)
from symrnn.programs.program import (
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Program,
    Recurrence,
    Reversal,
    Statement,
    symbols_of,
)
from symrnn.programs.transforms import name_of

SUM, PRODUCT, ACTIVATION, REUSE = "sum", "product", "activation", "reuse"
PARTS, LARGEST, ROW, ORDER = "parts", "largest", "row", "order"


@dataclass(frozen=True)
class Use:
    """An equation that reads a quantity, as `symbol`, and the letter of its left side as seen from the quantity."""

    lhs: Expr
    rhs: Expr
    symbol: Expr
    name: Name
    rules: frozenset[str]
    per_step: bool = False


_OF_STATEMENT: Mapping[type, str] = {Join: PARTS, Cut: PARTS, MaxOverTime: LARGEST, Reversal: ORDER}
"""The rule of each kind of statement that is no equation."""
_OF_NODE: Mapping[Any, str | None] = {
    **dict.fromkeys((Add, MatAdd), SUM),
    **dict.fromkeys((Mul, MatMul, HadamardProduct), PRODUCT),
    **dict.fromkeys((Application, Pow), ACTIVATION),
    **dict.fromkeys((RowSoftmax, CrossEntropy, LogSumExp), ROW),
    **dict.fromkeys((Concat, Columns), PARTS),
    ElementwiseMax: LARGEST,
    **dict.fromkeys((Number, NumberSymbol, Symbol, MatrixSymbol, OneMatrix, ZeroMatrix, Identity), None),
    **dict.fromkeys((Elementwise, Transpose, OneHot, Differs, Diagonal, ExprCondPair, Boolean), None),
}
"""The rule of each kind of expression; None where there is nothing to say of the node itself."""


@singledispatch
def rules_of(expr: Basic) -> frozenset[str]:
    """The rules by which a node hands its adjoint to its parts, without those of its parts.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("data flow", expr)


def _always(rule: str | None) -> Callable[[Basic], frozenset[str]]:
    return lambda expr: frozenset() if rule is None else frozenset({rule})


for _kind, _rule in _OF_NODE.items():
    rules_of.register(_kind, _always(_rule))


def kinds(expr: Expr, symbol: Expr) -> frozenset[str]:
    """The rules that lead from an expression down to a symbol in it."""
    if isinstance(expr, Elementwise):
        pairs = [(s, m) for s, m in zip(SLOTS, expr.matrices, strict=False) if symbol in m.free_symbols]
        return frozenset().union(*(kinds(expr.template, slot) | kinds(part, symbol) for slot, part in pairs))
    parts = [part for part in expr.args if symbol in getattr(part, "free_symbols", ())]
    own = rules_of(expr) if parts else frozenset()
    return own.union(*(kinds(part, symbol) for part in parts))


def uses_of(program: Program) -> dict[Expr, list[Use]]:
    """The uses of each quantity by the equations of the forward pass, in their order.

    In a recurrence the state is read by the next step, so its use there is that of another time.
    """
    found: dict[Expr, list[Use]] = {}
    for item in program.equations:
        for symbol, use in _uses(item, program):
            found.setdefault(symbol, []).append(use)
    return found


def _uses(item: Statement, program: Program) -> Iterator[tuple[Expr, Use]]:
    if isinstance(item, Recurrence):
        yield from _in_steps(item, program)
    elif isinstance(item, Equation):
        name = name_of(program.names, item.lhs)
        for symbol in symbols_of([item.rhs]):
            yield symbol, Use(item.lhs, item.rhs, symbol, name, kinds(item.rhs, symbol))
    else:
        name = name_of(program.names, item.lhs)
        yield item.rhs, Use(item.lhs, item.rhs, item.rhs, name, frozenset({_OF_STATEMENT[type(item)]}))


def _in_steps(item: Recurrence, program: Program) -> Iterator[tuple[Expr, Use]]:
    """The uses in a step; that of h_{t-1} is a use of h_t by the next step."""
    names = {**program.names, **item.body.names}
    carried = {carry.prev: carry.next for carry in item.carries}
    shift = -1 if item.reverse else 1
    for equation in item.body.assignments:
        name = name_of(names, equation.lhs)
        for symbol in symbols_of([equation.rhs]):
            rules = kinds(equation.rhs, symbol)
            if symbol in carried:
                later = name.at(move(name.time, shift))
                yield carried[symbol], Use(equation.lhs, equation.rhs, symbol, later, rules, True)
            else:
                yield symbol, Use(equation.lhs, equation.rhs, symbol, name, rules, True)
    for carry in item.carries:
        first = name_of(names, carry.prev).at("T-1" if item.reverse else 0)
        yield from ((s, Use(carry.prev, carry.init, s, first, frozenset())) for s in symbols_of([carry.init]))
    for total in item.sums:
        for symbol in symbols_of([total.rhs]):
            rules = kinds(total.rhs, symbol) | {SUM}
            yield symbol, Use(total.lhs, total.rhs, symbol, name_of(names, total.lhs), rules)


def aliases(program: Program) -> dict[Expr, Expr]:
    """Other names of a state: h_last, the one after the last step, is a value of the family h_t."""
    carries = (carry for item in program.equations if isinstance(item, Recurrence) for carry in item.carries)
    return {carry.final: carry.next for carry in carries if carry.final is not None}


def merged(uses: Mapping[Expr, list[Use]], other: Mapping[Expr, Expr]) -> dict[Expr, list[Use]]:
    """The uses with those of a second name counted for the first."""
    found = {symbol: list(listed) for symbol, listed in uses.items()}
    for second, first in other.items():
        found.setdefault(first, []).extend(found.get(second, []))
    return found


def through(symbol: Expr, uses: Mapping[Expr, list[Use]], named: Iterable[Expr]) -> frozenset[str]:
    """The rules of a symbol's adjoint, those of values without a named adjoint among them."""
    known = set(named)
    found: set[str] = set()
    waiting, seen = [symbol], set()
    while waiting:
        part = waiting.pop()
        if part in seen:
            continue
        seen.add(part)
        listed = uses.get(part, [])
        found |= {REUSE} if len({use.lhs for use in listed}) > 1 else set()
        for use in listed:
            found |= use.rules
            if use.lhs not in known:
                waiting.append(use.lhs)
    return frozenset(found)


def stand_together(expr: Expr, one: Expr, other: Expr) -> bool:
    """Whether two symbols are factors of one matrix product."""
    terms = expr.args if expr.is_MatAdd else (expr,)
    return any(one in term.free_symbols and other in term.free_symbols for term in terms)
