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
from functools import singledispatch
from typing import Any

from sympy import (
    Abs,
    Derivative,
    Eq,
    Expr,
    Function,
    Integer,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Piecewise,
    Transpose,
    asinh,
    atan,
    cos,
    cosh,
    erfc,
    exp,
    log,
    sign,
    sin,
    sinh,
    tanh,
)
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.hadamard import HadamardPower

from symrnn.common.fields import check_fields
from symrnn.expressions.functions import NamedFunction
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, transpose
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Elementwise, MatrixNode, N
from symrnn.expressions.row_functions import NamedSlope
from symrnn.expressions.shapes import shape, shape_of
from symrnn.programs.program import Equation, check_name

_KNOWN = (Abs, NamedFunction, NamedSlope, Piecewise, asinh, atan, cos, cosh, erfc, exp, log, sign, sin, sinh, tanh)
"""The functions that have code for numbers."""
_TAKEN = ("L", "S", "s", "delta", "y_true")


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
        values = _Values(_symbol(self.inputs, "inputs"), dict(self.parameters))
        states = {letter: _pair(letter, pair, values) for letter, pair in self.states.items()}
        known = {values.of(self.inputs), *(before for before, _ in states.values())}
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

    @property
    def widths(self) -> tuple[tuple[str, int], ...]:
        """The letters of the states and their widths."""
        return tuple((name, int(after.shape[1])) for name, (_, after) in self.states.items())

    def parameter(self, name: str) -> Expr:
        """The symbol of a parameter."""
        return _parameter(name, self.parameters[name])


def name_of_identifier(name: str) -> Name:
    """How a name is printed: a_i_t and a_i are a with the subscript i."""
    base, _, sub = name.removesuffix("_t").partition("_")
    return Name(base, sub=sub.replace("_", ""))


def _parameter(name: str, size: tuple[int, ...]) -> Expr:
    return MatrixSymbol(name, *((1, *size) if len(size) == 1 else size))


@dataclass
class _Values:
    """The symbols of a cell by their roles: parameters are as they are, values get N rows."""

    inputs: Expr
    parameters: dict[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        sizes: Mapping[str, Any] = self.parameters
        for name, size in sizes.items():
            _check_name(name)
            whole = isinstance(size, tuple | list) and all(isinstance(n, int | Integer) and n > 0 for n in size)
            if not whole or len(size) not in (1, 2):
                raise ValueError(f"Cell: parameters: {name}: expected (rows, columns) or (columns,), got {size!r}")

    def of(self, symbol: Expr) -> Expr:
        """A symbol as it is used here."""
        if symbol.name not in self.parameters:
            return MatrixSymbol(symbol.name, N, symbol.shape[1])
        expected = _parameter(symbol.name, tuple(self.parameters[symbol.name]))
        if shape_of(symbol) != shape_of(expected):
            raise ValueError(f"{symbol}: expected the shape {shape_of(expected)}, got {shape_of(symbol)}")
        return expected


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or name_of_identifier(name).base in _TAKEN:
        raise ValueError(f"Cell: the name {name!r} is taken; take another")
    check_name(name)


def _symbol(given: Any, what: str) -> Expr:
    if not isinstance(given, MatrixSymbol):
        raise ValueError(f"Cell: {what}: expected a MatrixSymbol, got {given!r}")
    _check_name(given.name)
    if not (given.shape[1].is_Integer and given.shape[1] > 0):
        raise ValueError(f"Cell: {what}: {given}: expected a number of columns, got {given.shape[1]}")
    return given


def _pair(name: Any, pair: Any, values: _Values) -> tuple[Expr, Expr]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"Cell: states: {name}: expected the pair (previous, next), got {pair!r}")
    if not isinstance(name, str) or not name.isidentifier() or "_" in name:
        raise ValueError(f"Cell: states: expected a letter, got {name!r}")
    _check_name(name)
    before, after = (values.of(_symbol(symbol, f"states: {name}")) for symbol in pair)
    if shape_of(before) != shape_of(after):
        raise ValueError(f"Cell: states: {name}: shapes differ: {shape_of(before)} and {shape_of(after)}")
    return before, after


