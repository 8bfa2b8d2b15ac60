"""The forward pass with numbers: every left side has its formula and the number of the model."""

import re

import numpy as np
import pytest

from symrnn import GRU, LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Formulas, Paragraph
from symrnn.documents.example import example_of
from symrnn.documents.sections import worked
from symrnn.documents.writers.text import prose_text
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.styles import LATEX


def about(*layers, shape=(3, 1), **options):
    return example_of(derive(Sequential(layers, shape)), **options)


def formulas(blocks):
    return [row for block in blocks if isinstance(block, Formulas) for row in block.rows]


@pytest.mark.parametrize("steps", [6, 100, None])
def test_an_open_number_of_steps_has_no_numbers(steps):
    one = about(SimpleRNN(1), Dense(1), shape=(steps, 1), x=np.ones((steps or 2, 1)))
    assert (worked.blocks(one) == ()) is (steps is None)


@pytest.mark.parametrize("layer", [SimpleRNN(1), LSTM(1), GRU(1), SimpleRNN(1, "gelu"), SimpleRNN(2)])
def test_every_left_side_has_its_formula_and_number(layer):
    one = about(layer, Dense(1))
    rows, context = formulas(worked.blocks(one)), Context(LATEX, one.forward.names)
    shown = [row.cells[0] for row in rows if not row.continues]
    assert shown == [context.show(equation.lhs) for equation in one.forward.assignments if equation.lhs.name != "s"]
    if one.scalar:
        last = re.search(r"\\approx (-?[\d.]+)$", rows[-1].cells[-1])
        assert float(last[1]) == pytest.approx(float(np.ravel(one.values["y"])[0]), rel=1e-6)


def test_of_many_steps_the_first_two_and_the_last_are_shown():
    blocks = worked.blocks(about(SimpleRNN(1), Dense(1), shape=(9, 1)))
    shown = [row.cells[0] for row in formulas(blocks) if not row.continues]
    assert shown == ["a_0", "h_0", "a_1", "h_1", "a_8", "h_8", "y"]
    assert prose_text(blocks[-1].text).endswith("only the first two and the last are shown.")
    assert [type(block) for block in worked.blocks(example_of(derive()))] == [Paragraph, Formulas]


def test_what_is_drawn_is_said():
    def said(**options):
        return prose_text(worked.blocks(about(SimpleRNN(1, "relu"), Dense(1), **options))[0].text).partition(
            "Each line"
        )[0]

    weights, x = ([[0.5]], [[0.5]], [0.0], [[1.0]], [0.0]), [[1.0], [2.0], [3.0]]
    assert said(loss="mse", weights=weights) == "The input and target are drawn at random. "
    assert said(loss="mse", weights=weights, x=x) == "The target is drawn at random. "
    assert said(loss="mse", shape=(3, 2)) == "The weights, input and target are drawn at random. "
    assert said(weights=weights, x=x) == said(weights=weights, x=x, y_true=[1.0], loss="mse") == ""
