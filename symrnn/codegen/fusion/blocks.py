"""Several matrices side by side: what the whole is called, and the blocks of weights."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, count, takewhile
from typing import Any

from sympy import Expr, MatrixSymbol
from sympy.matrices.expressions import MatrixExpr

from symrnn.expressions.identifiers import is_usable
from symrnn.expressions.matrices import substitute
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import Concat, N, Shape, is_size
from symrnn.programs.program import (
    Carry,
    Equation,
    Program,
    Recurrence,
    Statement,
    defines,
    parameters,
    recurrence,
    right_sides_of,
)
from symrnn.programs.transforms import name_of


def within(expr: Expr, symbols: Iterable[Expr]) -> bool:
    """Whether an expression holds these symbols and sizes only."""
    return {symbol for symbol in expr.free_symbols if not is_size(symbol)} <= {*symbols}


def walk(expr: Expr) -> Iterator[Expr]:
    """The matrices in an expression, those inside another before it."""
    for arg in expr.args:
        if isinstance(arg, MatrixExpr):
            yield from walk(arg)
    yield expr


def in_order(equations: Iterable[Equation]) -> list[Equation]:
    """The equations in the order given, but each after those that it needs."""
    waiting = {equation.lhs: equation for equation in equations}
    needs = {lhs: equation.rhs.free_symbols & waiting.keys() for lhs, equation in waiting.items()}
    found: list[Equation] = []
    while waiting:
        ready = next(lhs for lhs in waiting if not any(symbol in waiting for symbol in needs[lhs]))
        found.append(waiting.pop(ready))
    return found


# names ----------------------------------------------------------------------------------------------


LONGEST = 4
"""Of so many letters the name of a part of the gates is made, as U_zr; one with more is called U."""


@dataclass
class Blocks:
    """The names in a program and those of joined symbols so far; local to one call of `fuse`."""

    names: dict[Expr, Name]
    known: list[Name]
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, program: Program) -> "Blocks":
        """The names that a program has already."""
        symbols = dict.fromkeys(_symbols(program))
        known = [name_of(program.names, symbol) for symbol in symbols]
        taken = {name for letter in known for name in (letter.code, letter.family)}
        return cls(dict(program.names), known, taken | {symbol.name for symbol in symbols})

    @cached_property
    def subs(self) -> dict[Name, set[str]]:
        """What stands below the letters that the program has, by the letter without it."""
        found: dict[Name, set[str]] = defaultdict(set)
        for name in self.known:
            found[replace(name, sub="")].add(name.sub)
        return found

    def declare(self, name: Name, shape: Shape) -> Expr:
        """A symbol with this letter, with a number where its name is taken or cannot be used."""
        numbered = chain([name], (replace(name, sub=f"{name.sub}{number}") for number in count(2)))
        found = next(other for other in numbered if self._is_free(other))
        symbol = MatrixSymbol(found.code, *shape)
        self.names[symbol] = found
        self.taken |= {found.code, found.family}
        return symbol

    def _is_free(self, letter: Name) -> bool:
        return all(is_usable(name) and name not in self.taken for name in (letter.code, letter.family))

    def together(self, symbols: Iterable[Expr]) -> Name:
        """The letter for symbols side by side: U for all of U_z, U_r, U_h, else U_zr; zr for z and r."""
        names = [name_of(self.names, symbol) for symbol in symbols]
        first, bases = names[0], dict.fromkeys(name.base for name in names)
        if len(bases) > 1:
            short = all(len(name.base) == 1 and not name.is_adjoint for name in names)
            base = "".join(bases) if short else first.base
            return replace(first, base=base, sub="") if is_usable(base) else replace(first, sub="".join([*bases][1:]))
        subs = [name.sub for name in names]
        front = "".join(same[0] for same in takewhile(lambda names: len({*names}) == 1, zip(*subs, strict=False)))
        stem = replace(first, sub="")
        alike = self.subs.get(stem, set())
        ends = "".join(sub.removeprefix(front) for sub in subs)
        whole = {sub for sub in alike if sub.startswith(front)} <= {*subs} or len(ends) > LONGEST
        return replace(first, sub=front if whole else front + ends)

    def rebuilt(self, item: Recurrence, equations: Iterable[Equation], **changes: Any) -> Recurrence:
        """A recurrence with other equations, put in order."""
        parts = {name: getattr(item, name) for name in ("sequences", "carries", "stacked", "sums")} | changes
        return recurrence(in_order(equations), **parts, reverse=item.reverse, names=self.names, length=item.length)

    def named(self, items: Iterable[Statement]) -> list[Statement]:
        """The items, with an equation for each block of weights before the recurrence that uses it first."""
        names: dict[Expr, Expr] = {}
        found: list[Statement] = []
        for item in items:
            if isinstance(item, Recurrence):
                for block in weight_blocks(item):
                    if block not in names:
                        rhs = Concat(*(substitute(part, names) for part in block.args))
                        names[block] = self.declare(self.together(_leaves(block.args)), rhs.shape)
                        found.append(Equation(names[block], rhs))
                item = _substituted(item, names, self)
            found.append(item)
        return found


def _symbols(program: Program) -> Iterator[Expr]:
    """Every symbol of a program, those of its steps too."""
    yield from (*program.inputs, *program.sequences)
    for item in program.equations:
        yield from defines(item)
        if isinstance(item, Recurrence):
            yield from (*item.body.inputs, *(equation.lhs for equation in item.body.assignments))


def _leaves(exprs: Iterable[Expr]) -> list[Expr]:
    """The symbols in expressions, in the order in which they stand there."""
    return list(dict.fromkeys(part for expr in exprs for part in walk(expr) if isinstance(part, MatrixSymbol)))


def weight_blocks(item: Recurrence) -> list[Expr]:
    """The weights that stand side by side in a recurrence, those inside another block before it."""
    fixed = parameters(item)
    parts = (part for expr in right_sides_of(item) for part in walk(expr))
    blocks = [part for part in parts if isinstance(part, Concat) and part.shape[0] != N and within(part, fixed)]
    return list(dict.fromkeys(blocks))


def _substituted(item: Recurrence, names: dict[Expr, Expr], blocks: Blocks) -> Recurrence:
    if not names:
        return item
    carries = tuple(Carry(c.prev, substitute(c.next, names), c.init, c.final) for c in item.carries)
    sums = tuple(Equation(total.lhs, substitute(total.rhs, names)) for total in item.sums)
    steps = [Equation(step.lhs, substitute(step.rhs, names)) for step in item.body.assignments]
    return blocks.rebuilt(item, steps, carries=carries, sums=sums)
