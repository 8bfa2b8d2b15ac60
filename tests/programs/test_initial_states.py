"""A symbol for each state that starts from zero: put to zero, the program computes what it did."""

import numpy as np
import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Sequential, SimpleRNN, derive
from symrnn.expressions.matrices import is_zero, substitute, zeros
from symrnn.expressions.shapes import shape_of
from symrnn.programs.initial_states import with_initial_states
from symrnn.programs.program import Recurrence
from symrnn.programs.unrolling import unroll
from tests.support.bank import MODELS, SAMPLE, evaluate, over

EVERY = {"return_sequences": True}


def carries(program):
    return [carry for item in program.equations if isinstance(item, Recurrence) for carry in item.carries]


@over(SAMPLE)
def test_with_zeros_put_in_it_is_the_program_as_it_was(case):
    program = case.derivation.network.program
    started, starts = with_initial_states(program)
    steps = unroll(started, case.timesteps)
    plain = unroll(program, case.timesteps)
    nothing = {start: zeros(shape_of(start)) for start in starts}
    assert [equation.lhs for equation in steps.assignments] == [equation.lhs for equation in plain.assignments]
    for equation, other in zip(steps.assignments, plain.assignments, strict=True):
        assert substitute(equation.rhs, nothing) == other.rhs


@over(SAMPLE)
def test_every_zero_has_a_symbol_and_nothing_else(case):
    program = case.derivation.network.program
    started, starts = with_initial_states(program)
    assert len(starts) == len(set(starts)) == sum(is_zero(carry.init) for carry in carries(program))
    assert started.inputs == (*program.inputs, *starts)
    assert (started.sequences, started.outputs) == (program.sequences, program.outputs)
    assert not any(is_zero(carry.init) for carry in carries(started))
    for before, after in zip(carries(program), carries(started), strict=True):
        assert (after.init in starts) == is_zero(before.init)
        assert (before.prev, before.next, before.final) == (after.prev, after.next, after.final)
        assert shape_of(after.init) == shape_of(after.prev)
    assert with_initial_states(started) == (started, ())


@pytest.mark.parametrize("name", ["scalar", "LSTM", "both ways, concat", "stack"])
def test_the_values_are_those_of_the_program_for_zeros(name):
    case, generator = MODELS[name], np.random.default_rng(0)
    program = case.derivation.network.program
    started, starts = with_initial_states(program)
    weights = [generator.normal(size=tuple(map(int, shape_of(weight)))) for weight in program.inputs]
    x = generator.normal(size=(case.timesteps, 1, 1))
    nothing = np.zeros(sum(int(shape_of(start)[1]) for start in starts))
    assert np.array_equal(evaluate(started, case, *weights, nothing, x), evaluate(program, case, *weights, x))
    assert not np.array_equal(evaluate(started, case, *weights, nothing + 1, x), evaluate(program, case, *weights, x))


LETTERS = [
    ([SimpleRNN(1), Dense(1)], ["h_{-1}"]),
    ([SimpleRNN(1, go_backwards=True)], ["h_T"]),
    ([LSTM(2)], ["h_{-1}", "c_{-1}"]),
    ([Bidirectional(GRU(1))], [r"h_{-1}^{\rightarrow}", r"h_T^{\leftarrow}"]),
    ([SimpleRNN(1, **EVERY), SimpleRNN(1)], ["h_{-1}^{(1)}", "h_{-1}^{(2)}"]),
    ([SimpleRNN(1, initial_state=True)], []),
    ([Dense(1)], []),
]


@pytest.mark.parametrize(("layers", "expected"), LETTERS, ids=[str(latex) for _, latex in LETTERS])
def test_letters_of_starts(layers, expected):
    started, starts = with_initial_states(derive(Sequential(layers, (2, 1))).network.program)
    assert [started.names[start].latex for start in starts] == expected


def test_a_state_of_many_steps_has_one_start():
    _, starts = with_initial_states(derive(Sequential([SimpleRNN(3)], (100000, 2))).network.program)
    assert [(start.name, str(start.shape)) for start in starts] == [("h_init", "(N, 3)")]
