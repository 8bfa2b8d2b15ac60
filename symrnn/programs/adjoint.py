"""Backpropagation: one reverse sweep over a program. The calculus is in `rules`, the bookkeeping here.

A symbol's adjoint, the derivative of the objective by it, is the sum over its uses (Griewank and
Walther, Evaluating Derivatives, section 3.2).

The adjoint of a recurrence is a recurrence that runs the other way and carries the state's adjoint.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sympy import Expr

from symrnn.expressions.functions import equal
from symrnn.expressions.matrices import add, elementwise, factored, hadamard, is_zero, ones, substitute, variable, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Elementwise, Softmax
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
    defines,
    families,
    parameters,
    reads,
    recurrence,
    symbols_of,
)
from symrnn.programs.rules import contributions
from symrnn.programs.transforms import length_of, name_of, prune


@dataclass
class _Sweep:
    """What the sweep has found so far; local to one call of `backprop`."""

    objective: str
    inputs: frozenset[Expr]
    uses: dict[Expr, int]
    named: dict[Expr, Expr]
    names: dict[Expr, Name]
    families: dict[Expr, None]
    known: frozenset[Expr]
    wrt: frozenset[Expr]
    order: dict[Expr, int]
    terms: dict[Expr, list[Expr]] = field(default_factory=lambda: defaultdict(list))
    forward: list[Statement] = field(default_factory=list)
    backward: list[Statement] = field(default_factory=list)
    defined: dict[Expr, Expr] = field(default_factory=dict)

    def name(self, symbol: Expr) -> Expr:
        """The symbol of an adjoint: a partial derivative of an input, a bar or a delta of the others."""
        name = name_of(self.names, symbol)
        return self.declare(name.partial(self.objective) if symbol in self.inputs else name.adjoint(), symbol)

    def declare(self, name: Name, like: Expr) -> Expr:
        symbol = variable(name.code, shape_of(like))
        self.names[symbol] = name
        return symbol

    def fresh(self, name: Name) -> Name:
        """The letter, with a number where its name is taken, or an input's derivative will have it."""
        names = {symbol.name for symbol in self.names} | {f"d{symbol.name}" for symbol in self.inputs}
        numbered = (name if not k else replace(name, sub=f"{name.sub}{k}") for k in count())
        return next(other for other in numbered if other.code not in names)

    def push(self, expr: Expr, g: Expr, ans: Expr, terms: dict[Expr, list[Expr]]) -> None:
        """Hand the adjoint g of expr on to the symbols in it."""
        for symbol, term in contributions(expr, g, ans):
            terms[symbol].append(substitute(term, self.named))


def backprop(program: Program, wrt: tuple[Expr, ...], objective: str = "y") -> Program:
    """The program followed by its adjoint equations, with the derivatives by `wrt` as its outputs.

    The objective is the sum of all entries of all outputs. `wrt` holds inputs, sequences or
    symbols that the program defines, families too; a family's derivative is a family.

    Raises:
        ValueError: a symbol of `wrt` is not in the program.
    """
    sweep = _start(program, wrt, objective)
    for output in program.outputs:
        sweep.terms[output].append(ones(shape_of(output)))
    for item in reversed(program.equations):
        _RULES[type(item)](item, sweep)
    outputs = tuple(_adjoint_of(symbol, sweep) for symbol in wrt)
    items = (*reversed(sweep.forward), *sweep.backward)
    whole = Program(program.inputs, program.sequences, items, (*program.outputs, *outputs), sweep.names)
    return replace(prune(whole, whole.outputs), outputs=outputs)


def _start(program: Program, wrt: tuple[Expr, ...], objective: str) -> _Sweep:
    uses: dict[Expr, int] = defaultdict(int, dict.fromkeys(program.outputs, 1))
    steps: list[Equation] = []
    for item in program.equations:
        for symbol in _read_each_time(item):
            uses[symbol] += 1
        steps += [item] if isinstance(item, Equation) else item.body.assignments if isinstance(item, Recurrence) else []
    named = {
        step.rhs: step.lhs for step in steps if isinstance(step.rhs, Elementwise | Softmax) or step.rhs.is_Function
    }
    inputs = frozenset((*program.inputs, *program.sequences))
    order = {symbol: place for place, symbol in enumerate(program.inputs)}
    known = inputs | {symbol for item in program.equations for symbol in defines(item)}
    return _Sweep(objective, inputs, uses, named, dict(program.names), families(program), known, frozenset(wrt), order)


def _read_each_time(item: Statement) -> list[Expr]:
    """What an item reads, once for each place that hands an adjoint back; families are not counted."""
    if not isinstance(item, Recurrence):
        return list(reads(item))
    return [*parameters(item), *(symbol for carry in item.carries for symbol in symbols_of([carry.init]))]


def _through_equation(item: Equation, sweep: _Sweep) -> None:
    sweep.forward.append(item)
    if sweep.terms[item.lhs]:
        _back(item, sweep, sweep.terms, sweep.backward)


