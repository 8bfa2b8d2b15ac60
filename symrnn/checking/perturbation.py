"""Programs whose quantities are off by what rounding may do to them.

Each quantity of the forward pass is multiplied by an input 1 + e, where Keras' formula cancels an e
of the larger terms is added, and an e is added to each slope. What is exact in every library stays:
masks, selections, copies, rows of an embedding, maxima, and what a function holds at its bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import count

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.functions import NamedFunction
from symrnn.expressions.matrices import add, elementwise, hadamard, scale, split, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    MatrixNode,
    N,
    OneHot,
    RowSoftmax,
    Scalar,
    no_rule,
)
from symrnn.expressions.row_functions import NamedSlope, RowFunction
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Equation, Program, Recurrence, Reversal, Statement, recurrence, symbols_of
from symrnn.programs.transforms import name_of


@dataclass(frozen=True)
class Noise:
    """An input of a perturbed program: 1 + e, times a quantity, or e, added to one (`center` is 1 or 0).

    `steps` is the name of the number of time steps of a family, None for a row per sample.
    """

    symbol: Expr
    center: int
    steps: str | None

    def shape(self, samples: int, lengths: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of its array."""
        width = int(shape_of(self.symbol)[1])
        return (samples, width) if self.steps is None else (samples, lengths[self.steps], width)


@dataclass
class _Draw:
    """The noises so far; local to one call of `perturbed`."""

    names: dict[Expr, Name]
    masks: set[Expr]
    noises: list[Noise]

    def __call__(self, lhs: Expr, like: Expr, center: int, steps: str | None, suffix: str = "") -> Expr:
        name = Name(f"noise_{name_of(self.names, lhs).family}{suffix}")
        if steps is not None:
            name = Name(name.base, time="t", steps=steps)
        symbol = variable(name.code, like.shape)
        self.names[symbol] = name
        self.noises.append(Noise(symbol, center, steps))
        return symbol


def perturbed(program: Program) -> tuple[Program, list[Noise]]:
    """The program with noises as further inputs, in which every quantity that is rounded has its own."""
    draw = _Draw(dict(program.names), exact_symbols(program), [])
    items: list[Statement] = []
    for item in program.equations:
        if isinstance(item, Equation):
            items.append(_noisy(item, draw, None))
        elif isinstance(item, Recurrence):
            steps = [_noisy(equation, draw, str(item.length)) for equation in item.body.assignments]
            reads = [*item.sequences, *(noise.symbol for noise in draw.noises if noise.steps is not None)]
            kept = item.carries, item.stacked, item.sums, item.reverse
            items.append(recurrence(steps, reads, *kept, draw.names, item.length))
        else:
            items.append(item)
    inputs = (*program.inputs, *(noise.symbol for noise in draw.noises if noise.steps is None))
    sequences = (*program.sequences, *(noise.symbol for noise in draw.noises if noise.steps is not None))
    return Program(inputs, sequences, tuple(items), program.outputs, draw.names), draw.noises


def _noisy(equation: Equation, draw: _Draw, steps: str | None) -> Equation:
    lhs, rhs = equation.lhs, equation.rhs
    name, shape = name_of(draw.names, lhs), shape_of(lhs)
    if not shape or shape[0] == 1 or name.is_total:
        return equation
    if name.is_adjoint:
        places = count()

        def noise(slope: Expr) -> Expr:
            relative = isinstance(slope.template, NamedSlope) and slope.template.row.relative
            drawn = draw(lhs, slope, int(relative), steps, f"_{next(places)}")
            return hadamard(slope, drawn) if relative else add(slope, drawn)

        return Equation(lhs, _noisy_slopes(rhs, noise, draw))
    size = _cancelled(rhs)
    if size is not None:
        return Equation(lhs, add(rhs, elementwise(size * SLOTS[1], rhs.matrices[0], draw(lhs, lhs, 0, steps))))
    return Equation(lhs, hadamard(rhs, draw(lhs, lhs, 1, steps))) if rounds(rhs, draw.masks) else equation


def _cancelled(rhs: Expr) -> Expr | None:
    """The size of the terms that Keras takes the difference of, where it does."""
    template = rhs.template if isinstance(rhs, Elementwise) else None
    size = template.row.cancels if isinstance(template, RowFunction) else None
    return size(SLOTS[0]) if size else None


# what is exact ----------------------------------------------------------------------------------


def exact_symbols(program: Program) -> set[Expr]:
    """The masks, and what is made of nothing but masks."""
    found: set[Expr] = set()

    def collect(equations: Sequence[Equation]) -> None:
        for equation in equations:
            symbols = symbols_of([equation.rhs])
            if isinstance(equation.rhs, Differs) or (symbols and symbols.keys() <= found):
                found.add(equation.lhs)

    for item in program.equations:
        if isinstance(item, Recurrence):
            collect([*item.body.assignments, *item.sums])
        elif isinstance(item, Reversal) and item.rhs in found:
            found.add(item.lhs)
        elif isinstance(item, Equation):
            collect([item])
    return found


