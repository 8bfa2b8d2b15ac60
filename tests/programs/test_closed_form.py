"""The closed form: its size is known before it is built, and what would be too large is refused."""

import re

import pytest
import sympy
from sympy import Expr, Symbol, tanh

from symrnn import Dense, Derivation, Sequential, SimpleRNN, derive
from symrnn.common.limits import NESTING, OPERATIONS
from symrnn.programs.closed_form import expressions, least_size, size
from symrnn.programs.program import Equation, Program
from tests.codegen.test_function import refused
from tests.support.bank import BANK, LOSS_MODELS, SIMPLE, Case, closed, over

A, B, C, D = (Symbol(name, real=True) for name in "ABCD")


def model(timesteps: int, units: int = 1, activation: str = "tanh") -> Derivation:
    return derive(Sequential([SimpleRNN(units, activation), Dense(1)], (timesteps, 1)))


def small(*equations: tuple[Expr, Expr]) -> Program:
    equations = tuple(Equation(lhs, rhs) for lhs, rhs in equations)
    return Program((A,), (), equations, (equations[-1].lhs,))


@pytest.mark.parametrize(
    ("program", "operations", "nesting"),
    [
        (small((B, A)), 0, 0),
        (small((B, A + 1)), 1, 0),
        (small((B, A + 1), (C, B * B)), 2, 1),
        (small((B, tanh(A)), (C, tanh(2 * B + 1))), 4, 2),
        (small((B, tanh(A)), (C, B + A * B)), 4, 1),
        (small((B, A + A**2), (C, A), (D, C + 3)), 1, 0),
    ],
)
def test_size(program: Program, operations: int, nesting: int) -> None:
    assert size(program) == (operations, nesting)


# SymPy multiplies the terms of a sum with a number before it, as in the mean
@over({name: case for name, case in BANK.items() if case.made and "verage" not in name})
def test_size_is_at_least_that_of_the_closed_form(case: Case) -> None:
    program = case.derivation.program("scalar", case.rows)
    assert size(program)[0] >= max(sympy.count_ops(value) for value in expressions(program))


@over(SIMPLE | LOSS_MODELS)
def test_each_step_nests(case: Case) -> None:
    _, nesting = size(case.derivation.program("scalar", case.rows))
    activation = next(layer.activation for layer in case.model.layers if isinstance(layer, SimpleRNN))
    assert nesting >= case.timesteps or activation is None


@over(BANK)
def test_expressions_are_what_inline_gives(case: Case) -> None:
    if case.made:
        d = case.derivation
        assert expressions(d.program("scalar", case.rows)) != ()
        assert closed(d.steps, case)[0] in expressions(d.program("scalar", case.rows))


@over({name: case for name, case in BANK.items() if case.made})
def test_the_size_is_bounded_before_the_entries_are_written(case: Case) -> None:
    """The entries of an average are simplified, and so may have less than the bound says."""
    for d in (case.derivation, case.gradient):
        bound, nesting = least_size(d.program("unrolled", "N"))
        exact, exact_nesting = size(d.program("scalar"))
        assert bound <= exact or "verage" in str(case.model)
        assert nesting <= exact_nesting


def too_large(operations: object, nesting: object) -> str:
    return (
        f"closed form: expected at most {OPERATIONS} operations and {NESTING} nested steps, "
        f"got {operations} and {nesting}; take zoom 'unrolled'"
    )


def test_forty_steps_are_not_too_many() -> None:
    d = model(40)
    assert d.y == d.closed()[0]
    assert sympy.count_ops(d.y) == 200


@pytest.mark.parametrize(
    ("timesteps", "units", "operations"), [(41, 1, 205), (45, 1, 225), (5, 8, 187240), (100, 4, "about 10^61")]
)
def test_refuses_a_large_form(timesteps: int, units: int, operations: object) -> None:
    d = model(timesteps, units)
    message = too_large(operations, timesteps)
    with refused(message):
        d.closed()
    with refused(message):
        _ = d.y


@pytest.mark.parametrize("timesteps", [100, 1000])
def test_refuses_a_deep_form_without_activations(timesteps: int) -> None:
    """The products of sums nest as functions do, and SymPy's recursion ends as soon."""
    d = model(timesteps, activation="linear")
    with pytest.raises(ValueError, match="^" + re.escape(too_large(4 * timesteps, "N")).replace("N", "[0-9]+") + "$"):
        d.closed()


def test_refuses_a_large_gradient() -> None:
    with refused(too_large(14809, 20)):
        model(20).gradient().closed()
    assert len(model(5).gradient("mse").closed()) == 5


@pytest.mark.parametrize("activation", ["silu", "gelu", "softsign", "squareplus"])
def test_refuses_a_form_that_the_definitions_make_large(activation: str) -> None:
    """x sigmoid(x) holds its argument twice, so each step doubles y."""
    d = model(12, activation=activation)
    assert len(d.closed()) == 1
    with pytest.raises(ValueError, match="^" + re.escape(too_large("N", "N")).replace("N", "[0-9]+") + "$"):
        _ = d.y


def test_the_latex_of_a_thousand_steps() -> None:
    assert len(model(1000).latex("closed")) < 30_000


@pytest.mark.parametrize(
    ("timesteps", "units", "size"),
    [(8, 4, "3407815"), (1000, 2, "about 10^302 operations")],
)
def test_refuses_long_latex(timesteps: int, units: int, size: str) -> None:
    for show in (model(timesteps, units).latex, model(timesteps, units).text):
        with pytest.raises(
            ValueError, match=r"^closed form: expected at most 2000000 characters, got .*; take zoom 'unrolled'$"
        ):
            show("closed")
    with refused(f"closed form: expected at most 2000000 characters, got {size}; take zoom 'unrolled'"):
        model(timesteps, units).latex("closed")


def test_the_limit_is_for_all_lines_together() -> None:
    with pytest.raises(
        ValueError, match=r"^closed form: expected at most 2000000 characters, got .*; take zoom 'unrolled'$"
    ):
        model(40, activation="relu").gradient().latex("closed")
