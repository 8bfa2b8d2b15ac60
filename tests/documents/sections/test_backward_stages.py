"""The way back in stages: every named adjoint in one of them, together with those of the same uses."""

import re
from collections import Counter
from functools import cache

import pytest

from symrnn import GRU, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.sections.backward_stages import backward_pass_of, is_reused, stage_rules, stages_of
from symrnn.programs.dataflow import REUSE
from tests.support.bank import MODELS, SAMPLE, over

ZOOMS = pytest.mark.parametrize("zoom", ["step", "unrolled"])
EVERY = {"return_sequences": True}


@cache
def ways(case, zoom):
    """The way back and its stages, made once."""
    way = backward_pass_of(case.gradient, zoom)
    return way, stages_of(way)


@ZOOMS
@over(SAMPLE)
def test_every_named_adjoint_is_in_one_stage(case, zoom):
    way, stages = ways(case, zoom)
    counted = Counter(adjoint.quantity for stage in stages for adjoint in stage.adjoints)
    assert set(counted.values()) == {1}
    assert not any(line.lhs == "" for stage in stages for adjoint in stage.adjoints for line in adjoint.lines)
    notes = " ".join(line.note for stage in stages for adjoint in stage.adjoints for line in adjoint.lines)
    missing = way.named - set(counted)  # those of other gates, which one line stands for
    assert all(zoom == "step" and re.search(rf"\(g = [^)]*\b{symbol.name[-1]}\b", notes) for symbol in missing)


@ZOOMS
@over(SAMPLE)
def test_adjoints_of_a_stage_come_from_the_same_equations(case, zoom):
    way, stages = ways(case, zoom)
    for stage in stages:
        for adjoint in stage.adjoints:
            uses = [use.lhs for use in way.uses.get(adjoint.quantity, ())]
            assert stage.collects or uses == [use.lhs for use in stage.uses]
    plain = [tuple(str(use.lhs) for use in stage.uses) for stage in stages if not stage.collects]
    assert len(set(plain)) == len(plain)


@ZOOMS
@over(SAMPLE)
def test_weights_of_several_steps_are_collected_at_the_end_by_layer(case, zoom):
    way, stages = ways(case, zoom)
    collects = [stage.collects for stage in stages]
    assert collects == sorted(collects)
    for stage in stages:
        names = {adjoint.quantity.name for adjoint in stage.adjoints}
        assert names <= way.collected if stage.collects else not names & way.collected
    layers = [{way.weights[a.quantity] for a in stage.adjoints} for stage in stages if stage.collects]
    assert [len(places) for places in layers] == [1] * len(layers)
    assert len(set(map(frozenset, layers))) == len(layers)


@over(SAMPLE)
def test_a_stage_that_only_feeds_weights_stands_behind_what_it_sends_on(case):
    way, stages = ways(case, "unrolled")
    places = {adjoint.quantity: i for i, stage in enumerate(stages) for adjoint in stage.adjoints}
    for i, stage in enumerate(stages):
        read = [places[use.lhs] for use in stage.uses if use.lhs in places]
        assert all(place < i for place in read)
        if read and not stage.collects and all(adjoint.quantity in way.weights for adjoint in stage.adjoints):
            between = stages[max(read) + 1 : i]
            assert all(adjoint.quantity in way.weights for one in between for adjoint in one.adjoints)


NOTEBOOK = {
    "unrolled": ["y", "h_2 W b_o", "a_2", "h_1", "a_1", "h_0", "a_0", "U V b_h"],
    "step": ["y", "W b_o", "h_t", "a_t", "U V b_h"],
}


@pytest.mark.parametrize(("zoom", "names"), NOTEBOOK.items())
def test_the_stages_of_the_notebook(zoom, names):
    way = backward_pass_of(derive().gradient(), zoom)
    stages = stages_of(way)
    assert [" ".join(adjoint.quantity.name for adjoint in stage.adjoints) for stage in stages] == names
    assert [sorted(stage_rules(stage, way)) for stage in stages[:2]] == [[], ["product", "sum"]]
    assert sorted(stage_rules(stages[-1], way)) == ["product", "reuse", "sum"]


@over(SAMPLE)
def test_reuse_is_the_rule_of_what_is_read_twice(case):
    way, stages = ways(case, "unrolled")
    for stage in stages:
        several = any(len({use.lhs for use in way.uses.get(one.quantity, ())}) > 1 for one in stage.adjoints)
        assert not several or REUSE in stage_rules(stage, way)


def test_a_weight_of_one_time_step_is_not_reused():
    for steps, reused in ((1, False), (2, True)):
        way = backward_pass_of(derive(Sequential([SimpleRNN(1)], (steps, 1))).gradient(), "unrolled")
        last = stages_of(way)[-1]
        assert (is_reused(last, way), REUSE in stage_rules(last, way)) == (reused, reused)


STARTS = [
    ([SimpleRNN(1)], {"V": "h_{-1}"}),
    ([SimpleRNN(1, go_backwards=True)], {"V": "h_T"}),
    ([SimpleRNN(1, initial_state=True)], {}),
    ([GRU(1, reset_after=True)], {"V_z": "h_{-1}", "V_r": "h_{-1}", "V_h": "h_{-1}"}),
    ([SimpleRNN(1, **EVERY), SimpleRNN(1)], {"V1": "h_{-1}^{(1)}", "V2": "h_{-1}^{(2)}"}),
    ([Dense(1)], {}),
]


@pytest.mark.parametrize(("layers", "expected"), STARTS, ids=[str(expected) for _, expected in STARTS])
def test_weights_that_a_zero_state_stands_beside(layers, expected):
    way = backward_pass_of(derive(Sequential(layers, (2, 1))).gradient(), "step")
    assert {name: letter.latex for name, letter in way.starts.items()} == expected


def test_what_the_objective_does_not_depend_on_has_no_stage():
    way = backward_pass_of(derive(MODELS["scalar"].model).gradient(wrt=["W"]), "unrolled")
    assert [[a.quantity.name for a in stage.adjoints] for stage in stages_of(way)] == [["y"], ["W"]]
