"""Keras models built from layers: they are read back as what they were built from, in the order of the weights."""

import numpy as np
import pytest
import sympy

from symrnn.checking.keras_models import build, load
from symrnn.importers.keras.reader import from_keras
from symrnn.models.custom_cell import Cell
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model, graph_of
from symrnn.models.layers.activation import Activation, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, InputLayer, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate
from symrnn.models.layers.pooling import GlobalAveragePooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from tests.support.keras_bank import BANK, QUIET, keras, randomized, saved

pytestmark = QUIET


def chain(*layers, shape=(4, 3)):
    return Sequential(layers, shape, "float32")


CHAINS = {
    "notebook": chain(SimpleRNN(1), Dense(1, "linear")),
    "gates": chain(LSTM(2, return_sequences=True), GRU(2, "relu", "tanh", reset_after=False)),
    "names": chain(SimpleRNN(2, name="rnn"), Dense(1, "softmax", name="out")),
    "cells": chain(RNN(GRUCell(2), return_sequences=True), RNN((SimpleRNNCell(2, use_bias=False), LSTMCell(3)))),
    "both ways": chain(
        Bidirectional(LSTM(2, return_sequences=True), merge_mode="ave"),
        Bidirectional(GRU(2), backward_layer=SimpleRNN(2, go_backwards=True)),
    ),
    "elementwise": chain(
        ReLU(6.0), PReLU((1,)), Activation("mish"), Softmax(), Flatten(), Dropout(0.5), Dense(1, "linear")
    ),
    "ids": chain(
        Embedding(5, 3, mask_zero=True), TimeDistributed(Dense(2, "linear")), GlobalAveragePooling1D(), shape=(4,)
    ),
    "states": chain(LSTM(2, return_state=True)),
}


@pytest.mark.parametrize("model", CHAINS.values(), ids=CHAINS)
def test_a_sequential_model_is_built_as_one(model):
    built = build(model)
    assert type(built) is keras.Sequential
    assert from_keras(built).graph == graph_of(model)
    names = [(ours.name, theirs.name) for ours, theirs in zip(model.layers, built.layers, strict=True) if ours.name]
    assert all(ours == theirs for ours, theirs in names)


