"""The forward equations on paper: every equation once, labels by time."""

import re

import numpy as np
import pytest

from symrnn import LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.example import example_of
from symrnn.documents.sections.forward import blocks, labelled_equations, labels
from symrnn.documents.writers.text import prose_text
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.layout import DisplayRow
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM
from symrnn.typesetting.widths import points
from tests.support.bank import SAMPLE, over


def about(*layers, shape=(3, 1), **options):
    return example_of(derive(Sequential(layers, shape)), **options)


# labels -----------------------------------------------------------------------------------------


@over(SAMPLE)
def test_every_equation_has_one_label_with_its_time(case):
    program = case.example.forward
    found = [equation.lhs for one in labelled_equations(program) for equation in one.equations]
    totals = {e.lhs for e in program.assignments if name_of(program.names, e.lhs).base == "s"}
    assert found == [equation.lhs for equation in program.assignments if equation.lhs not in totals]
    tags = [one.label for one in labelled_equations(program)]
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch(r"F\w+(\.\d+)?", tag) for tag in tags)
    for one in labelled_equations(program):
        name = name_of(program.names, one.equations[-1].lhs)
        assert one.label.partition(".")[0] == f"F{name.time if isinstance(name.time, int) else name.base}"
    assert set(labels(program)) == {lhs.name for lhs in found}


@over(SAMPLE)
def test_rows_fit_beside_their_label(case):
    program = case.example.forward
    context = Context(LATEX, program.names)
    for one in labelled_equations(program):
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
    text, made = blocks(example_of(derive()))
    assert prose_text(text.text).startswith("Each equation uses what those before it define.")
    assert made.rows == (
        DisplayRow(("h_{-1}", "= 0")),
        DisplayRow(("a_0", "= U x_0 + V h_{-1} + b_h", "h_0", r"= \tanh a_0"), tag="F0"),
        DisplayRow(("a_1", "= U x_1 + V h_0 + b_h", "h_1", r"= \tanh a_1"), tag="F1", gap=3),
        DisplayRow(("a_2", "= U x_2 + V h_1 + b_h", "h_2", r"= \tanh a_2"), tag="F2", gap=3),
        DisplayRow(("y", "= W h_2 + b_o"), tag="Fy", gap=3),
    )


@pytest.mark.parametrize("steps", [6, 100, None])
def test_many_equations_stand_for_a_general_t(steps):
    one = about(SimpleRNN(1), Dense(1), shape=(steps, 1), x=np.ones((steps or 2, 1)))
    assert blocks(one)[1].display.part == "forward"
