"""The names of adjoints: the sweep in `adjoint` makes symbols and notes what each is; here they become letters.

The k-th backpropagation has marks of its own, a bar for the first and a hat for the second, so that a program of
adjoints can be differentiated again. No two symbols have one name: where a name is taken, a number is added.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import chain, count

from sympy import Expr

from symrnn.expressions.matrices import variable
from symrnn.expressions.names import Name
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Names, Program, Recurrence, Statement, defines, recurrence, stacked_by
from symrnn.programs.transforms import name_of, rename_item


class Kind(Enum):
    """What a symbol is that a sweep makes, for the symbol that it is made for."""

    ADJOINT = auto()
    """The derivative of the objective by the symbol."""
    USE = auto()
    """What one of several uses of the symbol adds to its adjoint."""
    MESSAGE = auto()
    """What the adjoint of a state receives from the neighbouring time step."""
    START = auto()
    """The adjoint of a state before the first step."""
    TURNED = auto()
    """The adjoint of a family in the opposite order of time."""
    PART = auto()
    """The parts of a row's adjoint as a family, or the parts of a family's adjoint as a row."""
    TIE = auto()
    """Where an element of the family is equal to the maximum over t."""
    COUNT = auto()
    """How many elements of the family are equal to the maximum."""


@dataclass(frozen=True)
class Unnamed:
    """What an unnamed symbol is: its kind, the symbol that it belongs to, which of several uses it is."""

    kind: Kind
    of: Expr
    number: int = 0


Made = Mapping[Expr, Unnamed]


@dataclass(frozen=True)
class _Naming:
    """What all names of one sweep share: the letters so far, the objective's name, the number of the sweep."""

    names: Names
    inputs: frozenset[Expr]
    objective: str
    order: int

    def adjoint(self, symbol: Expr) -> Name:
        """A partial derivative of an input; a bar or a delta of the others."""
        name = name_of(self.names, symbol)
        is_input = symbol in self.inputs
        return name.partial(self.objective, self.order) if is_input else name.adjoint(self.order)

    def row(self, symbol: Expr) -> Name:
        """The letter u with the mark of this sweep, for what has no letter of its own."""
        name = name_of(self.names, symbol)
        return replace(name, base="u", sub="", mark="bar", order=self.order, earlier=())

    def turned(self, symbol: Expr) -> Name:
        """The letter u, marked as the adjoint is that it turns round."""
        return replace(self.adjoint(symbol), base="u", sub="")

    def start(self, symbol: Expr) -> Name:
        """The adjoint's letter at the step before the first one; a message of h_{t-1} runs the other way."""
        name = name_of(self.names, symbol)
        runs_back = (name.time == "t+1") != (name.mark == "message")
        return name.at("T" if runs_back else -1).adjoint(self.order)

    def use(self, symbol: Expr, number: int) -> Name:
        """The adjoint's letter with the number of the use in brackets."""
        name = self.adjoint(symbol)
        return replace(name, sub=f"{name.sub}[{number}]")

    def message(self, symbol: Expr) -> Name:
        """The letter of a carried adjoint."""
        return name_of(self.names, symbol).message(self.order)

    def tie(self, symbol: Expr) -> Name:
        """The letter n for each time step."""
        name = name_of(self.names, symbol)
        return Name("n", layer=name.layer, time="t", steps=name.steps)

    def number(self, symbol: Expr) -> Name:
        """The letter n for all time steps together."""
        return Name("n", sub="sum", layer=name_of(self.names, symbol).layer)


_LETTERS: Mapping[Kind, Callable[[_Naming, Unnamed], Name]] = {
    Kind.ADJOINT: lambda naming, made: naming.adjoint(made.of),
    Kind.USE: lambda naming, made: naming.use(made.of, made.number),
    Kind.MESSAGE: lambda naming, made: naming.message(made.of),
    Kind.START: lambda naming, made: naming.start(made.of),
    Kind.TURNED: lambda naming, made: naming.turned(made.of),
    Kind.PART: lambda naming, made: naming.row(made.of),
    Kind.TIE: lambda naming, made: naming.tie(made.of),
    Kind.COUNT: lambda naming, made: naming.number(made.of),
}


def names_of(program: Program) -> set[str]:
    """The names of all symbols of a program, of those in a time step too, and of those that only have a letter."""
    bodies = [item.body for item in program.equations if isinstance(item, Recurrence)]
    inner = chain.from_iterable((*body.inputs, *(step.lhs for step in body.assignments)) for body in bodies)
    outer = chain.from_iterable(map(defines, program.equations))
    return {symbol.name for symbol in (*program.names, *program.inputs, *program.sequences, *outer, *inner)}


def order_of(names: Names) -> int:
    """The number of the next sweep: 1 for a program without adjoints, 2 for one with first derivatives."""
    return 1 + max((name.order for name in names.values() if name.mark), default=0)


def letters_of(made: Made, program: Program, objective: str) -> dict[Expr, Name]:
    """A letter for each unnamed symbol; the names of the inputs' derivatives are kept for these."""
    inputs = frozenset((*program.inputs, *program.sequences))
    naming = _Naming(program.names, inputs, objective, order_of(program.names))
    taken = names_of(program)
    kept = {naming.adjoint(symbol).code for symbol in inputs}
    names: dict[Expr, Name] = {}
    for symbol, what in made.items():
        is_derivative = what.kind is Kind.ADJOINT and what.of in inputs
        name = _free(_LETTERS[what.kind](naming, what), (taken,) if is_derivative else (taken, kept))
        names[symbol] = name
        taken.add(name.code)
    return names


def _free(name: Name, taken: Iterable[Collection[str]]) -> Name:
    """The letter, with a number where its name is taken."""
    numbered = (name if not k else replace(name, sub=f"{name.sub}{k}") for k in count())
    return next(other for other in numbered if not any(other.code in names for names in taken))


def symbols_for(names: Names) -> dict[Expr, Expr]:
    """A symbol of its letter's name for each unnamed one."""
    return {symbol: variable(name.code, shape_of(symbol)) for symbol, name in names.items()}


def named(
    items: Sequence[Statement], mapping: dict[Expr, Expr], sequences: Iterable[Expr], names: Names
) -> tuple[Statement, ...]:
    """The items with names for the unnamed symbols, and the recurrences among these with the families they read."""
    new = [not mapping.keys().isdisjoint(defines(item)) for item in items]
    renamed = [rename_item(item, mapping) if is_new else item for item, is_new in zip(items, new, strict=True)]
    families = {*sequences, *chain.from_iterable(map(stacked_by, renamed))}
    return tuple(_bound(item, families, names) if is_new else item for item, is_new in zip(renamed, new, strict=True))


def _bound(item: Statement, families: set[Expr], names: Names) -> Statement:
    """A recurrence with the families that it reads, in the order of their names."""
    if not isinstance(item, Recurrence):
        return item
    reads = sorted(families & set(item.body.inputs) - set(item.stacked), key=str)
    body = item.body.assignments
    return recurrence(body, reads, item.carries, item.stacked, item.sums, item.reverse, names, item.length)
