"""What each time step contributes to a weight's gradient: the terms of the sum over t, as numbers."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import numpy as np
from sympy import Expr, MatrixSymbol

from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.derivations.derivation import Gradient
from symrnn.expressions.entry_counts import entries_of
from symrnn.expressions.matrices import is_zero
from symrnn.expressions.names import Name
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Program, Recurrence, symbols_of
from symrnn.programs.transforms import name_of


@dataclass(frozen=True)
class Contributions:
    """The terms of one sum: the weight's symbol, and its term for a general t.

    `total` is the sum over t, which is the gradient where the weight is read in one place; `sizes` are
    the Euclidean norms of the terms for t = 0, 1, ..., and `numbers` the terms that are one number.
    """

    weight: str
    name: Name
    term: Expr
    total: np.ndarray
    sizes: tuple[float, ...]
    numbers: tuple[float, ...]


@dataclass
class _Terms:
    """What is kept of the terms of a sum while they are computed one after the other: never all of them."""

    total: Any = None
    sizes: list[float] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def add(self, term: np.ndarray) -> None:
        """The next term."""
        if self.sizes:
            self.total += term
        else:
            self.total = np.array(term, float)
        self.sizes.append(float(np.linalg.norm(term)))
        self.numbers += [float(term.reshape(()))] if term.size == 1 else []


def terms_count(gradient: Gradient) -> int:
    """How many numbers all terms of all time steps have; a length that is open counts as one step."""
    lengths = {steps: number or 1 for steps, number in gradient.network.timesteps.items()}
    items = [item for item in gradient.steps.equations if isinstance(item, Recurrence)]
    return sum(lengths[item.length] * entries_of(total.lhs, 1) for item in items for total in item.sums)


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
        kept = [_Terms() for _ in item.sums]
        for t in range(count):
            for terms, value in zip(
                kept, function(*(_value(s, t, names, states, values, count) for s in symbols)), strict=True
            ):
                terms.add(np.asarray(value))
    for total, terms in zip(item.sums, kept, strict=True):
        name = name_of(names, total.lhs)
        weight = codes.get(summed_name(name).code, "")
        yield Contributions(weight, name, total.rhs, terms.total, tuple(terms.sizes), tuple(terms.numbers))


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
