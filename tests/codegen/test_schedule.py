"""Recurrences as loops: what runs before, in and after them, and where their values are kept."""

from sympy import MatrixSymbol, Symbol

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.codegen.schedule import layout, schedule_of, split_step
from symrnn.expressions.matrices import add, concat, hadamard, multiply, ones, zeros
from symrnn.expressions.nodes import Columns, N
from symrnn.programs.program import Carry, Equation, Program, Recurrence, recurrence, symbols_of
from tests.support.bank import over
from tests.support.pictures import KINDS

TWO = derive(Sequential([SimpleRNN(2), Dense(2)], (3, 2)))


def fresh(symbol, suffix):
    return Symbol(f"{symbol.name}_{suffix}")


def scheduled(item: Recurrence) -> tuple[list[str], list[str], list[str]]:
    """The equations of a recurrence that run before, in and after the loop, as text."""
    plan = schedule_of(item, fresh)
    before, inside, after = ([f"{e.lhs} = {e.rhs}" for e in part] for part in (plan.before, plan.inside, plan.after))
    return before, inside, after


def loop(program: Program, reverse: bool) -> Recurrence:
    """The recurrence of a program that has a state and runs in this direction."""
    return next(i for i in program.equations if isinstance(i, Recurrence) and i.carries and i.reverse == reverse)


def test_the_forward_loop_holds_only_what_needs_the_state() -> None:
    inside = ["a_t = a_t_input + h_prev*V", "h_t = tanh(a_t)"]
    assert scheduled(loop(TWO.steps, False)) == (["a_t_input = x_t*U + 1*b_h"], inside, [])


def test_the_backward_loop_holds_only_what_needs_the_adjoint() -> None:
    inside = ["dh_t = dh_carry", "delta_t = HadamardProduct(delta_t_factor, dh_t)"]
    assert scheduled(loop(TWO.gradient().steps, True)) == (["delta_t_factor = 1 - h_t**2"], inside, [])


x, h, h_prev, k, k_prev = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "k_t", "k_prev"))
V, b = MatrixSymbol("V", 2, 2), MatrixSymbol("b", 1, 2)
CARRY = Carry(h_prev, h, zeros((N, 2)))


def test_what_the_next_state_does_not_need_runs_after_the_loop() -> None:
    equations = [Equation(h, add(x, h_prev)), Equation(k, hadamard(h, h_prev))]
    item = recurrence(equations, [x], [CARRY], [k])
    assert scheduled(item) == ([], ["h_t = h_prev + x_t"], ["k_t = HadamardProduct(h_t, h_prev)"])


def test_a_part_that_occurs_twice_is_computed_once() -> None:
    equations = [Equation(h, add(multiply(x, V), h_prev)), Equation(k, add(multiply(x, V), k_prev, h))]
    carries = [Carry(before, after, zeros((N, 2))) for before, after in ((h_prev, h), (k_prev, k))]
    inside = ["h_t = h_prev + h_t_input", "k_t = h_t + h_t_input + k_prev"]
    assert scheduled(recurrence(equations, [x], carries)) == (["h_t_input = x_t*V"], inside, [])


def test_a_bias_alone_stays_in_the_loop() -> None:
    """NumPy adds its row to every row; a value for each step would only take room."""
    item = recurrence([Equation(h, add(h_prev, multiply(ones((N, 1)), b)))], [x], [CARRY])
    assert scheduled(item) == ([], ["h_t = h_prev + 1*b"], [])


@over(KINDS)
def test_every_equation_runs_once_and_after_what_it_needs(case) -> None:
    for item in case.program.equations:
        if not isinstance(item, Recurrence):
            continue
        before, inside, after = split_step(item)
        parts = [*before, *inside, *after]
        assert {e.lhs for e in parts} == {e.lhs for e in item.body.assignments}
        known = set(item.body.inputs)
        for equation in parts:
            needs = {symbol for symbol in symbols_of([equation.rhs]) if isinstance(symbol, MatrixSymbol)}
            assert needs <= known
            known.add(equation.lhs)
        moving = {carry.prev for carry in item.carries}
        assert moving.isdisjoint(symbols_of(e.rhs for e in before))


# where values are kept ----------------------------------------------------------------------------


def kept(equations, stacked=(), carries=(CARRY,)):
    item = recurrence(equations, [x], list(carries), list(stacked))
    return layout(item, schedule_of(item, fresh))


def test_only_what_is_read_later_has_an_array() -> None:
    equations = [Equation(k, add(x, h_prev)), Equation(h, hadamard(k, k))]
    found = kept(equations)
    assert (found.arrays, found.columns, found.paired, found.copied, found.by_columns) == ([], {}, {}, [], False)
    assert kept(equations, [k]).arrays == [k]


def test_previous_states_that_are_read_later_share_the_array_of_the_next_ones() -> None:
    found = kept([Equation(h, add(x, h_prev)), Equation(k, hadamard(h, h_prev))], [k])
    assert (found.arrays, found.paired, found.copied) == ([h], {h: CARRY}, [])


def test_previous_states_whose_next_ones_are_no_value_of_the_loop_are_copied() -> None:
    """Here the next one is x_t itself; and nothing is copied that is not read later."""
    carry = Carry(h_prev, x, zeros((N, 2)))
    reading = [Equation(h, add(x, h_prev)), Equation(k, hadamard(h, h))]
    assert kept(reading, [k], [carry]).copied == [carry]
    assert kept([Equation(h, k_prev)], [h], [carry, Carry(k_prev, h, zeros((N, 2)))]).copied == []


def test_values_side_by_side_are_computed_in_their_place() -> None:
    whole, left, right = MatrixSymbol("w_t", N, 4), MatrixSymbol("p_t", N, 2), MatrixSymbol("q_t", N, 2)
    equations = [
        Equation(left, add(x, h_prev)),
        Equation(right, hadamard(x, h_prev)),
        Equation(whole, concat(left, right)),
        Equation(h, add(left, right)),
    ]
    found = kept(equations, [whole])
    assert found.wholes == {whole: concat(left, right)}
    assert found.columns == {left: Columns(whole, 0, 2), right: Columns(whole, 2, 4)}
    assert found.by_columns
