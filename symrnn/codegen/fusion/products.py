"""Products as one product: those in one sum, and sums over t with a common left factor."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import permutations
from typing import Any, NamedTuple

from sympy import Expr, MatAdd, MatMul
from sympy.matrices.expressions import MatrixExpr

from symrnn.codegen.fusion.blocks import Blocks, walk, weight_blocks, within
from symrnn.codegen.schedule import split_step
from symrnn.codegen.slices import ColumnSlice, slices_of
from symrnn.expressions.matrices import add, concat, multiply, substitute, transpose
from symrnn.expressions.nodes import Columns, Concat, N
from symrnn.programs.program import Equation, Recurrence, Statement, parameters


def places(item: Recurrence) -> dict[Expr, int]:
    """When each equation of a step runs: 0 before the loop, 1 in it, 2 after it."""
    return {equation.lhs: place for place, part in enumerate(split_step(item)) for equation in part}


def _factors(expr: Expr, fixed: Iterable[Expr]) -> tuple[Expr, Expr] | None:
    """A product's value and its weights, which are `fixed`."""
    if not isinstance(expr, MatMul) or len(expr.args) != 2 or not isinstance(expr.args[0], MatrixExpr):
        return None
    left, right = expr.args
    return (left, right) if right.free_symbols and left.shape[0] == N and within(right, fixed) else None


def _with(
    item: Recurrence, mapping: dict[Expr, Expr], blocks: Blocks, more: Sequence[Equation], **changes: tuple[Any, ...]
) -> Recurrence:
    """A recurrence with parts of its expressions replaced, and with more equations."""
    carries = tuple(replace(carry, next=substitute(carry.next, mapping)) for carry in item.carries)
    steps = [Equation(step.lhs, substitute(step.rhs, mapping)) for step in item.body.assignments]
    return blocks.rebuilt(item, [*more, *steps], carries=carries, **changes)


# sums of products -----------------------------------------------------------------------------------


class _Sum(NamedTuple):
    """Products in one sum, or sums over t with one left factor: their values d, and where they are computed.

    `user` is the symbol that an equation of the same step computes with the sum.
    """

    home: int
    values: tuple[Expr, ...]
    rights: tuple[Expr, ...] = ()
    user: Expr | None = None


def join_sums(items: Sequence[Statement], blocks: Blocks) -> list[Statement]:
    """Values that are multiplied in one sum, or summed over t with one left factor, side by side.

    That they are summed over t alone, as for a bias, does not bring values together.
    """
    steps = {number: item for number, item in enumerate(items) if isinstance(item, Recurrence)}
    homes = {symbol: number for number, item in steps.items() for symbol in _computed(item)}
    sums = [found for number, item in steps.items() for found in _sums(number, item, homes)]
    if not sums:
        return list(items)
    orders = {block.args for item in steps.values() for block in weight_blocks(item)}
    placed: dict[Expr, ColumnSlice] = {}
    joined: dict[int, list[Equation]] = {}
    for home in dict.fromkeys(found.home for found in sums):
        for order in _arranged(steps[home], [found for found in sums if found.home == home], orders):
            whole = blocks.declare(blocks.together(order), Concat(*order).shape)
            placed |= slices_of(whole, order)
            joined.setdefault(home, []).append(Equation(whole, Concat(*order)))
    return [
        part for number, item in enumerate(items) for part in _rewritten(item, placed, joined.get(number, []), blocks)
    ]


def _computed(item: Recurrence) -> list[Expr]:
    """The values that are computed in the loop."""
    return [equation.lhs for equation in split_step(item)[1] if not isinstance(equation.rhs, Columns)]


