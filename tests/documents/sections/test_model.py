"""The model as a table."""

import numpy as np
import pytest

from symrnn import GRU, LSTM, Activation, Bidirectional, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed, derive
from symrnn.documents.inline import Code
from symrnn.documents.sections.model import code_span, layer_name, model_table
from symrnn.documents.writers.text import prose_text
from symrnn.models.custom_cell import Cell
from symrnn.models.layers.core import Embedding
from symrnn.models.layers.rnn import RNN, LSTMCell
from tests.support.bank import LAYERS, MODELS, over


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (SimpleRNN(4), "SimpleRNN(4)"),
        (SimpleRNN(4, "relu"), "SimpleRNN(4, relu)"),
        (SimpleRNN(4, return_sequences=True, use_bias=False), "SimpleRNN(4)"),
        (Dense(2), "Dense(2)"),
        (Dense(2, "linear"), "Dense(2)"),
        (Dense(2, "softmax"), "Dense(2, softmax)"),
        (TimeDistributed(Dense(3)), "TimeDistributed(Dense(3))"),
        (Activation("elu"), "Activation(elu)"),
        (GRU(2, reset_after=False), "GRU(2, reset_after=False)"),
        (LSTM(2, recurrent_activation="relu"), "LSTM(2, recurrent_activation=relu)"),
        (Bidirectional(LSTM(2), "sum"), "Bidirectional(LSTM(2), merge_mode=sum)"),
        (RNN([LSTMCell(2), LSTMCell(3)]), "RNN([LSTMCell(2), LSTMCell(3)])"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layer_name(layer, name):
    assert layer_name(layer) == name


def test_a_cell_has_its_own_name():
    cell = LAYERS["a cell of its own"].model.layers[0].cell
    assert isinstance(cell, Cell)
    assert layer_name(cell) == (cell.name or "Cell")


def rows(table):
    return [
        tuple(c if isinstance(c, str) else c.code if hasattr(c, "code") else prose_text(c) for c in row)
        for row in table.rows
    ]


def test_parameters_are_counted():
    model = Sequential([SimpleRNN(4, return_sequences=True), Dropout(0.1), SimpleRNN(3, use_bias=False)], (None, 2))
    table = model_table(derive(model).network)
    assert rows(table) == [
        ("SimpleRNN(4)", "U1", "kernel", "(2, 4)", "8"),
        ("", "V1", "recurrent_kernel", "(4, 4)", "16"),
        ("", "b1_h", "bias", "(4,)", "4"),
        ("SimpleRNN(3)", "U2", "kernel", "(4, 3)", "12"),
        ("", "V2", "recurrent_kernel", "(3, 3)", "9"),
    ]
    assert prose_text(table.note) == (
        "Parameters: 49, in the order of get_weights(). Input: any number of time steps, features: 2."
    )


def test_values_of_weights_that_are_numbers():
    weights = [np.array(array) for array in ([[1.5]], [[-1.0]], [0.0], [[0.25]], [0.0])]
    assert [row[5] for row in rows(model_table(derive().network, weights))] == ["1.5", "-1", "0", "0.25", "0"]


@pytest.mark.parametrize(
    ("layer", "slices"),
    [
        (LSTM(2), ["kernel[:, 0:2]", "kernel[:, 2:4]", "kernel[:, 4:6]", "kernel[:, 6:8]"]),
        (GRU(2), ["kernel[:, 0:2]", "kernel[:, 2:4]", "kernel[:, 4:6]", "recurrent_kernel[:, 0:2]"]),
    ],
    ids=["LSTM", "GRU"],
)
def test_blocks_of_gates_name_their_slice(layer, slices):
    assert [row[2] for row in rows(model_table(derive(Sequential([layer], (3, 2))).network))][:4] == slices


def test_ids():
    note = prose_text(model_table(derive(Sequential([Embedding(5, 2), SimpleRNN(2)], (4,))).network).note)
    assert note.endswith("Input: 4 time steps, ids below 5.")


@over(MODELS)
def test_the_total_is_that_of_the_rows(case):
    table = model_table(case.derivation.network)
    total = sum(int(row[4]) for row in rows(table))
    assert prose_text(table.note).startswith(f"Parameters: {total}, ")
    assert {len(row) for row in table.rows} <= {len(table.head)}


def test_code_of_nothing_is_nothing():
    assert code_span("") == ()
    assert code_span("a_b") == (Code("a_b"),)
