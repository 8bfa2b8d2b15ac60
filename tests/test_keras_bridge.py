"""The graphs and weights read from live Keras models and from their files, and every model that is refused."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest

from symrnn import layers as ours
from symrnn.graph import Call, Model, Result, graph_of
from symrnn.keras_bridge import from_keras, is_keras_model
from symrnn.keras_graph import read_graph
from symrnn.keras_layers import Origin
from symrnn.nonlinearities import activations
from tests.keras_bank import (
    BANK,
    LAYERS,
    QUIET,
    K,
    assert_refused,
    assert_same,
    functional,
    keras,
    randomized,
    saved,
    sequential,
    several_of_a_kind,
)

pytestmark = QUIET


@pytest.mark.parametrize("make", BANK.values(), ids=BANK)
def test_a_file_reads_as_the_live_model(make, tmp_path):
    model = randomized(make())
    live = from_keras(model)
    for array, reference in zip(live.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, reference)
    assert live.dtype == model.layers[-1].compute_dtype
    for name in ("m.keras", "m.h5", "m.hdf5"):
        path = saved(model, tmp_path, name)
        assert_same(from_keras(path), live)
        assert_same(from_keras(str(path)), live)


def test_the_bank_has_every_layer():
    found = {type(layer) for make in BANK.values() for layer in from_keras(make()).graph.layers}
    assert found == {*ours.LAYERS.values(), ours.InputLayer, ours.NotEqual}


# graphs -----------------------------------------------------------------------------------------


def test_names_are_those_of_keras_in_its_order():
    model = BANK["encoder, decoder"]()
    names = [layer.name for layer in from_keras(model).graph.layers]
    assert names == [*(layer.name for layer in model.layers), None]  # and the mask's


@pytest.mark.parametrize("make", [sequential, functional])
def test_layers(make):
    expected = ours.Sequential(
        [
            ours.SimpleRNN(4, return_sequences=True),
            ours.Dense(4, "relu"),
            ours.Dropout(0.5),
            ours.SimpleRNN(3, use_bias=False, return_sequences=True, go_backwards=True),
            ours.TimeDistributed(ours.Dense(3, "linear", use_bias=False)),
            ours.Activation("softsign"),
            ours.SimpleRNN(2, "sigmoid", unroll=True),
            ours.Dense(2, "linear", use_bias=False),
            ours.Dense(3, "linear"),
            ours.Activation("softmax"),
        ],
        (5, 3),
        "float32",
    )
    assert from_keras(make(*several_of_a_kind())).graph == graph_of(expected)


def read(layer, **options):
    return from_keras(sequential(layer, **options)).graph.layers[-1]


FLAGS = {"return_sequences": True, "return_state": True, "go_backwards": True, "unroll": True}
LAYER = {
    "LSTM": (lambda: K.LSTM(2, **FLAGS), ours.LSTM(2, **FLAGS)),
    "GRU": (
        lambda: K.GRU(2, "relu", "softsign", reset_after=False, zero_output_for_mask=True),
        ours.GRU(2, "relu", "softsign", reset_after=False, zero_output_for_mask=True),
    ),
    "RNN": (lambda: K.RNN(K.LSTMCell(2, use_bias=False)), ours.RNN(ours.LSTMCell(2, use_bias=False))),
    "stacked": (
        lambda: K.RNN([K.SimpleRNNCell(2), K.GRUCell(3, reset_after=False)]),
        ours.RNN((ours.SimpleRNNCell(2), ours.GRUCell(3, reset_after=False))),
    ),
    "Bidirectional": (
        lambda: K.Bidirectional(K.GRU(2, return_sequences=True), merge_mode=None),
        ours.Bidirectional(ours.GRU(2, return_sequences=True), merge_mode=None),
    ),
    "another backward layer": (
        lambda: K.Bidirectional(K.GRU(2, go_backwards=True), backward_layer=K.LSTM(2)),
        ours.Bidirectional(ours.GRU(2, go_backwards=True), backward_layer=ours.LSTM(2)),
    ),
    "ReLU": (lambda: K.ReLU(6.0, 0.1, 0.2), ours.ReLU(6.0, 0.1, 0.2)),
    "LeakyReLU": (lambda: K.LeakyReLU(0.1), ours.LeakyReLU(0.1)),
    "ELU": (lambda: K.ELU(0.5), ours.ELU(0.5)),
    "PReLU": (lambda: K.PReLU(shared_axes=[1]), ours.PReLU((1,))),
    "Masking": (lambda: K.Masking(0.5), ours.Masking(0.5)),
}


@pytest.mark.parametrize(("make", "expected"), LAYER.values(), ids=LAYER)
def test_arguments(make, expected):
    assert read(make()) == expected


def test_every_activation_is_read_under_keras_own_name():
    names = [name for name in [*activations, "softmax"] if name not in ("swish", "hard_swish")]
    model = sequential(*(K.Activation(name) for name in names))
    assert [layer.activation for layer in from_keras(model).graph.layers[1:]] == names


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


def test_timesteps_of_an_open_input():
    model = functional(K.SimpleRNN(4), shape=(None, 3))
    assert from_keras(model).graph.input_layers[0].shape == (None, 3)
    assert from_keras(model, timesteps=7).graph.input_layers[0].shape == (7, 3)
    assert from_keras(sequential(K.SimpleRNN(4)), timesteps=5).graph.input_layers[0].shape == (5, 3)


def test_the_input_layer_may_have_another_dtype_than_the_layers():
    imported = from_keras(sequential(K.SimpleRNN(2, dtype="float64")))
    assert (imported.dtype, imported.graph.input_layers[0].dtype) == ("float64", "float32")


def test_is_keras_model():
    assert is_keras_model(sequential(K.Dense(1)))
    for other in (keras.Sequential, ours.Sequential([ours.Dense(1)], (1, 1)), "model.keras", None):
        assert not is_keras_model(other)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_reading_a_file_imports_no_framework(name, tmp_path):
    path = saved(sequential(*several_of_a_kind()), tmp_path, name)
    code = f"""
