"""The layers and weights read from live Keras models and from .keras files, and everything refused."""

import io
import json
import os
import re
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest

from symrnn import layers as ours
from symrnn.functions import activations
from symrnn.keras_bridge import Imported, from_keras, is_keras_model
from symrnn.keras_file import _LIMITS

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")
K = keras.layers

# Keras' own: its calls of NumPy, and what it would refuse to load again
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore:.*lambda")]

LAYERS = "SimpleRNN, Dense, TimeDistributed(Dense), Activation, Dropout"
CHAIN = "a chain of layers from one input to one output, each called once"
NAMES = ", ".join(sorted([*activations, "softmax"]))


def sequential(*layers, shape=(5, 3), **options):
    return keras.Sequential([keras.Input(shape, name="x", **options), *layers])


def functional(*layers, shape=(5, 3)):
    x = y = keras.Input(shape, name="x")
    for layer in layers:
        y = layer(y)
    return keras.Model(x, y)


def float64():
    return sequential(K.SimpleRNN(2, dtype="float64"), K.Dense(1, dtype="float64"), dtype="float64")


def called_once():
    model = keras.Sequential([K.SimpleRNN(2, name="rnn"), K.Dense(1, name="out")])
    model(np.zeros((4, 5, 3), "float32"))
    return model


def several_of_a_kind():
    return (
        K.SimpleRNN(4, return_sequences=True, name="b"),
        K.Dense(4, name="a", activation="relu"),
        K.Dropout(0.5),
        K.SimpleRNN(3, return_sequences=True, use_bias=False, go_backwards=True, name="a_1"),
        K.TimeDistributed(K.Dense(3, use_bias=False)),
        K.Activation("softsign"),
        K.SimpleRNN(2, activation="sigmoid", dropout=0.1, recurrent_dropout=0.2, unroll=True, trainable=False),
        K.Dense(2, use_bias=False),
        K.Dense(3),
        K.Activation("softmax"),
    )


def in_lists():
    x = keras.Input((5, 3))
    return keras.Model([x], [K.TimeDistributed(K.Dense(2, activation="tanh"))(x)])


def training_off():
    x = keras.Input((5, 3))
    return keras.Model(x, K.SimpleRNN(2)(K.Dropout(0.5)(x, training=False), training=False))


def part_of_another():
    whole = functional(K.Dense(4), K.SimpleRNN(2), K.Dense(1))
    return keras.Model(whole.layers[2].input, whole.layers[2].output)


def quiet_reference():
    model = functional(K.SimpleRNN(2), K.Dense(1))
    model.compile(optimizer="adam", loss=lambda y_true, y_pred: y_pred)
    model.head = model.layers[2]
    return model


BANK = {
    "one layer": lambda: sequential(K.SimpleRNN(4)),
    "dense": lambda: sequential(K.SimpleRNN(4), K.Dense(1)),
    "functional": lambda: functional(K.SimpleRNN(4), K.Dense(2, activation="softmax")),
    "several": lambda: sequential(*several_of_a_kind()),
    "functional several": lambda: functional(*several_of_a_kind()),
    "open in time": lambda: functional(K.SimpleRNN(4), shape=(None, 3)),
    "no weights": lambda: sequential(K.Activation("tanh"), K.Dropout(0.3)),
    "regularized": lambda: sequential(
        K.Dense(2, kernel_regularizer="l2", activity_regularizer="l1", bias_constraint="non_neg")
    ),
    "batch size": lambda: sequential(K.SimpleRNN(2), shape=None, batch_shape=(2, 5, 3)),
    "float64": float64,
    "called once": called_once,
    "in lists": in_lists,
    "training off": training_off,
    "part of another": part_of_another,
    "compiled": quiet_reference,
}


def saved(model, tmp_path, name="m.keras"):
    model.save(tmp_path / name)
    return tmp_path / name


def randomize(model):
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=array.shape) for array in model.get_weights()])
    return model


def assert_same(got: Imported, expected: Imported):
    assert (got.model, got.dtype) == (expected.model, expected.dtype)
    assert [layer.name for layer in got.model.layers] == [layer.name for layer in expected.model.layers]
    for ours_, theirs in zip(got.weights, expected.weights, strict=True):
        assert ours_.dtype == theirs.dtype
        np.testing.assert_array_equal(ours_, theirs)


