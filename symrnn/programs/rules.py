"""The rules of calculus: a vector-Jacobian product for each kind of expression.

For z = f(p, q) and the adjoint g of z, the derivative of the objective by z, a rule gives the adjoints
of p and q. The adjoint of a quantity has the shape of the quantity.
"""

from collections.abc import Iterator
from functools import singledispatch
from itertools import accumulate

from sympy import Add, Expr, MatAdd, MatMul, MatrixSymbol, Mul, Number, NumberSymbol, Pow, Symbol, Transpose, log
from sympy.core.function import Application
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.expressions.functions import equal
from symrnn.expressions.matrices import (
    add,
    columns,
    concat,
    elementwise,
    hadamard,
    multiply,
    ones,
    scaled,
    transpose,
    zeros,
)
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    OneHot,
    RowSoftmax,
)
from symrnn.programs.program import symbols_of

Pair = tuple[Expr, Expr]
_OUTPUT = Symbol("z", real=True)
"""The result of an `Elementwise` in the slope of its template."""


@singledispatch
def vjp(expr: Expr, g: Expr, ans: Expr) -> list[Pair]:
    """The arguments of z = expr and their adjoints, for the adjoint g of z; `ans` is a name of z.

    Raises:
        NotImplementedError: there is no rule for this kind of expression.
    """
    raise NotImplementedError(f"no vjp rule for {type(expr).__name__}")


@vjp.register(Symbol)
@vjp.register(Number)
@vjp.register(NumberSymbol)
@vjp.register(Add)
@vjp.register(Mul)
@vjp.register(Pow)
@vjp.register(Application)
def _(expr: Expr, g: Expr, ans: Expr) -> list[Pair]:
    """A number z = f(p, q): p gets g df/dp by SymPy's diff, with z's name put in for f, so that tanh gives 1 - z^2."""
    symbols = symbols_of([expr])
    return [(symbol, g * expr.diff(symbol).xreplace({expr: ans})) for symbol in symbols]


@vjp.register(OneMatrix)
@vjp.register(ZeroMatrix)
def _(expr: MatrixExpr, g: Expr, ans: Expr) -> list[Pair]:
    """A constant passes nothing on."""
    return []


@vjp.register
def _(expr: MatAdd, g: Expr, ans: Expr) -> list[Pair]:
    """Z = P + Q: P and Q get g."""
    return [(term, g) for term in expr.args]


@vjp.register
def _(expr: MatMul, g: Expr, ans: Expr) -> list[Pair]:
    """Z = c P Q: P gets c g Q^T, Q gets c P^T g. With more factors, all those before and after."""
    numbers = [factor for factor in expr.args if not isinstance(factor, MatrixExpr)]
    factors = [factor for factor in expr.args if isinstance(factor, MatrixExpr)]
    return [
        (
            factor,
            multiply(*numbers, *map(transpose, reversed(factors[:i])), g, *map(transpose, reversed(factors[i + 1 :]))),
        )
        for i, factor in enumerate(factors)
    ]


@vjp.register
def _(expr: HadamardProduct, g: Expr, ans: Expr) -> list[Pair]:
    """Z = P o Q: P gets g o Q, Q gets g o P."""
    return [(factor, hadamard(g, *expr.args[:i], *expr.args[i + 1 :])) for i, factor in enumerate(expr.args)]


@vjp.register
def _(expr: Transpose, g: Expr, ans: Expr) -> list[Pair]:
    """Z = P^T: P gets g^T."""
    return [(expr.arg, transpose(g))]


@vjp.register
def _(expr: Elementwise, g: Expr, ans: Expr) -> list[Pair]:
    """Z = f(P, Q) entry by entry: P gets g o df/dp, with Z itself in it where f' allows that."""
    operands = [*zip(SLOTS, expr.matrices, strict=False)]
    pairs = []
    for slot, matrix in operands:
        slope = expr.template.diff(slot)
        short = slope.xreplace({expr.template: _OUTPUT})
        slope = short if len(_used(short, [*operands, (_OUTPUT, ans)])) <= len(SLOTS) else slope
        pairs.append((matrix, hadamard(g, _slope(slope, _used(slope, [*operands, (_OUTPUT, ans)]), matrix))))
    return pairs


