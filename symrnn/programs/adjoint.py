"""Backpropagation: one reverse sweep over a program.

The calculus is in `rules`, the bookkeeping in `sweep`, the names in `adjoint_names`.

A symbol's adjoint, the derivative of the objective by it, is the sum over its uses (Griewank and
Walther, Evaluating Derivatives, section 3.2).

The adjoint of a recurrence is a recurrence that runs the other way and carries the state's adjoint. An adjoint
is a symbol like any other, so that a program of adjoints has adjoints too.
"""

from collections import defaultdict
from dataclasses import replace
from functools import singledispatch

from sympy import Expr

from symrnn.expressions.functions import equal
from symrnn.expressions.matrices import add, elementwise, factored, hadamard, is_zero, ones, substitute, zeros
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.expressions.shapes import shape_of
from symrnn.programs.adjoint_names import Kind, letters_of, named, symbols_for
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
    parameters,
    recurrence,
    symbols_of,
)
from symrnn.programs.rules import Pair
from symrnn.programs.sweep import Sweep, Terms
from symrnn.programs.transforms import length_of, name_of, prune

Passed = tuple[list[Statement], list[Statement]]
"""The items of the way there and those of the way back that one item becomes."""


def backprop(program: Program, wrt: tuple[Expr, ...], objective: str = "y") -> Program:
    """The program followed by its adjoint equations, with the derivatives by `wrt` as its outputs.

    The objective is the sum of all entries of all outputs. `wrt` holds inputs, sequences or
    symbols that the program defines, families too; a family's derivative is a family. The program
    may have adjoints itself: then these are second derivatives.

    Raises:
        ValueError: a symbol of `wrt` is not in the program.
    """
    sweep = Sweep(program, wrt)
    items, outputs = swept(sweep)
    found = letters_of(sweep.made, program, objective)
    mapping = symbols_for(found)
    names = {**program.names, **{mapping[symbol]: name for symbol, name in found.items()}}
    outputs = tuple(mapping[output] for output in outputs)
    equations = named(items, mapping, program.sequences, names)
    whole = Program(program.inputs, program.sequences, equations, (*program.outputs, *outputs), names)
    return replace(prune(whole, whole.outputs), outputs=outputs)


def swept(sweep: Sweep) -> tuple[list[Statement], tuple[Expr, ...]]:
    """The items of the program and of its adjoint, and the adjoints of `wrt`."""
    there: list[Statement] = []
    back: list[Statement] = []
    for output in sweep.program.outputs:
        sweep.terms[output].append(ones(shape_of(output)))
    for item in reversed(sweep.program.equations):
        before, after = back_through(item, sweep)
        there += reversed(before)
        back += after
    for symbol in sweep.wrt:
        back += _adjoint_of(symbol, sweep)
    return [*reversed(there), *back], tuple(sweep.adjoints[symbol] for symbol in sweep.wrt)


# one item -----------------------------------------------------------------------------------------


@singledispatch
def back_through(item: Statement, sweep: Sweep) -> Passed:
    """Add what an item hands back to the terms of what it reads."""
    raise NotImplementedError(f"no adjoint of {type(item).__name__}")


@back_through.register
def _(item: Equation, sweep: Sweep) -> Passed:
    """For z = f(p) the adjoint of z is the sum of its terms, and f hands it on to p."""
    return [item], [*_back(item, sweep, sweep.terms)] if sweep.terms[item.lhs] else []


def _back(item: Equation, sweep: Sweep, terms: Terms) -> list[Equation]:
    """Define the adjoint of the left side, hand it on to the right side."""
    value = add(*terms[item.lhs])
    if name_of(sweep.program.names, item.lhs).is_total:  # its adjoint is a constant, put in and not named
        sweep.push(item.rhs, value, item.lhs, terms)
        return []
    bar = sweep.adjoint(item.lhs)
    sweep.push(item.rhs, bar, item.lhs, terms)
    return [Equation(bar, value)]


@back_through.register
def _(item: Reversal, sweep: Sweep) -> Passed:
    """g_t = h_{T-1-t}: the adjoint of h is that of g, turned round."""
    return _back_by(Reversal, Kind.TURNED, item.lhs, item, sweep)


@back_through.register
def _(item: Join, sweep: Sweep) -> Passed:
    """Of g = [h_0, ..., h_{T-1}] each h_t gets its columns of g's adjoint."""
    return _back_by(Cut, Kind.PART, item.rhs, item, sweep)


@back_through.register
def _(item: Cut, sweep: Sweep) -> Passed:
    """[h_0, ..., h_{T-1}] = g: g gets the adjoints of the h_t side by side."""
    return _back_by(Join, Kind.PART, item.rhs, item, sweep)