def _sums(number: int, item: Recurrence, homes: dict[Expr, int]) -> Iterator[_Sum]:
    fixed = frozenset(parameters(item))
    ends = [(carry.prev, carry.next) for carry in item.carries]
    for lhs, rhs in (*((e.lhs, e.rhs) for e in item.body.assignments), *ends):
        for part in walk(rhs):
            terms: dict[int, dict[Expr, Expr]] = {}
            for value, right in _terms(part, fixed).items():
                if value in homes:
                    terms.setdefault(homes[value], {})[value] = right
            for home, found in terms.items():
                user = lhs if home == number and (lhs, rhs) not in ends else None
                yield from [_Sum(home, tuple(found), tuple(found.values()), user)] if len(found) > 1 else []
    lefts: dict[Expr, dict[Expr, None]] = {}
    for total in item.sums:
        if _is_product(total.rhs) and homes.get(total.rhs.args[1]) == number and total.rhs.args[0].free_symbols - {N}:
            lefts.setdefault(total.rhs.args[0], {})[total.rhs.args[1]] = None
    yield from (_Sum(number, tuple(values)) for values in lefts.values() if len(values) > 1)


def _is_product(expr: Expr) -> bool:
    return isinstance(expr, MatMul) and len(expr.args) == 2 and isinstance(expr.args[0], MatrixExpr)


def _terms(expr: Expr, fixed: Iterable[Expr]) -> dict[Expr, Expr]:
    """The products in a sum: the weights by the value."""
    terms = [_factors(term, fixed) for term in expr.args] if isinstance(expr, MatAdd) else []
    return dict(factors for factors in terms if factors is not None)


def _arranged(item: Recurrence, sums: Sequence[_Sum], orders: set[tuple[Expr, ...]]) -> list[tuple[Expr, ...]]:
    """The values in such orders that those of as many sums as can be are adjacent.

    Of several such orders it is one whose weights are side by side already.
    """
    groups = _grouped(sums, lambda groups: True)
    if not _can_run(item, sums, groups):  # where all can be joined there is no need to ask after each
        groups = _grouped(sums, lambda groups: _can_run(item, sums, groups))
    return [_arrangement([found for found in sums if group.issuperset(found.values)], orders) for group in groups]


def _grouped(sums: Sequence[_Sum], is_allowed: Callable[[Sequence[set[Expr]]], bool]) -> list[set[Expr]]:
    """The values of sums, those that share one in one group, as long as it is allowed."""
    groups: list[set[Expr]] = []
    for found in sums:
        near = [group for group in groups if not group.isdisjoint(found.values)]
        merged = [group for group in groups if group not in near] + [set(found.values).union(*near)]
        groups = merged if is_allowed(merged) else groups
    return groups


def _can_run(item: Recurrence, sums: Sequence[_Sum], groups: Sequence[set[Expr]]) -> bool:
    """Whether a step can be put in order where a sum over a part of a group needs all of it."""
    needs: dict[Expr, set[Expr]] = {equation.lhs: {*equation.rhs.free_symbols} for equation in item.body.assignments}
    for found in sums:
        if found.user is not None:
            needs[found.user].update(*(group for group in groups if len(group & {*found.values}) > 1))
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return False
    return True


def _arrangement(sums: Sequence[_Sum], orders: set[tuple[Expr, ...]]) -> tuple[Expr, ...]:
    values = list(dict.fromkeys(value for found in sums for value in found.values))
    values.sort(key=lambda value: [value not in found.values for found in sums])
    if len(values) > MOST:
        return tuple(values)

    def merit(order: tuple[Expr, ...]) -> tuple[int, int]:
        near = [found for found in sums if _is_adjacent(found.values, order)]
        return len(near), sum(_weights(found, order) in orders for found in near)

    return max(permutations(values), key=merit)


MOST = 5
"""Of so many values all orders are tried."""


def _is_adjacent(values: Sequence[Expr], order: tuple[Expr, ...]) -> bool:
    numbers = [order.index(value) for value in values]
    return max(numbers) - min(numbers) == len(numbers) - 1


