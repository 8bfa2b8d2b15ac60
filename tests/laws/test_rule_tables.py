"""Each type of node has a rule in each table of rules, and no table takes what it does not know."""

from collections.abc import Callable
from typing import Any

import pytest
from sympy import Expr, Float, Integer, Inverse, MatAdd, MatMul, MatrixSymbol, Pow, Rational, Symbol, pi, tanh
from sympy.matrices.expressions import HadamardProduct, Identity, MatrixExpr, OneMatrix, Transpose, ZeroMatrix

from symrnn.checking.perturbation import rounds
from symrnn.codegen.backends.numpy_expressions import Scope, numpy_code
from symrnn.codegen.fusion.gates import pattern
from symrnn.expressions import nodes
from symrnn.expressions.entries import scalar_entries
from symrnn.expressions.entry_counts import entry_count
from symrnn.expressions.matrices import substitute
from symrnn.expressions.nodes import MatrixNode, N
from symrnn.expressions.shapes import shape
from symrnn.programs.dataflow import rules_of
from symrnn.programs.rules import vjp
from symrnn.typesetting.expressions import Context, show
from symrnn.typesetting.styles import LATEX, TEXT

A = MatrixSymbol("A", N, N)
NODES = [
    kind
    for kind in vars(nodes).values()
    if isinstance(kind, type) and issubclass(kind, MatrixNode) and kind is not MatrixNode
]
OF_SYMPY = [MatrixSymbol, MatAdd, MatMul, HadamardProduct, Transpose, OneMatrix, ZeroMatrix, Identity]
NUMBERS = [Integer(2), Rational(1, 3), Float(0.5), pi, Symbol("x"), Symbol("x") + 1, 2 * Symbol("x"), Symbol("x") ** 2,
           tanh(Symbol("x"))]  # fmt: skip
TABLES: dict[Any, Callable[[Expr], Any]] = {
    shape: shape,
    substitute: lambda expr: substitute(expr, {}),
    scalar_entries: lambda expr: scalar_entries(expr, lambda symbol: [[symbol]], 1),
    entry_count: lambda expr: entry_count(expr, lambda symbol: 1, 1),
    vjp: lambda expr: vjp(expr, MatrixSymbol("g", N, N), expr),
    rules_of: rules_of,
    show: lambda expr: (show(expr, Context(LATEX, {})), show(expr, Context(TEXT, {}))),
    numpy_code: lambda expr: numpy_code(expr, Scope(str)),
    rounds: lambda expr: rounds(expr, set()),
    pattern: lambda expr: pattern(expr, {}, frozenset()),
}
"""The tables, and how each is asked."""
EXCEPTIONS = {
    **{(table, kind): "only Jacobians hold it, which are printed and computed by seeds"
       for table in (vjp, numpy_code, rounds) for kind in (nodes.Diagonal, Identity)},
    **{(vjp, kind): "its symbols are where the sweep ends" for kind in (MatrixSymbol,)},
}  # fmt: skip
"""Which types a table need not know, and why."""


def names(value: Any) -> str:
    return getattr(value, "__name__", str(value))


PAIRS = [(table, kind) for table in TABLES for kind in (*NODES, *OF_SYMPY) if (table, kind) not in EXCEPTIONS]


@pytest.mark.parametrize(("table", "kind"), PAIRS, ids=names)
def test_a_node_has_a_rule_that_is_not_the_one_of_numbers(table: Any, kind: type) -> None:
    assert table.dispatch(kind) not in (table.dispatch(object), table.dispatch(Expr), table.dispatch(MatrixExpr))
    if kind not in (MatrixSymbol, OneMatrix, ZeroMatrix, Identity) and table not in (rules_of, rounds, pattern):
        assert table.dispatch(kind) not in map(table.dispatch, (Integer, Symbol, Pow))


@pytest.mark.parametrize("table", list(TABLES), ids=names)
@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_a_number_has_a_rule(table: Any, number: Expr) -> None:
    TABLES[table](number)


@pytest.mark.parametrize(
    "table",
    list(TABLES),
    ids=names,
)
def test_a_table_refuses_what_it_does_not_know(table: Any) -> None:
    with pytest.raises(NotImplementedError, match=r"^no .* rule for Inverse"):
        TABLES[table](Inverse(A))


@pytest.mark.parametrize(("table", "kind"), list(EXCEPTIONS), ids=names)
def test_an_exception_is_needed(table: Any, kind: type) -> None:
    assert table.dispatch(kind) in (table.dispatch(object), table.dispatch(Expr))
