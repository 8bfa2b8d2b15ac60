"""Programs from programs: time written out, matrices written out, everything substituted.

Each function returns a new program that computes the same outputs.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

from sympy import Expr, Integer, MatrixSymbol, Symbol

from symrnn.expressions.entries import Entries, entries
from symrnn.expressions.matrices import add, columns, concat, peak, shape_of, substitute, variable
from symrnn.expressions.names import Name, Time
from symrnn.expressions.nodes import N, steps_symbol
from symrnn.programs.program import (
    Carry,
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Names,
    Program,
    Recurrence,
    Reversal,
    Statement,
    defines,
    families,
    reads,
    recurrence,
    symbols_of,
)  # fmt: skip

Mapping = dict[Expr, Expr]


def name_of(names: Names, symbol: Expr) -> Name:
    """The letter of a symbol; one that nobody named is called what it is called."""
    return names.get(symbol) or Name(symbol.name)


# time -------------------------------------------------------------------------------------------


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
            raise ValueError(f"timesteps: expected a positive whole number for {length}, got {number!r}")
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


def length_of(names: Names, family: Expr) -> Expr:
    """The number of time steps of a family."""
    return steps_symbol(name_of(names, family).steps)


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
            if symbol in outputs and not _is_symbol(stack[t]):  # the first of the neighbours' states
                stack[t] = _at(names, symbol, timesteps if item.reverse else -1)
                equations.append(Equation(stack[t], local[symbol]))
        for total in item.sums:
            terms[total.lhs][t] = substitute(total.rhs, local)
        state = {carry.prev: substitute(carry.next, local) for carry in item.carries}
    for carry in item.carries:
        if carry.final is not None and _is_symbol(state[carry.prev]):
            places[carry.final] = state[carry.prev]
        elif carry.final is not None:
            equations.append(Equation(carry.final, state[carry.prev]))
    steps.update(stacks)
    return equations + [Equation(total, add(*parts)) for total, parts in terms.items()]


def _is_symbol(expr: Expr) -> bool:
    return isinstance(expr, Symbol | MatrixSymbol)


def _at(names: dict[Expr, Name], symbol: Expr, time: int) -> Expr:
    name = name_of(names, symbol).at(time)
    instance = variable(name.code, shape_of(symbol))
    names[instance] = name
    return instance


# entries ----------------------------------------------------------------------------------------


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
        return tuple(e for expr in exprs for row in entries(expr, leaf, rows) for e in row)

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


# substitution -----------------------------------------------------------------------------------


def inline(program: Program) -> tuple[Expr, ...]:
    """Each output as one expression in the inputs; the program has no recurrences."""
    values: Mapping = {}
    for equation in program.assignments:
        values[equation.lhs] = substitute(equation.rhs, values)
    return tuple(values.get(output, output) for output in program.outputs)


def with_samples(program: Program, samples: int) -> Program:
    """The program for a fixed number of samples: `N` is replaced, and a column of one 1 vanishes."""
    sized: dict[Expr, Expr] = {N: Integer(samples)}
    names = dict(program.names)
    bodies = [item.body for item in program.equations if isinstance(item, Recurrence)]
    parts = [
        s
        for p in (program, *bodies)
        for s in (*p.inputs, *p.sequences, *chain.from_iterable(map(defines, p.equations)))
    ]
    for symbol in [*names, *parts]:
        if isinstance(symbol, MatrixSymbol):
            sized[symbol] = MatrixSymbol(symbol.name, *(samples if size == N else size for size in symbol.shape))
    return rename(program, sized)


def rename(program: Program, mapping: Mapping) -> Program:
    """The program with other symbols (or sizes) everywhere."""
    names = {mapping.get(symbol, symbol): name for symbol, name in program.names.items()}
    items = tuple(rename_item(item, mapping) for item in program.equations)
    inputs, sequences, outputs = (
        _all_of(part, mapping) for part in (program.inputs, program.sequences, program.outputs)
    )
    return Program(inputs, sequences, items, outputs, names)


def rename_item(item: Statement, mapping: Mapping) -> Statement:
    """One item with other symbols (or sizes) everywhere."""
    if not isinstance(item, Recurrence):
        return type(item)(*_all_of([item.lhs, item.rhs], mapping))
    carries = tuple(_rename_carry(carry, mapping) for carry in item.carries)
    sums = tuple(Equation(*_all_of([total.lhs, total.rhs], mapping)) for total in item.sums)
    body, sequences, stacked = (
        rename(item.body, mapping),
        _all_of(item.sequences, mapping),
        _all_of(item.stacked, mapping),
    )
    return Recurrence(body, sequences, carries, stacked, sums, item.reverse, item.length)


def _rename_carry(carry: Carry, mapping: Mapping) -> Carry:
    final = None if carry.final is None else mapping.get(carry.final, carry.final)
    prev, following, init = _all_of([carry.prev, carry.next, carry.init], mapping)
    return Carry(prev, following, init, final)


def _all_of(exprs: Iterable[Expr], mapping: Mapping) -> tuple[Expr, ...]:
    return tuple(substitute(expr, mapping) for expr in exprs)


# pruning ----------------------------------------------------------------------------------------


def prune(program: Program, outputs: tuple[Expr, ...]) -> Program:
    """The program with these outputs, and without the equations that they do not need."""
    live = set(outputs)
    items: list[Statement] = []
    for item in reversed(program.equations):
        if live.isdisjoint(defines(item)):
            continue
        kept = _prune_recurrence(item, live) if isinstance(item, Recurrence) else item
        live.update(reads(kept))
        items.append(kept)
    return replace(program, equations=tuple(reversed(items)), outputs=outputs)


def _prune_recurrence(item: Recurrence, live: set[Expr]) -> Recurrence:
    stacked = [symbol for symbol in item.stacked if symbol in live]
    sums = [total for total in item.sums if total.lhs in live]
    carries = {carry.prev: carry for carry in item.carries if carry.final in live}
    inner = {*stacked, *symbols_of(total.rhs for total in sums)}
    size = -1
    while size != (size := len(carries)):
        inner |= symbols_of(carry.next for carry in carries.values()).keys()
        for equation in reversed(item.body.assignments):
            if equation.lhs in inner:
                inner |= symbols_of([equation.rhs]).keys()
        carries |= {carry.prev: carry for carry in item.carries if carry.prev in inner}
    kept = [replace(c, final=c.final if c.final in live else None) for c in item.carries if c.prev in carries]
    equations = [equation for equation in item.body.assignments if equation.lhs in inner]
    return recurrence(equations, item.sequences, kept, stacked, sums, item.reverse, item.body.names, item.length)


def stack_all(program: Program) -> Program:
    """The program with every quantity of a step as a family, whether anything needs it or not."""
    items = []
    for item in program.equations:
        if isinstance(item, Recurrence):
            steps = [equation.lhs for equation in item.body.assignments]
            item = replace(item, stacked=tuple(dict.fromkeys([*item.stacked, *steps])))
        items.append(item)
    return replace(program, equations=tuple(items))


def all_symbols(program: Program) -> dict[str, Expr]:
    """Every symbol that a program takes or defines, by name."""
    found = [*program.inputs, *program.sequences, *chain.from_iterable(map(defines, program.equations))]
    return {symbol.name: symbol for symbol in dict.fromkeys(found)}


def family_name(program: Program, symbol: Expr) -> str:
    """The variable for all steps of a family: h for h_t, h_before for h_{t-1}; never a plain symbol's name."""
    letter = name_of(program.names, symbol)
    if letter.time in _NEIGHBOURS:
        return f"{letter.family}_{_NEIGHBOURS[letter.time]}"
    known = families(program)
    plain = {name for name, other in all_symbols(program).items() if other not in known}
    return f"{letter.family}s" if letter.family in plain else letter.family


_NEIGHBOURS: dict[Time | None, str] = {"t-1": "before", "t+1": "after"}


def named_symbols(program: Program) -> dict[str, Expr]:
    """The symbols by name, one for each quantity: without those that only name a neighbour's state."""
    carries = [carry for item in program.equations if isinstance(item, Recurrence) for carry in item.carries]
    second = {carry.prev for carry in carries} | {carry.final for carry in carries if _is_symbol(carry.next)}
    return {name: symbol for name, symbol in all_symbols(program).items() if symbol not in second}
