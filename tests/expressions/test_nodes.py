"""The nodes: their entries, strict shapes, substitution, and that their rules are SymPy's derivative of the entries."""

import re
from itertools import chain

import pytest
from sympy import Add, Expr, Float, Integer, MatrixSymbol, Symbol
from sympy.matrices.expressions import MatrixExpr

from symrnn.expressions.entries import Entries, scalar_entries
from symrnn.expressions.functions import differs, logsumexp, maximum, onehot
from symrnn.expressions.matrices import columns, concat, peak, substitute, variable
from symrnn.expressions.nodes import (
    Columns,
    Concat,
    Differs,
    ElementwiseMax,
    LogSumExp,
    MatrixNode,
    N,
    OneHot,
    is_size,
    steps_symbol,
)
from symrnn.expressions.shapes import shape
from symrnn.programs.rules import contributions
from tests.support.bank import same

A, B, C = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 1), MatrixSymbol("C", N, 2)
WIDE, ROW = MatrixSymbol("A", N, 4), MatrixSymbol("r", 1, 2)
a, b, c = ([[Symbol(f"{name}_{i}_{j}", real=True) for j in range(width)] for i in range(2)]
           for name, width in (("A", 4), ("B", 1), ("C", 2)))  # fmt: skip
HALF = Float(0.5)


def leaf(symbol: Expr) -> Entries:
    """A symbol's entries, for two samples."""
    height, width = (2 if size == N else int(size) for size in symbol.shape)
    return [[Symbol(f"{symbol.name}_{i}_{j}", real=True) for j in range(width)] for i in range(height)]


# entries ------------------------------------------------------------------------------------------

ENTRIES: list[tuple[Expr, tuple, Entries]] = [
    (Concat(A, B), (N, 3), [[*a[i][:2], b[i][0]] for i in range(2)]),
    (Concat(B, A, B), (N, 4), [[b[i][0], *a[i][:2], b[i][0]] for i in range(2)]),
    (Columns(WIDE, 1, 3), (N, 2), [row[1:3] for row in a]),
    (Columns(WIDE, 0, 1), (N, 1), [row[:1] for row in a]),
    (Columns(Concat(A, B), 1, 3), (N, 2), [[a[i][1], b[i][0]] for i in range(2)]),
    (OneHot(B, 3), (N, 3), [[onehot(j, b[i][0]) for j in range(3)] for i in range(2)]),
    (Differs(A, Integer(0)), (N, 1), [[differs(0, *a[i][:2])] for i in range(2)]),
    (Differs(B, HALF), (N, 1), [[differs(HALF, b[i][0])] for i in range(2)]),
    (LogSumExp(A), (N, 1), [[logsumexp(*a[i][:2])] for i in range(2)]),
    (ElementwiseMax(A, C), (N, 2), [[maximum(a[i][j], c[i][j]) for j in range(2)] for i in range(2)]),
    (ElementwiseMax(A, C, A), (N, 2), [[maximum(a[i][j], c[i][j], a[i][j]) for j in range(2)] for i in range(2)]),
]  # fmt: skip
over = pytest.mark.parametrize(("expr", "size", "expected"), ENTRIES, ids=[str(row[0]) for row in ENTRIES])


@over
def test_entries(expr: Expr, size: tuple, expected: Entries) -> None:
    assert scalar_entries(expr, leaf, 2) == expected


@over
def test_entries_by_index(expr: Expr, size: tuple, expected: Entries) -> None:
    numbers = {symbol[i, j]: entry for symbol in expr.atoms(MatrixSymbol) for i, row in enumerate(leaf(symbol))
               for j, entry in enumerate(row)}  # fmt: skip
    assert [[expr[i, j].xreplace(numbers) for j in range(size[1])] for i in range(2)] == expected


@over
def test_shape(expr: Expr, size: tuple, expected: Entries) -> None:
    assert shape(expr) == expr.shape == size


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(IndexError, match=r"^column 1$"):
        Concat(A, B)._entry(0, Integer(4))


# shapes that do not fit ---------------------------------------------------------------------------

