"""The expressions of a cell of your own, in symrnn's nodes, which have derivatives and code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce, singledispatch
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Derivative,
    Expr,
    Function,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Max,
    Min,
    Mul,
    Not,
    Number,
    NumberSymbol,
    Or,
    Piecewise,
    Pow,
    Rational,
    Symbol,
    Transpose,
    asinh,
    atan,
    cos,
    cosh,
    default_sort_key,
    erfc,
    exp,
    log,
    preorder_traversal,
    sign,
    sin,
    sinh,
    symbols,
    tanh,
    to_nnf,
    true,
)
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.hadamard import HadamardPower

from symrnn.common.errors import cut_repr
from symrnn.common.fields import is_number
from symrnn.expressions.functions import NamedFunction, larger, signum, smaller
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, transpose
from symrnn.expressions.nodes import SLOTS, Elementwise, MatrixNode, N
from symrnn.expressions.shapes import shape, shape_of


def _nested(kind: Any) -> Callable[..., Expr]:
    """A function of two numbers as one of many; numbers come before variables, and count where they are equal."""

    def function(*args: Expr) -> Expr:
        return reduce(kind, sorted(args, key=lambda arg: (not arg.is_number, default_sort_key(arg))))

    return function


_KINKED: Mapping[Any, Callable[..., Expr]] = {Max: _nested(larger), Min: _nested(smaller), sign: signum}
"""What becomes a function of symrnn's, which has a slope at its kinks."""
_FUNCTIONS = (Abs, Piecewise, asinh, atan, cos, cosh, erfc, exp, log, sin, sinh, tanh)
_FORMULAS = (*_FUNCTIONS, NamedFunction, Symbol, Number, NumberSymbol, Add, Mul, Pow)
_CONDITIONS = (ExprCondPair, Relational, And, Or, Not, BooleanAtom)
_SHOWN = dict(zip(SLOTS, symbols("z p q", real=True), strict=True))
"""How the variables of a formula are called in messages."""


@dataclass(frozen=True)
class Values:
    """The symbols of a cell by their roles: parameters are as they are, values get N rows.

    Raises:
        ValueError: a parameter has another shape.
        NotImplementedError: a value has another number of rows than the input.
    """

    inputs: Expr
    parameters: Mapping[str, tuple[int, ...]]

    def of(self, symbol: Expr) -> Expr:
        """A symbol as it is used here."""
        if symbol.name in self.parameters:
            expected = parameter(symbol.name, tuple(self.parameters[symbol.name]))
            if shape_of(symbol) != shape_of(expected):
                raise ValueError(f"{symbol}: expected the shape {shape_of(expected)}, got {shape_of(symbol)}")
            return expected
        (rows, columns), expected = symbol.shape, self.inputs.shape[0]
        if rows != expected:
            raise NotImplementedError(
                f"{symbol} has {rows} rows, the input {self.inputs} {expected}: {_NO_MATRICES}; "
                "a parameter is listed in parameters"
            )
        return MatrixSymbol(symbol.name, N, columns)


_NO_MATRICES = (
    "a value that is a matrix for each sample, as the state of mLSTM or of linear attention, is not supported; "
    "supported: values that are one row for each sample"
)


def parameter(name: str, size: tuple[int, ...]) -> Expr:
    """The symbol of a parameter; one with one axis is a row."""
    return MatrixSymbol(name, *((1, *size) if len(size) == 1 else size))


# matrices ---------------------------------------------------------------------------------------


@singledispatch
def converted(expr: Any, values: Values) -> Expr:
    """The expression in symrnn's nodes.

    Raises:
        ValueError: a number that no double holds, a formula that is not one of a number.
        NotImplementedError: a matrix or a function that has no rule here.
    """
    single = getattr(expr, "shape", ()) == (1, 1)  # where SymPy's applyfunc hands the matrix itself to a function
    raise NotImplementedError(
        f"{type(expr).__name__} is not supported, in {printed(expr)}; supported: sums, products, elementwise products "
        "(hadamard_product), applyfunc, transposes, matrices of ones and zeros"
        + ("; for applyfunc of one unit write the values with more than one row" if single else "")
    )


@converted.register
def _(expr: MatrixSymbol, values: Values) -> Expr:
    return values.of(expr)


@converted.register(OneMatrix)
@converted.register(ZeroMatrix)
def _(expr: MatrixExpr, values: Values) -> Expr:
    rows, columns = expr.shape
    return type(expr)(rows if rows.is_Integer else N, columns if columns.is_Integer else N)


@converted.register
def _(expr: Transpose, values: Values) -> Expr:
    inner = converted(expr.arg, values)
    if shape(inner)[0] == N:
        raise NotImplementedError(
            f"the transpose of {printed(expr.arg)}, which has a row for each sample: {_NO_MATRICES}"
        )
    return transpose(inner)


