"""Choices in the place of products: the text that runs, beside the form that is printed."""

import numpy as np
import pytest

from symrnn import GRU, Activation, Add, Dense, Input, Masking, Model, Sequential, SimpleRNN, derive
from symrnn.codegen.selection import selected

MASKED = Sequential([Masking(), SimpleRNN(2), Dense(1)], (3, 1))


def both_masks():
    """Sequences with different masks, which are valid where one of them is."""
    x, z = Input((3, 1)), Input((3, 1))
    return Model([x, z], GRU(2)(Add()([Masking()(x), Masking(1.0)(z)])))


LINES = [
    (MASKED, "g = np.where((m > 0), x, zero)"),
    (MASKED, "h[t] = h_t = np.where(h_factor[t], h_new_t, h_prev)"),
    (MASKED, "delta[t] = delta_t = np.where(delta_factor[t], (delta_factor_[t] * dh_t), zero)"),
    (MASKED, "dh_carry = delta_t @ V.T + np.where(delta_factor[t], zero, dh_t)"),
    (both_masks(), "h[t] = h_t = np.where(h_factor[t], h_new_t, h_prev)"),
    (Sequential([SimpleRNN(2, "soft_shrink")], (3, 1)), "delta_factor = (soft_shrink_slope(a, h) != 0)"),
    (Sequential([SimpleRNN(2, "relu")], (3, 1)), "delta_factor = relu_slope(a, h)"),
]


@pytest.mark.parametrize(("model", "line"), LINES, ids=[line for _, line in LINES])
def test_lines(model, line):
    source = derive(model).gradient("mse").lambdify().source
    assert line in [text.strip() for text in source.splitlines()]


def test_one_sample_of_a_scalar_model_chooses_too():
    source = derive(Sequential([Masking(), SimpleRNN(1), Dense(1)], (3, 1))).lambdify().row_source
    assert "h_t = (h_new_t if (m_t > 0) else h_prev)" in [line.strip() for line in source.splitlines()]


def test_the_printed_form_is_a_sum():
    assert r"m_t \tilde h_t + (1 - m_t) h_{t-1}" in derive(MASKED).latex("step")


def test_a_program_without_masks_is_the_same():
    program = derive(Sequential([SimpleRNN(2), Dense(1)], (3, 1))).gradient("mse").lambdify().program
    assert selected(program) == program


def test_what_is_chosen_is_what_the_products_are():
    """Where all numbers are finite the choice is the sum of the products."""
    generator = np.random.default_rng(0)
    model = Sequential([Masking(), GRU(3, "celu"), Activation("hard_tanh"), Dense(1)], (4, 2))
    gradient = derive(model).gradient("mse")
    x = generator.normal(size=(3, 4, 2)) * (generator.random((3, 4, 1)) > 0.4)
    weights = [generator.normal(size=array.shape) for array in derive(model).network.arrays]
    loss, _ = gradient.lambdify()(x, np.zeros((3, 1)), weights)
    y = derive(model).lambdify()(x, weights)
    assert loss == pytest.approx(np.mean(y**2), rel=1e-14)
