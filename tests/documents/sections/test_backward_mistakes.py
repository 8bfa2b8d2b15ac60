"""Common slips: each gives another number, and the right one is right."""

import numpy as np
import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Sequential, SimpleRNN, derive
from symrnn.derivations.numbers import lambdify
from symrnn.documents.example import example_of
from symrnn.documents.sections.backward_mistakes import slips
from symrnn.documents.writers.latex import prose_latex
from symrnn.documents.writers.text import prose_text
from tests.support.bank import MODELS, over

NOTEBOOK = {
    "none: the right value": (0.007562380, 0.002372649),
    "1 - a_t^2 in place of 1 - h_t^2": (-74.55078, -22.11285),
    "1 - h_t in place of 1 - h_t^2": (0.003862742, 0.001228241),
    "each h_{t-1} taken as a constant (no way back through time)": (0.007894466, 0.002537690),
    r"h_t paired with \delta_t in place of h_{t-1}": (0.007562380, 0.002480407),
}


def found(model=None, loss=None):
    about = example_of(derive(model), loss=loss)
    return about, slips(about.gradient, about.arguments)


def test_the_notebook():
    about, listed = found()
    assert [prose_text(slip.label) for slip in listed] == list(NOTEBOOK)
    for slip, numbers in zip(listed, NOTEBOOK.values(), strict=True):
        arrays = about.gradient.network.arrays
        named = {array.name.code: value for array, value in zip(arrays, slip.gradients, strict=True)}
        assert (float(named["U"].item()), float(named["V"].item())) == pytest.approx(numbers, rel=1e-6)


@over(MODELS)
def test_the_first_is_right_and_each_other_differs(case):
    about, (right, *wrong) = found(case.model)
    gradients = lambdify(about.gradient)(*about.arguments)
    gradients = gradients[1] if about.gradient.loss else gradients
    assert all(np.array_equal(a, b) for a, b in zip(right.gradients, gradients, strict=True))
    for slip in wrong:
        assert [one.shape for one in slip.gradients] == [one.shape for one in right.gradients]
        assert not all(np.array_equal(a, b) for a, b in zip(slip.gradients, right.gradients, strict=True))
    assert len({prose_text(slip.label) for slip in wrong}) == len(wrong)


@pytest.mark.parametrize("layer", [LSTM(2), GRU(2), GRU(2, reset_after=False), Bidirectional(SimpleRNN(2))], ids=str)
@pytest.mark.parametrize("loss", [None, "mse"])
def test_square_weights_can_be_left_without_their_transpose(layer, loss):
    _, listed = found(Sequential([layer, Dense(2)], (3, 2)), loss)
    assert r"V in place of V^{\mathsf T} on the way back" in [prose_text(slip.label) for slip in listed]


def test_without_a_way_back_no_slip_of_it():
    _, listed = found(Sequential([SimpleRNN(1), Dense(1)], (1, 1)))
    assert not any("no way back" in prose_text(slip.label) for slip in listed)


def test_a_linear_cell_has_no_slope_to_mistake():
    _, listed = found(Sequential([SimpleRNN(1, None), Dense(1)], (3, 1)))
    assert not any("1 -" in prose_text(slip.label) for slip in listed)


def test_labels_are_formulas():
    _, listed = found()
    assert [prose_latex(slip.label) for slip in listed][1] == "$1 - a_t^2$ in place of $1 - h_t^2$"
