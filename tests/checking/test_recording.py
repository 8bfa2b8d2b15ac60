"""What Keras computes: each call of a layer is recorded, and the model is left as it was."""

import numpy as np
import pytest

import symrnn
from symrnn import GRU, LSTM, Add, Bidirectional, Dense, Input, Masking, Model, Sequential, SimpleRNN
from symrnn.checking.recording import Record, halves_of, kept_states, layers_of, observe, recorded_states, run
from symrnn.models.graph import graph_of
from tests.support.checking import live

keras = pytest.importorskip("keras")
EVERY = {"return_sequences": True}
X = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")


def total(outputs):
    return keras.ops.sum(outputs[0])


def seen(model, built=None):
    """The run of a model on X through its own graph."""
    built = live(model) if built is None else built
    return observe(run(built, [X], [], total, keras), built, graph_of(model))


def test_the_layers_of_models_in_a_model_are_in_their_place():
    inner = keras.Sequential([keras.Input((4, 2)), keras.layers.GRU(2, name="a"), keras.layers.Dense(2, name="b")])
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.Dropout(0.5, name="d"), inner])
    assert [layer.name for layer in layers_of(model, keras)] == ["d", "a", "b"]


def test_the_halves_of_a_layer():
    both, one = keras.layers.Bidirectional(keras.layers.GRU(2)), keras.layers.GRU(2)
    assert halves_of(both) == [both.forward_layer, both.backward_layer]
    assert (halves_of(one), halves_of(keras.layers.Dense(1))) == ([one], [])


def test_outputs_and_slopes_are_those_of_keras():
    """By the places of weights and inputs; what the objective does not need has the slope zero."""
    built = live(Sequential([SimpleRNN(2), Dense(1, "linear")], (4, 2)))
    found = run(built, [X], [], total, keras)
    np.testing.assert_array_equal(found.outputs[0], built(X, training=False))
    assert float(found.objective) == pytest.approx(float(np.sum(found.outputs[0])))
    assert [slope.shape for slope in found.slopes.values()] == [*(w.shape for w in built.weights), X.shape]
    np.testing.assert_allclose(found.slopes[4], [3.0])  # of the bias, summed over the samples
    constant = run(built, [X], [], lambda outputs: keras.ops.sum(outputs[0] * 0), keras)
    assert not any(slope.any() for slope in constant.slopes.values())


def test_the_kept_states_and_the_calls_are_put_back():
    built = live(Sequential([GRU(2, stateful=True), Dense(1)], (4, 2)), batch_size=3)
    (kept,) = kept_states(built, keras)
    kept.assign(np.full((3, 2), 7.0))
    calls = [layer.call for layer in built.layers]
    found = run(built, [X], [np.zeros((3, 2), "float32")], total, keras)
    assert np.unique(kept.numpy()) == [7]
    assert [layer.call for layer in built.layers] == calls
    np.testing.assert_array_equal(found.finals[0], found.records[0].outputs[0])
    np.testing.assert_array_equal(found.records[0].states[0], np.zeros((3, 2)))
    with pytest.raises(ZeroDivisionError):
        run(built, [X], [np.zeros((3, 2), "float32")], lambda outputs: 1 / 0, keras)
    assert np.unique(kept.numpy()) == [7]
    assert not any("call" in vars(layer) for layer in built.layers)


MODELS = {
    "LSTM": Sequential([LSTM(2, return_state=True, **EVERY)], (4, 2)),
    "backwards": Sequential([GRU(2, go_backwards=True, return_state=True, **EVERY)], (4, 2)),
    "masked": Sequential([Masking(), SimpleRNN(2, return_state=True, **EVERY)], (4, 2)),
    "both ways": Sequential([Bidirectional(LSTM(2, return_state=True, **EVERY))], (4, 2)),
}


@pytest.mark.parametrize("name", ["LSTM", "backwards", "masked"])
def test_the_states_of_all_steps_end_in_those_that_keras_returns(name):
    """In the order of time: the first output is the first state, and the last states come last."""
    found = seen(MODELS[name])
    place = max(found.calls)
    sequence, *last = map(np.asarray, found.results(place))
    states = found.states(place)
    backwards = name == "backwards"
    np.testing.assert_allclose(states[0], sequence[:, ::-1] if backwards else sequence, rtol=1e-6)
    for state, end in zip(states, last, strict=True):
        np.testing.assert_allclose(state[:, 0 if backwards else -1], end, rtol=1e-6)


def test_the_states_of_both_halves():
    found = seen(MODELS["both ways"])
    sequence, *last = map(np.asarray, found.results(1))
    states = found.states(1)
    np.testing.assert_allclose(np.concatenate([states[0], states[2]], axis=-1), sequence, rtol=1e-6)
    for state, end, step in zip(states, last, [-1, -1, 0, 0], strict=True):
        np.testing.assert_allclose(state[:, step], end, rtol=1e-6)
    assert recorded_states(Record(keras.layers.Dense(1), (X,), (), None, ()), found.run) == []


def test_calls_of_one_layer_are_told_by_their_inputs():
    x = Input((4, 2))
    layer = SimpleRNN(2, **EVERY)
    model = Model(x, Add()([layer(layer(x)), layer(x)]))
    found = seen(model)
    assert len(found.calls) == len(set(found.calls.values()))
    for place, number in found.calls.items():
        given = [found.results(source.call)[0] for source in found.graph.calls[place].inputs if source.call]
        for ours, theirs in zip(given, found.run.records[number].inputs, strict=False):
            np.testing.assert_array_equal(ours, theirs)


def test_a_graph_of_other_layers_sees_nothing():
    built = live(Sequential([SimpleRNN(2), Dense(1)], (4, 2)))
    found = seen(Sequential([SimpleRNN(2)], (4, 2)), built)
    assert (found.calls, found.name(1), found.results(1), found.states(1)) == ({}, "", (), [])
    assert seen(Sequential([GRU(2), Dense(1)], (4, 2)), built).name(1) == built.layers[0].name
    assert symrnn.check(built).ok