@pytest.mark.parametrize("make", BANK.values(), ids=BANK)
def test_a_file_reads_as_the_live_model(make, tmp_path):
    model = randomize(make())
    live = from_keras(model)
    for array, reference in zip(live.weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, reference)
    assert [layer.name for layer in live.model.layers] == [
        layer.name for layer in model.layers if not isinstance(layer, K.InputLayer)
    ]
    assert live.dtype == model.layers[-1].compute_dtype
    path = saved(model, tmp_path)
    assert_same(from_keras(path), live)
    assert_same(from_keras(str(path)), live)


@pytest.mark.parametrize("make", [sequential, functional])
def test_layers(make):
    assert from_keras(make(*several_of_a_kind())).model == ours.Sequential(
        [
            ours.SimpleRNN(4, return_sequences=True),
            ours.Dense(4, "relu"),
            ours.Dropout(0.5),
            ours.SimpleRNN(3, use_bias=False, return_sequences=True, go_backwards=True),
            ours.TimeDistributed(ours.Dense(3, "linear", use_bias=False)),
            ours.Activation("softsign"),
            ours.SimpleRNN(2, "sigmoid"),
            ours.Dense(2, "linear", use_bias=False),
            ours.Dense(3, "linear"),
            ours.Activation("softmax"),
        ],
        (5, 3),
    )


def test_every_activation_is_read_under_keras_own_name():
    names = [name for name in [*activations, "softmax"] if name not in ("swish", "hard_swish")]
    model = sequential(*(K.Activation(name) for name in names))
    assert [layer.activation for layer in from_keras(model).model.layers] == names


def test_timesteps_of_an_open_input():
    model = functional(K.SimpleRNN(4), shape=(None, 3))
    assert from_keras(model).model.input_shape == (None, 3)
    assert from_keras(model, timesteps=7).model.input_shape == (7, 3)
    assert from_keras(sequential(K.SimpleRNN(4)), timesteps=5).model.input_shape == (5, 3)


def test_the_input_layer_may_have_another_dtype_than_the_layers():
    assert from_keras(sequential(K.SimpleRNN(2, dtype="float64"))).dtype == "float64"


def test_is_keras_model():
    assert is_keras_model(sequential(K.Dense(1)))
    for other in (keras.Sequential, ours.Sequential([ours.Dense(1)], (1, 1)), "model.keras", None):
        assert not is_keras_model(other)


