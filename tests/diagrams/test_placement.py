"""Where nodes go: time to the right, each strand above what it reads, and what there is to the left of states."""

import pytest

from symrnn import LSTM, RNN, Bidirectional, Dense, GRUCell, LSTMCell, Sequential, SimpleRNN
from symrnn.diagrams.columns import timeline_of
from symrnn.diagrams.geometry import overlap
from symrnn.diagrams.labels import text
from symrnn.diagrams.lanes import SAME
from symrnn.diagrams.placement import DOTS, LINE, ROUND, Room, line_offset, node_boxes, place, start_lines
from symrnn.models.forward_pass import forward
from tests.support.bank import MODELS, over
from tests.support.pictures import EVERY, KINDS, encoder_decoder, network

LAYERS = timeline_of(network(LSTM(1, **EVERY), SimpleRNN(1), Dense(1), T=9))


def test_nodes_with_a_border_are_alike_and_others_as_wide_as_their_letters():
    states, inputs = node_boxes(LAYERS, 1), node_boxes(LAYERS, 0)
    assert len(set(states.values())) == 1
    assert [box.width for box in inputs.values()] == [inputs[0, 0].width] * 2 + [DOTS, inputs[0, 0].width]
    long = timeline_of(network(SimpleRNN(1), T=1000))
    widths = [box.width for box in node_boxes(long, 0).values()]
    assert widths[0] == widths[1] < widths[3]


def test_a_circle_and_a_box_of_two_lines():
    two, one = node_boxes(LAYERS, 1)[1, 0], node_boxes(timeline_of(network(SimpleRNN(1))), 1)[1, 0]
    assert (one.width, one.height, one.radius) == (ROUND, ROUND, ROUND / 2)
    assert (two.height, two.radius) == (ROUND + LINE, 12)
    assert [line_offset(LAYERS.strands[1], line) for line in (0, 1)] == [-LINE / 2, LINE / 2]


def test_what_states_start_from():
    """A zero for each; nothing where an arrow says it; the letter of an input that no arrow brings."""
    chain = timeline_of(encoder_decoder(3, 2))
    assert [[text(line) for line in start_lines(chain, place)] for place in (2, 3)] == [
        ["h_{-1}^{(1)} = 0", "c_{-1}^{(1)} = 0"],
        [],
    ]
    given = timeline_of(forward(MODELS["initial state"].model))
    (state,) = (number for number, strand in enumerate(given.strands) if strand.kind == "state")
    assert [text(line) for line in start_lines(given, state)] == ["h_{-1}"]
    assert start_lines(given, 0) == ()


@pytest.mark.parametrize("pitch", [84, 200])
def test_the_distance_between_steps(pitch):
    """At least the pitch, and more where the nodes are wide; dots take less room."""
    boxes = place(LAYERS, pitch).boxes
    gaps = [boxes[1, column + 1].x - boxes[1, column].x for column in range(3)]
    step = max(pitch, boxes[1, 0].width + 50)
    assert gaps == pytest.approx([step, 0.85 * step, 0.85 * step])


def test_room_for_what_arrows_say():
    narrow, wide = (place(LAYERS, 84, Room(34, along)).boxes for along in (50, 150))
    assert wide[1, 1].x - wide[1, 0].x == pytest.approx(narrow[1, 0].width + 150)


def test_what_states_start_from_stands_beside_the_first_of_them():
    """Right of the last step for a cell that runs backwards; not there without `starts`."""
    both = timeline_of(network(Bidirectional(SimpleRNN(1, **EVERY)), Dense(1)))
    found = place(both, 100)
    assert {strand: box.y for strand, box in found.starts.items()} == {s: found.boxes[s, 0].y for s in (1, 2)}
    assert found.starts[1].x < found.boxes[1, 0].x
    assert found.starts[2].x > found.boxes[2, 2].x
    assert place(both, 100, starts=False).starts == {}


def test_stacked_cells_are_one_above_the_other():
    boxes = place(timeline_of(network(RNN([LSTMCell(1), GRUCell(1)]), Dense(1))), 100).boxes
    assert boxes[0, 0].y > boxes[1, 0].y > boxes[2, 0].y > boxes[3, 0].y
    assert boxes[1, 0].x == boxes[2, 0].x


@over(KINDS)
@pytest.mark.parametrize("rolled", [False, True])
def test_rows_run_to_the_right_above_what_they_read(case, rolled):
    time = timeline_of(forward(case.model), rolled)
    found = place(time, 240, starts=not rolled)
    assert found.boxes.keys() == {key for strand in time.drawn for key in time.keys(strand)}
    for strand in time.drawn:
        row = [found.boxes[key] for key in time.keys(strand)]
        assert len({box.y for box in row}) == 1
        assert [box.x for box in row] == sorted(box.x for box in row)
    for link in time.links:
        if link.source.when == SAME and time.strands[link.target].kind != "mask":
            assert all(found.boxes[a].y > found.boxes[b].y for a, b in time.ends(link))
    boxes = [*found.boxes.values(), *found.starts.values()]
    clashes = [(one, other) for i, one in enumerate(boxes) for other in boxes[:i] if overlap(one, other)]
    assert not clashes


@pytest.mark.parametrize("layers", [(Dense(1),), (Dense(3), Dense(1)), (Dense(2),) * 30], ids=len)
def test_a_model_without_time_stands_one_above_the_other(layers):
    found = place(timeline_of(forward(Sequential(layers, (2,)))), 100)
    places = [found.boxes[strand, 0] for strand in range(len(layers) + 1)]
    assert len({box.x for box in places}) == 1
    assert [box.y for box in places] == sorted((box.y for box in places), reverse=True)
    assert found.clashes == 0