def _equation(place: int, given: Any, values: _Values, known: set[Expr]) -> Equation:
    where = f"Cell: equation {place}"
    pair = given.args if isinstance(given, Eq) else given if isinstance(given, tuple | list) else ()
    if len(pair) != 2:
        raise ValueError(f"{where}: expected Eq(symbol, expression), got {given!r}")
    lhs = values.of(_symbol(pair[0], f"equation {place}"))
    if lhs in known:
        raise ValueError(f"{where}: {lhs} is known already")
    try:
        rhs = _converted(pair[1], values)
        expected, got = shape_of(lhs), shape(rhs)
    except (ValueError, NotImplementedError) as error:
        raise type(error)(f"{where}: {error}") from None
    parameters = {_parameter(name, tuple(size)) for name, size in values.parameters.items()}
    for symbol in sorted(rhs.free_symbols - {N}, key=str):
        if symbol not in known and symbol not in parameters:
            raise ValueError(f"{where}: {symbol} is not an input, a state, a parameter, or defined before")
    if got != expected:
        raise ValueError(f"{where}: shapes differ: {lhs} is {expected}, the right side {got}")
    known.add(lhs)
    return Equation(lhs, rhs)


# expressions ------------------------------------------------------------------------------------


@singledispatch
def _converted(expr: Any, values: _Values) -> Expr:
    """The expression in symrnn's nodes, which have derivatives and code."""
    raise NotImplementedError(
        f"{type(expr).__name__} is not supported, in {expr}; supported: sums, products, elementwise products "
        "(hadamard_product), applyfunc, transposes, matrices of ones and zeros"
    )


@_converted.register
def _(expr: MatrixSymbol, values: _Values) -> Expr:
    return values.of(expr)


@_converted.register(OneMatrix)
@_converted.register(ZeroMatrix)
def _(expr: MatrixExpr, values: _Values) -> Expr:
    rows, columns = expr.shape
    return type(expr)(rows if rows.is_Integer else N, columns if columns.is_Integer else N)


@_converted.register
def _(expr: Transpose, values: _Values) -> Expr:
    return transpose(_converted(expr.arg, values))


@_converted.register
def _(expr: MatAdd, values: _Values) -> Expr:
    """A sum, in the order of its parameters; a row beside rows of samples is added to each of them."""
    places = {name: place for place, name in enumerate(values.parameters)}

    def place(term: Expr) -> int:
        return min((places.get(symbol.name, len(places)) for symbol in term.free_symbols), default=len(places))

    return add(*_rows([_converted(term, values) for term in sorted(expr.args, key=place)]))


@_converted.register
def _(expr: HadamardProduct, values: _Values) -> Expr:
    return hadamard(*_rows([_converted(factor, values) for factor in expr.args]))


def _rows(parts: list[Expr]) -> list[Expr]:
    if not any(shape(part)[0] == N for part in parts):
        return parts
    return [multiply(ones((N, 1)), part) if shape(part)[0] == 1 else part for part in parts]


@_converted.register
def _(expr: MatMul, values: _Values) -> Expr:
    factors = [_converted(f, values) if isinstance(f, MatrixExpr) else f for f in expr.args]
    return multiply(*factors)


@_converted.register
def _(expr: ElementwiseApplyFunction, values: _Values) -> Expr:
    return _applied(expr.function(SLOTS[0]), _converted(expr.expr, values))


@_converted.register
def _(expr: HadamardPower, values: _Values) -> Expr:
    return _applied(SLOTS[0] ** expr.exp, _converted(expr.base, values))


@_converted.register
def _(expr: Elementwise, values: _Values) -> Expr:
    return _applied(expr.template, *(_converted(matrix, values) for matrix in expr.matrices))


@_converted.register
def _(expr: MatrixNode, values: _Values) -> Expr:
    return type(expr)(*(_converted(arg, values) if isinstance(arg, MatrixExpr) else arg for arg in expr.args))


def _applied(template: Expr, *operands: Expr) -> Expr:
    """A function entry by entry; it and its derivative are made of functions that can be computed."""
    if not template.free_symbols <= set(SLOTS):
        raise ValueError(f"{template}: expected a function of one number, without other symbols")
    slopes = [template.diff(slot) for slot in SLOTS[: len(operands)]]
    found = {node for formula in (template, *slopes) for node in formula.atoms(Function, Derivative)}
    unknown = sorted(type(node).__name__ for node in found if not isinstance(node, _KNOWN))
    if unknown:
        supported = ", ".join(sorted(kind.__name__ for kind in _KNOWN if not kind.__name__.startswith("Named")))
        raise NotImplementedError(
            f"the function {unknown[0]} is not supported, in {template} or its derivative; supported: {supported}, "
            "and Keras' activations in symrnn.activations"
        )
    return elementwise(template, *operands)
