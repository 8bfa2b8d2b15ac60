"""The way back step by step: all of it, each part once, in an order in which it can be computed."""

import re
from collections import Counter
from functools import cache

import pytest

from symrnn import LSTM, Bidirectional, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.sections.backward_reasons import RULES, label
from symrnn.documents.sections.backward_stages import backward_pass_of, stages_of
from symrnn.documents.sections.backward_steps import rules_used, steps
from symrnn.documents.writers.text import prose_text
from symrnn.programs.program import Equation
from symrnn.typesetting.equations import is_adjoint, item_lines, zero_states
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.styles import LATEX
from tests.support.bank import MODELS, over

ZOOMS = pytest.mark.parametrize("zoom", ["step", "unrolled"])
_GATES = re.compile(r"\(g = ([a-z, ]+)\)")
_GATE = re.compile(r"(?<=_)g(?![a-z])|(?<=_\{)g(?=[,}])|(?<=_\{[hV])g(?=[,}])")


@cache
def steps_of(case, zoom):
    """The steps, made once."""
    return steps(case.gradient, zoom)


@cache
def way_of_case(case, zoom):
    """The way back, made once."""
    return backward_pass_of(case.gradient, zoom)


def left_sides(found) -> list[str]:
    """The left sides of all rows; a row for all gates has one for each."""
    sides = []
    for row in (row for step in found for row in step.formulas.rows if row.cells[0]):
        gates = _GATES.search(" ".join(row.cells))
        names = gates[1].split(", ") if gates else [""]
        sides += [_GATE.sub(name, row.cells[0]) if name else row.cells[0] for name in names]
    return sides


@ZOOMS
@over(MODELS)
def test_every_derivative_stands_in_one_step(case, zoom):
    gradient = case.gradient
    found = steps_of(case, zoom)
    assert [step.number for step in found] == list(range(1, len(found) + 1))
    assert [step.formulas.rows[0].tag for step in found] == [f"B{step.number}" for step in found]
    sides = Counter(left_sides(found))
    assert max(sides.values()) == 1
    assert {weight.name.partial(gradient.objective).latex for weight in gradient.table} <= set(sides)


@ZOOMS
@over(MODELS)
def test_every_line_of_the_way_back_stands_in_one_stage(case, zoom):
    way = way_of_case(case, zoom)
    context, silent = Context(LATEX, way.program.names), zero_states(way.program)
    items = [item for item in way.program.equations if is_adjoint(item, way.program)]
    lines = [str(line) for item in items for line in item_lines(item, context, silent)]
    found = [str(line) for stage in stages_of(way) for adjoint in stage.adjoints for line in adjoint.lines]
    assert sorted(found) == sorted(lines)


@over(MODELS)
def test_a_step_reads_only_what_steps_before_it_give(case):
    way = way_of_case(case, "unrolled")
    adjoints = {item.lhs for item in way.program.equations if is_adjoint(item, way.program)}
    given = set()
    for stage in stages_of(way):
        for adjoint in stage.adjoints:
            for item in (*adjoint.before, adjoint.item):
                if isinstance(item, Equation):  # the others are not for numbers
                    assert item.rhs.free_symbols & adjoints <= given
                given.add(item.lhs)
    assert given == adjoints - {item.lhs for item in way.program.equations if item.lhs.name == "ds"}


@ZOOMS
@over(MODELS)
def test_rules_are_in_the_table_and_reasons_given_once(case, zoom):
    gradient = case.gradient
    found, rules = steps_of(case, zoom), rules_used(gradient, zoom)
    labels = {label(kind) for kind in RULES if kind in rules}
    said = set()
    for step in found:
        text = prose_text(step.rule)
        assert text == "definition" or text.startswith("by R")
        said |= set(re.findall(r"R\d", text))
    assert said == labels
    reasons = [prose_text(step.why) for step in found if step.why]
    assert len(set(reasons)) == len(reasons)
    assert "  " not in " ".join([*reasons, *(prose_text(step.title) for step in found)])