def _back_by(
    kind: type[Reversal | Join | Cut], what: Kind, like: Expr, item: Reversal | Join | Cut, sweep: Sweep
) -> Passed:
    """The entries in another order: their adjoints go back to the places that they came from."""
    if not sweep.terms[item.lhs]:
        return [item], []
    found = _adjoint_of(item.lhs, sweep)
    moved = sweep.new(what, like)
    sweep.terms[item.rhs].append(moved)
    return [item], [*found, kind(moved, sweep.adjoints[item.lhs])]


@back_through.register
def _(item: MaxOverTime, sweep: Sweep) -> Passed:
    """Of g = max over t of h_t those that are equal to g share its adjoint, n_t = [h_t = g], n = sum n_t."""
    if not sweep.terms[item.lhs]:
        return [item], []
    found = _adjoint_of(item.lhs, sweep)
    tie, number = sweep.new(Kind.TIE, item.rhs), sweep.new(Kind.COUNT, item.lhs)
    ties = Equation(tie, elementwise(equal(SLOTS[0], SLOTS[1]), item.rhs, item.lhs))
    counted = recurrence([ties], stacked=[tie], sums=[Equation(number, tie)], length=_length(item.rhs, sweep))
    share = elementwise(SLOTS[0] / SLOTS[1], sweep.adjoints[item.lhs], number)
    sweep.terms[item.rhs].append(hadamard(tie, share))
    return [item, counted], found


@back_through.register
def _(item: Recurrence, sweep: Sweep) -> Passed:
    """h_t = f(h_{t-1}, x_t, U): the adjoint runs from the last step to the first.

    The adjoint of h_t is the message from step t+1, what h_{t} hands to h_{t+1}, and what the
    family h_t receives from elsewhere; the message of the last step is the adjoint of the final
    state. A parameter's adjoint is the sum over t.
    """
    messages = {carry.prev: sweep.new(Kind.MESSAGE, carry.prev) for carry in item.carries}
    terms = _received(item, messages, sweep)
    handed = {carry.next for carry in item.carries}
    steps = [step for equation in reversed(item.body.assignments) for step in _step(equation, handed, terms, sweep)]
    silent = _silent(item, messages, terms, steps, sweep)
    carries = _carries(item, messages, terms, silent, sweep)
    steps = [Equation(step.lhs, substitute(step.rhs, silent)) for step in steps]
    carries = [replace(carry, next=substitute(carry.next, silent)) for carry in carries]
    sums = _sums(item, terms, silent, sweep)
    for symbol in item.sequences:
        sweep.terms[symbol] += [substitute(term, silent) for term in terms[symbol]]
    return [_stacking(item, steps, carries, sums, sweep)], _reversed(item, steps, carries, sums)


# a recurrence -------------------------------------------------------------------------------------


def _received(item: Recurrence, messages: dict[Expr, Expr], sweep: Sweep) -> Terms:
    """What one time step receives: from the step after it, from the families and from the sums."""
    terms: Terms = defaultdict(list)
    for carry in item.carries:
        sweep.push(carry.next, messages[carry.prev], carry.next, terms)
    for symbol in item.stacked:
        terms[symbol] += sweep.terms[symbol]
    for total in item.sums:
        if sweep.terms[total.lhs]:
            sweep.push(total.rhs, add(*sweep.terms[total.lhs]), total.rhs, terms)
    return terms


def _step(equation: Equation, handed: set[Expr], terms: Terms, sweep: Sweep) -> list[Equation]:
    """The adjoint of one equation of a time step; `handed` is what the step hands to the next one."""
    terms[equation.lhs] = factored(terms[equation.lhs])
    if _is_passed_through(equation, handed, terms, sweep):
        sweep.push(equation.rhs, terms[equation.lhs][0], equation.lhs, terms)
        return []
    return _back(equation, sweep, terms) if terms[equation.lhs] else []


def _is_passed_through(equation: Equation, handed: set[Expr], terms: Terms, sweep: Sweep) -> bool:
    """Whether an adjoint needs no name: one product, for an activated value that only its step uses."""
    lhs = equation.lhs
    private = not sweep.terms[lhs] and lhs not in sweep.wanted and lhs not in handed
    is_activated = isinstance(equation.rhs, Elementwise) and len(equation.rhs.matrices) == 1
    return private and len(terms[lhs]) == 1 and is_activated


def _silent(
    item: Recurrence, messages: dict[Expr, Expr], terms: Terms, steps: list[Equation], sweep: Sweep
) -> dict[Expr, Expr]:
    """The adjoints that are 0 because nothing is ever sent in, as of states that nobody reads."""
    found = {carry.prev: _begin_and_step(carry, terms, sweep) for carry in item.carries}
    sent = {prev for prev, (begin, _) in found.items() if not is_zero(begin)}
    while True:
        silent = {message: zeros(shape_of(prev)) for prev, message in messages.items() if prev not in sent}
        for step in steps:
            if is_zero(substitute(step.rhs, silent)):
                silent[step.lhs] = zeros(shape_of(step.lhs))
        more = {prev for prev, (_, step) in found.items() if not is_zero(substitute(step, silent))} - sent
        if not more:
            return silent
        sent |= more