def test_weights_and_seeds():
    model = chain(LSTM(2), Dense(1))
    weights = [np.full(array.shape, 0.5) for array in forward(model).arrays]
    for array, given in zip(build(model, weights=weights).get_weights(), weights, strict=True):
        np.testing.assert_array_equal(array, given)
    first, again, other = (build(model, seed).get_weights()[0] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()


def test_a_stateful_model_has_a_batch_size():
    model = chain(GRU(2, stateful=True))
    assert build(model, batch_size=3).input_shape == (3, 4, 3)


# functional models ------------------------------------------------------------------------------


def encoder_decoder():
    ids, x = Input((None,), "int32"), Input((None, 3))
    _, h, c = LSTM(2, return_state=True)(Embedding(5, 3, mask_zero=True)(ids))
    return Model([ids, x], Dense(2)(LSTM(2, return_sequences=True)(x, initial_state=[h, c])))


def states_of_stacked_cells():
    x, h = Input((4, 3)), [Input((2,)) for _ in range(3)]
    return Model([x, *h], RNN((GRUCell(2), LSTMCell(2)))(x, initial_state=h))


def states_of_both_halves():
    x = Input((4, 3))
    y, *states = Bidirectional(RNN((GRUCell(2), LSTMCell(2)), return_state=True))(x)
    return Model(x, [y, Bidirectional(RNN((GRUCell(2), LSTMCell(2))))(x, initial_state=states)])


def shared():
    x = Input((4, 3))
    layer, dense = GRU(3, return_sequences=True), Dense(3)
    return Model(x, [layer(dense(layer(x))), dense(x)])


def branches():
    x, rows = Input((4, 3)), Input((2,))
    return Model([x, rows], Average()(Dense(2)(Concatenate()(Flatten()(x), rows)), rows))


def explicit_masks():
    x, h, ids = Input((4, 3)), Input((2,)), Input((4,), "int32")
    e = Embedding(5, 3)(ids)
    state = GRU(2)(x, initial_state=h, mask=NotEqual(0.5)(x))
    return Model([x, h, ids], [state, LSTM(2)(e, mask=NotEqual(0.0)(ids))])


def first_visit():
    """Keras lists layers of one depth as it first meets them on the way from the outputs."""
    x = Input((4, 3))
    a, b = Dense(3, name="a")(x), Dense(3, name="b")(x)
    return Model(x, Add()(Dense(3, name="c")(b), Dense(3, name="d")(a)))


def depth_of_a_mask():
    """What computes the mask of `a` makes it deeper than `b`, which is met first."""
    x = Input((4, 3))
    b = GRU(2, return_sequences=True, name="b")(x)
    a = GRU(2, return_sequences=True, name="a")(Masking()(x))
    return Model(x, SimpleRNN(2, name="c")(Concatenate()(b, a)))


def depth_of_masking():
    x = Input((4, 3))
    b = Dense(2, name="b2")(Dense(2, name="b1")(x))
    a = Masking()(Dense(2, name="a")(x))
    return Model(x, Add()(b, GRU(2, return_sequences=True, name="g")(a)))


def unused_input():
    x, other = Input((4, 3)), Input((2,))
    return Model([x, other], SimpleRNN(2)(x))


FUNCTIONAL = [
    *(encoder_decoder, states_of_stacked_cells, states_of_both_halves, shared, branches, explicit_masks),
    *(first_visit, depth_of_a_mask, depth_of_masking, unused_input),
]


@pytest.mark.parametrize("make", FUNCTIONAL, ids=lambda make: make.__name__)
def test_a_model_is_built_in_its_order(make):
    model = make()
    built = build(model)
    graph = graph_of(model)
    assert [array.shape for array in forward(graph).arrays] == [array.shape for array in built.get_weights()]
    listed = [layer for layer in graph.layers if not isinstance(layer, NotEqual)]
    assert [type(layer).__name__ for layer in listed] == [type(layer).__name__ for layer in built.layers]
    names = [(ours.name, theirs.name) for ours, theirs in zip(listed, built.layers, strict=True) if ours.name]
    assert all(ours == theirs for ours, theirs in names)
    read = from_keras(built).graph
    arrays, found = ([(array.keras, array.shape) for array in forward(each).arrays] for each in (graph, read))
    assert arrays == found


def test_layers_of_one_depth_are_listed_by_the_first_visit():
    assert [layer.name for layer in graph_of(first_visit()).layers if layer.name] == ["b", "a", "c", "d"]


def test_operations_on_masks_count_as_depth():
    assert [layer.name for layer in graph_of(depth_of_a_mask()).layers if layer.name] == ["a", "b", "c"]
    assert [layer.name for layer in graph_of(depth_of_masking()).layers if layer.name] == ["a", "b1", "b2", "g"]


def test_a_long_chain_needs_no_recursion():
    y = x = Input((4, 3))
    for _ in range(1500):
        y = Dropout(0.5)(y)
    assert len(graph_of(Model(x, y)).calls) == 1501


@pytest.fixture
def dtype():
    """What sets the dtype of all layers, until the test ends."""

    def change(name):
        keras.config.set_floatx(name)
        keras.config.set_dtype_policy(name)

    yield change
    change("float32")


@pytest.mark.parametrize("make", BANK.values(), ids=BANK)
def test_a_model_that_was_read_is_built_again(make, dtype):
    keras.utils.clear_session(free_memory=False)
    model = randomized(make())
    imported = from_keras(model)
    dtype(imported.dtype)
    again = build(imported.graph, weights=imported.weights, batch_size=model.inputs[0].shape[0])
    rng = np.random.default_rng(0)
    shapes = [[size or 2 for size in tensor.shape] for tensor in model.inputs]
    x = [rng.integers(0, 3, size=shape).astype("float32") / (1 if len(shape) == 2 else 4) for shape in shapes]
    given = x if len(x) > 1 or make is BANK["in lists"] else x[0]
    found = keras.tree.flatten(again(x if len(x) > 1 else x[0]))
    for ours, theirs in zip(found, keras.tree.flatten(model(given)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# refused ----------------------------------------------------------------------------------------


def own_cell():
    x, h, after = (sympy.MatrixSymbol(name, sympy.Symbol("N", integer=True, positive=True), 2) for name in "xhg")
    return Cell([sympy.Eq(after, x + h)], x, {"h": (h, after)}, {})


REFUSED = {
    "initial state": (
        lambda: chain(SimpleRNN(1, initial_state=True)),
        (
            "SimpleRNN: initial_state=True is not supported in a Keras model; "
            "supported: the zero state, and tensors, layer(x, initial_state=[h, c])"
        ),
    ),
    "cell": (
        lambda: chain(RNN(own_cell())),
        "RNN(Cell) is not supported in a Keras model; supported: SimpleRNNCell, LSTMCell, GRUCell",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_not_supported(make, message):
    with pytest.raises(NotImplementedError) as refused:
        build(make())
    assert str(refused.value) == message


def test_an_order_that_keras_does_not_have():
    graph = graph_of(first_visit())
    places = [0, 2, 1, 3, 4, 5]
    calls = tuple(type(call)(places.index(call.layer), call.inputs, call.states, call.mask) for call in graph.calls)
    other = type(graph)(tuple(graph.layers[place] for place in places), calls, graph.inputs, graph.outputs)
    with pytest.raises(NotImplementedError) as refused:
        build(other)
    assert str(refused.value) == "build: the layers' weights are in another order in Keras: b, a, c, d"


# files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_load(name, tmp_path):
    model = build(chain(LSTM(2), Dense(1)))
    loaded = load(saved(model, tmp_path, name))
    for array, reference in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, reference)


def test_load_runs_nothing_from_a_file(tmp_path):
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Lambda(lambda x: x)])
    for name in ("m.keras", "m.h5"):
        path = saved(model, tmp_path, name)
        with pytest.raises(NotImplementedError, match=r"layer 1 \(Lambda 'lambda'\): Lambda is not supported"):
            load(path)


def test_input_layers_keep_shape_dtype_and_name():
    x = Input((None,), "int64", name="ids")
    built = build(Model(x, Embedding(5, 2)(x)))
    assert from_keras(built).graph.layers[0] == InputLayer((None,), "int64")
    assert built.inputs[0].name == "ids"