@over({name: case for name, case in MODELS.items() if name not in ("batch", "batch of sequences")})
def test_with_numbers_every_row_is_one_of_the_way_back(case):
    about = case.example
    plain, numbers = steps(about.gradient, "unrolled"), steps(about.gradient, "unrolled", about.numbers)
    assert [(step.title, step.rule) for step in plain] == [(step.title, step.rule) for step in numbers]
    assert left_sides(numbers) == left_sides(plain)
    assert not any("nan" in cell for step in numbers for row in step.formulas.rows for cell in row.cells)


NOTEBOOK = [
    ("Start at y.", "definition"),
    ("Back through y = W h_2 + b_o.", "by R1, R2"),
    (r"Back through h_2 = \tanh a_2.", "by R3"),
    ("Back through a_2 = U x_2 + V h_1 + b_h, to h_1.", "by R1, R2"),
    (r"Back through h_1 = \tanh a_1.", "by R3"),
    ("Back through a_1 = U x_1 + V h_0 + b_h, to h_0.", "by R1, R2"),
    (r"Back through h_0 = \tanh a_0.", "by R3"),
    ("Collect: U, V and b_h are used in each of a_0, a_1 and a_2.", "by R1, R2, R4"),
]
STEP = [
    ("Start at y.", "definition"),
    ("Back through y = W h_{T-1} + b_o, to W and b_o.", "by R1, R2"),
    ("Back to h_t, which a_{t+1} and y read.", "by R1, R2, R4"),
    (r"Back through h_t = \tanh a_t.", "by R3"),
    ("Collect: U, V and b_h are used in a_t of every time step.", "by R1, R2, R4"),
]


@pytest.mark.parametrize(("zoom", "titles"), [("unrolled", NOTEBOOK), ("step", STEP)])
def test_the_steps_of_the_notebook(zoom, titles):
    found = steps(derive().gradient(), zoom)
    assert [(prose_text(step.title), prose_text(step.rule)) for step in found] == titles


TITLES = [
    ([LSTM(1), Dense(1)], "step", "Collect: the weights of LSTM(1) are used in every time step."),
    ([LSTM(1), Dense(1)], "step", "Back to c_t, which c_{t+1} and q_t read."),
    ([SimpleRNN(1, return_sequences=True)], "unrolled", "Back to h_1, which a_2 and y_1 read."),
    (
        [Bidirectional(SimpleRNN(1), "sum")],
        "unrolled",
        "Collect: the weights of Bidirectional(SimpleRNN(1), merge_mode=sum) are used in every time step.",
    ),
]


@pytest.mark.parametrize(("layers", "zoom", "title"), TITLES, ids=[title[:25] for *_, title in TITLES])
def test_titles(layers, zoom, title):
    assert title in [prose_text(step.title) for step in steps(derive(Sequential(layers, (3, 1))).gradient(), zoom)]


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("sequence", [False, True])
def test_a_loss_begins_the_way_back(loss, sequence):
    model = Sequential([SimpleRNN(2, return_sequences=sequence), Dense(2, "softmax")], (2, 1))
    found = steps(derive(model).gradient(loss), "unrolled")
    assert prose_text(found[0].title) == "Start at L."
    assert found[0].formulas.rows[0].cells == (r"\frac{\partial L}{\partial L}", "= 1")
    assert max(Counter(left_sides(found)).values()) == 1


def test_many_time_steps_are_one():
    model = Sequential([SimpleRNN(1), Dense(1)], (40, 1))
    assert len(steps(derive(model).gradient(), "step")) == len(STEP)
    collected = steps(derive(model).gradient(), "unrolled")[-1]
    assert prose_text(collected.title) == r"Collect: U, V and b_h are used in each of a_0, a_1, \dots, a_{39}."


@pytest.mark.parametrize("name", ["scalar", "LSTM", "stack", "both ways, concat", "a shared layer"])
def test_letters_in_texts_are_formulas(name):
    for zoom in ("step", "unrolled"):
        for step in steps(derive(MODELS[name].model).gradient(), zoom):
            texts = [span for span in (*step.title, *step.rule, *step.why) if isinstance(span, str)]
            assert not any(sign in text for text in texts for sign in "_^\\$")
