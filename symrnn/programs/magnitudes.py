"""How large a program is where its time steps, or its matrices, are written out: known before they are."""

from collections.abc import Callable, Mapping
from functools import partial

from sympy import Expr

from symrnn.common.limits import round_number
from symrnn.expressions.entry_counts import entries_of, entry_count
from symrnn.expressions.nodes import is_symbol
from symrnn.programs.program import Equation, Program, Recurrence, Statement
from symrnn.programs.transforms import length_of

Lengths = Mapping[Expr, int]
Count = Callable[[Expr], int]


def symbols_in(expr: Expr) -> int:
    """The symbols of an expression in matrices, each as often as it stands there."""
    found, waiting = 0, [expr]
    while waiting:
        part = waiting.pop()
        found += is_symbol(part)
        waiting += () if is_symbol(part) else part.args
    return found


def entry_symbols(rows: int) -> Count:
    """The count of the symbols in all entries of an expression, for this number of samples."""
    return lambda expr: entry_count(expr, partial(entries_of, rows=rows), rows)


def symbol_count(program: Program, lengths: Lengths, count: Count) -> int:
    """The symbols of all equations with the time steps written out; `count` gives those of an expression.

    A length that is not in `lengths` counts as one step.
    """
    total = sum(map(count, program.inputs))
    total += sum(lengths.get(length_of(program.names, symbol), 1) * count(symbol) for symbol in program.sequences)
    return total + sum(_written(item, program, lengths, count) for item in program.equations)


def _written(item: Statement, program: Program, lengths: Lengths, count: Count) -> int:
    if isinstance(item, Recurrence):
        steps = sum(count(e.lhs) + count(e.rhs) for e in (*item.body.assignments, *item.sums))
        handed = sum(count(c.next) - count(c.prev) for c in item.carries if not is_symbol(c.next))  # in its place
        return lengths.get(item.length, 1) * (steps + handed) + 2 * sum(count(carry.prev) for carry in item.carries)
    own = count(item.lhs) + count(item.rhs)
    if isinstance(item, Equation):
        return own
    return own * max(lengths.get(length_of(program.names, symbol), 1) for symbol in (item.lhs, item.rhs))


def check_count(size: int, most: int, expansion: str, way_round: str) -> None:
    """Check a number of symbols before they are written.

    Raises:
        ValueError: it is above `most`.
    """
    if size > most:
        raise ValueError(f"{expansion}: expected at most {most} symbols, got {round_number(size)}; take {way_round}")
