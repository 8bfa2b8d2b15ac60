"""Backpropagation of a program that has adjoints: second derivatives against SymPy's, and what they are called."""

from dataclasses import replace

import pytest
from mpmath import mpf, workdps
from sympy import Add, Expr, Symbol, lambdify

from symrnn.expressions.names import Name
from symrnn.models.layers.core import Dense
from symrnn.models.layers.rnn import GRU, LSTM, SimpleRNN
from symrnn.programs.adjoint import back_through, backprop
from symrnn.programs.adjoint_names import Kind
from symrnn.programs.expansion import expand
from symrnn.programs.program import Equation, Program, Recurrence
from symrnn.programs.sweep import Sweep
from symrnn.programs.unrolling import unroll
from tests.support.bank import BANK, Case, Symbols, case, closed, computable, over, same, unrolled, written_out

SCALAR = BANK["scalar"]
_GATED = {"use_bias": False}
CASES: dict[str, Case] = {
    "scalar": SCALAR,
    "sequence": case(SimpleRNN(1, return_sequences=True, use_bias=False), T=2),
    "sequence backwards": case(SimpleRNN(1, return_sequences=True, go_backwards=True, use_bias=False), Dense(1), T=2),
    "initial state": case(SimpleRNN(1, initial_state=True, use_bias=False), T=2),
    "masked to zero": BANK["masked to zero"],  # nothing is sent to its output but at the end
    "two units": case(SimpleRNN(2, use_bias=False), T=2),
    "LSTM": case(LSTM(1, **_GATED), T=2),
    "GRU": case(GRU(1, **_GATED), T=2),
}
DIGITS = 50


def weights(case: Case) -> Symbols:
    """The weights of a model, without its sequence."""
    return case.program.inputs


def second(program: Program, wrt: Symbols, output: Expr) -> Program:
    """The derivatives by wrt of one output of a program of derivatives."""
    return backprop(replace(program, outputs=(output,)), wrt, "g")


def numbers(program: Program, case: Case) -> list[mpf]:
    """The outputs for some fractions as inputs, with more digits than are compared."""
    whole = expand(unroll(program, case.timesteps), case.rows)
    steps = [(equation.lhs, computable(equation.rhs)) for equation in whole.assignments]
    f = lambdify(whole.inputs, whole.outputs, "mpmath", cse=lambda outputs: (steps, list(outputs)))
    return f(*fractions(len(whole.inputs)))


def fractions(count: int) -> list[mpf]:
    """Numbers between -1/2 and 1/2 that are exact."""
    return [mpf(i % 7 - 3) / 8 for i in range(count)]


def close(left: mpf, right: mpf) -> bool:
    """Whether two numbers are the same to fifty digits."""
    return abs(left - right) < mpf(10) ** -DIGITS


def test_second_derivatives_of_the_notebooks_model_are_sympys() -> None:
    gradient = backprop(SCALAR.program, weights(SCALAR))
    (value,) = closed(SCALAR.program, SCALAR)
    symbols = closed(replace(SCALAR.program, outputs=weights(SCALAR)), SCALAR)
    for first, output in zip(symbols, gradient.outputs, strict=True):
        found = closed(second(gradient, weights(SCALAR), output), SCALAR)
        assert same(found, [value.diff(first).diff(symbol) for symbol in symbols])


@over({name: CASES[name] for name in ("LSTM", "GRU", "masked to zero")})
def test_second_derivatives_are_sympys_to_fifty_digits(case: Case) -> None:
    gradient = backprop(case.program, weights(case))
    value = written_out(Add(*closed(case.program, case)))  # the forms to compute with have kinks, such as in |a|
    inputs = expand(unroll(case.program, case.timesteps)).inputs
    symbols = closed(replace(case.program, outputs=weights(case)), case)
    with workdps(DIGITS + 20):
        found = [numbers(second(gradient, weights(case), output), case) for output in gradient.outputs]
        for i, first in enumerate(symbols):
            slopes = [value.diff(first).diff(other) for other in symbols[: i + 1]]
            exact = lambdify(inputs, slopes, "mpmath", cse=True)(*fractions(len(inputs)))
            assert all(close(found[i][j], found[j][i]) and close(found[i][j], slope) for j, slope in enumerate(exact))


@over(CASES)
def test_unroll_and_the_second_backprop_commute(case: Case) -> None:
    gradient = backprop(case.program, weights(case))
    first = unroll(backprop(gradient, weights(case)), case.timesteps)
    steps = unroll(gradient, case.timesteps)
    other = backprop(steps, unrolled(gradient, weights(case), case.timesteps))
    with workdps(DIGITS + 20):
        assert all(close(one, two) for one, two in zip(numbers(first, case), numbers(other, case), strict=True))


