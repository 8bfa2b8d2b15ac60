"""The graphs and weights read from live Keras models and from their files, and every model that is refused."""

import re
import subprocess
import sys

import numpy as np
import pytest

import symrnn as ours
from symrnn.checking.keras_models import load
from symrnn.importers.keras.reader import from_keras, is_keras_model
from symrnn.models.graph import graph_of
from symrnn.models.layers import table
from tests.support.keras_bank import (
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
    assert found == {*table.LAYERS.values(), ours.InputLayer, ours.NotEqual}


# architectures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", BANK)
def test_an_architecture_reads_as_its_model_without_weights(case, tmp_path):
    model, path = BANK[case](), tmp_path / "m.json"
    path.write_text(model.to_json())
    found, expected = from_keras(path), from_keras(model)
    assert (found.graph, found.dtype, found.weights) == (expected.graph, expected.dtype, None)
    assert ours.derive(path).weights is None


ARCHITECTURES = {
    "no JSON": ("{", "the architecture: invalid JSON: .*"),
    "large": (" " * (8 * 2**20 + 1), "config.json: expected at most 8388608 bytes, got 8388609"),
    "no model": ("[]", "config: class_name: expected str, got None"),
    "Keras 1": ('{"keras_version": "1.2.2"}', r"keras_version: 1\.2 is not supported; supported: 2 and 3"),
}


@pytest.mark.parametrize(("text", "message"), ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_architectures_that_are_refused(text, message, tmp_path):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises((ValueError, NotImplementedError), match=f"^{path}: {message}$"):
        from_keras(path)


def test_an_architecture_has_nothing_to_check(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(sequential(K.GRU(2)).to_json())
    message = f"{path}: an architecture has no weights to check; supported: the model's .keras or .h5 file"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load(path)


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
import symrnn.importers.keras.reader as bridge
assert "h5py" not in sys.modules
assert len(bridge.from_keras({str(path)!r}).weights) == 14
assert not {{"keras", "tensorflow", "torch", "jax"}} & {{name.split(".")[0] for name in sys.modules}}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# refused models ---------------------------------------------------------------------------------


def named_output():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, {"y": K.Dense(2, name="a")(x)})


def inner_lambda():
    return sequential(K.Dense(3), keras.Sequential([keras.Input((5, 3)), K.Lambda(lambda x: x, name="l")], name="s"))


def custom_function(x):
    return x


class MySequential(keras.Sequential):
    pass


class Subclassed(keras.Model):
    def __init__(self, function=print):
        super().__init__()

    def call(self, x):
        return x


UNITS = "units, activation, use_bias"


def two_inputs_of_a_layer():
    x = keras.Input((5, 3), name="x")
    return keras.Model(x, K.Attention(name="a")([x, x]))


NOT_SUPPORTED = {
    "functional layer": (
        two_inputs_of_a_layer,
        f"layer 1 (Attention 'a'): Attention is not supported; supported: {LAYERS}",
    ),
    "float16": (
        lambda: sequential(K.Dense(2, dtype="float16", name="d")),
        "layer 1 (Dense 'd'): dtype float16 is not supported; supported: float32, float64",
    ),
    "bfloat16": (
        lambda: sequential(K.SimpleRNN(2), K.Dense(2, dtype="bfloat16", name="d")),
        "layer 2 (Dense 'd'): dtype bfloat16 is not supported; supported: float32, float64",
    ),
    "layer": (
        lambda: sequential(K.SimpleRNN(2, return_sequences=True), K.Conv1D(2, 3, name="c")),
        f"layer 2 (Conv1D 'c'): Conv1D is not supported; supported: {LAYERS}",
    ),
    "custom model": (
        lambda: MySequential([keras.Input((5, 3)), K.Dense(2)]),
        "a model of class MySequential is not supported; supported: Sequential, Functional",
    ),
    "LoRA": (
        lambda: sequential(K.Dense(3, lora_rank=2, name="d")),
        f"layer 1 (Dense 'd'): argument lora_rank=2 is not supported; supported: {UNITS}",
    ),
    "function": (
        lambda: sequential(K.Activation(custom_function, name="a")),
        (
            "layer 1 (Activation 'a'): activation=function custom_function is not supported; "
            "supported: the name of a Keras activation"
        ),
    ),
    "lambda in a model": (
        inner_lambda,
        f"layer 2 (Sequential 's'): layer 1 (Lambda 'l'): Lambda is not supported; supported: {LAYERS}",
    ),
    "named output": (
        named_output,
        "output_layers: a dict of tensors is not supported; supported: a list, as in "
        "keras.Model(list(inputs.values()), list(outputs.values()))",
    ),
    "subclassed model": (
        Subclassed,
        "Subclassed: its to_json() fails; supported: Sequential and Functional",
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
