"""Matrices written out: programs in scalars."""

from collections.abc import Callable, Iterable
from itertools import chain

from sympy import Expr

from symrnn.expressions.entries import Entries, scalar_entries
from symrnn.expressions.matrices import variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import N
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import (
    Carry,
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Program,
    Recurrence,
    Reversal,
    Statement,
)
from symrnn.programs.transforms import name_of


def expand(program: Program, rows: int = 1) -> Program:
    """The program entry by entry, in real Symbols, for `rows` samples; its recurrences stay."""
    known: dict[Expr, Entries] = {}
    names: dict[Expr, Name] = {}
    whole = dict(program.names)
    for item in program.equations:
        if isinstance(item, Recurrence):
            whole |= item.body.names

    def leaf(symbol: Expr) -> Entries:
        if symbol not in known:
            known[symbol] = _scalars(symbol, name_of(whole, symbol), rows, names)
        return known[symbol]

    return _expand(program, leaf, rows, names)


def _scalars(symbol: Expr, name: Name, rows: int, names: dict[Expr, Name]) -> Entries:
    """A scalar for each entry. A single entry has no index, a row and a bias one, all others two."""
    sizes = [rows if size == N else int(size) for size in shape_of(symbol)] or [1, 1]
    single = sizes == [1, 1]
    row = name.axes == 1 and sizes[0] == 1

    def scalar(i: int, j: int) -> Expr:
        part = name if single else name.part(j) if row else name.part(i, j)
        instance = variable(part.code, ())
        names[instance] = part
        return instance

    return [[scalar(i, j) for j in range(sizes[1])] for i in range(sizes[0])]


def _expand(program: Program, leaf: Callable[[Expr], Entries], rows: int, names: dict[Expr, Name]) -> Program:
    def flat(exprs: Iterable[Expr]) -> tuple[Expr, ...]:
        return tuple(e for expr in exprs for row in scalar_entries(expr, leaf, rows) for e in row)

    def pairs(equations: Iterable[Equation]) -> tuple[Equation, ...]:
        return tuple(e for eq in equations for e in map(Equation, flat([eq.lhs]), flat([eq.rhs])))

    def carries(carry: Carry) -> list[Carry]:
        parts = [flat([e]) for e in (carry.prev, carry.next, carry.init)]
        finals = flat([carry.final]) if carry.final is not None else [None] * len(parts[0])
        return [Carry(*part) for part in zip(*parts, finals, strict=True)]

    items: list[Statement] = []
    for item in program.equations:
        if isinstance(item, Equation):
            items += pairs([item])
        elif isinstance(item, Reversal | MaxOverTime):
            items += map(type(item), flat([item.lhs]), flat([item.rhs]))
        elif isinstance(item, Join | Cut):
            raise ValueError(f"{item.lhs} has the entries of all time steps: unroll the program before it is expanded")
        else:
            body = _expand(item.body, leaf, rows, names)
            carry_parts = tuple(chain.from_iterable(map(carries, item.carries)))
            parts = (flat(item.sequences), carry_parts, flat(item.stacked), pairs(item.sums))
            items.append(Recurrence(body, *parts, item.reverse, item.length))
    return Program(flat(program.inputs), flat(program.sequences), tuple(items), flat(program.outputs), names)