WRONG: list[tuple[Expr, str]] = [
    (Concat(A, ROW), "shapes do not fit side by side in Concat(A, r): (N, 2), (1, 2)"),
    (Concat(A, B.T), "shapes do not fit side by side in Concat(A, B.T): (N, 2), (1, N)"),
    (Columns(A, 1, 3), "columns 1 to 3 of 2 in Columns(A, 1, 3)"),
    (Columns(A, 1, 1), "columns 1 to 1 of 2 in Columns(A, 1, 1)"),
    (Columns(A, -1, 1), "columns -1 to 1 of 2 in Columns(A, -1, 1)"),
    (OneHot(A, 3), "expected one column of ids in OneHot(A, 3), got 2"),
    (ElementwiseMax(A, B), "shapes differ in ElementwiseMax(A, B): (N, 1), (N, 2)"),
    (ElementwiseMax(A, A.T), "shapes differ in ElementwiseMax(A, A.T): (2, N), (N, 2)"),
    (LogSumExp(Concat(A, ROW)), "shapes do not fit side by side in Concat(A, r): (N, 2), (1, 2)"),
]


@pytest.mark.parametrize(("expr", "message"), WRONG, ids=[message for _, message in WRONG])
def test_refuses_a_shape(expr: Expr, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        shape(expr)


# building and substituting ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (concat(A), A),
        (concat(A, concat(B, C)), Concat(A, B, C)),
        (columns(A, 0, 2), A),
        (columns(A, 0, 1), Columns(A, 0, 1)),
        (peak(A), A),
        (peak(A, C), ElementwiseMax(A, C)),
        (peak(*a[0]), maximum(*a[0])),
    ],
    ids=str,
)
def test_build(built: Expr, expected: Expr) -> None:
    assert built == expected


@over
def test_substitute(expr: Expr, size: tuple, expected: Entries) -> None:
    there = {symbol: MatrixSymbol(f"new_{symbol.name}", *symbol.shape) for symbol in expr.atoms(MatrixSymbol)}
    renamed = substitute(expr, there)
    assert renamed.atoms(MatrixSymbol) == set(there.values())
    assert substitute(renamed, {new: old for old, new in there.items()}) == expr
    assert substitute(expr, {expr: A}) == A
    assert substitute(expr, {}) == expr


def test_numbers_among_the_arguments_are_no_matrices() -> None:
    assert Columns(A, 0, 1).matrices == Differs(A, HALF).matrices == OneHot(A, 3).matrices == (A,)
    assert [type(arg) for arg in Columns(A, 0, 1).args[1:]] == [type(Integer(0)), type(Integer(1))]
    assert Differs(A, HALF).free_symbols == A.free_symbols


def test_sizes() -> None:
    assert is_size(N)
    assert is_size(steps_symbol("T_2"))
    assert not is_size(Symbol("U", real=True))
    assert steps_symbol("T") == Symbol("T", integer=True, positive=True)


# rules --------------------------------------------------------------------------------------------


@over
def test_rules_are_sympys_derivative_of_the_entries(expr: Expr, size: tuple, expected: Entries) -> None:
    g = variable("g", size)
    terms: dict[Expr, list[Entries]] = {}
    for symbol, term in contributions(expr, g, expr):
        assert shape(term) == symbol.shape
        terms.setdefault(symbol, []).append(scalar_entries(term, leaf, 2))
    objective = Add(*(x * y for rows in zip(leaf(g), expected, strict=True) for x, y in zip(*rows, strict=True)))
    for symbol in expr.atoms(MatrixSymbol):
        derivatives = [objective.diff(entry) for entry in chain.from_iterable(leaf(symbol))]
        found = [chain.from_iterable(part) for part in terms.get(symbol, [])]
        sums = [Add(*parts) for parts in zip(*found, strict=True)] if found else [Integer(0)] * len(derivatives)
        assert same(sums, derivatives)


@pytest.mark.parametrize("expr", [OneHot(B, 3), Differs(A, Integer(0))], ids=str)
def test_steps_pass_nothing_on(expr: MatrixNode) -> None:
    assert isinstance(expr, MatrixExpr)
    assert list(contributions(expr, variable("g", expr.shape), expr)) == []
