"""The bookkeeping of one reverse sweep: the terms of each adjoint, the symbols that stand for what has no name yet."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr

from symrnn.expressions.matrices import substitute, variable
from symrnn.expressions.nodes import Elementwise, RowSoftmax
from symrnn.expressions.shapes import shape_of
from symrnn.programs.adjoint_names import Kind, Unnamed, names_of
from symrnn.programs.program import (
    Equation,
    Program,
    Recurrence,
    Statement,
    defines,
    families,
    parameters,
    reads,
    symbols_of,
)
from symrnn.programs.rules import contributions

Terms = dict[Expr, list[Expr]]


@dataclass(frozen=True)
class Sweep:
    """One sweep over a program: the terms of each adjoint so far, and what each symbol is that it made."""

    program: Program
    wrt: tuple[Expr, ...]
    terms: Terms = field(default_factory=lambda: defaultdict(list))
    made: dict[Expr, Unnamed] = field(default_factory=dict)
    adjoints: dict[Expr, Expr] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> frozenset[Expr]:
        """What the program takes."""
        return frozenset((*self.program.inputs, *self.program.sequences))

    @cached_property
    def wanted(self) -> frozenset[Expr]:
        """The symbols whose adjoints are asked for."""
        return frozenset(self.wrt)

    @cached_property
    def known(self) -> frozenset[Expr]:
        """What the program takes or defines."""
        return self.inputs.union(*map(defines, self.program.equations))

    @cached_property
    def families(self) -> frozenset[Expr]:
        """The families of the program."""
        return frozenset(families(self.program))

    @cached_property
    def uses(self) -> dict[Expr, int]:
        """In how many places each symbol is used; being an output is one."""
        uses: dict[Expr, int] = defaultdict(int, dict.fromkeys(self.program.outputs, 1))
        for symbol in (symbol for item in self.program.equations for symbol in _read_each_time(item)):
            uses[symbol] += 1
        return uses

    @cached_property
    def values(self) -> dict[Expr, Expr]:
        """The symbols of functions that the program computes, which a slope need not compute again."""
        steps = (step for item in self.program.equations for step in _steps_of(item))
        kinds = Elementwise | RowSoftmax
        return {step.rhs: step.lhs for step in steps if isinstance(step.rhs, kinds) or step.rhs.is_Function}

    @cached_property
    def prefix(self) -> str:
        """How the names of unnamed symbols begin: longer than any name of the program."""
        return "u" + "_" * max(map(len, names_of(self.program)), default=0)

    def new(self, kind: Kind, of: Expr, number: int = 0) -> Expr:
        """A new symbol with the shape of another one, and a note of what it is."""
        symbol = variable(f"{self.prefix}{len(self.made)}", shape_of(of))
        self.made[symbol] = Unnamed(kind, of, number)
        return symbol

    def adjoint(self, symbol: Expr) -> Expr:
        """The adjoint of a symbol, which the next item defines."""
        self.adjoints[symbol] = self.new(Kind.ADJOINT, symbol)
        return self.adjoints[symbol]

    def push(self, expr: Expr, g: Expr, ans: Expr, terms: Terms) -> None:
        """Hand the adjoint g of expr on to the symbols in it."""
        for symbol, term in contributions(expr, g, ans):
            terms[symbol].append(substitute(term, self.values))


def _read_each_time(item: Statement) -> list[Expr]:
    """What an item reads, once for each place that hands an adjoint back; families are not counted."""
    if not isinstance(item, Recurrence):
        return list(reads(item))
    return [*parameters(item), *(symbol for carry in item.carries for symbol in symbols_of([carry.init]))]


def _steps_of(item: Statement) -> tuple[Equation, ...]:
    """An equation itself, or those of one time step."""
    if isinstance(item, Equation):
        return (item,)
    return item.body.assignments if isinstance(item, Recurrence) else ()