import sys
import symrnn.keras_bridge as bridge
assert "h5py" not in sys.modules
assert len(bridge.from_keras({str(path)!r}).weights) == 14
assert not {{"keras", "tensorflow", "torch", "jax"}} & {{name.split(".")[0] for name in sys.modules}}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# refused models ---------------------------------------------------------------------------------


def named_output():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, {"y": K.Dense(2, name="a")(x)})


def training():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Dropout(0.5, name="d")(x, training=True))


def operation():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Dense(2, name="d")(x) * 2)


def mask_as_input():
    x, mask = keras.Input((5, 3), name="x"), keras.Input((5,), dtype="bool", name="m")
    return keras.Model([x, mask], K.GRU(2, name="g")(x, mask=mask))


def mask_as_output():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, keras.ops.not_equal(x, 0))


def mask_of_two():
    x = keras.Input((5, 3), name="x")
    a, b = K.Masking(0.25)(x), K.Masking(0.5)(x)
    mask = keras.ops.logical_or(a._keras_mask, b._keras_mask)
    return keras.Model(x, K.GRU(2, name="g")(a, mask=mask))


def two_inputs_of_a_layer():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Attention(name="a")([x, x]))


def inner_lambda():
    return sequential(K.Dense(3), keras.Sequential([keras.Input((5, 3)), K.Lambda(lambda x: x, name="l")], name="s"))


def inner_dtype():
    inner = keras.Sequential([keras.Input((5, 3), dtype="float64", name="i"), K.Dense(2)], name="s")
    return sequential(inner)


def inner_mask():
    x, inner = keras.Input((5, 3)), keras.Input((5, 3))
    model = keras.Model(inner, K.GRU(2)(inner), name="f")
    return keras.Model(x, model(x, mask=K.Masking()(x)._keras_mask))


