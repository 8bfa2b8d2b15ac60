"""A program is a value: named inputs, an ordered tuple of equations, named outputs.

This is a straight-line program (a Wengert list): each symbol is assigned once, before it is used.
A symbol such as h_t is at once one element, inside a recurrence, and the family of all T elements,
outside; only a `Recurrence` or a `Reversal` defines or reads a family.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Eq, Expr, MatrixSymbol, Symbol

from symrnn.common.display import Displayed
from symrnn.expressions.identifiers import check_name
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import T, is_size
from symrnn.expressions.shapes import shape, shape_of

Names = Mapping[Expr, Name]


@dataclass(frozen=True)
class Equation:
    """lhs = rhs."""

    lhs: Expr
    rhs: Expr

    def eq(self) -> Eq:
        """The equation as SymPy's Eq."""
        return Eq(self.lhs, self.rhs, evaluate=False)


@dataclass(frozen=True)
class Carry:
    """What one step hands to the next: `prev` in a step is `next` of the step before.

    In the first step `prev` is `init`; after the last one `final`, where it is named, is `next`.
    """

    prev: Expr
    next: Expr
    init: Expr
    final: Expr | None = None


@dataclass(frozen=True)
class Recurrence:
    """`body`, one time step, applied for t = 0 .. T-1, or backwards if `reverse`; T is `length`.

    `sequences` are the families it reads, `stacked` those it defines; a pair in `sums` is
    total = sum over t of the term.
    """

    body: "Program"
    sequences: tuple[Expr, ...] = ()
    carries: tuple[Carry, ...] = ()
    stacked: tuple[Expr, ...] = ()
    sums: tuple[Equation, ...] = ()
    reverse: bool = False
    length: Expr = T


@dataclass(frozen=True)
class Reversal:
    """The family lhs is the family rhs in the opposite order of time: lhs_t = rhs_{T-1-t}."""

    lhs: Expr
    rhs: Expr


@dataclass(frozen=True)
class Join:
    """The row lhs is the T elements of the family rhs side by side: [rhs_0, ..., rhs_{T-1}]."""

    lhs: Expr
    rhs: Expr


@dataclass(frozen=True)
class Cut:
    """The family lhs is the row rhs, cut into T equal parts; the way back through a `Join`."""

    lhs: Expr
    rhs: Expr


@dataclass(frozen=True)
class MaxOverTime:
    """The row lhs holds the largest value over t of each entry of the family rhs."""

    lhs: Expr
    rhs: Expr


Statement = Equation | Recurrence | Reversal | Join | Cut | MaxOverTime
ReadsFamily = Reversal | Join | MaxOverTime
DefinesFamily = Reversal | Cut


@dataclass(frozen=True)
class Program(Displayed):
    """Inputs (and `sequences`, the input families), equations, outputs; checked when it is made.

    `letters` tells how symbols are printed and what their entries and steps are called.

    Raises:
        ValueError: a symbol is unbound or assigned twice, shapes differ, a name cannot be used.
    """

    inputs: tuple[Expr, ...]
    sequences: tuple[Expr, ...]
    equations: tuple[Statement, ...]
    outputs: tuple[Expr, ...]
    names: Names = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        validate(self)

    @property
    def assignments(self) -> tuple[Equation, ...]:
        """The equations that assign one symbol each: all of them in one time step and where time is unrolled."""
        return tuple(item for item in self.equations if isinstance(item, Equation))


# what an item reads and defines -----------------------------------------------------------------


def symbols_of(exprs: Iterable[Expr]) -> dict[Expr, None]:
    """The symbols in the expressions, ordered by name, without the sizes N and T."""
    found = set().union(*(expr.free_symbols for expr in exprs))
    return dict.fromkeys(sorted((s for s in found if not is_size(s)), key=lambda symbol: symbol.name))


def parameters(item: Recurrence) -> tuple[Expr, ...]:
    """The symbols that the body takes from outside and that are the same in every step."""
    bound = {*item.sequences, *(carry.prev for carry in item.carries)}
    return tuple(symbol for symbol in item.body.inputs if symbol not in bound)


def reads(item: Statement) -> tuple[Expr, ...]:
    """The symbols outside an item that it needs."""
    if isinstance(item, Equation):
        return tuple(symbols_of([item.rhs]))
    if not isinstance(item, Recurrence):
        return (item.rhs,)
    starts = symbols_of(carry.init for carry in item.carries)
    return tuple(dict.fromkeys([*parameters(item), *item.sequences, *starts]))


def defines(item: Statement) -> tuple[Expr, ...]:
    """The symbols that an item assigns, seen from outside."""
    if isinstance(item, Recurrence):
        finals = [carry.final for carry in item.carries if carry.final is not None]
        return (*item.stacked, *finals, *(total.lhs for total in item.sums))
    return (item.lhs,)


def stacked_by(item: Statement) -> tuple[Expr, ...]:
    """The families that an item defines."""
    if isinstance(item, Recurrence):
        return item.stacked
    return (item.lhs,) if isinstance(item, DefinesFamily) else ()


def right_sides_of(item: Statement) -> list[Expr]:
    """The expressions in an item: those of every step, of the carries and of the sums."""
    if isinstance(item, Recurrence):
        steps = [equation.rhs for equation in item.body.assignments]
        return [*steps, *(total.rhs for total in item.sums), *(carry.next for carry in item.carries)]
    return [item.rhs]


