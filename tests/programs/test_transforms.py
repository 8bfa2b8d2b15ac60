"""Unrolling, expanding, inlining, renaming and pruning: each gives a program with the same outputs."""

from dataclasses import replace
from itertools import islice

import pytest
import sympy
from sympy import Expr, Integer, MatrixSymbol, tanh

from symrnn.expressions.nodes import N, T
from symrnn.models.forward_pass import forward
from symrnn.models.layers.core import Dense
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, Recurrence, Reversal, defines, reads, symbols_of
from symrnn.programs.transforms import inline, prune, rename, with_samples
from symrnn.programs.unrolling import unroll
from tests.support.bank import BANK, LOSS_MODELS, MODELS, SAMPLE, Case, Symbols, apart, closed, evaluate, over, same

SMALL = {
    name: BANK[name]
    for name in ("scalar", "features and outputs", "stack backwards", "initial state", "mse of sequences")
}


def names(symbols: Symbols) -> str:
    return " ".join(symbol.name for symbol in symbols)


def gradient(case: Case) -> Program:
    """The program with its adjoint equations, and the derivatives by all inputs as outputs."""
    return case.backward


# the notebook -------------------------------------------------------------------------------------

NOTEBOOK = MODELS["scalar"]


def test_the_notebooks_formula() -> None:
    U, V, b_h, W, b_o, *x = sympy.symbols("U V b_h W b_o x_0:3", real=True)
    h_0 = tanh(U * x[0] + b_h)
    h_1 = tanh(U * x[1] + V * h_0 + b_h)
    h_2 = tanh(U * x[2] + V * h_1 + b_h)
    assert closed(NOTEBOOK.program, NOTEBOOK) == (W * h_2 + b_o,)


def test_the_notebooks_number() -> None:
    numbers = [1.4501959, -1.0, 0.0, 0.5759429, 0.0, 1, 2, 3]
    assert evaluate(NOTEBOOK.program, NOTEBOOK, numbers) == pytest.approx([0.5746256], abs=1e-7)


# time ---------------------------------------------------------------------------------------------


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
    assert names(program.inputs) == inputs
    assert [equation.lhs.name for equation in program.equations if "last" not in equation.lhs.name] == steps.split()
    assert names(program.outputs) == outputs


@over(MODELS | LOSS_MODELS)
def test_unroll_leaves_no_recurrence_and_no_size(case: Case) -> None:
    program = unroll(gradient(case), case.timesteps)
    assert not any(isinstance(item, Recurrence | Reversal) for item in program.equations)
    assert not any(item.rhs.has(T) for item in program.equations)


@over(apart(BANK))
def test_unroll_and_expand_commute(case: Case) -> None:
    first = inline(expand(unroll(case.program, case.timesteps), case.rows))
    second = inline(unroll(expand(case.program, case.rows), case.timesteps))
    assert sorted(map(str, first)) == sorted(map(str, second))


def test_unroll_is_linear_in_the_number_of_steps() -> None:
    for case in SMALL.values():
        sizes = [len(unroll(case.program, timesteps).equations) for timesteps in (3, 4, 9, 10)]
        assert sizes[1] - sizes[0] == sizes[3] - sizes[2] > 0


@pytest.mark.parametrize("timesteps", [0, -1])
def test_unroll_refuses_no_steps(timesteps: int) -> None:
    with pytest.raises(ValueError, match=rf"^timesteps: expected a positive whole number for T, got {timesteps}$"):
        unroll(NOTEBOOK.program, timesteps)


# entries ------------------------------------------------------------------------------------------


def test_names_of_entries() -> None:
    program = expand(MODELS["features and outputs"].program)
    assert (
        names(program.inputs)
        == "U_0_0 U_0_1 U_1_0 U_1_1 V_0_0 V_0_1 V_1_0 V_1_1 b_h_0 b_h_1 W_0_0 W_0_1 W_1_0 W_1_1 b_o_0 b_o_1"
    )
    assert names(program.sequences) == "x_t_0 x_t_1"
    assert names(program.outputs) == "y_0 y_1"


def test_names_of_entries_of_a_batch() -> None:
    program = unroll(expand(forward(Sequential([SimpleRNN(1), Dense(2)], (2, 1))).program, 2), 2)
    assert names(program.inputs) == "U V b_h W_0_0 W_0_1 b_o_0 b_o_1 x_0_0_0 x_1_0_0 x_0_1_0 x_1_1_0"
    assert names(program.outputs) == "y_0_0 y_0_1 y_1_0 y_1_1"


@over(apart(MODELS | LOSS_MODELS))
def test_expand_leaves_real_symbols_only(case: Case) -> None:
    program = unroll(expand(gradient(case), case.rows), case.timesteps)
    symbols = {*program.inputs, *program.outputs, *symbols_of(equation.rhs for equation in program.equations)}
    assert all(symbol.is_real and not isinstance(symbol, MatrixSymbol) for symbol in symbols)
    assert not any(equation.rhs.has(N) for equation in program.equations)


