"""Strands in time: which steps are shown, in which columns, and between which of them links run."""

import pytest

from symrnn import LSTM, Add, Bidirectional, Dense, Input, Model, SimpleRNN
from symrnn.diagrams.columns import SHOWN, opposite, shifted, timeline_of
from symrnn.diagrams.labels import text
from symrnn.diagrams.lanes import ALL, BEFORE, START
from symrnn.models.forward_pass import forward
from tests.support.bank import over
from tests.support.pictures import EVERY, KINDS, drawn, encoder_decoder, names, network


def shown(found):
    """The letters of the nodes of each strand that is drawn, dots for those between, from left to right."""

    def said(key):
        return "⋯" if found.is_dots(key) else text((found.name(key),))

    return {place: [*map(said, found.keys(place))] for place in sorted(found.drawn)}


@pytest.mark.parametrize(
    ("T", "states"),
    [
        (1, ["h_0"]),
        (SHOWN, ["h_0", "h_1", "h_2", "h_3", "h_4"]),
        (SHOWN + 1, ["h_0", "h_1", "h_dots", "h_5"]),
        (1000, ["h_0", "h_1", "h_dots", "h_999"]),
        (None, ["h_0", "h_1", "h_dots", "h_last"]),
    ],
)
def test_more_than_five_steps_are_elided(T, states):
    found = drawn(SimpleRNN(1), Dense(1), T=T)
    assert [name for name in names(found.drawing, "state", "dots") if name.startswith("h")] == states
    assert ("Dots stand for the time steps between." in found.caption) == ("h_dots" in states)


def test_a_long_timeline_is_as_small_as_a_short_one():
    long, short = (timeline_of(network(SimpleRNN(1), Dense(1), T=T)) for T in (10**6, 6))
    for found in (long, short):
        assert [len(list(found.ends(link))) for link in found.links] == [3, 3, 1]


def test_rolled_all_steps_are_one_node():
    found = timeline_of(network(SimpleRNN(1, **EVERY), Dense(1), T=9), rolled=True)
    assert shown(found) == {0: ["x_t"], 1: ["h_t"], 2: ["y_t"]}
    assert [list(found.ends(link)) for link in found.links if link.source.when == BEFORE] == [[]]


@pytest.mark.parametrize("count", [None, 1, 4, 5])
def test_the_opposite_of_the_opposite_is_the_step_itself(count):
    steps = [None, "t", "T-1-t", *(["T-1", "T-2", 0, 1] if count is None else range(count))]
    assert [opposite(opposite(time, count), count) for time in steps] == steps
    assert opposite(0, count) == ("T-1" if count is None else count - 1)


def test_shifted_steps():
    assert [shifted(time, 1) for time in (3, "T-2", "T-1", "T", "t", "t-1")] == [4, "T-1", "T", "T+1", "t+1", "t"]
    assert [shifted(time, -1) for time in (3, "T-1", "T", "t")] == [2, "T-2", "T-1", "t-1"]


def test_a_decoder_is_right_of_its_encoder():
    found = timeline_of(encoder_decoder(None, 2))
    assert found.columns == ((0, 1, None, "T-1"), (0, 1))
    assert found.stretches == (0, 1, 0, 1, 1)
    starts = [list(found.ends(link)) for link in found.links if link.source.when == START]
    assert starts == [[((2, 3), (3, 0))]] * 2  # from the last step to the first, for h and for c
    assert shown(found)[4] == ["y_0", "y_1"]


def test_lengths_that_are_open():
    assert shown(timeline_of(encoder_decoder(None, None)))[4] == ["y_0", "y_1", "⋯", "y_{T_2-1}"]


def test_a_cell_that_runs_backwards_begins_on_the_right():
    found = timeline_of(network(Bidirectional(SimpleRNN(1, **EVERY)), Dense(1)))
    forwards, backwards = 1, 2
    assert [found.leftwards(place) for place in (forwards, backwards)] == [False, True]
    assert (found.first(backwards), found.last(backwards)) == ((2, 2), (2, 0))
    assert [text((found.before(place),)) for place in (forwards, backwards)] == ["h_{-1}^{→}", "h_3^{←}"]
    steps = [list(found.ends(link)) for link in found.links if link.source.when == BEFORE]
    assert steps == [[((1, 0), (1, 1)), ((1, 1), (1, 2))], [((2, 2), (2, 1)), ((2, 1), (2, 0))]]


def test_a_turned_sequence_has_its_columns_from_the_last_step_to_the_first():
    """What belongs together stands in one column: s_0 above h_2."""
    found = timeline_of(network(SimpleRNN(1, go_backwards=True, **EVERY), Dense(1)))
    assert list(shown(found).values()) == [["x_0", "x_1", "x_2"], ["h_0", "h_1", "h_2"], ["s_2", "s_1", "s_0"],
                                           ["y_2", "y_1", "y_0"]]  # fmt: skip


def test_a_cell_that_reads_a_turned_sequence_runs_to_the_left():
    found = timeline_of(network(SimpleRNN(1, go_backwards=True, **EVERY), SimpleRNN(1)))
    assert [found.leftwards(place) for place in (1, 3)] == [True, True]


def test_columns_of_sequences_of_both_orders_are_the_same_from_both_ends():
    x = Input((9, 1))
    sequence = SimpleRNN(1, go_backwards=True, **EVERY)(x)
    found = timeline_of(forward(Model(x, SimpleRNN(1)(Add()([x, sequence])))))
    assert found.columns == ((0, 1, None, 7, 8),)


def test_what_an_arrow_from_the_dots_carries():
    found = timeline_of(network(LSTM(1), T=9))
    assert text((found.carried((1, 2), (1, 3), 0),)) == "h_7"
    assert text((found.carried((1, 1), (1, 2), 1),)) == "c_1"


@over(KINDS)
def test_links_run_between_nodes_that_are_drawn(case):
    found = timeline_of(forward(case.model))
    nodes = {key for place in found.drawn for key in found.keys(place)}
    for link in found.links:
        ends = list(found.ends(link))
        assert {key for pair in ends for key in pair} <= nodes
        assert len(ends) == len(set(ends))
        if link.source.when == ALL and ends:
            assert [a for a, _ in ends] == found.keys(link.source.strand)