def _used(slope: Expr, operands: list[Pair]) -> list[Pair]:
    """The operands that occur in a slope."""
    return [(slot, matrix) for slot, matrix in operands if slope.has(slot)]


def _slope(slope: Expr, used: list[Pair], like: Expr) -> Expr:
    """The slope as a matrix, in the operands that occur in it."""
    number, slope = slope.primitive() if slope.is_Add else slope.as_coeff_Mul(rational=True)
    if not used:
        return multiply(number * slope, ones(like.shape))
    renamed = slope.xreplace({old: new for (old, _), new in zip(used, SLOTS, strict=False)})
    return multiply(number, elementwise(renamed, *(matrix for _, matrix in used)))


@vjp.register
def _(expr: RowSoftmax, g: Expr, ans: Expr) -> list[Pair]:
    """Y = softmax(Z): Z gets (g - (g o Y) 1 1^T) o Y."""
    width = expr.shape[1]
    totals = multiply(hadamard(g, ans), ones((width, 1)), ones((1, width)))
    return [(expr.args[0], hadamard(add(g, multiply(-1, totals)), ans))]


@vjp.register
def _(expr: CrossEntropy, g: Expr, ans: Expr) -> list[Pair]:
    """C = crossentropy(T, Z): Z gets (g 1^T) o (softmax(Z) - T).

    The rows of T sum to 1; TensorFlow's softmax_cross_entropy_with_logits assumes the same. T gets
    (g 1^T) o -log softmax(Z).
    """
    target, logits = expr.args
    spread = multiply(g, ones((1, target.shape[1])))
    losses = elementwise(-log(SLOTS[0]), RowSoftmax(logits))
    return [
        (logits, hadamard(spread, add(RowSoftmax(logits), multiply(-1, target)))),
        (target, hadamard(spread, losses)),
    ]


@vjp.register
def _(expr: LogSumExp, g: Expr, ans: Expr) -> list[Pair]:
    """L = log sum exp(Z) along each row: Z gets softmax(Z), each row times its g."""
    return [(expr.args[0], scaled(g, RowSoftmax(expr.args[0])))]


@vjp.register
def _(expr: Concat, g: Expr, ans: Expr) -> list[Pair]:
    """Z = [P Q]: each gets its columns of g."""
    ends = list(accumulate(int(part.shape[1]) for part in expr.args))
    return [(part, columns(g, end - int(part.shape[1]), end)) for part, end in zip(expr.args, ends, strict=True)]


@vjp.register
def _(expr: Columns, g: Expr, ans: Expr) -> list[Pair]:
    """Z = columns of P: P gets g between columns of zeros."""
    matrix, start, stop = expr.args
    rows, width = matrix.shape
    sides = [zeros((rows, int(size))) for size in (start, width - stop)]
    return [(matrix, concat(*(part for part in (sides[0], g, sides[1]) if part.shape[1] != 0)))]


@vjp.register(OneHot)
@vjp.register(Differs)
def _(expr: MatrixExpr, g: Expr, ans: Expr) -> list[Pair]:
    """Steps of a constant height: nothing is passed on."""
    return []


@vjp.register
def _(expr: ElementwiseMax, g: Expr, ans: Expr) -> list[Pair]:
    """P = max(A, B, ...): A gets g [A = P] / n, n the number of those that are equal to P."""
    ties = [elementwise(equal(SLOTS[0], SLOTS[1]), matrix, ans) for matrix in expr.args]
    share = elementwise(SLOTS[0] / SLOTS[1], g, add(*ties))
    return [(matrix, hadamard(tie, share)) for matrix, tie in zip(expr.args, ties, strict=True)]


def contributions(expr: Expr, g: Expr, ans: Expr) -> Iterator[Pair]:
    """What each symbol in z = expr receives when z's adjoint is g: the rules, down to the symbols."""
    waiting = [(expr, g, ans)]
    while waiting:
        part, adjoint, name = waiting.pop(0)
        if isinstance(part, Symbol | MatrixSymbol):
            yield part, adjoint
        else:
            waiting += [(arg, of_arg, arg) for arg, of_arg in vjp(part, adjoint, name)]