def _weights(found: _Sum, order: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The transposed weights of a sum in this order of its values."""
    rights = dict(zip(found.values, found.rights, strict=False))
    return tuple(transpose(rights[value]) for value in order if value in rights)


def _rewritten(
    item: Statement, placed: dict[Expr, ColumnSlice], joined: list[Equation], blocks: Blocks
) -> list[Statement]:
    """A recurrence with its products joined; the parts of its joined sums over t follow it."""
    if not isinstance(item, Recurrence):
        return [item]
    fixed = frozenset(parameters(item))
    exprs = [*(equation.rhs for equation in item.body.assignments), *(carry.next for carry in item.carries)]
    found = {part: _merged(part, placed, fixed) for expr in exprs for part in walk(expr) if isinstance(part, MatAdd)}
    mapping = {part: merged for part, merged in found.items() if merged is not part}
    sums, after = _joined_sums(item, placed, blocks)
    if not mapping and not joined and not after:
        return [item]
    own = [equation.lhs for equation in joined]
    sequences = (*item.sequences, *(place.whole for place in placed.values() if place.whole not in own))
    return [_with(item, mapping, blocks, joined, sequences=sequences, stacked=(*item.stacked, *own), sums=sums), *after]


def _merged(expr: MatAdd, placed: dict[Expr, ColumnSlice], fixed: Iterable[Expr]) -> Expr:
    """A sum in which d_i V_i^T + d_f V_f^T is one product, in the place of the first."""
    if len(set(expr.args)) < len(expr.args):  # a term that stands twice, as in e + e
        return expr
    factors = {term: _factors(term, fixed) for term in expr.args}
    rights = {pair[0]: pair[1] for pair in factors.values() if pair is not None}
    terms = {pair[0]: term for term, pair in factors.items() if pair is not None}
    new = {term: term for term in expr.args}
    for run in _runs([value for value in terms if value in placed], placed):
        weights = transpose(concat(*(transpose(rights[value]) for value in run)))
        first, *rest = sorted((terms[value] for value in run), key=expr.args.index)
        new[first] = multiply(_whole(run, placed).expr(), weights)
        new = {term: other for term, other in new.items() if term not in rest}
    return add(*new.values()) if len(new) < len(expr.args) else expr


def _runs(values: Iterable[Expr], placed: dict[Expr, ColumnSlice]) -> list[list[Expr]]:
    """The values that are adjacent in one matrix, at least two, from left to right."""
    runs: list[list[Expr]] = []
    for value in sorted(values, key=lambda value: (placed[value].whole.name, placed[value].start)):
        last = placed[runs[-1][-1]] if runs else None
        if last is not None and (last.whole, last.stop) == (placed[value].whole, placed[value].start):
            runs[-1].append(value)
        else:
            runs.append([value])
    return [run for run in runs if len(run) > 1]


def _whole(run: Sequence[Expr], placed: dict[Expr, ColumnSlice]) -> ColumnSlice:
    return ColumnSlice(placed[run[0]].whole, placed[run[0]].start, placed[run[-1]].stop)


def _joined_sums(
    item: Recurrence, placed: dict[Expr, ColumnSlice], blocks: Blocks
) -> tuple[tuple[Equation, ...], list[Equation]]:
    """The sums over t, with those of one left factor joined; and the parts, as columns of these."""
    lefts: dict[Expr, dict[Expr, list[Expr]]] = {}
    for total in item.sums:
        if _is_product(total.rhs) and total.rhs.args[1] in placed:
            lefts.setdefault(total.rhs.args[0], {}).setdefault(total.rhs.args[1], []).append(total.lhs)
    sums = {total.lhs: total for total in item.sums}
    after: list[Equation] = []
    for left, totals in lefts.items():
        for run in _runs(totals, placed):
            rhs = multiply(left, _whole(run, placed).expr())
            joined = blocks.declare(blocks.together(total for value in run for total in totals[value]), rhs.shape)
            for value, place in slices_of(joined, run).items():
                after += [Equation(total, place.expr()) for total in totals[value]]
                for total in totals[value]:
                    del sums[total]
            sums[joined] = Equation(joined, rhs)
    return tuple(sums.values()), after
