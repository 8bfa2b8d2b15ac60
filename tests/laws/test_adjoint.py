"""The laws of backpropagation: the rules against SymPy's derivative, the sweep against the unrolled program."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest
from sympy import Add, Expr, MatAdd, MatMul, MatrixSymbol, Transpose
from sympy.matrices.expressions import HadamardProduct

from symrnn.expressions.matrices import transpose
from symrnn.expressions.nodes import CrossEntropy, Elementwise, N, RowSoftmax
from symrnn.models.forward_pass import forward
from symrnn.models.layers.core import Dense
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.programs import adjoint, rules
from symrnn.programs.adjoint import backprop
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, Recurrence
from symrnn.programs.rules import Pair, vjp
from symrnn.programs.transforms import inline
from symrnn.programs.unrolling import unroll
from tests.support.bank import (
    BANK,
    GATES,
    LOSS_MODELS,
    MODELS,
    SAMPLE,
    Case,
    Symbols,
    apart,
    closed,
    defined,
    evaluate,
    expanded,
    over,
    same,
    same_for_probabilities,
    unrolled,
)  # fmt: skip


def rules_agree(case: Case, program: Program, wrt: Symbols) -> bool:
    """Law 1: expand(backprop(p)) == backprop(expand(p)): the matrix rules against SymPy's derivative."""
    matrices = expand(backprop(program, wrt), case.rows)
    scalars = backprop(expand(program, case.rows), expanded(program, wrt, case.rows))
    return same_for_probabilities(*(inline(unroll(p, case.timesteps)) for p in (matrices, scalars)))


def derivative_agrees(case: Case) -> bool:
    """Law 2: inline(backprop(p)) == diff(inline(p))."""
    objective = Add(*closed(case.program, case))
    symbols = closed(replace(case.program, outputs=case.inputs), case)
    derivatives = tuple(objective.diff(symbol) for symbol in symbols)
    return same_for_probabilities(case.slopes, derivatives)


def unroll_commutes(case: Case, wrt: Symbols) -> bool:
    """Law 3: unroll(backprop(p)) == backprop(unroll(p))."""
    first = case.slopes if wrt == case.inputs else closed(backprop(case.program, wrt), case)
    steps = unroll(case.program, case.timesteps)
    return same(first, closed(backprop(steps, unrolled(case.program, wrt, case.timesteps)), case))


@over(apart(BANK))
def test_rules_are_sympys_derivative_in_a_step(case: Case) -> None:
    assert rules_agree(case, case.program, case.inputs)


@over(BANK)
def test_rules_are_sympys_derivative_in_an_unrolled_program(case: Case) -> None:
    wrt = unrolled(case.program, case.inputs, case.timesteps)
    assert rules_agree(case, unroll(case.program, case.timesteps), wrt)


@over(apart(MODELS | LOSS_MODELS))
def test_rules_are_sympys_derivative_by_intermediates(case: Case) -> None:
    assert rules_agree(case, case.program, defined(case.program))


@over(BANK)
def test_gradient_is_the_derivative(case: Case) -> None:
    assert derivative_agrees(case)


@over(GATES)
def test_gradient_of_gates_is_the_derivative(case: Case) -> None:
    assert derivative_agrees(case)


@over(BANK)
def test_unroll_and_backprop_commute(case: Case) -> None:
    assert unroll_commutes(case, case.inputs)


@over(MODELS | LOSS_MODELS)
def test_unroll_and_backprop_commute_by_intermediates(case: Case) -> None:
    assert unroll_commutes(case, defined(case.program))


@over(SAMPLE)
def test_a_derivative_by_one_input_is_the_same_alone(case: Case) -> None:
    slopes = iter(case.slopes)
    for symbol, together in zip(case.inputs, case.backward.outputs, strict=True):
        alone = backprop(case.program, (symbol,))
        assert alone.outputs == (together,)
        entries = closed(alone, case)
        assert entries == tuple(islice(slopes, len(entries))) != ()


@over({name: case for name, case in LOSS_MODELS.items() if "sum" not in name})
def test_derivative_by_the_target(case: Case) -> None:
    program = case.program
    target = next(s for s in (*program.inputs, *program.sequences) if s.name.startswith("y_true"))
    steps = expand(unroll(program, case.timesteps), case.rows)
    entries = closed(replace(program, outputs=(target,)), case)
    numbers = [0.1 + 0.07 * i for i in range(len(steps.inputs))]
    ours = evaluate(backprop(program, (target,)), case, numbers)
    theirs = evaluate(backprop(steps, entries), replace(case, rows=1), numbers)
    assert ours == pytest.approx(theirs, rel=1e-12)


# the laws can fail --------------------------------------------------------------------------------