def _back(item: Equation, sweep: _Sweep, terms: dict[Expr, list[Expr]], found: list[Any]) -> Expr:
    """Define the adjoint of the left side, hand it on to the right side."""
    value = add(*terms[item.lhs])
    if name_of(sweep.names, item.lhs).is_total:  # its adjoint is a constant, put in and not named
        sweep.push(item.rhs, value, item.lhs, terms)
        return value
    bar = sweep.name(item.lhs)
    sweep.defined[item.lhs] = bar
    found.append(Equation(bar, value))
    sweep.push(item.rhs, bar, item.lhs, terms)
    return bar


def _through_reversal(item: Reversal, sweep: _Sweep) -> None:
    sweep.forward.append(item)
    if not sweep.terms[item.lhs]:
        return
    bar = _adjoint_of(item.lhs, sweep)
    turned = sweep.declare(sweep.fresh(replace(sweep.names[bar], base="u", sub="")), item.lhs)
    sweep.backward.append(Reversal(turned, bar))
    sweep.families[turned] = None
    sweep.terms[item.rhs].append(turned)


def _through_join(item: Join, sweep: _Sweep) -> None:
    """Of g = [h_0, ..., h_{T-1}] each h_t gets its columns of g's adjoint."""
    sweep.forward.append(item)
    if not sweep.terms[item.lhs]:
        return
    name = name_of(sweep.names, item.rhs)
    part = sweep.declare(sweep.fresh(replace(name, base="u", sub="", mark="bar")), item.rhs)
    sweep.backward.append(Cut(part, _adjoint_of(item.lhs, sweep)))
    sweep.families[part] = None
    sweep.terms[item.rhs].append(part)


def _through_cut(item: Cut, sweep: _Sweep) -> None:
    """The columns of g as a family: g gets their adjoints side by side."""
    sweep.forward.append(item)
    if not sweep.terms[item.lhs]:
        return
    name = name_of(sweep.names, item.rhs)
    whole = sweep.declare(sweep.fresh(replace(name, base="u", sub="", mark="bar")), item.rhs)
    sweep.backward.append(Join(whole, _adjoint_of(item.lhs, sweep)))
    sweep.terms[item.rhs].append(whole)


def _through_maximum(item: MaxOverTime, sweep: _Sweep) -> None:
    """Of g = max over t of h_t those that are equal to g share its adjoint, n_t = [h_t = g], n = sum n_t."""
    if not sweep.terms[item.lhs]:
        sweep.forward.append(item)
        return
    bar = _adjoint_of(item.lhs, sweep)
    name = name_of(sweep.names, item.rhs)
    tie = sweep.declare(sweep.fresh(Name("n", layer=name.layer, time="t", steps=name.steps)), item.rhs)
    number = sweep.declare(sweep.fresh(Name("n", sub="sum", layer=name.layer)), item.lhs)
    ties = Equation(tie, elementwise(equal(SLOTS[0], SLOTS[1]), item.rhs, item.lhs))
    length = length_of(sweep.names, item.rhs)
    counted = recurrence([ties], [item.rhs], (), [tie], [Equation(number, tie)], names=sweep.names, length=length)
    sweep.forward += [counted, item]
    sweep.families[tie] = None
    sweep.terms[item.rhs].append(hadamard(tie, elementwise(SLOTS[0] / SLOTS[1], bar, number)))


def _through_recurrence(item: Recurrence, sweep: _Sweep) -> None:
    """h_t = f(h_{t-1}, x_t, U): the adjoint runs from the last step to the first.

    The adjoint of h_t is the message from step t+1, what h_{t} hands to h_{t+1}, and what the
    family h_t receives from elsewhere; the message of the last step is the adjoint of the final
    state. A parameter's adjoint is the sum over t.
    """
    terms: dict[Expr, list[Expr]] = defaultdict(list)
    messages = {
        carry.prev: sweep.declare(name_of(sweep.names, carry.prev).message(), carry.prev) for carry in item.carries
    }
    for carry in item.carries:
        sweep.push(carry.next, messages[carry.prev], carry.next, terms)
    for symbol in item.stacked:
        terms[symbol] += sweep.terms[symbol]
    for total in item.sums:
        if sweep.terms[total.lhs]:
            sweep.push(total.rhs, add(*sweep.terms[total.lhs]), total.rhs, terms)
    found: list[Equation] = []
    for equation in reversed(item.body.assignments):
        terms[equation.lhs] = factored(terms[equation.lhs])
        if _is_passed_through(equation, item, terms, sweep):
            sweep.push(equation.rhs, terms[equation.lhs][0], equation.lhs, terms)
        elif terms[equation.lhs]:
            bar = _back(equation, sweep, terms, found)
            sweep.families[bar] = None
    carries, silent = _carries(item, sweep, terms, messages)
    steps = [Equation(step.lhs, substitute(step.rhs, silent)) for step in found]
    sums = _sums(item, sweep, terms, silent)
    for symbol in item.sequences:
        sweep.terms[symbol] += [substitute(term, silent) for term in terms[symbol]]
    _append(item, steps, carries, sums, sweep)


