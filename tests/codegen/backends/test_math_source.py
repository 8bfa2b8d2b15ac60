"""The source with floats for one sample: it computes its program and is what the notebook would write."""

from typing import Any

import numpy as np
import pytest

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.codegen.backends.math_source import scalar_source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, families
from symrnn.programs.transforms import stack_all
from symrnn.programs.unrolling import unroll
from tests.codegen.backends.test_numpy_source import arrays, evaluated, roundings
from tests.codegen.test_function import WEIGHTS, drawn, entries, flat
from tests.support.bank import LOSS_MODELS, PROGRAMS, SAMPLE, Case, apart, over

PREDICT = """from math import tanh


def predict(x, U, V, b_h, W, b_o):
    T = len(x)
    h_prev = 0.0
    for t in range(T):
        x_t = x[t]
        a_t = U*x_t + V*h_prev + b_h
        h_t = tanh(a_t)
        h_prev = h_t
    h_last = h_prev
    y = W*h_last + b_o
    return y,
"""
GRADIENT = """from math import tanh


def gradient(x, U, V, b_h, W, b_o, y_true):
    T = len(x)
    h_prev = 0.0
    h = [0.0] * T
    h_before = [0.0] * T
    for t in range(T):
        x_t = x[t]
        h_before[t] = h_prev
        a_t = U*x_t + V*h_prev + b_h
        h[t] = h_t = tanh(a_t)
        h_prev = h_t
    h_last = h_prev
    y = W*h_last + b_o
    L = (y - y_true)**2
    dy = 2*y - 2*y_true
    dh_carry = W*dy
    dU = 0.0
    dV = 0.0
    db_h = 0.0
    for t in range(T - 1, -1, -1):
        h_prev = h_before[t]
        h_t = h[t]
        x_t = x[t]
        dh_t = dh_carry
        delta_t = dh_t*(1 - (h_t*h_t))
        dU += delta_t*x_t
        dV += delta_t*h_prev
        db_h += delta_t
        dh_carry = V*delta_t
    dW = dy*h_last
    db_o = dy
    return L, dU, dV, db_h, dW, db_o
"""


def test_the_notebooks_prediction() -> None:
    assert derive().lambdify().row_source == PREDICT


def test_the_notebooks_gradient() -> None:
    assert derive().gradient("mse").lambdify().row_source == GRADIENT


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (SimpleRNN(1, go_backwards=True), "for t in range(T - 1, -1, -1):"),
        (SimpleRNN(1, initial_state=True), "h_prev = h_init"),
        (SimpleRNN(1, use_bias=False), "a_t = U*x_t + V*h_prev"),
        (SimpleRNN(1, return_sequences=True), "y[t] = y_t = W*h_t + b_o"),
        (SimpleRNN(1, return_sequences=True, go_backwards=True), "s = h[::-1]"),
        (SimpleRNN(1, "relu"), "h_t = relu(a_t)"),
        (SimpleRNN(1, None), "h_t = U*x_t + V*h_prev + b_h"),
    ],
)
def test_lines(layer: SimpleRNN, line: str) -> None:
    source = derive(Sequential([layer, Dense(1)], (3, 1))).lambdify().row_source
    assert line in [text.strip() for text in source.splitlines()]


@pytest.mark.parametrize("layers", [[SimpleRNN(2)], [SimpleRNN(1), Dense(2)], [Dense(2), SimpleRNN(1)]])
def test_only_scalar_models_have_it(layers: list[Any]) -> None:
    d = derive(Sequential(layers, (3, 1)))
    assert d.lambdify().row_source is d.gradient().lambdify().row_source is None


def test_two_features_are_no_scalar_model() -> None:
    assert derive(Sequential([SimpleRNN(1)], (3, 2))).lambdify().row_source is None


def computes(program: Program, case: Case) -> bool:
    """Whether the source of the program, written out in entries, gives its outputs at 50 digits."""
    scalars = expand(program, case.rows)
    given, count = arrays(program, case), len(program.sequences)
    lists = [row.tolist() for array in given[:count] for row in np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])]
    plain = [number for array in given[count:] for number in flat(array)]
    results = compile_source(scalar_source(scalars, "f", case.own_lengths), "f")(*lists, *plain)
    known = families(scalars)
    assert [isinstance(result, list) for result in results] == [symbol in known for symbol in scalars.outputs]
    values, sizes = evaluated(unroll(scalars, case.timesteps), [*plain, *(x for row in lists for x in row)])
    return roundings([*map(np.float64, results)], values, sizes, 2.0**-53) < 100


# models whose quantities are numbers are those of law 4; of the others, which the code is not for, one of each kind
_BANK = apart(SAMPLE | LOSS_MODELS | PROGRAMS)


@over(_BANK)
def test_source_computes_the_program(case: Case) -> None:
    assert computes(case.program, case)
    assert computes(stack_all(case.program), case)


@over(_BANK)
def test_source_computes_the_gradient(case: Case) -> None:
    assert computes(case.backward, case)


def test_float32_is_rounded_once() -> None:
    d = derive()
    g, x = d.gradient("mse").lambdify(), drawn(d, 1, "mse", "float32")
    wide = entries(g(*drawn(d, 1, "mse")))
    assert entries(g(*x)) == [np.float32(number) for number in wide]


def test_numbers_become_floats() -> None:
    results = derive().gradient().lambdify()(np.array([1, 2, 3]), WEIGHTS)
    assert {type(number) for number in entries(results)} == {np.float64}
