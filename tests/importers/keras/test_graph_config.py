"""Graphs of Keras configs: their calls, models in models, masks, and what is refused."""

import json

import pytest

import symrnn as ours
from symrnn.importers.keras.graph_config import read_graph
from symrnn.importers.keras.layer_config import ConfigOrigin
from symrnn.importers.keras.reader import from_keras
from symrnn.models.graph import Call, Model, Result, graph_of
from tests.support.keras_bank import BANK, LAYERS, QUIET, K, assert_refused, functional, keras, sequential

pytestmark = QUIET


def test_encoder_and_decoder():
    graph = from_keras(BANK["encoder, decoder"]()).graph
    assert graph.layers == (
        ours.InputLayer((None,), "int32"),
        ours.Embedding(7, 3, mask_zero=True),
        ours.InputLayer((None, 3), "float32"),
        ours.LSTM(4, return_state=True),
        ours.LSTM(4, return_sequences=True),
        ours.Dense(2, "softmax"),
        ours.NotEqual(0.0),
    )
    assert graph.calls == (
        Call(0),
        Call(2),
        Call(1, (Result(0),)),
        Call(6, (Result(0),)),
        Call(3, (Result(2),), mask=Result(3)),
        Call(4, (Result(1),), (Result(4, 1), Result(4, 2))),
        Call(5, (Result(5),)),
    )
    assert (graph.inputs, graph.outputs) == ((0, 1), (Result(6),))


def test_a_graph_as_symrnn_writes_it():
    x, rows = ours.Input((5, 3), "float32"), ours.Input((4,), "float32")
    flat = ours.Flatten()(ours.Multiply()(x, ours.Dense(3, "linear")(x)))
    y = ours.Average()(ours.Dense(4, "linear")(ours.Concatenate()(flat, rows)), rows, rows)
    assert from_keras(BANK["branches"]()).graph == graph_of(Model([x, rows], y))


def test_a_shared_layer_is_one_layer_of_several_calls():
    graph = from_keras(BANK["shared"]()).graph
    assert graph.layers[1:] == (ours.GRU(3, return_sequences=True), ours.Dense(3, "linear"))
    assert graph.calls[1:] == (
        Call(1, (Result(0),)),
        Call(2, (Result(1),)),
        Call(1, (Result(2),)),
        Call(2, (Result(0),)),
    )


def test_an_explicit_mask_is_a_call_and_a_decoder_has_none():
    graph = from_keras(BANK["masked with states"]()).graph
    implicit, explicit = (call for call in graph.calls if call.states)
    assert implicit.mask is None
    test = graph.calls[explicit.mask.call]
    assert (graph.layer(test), test.inputs) == (ours.NotEqual(0.5), (Result(0),))


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_a_mask_may_be_an_input(dtype):
    x, mask = keras.Input((5, 3)), keras.Input((5,), dtype=dtype)
    graph = from_keras(keras.Model([x, mask], K.GRU(2)(x, mask=mask))).graph
    assert [call.mask for call in graph.calls] == [None, None, Result(1)]


def test_a_mask_that_is_used_twice_is_tested_once():
    x = keras.Input((5, 3))
    masked = K.Masking(0.5)(x)
    mask = masked._keras_mask
    graph = from_keras(keras.Model(x, [K.GRU(2)(masked, mask=mask), K.LSTM(2)(masked, mask=mask)])).graph
    assert sum(isinstance(graph.layer(call), ours.NotEqual) for call in graph.calls) == 1


def test_masks_of_merges_are_those_that_the_values_carry():
    graph = from_keras(BANK["masks of merges"]()).graph
    masked = [type(graph.layer(call)).__name__ for call in graph.calls if call.mask is not None]
    assert sorted(masked) == ["GRU", "SimpleRNN"]


def test_the_calls_of_a_model_in_a_model_are_in_its_place():
    graph = from_keras(BANK["models in models"]()).graph
    kinds = [type(graph.layer(call)).__name__ for call in graph.calls]
    inner, chain = ["Dense", "GRU", "GlobalAveragePooling1D"], ["Dense", "SimpleRNN"]
    assert sorted(kinds) == sorted(["InputLayer", "Masking", *inner, *chain, *inner, *chain, "Dense"])
    assert len(graph.layers) == 2 + len(inner) + len(chain) + 1


def operation():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Dense(2, name="d")(x) * 2)


def mask_of_a_layer():
    x, z = keras.Input((5, 3), name="x"), keras.Input((2,), name="z")
    return keras.Model([x, z], K.GRU(2, name="g")(x, mask=K.Dense(5)(z)))


def mask_as_output():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, keras.ops.not_equal(x, 0))


def mask_of_two():
    x = keras.Input((5, 3), name="x")
    a, b = K.Masking(0.25)(x), K.Masking(0.5)(x)
    mask = keras.ops.logical_or(a._keras_mask, b._keras_mask)
    return keras.Model(x, K.GRU(2, name="g")(a, mask=mask))


def inner_dtype():
    inner = keras.Sequential([keras.Input((5, 3), dtype="float64", name="i"), K.Dense(2)], name="s")
    return sequential(inner)


def inner_mask():
    x, inner = keras.Input((5, 3)), keras.Input((5, 3))
    model = keras.Model(inner, K.GRU(2)(inner), name="f")
    return keras.Model(x, model(x, mask=K.Masking()(x)._keras_mask))