def _is_passed_through(equation: Equation, item: Recurrence, terms: dict[Expr, list[Expr]], sweep: _Sweep) -> bool:
    """Whether an adjoint needs no name: one product, for an activated value that only its step uses."""
    lhs = equation.lhs
    private = not sweep.terms[lhs] and lhs not in sweep.wrt and all(lhs != carry.next for carry in item.carries)
    is_activated = isinstance(equation.rhs, Elementwise) and len(equation.rhs.matrices) == 1
    return private and len(terms[lhs]) == 1 and is_activated


def _carries(
    item: Recurrence, sweep: _Sweep, terms: dict[Expr, list[Expr]], messages: dict[Expr, Expr]
) -> tuple[list[Carry], dict[Expr, Expr]]:
    """The carried adjoints; and, to be replaced by zero, the messages that nothing is ever sent in."""
    carries, silent = [], {}
    for carry in item.carries:
        nothing = zeros(shape_of(carry.prev))
        message = messages[carry.prev]
        init = add(nothing, *(sweep.terms[carry.final] if carry.final is not None else []))
        step = add(nothing, *reversed(terms[carry.prev]))  # in the order in which they stand in the step
        if is_zero(init) and is_zero(step):
            silent[message] = nothing
            continue
        final = None
        if symbols_of([carry.init]):
            direct = carry.init in sweep.inputs and sweep.uses[carry.init] == 1
            final = _total(carry.init, sweep) if direct else sweep.declare(_start_name(carry, sweep), message)
            sweep.push(carry.init, final, carry.init, sweep.terms)
        carries.append(Carry(message, step, init, final))
        sweep.families[message] = None
    return carries, silent


def _sums(item: Recurrence, sweep: _Sweep, terms: dict[Expr, list[Expr]], silent: dict[Expr, Expr]) -> list[Equation]:
    """A parameter is used in every step, so it gets the sum over t."""
    sums = []
    for symbol in sorted(parameters(item), key=lambda symbol: sweep.order.get(symbol, len(sweep.order))):
        if not terms[symbol]:
            continue
        total = _total(symbol, sweep)
        sums.append(Equation(total, substitute(add(*terms[symbol]), silent)))
        sweep.terms[symbol].append(total)
    return sums


def _total(symbol: Expr, sweep: _Sweep) -> Expr:
    """The symbol for one contribution: the adjoint itself where an input is used in one place only."""
    total = sweep.name(symbol)
    if symbol in sweep.inputs and sweep.uses[symbol] == 1:
        sweep.defined[symbol] = total
        return total
    name = sweep.names[total]
    return sweep.declare(replace(name, sub=f"{name.sub}[{len(sweep.terms[symbol]) + 1}]"), symbol)


def _start_name(carry: Carry, sweep: _Sweep) -> Name:
    """The name of the adjoint of a state before the first step, where it is computed or used elsewhere too."""
    name = name_of(sweep.names, carry.prev)
    return sweep.fresh(name.at("T" if name.time == "t+1" else -1).adjoint())


def _append(
    item: Recurrence, equations: list[Equation], carries: list[Carry], sums: list[Equation], sweep: _Sweep
) -> None:
    """Put the recurrence and its adjoint down; what the adjoint reads, the recurrence stacks."""
    used = symbols_of([*(e.rhs for e in equations), *(c.next for c in carries), *(s.rhs for s in sums)])
    pending = symbols_of(term for symbol in item.sequences for term in sweep.terms[symbol])
    inner = [*(e.lhs for e in item.body.assignments), *(carry.prev for carry in item.carries)]
    extra = [s for s in inner if (s in used or s in pending) and s not in item.stacked]
    sweep.forward.append(replace(item, stacked=(*item.stacked, *extra)))
    sweep.families |= dict.fromkeys(extra)
    if not equations and not sums and not carries:
        return
    stacked = [*(e.lhs for e in equations), *(c.prev for c in carries)]
    known = [s for s in used if s in sweep.families and s not in stacked]
    back = recurrence(equations, known, carries, stacked, sums, not item.reverse, sweep.names, item.length)
    sweep.backward.append(back)


def _adjoint_of(symbol: Expr, sweep: _Sweep) -> Expr:
    """The symbol's adjoint, defined now as the sum of its terms if no equation has done it."""
    if symbol in sweep.defined:
        return sweep.defined[symbol]
    if symbol not in sweep.known:
        raise ValueError(f"{symbol} is not a symbol of the program")
    bar = sweep.name(symbol)
    equation = Equation(bar, add(zeros(shape_of(symbol)), *sweep.terms[symbol]))
    if symbol in sweep.families:
        known = [s for s in symbols_of([equation.rhs]) if s in sweep.families]
        length = length_of(sweep.names, symbol)
        sweep.backward.append(recurrence([equation], known, stacked=[bar], names=sweep.names, length=length))
        sweep.families[bar] = None
    else:
        sweep.backward.append(equation)
    sweep.defined[symbol] = bar
    return bar


_RULES: dict[type, Callable[[Any, _Sweep], None]] = {
    Equation: _through_equation,
    Reversal: _through_reversal,
    Join: _through_join,
    Cut: _through_cut,
    MaxOverTime: _through_maximum,
    Recurrence: _through_recurrence,
}
