"""What Keras is handed of a file: nothing that symrnn has not read, and one line of what it refuses."""

import json
import re
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from symrnn import check
from symrnn.checking.keras_models import load
from symrnn.importers.keras.reader import excerpt_of, from_keras
from tests.support.keras_bank import BANK, QUIET, K, functional, keras, randomized, saved, sequential

pytestmark = QUIET

HUGE = 200_000_000
ALIEN = {"module": "somewhere", "class_name": "Alien", "config": {"a": 1}, "registered_name": "pkg>Alien"}
LAYER = {"module": "keras.layers", "class_name": "Dense", "config": {"units": HUGE}, "registered_name": None}
MADE = {**LAYER, "build_config": {"input_shape": [None, HUGE]}}


def all_layers(config):
    """Every object of a config that has a class and a configuration, the whole model first."""
    if isinstance(config, list):
        return [found for part in config for found in all_layers(part)]
    if not isinstance(config, dict):
        return []
    own = [config] if isinstance(config.get("config"), dict) and "class_name" in config else []
    return own + [found for part in config.values() for found in all_layers(part)]


def layers_of(config):
    return [one for one in all_layers(config) if "trainable" in one["config"] and "layers" not in one["config"]]


def into_layers(**given):
    def change(config):
        for layer in layers_of(config):
            layer["config"].update(given)

    return change


def beside_layers(**given):
    def change(config):
        for layer in all_layers(config):
            layer.update(given)

    return change


def into_models(**given):
    def change(config):
        config["config"].update(given)

    return change


UNREAD = {
    "what builds": beside_layers(build_config={"input_shape": [None, HUGE]}),
    "what builds a model": into_models(build_input_shape=[None, HUGE, HUGE]),
    "what compiles": beside_layers(compile_config={"optimizer": ALIEN, "loss": ALIEN}),
    "initializers": into_layers(kernel_initializer=ALIEN, recurrent_initializer=MADE, bias_initializer="unheard of"),
    "constraints": into_layers(kernel_constraint=ALIEN, bias_constraint=MADE),
    "activity": into_layers(activity_regularizer=None, seed=ALIEN),
    "what counts in training": into_layers(dropout="half", recurrent_dropout=10**400, noise_shape=[HUGE] * 9),
    "shared objects": beside_layers(shared_object_id=1),
    "unknown fields": beside_layers(extra=MADE),
    "unknown dtype policies of operations": into_models(dtype=ALIEN),
    "arguments of Keras 2": into_layers(implementation=HUGE, input_length=HUGE),
    "unknown arguments that say nothing": into_layers(alien=None),
}


def changed(path, change):
    """The file with its configuration changed."""
    if path.suffix == ".h5":
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
            archive.writestr(name, content)
    return path


def chain():
    return sequential(
        K.Bidirectional(K.GRU(2, return_sequences=True)), K.Dropout(0.5), K.RNN(K.LSTMCell(2)), K.Dense(1)
    )


def graph():
    x = keras.Input((5, 3))
    return keras.Model(x, K.Dense(2)(K.LSTM(2)(K.Masking()(x))))


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize("make", [chain, graph])
@pytest.mark.parametrize("change", UNREAD.values(), ids=UNREAD)
def test_what_is_not_read_is_not_handed_over(change, make, name, tmp_path):
    path = saved(make(), tmp_path, name)
    expected = excerpt_of(path)
    found = excerpt_of(changed(path, change))
    assert found.config == expected.config
    assert all(map(np.array_equal, found.weights, expected.weights))


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
@pytest.mark.parametrize("case", BANK)
def test_keras_makes_the_same_model_of_what_it_is_handed(case, name, tmp_path):
    model = randomized(BANK[case]())
    path = saved(model, tmp_path, name)
    loaded = load(path)
    expected, found = from_keras(path), from_keras(loaded)
    assert (found.graph, found.dtype) == (expected.graph, expected.dtype)
    assert all(map(np.array_equal, found.weights, model.get_weights()))


_CHECKED = """
import resource, sys
from symrnn.checking.keras_models import import_frameworks, load
keras, _ = import_frameworks()
keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])(__import__("numpy").ones((1, 3)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
load(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_a_size_that_is_not_read_costs_nothing(tmp_path):
    path = changed(saved(chain(), tmp_path), UNREAD["what builds"])
    run = subprocess.run([sys.executable, "-c", _CHECKED, str(path)], capture_output=True, text=True, check=True)
    assert float(run.stdout.splitlines()[-1]) < 100


def units(config):
    config["config"]["layers"][1]["config"]["units"] = "two"


def call(config):
    config["config"]["layers"][1]["inbound_nodes"].append({"args": [LAYER], "kwargs": {}})


def policy(config):
    config["config"]["layers"][1]["config"]["dtype"] = {
        "class_name": "DTypePolicy",
        "config": {"name": "mixed_float16"},
    }


REFUSED = {
    units: (ValueError, "layer 1 (GRU 'g'): config: units: expected int, got 'two'"),
    call: (NotImplementedError, "the argument Dense of a call is not supported"),
    policy: (
        NotImplementedError,
        "layer 1 (GRU 'g'): dtype mixed_float16 is not supported; supported: float32, float64",
    ),
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_what_is_refused_is_one_line(change, tmp_path):
    path = changed(saved(functional(K.GRU(2, name="g")), tmp_path), change)
    error, message = REFUSED[change]
    with pytest.raises(error, match=f"^{re.escape(f'{path}: {message}')}$"):
        load(path)


def test_what_keras_refuses_is_one_line(tmp_path):
    def change(config):
        config["config"]["layers"][1]["name"] = config["config"]["layers"][1]["config"]["name"] = "a/b"
        config["config"]["output_layers"] = ["a/b", 0, 0]

    path = changed(saved(functional(K.GRU(2, name="g")), tmp_path), change)
    with pytest.raises(ValueError, match=rf"^{path}: Keras cannot load it: ValueError: [^\n]+$"):
        load(path)


def test_what_keras_cannot_run_is_one_line():
    def call(*arguments, **options):
        raise RuntimeError("one line\nand another")

    model = sequential(K.LSTM(2))
    model.layers[0].call = call
    with pytest.raises(ValueError, match=r"^check: Keras cannot run the model: RuntimeError: [^\n]+$"):
        check(model)


def test_weights_that_keras_finds_elsewhere(tmp_path):
    path = saved(sequential(K.Dense(3, name="a"), K.Dense(3, name="b")), tmp_path, "m.h5")
    with h5py.File(path, "r+") as file:
        file["model_weights"].attrs["layer_names"] = ["b", "a"]
    with pytest.raises(ValueError, match=rf"^{path}: Keras loads other weights from it than symrnn reads$"):
        load(path)
