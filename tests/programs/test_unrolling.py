"""Time written out: what symbols are called, that no recurrence is left, and that it commutes with entries."""

import pytest

from symrnn.expressions.nodes import T
from symrnn.programs.expansion import expand
from symrnn.programs.program import Recurrence, Reversal
from symrnn.programs.transforms import inline
from symrnn.programs.unrolling import unroll
from tests.support.bank import BANK, LOSS_MODELS, MODELS, Case, apart, names_in, over


@pytest.mark.parametrize(
    ("name", "inputs", "steps", "outputs"),
    [
        ("scalar", "U V b_h W b_o x_0 x_1 x_2", "a_0 h_0 a_1 h_1 a_2 h_2 y", "y"),
        ("sequence", "U V b_h x_0 x_1", "a_0 h_0 a_1 h_1 y_0 y_1", "y_0 y_1"),
        ("backwards", "U V b_h W b_o x_0 x_1", "a_1 h_1 a_0 h_0 y", "y"),
        (
            "sequence backwards",
            "U V b_h W b_o x_0 x_1 x_2",
            "a_2 h_2 a_1 h_1 a_0 h_0 s_0 s_1 s_2 y_0 y_1 y_2",
            "y_0 y_1 y_2",
        ),
        ("initial state", "U V b_h W b_o h_init x_0 x_1", "a_0 h_0 a_1 h_1 y", "y"),
        ("mse of sequences", "U V b_h W b_o x_0 x_1 y_true_0 y_true_1", "a_0 h_0 a_1 h_1 y_0 y_1 S L", "L"),
    ],
)
def test_unrolled_names(name: str, inputs: str, steps: str, outputs: str) -> None:
    program = unroll(BANK[name].program, BANK[name].timesteps)
    assert names_in(program.inputs) == inputs
    assert [equation.lhs.name for equation in program.equations if "last" not in equation.lhs.name] == steps.split()
    assert names_in(program.outputs) == outputs


@over(MODELS | LOSS_MODELS)
def test_unroll_leaves_no_recurrence_and_no_size(case: Case) -> None:
    program = unroll(case.backward, case.timesteps)
    assert not any(isinstance(item, Recurrence | Reversal) for item in program.equations)
    assert not any(item.rhs.has(T) for item in program.equations)


@over(apart(BANK))
def test_unroll_and_expand_commute(case: Case) -> None:
    first = inline(expand(unroll(case.program, case.timesteps), case.rows))
    second = inline(unroll(expand(case.program, case.rows), case.timesteps))
    assert sorted(map(str, first)) == sorted(map(str, second))


def test_unroll_is_linear_in_the_number_of_steps() -> None:
    for case in (BANK[name] for name in ("scalar", "features and outputs", "stack backwards", "mse of sequences")):
        sizes = [len(unroll(case.program, timesteps).equations) for timesteps in (3, 4, 9, 10)]
        assert sizes[1] - sizes[0] == sizes[3] - sizes[2] > 0


@pytest.mark.parametrize("timesteps", [0, -1])
def test_unroll_refuses_no_steps(timesteps: int) -> None:
    with pytest.raises(ValueError, match=rf"^timesteps: expected a positive whole number for T, got {timesteps}$"):
        unroll(MODELS["scalar"].program, timesteps)
