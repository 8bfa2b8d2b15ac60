"""What is refused in a `.keras` file: damaged ones, changed configs and changed weights."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from symrnn.expressions.activations import activation_name
from symrnn.importers.keras.archive import LIMITS
from symrnn.importers.keras.reader import from_keras
from tests.support.keras_bank import (
    BANK,
    LAYERS,
    QUIET,
    K,
    assert_refused,
    assert_same,
    functional,
    keras,
    names,
    saved,
    sequential,
)

pytestmark = QUIET


@pytest.fixture
def contents(tmp_path):
    """The members of a good file, by name."""
    return members(functional(K.SimpleRNN(2, return_sequences=True, name="r"), K.Dense(1, name="d")), tmp_path)


def members(model, tmp_path):
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


@pytest.mark.parametrize("name", ["none.keras", "none.h5"])
def test_missing_file(name, tmp_path):
    assert_refused(FileNotFoundError, f"{tmp_path}/{name}: no such file", tmp_path / name)


@pytest.mark.parametrize("name", ["model.pb", "model"])
def test_other_formats(name, tmp_path):
    message = "expected a file that ends in .keras, .h5, .hdf5, .json, as model.save('model.keras') writes"
    assert_refused(NotImplementedError, f"{tmp_path}/{name}: {message}", tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"neither"])
def test_not_a_zip(content, tmp_path):
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    message = f"{path}: expected a zip file, got one that cannot be read: File is not a zip file"
    assert_refused(ValueError, message, path)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_directory(name, tmp_path):
    path = tmp_path / name
    path.mkdir()
    assert_refused(ValueError, f"{path}: expected a file, got something else", path)


def test_a_flipped_byte_of_the_weights(contents, tmp_path):
    path = tmp_path / "m.keras"
    content = bytearray(path.read_bytes())
    content[content.index(contents["model.weights.h5"]) + 3000] ^= 1
    path.write_bytes(content)
    message = "expected a zip file, got one that cannot be read: Bad CRC-32 for file 'model.weights.h5'"
    assert_refused(ValueError, f"{path}: {message}", path)


@pytest.mark.parametrize("name", [*LIMITS, "model.weights.h5"])
def test_a_missing_member(name, contents, tmp_path):
    del contents[name]
    path = packed(contents, tmp_path)
    assert_refused(ValueError, f"{path}: {name}: missing from the zip file", path)


def test_a_config_too_large(contents, tmp_path):
    contents["config.json"] += b" " * 64 * 2**20
    path = packed(contents, tmp_path)
    size = len(contents["config.json"])
    assert_refused(ValueError, f"{path}: config.json: expected at most 8388608 bytes, got {size}", path)


def test_weights_too_large(contents, tmp_path):
    contents["model.weights.h5"] += bytes(32 * 2**20)
    path = packed(contents, tmp_path)
    numbers = sum(weight.size for weight in from_keras(tmp_path / "m.keras").weights)
    expected = f"expected at most {40 * numbers + 16 * 2**20} bytes for {numbers} weights"
    size = len(contents["model.weights.h5"])
    assert_refused(ValueError, f"{path}: model.weights.h5: {expected}, got {size}", path)


@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        ("4.0.0", NotImplementedError, "keras_version: 4.0 is not supported; supported: 2 and 3"),
        ("new", ValueError, "keras_version: expected a version such as 3.15.1, got 'new'"),
        (None, ValueError, "keras_version: expected a version such as 3.15.1, got None"),
    ],
)
def test_versions(version, error, message, contents, tmp_path):
    path = packed(contents | {"metadata.json": json.dumps({"keras_version": version})}, tmp_path)
    assert_refused(error, f"{path}: {message}", path)


# configs ----------------------------------------------------------------------------------------

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


def test_lists_in_each_other_too_deep(contents, tmp_path):
    config = json.loads(contents["config.json"])
    layer(config, 1)["inbound_nodes"][0]["args"] = ["here"]
    text = json.dumps(config).replace('"here"', "[" * 600 + "]" * 600)
    path = packed(contents | {"config.json": text}, tmp_path)
    assert_refused(ValueError, f"{path}: config: models or lists in each other too deep", path)


def test_the_list_orders_the_weights_and_the_graph_the_calls(contents, tmp_path):
    config = json.loads(contents["config.json"])
    config["config"]["layers"].reverse()
    changed = from_keras(packed({**contents, "config.json": json.dumps(config)}, tmp_path))
    good = from_keras(tmp_path / "m.keras")
    assert names(changed) == names(good)[::-1]
    assert [array.shape for array in changed.weights] == [(2, 1), (1,), (3, 2), (2, 2), (2,)]
    assert [changed.graph.layer(call) for call in changed.graph.calls] == list(good.graph.layers)


def layer(config, place):
    return config["config"]["layers"][place]


def history(config, place):
    return layer(config, place)["inbound_nodes"][0]["args"][0]["config"]["keras_history"]


def renamed(config):
    history(config, 1)[0] = "z"


def cycle(config):
    history(config, 1)[0] = "d"


def second_output(config):
    history(config, 2)[2] = 1


def negative(config):
    history(config, 2)[1] = -1


def unused_layer(config):
    config["config"]["output_layers"][0] = "r"


def not_called(config):
    layer(config, 2)["inbound_nodes"].clear()


def no_outputs(config):
    config["config"]["output_layers"] = []


def other_input(config):
    config["config"]["input_layers"][0] = "r"


def twice_in_the_list(config):
    config["config"]["layers"].append(layer(config, 2))


def mask_of_another_rank(config):
    node = layer(config, 1)["inbound_nodes"][0]
    node["kwargs"]["mask"] = node["args"][0]


def too_many_states(config):
    node = layer(config, 1)["inbound_nodes"][0]
    node["kwargs"]["initial_state"] = node["args"] * 2


def units(config):
    layer(config, 1)["config"]["units"] = "2"


def no_units(config):
    layer(config, 2)["config"]["units"] = 0


def activation(config):
    layer(config, 1)["config"]["activation"] = "tan"


def no_activation(config):
    del layer(config, 1)["config"]["activation"]


def new_argument(config):
    layer(config, 1)["config"]["gate"] = 1


def second_input(config):
    config["class_name"], config["registered_name"] = "Sequential", None
    config["config"]["layers"].append({**layer(config, 0), "config": {**layer(config, 0)["config"], "name": "x2"}})


def registered(config):
    layer(config, 2)["registered_name"] = "Custom>Dense"


def no_module(config):
    del layer(config, 2)["module"]


def module(config):
    layer(config, 2)["module"] = "kerasy.layers"


with pytest.raises(ValueError, match="unknown") as unknown:
    activation_name("tan")
R, D = "layer 1 (SimpleRNN 'r')", "layer 2 (Dense 'd')"
CUSTOM = f"{D}: the custom class Dense is not supported; supported: {LAYERS}"
CHANGED = {
    renamed: (ValueError, "config: the graph names a layer 'z' that is not in the list of layers"),
    cycle: (ValueError, f"{D}: config: the graph leads from this layer back to it"),
    second_output: (ValueError, f"{D}: config: 'r': expected a result from 0 to 0, got 1"),
    negative: (ValueError, f"{D}: config: expected a tensor's history [layer, call, result], got ['r', -1, 0]"),
    unused_layer: (NotImplementedError, f"{D}: not between the inputs and the outputs of the model"),
    not_called: (ValueError, f"{D}: config: inbound_nodes: expected a call 0, got 0 calls"),
    no_outputs: (ValueError, "config: output_layers: expected at least one layer, got none"),
    other_input: (ValueError, f"config: input_layers: expected an InputLayer, got {R}"),
    twice_in_the_list: (ValueError, "config: expected layers of different names, got two 'd'"),
    mask_of_another_rank: (
        NotImplementedError,
        f"{R}: the call (tensor, mask=tensor) is not supported; supported: (inputs, initial_state, mask)",
    ),
    too_many_states: (ValueError, f"{R}: initial_state: expected 1 states, got 2"),
    units: (ValueError, f"{R}: config: units: expected int, got '2'"),
    no_units: (ValueError, f"{D}: Dense: units: expected a positive whole number, got 0"),
    activation: (ValueError, f"{R}: {unknown.value}"),
    no_activation: (ValueError, f"{R}: config: activation: expected str, got None"),
    new_argument: (
        NotImplementedError,
        (
            f"{R}: argument gate=1 is not supported; supported: units, activation, use_bias, return_sequences, "
            "return_state, go_backwards, stateful, unroll, zero_output_for_mask"
        ),
    ),
    second_input: (NotImplementedError, "InputLayer 'x2': a second input is not supported in a Sequential model"),
    registered: (NotImplementedError, CUSTOM),
    no_module: (NotImplementedError, CUSTOM),
    module: (NotImplementedError, CUSTOM),
}


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: change.__name__)
def test_changed_config(change, contents, tmp_path):
    config = json.loads(contents["config.json"])
    change(config)
    path = packed({**contents, "config.json": json.dumps(config)}, tmp_path)
    error, message = CHANGED[change]
    assert_refused(error, f"{path}: {message}", path)


# weights ----------------------------------------------------------------------------------------

GROUP = "layers/dense/vars"
DENSE = f"model.weights.h5: {D}: {GROUP}"


def replaced(file, **options):
    del file[f"{GROUP}/0"]
    return file[GROUP].create_dataset("0", **options)


def virtual(file):
    layout = h5py.VirtualLayout((2, 1), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "a", (2, 1))
    del file[f"{GROUP}/0"]
    file[GROUP].create_virtual_dataset("0", layout)


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
        f"model.weights.h5: {R}: layers/simple_rnn/cell/vars: expected layers to be in this file, got nothing",
    ),
    "no group": (delete("layers/dense"), f"{DENSE}: expected dense to be in this file, got nothing"),
    "no kernel": (delete(f"{GROUP}/0"), f"{DENSE}: expected the arrays ['0', '1'], got ['1']"),
    "one more": (
        lambda file: file[GROUP].create_dataset("2", data=[1.0]),
        f"{DENSE}: expected the arrays ['0', '1'], got ['0', '1', '2']",
    ),
    "shape": (
        lambda file: replaced(file, data=np.zeros((2, 2), "float32")),
        f"{DENSE}: 0 (kernel): expected an array of shape (2, 1), got (2, 2)",
    ),
    "dtype": (lambda file: replaced(file, data=np.zeros((2, 1))), f"{D}: kernel: expected float32, got float64"),
    "text": (lambda file: replaced(file, data=[["a"], ["b"]]), CONTIGUOUS),
    "no numbers": (lambda file: replaced(file, shape=(2, 1), dtype="float32"), CONTIGUOUS),
    "chunks": (lambda file: replaced(file, data=np.ones((2, 1), "float32"), chunks=(1, 1)), CONTIGUOUS),
    "other file's numbers": (
        lambda file: replaced(file, shape=(2, 1), dtype="float32", external=[("/etc/passwd", 0, 8)]),
        CONTIGUOUS,
    ),
    "virtual": (virtual, CONTIGUOUS),
    "group": (
        lambda file: (delete(f"{GROUP}/0")(file), file.create_group(f"{GROUP}/0")),
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


def changed_weights(contents, change, tmp_path):
    buffer = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    return packed({**contents, "model.weights.h5": buffer.getvalue()}, tmp_path)


@pytest.mark.parametrize(("change", "message"), H5.values(), ids=H5)
def test_wrong_weights(change, message, contents, tmp_path):
    path = changed_weights(contents, change, tmp_path)
    assert_refused(ValueError, f"{path}: {message}", path)


INSIDE = {
    "cells": (
        "cells",
        "layers/rnn_1/cell/cells/gru_cell_1/vars",
        "layer 2 (RNN 'rnn_1'): layers/rnn_1/cell/cells/gru_cell_1/vars: expected gru_cell_1",
    ),
    "half": (
        "both ways",
        "layers/bidirectional_2/backward_layer/cell/cells/gru_cell_1",
        (
            "layer 3 (Bidirectional 'bidirectional_2'): "
            "layers/bidirectional_2/backward_layer/cell/cells/gru_cell_1/vars: expected gru_cell_1"
        ),
    ),
    "model": (
        "model in sequential",
        "layers/sequential/layers/lstm",
        (
            "layer 2 (Sequential 'sequential'): its layer 2 (LSTM 'lstm'): "
            "layers/sequential/layers/lstm/cell/vars: expected lstm"
        ),
    ),
}


@pytest.mark.parametrize(("case", "group", "message"), INSIDE.values(), ids=INSIDE)
def test_wrong_weights_inside(case, group, message, tmp_path):
    keras.utils.clear_session(free_memory=False)
    contents = members(BANK[case](), tmp_path)
    path = changed_weights(contents, delete(group.removesuffix("/vars")), tmp_path)
    assert_refused(ValueError, f"{path}: model.weights.h5: {message} to be in this file, got nothing", path)


def test_weights_that_are_not_hdf5(contents, tmp_path):
    path = packed({**contents, "model.weights.h5": b"neither" * 20}, tmp_path)
    with pytest.raises(ValueError, match=rf"^{path}: model\.weights\.h5: cannot be read as HDF5: .+$"):
        from_keras(path)


def test_more_numbers_than_the_file_has_bytes(contents, tmp_path):
    config = json.loads(contents["config.json"])
    layer(config, 1)["config"]["units"] = 10**6
    path = packed({**contents, "config.json": json.dumps(config)}, tmp_path)
    size = len(contents["model.weights.h5"])
    expected = 4 * (3 * 10**6 + 10**12 + 10**6 + 10**6 + 1)
    message = f"expected at least {expected} bytes of weights, got {size}"
    assert_refused(ValueError, f"{path}: model.weights.h5: {message}", path)


def test_a_sequential_model(tmp_path):
    path = saved(sequential(K.LSTM(2, name="l")), tmp_path)
    assert names(from_keras(path)) == ["x", "l"]