def quantized():
    model = sequential(K.Dense(2, name="d"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.quantize("int8")
    return model


def custom_function(x):
    return x


class Custom(K.Layer):
    def call(self, x):
        return x


class Pretender(K.Dense):
    pass


Pretender.__name__ = "Dense"


@keras.saving.register_keras_serializable("mine")
class MyCell(K.GRUCell):
    pass


class MySequential(keras.Sequential):
    pass


class Subclassed(keras.Model):
    def __init__(self, function=print):
        super().__init__()

    def call(self, x):
        return x


UNITS = "units, activation, use_bias"
NOT_SUPPORTED = {
    "layer": (
        lambda: sequential(K.SimpleRNN(2, return_sequences=True), K.Conv1D(2, 3, name="c")),
        f"layer 2 (Conv1D 'c'): Conv1D is not supported; supported: {LAYERS}",
    ),
    "functional layer": (
        two_inputs_of_a_layer,
        f"layer 1 (Attention 'a'): Attention is not supported; supported: {LAYERS}",
    ),
    "lambda layer": (
        lambda: sequential(K.Dense(2), K.Dense(2), K.Lambda(lambda x: x, name="l")),
        f"layer 3 (Lambda 'l'): Lambda is not supported; supported: {LAYERS}",
    ),
    "lambda in a model": (
        inner_lambda,
        f"layer 2 (Sequential 's'): layer 1 (Lambda 'l'): Lambda is not supported; supported: {LAYERS}",
    ),
    "custom layer": (
        lambda: sequential(Custom(name="c")),
        f"layer 1 (Custom 'c'): Custom is not supported; supported: {LAYERS}",
    ),
    "custom layer of a known name": (
        lambda: sequential(Pretender(2, name="d")),
        f"layer 1 (Dense 'd'): the custom class Dense is not supported; supported: {LAYERS}",
    ),
    "custom cell": (
        lambda: sequential(K.RNN(MyCell(2), name="r")),
        (
            "layer 1 (RNN 'r'): RNN(MyCell) is not supported; "
            "supported: SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells"
        ),
    ),
    "custom model": (
        lambda: MySequential([keras.Input((5, 3)), K.Dense(2)]),
        "a model of class MySequential is not supported; supported: Sequential, Functional",
    ),
    "custom model in a model": (
        lambda: sequential(MySequential([keras.Input((5, 3)), K.Dense(2)], name="s")),
        f"layer 1 (MySequential 's'): MySequential is not supported; supported: {LAYERS}",
    ),
    "subclassed model": (
        Subclassed,
        "Subclassed: its to_json() fails; supported: Sequential and Functional",
    ),
    "wrapped layer": (
        lambda: sequential(K.TimeDistributed(K.Dropout(0.5), name="td")),
        "layer 1 (TimeDistributed 'td'): TimeDistributed(Dropout) is not supported; supported: TimeDistributed(Dense)",
    ),
    "sparse": (
        lambda: sequential(K.Dense(2), sparse=True),
        "InputLayer 'x': sparse=True is not supported; supported: sparse=False",
    ),
    "axis": (
        lambda: sequential(K.Softmax(axis=1, name="s")),
        "layer 1 (Softmax 's'): axis=1 is not supported; supported: axis=-1",
    ),
    "LoRA": (
        lambda: sequential(K.Dense(3, lora_rank=2, name="d")),
        f"layer 1 (Dense 'd'): argument lora_rank=2 is not supported; supported: {UNITS}",
    ),
    "quantized": (
        quantized,
        (
            "layer 1 (Dense 'd'): argument quantization_config=Int8QuantizationConfig is not supported; "
            f"supported: {UNITS}"
        ),
    ),
    "function": (
        lambda: sequential(K.Activation(custom_function, name="a")),
        (
            "layer 1 (Activation 'a'): activation=function custom_function is not supported; "
            "supported: the name of a Keras activation"
        ),
    ),
    "lambda": (
        lambda: sequential(K.LSTM(2, recurrent_activation=lambda x: x, name="r")),
        ("layer 1 (LSTM 'r'): recurrent_activation=lambda is not supported; supported: the name of a Keras activation"),
    ),
    "lambda inside": (
        lambda: sequential(K.RNN([K.GRUCell(2), K.GRUCell(2, lambda x: x, name="c")], name="r")),
        (
            "layer 1 (RNN 'r'): its StackedRNNCells 'stacked_rnn_cells': its GRUCell 'c': "
            "activation=lambda is not supported; supported: the name of a Keras activation"
        ),
    ),
    "activation layer": (
        lambda: sequential(K.TimeDistributed(K.Dense(2, activation=K.ReLU(), name="d"), name="td")),
        (
            "layer 1 (TimeDistributed 'td'): its Dense 'd': activation=ReLU is not supported; "
            "supported: the name of a Keras activation"
        ),
    ),
    "named output": (
        named_output,
        "output_layers: expected a layer or a list of layers, got {'y': ['a', 0, 0]}",
    ),
    "training": (
        training,
        "layer 1 (Dropout 'd'): the call (tensor, training=True) is not supported; supported: (inputs)",
    ),
    "operation": (
        operation,
        (
            "operation (Multiply 'multiply'): Multiply of keras.src.ops.numpy is not supported; "
            f"supported: the layers {LAYERS}"
        ),
    ),
    "mask as input": (
        mask_as_input,
        "layer 1 (GRU 'g'): a mask that is an input or the output of a layer is not supported",
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
    "float16": (
        lambda: sequential(K.Dense(2, dtype="float16", name="d")),
        "layer 1 (Dense 'd'): dtype float16 is not supported; supported: float32, float64",
    ),
    "bfloat16": (
        lambda: sequential(K.SimpleRNN(2), K.Dense(2, dtype="bfloat16", name="d")),
        "layer 2 (Dense 'd'): dtype bfloat16 is not supported; supported: float32, float64",
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


@pytest.mark.parametrize("case", ["layer", "function", "named output", "custom model", "LoRA", "lambda in a model"])
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_not_supported_in_a_file(case, name, tmp_path):
    make, message = NOT_SUPPORTED[case]
    path = saved(make(), tmp_path, name)
    assert_refused(NotImplementedError, f"{path}: {message}", path)


SHAPES = "(timesteps, features), (timesteps,) of ids or (features,)"
WRONG = {
    "unbuilt": (
        lambda: keras.Sequential([K.SimpleRNN(2)]),
        (
            "the model has no input shape: build it, with keras.Input((timesteps, features)) as its first layer "
            "or by calling it once"
        ),
    ),
    "rank 3": (
        lambda: sequential(K.Dense(2), shape=(4, 5, 3)),
        f"InputLayer 'x': expected an input of shape {SHAPES}, got (4, 5, 3)",
    ),
    "features": (
        lambda: sequential(K.Activation("tanh"), shape=(5, None)),
        "InputLayer 'x': expected a number of features, got the shape (5, None)",
    ),
    "ids": (
        lambda: sequential(K.Embedding(3, 2), shape=(5, 3)),
        "InputLayer 'x': expected ids of shape (timesteps,), got (5, 3)",
    ),
    "no layers": (sequential, "config: expected at least one layer, got none"),
    "a number": (lambda: 3, "expected a Keras model or the path of a .keras or .h5 file, got 3"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_wrong(make, message):
    assert_refused(ValueError, message, make())


@pytest.mark.parametrize(
    ("timesteps", "message"),
    [
        (4, "derive: timesteps: expected 5, as the model has it, got 4"),
        (0, "from_keras: timesteps: expected a positive whole number, got 0"),
        ("5", "from_keras: timesteps: expected a positive whole number, got '5'"),
    ],
)
def test_wrong_timesteps(timesteps, message):
    assert_refused(ValueError, message, sequential(K.SimpleRNN(2)), timesteps)


class Stub:
    """A live model of Keras with other weights than it has."""

    def __init__(self, model, weights):
        self.to_json, self.get_weights = model.to_json, lambda: weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "expected 2 arrays of weights, got 0"),
        (
            [np.zeros((2, 2), "float32")] * 2,
            "layer 1 (Dense 'd'): kernel: expected an array of shape (3, 2), got (2, 2)",
        ),
        ([np.zeros((3, 2)), np.zeros(2)], "layer 1 (Dense 'd'): kernel: expected float32, got float64"),
    ],
)
def test_wrong_live_weights(weights, message):
    assert_refused(ValueError, message, Stub(sequential(K.Dense(2, name="d")), weights))


# versions of Keras ------------------------------------------------------------------------------


def config_of(model):
    return json.loads(model.to_json())


MASKS_END = (
    "a mask for a layer that returns a sequence is not supported for Keras 3.16 and later, whose masks end there; "
    "supported: masks of Keras 3.0 to 3.15"
)


@pytest.mark.parametrize("make", [sequential, functional])
def test_masks_of_keras_3_16_end_at_a_recurrent_layer(make):
    through = config_of(make(K.Masking(), K.LSTM(2, return_sequences=True, name="l"), K.LSTM(2)))
    until = config_of(make(K.Masking(), K.Dense(2), K.LSTM(2)))
    for version in (None, (3, 10), (3, 15)):
        read_graph(through, Origin(version))
    read_graph(until, Origin((3, 16)))
    with pytest.raises(NotImplementedError, match=rf"^layer 2 \(LSTM 'l'\): {MASKS_END}$"):
        read_graph(through, Origin((3, 16)))


def test_a_small_config_of_many_calls():
    inner = keras.Sequential([keras.Input((5, 3)), K.Dense(3)])
    for _ in range(14):
        x = keras.Input((5, 3))
        inner = keras.Model(x, inner(inner(x)))
    with pytest.raises(NotImplementedError, match=r": config: more than 10000 calls of layers are not supported$"):
        from_keras(inner)
