"""Time written out: programs without recurrences."""

from collections.abc import Callable
from itertools import chain
from typing import Any

from sympy import Expr, Integer

from symrnn.common.errors import cut_repr
from symrnn.expressions.matrices import add, columns, concat, peak, substitute, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import is_symbol
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import (
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Program,
    Recurrence,
    Reversal,
)
from symrnn.programs.transforms import Mapping, length_of, name_of


def unroll(program: Program, timesteps: int | Mapping) -> Program:
    """The program without recurrences: t = 0 .. T-1 written out, in time linear in T.

    h_t becomes h_0, h_1, ..., and a sum over t the sum of its terms. `timesteps` is T, or maps each
    of several symbols T, T_2, ... to its number.
    """
    names = dict(program.names)
    places: Mapping = {}

    def count(length: Expr) -> int:
        number = timesteps.get(length) if isinstance(timesteps, dict) else timesteps
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"timesteps: expected a positive whole number for {length}, got {cut_repr(number)}")
        places[length] = Integer(number)
        return number

    steps = {x: _all_at(names, x, count(length_of(names, x))) for x in program.sequences}
    inputs = (*program.inputs, *chain.from_iterable(steps.values()))
    equations: list[Equation] = []
    for item in program.equations:
        if isinstance(item, Recurrence):
            equations += _unroll_recurrence(item, count(item.length), steps, places, names, program.outputs)
        else:
            equations += _UNROLL[type(item)](item, steps, places, names)
    outputs = chain.from_iterable(steps.get(s, [places.get(s, s)]) for s in program.outputs)
    return Program(inputs, (), tuple(equations), tuple(outputs), names)


def _all_at(names: dict[Expr, Name], symbol: Expr, count: int) -> list[Expr]:
    return [_at(names, symbol, t) for t in range(count)]


def _unroll_equation(item: Equation, steps: Any, places: Mapping, names: Any) -> list[Equation]:
    return [Equation(item.lhs, substitute(item.rhs, places))]


def _unroll_reversal(item: Reversal, steps: Any, places: Mapping, names: Any) -> list[Equation]:
    steps[item.lhs] = _all_at(names, item.lhs, len(steps[item.rhs]))
    return list(map(Equation, steps[item.lhs], reversed(steps[item.rhs])))


def _unroll_join(item: Join, steps: Any, places: Mapping, names: Any) -> list[Equation]:
    return [Equation(item.lhs, concat(*steps[item.rhs]))]


def _unroll_cut(item: Cut, steps: Any, places: Mapping, names: Any) -> list[Equation]:
    width = int(shape_of(item.lhs)[1])
    count = int(shape_of(item.rhs)[1]) // width
    steps[item.lhs] = _all_at(names, item.lhs, count)
    whole = places.get(item.rhs, item.rhs)
    return [Equation(s, columns(whole, t * width, (t + 1) * width)) for t, s in enumerate(steps[item.lhs])]


def _unroll_maximum(item: MaxOverTime, steps: Any, places: Mapping, names: Any) -> list[Equation]:
    return [Equation(item.lhs, peak(*steps[item.rhs]))]


_UNROLL: dict[type, Callable[..., list[Equation]]] = {
    Equation: _unroll_equation,
    Reversal: _unroll_reversal,
    Join: _unroll_join,
    Cut: _unroll_cut,
    MaxOverTime: _unroll_maximum,
}


def _unroll_recurrence(
    item: Recurrence,
    timesteps: int,
    steps: dict[Expr, list[Expr]],
    places: Mapping,
    names: dict[Expr, Name],
    outputs: tuple[Expr, ...],
) -> list[Equation]:
    """The equations of all steps, in the order they run; fills `steps` and `places`."""
    equations: list[Equation] = []
    order = range(timesteps - 1, -1, -1) if item.reverse else range(timesteps)
    state = {carry.prev: substitute(carry.init, places) for carry in item.carries}
    stacks: dict[Expr, list[Expr]] = {symbol: [symbol] * timesteps for symbol in item.stacked}
    terms: dict[Expr, list[Expr]] = {total.lhs: [total.rhs] * timesteps for total in item.sums}
    for t in order:
        local = places | {x: steps[x][t] for x in item.sequences} | state
        for equation in item.body.assignments:
            symbol = _at(names, equation.lhs, t)
            equations.append(Equation(symbol, substitute(equation.rhs, local)))
            local[equation.lhs] = symbol
        for symbol, stack in stacks.items():
            stack[t] = local[symbol]
            if symbol in outputs and not is_symbol(stack[t]):  # the first of the neighbours' states
                stack[t] = _at(names, symbol, timesteps if item.reverse else -1)
                equations.append(Equation(stack[t], local[symbol]))
        for total in item.sums:
            terms[total.lhs][t] = substitute(total.rhs, local)
        state = {carry.prev: substitute(carry.next, local) for carry in item.carries}
    for carry in item.carries:
        if carry.final is not None and is_symbol(state[carry.prev]):
            places[carry.final] = state[carry.prev]
        elif carry.final is not None:
            equations.append(Equation(carry.final, state[carry.prev]))
    steps.update(stacks)
    return equations + [Equation(total, add(*parts)) for total, parts in terms.items()]


def _at(names: dict[Expr, Name], symbol: Expr, time: int) -> Expr:
    name = name_of(names, symbol).at(time)
    instance = variable(name.code, shape_of(symbol))
    names[instance] = name
    return instance
