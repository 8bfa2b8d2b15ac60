"""Matrix expressions as NumPy text: one rule for each kind of expression."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.codegen.scalar_code import ARRAYS
from symrnn.expressions.matrices import add, hadamard, multiply, spread
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    N,
    OneHot,
    RowSoftmax,
    Scalar,
    no_rule,
)
from symrnn.expressions.shapes import shape
from symrnn.programs.program import symbols_of

TOTAL = """def total(a, b):
    \"\"\"The sum over t of a[t].T @ b[t], in products that are small enough for one thread.\"\"\"
    (steps, samples, rows), columns = a.shape, b.shape[2]
    if samples < 16:
        a, b = a.reshape(-1, rows), b.reshape(-1, columns)
        size = (2**19 - 1) // (rows * columns)
        size = size if size >= 32 else len(a)
        return sum(a[i : i + size].T @ b[i : i + size] for i in range(0, len(a), size))
    size = max(1, 2**18 // (rows * columns))
    return sum((a[i : i + size].swapaxes(1, 2) @ b[i : i + size]).sum(axis=0) for i in range(0, steps, size))"""
ROOM = """def room(steps, samples, columns, dtype):
    \"\"\"Room for a matrix in each step, its columns one after the other in memory: those of a gate are adjacent.\"\"\"
    return np.empty((steps, columns, samples), dtype).swapaxes(1, 2)"""
SCATTER = """def scatter(ids, d, depth):
    \"\"\"One row for each id from 0 to depth - 1: the sum of the rows of d, of all steps, that have this id.\"\"\"
    ids, d = ids.astype(int).ravel(), d.reshape(-1, d.shape[-1])
    order = ids.argsort(kind="stable")
    ids = ids[order]
    first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    rows = np.zeros((depth, d.shape[1]), d.dtype)
    rows[ids[first]] = np.add.reduceat(d[order], first)
    return rows"""
SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)"""
LOG_SOFTMAX = """def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))"""
LOGSUMEXP = """def logsumexp(z):
    top = z.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True))"""
CROSS_ENTROPY = """def cross_entropy(t, z):
    z = z - z.max(axis=-1, keepdims=True)
    return (t * (np.log(np.exp(z).sum(axis=-1, keepdims=True)) - z)).sum(axis=-1, keepdims=True)"""
CALLED = {
    **{"softmax": SOFTMAX, "log_softmax": LOG_SOFTMAX, "logsumexp": LOGSUMEXP, "cross_entropy": CROSS_ENTROPY},
    **{"room": ROOM, "total": TOTAL, "scatter": SCATTER},
}
"""The functions that a text may call, by name."""
ADD, MUL, ATOM = 1, 2, 3
_SLOT = re.compile(rf"\b({'|'.join(slot.name for slot in SLOTS)})\b")
Coded = tuple[str, int]


@dataclass(frozen=True)
class Scope:
    """How symbols are written in one place, and the number of time steps where it is for all at once.

    `summed` says that a sum over the rows is one over the time steps, too; `by_columns`, that the
    columns of products are one after the other in memory.
    """

    name: Callable[[Expr], str]
    stacked: str = ""
    summed: bool = False
    by_columns: bool = False

    def code(self, expr: Expr, level: int = 0) -> str:
        """The expression, in parentheses where it binds less tightly than `level`."""
        text, own = numpy_code(expr, self)
        return text if own >= level else f"({text})"


@singledispatch
def numpy_code(expr: Expr, scope: Scope) -> Coded:
    """The NumPy text of an expression and how tightly it binds.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("NumPy", expr)


@numpy_code.register(Scalar)
def _(expr: Expr, scope: Scope) -> Coded:
    symbols = {symbol: Symbol(scope.name(symbol)) for symbol in symbols_of([expr])}
    return _scalar(expr.xreplace(symbols))


def _scalar(expr: Expr) -> Coded:
    text = ARRAYS.text(expr)
    level = (
        ADD if expr.is_Add else MUL if expr.is_Mul or expr.is_Pow or (expr.is_number and not expr.is_Integer) else ATOM
    )
    return text, ADD if text.startswith("-") else level


@numpy_code.register
def _(expr: MatrixSymbol, scope: Scope) -> Coded:
    return scope.name(expr), ATOM


@numpy_code.register(OneMatrix)
@numpy_code.register(ZeroMatrix)
def _(expr: MatrixExpr, scope: Scope) -> Coded:
    kind = "ones" if isinstance(expr, OneMatrix) else "zeros"
    height, width = expr.shape
    if height == 1:
        return f"np.{kind}({width}, dtype)", ATOM
    rows = height if height != N else f"{scope.stacked}, N" if scope.stacked else "N"
    order = ', "F"' if scope.by_columns and not scope.stacked else ""
    return f"np.{kind}(({rows}, {width}), dtype{order})", ATOM


@numpy_code.register
def _(expr: Transpose, scope: Scope) -> Coded:
    return f"{scope.code(expr.arg, ATOM)}.T", ATOM


@numpy_code.register
def _(expr: MatAdd, scope: Scope) -> Coded:
    """A sum; Z - log sum exp Z along each row is computed from differences, which are exact where Z is large."""
    if len(expr.args) == 2 and expr.args[1] == multiply(-1, spread(LogSumExp(expr.args[0]), expr)):
        return f"log_softmax({scope.code(expr.args[0])})", ATOM
    first, *rest = [scope.code(term, ADD) for term in expr.args]
    return first + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in rest), ADD


@numpy_code.register
def _(expr: HadamardProduct, scope: Scope) -> Coded:
    return " * ".join(scope.code(factor, MUL if i == 0 else ATOM) for i, factor in enumerate(expr.args)), MUL


@numpy_code.register
def _(expr: MatMul, scope: Scope) -> Coded:
    """Products; 1 b is broadcasting, 1^T d a sum over the rows, d 1 a sum along each row."""
    numbers = [f for f in expr.args if not isinstance(f, MatrixExpr)]
    factors = [f for f in expr.args if isinstance(f, MatrixExpr)]
    if isinstance(factors[0], OneHot) and len(factors) == 2:
        ids = scope.code(factors[0].args[0], ATOM)
        return _scaled(numbers, f"{scope.code(factors[1], ATOM)}[{ids}[..., 0].astype(int)]", ATOM)
    if (
        len(factors) == 2
        and factors[0].shape[1] == 1
        and isinstance(factors[1], OneMatrix)
        and factors[0].shape[0] == N
    ):
        return _scaled(numbers, *numpy_code(factors[0], scope))  # a column repeated side by side: NumPy broadcasts it
    down = isinstance(factors[0], OneMatrix) and factors[0].shape[0] == 1 and len(factors) > 1
    spread = isinstance(factors[0], OneMatrix) and factors[0].shape[1] == 1 and len(factors) > 1
    factors = factors[1:] if down or spread else factors
    along = isinstance(factors[-1], OneMatrix) and len(factors) > 1
    factors = factors[:-1] if along else factors
    text, level = _product(factors, scope)
    if down or along:
        steps = "axis=0).sum(axis=0" if scope.summed else "axis=1, keepdims=True"
        rows = steps if scope.stacked else "axis=0"
        axes = "" if down and along else rows if down else "axis=-1, keepdims=True"
        text, level = f"{text if level == ATOM else f'({text})'}.sum({axes})", ATOM
    return _scaled(numbers, text, level)


def _product(factors: list[Expr], scope: Scope) -> Coded:
    """The factors joined by @; x_t^T d_t, for all time steps at once, is their sum."""
    if len(factors) == 1:
        return numpy_code(factors[0], scope)
    first, second, *rest = factors
    if scope.by_columns and shape(first)[0] == N:
        left, right = scope.code(multiply(*factors[:-1])), scope.code(factors[-1])
        room = f"out=room({scope.stacked}, N, {factors[-1].shape[1]}, dtype)" if scope.stacked else 'order="F"'
        return f"np.matmul({left}, {right}, {room})", ATOM
    texts = [scope.code(first, MUL), *(scope.code(factor, ATOM) for factor in (second, *rest))]
    if isinstance(first, Transpose) and isinstance(first.arg, OneHot):
        ids, depth = first.arg.args
        texts[:2] = [f"scatter({scope.code(ids)}, {scope.code(second)}, {depth})"]
    elif scope.stacked and isinstance(first, Transpose) and shape(second)[0] == N:
        texts[:2] = [f"total({scope.code(first.arg)}, {scope.code(second)})"]
    return " @ ".join(texts), MUL if len(texts) > 1 else ATOM


def _scaled(numbers: list[Expr], text: str, level: int) -> Coded:
    if not numbers:
        return text, level
    if numbers == [-1]:
        return f"-{text if level >= MUL else f'({text})'}", ADD
    front, own = _scalar(numbers[0])
    return f"{front if own >= MUL else f'({front})'} * {text if level == ATOM else f'({text})'}", MUL


@numpy_code.register
def _(expr: Elementwise, scope: Scope) -> Coded:
    """The template's text with the operands put in as text: y / y stays, which is NaN at 0 as in Keras."""
    operands = {slot.name: _operand(m, scope) for slot, m in zip(SLOTS, expr.matrices, strict=False)}
    text, level = _scalar(expr.template)
    return _SLOT.sub(lambda match: operands[match[0]], text), level


def _operand(expr: Expr, scope: Scope) -> str:
    """A matrix beside others; NumPy broadcasts a single zero, which has their type."""
    return "zero" if isinstance(expr, ZeroMatrix) else scope.code(expr, ATOM)


@numpy_code.register
def _(expr: RowSoftmax, scope: Scope) -> Coded:
    return f"softmax({scope.code(expr.args[0])})", ATOM


@numpy_code.register
def _(expr: CrossEntropy, scope: Scope) -> Coded:
    return f"cross_entropy({', '.join(map(scope.code, expr.args))})", ATOM


@numpy_code.register
def _(expr: LogSumExp, scope: Scope) -> Coded:
    return f"logsumexp({scope.code(expr.args[0])})", ATOM


@numpy_code.register
def _(expr: Concat, scope: Scope) -> Coded:
    return f"np.concatenate(({', '.join(map(scope.code, expr.args))}), axis=-1)", ATOM


@numpy_code.register
def _(expr: Columns, scope: Scope) -> Coded:
    matrix, start, stop = expr.args
    return f"{scope.code(matrix, ATOM)}[..., {start}:{stop}]", ATOM


@numpy_code.register
def _(expr: OneHot, scope: Scope) -> Coded:
    ids, depth = expr.args
    return f"({scope.code(ids, ATOM)}.astype(int) == np.arange({depth})).astype(dtype)", ATOM


@numpy_code.register
def _(expr: Differs, scope: Scope) -> Coded:
    matrix, value = expr.args
    number = _scalar(value)[0]
    return f"({scope.code(matrix, ATOM)} != {number}).any(axis=-1, keepdims=True).astype(dtype)", ATOM


@numpy_code.register
def _(expr: ElementwiseMax, scope: Scope) -> Coded:
    return f"np.maximum.reduce(({', '.join(map(scope.code, expr.args))}))", ATOM


# results in a given place -----------------------------------------------------------------------


@singledispatch
def in_place(expr: Expr, scope: Scope) -> str:
    """The call of a NumPy function that computes the expression, without its end, so that `out` can follow.

    Nothing where there is no such call.
    """
    return ""


@in_place.register
def _(expr: Elementwise, scope: Scope) -> str:
    name = type(expr.template).__name__
    plain = name in ("tanh", "exp") and expr.template.args == SLOTS[:1]
    return f"np.{name}({scope.code(expr.matrices[0])}" if plain else ""


@in_place.register
def _(expr: HadamardProduct, scope: Scope) -> str:
    return f"np.multiply({scope.code(hadamard(*expr.args[:-1]))}, {scope.code(expr.args[-1])}"


@in_place.register
def _(expr: MatAdd, scope: Scope) -> str:
    last = scope.code(expr.args[-1])
    return "" if last.startswith("-") else f"np.add({scope.code(add(*expr.args[:-1]))}, {last}"


@in_place.register
def _(expr: MatMul, scope: Scope) -> str:
    plain = len(expr.args) == 2 and not any(isinstance(factor, OneMatrix | OneHot) for factor in expr.args)
    matrices = all(isinstance(factor, MatrixExpr) for factor in expr.args)
    return f"np.matmul({', '.join(map(scope.code, expr.args))}" if plain and matrices else ""