@singledispatch
def rounds(expr: Expr, masks: set[Expr]) -> bool:
    """Whether the value of an expression is rounded where those of its symbols are exact."""
    raise no_rule("rounding", expr)


@rounds.register(Scalar)
@rounds.register(Transpose)
@rounds.register(RowSoftmax)
@rounds.register(CrossEntropy)
@rounds.register(LogSumExp)
def _(expr: Expr, masks: set[Expr]) -> bool:
    return True


@rounds.register(MatrixSymbol)
@rounds.register(Symbol)
@rounds.register(OneHot)
@rounds.register(Differs)
@rounds.register(OneMatrix)
@rounds.register(ZeroMatrix)
def _(expr: Expr, masks: set[Expr]) -> bool:
    return False


@rounds.register(Concat)
@rounds.register(Columns)
@rounds.register(ElementwiseMax)
def _(expr: Expr, masks: set[Expr]) -> bool:
    return any(rounds(part, masks) for part in expr.matrices)


@rounds.register
def _(expr: MatMul, masks: set[Expr]) -> bool:
    """Exact are a row of an embedding, and a column repeated side by side."""
    left, *rest = expr.args
    copies = isinstance(left, OneHot) or all(isinstance(factor, OneMatrix) and factor.shape[0] == 1 for factor in rest)
    return not isinstance(left, MatrixExpr) or not copies or any(rounds(factor, masks) for factor in expr.args)


@rounds.register
def _(expr: HadamardProduct, masks: set[Expr]) -> bool:
    """Exact is a mask times something exact."""
    others = [factor for factor in expr.args if not _is_mask(factor, masks)]
    return len(others) > 1 or any(rounds(factor, masks) for factor in others)


@rounds.register
def _(expr: MatAdd, masks: set[Expr]) -> bool:
    """Exact is a selection, m A + (1 - m) B."""
    selects = all(isinstance(term, HadamardProduct) and _is_mask(term.args[0], masks) for term in expr.args)
    return not selects or any(rounds(term, masks) for term in expr.args)


@rounds.register
def _(expr: Elementwise, masks: set[Expr]) -> bool:
    return not _is_mask(expr, masks) and not _is_exact(expr.template)


def _is_mask(expr: Expr, masks: set[Expr]) -> bool:
    symbols = symbols_of([expr])
    return bool(symbols) and symbols.keys() <= masks


def _is_exact(template: Expr) -> bool:
    """Whether a function, or its slope, is in straight pieces; so are sums and multiples of such functions."""
    parts = template.atoms(NamedFunction)
    return bool(parts) and all(part.straight for part in parts)


# slopes -----------------------------------------------------------------------------------------


@singledispatch
def _noisy_slopes(expr: Expr, noise: Callable[[Expr], Expr], draw: _Draw) -> Expr:
    """An expression of adjoints with noise in each slope in it."""
    raise no_rule("noise", expr)


@_noisy_slopes.register(Scalar)
@_noisy_slopes.register(MatrixSymbol)
@_noisy_slopes.register(OneMatrix)
@_noisy_slopes.register(ZeroMatrix)
@_noisy_slopes.register(Transpose)
@_noisy_slopes.register(MatrixNode)
def _(expr: Expr, noise: Callable[[Expr], Expr], draw: _Draw) -> Expr:
    """Nothing in it is a slope."""
    return expr


@_noisy_slopes.register(MatAdd)
@_noisy_slopes.register(HadamardProduct)
def _(expr: Expr, noise: Callable[[Expr], Expr], draw: _Draw) -> Expr:
    build = add if isinstance(expr, MatAdd) else hadamard
    return build(*(_noisy_slopes(part, noise, draw) for part in expr.args))


@_noisy_slopes.register
def _(expr: MatMul, noise: Callable[[Expr], Expr], draw: _Draw) -> Expr:
    number, matrix = split(expr)
    return expr if number == 1 else scale(number, _noisy_slopes(matrix, noise, draw))


@_noisy_slopes.register
def _(expr: Elementwise, noise: Callable[[Expr], Expr], draw: _Draw) -> Expr:
    """A slope f'(A) is a function of quantities of the forward pass."""
    names = [name_of(draw.names, symbol) for symbol in symbols_of([expr])]
    others = any(name.is_adjoint or name.base == "y_true" for name in names)
    return expr if others or expr.shape[0] != N or not rounds(expr, draw.masks) else noise(expr)
