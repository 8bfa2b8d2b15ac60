"""Masks that are given to calls: what is none is refused by name."""

import re

import numpy as np
import pytest

from symrnn import LSTM, Dense, Input, Model, NotEqual, derive

X = Input((3, 2))
OTHER = (
    "a mask that is the output of a layer is not supported; supported: an input of shape (timesteps,) that is nothing "
    "else, and NotEqual(value)(x)"
)
SHAPE = "Input: expected the shape (timesteps,) for a mask, got (3, 1)"


def masked(mask, *inputs, outputs=()):
    return Model([X, *inputs], [LSTM(2)(X, mask=mask), *outputs])


def test_what_is_no_mask():
    with pytest.raises(NotImplementedError, match=f"^{re.escape(f'layer 2 (LSTM): {OTHER}')}$"):
        derive(masked(Dense(1)(X)))
    m = Input((3,))
    with pytest.raises(NotImplementedError, match=f"^{re.escape(f'layer 1 (LSTM): {OTHER}')}$"):
        derive(masked(m, m, outputs=[Dense(1)(m)]))


def test_a_mask_of_another_shape():
    m = Input((3, 1))
    with pytest.raises(ValueError, match=f"^{re.escape(SHAPE)}$"):
        derive(masked(m, m))


@pytest.mark.parametrize("of_test", [True, False])
def test_a_mask_of_another_length(of_test):
    other = Input((4, 2)) if of_test else Input((4,))
    expected = "mask: expected as many time steps as the input of the layer, got another number of them"
    with pytest.raises(ValueError, match=re.escape(expected)):
        derive(masked(NotEqual(0.0)(other) if of_test else other, other))


def test_an_array_that_is_no_mask():
    m = Input((3,))
    d = derive(masked(m, m))
    weights = [np.ones(array.shape) for array in d.network.arrays]
    right = d.lambdify()([np.ones((3, 2)), [True, True, False]], weights)
    assert np.array_equal(right, d.lambdify()([np.ones((3, 2)), [1, 1, 0]], weights))
    message = "m: expected 1 where a time step counts and 0 where it does not, got 0.5"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        d.lambdify()([np.ones((3, 2)), [1, 0.5, 0]], weights)
    message = "m: expected the shape (samples, 3), or (3,) for one sample, got (3, 1)"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        d.lambdify()([np.ones((3, 2)), np.ones((3, 1))], weights)