@converted.register
def _(expr: MatAdd, values: Values) -> Expr:
    """A sum: what is added before what is taken away, in the order of the parameters, single symbols first.

    A row beside rows of samples is added to each of them.
    """
    places = {name: place for place, name in enumerate(values.parameters)}

    def place(term: Expr) -> tuple[bool, int, bool]:
        first = min((places.get(symbol.name, len(places)) for symbol in term.free_symbols), default=len(places))
        return term.as_coeff_mmul()[0].could_extract_minus_sign(), first, not isinstance(term, MatrixSymbol)

    return add(*_rows([converted(term, values) for term in sorted(expr.args, key=place)]))


@converted.register
def _(expr: HadamardProduct, values: Values) -> Expr:
    return hadamard(*_rows([converted(factor, values) for factor in expr.args]))


def _rows(parts: list[Expr]) -> list[Expr]:
    if not any(shape(part)[0] == N for part in parts):
        return parts
    return [multiply(ones((N, 1)), part) if shape(part)[0] == 1 else part for part in parts]


@converted.register
def _(expr: MatMul, values: Values) -> Expr:
    return multiply(*(converted(f, values) if isinstance(f, MatrixExpr) else formula(f) for f in expr.args))


@converted.register
def _(expr: ElementwiseApplyFunction, values: Values) -> Expr:
    is_formula = isinstance(expr.function.expr, Expr)
    return _applied(expr.function(SLOTS[0]) if is_formula else expr.function.expr, converted(expr.expr, values))


@converted.register
def _(expr: HadamardPower, values: Values) -> Expr:
    return _applied(SLOTS[0] ** expr.exp, converted(expr.base, values))


@converted.register
def _(expr: Elementwise, values: Values) -> Expr:
    return _applied(expr.template, *(converted(matrix, values) for matrix in expr.matrices))


@converted.register
def _(expr: MatrixNode, values: Values) -> Expr:
    return type(expr)(*(converted(arg, values) if isinstance(arg, MatrixExpr) else arg for arg in expr.args))


def _applied(template: Any, *operands: Expr) -> Expr:
    """A function entry by entry; it and its derivative are made of functions that can be computed."""
    made = formula(template)
    if made.is_number:
        return multiply(made, ones(shape(operands[0])))
    for slot in SLOTS[: len(operands)]:
        for node in made.diff(slot).atoms(Function, Derivative):
            if not isinstance(node, (*_FUNCTIONS, NamedFunction, sign)):
                raise NotImplementedError(f"the derivative of {printed(made)} is not supported, it has {printed(node)}")
    return elementwise(made, *operands)


# formulas of numbers ----------------------------------------------------------------------------


def formula(template: Any) -> Expr:
    """A formula in `SLOTS`, or a number, of functions that have code, and with a value everywhere.

    Raises:
        ValueError: other symbols, a number that no double holds, a `Piecewise` without a last case.
        NotImplementedError: a function that has no code.
    """
    if not isinstance(template, Expr) or not template.free_symbols <= set(SLOTS):
        raise ValueError(f"{printed(template)}: expected a function of one number, without other symbols")
    for part in preorder_traversal(template):
        if isinstance(part, Expr) and part.is_number and not _is_double(part):
            raise ValueError(f"{printed(template)}: expected finite real numbers, got {printed(part)}")
        if not isinstance(part, (*_FORMULAS, *_KINKED, *_CONDITIONS)):
            raise NotImplementedError(
                f"the function {type(part).__name__} is not supported, in {printed(template)}; "
                f"supported: {_supported()}, and Keras' activations in symrnn.activations"
            )
    closed = template.replace(Piecewise, lambda *cases: _closed(template, cases))
    return closed.replace(lambda part: type(part) in _KINKED, lambda part: _KINKED[type(part)](*part.args))


def _supported() -> str:
    return ", ".join(sorted(kind.__name__ for kind in (*_FUNCTIONS, *_KINKED)))


def _is_double(number: Expr) -> bool:
    """Whether code has this number: it is real and finite, and so are the two numbers of a fraction."""
    if isinstance(number, Rational):
        return is_number(number.p) and is_number(number.q)
    try:
        return is_number(float(number))
    except (TypeError, ValueError, OverflowError):
        return False


def _closed(template: Expr, cases: Sequence[tuple[Expr, Any]]) -> Expr:
    """The cases, of which the last one is for all other numbers."""
    conditions = [to_nnf(condition, simplify=False) for _, condition in cases]
    if conditions[-1] != true and Or(*conditions).simplify() != true:
        raise ValueError(f"{printed(template)}: expected a last case of Piecewise with the condition True")
    values = [value for value, _ in cases]
    return Piecewise(*zip(values, [*conditions[:-1], true], strict=True))


def printed(expr: Any) -> str:
    """An expression for a message, with z for the number that a function is of."""
    return cut_repr(expr.xreplace(_SHOWN) if isinstance(expr, Basic) else expr)
