"""Slips in the forward pass: each is the model computed with something misread."""

import numpy as np
import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.example import example_of
from symrnn.documents.sections.forward_mistakes import misreadings
from symrnn.documents.writers.text import prose_text


def of(layer, **given):
    derivation = derive(Sequential([layer, Dense(1)], input_shape=(3, 2)))
    about = example_of(derivation, **given)
    return about, {prose_text(one.label): one.value for one in misreadings(about)}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_the_notebook():
    found = [(prose_text(one.label), round(one.value, 7)) for one in misreadings(example_of(derive()))]
    # without tanh: U 3 - (U 2 - U 1) with the notebook's U, times its W
    assert found == [
        ("none: the right value", 0.5746256),
        ("the activation left out; Keras' default is tanh", round(0.5759429 * 2 * 1.4501959, 7)),
    ]


def test_the_right_value_comes_first():
    about, found = of(GRU(2))
    assert next(iter(found.items())) == ("none: the right value", pytest.approx(about.values["y"].item(), rel=1e-12))


def test_a_transposed_recurrent_weight():
    about, found = of(SimpleRNN(2))
    U, V, b, W, c = about.weights
    h = np.zeros(2)
    for x in about.x:
        h = np.tanh(x @ U + h @ V.T + b)
    assert found[r"V^{\mathsf T} in place of V"] == pytest.approx((h @ W + c).item(), rel=1e-12)


def gru(about, order="zrh", keep=True):
    """A GRU with reset_after, its blocks read in an order, with the second bias or without."""
    U, V, b, W, c = about.weights
    units, h = W.shape[0], np.zeros(W.shape[0])
    block = {gate: slice(i * units, (i + 1) * units) for i, gate in enumerate(order)}
    second = b[1] * keep
    for x in about.x:
        a, p = x @ U + b[0], h @ V + second
        z, r = (sigmoid(a[block[gate]] + p[block[gate]]) for gate in "zr")
        k = np.tanh(a[block["h"]] + r * p[block["h"]])
        h = z * h + (1 - z) * k
    return (h @ W + c).item()


def test_gates_in_the_order_of_another_framework():
    about, found = of(GRU(2))
    order = "the blocks read in the order r, z, h, which is PyTorch's"
    assert found[order] == pytest.approx(gru(about, "rzh"), rel=1e-12)
    assert found["the second of the two biases left out"] == pytest.approx(gru(about, keep=False), rel=1e-12)


@pytest.mark.parametrize("order", ["ifoc", "fico"])
def test_gates_of_the_lstm_in_another_order(order):
    about, found = of(LSTM(2))
    U, V, b, W, c = about.weights
    block = {gate: slice(2 * i, 2 * i + 2) for i, gate in enumerate(order)}
    h = state = np.zeros(2)
    for x in about.x:
        a = x @ U + h @ V + b
        i, f, o = (sigmoid(a[block[gate]]) for gate in "ifo")
        state = f * state + i * np.tanh(a[block["c"]])
        h = o * np.tanh(state)
    label = f"the blocks read in the order {', '.join(order)}"
    assert found[label] == pytest.approx((h @ W + c).item(), rel=1e-12)


def test_an_exchanged_gate_needs_a_symmetric_activation():
    assert "z_t and 1 - z_t exchanged" in of(GRU(2))[1]
    assert "z_t and 1 - z_t exchanged" in of(GRU(2, recurrent_activation="hard_sigmoid"))[1]
    assert "z_t and 1 - z_t exchanged" not in of(GRU(2, recurrent_activation="relu"))[1]


def test_what_changes_nothing_is_left_out():
    _, found = of(SimpleRNN(1, activation="linear"))
    assert list(found) == ["none: the right value"]


def test_both_halves_are_misread():
    derivation = derive(Sequential([Bidirectional(SimpleRNN(1)), Dense(1)], input_shape=(2, 1)))
    weights = [*[[[1.0]], [[1.0]], [0.0]] * 2, [[1.0], [1.0]], [0.0]]
    values = [one.value for one in misreadings(example_of(derivation, [[1.0], [2.0]], weights=weights))]
    assert values[1] == pytest.approx((1 + 2) + (2 + 1))
