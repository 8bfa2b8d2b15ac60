"""What each time step contributes to a weight's gradient: the terms of the sum over t, as numbers."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np
from sympy import Expr, MatrixSymbol

from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.derivations.derivation import Gradient
from symrnn.expressions.matrices import is_zero
from symrnn.expressions.names import Name
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Program, Recurrence, symbols_of
from symrnn.programs.transforms import name_of


@dataclass(frozen=True)
class Contributions:
    """The terms of one sum: the weight's symbol, its term for a general t, and its value for t = 0, 1, ..."""

    weight: str
    name: Name
    term: Expr
    values: tuple[np.ndarray, ...]

    @property
    def total(self) -> np.ndarray:
        """The sum over t, which is the gradient where the weight is read in one place."""
        return np.sum(self.values, axis=0)

    @property
    def sizes(self) -> tuple[float, ...]:
        """The Euclidean norm of each term."""
        return tuple(float(np.linalg.norm(value)) for value in self.values)


def contributions_of(gradient: Gradient, values: Mapping[str, np.ndarray]) -> tuple[Contributions, ...]:
    """The terms of every sum over t, in the order of the weights; `values` are all values of one sample.

    A weight that is read in several places has the terms of each place.
    """
    codes = {weight.name.partial(gradient.objective).code: weight.symbol.name for weight in gradient.table}
    program = gradient.steps
    found = []
    for item in program.equations:
        if isinstance(item, Recurrence) and item.sums:
            found += [one for one in _of_recurrence(item, program, codes, values) if one.weight]
    order = list(codes.values())
    return tuple(sorted(found, key=lambda one: order.index(one.weight)))


def _of_recurrence(
    item: Recurrence, program: Program, codes: Mapping[str, str], values: Mapping[str, np.ndarray]
) -> Iterator[Contributions]:
    """The terms of one recurrence, all of them evaluated by one function at each t."""
    names = program.names
    states = _states(program)
    symbols = list(symbols_of([total.rhs for total in item.sums]))
    body = Program(tuple(symbols), (), item.sums, tuple(total.lhs for total in item.sums), names)
    function = compile_source(source(body, "terms"), "terms")
    count = _count(symbols, names, values)
    with np.errstate(all="ignore"):
        rows = [function(*(_value(s, t, names, states, values, count) for s in symbols)) for t in range(count)]
    for place, total in enumerate(item.sums):
        weight = codes.get(summed_name(name_of(names, total.lhs)).code, "")
        yield Contributions(weight, name_of(names, total.lhs), total.rhs, tuple(np.asarray(row[place]) for row in rows))


def summed_name(name: Name) -> Name:
    """The derivative that a sum is a part of, where a weight is read in several places: dU of dU_[1]."""
    return replace(name, sub=re.sub(r"\[\d+\]$", "", name.sub))


def _states(program: Program) -> dict[Expr, tuple[Expr, Expr, int]]:
    """By the symbol of the state before: the state, what it starts from, and where that is, at -1 or at +1."""
    return {
        carry.prev: (carry.next, carry.init, 1 if item.reverse else -1)
        for item in program.equations
        if isinstance(item, Recurrence)
        for carry in item.carries
        if isinstance(carry.next, MatrixSymbol)
    }


def _count(symbols: list[Expr], names: Mapping[Expr, Name], values: Mapping[str, np.ndarray]) -> int:
    """The number of time steps: how many of a family have values."""
    return len(over_time(next(name for s in symbols if (name := name_of(names, s)).time == "t"), values))


def over_time(name: Name, values: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The values of a family for t = 0, 1, ..., as far as there are any."""
    return [values[step.code] for step in takewhile(lambda one: one.code in values, map(name.at, itertools.count()))]


def _value(
    symbol: Expr,
    t: int,
    names: Mapping[Expr, Name],
    states: Mapping[Expr, tuple[Expr, Expr, int]],
    values: Mapping[str, np.ndarray],
    count: int,
) -> np.ndarray:
    """The value of a symbol at a time step, as the matrix that it is for one sample."""
    rows = (1, int(shape_of(symbol)[1]))
    if symbol in states:
        state, init, shift = states[symbol]
        if 0 <= t + shift < count:
            return np.asarray(values[name_of(names, state).at(t + shift).code]).reshape(rows)
        return np.zeros(rows) if is_zero(init) else np.asarray(_start(init, names, states, values)).reshape(rows)
    name = name_of(names, symbol)
    if name.time == "t":
        return np.asarray(values[name.at(t).code]).reshape(rows)
    return np.asarray(values[symbol.name])


def _start(
    init: Expr,
    names: Mapping[Expr, Name],
    states: Mapping[Expr, tuple[Expr, Expr, int]],
    values: Mapping[str, np.ndarray],
) -> np.ndarray:
    """The value of a given initial state; the last one of another layer is the last of its family."""
    if init.name in values:
        return values[init.name]
    last = name_of(names, init)
    families = {(f.base, f.sub, f.layer): f for f in (name_of(names, state) for state, _, _ in states.values())}
    family = families[last.base, last.sub, last.layer]
    return over_time(family, values)[0 if last.time == "0" else -1]
