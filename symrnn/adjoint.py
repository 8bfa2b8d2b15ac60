"""Backpropagation: one reverse sweep over a program. The calculus is in `rules`, the bookkeeping here.

A symbol's adjoint, the derivative of the objective by it, is the sum over its uses (Griewank and
Walther, Evaluating Derivatives, section 3.2).

The adjoint of a recurrence is a recurrence that runs the other way and carries the state's adjoint.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, MatrixSymbol, Symbol

from symrnn.matrices import (
    Elementwise,
    Softmax,
    add,
    is_zero,
    ones,
    shape_of,
    substitute,
    variable,
    zeros,
)  # fmt: skip
from symrnn.notation import Letter
from symrnn.program import (
    Carry,
    Equation,
    Item,
    Program,
    Recurrence,
    Reversal,
    defines,
    families,
    parameters,
    reads,
    recurrence,
    symbols_of,
)
from symrnn.rules import contributions
from symrnn.transforms import letter_of, prune


@dataclass
class _Sweep:
    """What the sweep has found so far; local to one call of `backprop`."""

    objective: str
    inputs: frozenset[Expr]
    uses: dict[Expr, int]
    named: dict[Expr, Expr]
    letters: dict[Expr, Letter]
    families: dict[Expr, None]
    known: frozenset[Expr]
    terms: dict[Expr, list[Expr]] = field(default_factory=lambda: defaultdict(list))
    forward: list[Item] = field(default_factory=list)
    backward: list[Item] = field(default_factory=list)
    defined: dict[Expr, Expr] = field(default_factory=dict)

    def name(self, symbol: Expr) -> Expr:
        """The symbol of an adjoint: a partial derivative of an input, a bar or a delta of the others."""
        letter = letter_of(self.letters, symbol)
        return self.declare(letter.partial(self.objective) if symbol in self.inputs else letter.adjoint(), symbol)

    def declare(self, letter: Letter, like: Expr) -> Expr:
        symbol = variable(letter.code, shape_of(like))
        self.letters[symbol] = letter
        return symbol

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
    sweep = _start(program, objective)
    for output in program.outputs:
        sweep.terms[output].append(ones(shape_of(output)))
    for item in reversed(program.equations):
        _RULES[type(item)](item, sweep)
    outputs = tuple(_adjoint_of(symbol, sweep) for symbol in wrt)
    items = (*reversed(sweep.forward), *sweep.backward)
    whole = Program(program.inputs, program.sequences, items, (*program.outputs, *outputs), sweep.letters)
    return replace(prune(whole, whole.outputs), outputs=outputs)


def _start(program: Program, objective: str) -> _Sweep:
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
    known = inputs | {symbol for item in program.equations for symbol in defines(item)}
    return _Sweep(objective, inputs, uses, named, dict(program.letters), families(program), known)


def _read_each_time(item: Item) -> list[Expr]:
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
    if letter_of(sweep.letters, item.lhs).is_total:  # its adjoint is a constant, put in and not named
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
    letter = sweep.letters[bar]
    turned = sweep.declare(replace(letter, base="u"), item.lhs)
    sweep.backward.append(Reversal(turned, bar))
    sweep.families[turned] = None
    sweep.terms[item.rhs].append(turned)


def _through_recurrence(item: Recurrence, sweep: _Sweep) -> None:
    """h_t = f(h_{t-1}, x_t, U): the adjoint runs from the last step to the first.

    The adjoint of h_t is the message from step t+1, what h_{t} hands to h_{t+1}, and what the
    family h_t receives from elsewhere; the message of the last step is the adjoint of the final
    state. A parameter's adjoint is the sum over t.
    """
    terms: dict[Expr, list[Expr]] = defaultdict(list)
    messages = {
        carry.prev: sweep.declare(letter_of(sweep.letters, carry.prev).message(), carry.prev) for carry in item.carries
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
        if terms[equation.lhs]:
            bar = _back(equation, sweep, terms, found)
            sweep.families[bar] = None
    carries, silent = _carries(item, sweep, terms, messages)
    steps = [Equation(step.lhs, substitute(step.rhs, silent)) for step in found]
    sums = _sums(item, sweep, terms, silent)
    for symbol in item.sequences:
        sweep.terms[symbol] += [substitute(term, silent) for term in terms[symbol]]
    _append(item, steps, carries, sums, sweep)


def _carries(
    item: Recurrence, sweep: _Sweep, terms: dict[Expr, list[Expr]], messages: dict[Expr, Expr]
) -> tuple[list[Carry], dict[Expr, Expr]]:
    """The carried adjoints; and, to be replaced by zero, the messages that nothing is ever sent in."""
    carries, silent = [], {}
    for carry in item.carries:
        nothing = zeros(shape_of(carry.prev))
        message = messages[carry.prev]
        init = add(nothing, *(sweep.terms[carry.final] if carry.final is not None else []))
        step = add(nothing, *terms[carry.prev])
        if is_zero(init) and is_zero(step):
            silent[message] = nothing
            continue
        final = None
        if symbols_of([carry.init]):
            final = (
                _total(carry.init, sweep)
                if isinstance(carry.init, Symbol | MatrixSymbol)
                else sweep.declare(_start_letter(carry, sweep), message)
            )
            sweep.push(carry.init, final, carry.init, sweep.terms)
        carries.append(Carry(message, step, init, final))
        sweep.families[message] = None
    return carries, silent


def _sums(item: Recurrence, sweep: _Sweep, terms: dict[Expr, list[Expr]], silent: dict[Expr, Expr]) -> list[Equation]:
    """A parameter is used in every step, so it gets the sum over t."""
    sums = []
    for symbol in parameters(item):
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
    letter = sweep.letters[total]
    return sweep.declare(replace(letter, sub=f"{letter.sub}use{len(sweep.terms[symbol]) + 1}"), symbol)


def _start_letter(carry: Carry, sweep: _Sweep) -> Letter:
    letter = letter_of(sweep.letters, carry.prev)
    return replace(letter, base=f"{letter.base}start", mark="bar")


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
    sweep.backward.append(recurrence(equations, known, carries, stacked, sums, not item.reverse, sweep.letters))


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
        sweep.backward.append(recurrence([equation], known, stacked=[bar], letters=sweep.letters))
        sweep.families[bar] = None
    else:
        sweep.backward.append(equation)
    sweep.defined[symbol] = bar
    return bar


_RULES: dict[type, Callable[[Any, _Sweep], None]] = {
    Equation: _through_equation,
    Reversal: _through_reversal,
    Recurrence: _through_recurrence,
}
