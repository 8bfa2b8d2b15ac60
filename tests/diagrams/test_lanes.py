"""Strands and links: what has a node, and what of it is read, through which weights."""

import pytest

from symrnn import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Masking,
    SimpleRNN,
)
from symrnn.diagrams.labels import text
from symrnn.diagrams.lanes import ALL, BEFORE, LAST, SAME, START, TURNED, lanes_of
from symrnn.models.forward_pass import forward
from tests.support.bank import over
from tests.support.pictures import EVERY, KINDS, encoder_decoder, network

MASKED = network(Masking(), GRU(1, **EVERY), GlobalAveragePooling1D())
BOTH = network(Bidirectional(SimpleRNN(1, **EVERY)), Dense(1))


def kinds(found):
    return {" ".join(text((name,)) for name in strand.names): strand.kind for strand in lanes_of(found)[0]}


def links(found):
    """From what to what, what is read of it, through which weights; without an arrow in parentheses."""
    strands, woven = lanes_of(found)
    said = []
    for link in woven:
        source = text((strands[link.source.strand].names[link.source.line],))
        target = text((strands[link.target].names[link.line],))
        weights = "".join(f" {array.name.text}" for array in link.arrays)
        line = f"{source} {link.source.when} {target}{weights}"
        said.append(line if link.has_arrow else f"({line})")
    return said


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (network(SimpleRNN(1), Dense(1)), {"x_t": "input", "h_t": "state", "y": "output"}),
        (network(LSTM(2), Dense(1)), {"x_t": "input", "h_t c_t": "state", "y": "output"}),
        (MASKED, {"x_t": "input", "m_t": "mask", "g_t": "value", "h_t": "state", "y": "output"}),
        (network(Embedding(9, 2), GRU(1)), {"x_t": "input", "e_t": "value", "h_t": "state", "y": "output"}),
    ],
)
def test_what_has_a_node(found, expected):
    """Gates, sums and what a Dense applies its activation to have none; the last state is in the row of states."""
    assert kinds(found) == expected


def test_what_an_lstm_reads():
    assert links(network(LSTM(2), Dense(1))) == [
        f"x_t {SAME} h_t U",
        f"h_t {BEFORE} h_t V",
        f"c_t {BEFORE} h_t",
        f"(c_t {SAME} h_t)",
        f"h_t {LAST} y W",
    ]


def test_what_reads_a_mask():
    """A mean counts it without an arrow; the Masking itself, and a state, have one."""
    assert [line for line in links(MASKED) if line.startswith(("m_t", "(m_t"))] == [
        f"m_t {SAME} g_t",
        f"m_t {SAME} h_t",
        f"(m_t {ALL} y)",
    ]
    assert f"h_t {ALL} y" in links(MASKED)


def test_what_starts_where_another_ends():
    found = [line for line in links(encoder_decoder(3, 2)) if f" {START} " in line]
    assert found == ["h_t^{(1)} start h_t^{(2)}", "c_t^{(1)} start c_t^{(2)}"]
    strands, _ = lanes_of(encoder_decoder(3, 2))
    assert [strand.zero for strand in strands if strand.kind == "state"] == [(True, True), (False, False)]


def test_both_ways():
    _, forwards, backwards, *_ = lanes_of(BOTH)[0]
    assert (forwards.reverse, backwards.reverse) == (False, True)
    assert [text((strand.before[0],)) for strand in (forwards, backwards)] == ["h_{t-1}^{→}", "h_{t+1}^{←}"]
    assert [array.name.code for array in backwards.arrays] == ["Ubw", "Vbw", "bbw_h"]


def test_a_sequence_that_is_turned():
    found = links(network(SimpleRNN(1, go_backwards=True, **EVERY), Dense(1)))
    assert f"h_t {TURNED} s_t" in found
    assert f"s_t {SAME} y_t W" in found


def test_a_product_is_whole_where_it_is_a_term_of_its_own():
    """Not where it is multiplied entry by entry, as what the reset gate is, and not within an activation."""
    wholes = [{product.whole for product in link.products} for link in lanes_of(network(GRU(1, reset_after=False)))[1]]
    assert wholes[:2] == [{True}, {True, False}]
    assert [link.arrays for link in lanes_of(network(Activation("tanh")))[1]] == [()]


@over(KINDS)
def test_every_strand_is_read_or_is_an_output(case):
    found = forward(case.model)
    strands, woven = lanes_of(found)
    heads = {head.symbol for head in found.heads}
    read = {link.source.strand for link in woven}
    ends = {place for place, strand in enumerate(strands) if heads & {*strand.symbols} or strand.kind == "input"}
    finals = {state.symbol for state in found.states}
    assert all(place in read | ends or finals & {*strand.symbols} for place, strand in enumerate(strands))
    assert all(link.source.strand < len(strands) > link.target for link in woven)
    assert all(len(strand.names) == len(strand.symbols) for strand in strands)
