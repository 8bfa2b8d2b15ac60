"""What would be written out is counted before: the count is that of the result, and takes no time."""

import time

import pytest
from sympy import Expr, Pow

from symrnn import GRU, LSTM, Dense, Flatten, Sequential, SimpleRNN, derive
from symrnn.common.limits import SYMBOLS
from symrnn.expressions.nodes import is_size
from symrnn.programs.magnitudes import symbols_in
from tests.codegen.test_function import refused
from tests.support.bank import BANK, Case, over

MADE = {name: case for name, case in BANK.items() if case.made}


def symbols_of_entry(expr: Expr) -> int:
    """The symbols of a number as they are written, the base of a power once."""
    if expr.is_Symbol:
        return not is_size(expr)
    args = expr.args[:1] if isinstance(expr, Pow) and expr.exp.is_number else expr.args
    return sum(map(symbols_of_entry, args))


@over(MADE)
def test_entries_are_counted_as_they_are_written(case: Case) -> None:
    for d in (case.derivation, case.gradient):
        program = d.program("scalar", case.rows)
        sides = [side for equation in program.assignments for side in (equation.lhs, equation.rhs)]
        real = len(program.inputs) + sum(map(symbols_of_entry, sides))
        counted = d.count("scalar", case.rows)
        assert real <= counted <= 3 * real


@over(MADE)
def test_matrices_are_counted_as_they_are_written(case: Case) -> None:
    for d in (case.derivation, case.gradient):
        program = d.program("unrolled", "N")
        sides = [side for equation in program.assignments for side in (equation.lhs, equation.rhs)]
        real = len(program.inputs) + sum(map(symbols_in, sides))
        counted = d.count("unrolled")
        assert real <= counted <= 3 * real


# refusals ---------------------------------------------------------------------------------------

LARGE = {
    "units": Sequential([LSTM(32), Dense(1)], (50, 4)),
    "steps": Sequential([SimpleRNN(1), Dense(1)], (10**6, 1)),
    "a row": Sequential([Dense(3000)], (3000,)),
    "joined": Sequential([GRU(32, return_sequences=True), Flatten(), Dense(10)], (50, 4)),
}
SCALAR = "fewer time steps or samples, or zoom 'unrolled' or 'step'"
COUNTS = {"units": "507563", "steps": "9000011", "a row": "27012000", "joined": "515942"}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_by_its_count(name: str) -> None:
    d = derive(LARGE[name])
    began = time.monotonic()
    for show in (d.program, d.latex, d.text):
        with refused(f"zoom 'scalar': expected at most {SYMBOLS} symbols, got {COUNTS[name]}; take {SCALAR}"):
            show("scalar")
    for large in (d.closed, lambda: d.y, lambda: d.latex("closed"), d.gradient("mse").closed):
        with pytest.raises(ValueError, match=r"^(closed form|zoom 'scalar'): expected at most .*, got .*; take .*$"):
            large()
    assert time.monotonic() - began < 7


def test_samples_are_counted() -> None:
    with refused(f"zoom 'scalar': expected at most {SYMBOLS} symbols, got about 10^10; take {SCALAR}"):
        derive().program("scalar", samples=10**9)


def test_time_steps_in_matrices_are_counted() -> None:
    d = derive(Sequential([LSTM(2), Dense(1)], (10**6, 1)))
    with refused(
        f"zoom 'unrolled': expected at most {SYMBOLS} symbols, got 52000023; take fewer time steps, or zoom 'step'"
    ):
        d.program("unrolled")
    assert len(d.latex("step")) < 2000


def test_a_jacobian_over_many_steps_is_counted() -> None:
    d = derive(LARGE["steps"])
    assert d.jacobian("h_1", "h_0").latex().count("\\\\") < 10
    way_round = "fewer time steps, or lambdify(), which has its numbers"
    with refused(f"jacobian: expected at most {SYMBOLS} symbols, got 11000007; take {way_round}"):
        d.jacobian("h_999999", "h_0").program()
