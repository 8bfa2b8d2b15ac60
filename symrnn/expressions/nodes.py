"""The expressions that equations are made of, beside SymPy's own matrices.

Samples are rows: a matrix that holds one row per sample has `N` rows, and `N` alone is symbolic.

A node has a rule in each of eight tables, and a test walks every node through every table:

| table                            | what its rule gives                                       |
|----------------------------------|-----------------------------------------------------------|
| `expressions.shapes.shape`       | the shape, checked                                        |
| `expressions.entries.entries`    | the entries as scalar expressions                         |
| `expressions.entry_counts.entry_count`    | how many symbols these hold                      |
| `programs.rules.vjp`             | the vector-Jacobian product                               |
| `programs.dataflow.rules_of`     | the kind of that product                                  |
| `typesetting.expressions.show`   | LaTeX and text                                            |
| `codegen.backends.numpy_expressions.code` | NumPy                                            |
| `checking.perturbation.rounds`   | whether the value is rounded where its arguments are exact |

`substitute` has one rule for all nodes. A table that does not know a type raises `no_rule`; numbers, the
`Scalar` expressions, have rules of their own.
"""

from typing import Any

from sympy import Add, Basic, Expr, Integer, Mul, Number, NumberSymbol, Pow, Symbol
from sympy.core.function import Application
from sympy.matrices.expressions import MatrixExpr, MatrixSymbol

from symrnn.expressions.functions import differs, logsumexp, maximum, onehot, softmax

N = Symbol("N", integer=True, positive=True)
"""The number of samples (rows)."""
T = Symbol("T", integer=True, positive=True)
"""The number of time steps; a second length is called T_2, and so on."""


def steps_symbol(name: str) -> Symbol:
    """The number of time steps of this name."""
    return Symbol(name, integer=True, positive=True)


def is_size(symbol: Basic) -> bool:
    """Whether the symbol is a number of samples or of time steps."""
    return bool(symbol.is_Symbol and symbol.is_integer and symbol.is_positive)


def is_symbol(expr: Basic) -> bool:
    """Whether the expression is one symbol, a number or a matrix."""
    return isinstance(expr, Symbol | MatrixSymbol)


SLOTS = (Symbol("z0", real=True), Symbol("z1", real=True), Symbol("z2", real=True))
"""The symbols that stand for the matrices in the scalar expression of an `Elementwise`."""

Shape = tuple[Any, ...]
Scalar = Number | NumberSymbol | Symbol | Add | Mul | Pow | Application
"""The types of expressions of numbers; MatAdd and MatMul, an Add and a Mul to Python too, have rules of their own."""


def no_rule(what: str, expr: Basic) -> NotImplementedError:
    """The refusal of a table of rules, named by what it gives, for a type of expression that it does not know."""
    return NotImplementedError(f"no {what} rule for {type(expr).__name__}, in {expr}")


class MatrixNode(MatrixExpr):
    """A matrix made of matrices and numbers, its arguments, as it is written: nothing is evaluated."""

    def __new__(cls, *args: Any) -> "MatrixNode":
        """The node of these arguments."""
        return Basic.__new__(cls, *(Integer(arg) if isinstance(arg, int) else arg for arg in args))

    @property
    def matrices(self) -> tuple[MatrixExpr, ...]:
        """The arguments that are matrices."""
        return tuple(arg for arg in self.args if isinstance(arg, MatrixExpr))


class Elementwise(MatrixNode):
    """Y_ij = f(A_ij, B_ij, ...): `template` is f, written in `SLOTS`; the matrices have one shape."""

    @property
    def template(self) -> Expr:
        """The scalar expression f."""
        return self.args[0]

    @property
    def shape(self) -> Shape:
        """The shape of every argument and of the result."""
        return self.args[1].shape

    @property
    def free_symbols(self) -> set[Basic]:
        """The symbols of the matrices; the slots are bound."""
        return set().union(*(matrix.free_symbols for matrix in self.matrices))

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return self.template.xreplace(dict(zip(SLOTS, (m[i, j] for m in self.matrices), strict=False)))

    def _sympystr(self, printer: Any) -> str:
        return printer._print(
            self.template.xreplace({s: Symbol(printer._print(m)) for s, m in zip(SLOTS, self.matrices, strict=False)})
        )


class RowSoftmax(MatrixNode):
    """Y_ij = exp(Z_ij) / sum_k exp(Z_ik), over each row."""

    @property
    def shape(self) -> Shape:
        """The shape of the argument."""
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return softmax(j, *(self.args[0][i, k] for k in range(self.shape[1])))


class CrossEntropy(MatrixNode):
    """C_i = sum_j T_ij (log sum_k exp Z_ik - Z_ij), one number per row; the rows of T sum to 1."""

    @property
    def shape(self) -> Shape:
        """One column."""
        return (self.args[0].shape[0], Integer(1))

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        target, logits = self.args
        return cross_entropy(
            [target[i, k] for k in range(target.shape[1])], [logits[i, k] for k in range(target.shape[1])]
        )


def cross_entropy(target: list[Expr], logits: list[Expr]) -> Expr:
    """One row's entry of a `CrossEntropy`."""
    total = logsumexp(*logits)
    return Add(*(t * (total - z) for t, z in zip(target, logits, strict=True)))


class LogSumExp(MatrixNode):
    """L_i = log sum_k exp(Z_ik), one number per row."""

    @property
    def shape(self) -> Shape:
        """One column."""
        return (self.args[0].shape[0], Integer(1))

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return logsumexp(*(self.args[0][i, k] for k in range(self.args[0].shape[1])))


class Concat(MatrixNode):
    """Matrices side by side."""

    @property
    def shape(self) -> Shape:
        """The rows of one, the columns of all."""
        return (self.args[0].shape[0], Add(*(part.shape[1] for part in self.args)))

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        for part in self.args:
            if j < part.shape[1]:
                return part[i, j]
            j = j - part.shape[1]
        raise IndexError(f"column {j}")


class Columns(MatrixNode):
    """Columns(A, start, stop): the columns start .. stop-1 of A."""

    @property
    def shape(self) -> Shape:
        """The rows of A."""
        return (self.args[0].shape[0], self.args[2] - self.args[1])

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return self.args[0][i, self.args[1] + j]


class OneHot(MatrixNode):
    """OneHot(ids, depth): each row is 1 in the column that the id names and 0 elsewhere."""

    @property
    def shape(self) -> Shape:
        """A row per id."""
        return (self.args[0].shape[0], self.args[1])

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return onehot(j, self.args[0][i, 0])


class Differs(MatrixNode):
    """Differs(A, value): one column, 1 where any entry of the row is not the value, else 0."""

    @property
    def shape(self) -> Shape:
        """One column."""
        return (self.args[0].shape[0], Integer(1))

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        matrix, value = self.args
        return differs(value, *(matrix[i, k] for k in range(matrix.shape[1])))


class ElementwiseMax(MatrixNode):
    """P_ij = max(A_ij, B_ij, ...); equal ones share the derivative."""

    @property
    def shape(self) -> Shape:
        """The shape of every argument."""
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return maximum(*(matrix[i, j] for matrix in self.args))


class Diagonal(MatrixNode):
    """The square matrix with the entries of a row on its diagonal."""

    @property
    def shape(self) -> Shape:
        """As many rows as columns."""
        return (self.args[0].shape[1], self.args[0].shape[1])

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Expr:
        return self.args[0][0, j] if i == j else Integer(0)
