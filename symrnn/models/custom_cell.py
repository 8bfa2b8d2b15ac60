"""Cells of your own: the equations of one time step, written with SymPy's matrices.

    x, h, h_prev = (MatrixSymbol(name, 1, 2) for name in ("x_t", "h_t", "h_prev"))
    U, V, b = MatrixSymbol("U", 2, 2), MatrixSymbol("V", 2, 2), MatrixSymbol("b_h", 1, 2)
    a = MatrixSymbol("a_t", 1, 2)
    Cell(
        equations=[Eq(a, x * U + h_prev * V + b), Eq(h, a.applyfunc(atan))],
        inputs=x,
        states={"h": (h_prev, h)},
        parameters={"U": (2, 2), "V": (2, 2), "b_h": (2,)},
    )

Values may be written with one row, for one sample, or with any number of rows; they are made to
have `N`. A row that is added to values, such as a bias, is added to every row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Eq, Expr, Integer, MatrixSymbol

from symrnn.common.errors import at, cut_repr
from symrnn.common.fields import check_fields
from symrnn.common.terminal import one_line
from symrnn.expressions.nodes import N
from symrnn.expressions.shapes import shape, shape_of
from symrnn.models.cell_expressions import Values, converted, parameter
from symrnn.models.cell_names import check_apart, check_cell_name
from symrnn.programs.program import Equation


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell by its equations for one time step, in the order in which they are computed.

    `inputs` is the symbol of x_t. `states` maps a letter to the pair (previous, next) of symbols,
    `parameters` a name to its shape, (rows, columns), or (columns,) for a row such as a bias; their
    order is that of get_weights(). `output` is the symbol that the layer above gets, by default the
    first state. An equation is a SymPy `Eq`, or a pair.

    Raises:
        ValueError: an equation, a symbol or a shape does not fit; the message names it.
    """

    equations: Sequence[Any]
    inputs: Any
    states: Mapping[str, tuple[Any, Any]]
    parameters: Mapping[str, tuple[int, ...]]
    output: Any = None
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.states:
            raise ValueError("Cell: states: expected at least one state, got none")
        _check_parameters(self.parameters)
        values = Values(_symbol(self.inputs, "inputs"), dict(self.parameters))
        states = {letter: _pair(letter, pair, values) for letter, pair in self.states.items()}
        known = _known(values.of(self.inputs), states)
        equations = tuple(_equation(place, given, values, known) for place, given in enumerate(self.equations, 1))
        defined = {equation.lhs for equation in equations}
        for letter, (_, after) in states.items():
            if after not in defined:
                raise ValueError(f"Cell: states: {letter}: expected an equation for {after}, got none")
        output = next(iter(states.values()))[1] if self.output is None else values.of(_symbol(self.output, "output"))
        if output not in defined:
            raise ValueError(f"Cell: output: expected a symbol that an equation defines, got {output}")
        object.__setattr__(self, "inputs", values.of(self.inputs))
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "parameters", {name: tuple(map(int, size)) for name, size in self.parameters.items()})
        object.__setattr__(self, "equations", equations)
        object.__setattr__(self, "output", output)
        check_apart(self.names)

    @property
    def title(self) -> str:
        """What the cell is called in texts: its name, in one line."""
        return one_line(self.name or "") or "Cell"

    @property
    def names(self) -> tuple[str, ...]:
        """What is named in a model: the states, the parameters, and the values of a step that are neither."""
        following = {after for _, after in self.states.values()}
        values = [equation.lhs.name for equation in self.equations if equation.lhs not in following]
        return (*self.states, *self.parameters, *values)

    @property
    def widths(self) -> tuple[tuple[str, int], ...]:
        """The letters of the states and their widths."""
        return tuple((name, int(after.shape[1])) for name, (_, after) in self.states.items())

    def parameter(self, name: str) -> Expr:
        """The symbol of a parameter."""
        return parameter(name, self.parameters[name])


def _check_parameters(sizes: Mapping[str, Any]) -> None:
    for name, size in sizes.items():
        check_cell_name(name)
        whole = isinstance(size, tuple | list) and all(isinstance(n, int | Integer) and n > 0 for n in size)
        if not whole or len(size) not in (1, 2):
            raise ValueError(f"Cell: parameters: {name}: expected (rows, columns) or (columns,), got {cut_repr(size)}")


def _known(x: Expr, states: Mapping[str, tuple[Expr, Expr]]) -> set[Expr]:
    """The symbols that a step starts from, which are all different."""
    known = {x}
    for letter, pair in states.items():
        for symbol in pair:
            if symbol in known:
                raise ValueError(
                    f"Cell: states: {letter}: {symbol} is another symbol of the cell already; take another"
                )
            known.add(symbol)
    return known - {after for _, after in states.values()}


def _symbol(given: Any, what: str) -> Expr:
    if not isinstance(given, MatrixSymbol):
        raise ValueError(f"Cell: {what}: expected a MatrixSymbol, got {cut_repr(given)}")
    check_cell_name(given.name)
    if not (given.shape[1].is_Integer and given.shape[1] > 0):
        raise ValueError(f"Cell: {what}: {given}: expected a number of columns, got {given.shape[1]}")
    return given


def _pair(name: Any, pair: Any, values: Values) -> tuple[Expr, Expr]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"Cell: states: {name}: expected the pair (previous, next), got {cut_repr(pair)}")
    if not isinstance(name, str) or not name.isidentifier() or "_" in name:
        raise ValueError(f"Cell: states: expected a letter, got {cut_repr(name)}")
    check_cell_name(name)
    symbols = [_symbol(symbol, f"states: {name}") for symbol in pair]
    for symbol in symbols:
        if symbol.name in values.parameters or symbol.name == values.inputs.name:
            raise ValueError(f"Cell: states: {name}: {symbol} is another symbol of the cell already; take another")
    before, after = map(values.of, symbols)
    if shape_of(before) != shape_of(after):
        raise ValueError(f"Cell: states: {name}: shapes differ: {shape_of(before)} and {shape_of(after)}")
    return before, after


def _equation(place: int, given: Any, values: Values, known: set[Expr]) -> Equation:
    where = f"Cell: equation {place}"
    pair = given.args if isinstance(given, Eq) else given if isinstance(given, tuple | list) else ()
    if len(pair) != 2:
        raise ValueError(f"{where}: expected Eq(symbol, expression), got {cut_repr(given)}")
    lhs = values.of(_symbol(pair[0], f"equation {place}"))
    if lhs in known:
        raise ValueError(f"{where}: {lhs} is known already")
    with at(where):
        rhs = converted(pair[1], values)
        expected, got = shape_of(lhs), shape(rhs)
    parameters = {parameter(name, tuple(size)) for name, size in values.parameters.items()}
    for symbol in sorted(rhs.free_symbols - {N}, key=str):
        if symbol not in known and symbol not in parameters:
            raise ValueError(f"{where}: {symbol} is not an input, a state, a parameter, or defined before")
    if got != expected:
        raise ValueError(f"{where}: shapes differ: {lhs} is {expected}, the right side {got}")
    known.add(lhs)
    return Equation(lhs, rhs)
