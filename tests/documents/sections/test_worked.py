"""The forward pass on paper: every equation once, labels by time, and the numbers of the model."""

import re

import numpy as np
import pytest

from symrnn import GRU, LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Formulas, Paragraph
from symrnn.documents.example import example_of
from symrnn.documents.sections.worked import forward_blocks, labelled, labels, worked_blocks
from symrnn.documents.writers.text import words
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.layout import Row
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM
from symrnn.typesetting.widths import points
from tests.support.bank import SAMPLE, over


def about(*layers, shape=(3, 1), **options):
    return example_of(derive(Sequential(layers, shape)), **options)


def formulas(blocks):
    return [row for block in blocks if isinstance(block, Formulas) for row in block.rows]


# labels -----------------------------------------------------------------------------------------


@over(SAMPLE)
def test_every_equation_has_one_label_with_its_time(case):
    program = example_of(derive(case.model)).forward
    found = [equation.lhs for one in labelled(program) for equation in one.equations]
    totals = {e.lhs for e in program.assignments if name_of(program.names, e.lhs).base == "s"}
    assert found == [equation.lhs for equation in program.assignments if equation.lhs not in totals]
    tags = [one.label for one in labelled(program)]
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch(r"F\w+(\.\d+)?", tag) for tag in tags)
    for one in labelled(program):
        name = name_of(program.names, one.equations[-1].lhs)
        assert one.label.partition(".")[0] == f"F{name.time if isinstance(name.time, int) else name.base}"
    assert set(labels(program)) == {lhs.name for lhs in found}


@over(SAMPLE)
def test_rows_fit_beside_their_label(case):
    program = example_of(derive(case.model)).forward
    context = Context(LATEX, program.names)
    for one in labelled(program):
        first, *rest = list(one.rows(context))
        assert (first.tag, first.gap) == (one.label, 3 if one.opens else 0)
        assert all(row.continues and not row.tag for row in rest)
        assert points("".join(first.cells)) <= ROOM


def test_labels_of_the_notebook():
    assert labels(example_of(derive()).forward) == {
        **{"a_0": "F0", "h_0": "F0", "a_1": "F1", "h_1": "F1", "a_2": "F2", "h_2": "F2"},
        "y": "Fy",
    }
    gates = labels(about(LSTM(1), shape=(1, 1)).forward)
    assert gates["a_i_0"] == gates["i_0"] == "F0.1"
    assert gates["a_o_0"] != gates["a_i_0"]


# forward ----------------------------------------------------------------------------------------


def test_few_equations_are_written_out():
    text, made = forward_blocks(example_of(derive()))
    assert words(text.text).startswith("Each equation uses what those before it define.")
    assert made.rows == (
        Row(("h_{-1}", "= 0")),
        Row(("a_0", "= U x_0 + V h_{-1} + b_h", "h_0", r"= \tanh a_0"), tag="F0"),
        Row(("a_1", "= U x_1 + V h_0 + b_h", "h_1", r"= \tanh a_1"), tag="F1", gap=3),
        Row(("a_2", "= U x_2 + V h_1 + b_h", "h_2", r"= \tanh a_2"), tag="F2", gap=3),
        Row(("y", "= W h_2 + b_o"), tag="Fy", gap=3),
    )


@pytest.mark.parametrize("steps", [6, 100, None])
def test_many_equations_stand_for_a_general_t(steps):
    one = about(SimpleRNN(1), Dense(1), shape=(steps, 1), x=np.ones((steps or 2, 1)))
    assert forward_blocks(one)[1].display.part == "forward"
    assert (worked_blocks(one) == ()) is (steps is None)


# with numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [SimpleRNN(1), LSTM(1), GRU(1), SimpleRNN(1, "gelu"), SimpleRNN(2)])
def test_every_left_side_has_its_formula_and_number(layer):
    one = about(layer, Dense(1))
    rows, context = formulas(worked_blocks(one)), Context(LATEX, one.forward.names)
    shown = [row.cells[0] for row in rows if not row.continues]
    assert shown == [context.show(equation.lhs) for equation in one.forward.assignments if equation.lhs.name != "s"]
    if one.scalar:
        last = re.search(r"\\approx (-?[\d.]+)$", rows[-1].cells[-1])
        assert float(last[1]) == pytest.approx(float(np.ravel(one.values["y"])[0]), rel=1e-6)


def test_of_many_steps_the_first_two_and_the_last_are_shown():
    blocks = worked_blocks(about(SimpleRNN(1), Dense(1), shape=(9, 1)))
    shown = [row.cells[0] for row in formulas(blocks) if not row.continues]
    assert shown == ["a_0", "h_0", "a_1", "h_1", "a_8", "h_8", "y"]
    assert words(blocks[-1].text).endswith("only the first two and the last are shown.")
    assert [type(block) for block in worked_blocks(example_of(derive()))] == [Paragraph, Formulas]


def test_what_is_drawn_is_said():
    def said(**options):
        return words(worked_blocks(about(SimpleRNN(1, "relu"), Dense(1), **options))[0].text).partition("Each line")[0]

    weights, x = ([[0.5]], [[0.5]], [0.0], [[1.0]], [0.0]), [[1.0], [2.0], [3.0]]
    assert said(loss="mse", weights=weights) == "The input and target are drawn at random. "
    assert said(loss="mse", weights=weights, x=x) == "The target is drawn at random. "
    assert said(loss="mse", shape=(3, 2)) == "The weights, input and target are drawn at random. "
    assert said(weights=weights, x=x) == said(weights=weights, x=x, y_true=[1.0], loss="mse") == ""