def right_sides(program: "Program") -> list[Expr]:
    """Every expression in a program, with those that carries start from."""
    starts = [carry.init for item in program.equations if isinstance(item, Recurrence) for carry in item.carries]
    return [*starts, *(expr for item in program.equations for expr in right_sides_of(item))]


def families(program: Program) -> dict[Expr, None]:
    """All families of a program: its sequences and what its items stack."""
    return dict.fromkeys([*program.sequences, *(symbol for item in program.equations for symbol in stacked_by(item))])


def recurrence(
    equations: Iterable[Equation],
    sequences: Iterable[Expr] = (),
    carries: Iterable[Carry] = (),
    stacked: Iterable[Expr] = (),
    sums: Iterable[Equation] = (),
    reverse: bool = False,
    names: Names | None = None,
    length: Expr = T,
) -> Recurrence:
    """A Recurrence whose body takes whatever its equations use and do not define."""
    equations, carries, sums, stacked = tuple(equations), tuple(carries), tuple(sums), tuple(stacked)
    defined = {equation.lhs for equation in equations}
    used = symbols_of([*(e.rhs for e in equations), *(c.next for c in carries), *(s.rhs for s in sums)])
    prevs = [carry.prev for carry in carries]
    sequences = tuple(s for s in dict.fromkeys(sequences) if s in used or s in stacked)
    inputs = dict.fromkeys([*sequences, *prevs, *(s for s in used if s not in defined)])
    outputs = tuple(s for s in used | dict.fromkeys(stacked) if s in defined)
    body = Program(tuple(inputs), (), equations, outputs, names or {})
    return Recurrence(body, sequences, carries, stacked, sums, reverse, length)


# checking ---------------------------------------------------------------------------------------


def validate(program: Program) -> None:
    """Check single assignment, bound symbols, shapes and names, in time linear in the program.

    Raises:
        ValueError: names the symbol and the equation.
    """
    plain: set[Expr] = set()
    family: set[Expr] = set()
    names: set[str] = set()
    _bind(program.inputs, plain, names)
    _bind(program.sequences, family, names)
    for item in program.equations:
        _check(item, plain, family)
        stacked = stacked_by(item)
        _bind(stacked, family, names)
        once = set(stacked)
        _bind([symbol for symbol in defines(item) if symbol not in once], plain, names)
    for output in program.outputs:
        if output not in plain and output not in family:
            raise ValueError(f"the output {output} is not defined by the program")


def _bind(symbols: Iterable[Expr], scope: set[Expr], names: set[str]) -> None:
    for symbol in symbols:
        if not isinstance(symbol, Symbol | MatrixSymbol):
            raise ValueError(f"{symbol} is assigned but is not a symbol")
        name = symbol.name
        check_name(name)
        if name in names:
            raise ValueError(f"the symbol {name} is assigned twice")
        names.add(name)
        scope.add(symbol)


def _check(item: Statement, plain: set[Expr], family: set[Expr]) -> None:
    if isinstance(item, Reversal | MaxOverTime):
        _check_bound([item.rhs], family, item)
        _check_shapes(item.lhs, item.rhs)
    elif isinstance(item, Join):
        _check_bound([item.rhs], family, item)
        _check_parts(item.lhs, item.rhs)
    elif isinstance(item, Cut):
        _check_bound([item.rhs], plain, item)
        _check_parts(item.rhs, item.lhs)
    elif isinstance(item, Equation):
        _check_bound(symbols_of([item.rhs]), plain, item)
        _check_shapes(item.lhs, item.rhs)
    else:
        _check_recurrence(item, plain, family)


def _check_recurrence(item: Recurrence, plain: set[Expr], family: set[Expr]) -> None:
    _check_bound(item.sequences, family, item)
    _check_bound(parameters(item), plain, item)
    inner = {*item.body.inputs, *(equation.lhs for equation in item.body.assignments)}
    _check_bound(item.stacked, inner, item)
    _check_bound(symbols_of(total.rhs for total in item.sums), inner, item)
    for carry in item.carries:
        _check_bound(symbols_of([carry.init]), plain, item)
        _check_bound(symbols_of([carry.next]), inner, item)
        for expr in (carry.next, carry.init, carry.prev if carry.final is None else carry.final):
            _check_shapes(carry.prev, expr)
    for total in item.sums:
        _check_shapes(total.lhs, total.rhs)


def _check_bound(symbols: Iterable[Expr], scope: set[Expr], item: Statement) -> None:
    for symbol in symbols:
        if symbol not in scope:
            raise ValueError(f"the symbol {symbol} is used before it is defined, in {_name(item)}")


def _check_shapes(lhs: Expr, rhs: Expr) -> None:
    expected, got = shape_of(lhs), shape(rhs)
    if expected != got:
        raise ValueError(f"shapes differ in {lhs} = {rhs}: {expected} and {got}")


def _check_parts(whole: Expr, part: Expr) -> None:
    (rows, columns), (expected, width) = shape_of(whole), shape_of(part)
    if rows != expected or columns % width:
        raise ValueError(f"shapes differ: {whole} is {(rows, columns)}, and its parts {part} are {(expected, width)}")


def _name(item: Statement) -> str:
    return (
        "the recurrence of " + ", ".join(map(str, defines(item)))
        if isinstance(item, Recurrence)
        else f"{item.lhs} = {item.rhs}"
    )
