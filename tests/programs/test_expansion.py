"""Matrices written out in entries: their names, and that only numbers are left."""

from sympy import MatrixSymbol

from symrnn.expressions.nodes import N
from symrnn.models.forward_pass import forward
from symrnn.models.layers.core import Dense
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.programs.expansion import expand
from symrnn.programs.program import symbols_of
from symrnn.programs.unrolling import unroll
from tests.support.bank import LOSS_MODELS, MODELS, Case, apart, names_in, over


def test_names_of_entries() -> None:
    program = expand(MODELS["features and outputs"].program)
    assert (
        names_in(program.inputs)
        == "U_0_0 U_0_1 U_1_0 U_1_1 V_0_0 V_0_1 V_1_0 V_1_1 b_h_0 b_h_1 W_0_0 W_0_1 W_1_0 W_1_1 b_o_0 b_o_1"
    )
    assert names_in(program.sequences) == "x_t_0 x_t_1"
    assert names_in(program.outputs) == "y_0 y_1"


def test_names_of_entries_of_a_batch() -> None:
    program = unroll(expand(forward(Sequential([SimpleRNN(1), Dense(2)], (2, 1))).program, 2), 2)
    assert names_in(program.inputs) == "U V b_h W_0_0 W_0_1 b_o_0 b_o_1 x_0_0_0 x_1_0_0 x_0_1_0 x_1_1_0"
    assert names_in(program.outputs) == "y_0_0 y_0_1 y_1_0 y_1_1"


@over(apart(MODELS | LOSS_MODELS))
def test_expand_leaves_real_symbols_only(case: Case) -> None:
    program = unroll(expand(case.backward, case.rows), case.timesteps)
    symbols = {*program.inputs, *program.outputs, *symbols_of(equation.rhs for equation in program.equations)}
    assert all(symbol.is_real and not isinstance(symbol, MatrixSymbol) for symbol in symbols)
    assert not any(equation.rhs.has(N) for equation in program.equations)


@over(apart(MODELS))
def test_expanded_twice_is_expanded_once(case: Case) -> None:
    program = expand(case.backward, case.rows)
    assert expand(program) == program


@over(MODELS | LOSS_MODELS)
def test_latex_names_are_all_different(case: Case) -> None:
    program = expand(unroll(case.backward, case.timesteps), case.rows)
    names = [program.names[symbol].latex for symbol in (*program.inputs, *(e.lhs for e in program.equations))]
    assert len(set(names)) == len(names)