@over(apart(MODELS))
def test_expanded_twice_is_expanded_once(case: Case) -> None:
    program = expand(gradient(case), case.rows)
    assert expand(program) == program


@over(MODELS | LOSS_MODELS)
def test_latex_names_are_all_different(case: Case) -> None:
    program = expand(unroll(gradient(case), case.timesteps), case.rows)
    names = [program.names[symbol].latex for symbol in (*program.inputs, *(e.lhs for e in program.equations))]
    assert len(set(names)) == len(names)


# samples, renaming --------------------------------------------------------------------------------


@over(apart(MODELS | LOSS_MODELS))
def test_one_sample_is_the_same_as_one_row(case: Case) -> None:
    for program in (case.program, gradient(case)):
        assert expand(with_samples(program, 1)) == expand(program)


@over(SMALL)
def test_two_samples_are_the_same_as_two_rows(case: Case) -> None:
    program = with_samples(gradient(case), 2)
    assert expand(program) == expand(gradient(case), 2)
    assert not any(symbol.has(N) for symbol in (*program.inputs, *program.outputs))


def test_samples_of_a_program_without_letters() -> None:
    program = replace(NOTEBOOK.program, names={})
    bare = replace(program, equations=tuple(_without_names(item) for item in program.equations))
    assert expand(with_samples(bare, 1)) == expand(bare)


def _without_names(item: object) -> object:
    return replace(item, body=replace(item.body, names={})) if isinstance(item, Recurrence) else item


@over(SMALL)
def test_rename_there_and_back(case: Case) -> None:
    program = gradient(case)
    there = {symbol: _renamed(symbol) for item in program.equations for symbol in (*reads(item), *defines(item))}
    back = {new: old for old, new in there.items()}
    renamed = rename(program, there)
    assert all(symbol.name.startswith("new_") for symbol in (*renamed.inputs, *renamed.sequences))
    assert rename(renamed, back) == program
    assert closed(rename(unroll(program, 2), {}), case) == closed(unroll(program, 2), case)


def _renamed(symbol: Expr) -> Expr:
    return MatrixSymbol(f"new_{symbol.name}", *symbol.shape)


def test_rename_of_a_size() -> None:
    program = rename(unroll(NOTEBOOK.program, 2), {N: Integer(1), **_sized(unroll(NOTEBOOK.program, 2))})
    assert {symbol.shape for symbol in program.inputs} == {(1, 1)}


def _sized(program: Program) -> dict[Expr, Expr]:
    symbols = (*program.inputs, *(equation.lhs for equation in program.equations))
    return {symbol: MatrixSymbol(symbol.name, 1, 1) for symbol in symbols}


# pruning ------------------------------------------------------------------------------------------


def needed(program: Program, outputs: Symbols) -> set[Expr]:
    """What the outputs need, found by following the equations back."""
    equations = {equation.lhs: equation.rhs for equation in program.equations}
    found: set[Expr] = set()
    waiting = list(outputs)
    while waiting:
        symbol = waiting.pop()
        if symbol not in found and symbol in equations:
            waiting += symbols_of([equations[symbol]])
            found.add(symbol)
    return found


@over(MODELS | LOSS_MODELS)
def test_prune_keeps_what_the_outputs_need(case: Case) -> None:
    program = unroll(gradient(case), case.timesteps)
    for output in program.outputs:
        pruned = prune(program, (output,))
        assert {equation.lhs for equation in pruned.equations} == needed(program, (output,))
        assert [e for e in program.equations if e in pruned.equations] == list(pruned.equations)


@over(SAMPLE | LOSS_MODELS)
def test_prune_of_a_step_keeps_what_the_outputs_need(case: Case) -> None:
    program = gradient(case)
    slopes = iter(case.slopes)
    for output in program.outputs:
        pruned = prune(program, (output,))
        entries = closed(pruned, case)
        assert entries == tuple(islice(slopes, len(entries))) != ()
        read = {output, *(symbol for item in pruned.equations for symbol in _all_reads(item))}
        assert {symbol for item in pruned.equations for symbol in _all_defines(item)} <= read
        assert prune(pruned, (output,)) == pruned


def _all_reads(item: object) -> Symbols:
    if not isinstance(item, Recurrence):
        return reads(item)
    inner = [e for step in item.body.equations for e in reads(step)]
    nexts = symbols_of([*(carry.next for carry in item.carries), *(total.rhs for total in item.sums)])
    return (*reads(item), *inner, *nexts)


def _all_defines(item: object) -> Symbols:
    inner = [step.lhs for step in item.body.equations] if isinstance(item, Recurrence) else []
    return (*defines(item), *inner)


def test_prune_to_nothing() -> None:
    assert prune(NOTEBOOK.program, ()).equations == ()
    assert prune(NOTEBOOK.program, NOTEBOOK.program.inputs).equations == ()


@over(MODELS)
def test_prune_to_all_outputs_changes_nothing(case: Case) -> None:
    program = unroll(case.program, case.timesteps)
    assert same(inline(expand(prune(program, program.outputs), case.rows)), closed(program, case))