def _begin_and_step(carry: Carry, terms: Terms, sweep: Sweep) -> Pair:
    """What the message to a state is after the last step, and what each step sends on."""
    nothing = zeros(shape_of(carry.prev))
    begin = add(nothing, *(sweep.terms[carry.final] if carry.final is not None else []))
    return begin, add(nothing, *reversed(terms[carry.prev]))  # in the order in which they stand in the step


def _carries(
    item: Recurrence, messages: dict[Expr, Expr], terms: Terms, silent: dict[Expr, Expr], sweep: Sweep
) -> list[Carry]:
    """The carried adjoints, without those that are silent; what they end as goes to the initial states."""
    carries = []
    for carry in item.carries:
        if messages[carry.prev] not in silent:
            begin, step = _begin_and_step(carry, terms, sweep)
            carries.append(Carry(messages[carry.prev], step, begin, _start(carry, sweep)))
    return carries


def _start(carry: Carry, sweep: Sweep) -> Expr | None:
    """The adjoint of the state before the first step, where that is not a constant."""
    if not symbols_of([carry.init]):
        return None
    final = sweep.adjoint(carry.init) if _is_used_once(carry.init, sweep) else sweep.new(Kind.START, carry.prev)
    sweep.push(carry.init, final, carry.init, sweep.terms)
    return final


def _is_used_once(symbol: Expr, sweep: Sweep) -> bool:
    """Whether the only contribution to an input's adjoint is that adjoint."""
    return symbol in sweep.inputs and sweep.uses[symbol] == 1


def _sums(item: Recurrence, terms: Terms, silent: dict[Expr, Expr], sweep: Sweep) -> list[Equation]:
    """A parameter is used in every step, so it gets the sum over t."""
    places = {symbol: place for place, symbol in enumerate(sweep.program.inputs)}
    sums = []
    for symbol in sorted(parameters(item), key=lambda symbol: places.get(symbol, len(places))):
        rhs = substitute(add(zeros(shape_of(symbol)), *terms[symbol]), silent)
        if not is_zero(rhs):
            total = _contribution(symbol, sweep)
            sums.append(Equation(total, rhs))
            sweep.terms[symbol].append(total)
    return sums


def _contribution(symbol: Expr, sweep: Sweep) -> Expr:
    """The symbol for one contribution: the adjoint itself where there is no other."""
    if _is_used_once(symbol, sweep):
        return sweep.adjoint(symbol)
    return sweep.new(Kind.USE, symbol, len(sweep.terms[symbol]) + 1)


def _stacking(
    item: Recurrence, steps: list[Equation], carries: list[Carry], sums: list[Equation], sweep: Sweep
) -> Recurrence:
    """The recurrence, with what its adjoint reads, or hands to the families that it reads, as families."""
    own = [*(e.rhs for e in steps), *(c.next for c in carries), *(s.rhs for s in sums)]
    used = symbols_of([*own, *(term for symbol in item.sequences for term in sweep.terms[symbol])])
    inner = [*(e.lhs for e in item.body.assignments), *(carry.prev for carry in item.carries)]
    stacked = set(item.stacked)
    return replace(item, stacked=(*item.stacked, *(s for s in inner if s in used and s not in stacked)))


def _reversed(item: Recurrence, steps: list[Equation], carries: list[Carry], sums: list[Equation]) -> list[Statement]:
    """The adjoint recurrence, where there is anything in it."""
    if not steps and not carries and not sums:
        return []
    stacked = [*(step.lhs for step in steps), *(carry.prev for carry in carries)]
    return [recurrence(steps, (), carries, stacked, sums, not item.reverse, length=item.length)]


# adjoints that no item defines --------------------------------------------------------------------


def _adjoint_of(symbol: Expr, sweep: Sweep) -> list[Statement]:
    """What defines a symbol's adjoint as the sum of its terms, where no item has done it."""
    if symbol in sweep.adjoints:
        return []
    if symbol not in sweep.known:
        raise ValueError(f"{symbol} is not a symbol of the program")
    equation = Equation(sweep.adjoint(symbol), add(zeros(shape_of(symbol)), *sweep.terms[symbol]))
    if symbol not in sweep.families:
        return [equation]
    return [recurrence([equation], stacked=[equation.lhs], length=_length(symbol, sweep))]


def _length(family: Expr, sweep: Sweep) -> Expr:
    """The number of time steps of a family."""
    return length_of(sweep.program.names, family)
