"""The drawing of the forward pass: its nodes, its arrows and what stands beside them."""

import pytest

from symrnn import LSTM, Bidirectional, Dense, Embedding, GlobalMaxPooling1D, Masking, SimpleRNN
from symrnn.diagrams.columns import timeline_of
from symrnn.diagrams.drawing import Drawing
from symrnn.diagrams.forward_pass import before, best, commas, draw, look, weights
from symrnn.diagrams.labels import text
from symrnn.expressions.names import Name
from tests.support.pictures import EVERY, encoder_decoder, labels, names, network


def sketch(*layers, T=3, rolled=False):
    found = network(*layers, T=T)
    return draw(found, timeline_of(found, rolled), rolled)


def sketch_of(found):
    return draw(found, timeline_of(found), False)


def test_the_first_of_several_drawings_in_which_nothing_is_covered_is_the_best():
    """Else that with the least; a later one has to be better by more than the wider room is worth."""
    one, two, three = (Drawing((), (), (), (mark,)) for mark in "abc")
    assert best([(3, one), (0, two), (0, three)]) is two
    assert best([(3, one), (1, two), (2, three)]) is two
    assert best([(3, one), (2.5, two), (1.8, three)]) is one
    seen = iter([(0, one), (0, two)])
    assert (best(seen), next(seen)) == (one, (0, two))


def test_letters_with_commas():
    assert commas([]) == ()
    assert text(commas([Name("U"), Name("b", sub="h")])) == "U, b_h"


def test_the_look_of_an_arrow_is_that_of_its_weight():
    time = timeline_of(network(LSTM(1), Dense(1)))
    found = [(look(link), text(weights(link))) for link in time.links]
    assert found == [("U", "U"), ("V", "V"), *[("plain", "")] * 2, ("W", "W")]


def test_by_which_weights_a_cell_reads_the_state_before():
    time = timeline_of(encoder_decoder(3, 2))
    assert [text(weights(before(time, 3, line))) for line in (0, 1)] == ["V^{(2)}", ""]
    masked = timeline_of(network(Masking(), SimpleRNN(1)))
    assert before(masked, 0, 0).arrays == ()  # an input reads none


def test_names_of_nodes():
    found = sketch(SimpleRNN(1), Dense(1), T=9)
    assert names(found, "state") == ["h_0", "h_1", "h_8"]
    assert names(found, "dots") == ["x_dots", "h_dots"]
    assert names(found, "start", "output") == ["y", "h_init"]


def test_two_arrows_between_the_steps_of_an_lstm():
    """h with the weight, c without; its name beside the row of each layer."""
    found = sketch(LSTM(4, **EVERY), LSTM(3, **EVERY), Dense(2))
    between = [a for a in found.arrows if (a.start, a.end) == ("h2_0", "h2_1")]
    (h, *of_h), (c, *of_c) = [(a.look, text(a.carries), text(a.by)) for a in between]
    assert (h, c, of_h, of_c) == ("V", "plain", ["h_0^{(2)}", "V^{(2)}"], ["c_0^{(2)}", ""])
    assert [(group.title, group.nodes[0]) for group in found.groups] == [("LSTM(4)", "h1_0"), ("LSTM(3)", "h2_0")]
    assert names(found, "output") == ["y_0", "y_1", "y_2"]


def test_one_layer_has_no_name_beside_it():
    assert sketch(LSTM(4), Dense(2)).groups == ()


def test_both_ways():
    found = sketch(Bidirectional(SimpleRNN(1, **EVERY)), Dense(1))
    places = {node.name: node.box.x for node in found.nodes}
    ends = [(a.start, a.end) for a in found.arrows]
    assert {("hbw_1", "hbw_0"), ("hfw_0", "hfw_1"), ("hbw_3", "hbw_2")} <= {*ends}
    assert places["hbw_0"] < places["hbw_1"] < places["hbw_3"]


def test_an_encoder_leads_to_its_decoder():
    found = sketch_of(encoder_decoder(3, 2))
    h, c = [a for a in found.arrows if (a.start, a.end) == ("h1_2", "h2_0")]
    assert (h.look, text(h.by), text(c.carries)) == ("V", "V^{(2)}", "c_2^{(1)}")
    assert h.path[0].y < c.path[0].y


def test_a_mask_stands_beside_what_it_is_made_of():
    found = sketch(Embedding(9, 2, mask_zero=True), SimpleRNN(1), Dense(1))
    assert {("x_0", "m_0"), ("x_0", "e_0"), ("m_0", "h_0"), ("e_0", "h_0")} <= set(labels(found))
    places = {node.name: node.box for node in found.nodes}
    assert places["m_0"].y == places["x_0"].y


def test_what_reads_all_steps():
    found = sketch(SimpleRNN(1, **EVERY), GlobalMaxPooling1D(), Dense(1), T=9)
    into = [arrow for arrow in found.arrows if arrow.end == "g"]
    assert [arrow.start for arrow in into] == ["h_0", "h_1", "h_dots", "h_8"]
    assert text(into[2].carries) == "those between"


def test_rolled_up():
    """One loop for each state, that with a weight outside; what is read at the end, of all steps or the last."""
    found = sketch(LSTM(1, **EVERY), GlobalMaxPooling1D(), T=9, rolled=True)
    outer, inner = [arrow for arrow in found.arrows if arrow.start == arrow.end]
    assert [(a.look, text(a.carries)) for a in (outer, inner)] == [("V", "h_{t-1}"), ("plain", "c_{t-1}")]
    assert len(outer.path) == len(inner.path) == 4
    assert abs(outer.path[1].x) > abs(inner.path[1].x)
    assert [text(arrow.carries) for arrow in found.arrows if arrow.end == "y"] == ["all h_t"]
    assert names(found, "start", "dots") == []


@pytest.mark.parametrize(("T", "last"), [(9, "h_8"), (None, "h_{T-1}")])
def test_rolled_up_the_last_step_is_read(T, last):
    found = sketch(SimpleRNN(1), Dense(1), T=T, rolled=True)
    assert [text(a.carries) for a in found.arrows if a.end == "y"] == [last]
