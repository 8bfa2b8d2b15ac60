"""Where quantities are read, and by which rules their adjoints come back."""

import pytest
from sympy import MatrixSymbol, Symbol, exp, hadamard_product, tanh

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.expressions.matrices import elementwise
from symrnn.expressions.nodes import SLOTS, Concat, RowSoftmax
from symrnn.programs.dataflow import (
    ACTIVATION,
    LARGEST,
    ORDER,
    PARTS,
    PRODUCT,
    ROW,
    SUM,
    aliases,
    kinds,
    merged,
    stand_together,
    through,
    uses_of,
)
from symrnn.programs.program import Equation, Join, MaxOverTime, Program, Recurrence
from tests.support.bank import MODELS, over

_p, _q = (Symbol(name, real=True) for name in "pq")
_P, _Q, _R = MatrixSymbol("P", 1, 2), MatrixSymbol("Q", 2, 2), MatrixSymbol("R", 1, 2)
KINDS = [
    (_p, _p, set()),
    (_q, _p, set()),
    (_p + _q, _p, {SUM}),
    (_p * _q, _p, {PRODUCT}),
    (2 * _p, _p, {PRODUCT}),
    (_p * _q + 1, _p, {SUM, PRODUCT}),
    (tanh(_p), _p, {ACTIVATION}),
    (exp(_p * _q), _p, {ACTIVATION, PRODUCT}),
    (_p**2, _p, {ACTIVATION}),
    (tanh(_q) + _p, _p, {SUM}),
    (_P * _Q, _P, {PRODUCT}),
    (_P * _Q, _Q, {PRODUCT}),
    (_P * _Q + _R, _R, {SUM}),
    (_P.T, _P, set()),
    (hadamard_product(_P, _R), _R, {PRODUCT}),
    (elementwise(tanh(SLOTS[0]), _P), _P, {ACTIVATION}),
    (elementwise(tanh(SLOTS[0]), _P * _Q), _Q, {ACTIVATION, PRODUCT}),
    (RowSoftmax(_P), _P, {ROW}),
    (Concat(_P, _R), _P, {PARTS}),
]


@pytest.mark.parametrize(
    ("expr", "symbol", "rules"), KINDS, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)
)
def test_kinds(expr, symbol, rules):
    assert kinds(expr, symbol) == rules


def items(program: Program):
    """The equations of a program, those in recurrences too."""
    for item in program.equations:
        yield from item.body.assignments if isinstance(item, Recurrence) else [item]


@over(MODELS)
def test_a_use_is_an_equation_that_reads_the_quantity(case):
    program = case.derivation.steps
    own = {item.lhs for item in items(program)}
    own |= {carry.prev for item in program.equations if isinstance(item, Recurrence) for carry in item.carries}
    own |= {total.lhs for item in program.equations if isinstance(item, Recurrence) for total in item.sums}
    for listed in uses_of(program).values():
        assert {use.lhs for use in listed} <= own


def test_the_state_is_read_by_the_next_step():
    program = derive(Sequential([SimpleRNN(2), Dense(1)], (3, 2))).steps
    uses = merged(uses_of(program), aliases(program))
    read = {symbol.name: [(use.name.latex, sorted(use.rules)) for use in uses[symbol]] for symbol in uses}
    assert read["h_t"] == [("a_{t+1}", [PRODUCT, SUM]), ("y", [PRODUCT, SUM])]
    assert read["a_t"] == [("h_t", [ACTIVATION])]
    assert read["b_h"] == [("a_t", [PRODUCT, SUM])]


@pytest.mark.parametrize(
    ("name", "kind", "rule"), [("Flatten", Join, PARTS), ("maximum", MaxOverTime, LARGEST)], ids=["Flatten", "maximum"]
)
def test_items_that_are_no_equation_have_a_rule(name, kind, rule):
    program = derive(MODELS[name].model).steps
    symbol = next(item.rhs for item in program.equations if isinstance(item, kind))
    assert rule in set().union(*(use.rules for use in uses_of(program)[symbol]))
    assert rule != ORDER


def test_through_a_value_whose_adjoint_has_no_name():
    z, f, a = (Symbol(name, real=True) for name in ("z", "f", "a"))
    program = derive().program()
    names = {symbol: next(iter(program.names.values())) for symbol in (z, f, a, _p)}
    equations = (Equation(f, tanh(a)), Equation(z, _p * f))
    uses = uses_of(Program((a, _p), (), equations, (z,), names))
    assert through(a, uses, [f, z]) == {ACTIVATION}
    assert through(a, uses, [z]) == {ACTIVATION, PRODUCT}


def test_stand_together():
    assert stand_together(_P * _Q + _R, _P, _Q)
    assert not stand_together(_P * _Q + _R, _P, _R)
