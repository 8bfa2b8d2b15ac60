"""Inlining, renaming and pruning: each gives a program with the same outputs."""

from dataclasses import replace
from itertools import islice

import pytest
import sympy
from sympy import Expr, Integer, MatrixSymbol, tanh

from symrnn.expressions.nodes import N
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, Recurrence, defines, reads, symbols_of
from symrnn.programs.transforms import inline, prune, rename, with_samples
from symrnn.programs.unrolling import unroll
from tests.support.bank import BANK, LOSS_MODELS, MODELS, SAMPLE, Case, Symbols, apart, closed, evaluate, over, same

SMALL = {
    name: BANK[name]
    for name in ("scalar", "features and outputs", "stack backwards", "initial state", "mse of sequences")
}


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


# samples, renaming --------------------------------------------------------------------------------


@over(apart(MODELS | LOSS_MODELS))
def test_one_sample_is_the_same_as_one_row(case: Case) -> None:
    for program in (case.program, case.backward):
        assert expand(with_samples(program, 1)) == expand(program)


@over(SMALL)
def test_two_samples_are_the_same_as_two_rows(case: Case) -> None:
    program = with_samples(case.backward, 2)
    assert expand(program) == expand(case.backward, 2)
    assert not any(symbol.has(N) for symbol in (*program.inputs, *program.outputs))


def test_samples_of_a_program_without_letters() -> None:
    program = replace(NOTEBOOK.program, names={})
    bare = replace(program, equations=tuple(_without_names(item) for item in program.equations))
    assert expand(with_samples(bare, 1)) == expand(bare)


def _without_names(item: object) -> object:
    return replace(item, body=replace(item.body, names={})) if isinstance(item, Recurrence) else item


@over(SMALL)
def test_rename_there_and_back(case: Case) -> None:
    program = case.backward
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
    program = unroll(case.backward, case.timesteps)
    for output in program.outputs:
        pruned = prune(program, (output,))
        assert {equation.lhs for equation in pruned.equations} == needed(program, (output,))
        assert [e for e in program.equations if e in pruned.equations] == list(pruned.equations)


@over(SAMPLE | LOSS_MODELS)
def test_prune_of_a_step_keeps_what_the_outputs_need(case: Case) -> None:
    program = case.backward
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