BROKEN_RULES: dict[str, tuple[type, Callable[[list[Pair], Expr], list[Pair]], str]] = {
    "a sum without its second term": (MatAdd, lambda pairs, g: pairs[:1], "units"),
    "a product without its second factor": (MatMul, lambda pairs, g: pairs[:1], "units"),
    "a product with a transposed factor": (MatMul, lambda pairs, g: [(p, _turned(d)) for p, d in pairs], "units"),
    "an elementwise product without a factor": (HadamardProduct, lambda pairs, g: pairs[:1], "transposes and products"),
    "a transpose that is not transposed": (Transpose, lambda pairs, g: [(pairs[0][0], g)], "transposes and products"),
    "a function without its slope": (Elementwise, lambda pairs, g: [(p, g) for p, _ in pairs], "units"),
    "a softmax without the others": (RowSoftmax, lambda pairs, g: [(p, g) for p, _ in pairs], "mse of a softmax"),
    "a crossentropy of the other sign": (
        CrossEntropy, lambda pairs, g: [(p, -d) for p, d in pairs], "categorical_crossentropy of a softmax",
    ),
}  # fmt: skip


def _turned(expr: Expr) -> Expr:
    return transpose(expr) if expr.shape[0] == expr.shape[1] else expr


@pytest.mark.parametrize(("kind", "change", "name"), BROKEN_RULES.values(), ids=BROKEN_RULES.keys())
def test_a_broken_rule_breaks_the_law(
    kind: type, change: Callable[[list[Pair], Expr], list[Pair]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = BANK[name]
    assert rules_agree(case, case.program, case.inputs)

    def broken(expr: Expr, g: Expr, ans: Expr) -> list[Pair]:
        pairs = vjp(expr, g, ans)
        return change(pairs, g) if isinstance(expr, kind) else pairs

    monkeypatch.setattr(rules, "vjp", broken)
    assert not rules_agree(case, case.program, case.inputs)


def test_a_dropped_term_breaks_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = adjoint.add
    monkeypatch.setattr(adjoint, "add", lambda *terms: whole(*terms[-1:]))
    assert not derivative_agrees(replace(MODELS["sequence and Dense"]))


# what is refused, names, growth -------------------------------------------------------------------

_PROGRAM = MODELS["scalar"].program


@pytest.mark.parametrize("symbol", [MatrixSymbol("Q", 1, 1), MatrixSymbol("U", 2, 1), MatrixSymbol("h_prev", N, 1)])
def test_refuses_a_symbol_that_the_program_does_not_have(symbol: Expr) -> None:
    with pytest.raises(ValueError, match=rf"^{symbol} is not a symbol of the program$"):
        backprop(_PROGRAM, (symbol,))


@over(MODELS | LOSS_MODELS)
def test_names_of_derivatives(case: Case) -> None:
    outputs = case.backward.outputs
    assert [symbol.name for symbol in outputs] == [f"d{symbol.name}" for symbol in case.inputs]


def test_letters_of_derivatives() -> None:
    program = backprop(_PROGRAM, _PROGRAM.inputs, objective="L")
    names = {symbol.name: name.latex for symbol, name in program.names.items()}
    assert names["dU"] == r"\frac{\partial L}{\partial U}"
    assert (names["dh_t"], names["delta_t"]) == (r"\bar h_t", r"\delta_t")


def _model(timesteps: int) -> Sequential:
    return Sequential([SimpleRNN(2, return_sequences=True), SimpleRNN(2), Dense(2)], (timesteps, 2))


def test_the_step_program_does_not_depend_on_the_number_of_steps() -> None:
    few, many = (forward(_model(timesteps)).program for timesteps in (3, 300))
    assert few == many
    assert backprop(few, few.inputs) == backprop(many, many.inputs)


def test_the_gradient_of_a_recurrence_is_a_recurrence_the_other_way() -> None:
    program = backprop(_PROGRAM, _PROGRAM.inputs)
    assert [item.reverse for item in program.equations if isinstance(item, Recurrence)] == [False, True]


def test_backprop_of_an_unrolled_program_is_linear_in_the_number_of_steps() -> None:
    def size(timesteps: int) -> int:
        program = unroll(forward(_model(timesteps)).program, timesteps)
        return len(backprop(program, program.inputs).equations)

    assert size(12) - size(11) == size(5) - size(4) > 0


@pytest.mark.parametrize(("timesteps", "scalar"), [(1000, False), (500, True)])
def test_many_steps(timesteps: int, scalar: bool) -> None:
    program = forward(Sequential([SimpleRNN(1), Dense(1)], (timesteps, 1))).program
    program = expand(program) if scalar else program
    steps = unroll(program, timesteps)
    assert len(steps.equations) == 2 * timesteps + 1
    assert len(backprop(steps, steps.inputs).outputs) == timesteps + 5
    assert len(unroll(backprop(program, program.inputs), timesteps).outputs) == 5


def test_the_notebooks_gradient() -> None:
    weights = {"U": 1.4501959, "V": -1.0, "b_h": 0.0, "W": 0.5759429, "b_o": 0.0}
    gradient = evaluate(backprop(_PROGRAM, _PROGRAM.inputs), MODELS["scalar"], [*weights.values(), 1, 2, 3])
    assert gradient == pytest.approx([0.00756265, 0.00237273, 0.00248374, 0.9977128, 1], rel=1e-4)
