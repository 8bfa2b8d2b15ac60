"""Programs from programs: everything substituted, symbols renamed, what is not needed left out.

Each function returns a new program that computes the same outputs.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, count

from sympy import Expr, Integer, MatrixSymbol

from symrnn.expressions.matrices import substitute
from symrnn.expressions.names import Name, Time
from symrnn.expressions.nodes import N, is_symbol, steps_symbol
from symrnn.programs.program import (
    Carry,
    Equation,
    Names,
    Program,
    Recurrence,
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


def length_of(names: Names, family: Expr) -> Expr:
    """The number of time steps of a family."""
    return steps_symbol(name_of(names, family).steps)


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


def family_names(program: Program) -> dict[Expr, str]:
    """The variable for all steps of each family: h for h_t, h_before for h_{t-1}; none is another symbol's name."""
    known = families(program)
    bodies = [item.body for item in program.equations if isinstance(item, Recurrence)]
    inner = chain.from_iterable((*body.inputs, *(step.lhs for step in body.assignments)) for body in bodies)
    symbols = dict.fromkeys([*known, *all_symbols(program).values(), *inner])
    found: dict[Expr, str] = {}
    taken = {symbol.name for symbol in symbols}
    for symbol in symbols:
        letter = name_of(program.names, symbol)
        if symbol in known or letter.time in ("t", *_NEIGHBOURS):
            name = letter.family + _NEIGHBOURS.get(letter.time, "")
            found[symbol] = next(free for k in count() if (free := name + "s" * k) not in taken)
            taken.add(found[symbol])
    return found


_NEIGHBOURS: dict[Time | None, str] = {"t-1": "_before", "t+1": "_after"}


def named_symbols(program: Program) -> dict[str, Expr]:
    """The symbols by name, one for each quantity: without those that only name a neighbour's state."""
    carries = [carry for item in program.equations if isinstance(item, Recurrence) for carry in item.carries]
    second = {carry.prev for carry in carries} | {carry.final for carry in carries if is_symbol(carry.next)}
    return {name: symbol for name, symbol in all_symbols(program).items() if symbol not in second}
