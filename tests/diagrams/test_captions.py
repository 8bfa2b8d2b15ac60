"""Titles, captions and alternative texts: what a picture says in words."""

import pytest
from sympy import Eq, MatrixSymbol, atan

from symrnn import (
    ELU,
    GRU,
    LSTM,
    RNN,
    Activation,
    Bidirectional,
    Cell,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GRUCell,
    LSTMCell,
    Masking,
    PReLU,
    RepeatVector,
    SimpleRNN,
    TimeDistributed,
)
from symrnn import GlobalAveragePooling1D as Mean
from symrnn import GlobalMaxPooling1D as Largest
from symrnn.diagrams.captions import title
from symrnn.diagrams.picture import picture_of
from tests.support.pictures import EVERY, drawn, encoder_decoder, network, notebook, way_back


def test_the_notebook():
    assert notebook().title == "SimpleRNN(1), Dense(1), unrolled in time"
    assert notebook().alt == (
        "h_0 reads x_0 through U and h_-1 = 0 through V. h_1 reads x_1 through U and h_0 through V. "
        "h_2 reads x_2 through U and h_1 through V. y reads h_2 through W."
    )
    assert notebook().caption == (
        "h_t adds b_h and applies tanh to what arrives. y adds b_o to what arrives and reads the last h_t only. "
        "The thin arrows U are one weight, and so are the thick arrows V."
    )
    assert notebook().caption_latex.startswith("$h_t$ adds $b_h$ and applies tanh to what arrives. $y$ adds $b_o$")


def test_the_way_back():
    assert way_back().title == "SimpleRNN(1), Dense(1), on the way back"
    assert way_back().alt == (
        "y sends h̄_2 = 0.5759429 to h_2 and ȳ = 1 to W, b_o. "
        "h_2 sends h̄_1 = -0.002631489 to h_1 and δ_2 = 0.002631489 to U, V, b_h. "
        "h_1 sends h̄_0 = 1.842536e-4 to h_0 and δ_1 = -1.842536e-4 to U, V, b_h. "
        "h_0 sends δ_0 = 3.642046e-5 to U, V, b_h."
    )
    assert way_back().caption.startswith("A bar marks the derivative by a quantity, δ that by what an activation is")


def test_rolled_up():
    found = drawn(SimpleRNN(1), Dense(1), rolled=True)
    assert found.title == "SimpleRNN(1), Dense(1), rolled up"
    assert found.alt == "h_t reads x_t through U and h_t-1 through V. y reads h_2 through W."
    assert found.caption.endswith("The loop leads from one time step to the next.")


def test_elided():
    assert drawn(SimpleRNN(1), Dense(1), T=1000).alt.endswith(
        ". h_1 reads x_1 through U and h_0 through V. The time steps between follow in the same way. "
        "h_999 reads x_999 through U and h_998 through V. y reads h_999 through W."
    )


LAYERS = [RNN([LSTMCell(1), GRUCell(2)], **EVERY), TimeDistributed(Dense(2)), Dropout(0.5), ELU(), Activation("tanh")]


def test_the_names_of_layers():
    said = "RNN(LSTMCell(1), GRUCell(2)), TimeDistributed(Dense(2)), Dropout, ELU, Activation(tanh), unrolled in time"
    assert title(network(*LAYERS), "unrolled") == said
    assert title(network(Bidirectional(GRU(3))), "backward") == "Bidirectional(GRU(3)), on the way back"


SENTENCES = {
    "h_t and c_t are the states of LSTM(2), which adds b_h.": [LSTM(2)],
    "h_t is the state of GRU(1).": [GRU(1, use_bias=False)],
    "y adds b_o and applies softmax to what arrives and reads the last h_t only.": [GRU(1), Dense(2, "softmax")],
    "y applies PReLU with α to what arrives.": [SimpleRNN(1, **EVERY), Flatten(), PReLU()],
    "g_t is what arrives, in every time step, and reads the last h_t^{(1)} only.": [
        SimpleRNN(1),
        RepeatVector(2),
        SimpleRNN(1),
    ],
    "g is all h_t side by side.": [SimpleRNN(1, **EVERY), Flatten(), PReLU()],
    "g is the largest h_t over the time steps, entry by entry.": [GRU(1, **EVERY), Largest(), Dense(1)],
    "y is the mean of h_t over the time steps.": [GRU(1, **EVERY), Mean()],
    "y is the mean of h_t over the time steps that count.": [Masking(), GRU(1, **EVERY), Mean()],
    "m_t is 1 where a time step counts, else 0.": [Masking(), GRU(1)],
    "stays as it was where m_t is 0.": [Masking(), GRU(1)],
    "e_t is the row of E that x_t names.": [Embedding(9, 2), GRU(1)],
    "h_t^{←} adds b_h^{←} and applies tanh to what arrives and goes from the last time step to the first.": [
        Bidirectional(SimpleRNN(1, **EVERY))
    ],
    "h_t is the product of what arrives, entry by entry.": [Bidirectional(GRU(1, **EVERY), "mul"), Dense(1)],
    "s_t is h_t with the last time step first.": [SimpleRNN(1, go_backwards=True, **EVERY), Dense(1)],
    "Round nodes hold states, square ones values without memory.": [Masking(), GRU(1)],
    "Arrows with the same label are one weight.": [GRU(1, **EVERY), GRU(1)],
}


@pytest.mark.parametrize(("sentence", "layers"), SENTENCES.items(), ids=range(len(SENTENCES)))
def test_sentences(sentence, layers):
    assert f" {sentence} " in f" {drawn(*layers).caption} "


def test_a_decoder_starts_where_its_encoder_ends():
    assert "starts from the last h_t^{(1)} and c_t^{(1)}." in picture_of(encoder_decoder(3, 2)).caption


def test_names_of_cells_are_escaped():
    x, h, before, U = (MatrixSymbol(name, 1, 1) for name in ("x_t", "h_t", "h_prev", "U"))
    cell = Cell([Eq(h, (x * U + before).applyfunc(atan))], x, {"h": (before, h)}, {"U": (1, 1)}, name="<a & b_1>")
    found = drawn(RNN(cell))
    assert "<title>RNN(&lt;a &amp; b_1&gt;), unrolled in time</title>" in found.svg()
    assert found.caption_latex.startswith(r"$h_t$ is the state of the cell {<}a \& b\_1{>}.")
