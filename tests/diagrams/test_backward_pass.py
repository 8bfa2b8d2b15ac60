"""The drawing of the way back: whose adjoint stands where, and how much it is."""

from symrnn import GRU, LSTM, Bidirectional, Dense, Input, Masking, Model, SimpleRNN
from symrnn.diagrams.backward_pass import _around, _places, draw_back
from symrnn.diagrams.columns import timeline_of
from symrnn.diagrams.drawing import LOOKS
from symrnn.diagrams.geometry import Box, Point
from symrnn.diagrams.labels import text
from symrnn.models.forward_pass import forward
from tests.support.pictures import EVERY, encoder_decoder, labels, names, network, way_back


def drawing(*layers, T=3, numbers=None):
    return back_of(network(*layers, T=T), numbers)


def back_of(found, numbers=None):
    return draw_back(found, timeline_of(found), numbers or {})


def notes(found):
    """What is sent to weights, by the node that sends it."""
    return {node.name.removesuffix("_note"): [*map(text, node.lines)] for node in found.nodes if node.kind == "note"}


def test_the_notebook():
    found = way_back().drawing
    assert labels(found)["h_2", "h_1"] == ["h̄_1 = δ_2 V", "-0.002631489"]
    assert notes(found)["h_2"] == ["to U, V, b_h: δ_2", "0.002631489"]
    assert notes(found)["y"] == ["to W, b_o: ȳ", "1"]
    assert found.notes == ()


def test_it_runs_to_the_left_in_dashes_to_what_has_weights():
    found = way_back().drawing
    places = {node.name: node.box.x for node in found.nodes}
    assert all(places[a.end] <= places[a.start] and LOOKS[a.look].dashed for a in found.arrows)
    assert names(found) == ["h_0", "h_1", "h_2", "y", "h_0_note", "h_1_note", "h_2_note", "y_note"]


def test_an_adjoint_that_is_a_sum_stands_at_its_node_its_terms_at_the_arrows():
    found = drawing(SimpleRNN(1, **EVERY), Dense(1), numbers={"dh_0": 0.25})
    said = labels(found)
    assert said["h_1", "h_0"] == ["δ_1 V"]
    assert said["y_0", "h_0"] == ["ȳ_0 W"]
    assert said["y_2", "h_2"] == ["h̄_2 = ȳ_2 W"]
    assert [text(label.lines[0]) for label in found.notes] == ["h̄_0 = 0.2500000", "h̄_1"]
    carried = {(a.start, a.end): text(a.carries) for a in found.arrows}
    assert carried["h_1", "h_0"] == carried["y_0", "h_0"] == "a term of h̄_0"


def test_the_product_of_matrices_has_a_transpose():
    found = drawing(SimpleRNN(2), Dense(1))
    assert labels(found)["h_1", "h_0"] == ["h̄_0 = δ_1 Vᵀ"]


def test_a_cell_of_several_gates_says_no_product():
    """There the adjoint is the sum of one for each gate; and c has an adjoint of its own."""
    found = drawing(LSTM(1), Dense(1))
    between = [arrow for arrow in found.arrows if (arrow.start, arrow.end) == ("h_1", "h_0")]
    assert [[text(label.lines[0]) for label in arrow.labels] for arrow in between] == [["h̄_0"], []]
    assert notes(found)["h_1"] == ["to U, V, b_h"]
    assert [text(label.lines[0]) for label in found.notes] == ["c̄_0", "c̄_1"]


def test_masks_and_inputs_are_left_out():
    assert {node.kind for node in drawing(Masking(), GRU(1), Dense(1)).nodes} == {"state", "output", "note"}


def test_elided_steps():
    """What comes from the dots is the adjoint of the step before the one that sends it."""
    found = labels(drawing(SimpleRNN(1), Dense(1), T=9))
    assert found["h_8", "h_dots"] == ["h̄_7 = δ_8 V"]
    assert found["h_dots", "h_1"] == ["h̄_1 = δ_2 V"]
    open_end = labels(drawing(SimpleRNN(1), Dense(1), T=None))
    assert open_end["h_last", "h_dots"] == ["h̄_{T-2} = δ_{T-1} V"]


def test_a_decoder_sends_to_its_encoder():
    carried = [text(a.carries) for a in back_of(encoder_decoder(2, 2)).arrows if (a.start, a.end) == ("h2_0", "h1_1")]
    assert carried == ["h̄_1^{(1)}", "a term of c̄_1^{(1)}"]


def test_a_half_that_runs_backwards_sends_to_the_right():
    found = drawing(Bidirectional(SimpleRNN(1, **EVERY)), Dense(1))
    places = {node.name: node.box.x for node in found.nodes}
    assert places["hbw_1"] > places["hbw_0"]
    assert ("hbw_0", "hbw_1") in labels(found)


def test_a_layer_that_is_called_twice_has_notes_at_both_calls():
    x, layer = Input((2, 1)), SimpleRNN(1, **EVERY)
    assert len(notes(back_of(forward(Model(x, layer(layer(x))))))) == 4


ROW, SIZE = [Box(0, 0, 20, 20), Box(200, 0, 20, 20)], Box(0, 0, 60, 18)


def test_notes_are_alike_at_all_nodes_where_these_can_be_free():
    assert _places(ROW, SIZE, ROW, []) == (0, [Box(0, 59, 60, 18), Box(200, 59, 60, 18)])
    blocked = Box(0, 59, 60, 18)
    assert _places(ROW, SIZE, [*ROW, blocked], []) == (0, [Box(0, -59, 60, 18), Box(200, -59, 60, 18)])


def test_else_each_is_where_it_touches_least():
    """Below the first node there is something, and at all other places of the second one."""
    (first, _), *others = _around(ROW, SIZE)
    walls = [box._replace(width=2, height=2) for box in (first, *(second for _, second in others))]
    assert _places(ROW, SIZE, [*ROW, *walls], []) == (0, [Box(0, -59, 60, 18), Box(200, 59, 60, 18)])
    assert _places(ROW, SIZE, [*ROW, Box(0, 0, 2000, 2000)], [(Point(-900, 0), Point(900, 0))])[0] > 0