@over({name: CASES[name] for name in ("scalar", "sequence", "initial state")})
def test_unroll_and_the_second_backprop_commute_exactly(case: Case) -> None:
    gradient = backprop(case.program, weights(case))
    steps = unroll(gradient, case.timesteps)
    wrt = unrolled(gradient, weights(case), case.timesteps)
    assert same(closed(backprop(gradient, weights(case)), case), closed(backprop(steps, wrt), case))


def test_the_third_derivative() -> None:
    one = case(SimpleRNN(1, use_bias=False), T=2)
    program, (value,) = one.program, closed(one.program, one)
    symbols = closed(replace(program, outputs=weights(one)), one)
    for _ in range(3):
        program = replace(backprop(program, weights(one)), outputs=(backprop(program, weights(one)).outputs[0],))
    assert same(closed(program, one), [value.diff(symbols[0], 3)])
    assert [output.name for output in program.outputs] == ["d3U"]


def test_the_adjoint_of_an_adjoint_recurrence_runs_forward() -> None:
    gradient = backprop(SCALAR.program, weights(SCALAR))
    program = second(gradient, weights(SCALAR), gradient.outputs[0])
    items = [item for item in program.equations if isinstance(item, Recurrence)]
    assert [item.reverse for item in items] == [False, True, False, True]
    assert [[carry.prev.name for carry in item.carries] for item in items] == [
        ["h_prev"], ["dh_carry"], ["d2dh_carry"], ["d2h_carry"],
    ]  # fmt: skip


def test_names_of_second_derivatives() -> None:
    gradient = backprop(SCALAR.program, weights(SCALAR))
    program = second(gradient, weights(SCALAR), gradient.outputs[0])
    latex = {symbol.name: name.latex for symbol, name in program.names.items()}
    assert [symbol.name for symbol in program.outputs] == ["d2U", "d2V", "d2b_h", "d2W", "d2b_o"]
    assert latex["d2U"] == r"\frac{\partial g}{\partial U}"
    assert (latex["dh_t"], latex["d2h_t"], latex["d2dh_t"]) == (r"\bar h_t", r"\hat h_t", r"\hat{\bar h}_t")
    assert (latex["delta_t"], latex["d2a_t"], latex["d2delta_t"]) == (r"\delta_t", r"\hat a_t", r"\hat \delta_t")


@pytest.mark.parametrize(
    ("name", "code", "latex", "text"),
    [
        (Name("h", time="t").adjoint(2), "d2h_t", r"\hat h_t", "ĥ_t"),
        (Name("h~").adjoint().adjoint(2), "d2dh_new", r"\hat{\bar{\tilde h}}", "h̃̄̂"),
        (Name("a").adjoint(3), "d3a", r"\check a", "ǎ"),
        (Name("a").adjoint(4), "d4a", r"\check a", "ǎ"),
        (Name("U").partial("y").partial("g", 2), "d2dU", r"\frac{\partial g}{\partial \bar U}", "∂g/∂Ū"),
        (Name("h", time="t-1").message().message(2), "d2dh_carry", r"\hat{\bar h}_{t-1}", "h̄̂_{t-1}"),
    ],
)
def test_letters_with_several_marks(name: Name, code: str, latex: str, text: str) -> None:
    assert (name.code, name.latex, name.text) == (code, latex, text)
    assert name.is_adjoint


def test_a_name_that_is_taken_gets_a_number() -> None:
    u, du, z = (Symbol(name, real=True) for name in ("u", "dz", "z"))
    program = Program((u, du), (), (Equation(z, u * du),), (z,))
    backwards = backprop(program, (u, du))
    assert [step.lhs.name for step in backwards.assignments] == ["z", "dz_1", "du", "ddz"]


def test_the_sweep_notes_what_each_symbol_is() -> None:
    sweep = Sweep(SCALAR.program, weights(SCALAR))
    for output in SCALAR.program.outputs:
        sweep.terms[output].append(output)
    back_through(SCALAR.program.equations[-1], sweep)
    assert [(made.kind, made.of) for made in sweep.made.values()] == [(Kind.ADJOINT, SCALAR.program.outputs[0])]


def test_an_item_without_a_rule_is_named() -> None:
    with pytest.raises(NotImplementedError, match=r"^no adjoint of int$"):
        back_through(5, Sweep(SCALAR.program, ()))