def test_reading_a_file_imports_no_framework(tmp_path):
    path = saved(sequential(*several_of_a_kind()), tmp_path)
    code = f"""
import sys
import symrnn.keras_bridge as bridge
assert "h5py" not in sys.modules
assert len(bridge.from_keras({str(path)!r}).weights) == 14
assert not {{"keras", "tensorflow", "torch", "jax"}} & {{name.split(".")[0] for name in sys.modules}}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# refused models ---------------------------------------------------------------------------------


def unbuilt():
    return keras.Sequential([K.SimpleRNN(2)])


def twice():
    layer = K.Dense(3, name="d")
    return functional(layer, layer)


def two_inputs():
    x, state = keras.Input((5, 3), name="x"), keras.Input((2,), name="h")
    return keras.Model([x, state], K.SimpleRNN(2, name="r")(x, initial_state=state))


def two_outputs():
    x = keras.Input((5, 3), name="x")
    h = K.Dense(2, name="a")(x)
    return keras.Model(x, [h, K.Dense(2, name="b")(h)])


def named_output():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, {"y": K.Dense(2, name="a")(x)})


def training():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Dropout(0.5, name="d")(x, training=True))


def branches():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Add(name="sum")([K.Dense(2, name="a")(x), K.Dense(2, name="b")(x)]))


def operation():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Dense(2, name="d")(x) * 2)


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


class MySequential(keras.Sequential):
    pass


class Subclassed(keras.Model):
    def __init__(self, function=print):
        super().__init__()

    def call(self, x):
        return x


NOT_SUPPORTED = {
    "layer": (
        lambda: sequential(K.SimpleRNN(2, return_sequences=True), K.LSTM(2, name="l")),
        f"layer 2 (LSTM 'l'): LSTM is not supported; supported: {LAYERS}",
    ),
    "functional layer": (
        lambda: functional(K.SimpleRNN(2, return_sequences=True), K.GRU(2, name="g")),
        f"layer 2 (GRU 'g'): GRU is not supported; supported: {LAYERS}",
    ),
    "lambda layer": (
        lambda: sequential(K.Lambda(lambda x: x, name="l")),
        f"layer 1 (Lambda 'l'): Lambda is not supported; supported: {LAYERS}",
    ),
    "custom layer": (
        lambda: sequential(Custom(name="c")),
        f"layer 1 (Custom 'c'): Custom is not supported; supported: {LAYERS}",
    ),
    "custom layer of a known name": (
        lambda: sequential(Pretender(2, name="d")),
        f"layer 1 (Dense 'd'): the custom class Dense is not supported; supported: {LAYERS}",
    ),
    "nested": (
        lambda: sequential(keras.Sequential([K.Dense(2)], name="s")),
        f"layer 1 (Sequential 's'): Sequential is not supported; supported: {LAYERS}",
    ),
    "custom model": (
        lambda: MySequential([keras.Input((5, 3)), K.Dense(2)]),
        "a model of class MySequential is not supported; supported: Sequential, Functional",
    ),
    "subclassed model": (
        Subclassed,
        "Subclassed: its to_json() fails; supported: Sequential and Functional",
    ),
    "return_state": (
        lambda: functional(K.SimpleRNN(2, return_state=True, name="r"), lambda outputs: outputs[0]),
        "layer 1 (SimpleRNN 'r'): return_state=True is not supported; supported: return_state=False",
    ),
    "stateful": (
        lambda: sequential(K.SimpleRNN(2, stateful=True, name="r"), shape=None, batch_shape=(1, 5, 3)),
        "layer 1 (SimpleRNN 'r'): stateful=True is not supported; supported: stateful=False",
    ),
    "sparse": (
        lambda: sequential(K.Dense(2), sparse=True),
        "InputLayer 'x': sparse=True is not supported; supported: sparse=False",
    ),
    "LoRA": (
        lambda: sequential(K.Dense(3, lora_rank=2, name="d")),
        "layer 1 (Dense 'd'): argument lora_rank=2 is not supported; supported: units, activation, use_bias",
    ),
    "quantized": (
        quantized,
        (
            "layer 1 (Dense 'd'): argument quantization_config=Int8QuantizationConfig is not supported; "
            "supported: units, activation, use_bias"
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
        lambda: sequential(K.SimpleRNN(2, activation=lambda x: x, name="r")),
        "layer 1 (SimpleRNN 'r'): activation=lambda is not supported; supported: the name of a Keras activation",
    ),
    "activation layer": (
        lambda: sequential(K.TimeDistributed(K.Dense(2, activation=K.ReLU(), name="d"), name="td")),
        (
            "layer 1 (TimeDistributed 'td'): its Dense 'd': activation=ReLU is not supported; "
            "supported: the name of a Keras activation"
        ),
    ),
    "glu": (
        lambda: sequential(K.Dense(2, activation="glu", name="d")),
        (
            "layer 1 (Dense 'd'): activation 'glu' is not supported (a function of a whole row that halves its width); "
            f"supported: {NAMES}"
        ),
    ),
    "TimeDistributed": (
        lambda: sequential(K.TimeDistributed(K.Dropout(0.5), name="td")),
        "layer 1 (TimeDistributed 'td'): TimeDistributed(Dropout) is not supported; supported: TimeDistributed(Dense)",
    ),
    "TimeDistributed LoRA": (
        lambda: sequential(K.TimeDistributed(K.Dense(3, lora_rank=2, name="d"), name="td")),
        (
            "layer 1 (TimeDistributed 'td'): its Dense 'd': argument lora_rank=2 is not supported; "
            "supported: units, activation, use_bias"
        ),
    ),
    "twice": (twice, f"layer 1 (Dense 'd'): called 2 times; supported: {CHAIN}"),
    "two inputs": (
        two_inputs,
        "layer 1 (SimpleRNN 'r'): the call (tensor, initial_state=tensor) is not supported; supported: (tensor)",
    ),
    "two outputs": (
        two_outputs,
        f"output_layers: expected one layer, got [['a', 0, 0], ['b', 0, 0]]; supported: {CHAIN}",
    ),
    "named output": (
        named_output,
        f"output_layers: expected one layer, got {{'y': ['a', 0, 0]}}; supported: {CHAIN}",
    ),
    "training": (
        training,
        "layer 1 (Dropout 'd'): the call (tensor, training=True) is not supported; supported: (tensor)",
    ),
    "branches": (branches, f"layer 3 (Add 'sum'): Add is not supported; supported: {LAYERS}"),
    "operation": (operation, f"layer 2 (Multiply 'multiply'): Multiply is not supported; supported: {LAYERS}"),
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
    "integers": (
        lambda: sequential(K.SimpleRNN(2), dtype="int32"),
        "InputLayer 'x': dtype int32 is not supported; supported: float32, float64",
    ),
}


def assert_refused(error, message, model, timesteps=None):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        from_keras(model, timesteps)


@pytest.mark.parametrize(("make", "message"), NOT_SUPPORTED.values(), ids=NOT_SUPPORTED)
def test_not_supported(make, message):
    keras.utils.clear_session(free_memory=False)
    assert_refused(NotImplementedError, message, make())


@pytest.mark.parametrize("case", ["layer", "function", "two outputs", "custom model", "LoRA"])
def test_not_supported_in_a_file(case, tmp_path):
    make, message = NOT_SUPPORTED[case]
    path = saved(make(), tmp_path)
    assert_refused(NotImplementedError, f"{path}: {message}", path)


WRONG = {
    "unbuilt": (
        unbuilt,
        (
            "the model has no input shape: build it, with keras.Input((timesteps, features)) as its first layer "
            "or by calling it once"
        ),
    ),
    "rank 1": (
        lambda: sequential(K.Dense(2), shape=(3,)),
        "InputLayer 'x': expected an input of shape (timesteps, features), got (3,)",
    ),
    "rank 3": (
        lambda: sequential(K.Dense(2), shape=(4, 5, 3)),
        "InputLayer 'x': expected an input of shape (timesteps, features), got (4, 5, 3)",
    ),
    "features": (
        lambda: sequential(K.Activation("tanh"), shape=(5, None)),
        "InputLayer 'x': input_shape: features: expected a positive whole number, got None",
    ),
    "no layers": (sequential, "Sequential: expected at least one layer, got none"),
    "a number": (lambda: 3, "expected a Keras model or the path of a .keras file, got 3"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_wrong(make, message):
    assert_refused(ValueError, message, make())


@pytest.mark.parametrize(
    ("timesteps", "message"),
    [
        (4, "InputLayer 'x': timesteps: expected 5, the length of the input, got 4"),
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


# refused files ----------------------------------------------------------------------------------


@pytest.fixture
def contents(tmp_path):
    """The members of a good file, by name."""
    model = functional(K.SimpleRNN(2, return_sequences=True, name="r"), K.Dense(1, name="d"))
    with zipfile.ZipFile(saved(model, tmp_path)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents, tmp_path):
    path = tmp_path / "changed.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def test_a_compressed_file_is_read(contents, tmp_path):
    assert_same(from_keras(packed(contents, tmp_path)), from_keras(tmp_path / "m.keras"))


def test_missing_file(tmp_path):
    assert_refused(FileNotFoundError, f"{tmp_path}/none.keras: no such file", tmp_path / "none.keras")


@pytest.mark.parametrize("name", ["model.h5", "model", "weights.weights.h5"])
def test_other_formats(name, tmp_path):
    message = f"{tmp_path}/{name}: expected a file that ends in .keras, as model.save('model.keras') writes"
    assert_refused(NotImplementedError, message, tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "File is not a zip file"),
        (b"neither", "File is not a zip file"),
        (None, "[Errno 21] Is a directory: '{}'"),
    ],
)
def test_not_a_zip(content, message, tmp_path):
    path = tmp_path / "m.keras"
    path.mkdir() if content is None else path.write_bytes(content)
    message = f"{path}: expected a zip file, got one that cannot be read: {message.format(path)}"
    assert_refused(ValueError, message, path)


def test_a_flipped_byte_of_the_weights(contents, tmp_path):
    path = tmp_path / "m.keras"
    content = bytearray(path.read_bytes())
    content[content.index(contents["model.weights.h5"]) + 3000] ^= 1
    path.write_bytes(content)
    message = f"{path}: expected a zip file, got one that cannot be read: Bad CRC-32 for file 'model.weights.h5'"
    assert_refused(ValueError, message, path)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_missing_member(name, contents, tmp_path):
    del contents[name]
    path = packed(contents, tmp_path)
    assert_refused(ValueError, f"{path}: {name}: missing from the zip file", path)


def test_a_config_too_large(contents, tmp_path):
    contents["config.json"] += b" " * 64 * 2**20
    path = packed(contents, tmp_path)
    size = len(contents["config.json"])
    assert_refused(ValueError, f"{path}: config.json: expected at most 67108864 bytes, got {size}", path)


def test_weights_too_large(contents, tmp_path, monkeypatch):
    monkeypatch.setitem(_LIMITS, "model.weights.h5", 100)
    path = packed(contents, tmp_path)
    size = len(contents["model.weights.h5"])
    assert_refused(ValueError, f"{path}: model.weights.h5: expected at most 100 bytes, got {size}", path)


JSON = {
    "empty": (b"", "config.json: invalid JSON: Expecting value: line 1 column 1 (char 0)"),
    "not text": (
        b"\xff{}",
        "config.json: invalid JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
    ),
    "deep": (
        b"[" * 100_000,
        "config.json: invalid JSON: maximum recursion depth exceeded while decoding a JSON array from a unicode string",
    ),
    "a list": (b"[]", "config: class_name: expected str, got None"),
    "no config": (b'{"class_name": "Sequential"}', "config: config: expected dict, got None"),
    "no layers": (
        b'{"module": "keras", "class_name": "Sequential", "config": {}}',
        "config: layers: expected list, got None",
    ),
    "a layer": (
        b'{"module": "keras", "class_name": "Sequential", "config": {"layers": [1]}}',
        "config: class_name: expected str, got None",
    ),
}


@pytest.mark.parametrize(("content", "message"), JSON.values(), ids=JSON)
def test_wrong_json(content, message, contents, tmp_path):
    path = packed({**contents, "config.json": content}, tmp_path)
    assert_refused(ValueError, f"{path}: {message}", path)


def test_the_graph_orders_the_layers_not_the_list(contents, tmp_path):
    config = json.loads(contents["config.json"])
    config["config"]["layers"].reverse()
    path = packed({**contents, "config.json": json.dumps(config)}, tmp_path)
    assert_same(from_keras(path), from_keras(tmp_path / "m.keras"))


def node(config, place):
    return config["config"]["layers"][place]["inbound_nodes"]


def renamed(config):
    node(config, 1)[0]["args"][0]["config"]["keras_history"][0] = "z"


def cycle(config):
    node(config, 1)[0]["args"][0]["config"]["keras_history"][0] = "d"


def second_output(config):
    node(config, 2)[0]["args"][0]["config"]["keras_history"][2] = 1


def unused_layer(config):
    config["config"]["output_layers"][0] = "r"


def not_called(config):
    node(config, 2).clear()


def other_input(config):
    config["config"]["input_layers"][0] = "r"


def units(config):
    config["config"]["layers"][1]["config"]["units"] = "2"


def no_units(config):
    config["config"]["layers"][2]["config"]["units"] = 0


def activation(config):
    config["config"]["layers"][1]["config"]["activation"] = "tan"


def no_activation(config):
    del config["config"]["layers"][1]["config"]["activation"]


def new_argument(config):
    config["config"]["layers"][1]["config"]["gate"] = 1


def second_input(config):
    config["class_name"], config["registered_name"] = "Sequential", None
    config["config"]["layers"].append(config["config"]["layers"][0])


def registered(config):
    config["config"]["layers"][2]["registered_name"] = "Custom>Dense"


CHANGED = {
    renamed: (
        ValueError,
        "layer 1 (SimpleRNN 'r'): config: the graph names a layer 'z' that is not in the list of layers",
    ),
    cycle: (ValueError, "config: input_layers: expected 'r', which leads to the output, got 'x'"),
    second_output: (
        ValueError,
        "layer 2 (Dense 'd'): config: expected a tensor's history [layer, call, 0], got ['r', 0, 1]",
    ),
    unused_layer: (
        NotImplementedError,
        f"layer 2 (Dense 'd'): not between the input and the output; supported: {CHAIN}",
    ),
    not_called: (NotImplementedError, f"layer 2 (Dense 'd'): called 0 times; supported: {CHAIN}"),
    other_input: (ValueError, "config: input_layers: expected 'x', which leads to the output, got 'r'"),
    units: (ValueError, "layer 1 (SimpleRNN 'r'): config: units: expected int, got '2'"),
    no_units: (ValueError, "layer 2 (Dense 'd'): Dense: units: expected a positive whole number, got 0"),
    activation: (ValueError, f"layer 1 (SimpleRNN 'r'): unknown activation 'tan'; known: {NAMES}"),
    no_activation: (ValueError, "layer 1 (SimpleRNN 'r'): config: activation: expected str, got None"),
    new_argument: (
        NotImplementedError,
        (
            "layer 1 (SimpleRNN 'r'): argument gate=1 is not supported; "
            "supported: units, activation, use_bias, return_sequences, go_backwards"
        ),
    ),
    second_input: (NotImplementedError, f"InputLayer 'x': a second input is not supported; supported: {CHAIN}"),
    registered: (
        NotImplementedError,
        f"layer 2 (Dense 'd'): the custom class Dense is not supported; supported: {LAYERS}",
    ),
}


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: change.__name__)
def test_changed_config(change, contents, tmp_path):
    config = json.loads(contents["config.json"])
    change(config)
    path = packed({**contents, "config.json": json.dumps(config)}, tmp_path)
    error, message = CHANGED[change]
    assert_refused(error, f"{path}: {message}", path)


# refused weights --------------------------------------------------------------------------------

DENSE = "layer 2 (Dense 'd'): model.weights.h5: layers/dense/vars"


def replaced(file, **options):
    del file["layers/dense/vars/0"]
    return file["layers/dense/vars"].create_dataset("0", **options)


def virtual(file):
    layout = h5py.VirtualLayout((2, 1), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "a", (2, 1))
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


def linked(link):
    def change(file):
        del file["layers/dense"]
        file["layers/dense"] = link

    return change


def delete(path):
    def change(file):
        del file[path]

    return change


CONTIGUOUS = f"{DENSE}: 0 (kernel): expected a contiguous dataset of numbers, all in this file"
H5 = {
    "no layers": (
        delete("layers"),
        (
            "layer 1 (SimpleRNN 'r'): model.weights.h5: layers/simple_rnn/cell/vars: "
            "expected layers to be in this file, got nothing"
        ),
    ),
    "no group": (delete("layers/dense"), f"{DENSE}: expected dense to be in this file, got nothing"),
    "no kernel": (delete("layers/dense/vars/0"), f"{DENSE}: expected the arrays ['0', '1'], got ['1']"),
    "one more": (
        lambda file: file["layers/dense/vars"].create_dataset("2", data=[1.0]),
        f"{DENSE}: expected the arrays ['0', '1'], got ['0', '1', '2']",
    ),
    "shape": (
        lambda file: replaced(file, data=np.zeros((2, 2), "float32")),
        f"{DENSE}: 0 (kernel): expected an array of shape (2, 1), got (2, 2)",
    ),
    "dtype": (
        lambda file: replaced(file, data=np.zeros((2, 1))),
        "layer 2 (Dense 'd'): kernel: expected float32, got float64",
    ),
    "text": (
        lambda file: replaced(file, data=[["a"], ["b"]]),
        CONTIGUOUS,
    ),
    "no numbers": (lambda file: replaced(file, shape=(2, 1), dtype="float32"), CONTIGUOUS),
    "chunks": (lambda file: replaced(file, data=np.ones((2, 1), "float32"), chunks=(1, 1)), CONTIGUOUS),
    "other file's numbers": (
        lambda file: replaced(file, shape=(2, 1), dtype="float32", external=[("/etc/passwd", 0, 8)]),
        CONTIGUOUS,
    ),
    "virtual": (virtual, CONTIGUOUS),
    "group": (
        lambda file: (delete("layers/dense/vars/0")(file), file.create_group("layers/dense/vars/0")),
        f"{DENSE}: 0 (kernel): expected an array of shape (2, 1), got None",
    ),
    "dataset": (
        lambda file: (delete("layers/dense")(file), file.create_dataset("layers/dense", data=[1.0])),
        f"{DENSE}: expected vars to be in this file, got nothing",
    ),
    "external link": (
        linked(h5py.ExternalLink("other.h5", "/")),
        f"{DENSE}: expected dense to be in this file, got ExternalLink",
    ),
    "soft link": (
        linked(h5py.SoftLink("/layers/simple_rnn")),
        f"{DENSE}: expected dense to be in this file, got SoftLink",
    ),
}


@pytest.mark.parametrize(("change", "message"), H5.values(), ids=H5)
def test_wrong_weights(change, message, contents, tmp_path):
    buffer = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    path = packed({**contents, "model.weights.h5": buffer.getvalue()}, tmp_path)
    assert_refused(ValueError, f"{path}: {message}", path)


def test_weights_that_are_not_hdf5(contents, tmp_path):
    path = packed({**contents, "model.weights.h5": b"neither"}, tmp_path)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: model\.weights\.h5: cannot be read as HDF5: .+$"):
        from_keras(path)
