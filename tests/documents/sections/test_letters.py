"""The letters of other texts."""

import pytest

from symrnn import GRU, LSTM, RNN, Bidirectional, Dense, GRUCell, LSTMCell, Sequential, SimpleRNN, SimpleRNNCell, derive
from symrnn.documents.blocks import Paragraph, Table
from symrnn.documents.example import example_of
from symrnn.documents.sections.letters import GATES, LETTERS, TEXTS, blocks
from symrnn.documents.writers.text import prose_text


def of_layer(layer):
    return example_of(derive(Sequential([layer, Dense(1)], (2, 2))))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_every_text_has_every_letter(text):
    assert list(text.letters) == list(LETTERS)
    assert all(text.letters.values())
    assert text.sample in ("row", "column", "column, row")
    assert text.first in ("0", "1")


def test_texts_with_columns_have_transposed_weights():
    for text in TEXTS:
        if text.sample == "column":
            assert all(r"^{\mathsf T}" in text.letters[letter] for letter in ("U", "V"))


def test_the_tables_have_all_letters():
    first, last, _ = blocks(of_layer(Dense(1)))
    heads = [*first.head[1:], *last.head[1:-2]]
    assert [prose_text(head) for head in heads] == list(LETTERS)
    assert [row[0] for row in first.rows] == [row[0] for row in last.rows] == [text.name for text in TEXTS]
    assert {len(row) for row in first.rows} == {6}
    assert {len(row) for row in last.rows} == {6}


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (Dense(1), 0),
        (RNN(SimpleRNNCell(1)), 0),
        (RNN(LSTMCell(1)), 1),
        (RNN([GRUCell(1), LSTMCell(1), GRUCell(1)]), 2),
    ],
    ids=str,
)
def test_gates(layer, count):
    tables = [block for block in blocks(of_layer(layer)) if isinstance(block, Table)]
    assert len(tables) == 2 + count


@pytest.mark.parametrize(
    ("layer", "kinds"),
    [
        (SimpleRNN(2), []),
        (LSTM(2), ["LSTM"]),
        (GRU(2), ["GRU"]),
        (Bidirectional(LSTM(2)), ["LSTM"]),
        (Bidirectional(GRU(2), backward_layer=LSTM(2, go_backwards=True)), ["GRU", "LSTM"]),
        (RNN([LSTMCell(2), GRUCell(2)]), ["LSTM", "GRU"]),
    ],
    ids=str,
)
def test_a_model_gets_the_gates_of_its_cells(layer, kinds):
    titles = [prose_text(block.text) for block in blocks(of_layer(layer)) if isinstance(block, Paragraph)]
    assert [title for title in titles if title.startswith("The gates")] == [
        f"The gates of the {kind}, in the order of their blocks:" for kind in kinds
    ]


def test_gates_are_in_the_order_of_keras():
    ours = {kind.__name__: {name: order for name, order, _ in rows} for kind, (_, rows) in GATES.items()}
    assert all(orders["here"] == orders["Keras"] for orders in ours.values())
    assert (ours["LSTMCell"]["Keras"], ours["GRUCell"]["Keras"]) == ("$i, f, c, o$", "$z, r, h$")