class MySequential(keras.Sequential):
    pass


NOT_SUPPORTED = {
    "operation": (
        operation,
        "operation (Multiply 'multiply'): Multiply of a tensor and a number is not supported; supported: tensors",
    ),
    "difference": (
        lambda: functional(K.Dense(3), lambda x: x - x),
        "operation (Subtract 'subtract'): Subtract of keras.src.ops.numpy is not supported; "
        f"supported: the layers {LAYERS}",
    ),
    "activation": (
        lambda: functional(keras.ops.hard_sigmoid),
        "operation (HardSigmoid 'hard_sigmoid'): HardSigmoid of keras.src.ops.nn is not supported; "
        "supported: the layer Activation('hard_sigmoid')",
    ),
    "another approximation": (
        lambda: functional(keras.ops.gelu),
        f"operation (Gelu 'gelu'): Gelu of keras.src.ops.nn is not supported; supported: the layers {LAYERS}",
    ),
    "one more axis of a tensor": (
        lambda: functional(lambda x: keras.ops.expand_dims(x, -1), shape=(5,)),
        "operation (ExpandDims 'expand_dims'): ExpandDims of keras.src.ops.numpy is not supported; "
        f"supported: the layers {LAYERS}",
    ),
    "another axis": (
        lambda: functional(lambda x: keras.ops.concatenate([x, x], axis=1)),
        "operation (Concatenate 'concatenate'): axis=1 is not supported; supported: axis=-1",
    ),
    "a mask dropped": (
        lambda: functional(K.Masking(), lambda x: x + x),
        "operation (Add 'add'): Add drops the mask of a tensor; supported: the layer Add, which keeps it",
    ),
    "custom model in a model": (
        lambda: sequential(MySequential([keras.Input((5, 3)), K.Dense(2)], name="s")),
        f"layer 1 (MySequential 's'): the custom class MySequential is not supported; supported: {LAYERS}",
    ),
    "mask of a layer": (
        mask_of_a_layer,
        (
            "layer 2 (GRU 'g'): a mask that is the output of a layer is not supported; "
            "supported: an input of shape (timesteps,)"
        ),
    ),
    "mask as output": (
        mask_as_output,
        "a mask as the input or output of a layer is not supported",
    ),
    "mask of two": (
        mask_of_two,
        "layer 2 (GRU 'g'): a mask made of several masks is not supported",
    ),
    "mask of a model": (
        inner_mask,
        "layer 1 (Functional 'f'): a mask for a model in a model is not supported",
    ),
    "mixed policy": (
        lambda: sequential(K.TimeDistributed(K.Dense(2, dtype="mixed_float16"), name="td")),
        "layer 1 (TimeDistributed 'td'): dtype mixed_float16 is not supported; supported: float32, float64",
    ),
    "two dtypes": (
        lambda: sequential(K.SimpleRNN(2), K.Dense(2, dtype="float64", name="d")),
        (
            "layer 2 (Dense 'd'): dtype float64 after layers of dtype float32 is not supported; "
            "supported: one dtype for all layers"
        ),
    ),
    "two dtypes in one": (
        lambda: sequential(K.RNN(K.GRUCell(2, dtype="float64"), name="r")),
        (
            "layer 1 (RNN 'r'): dtype float64 after layers of dtype float32 is not supported; "
            "supported: one dtype for all layers"
        ),
    ),
    "integers": (
        lambda: sequential(K.SimpleRNN(2), dtype="int32"),
        "InputLayer 'x': dtype int32 is not supported; supported: float32, float64",
    ),
    "dtype of an inner input": (
        inner_dtype,
        "InputLayer 'i': dtype float64 is not supported; supported: float32",
    ),
}


@pytest.mark.parametrize(("make", "message"), NOT_SUPPORTED.values(), ids=NOT_SUPPORTED)
def test_not_supported(make, message):
    keras.utils.clear_session(free_memory=False)
    assert_refused(NotImplementedError, message, make())


MASKS_END = (
    "a mask for a layer that returns a sequence is not supported for Keras 3.16 and later, whose masks end there; "
    "supported: masks of Keras 3.0 to 3.15"
)


@pytest.mark.parametrize("make", [sequential, functional])
def test_masks_of_keras_3_16_end_at_a_recurrent_layer(make):
    through = json.loads(make(K.Masking(), K.LSTM(2, return_sequences=True, name="l"), K.LSTM(2)).to_json())
    until = json.loads(make(K.Masking(), K.Dense(2), K.LSTM(2)).to_json())
    for version in (None, (3, 10), (3, 15)):
        read_graph(through, ConfigOrigin(version))
    read_graph(until, ConfigOrigin((3, 16)))
    with pytest.raises(NotImplementedError, match=rf"^layer 2 \(LSTM 'l'\): {MASKS_END}$"):
        read_graph(through, ConfigOrigin((3, 16)))


def test_a_small_config_of_many_calls():
    inner = keras.Sequential([keras.Input((5, 3)), K.Dense(3)])
    for _ in range(14):
        x = keras.Input((5, 3))
        inner = keras.Model(x, inner(inner(x)))
    with pytest.raises(NotImplementedError, match=r": config: more than 10000 calls of layers are not supported$"):
        from_keras(inner)
