"""Names of what to differentiate by, and the programs that hold what was asked for."""

import re

import pytest

from symrnn import Dense, Derivation, Sequential, SimpleRNN, derive
from symrnn.derivations.wrt import Request, request
from symrnn.models.losses import with_loss
from tests.codegen.test_function import everything, refused
from tests.support.bank import MODELS, Case, over

NOTEBOOK = derive()
STACK = derive(Sequential([SimpleRNN(2, return_sequences=True, initial_state=True), SimpleRNN(1), Dense(2)], (4, 1)))
SEQUENCE = derive(Sequential([SimpleRNN(1, return_sequences=True, go_backwards=True), Dense(1, "tanh")], (3, 1)))
OPEN = derive(Sequential([SimpleRNN(1), Dense(1)], (None, 1)))

REQUESTS: list[tuple[Derivation, str, str, int | None]] = [
    (NOTEBOOK, "U", "U", None),
    (NOTEBOOK, "b_h", "b_h", None),
    (NOTEBOOK, "x", "x_t", None),
    (NOTEBOOK, "x_t", "x_t", None),
    (NOTEBOOK, "x_0", "x_t", 0),
    (NOTEBOOK, "h_2", "h_t", 2),
    (NOTEBOOK, "h", "h_t", None),
    (NOTEBOOK, "a_1", "a_t", 1),
    (NOTEBOOK, "y", "y", None),
    (STACK, "h1_init", "h1_init", None),
    (STACK, "h1_3", "h1_t", 3),
    (STACK, "h2_0", "h2_t", 0),
    (STACK, "a2", "a2_t", None),
    (STACK, "b2_h", "b2_h", None),
    (SEQUENCE, "s_1", "s_t", 1),
    (SEQUENCE, "a_y_2", "a_y_t", 2),
    (SEQUENCE, "y_0", "y_t", 0),
    (OPEN, "h_99", "h_t", 99),
]


@pytest.mark.parametrize(("d", "name", "symbol", "step"), REQUESTS, ids=[name for _, name, _, _ in REQUESTS])
def test_request(d: Derivation, name: str, symbol: str, step: int | None) -> None:
    found = request(name, d.steps, d.network.timesteps)
    assert ([one.name for one in found.symbols], found.step) == ([symbol], step)


@over(MODELS)
def test_a_symbol_is_as_good_as_its_name(case: Case) -> None:
    d = case.derivation
    for name, symbol in d.symbols.items():
        assert request(symbol, d.steps, d.network.timesteps) == request(name, d.steps, d.network.timesteps)


def test_the_steps_of_a_family_are_requests_of_one_symbol() -> None:
    requests = NOTEBOOK.gradient(wrt=["h_1", "h", "U", "h_1"]).requests
    h, U = requests[1].symbols, requests[2].symbols
    assert requests == (Request(h, 1), Request(h), Request(U), Request(h, 1))


NAMES = "U, V, b_h, W, b_o, x_t, x, a_t, a, h_t, h, y"


def unknown(name: str, known: str = NAMES) -> str:
    return f"wrt: unknown symbol {name!r}; known: {known}, and a family with its step, such as x_0"


WRONG = (
    "nope u h_-1 h_1.0 h_ h__1 h_1_0 h_x h_² h_prev h_last U_0_0 y_0 y_true L S dU delta_0 dh_1 N T t None __class__"
)


@pytest.mark.parametrize("name", [*WRONG.split(), "", "h_1 ", "h_1\n"])
def test_refuses_a_name(name: str) -> None:
    for d in (NOTEBOOK, OPEN):
        with refused(unknown(name)):
            d.gradient("mse", wrt=["U", name])


def test_refuses_what_is_no_name() -> None:
    for wrt in (None, 3, NOTEBOOK):
        with pytest.raises(
            ValueError, match="^" + re.escape("wrt: unknown symbol ") + ".*known: U, V, .* such as x_0$"
        ):
            NOTEBOOK.gradient(wrt=[wrt])


@pytest.mark.parametrize("name", ["h_3", "x_3", "a_1000", "h_99999999999999999999"])
def test_refuses_a_step_that_is_not_there(name: str) -> None:
    step = name.partition("_")[2]
    with refused(f"wrt: {name!r}: expected a step below 3, got {step}"):
        NOTEBOOK.gradient(wrt=[name])


def test_the_target_and_the_loss_are_not_asked_for() -> None:
    program = with_loss(SEQUENCE.network, "binary_crossentropy")
    with refused(unknown("y_true_t", f"{NAMES[:-3]}, s_t, s, a_y_t, a_y, y_t, y, q_y_t, q_y")):
        request("y_true_t", program, SEQUENCE.network.timesteps)


# programs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrt", "outputs"),
    [
        (["U", "x_1"], "dU dx_1"),
        (["x"], "dx_0 dx_1 dx_2"),
        (["h_1", "b_o", "h_0"], "dh_1 db_o dh_0"),
        (["h", "a_1"], "dh_0 dh_1 dh_2 delta_1"),
        (["U", "U"], "dU dU"),
        ([], ""),
    ],
)
def test_outputs_of_the_unrolled_program(wrt: list[str], outputs: str) -> None:
    for loss, total in [(None, []), ("mse", ["L"])]:
        program = NOTEBOOK.gradient(loss, wrt).program("unrolled")
        assert [symbol.name for symbol in program.outputs] == [*total, *outputs.split()]


def test_outputs_of_the_scalar_program() -> None:
    program = STACK.gradient(wrt=["h1_2", "W", "b2_h"]).program("scalar")
    assert [symbol.name for symbol in program.outputs] == ["dh1_2_0", "dh1_2_1", "dW_0_0", "dW_0_1", "db2_h"]
    program = STACK.gradient("mse", wrt=["h2_1"]).program("scalar", samples=2)
    assert [symbol.name for symbol in program.outputs] == ["L", "dh2_1_0_0", "dh2_1_1_0"]


@over(MODELS)
def test_the_forward_pass_is_kept(case: Case) -> None:
    d = case.derivation
    forward = [equation.lhs for equation in d.program("unrolled").assignments]
    first = d.network.sources[0].symbol.name.replace("_t", "_0")
    for wrt in ([first], everything(d)):
        found = [equation.lhs for equation in d.gradient("mse", wrt).program("unrolled").assignments]
        assert set(forward) <= set(found)


def test_equations_that_nothing_needs_are_left_out() -> None:
    names = [equation.lhs.name for equation in NOTEBOOK.gradient(wrt=["h_2"]).program("unrolled").assignments]
    assert names == ["a_0", "h_0", "a_1", "h_1", "a_2", "h_2", "y", "dy", "dh_2"]
