"""Files that ask for more than they are worth: memory and time are bounded before anything is read.

A refusal takes at most 5 s, and reading a file at most three times its weights and 300 MiB beside what
importing takes; both are measured in a process of their own. Its peak is that of the system's own count:
`resource` counts that of the process before it, which has Keras in it.
"""

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
if not Path("/proc/self/status").exists():
    pytest.skip("memory is measured where the system counts it in /proc", allow_module_level=True)

import h5py
import keras

MIB = 2**20
_MEASURED = """
import re, sys, time
from pathlib import Path
from symrnn.importers.keras.reader import from_keras
import h5py
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
before, began = peak(), time.process_time()
try:
    print(sum(weight.nbytes for weight in from_keras(sys.argv[1]).weights))
except (ValueError, NotImplementedError) as error:
    print(ascii(str(error))[1:-1][-300:])
print(peak() - before, time.process_time() - began)
"""


def measured(path):
    """What reading a file prints, the memory that it takes beside what was there, and the processor's seconds."""
    command = [sys.executable, "-c", _MEASURED, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said, numbers = run.stdout.splitlines()
    memory, seconds = map(float, numbers.split())
    return said, memory, seconds


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "m.keras"
    keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2), keras.layers.Dense(1)]).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def understated(path, name, size):
    """Let a member say that it has fewer bytes than it has, in its header and in the list of members."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        real = archive.getinfo(name).file_size
    for place in (found for found in range(len(content) - 4) if content[found : found + 4] == struct.pack("<I", real)):
        content[place : place + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


def edited(members, edit):
    """The members with another config, which `edit` changes in place, or gives as a text."""
    config = json.loads(members["config.json"])
    text = edit(config)
    return members | {"config.json": (json.dumps(config) if text is None else text).encode()}


def of_layer(place, **changed):
    """A change of the configuration of one layer: the input, an LSTM, a Dense layer."""
    return lambda members: edited(members, lambda config: config["config"]["layers"][place]["config"].update(changed))


def layers_of(**kinds):
    """A change that puts many of a kind of layer before the last one."""

    def edit(config, kind, count, own):
        layers = config["config"]["layers"]
        layers[2:2] = [
            {
                "class_name": kind,
                "module": "keras.layers",
                "registered_name": None,
                "config": LAYER | own | {"name": f"n{i}"},
            }
            for i in range(count)
        ]

    ((kind, (count, own)),) = kinds.items()
    return lambda members: edited(members, lambda config: edit(config, kind, count, own))


def of_weights(edit):
    """A change of the HDF5 file with the weights."""

    def change(members):
        content = io.BytesIO(members["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            edit(file)
        return members | {"model.weights.h5": content.getvalue()}

    return change


def declared(shape, **options):
    """An edit of a file that lets its first dataset have this shape, without any numbers."""

    def edit(file):
        names = []
        file.visititems(lambda name, found: names.append(name) if isinstance(found, h5py.Dataset) else None)
        del file[names[0]]
        file.create_dataset(names[0], shape, "f4", **options)

    return edit


def groups(count, in_each_other=False):
    """An edit of a file that adds groups to it."""

    def edit(file):
        place = file
        for i in range(count):
            made = place.create_group(f"g{i}")
            place = made if in_each_other else file

    return edit


def sequentials(count):
    def edit(config):
        first, inner = config["config"]["layers"][0], dict(config)
        for _ in range(count):
            config["config"] = {"name": "s", "layers": [first, inner]}
            inner = dict(config)

    return lambda members: edited(members, edit)


LAYER = {"trainable": True, "dtype": "float32"}
DENSE = {"units": 1, "activation": "linear", "use_bias": True}
TOO_FEW = r"expected at least \d+ bytes .*"
CASES = {
    "weights of zeros": (
        lambda members: members | {"model.weights.h5": members["model.weights.h5"] + bytes(256 * MIB)},
        "expected at most .* bytes for .* weights, got .*",
    ),
    "a config of spaces": (
        lambda members: members | {"config.json": members["config.json"] + b" " * 64 * MIB},
        "config.json: expected at most 8388608 bytes, got .*",
    ),
    "a config of lists": (
        lambda members: members | {"config.json": b"[" + b"[],[]," * MIB + b"[]]"},
        "config: class_name: .*",
    ),
    "metadata of spaces": (
        lambda members: members | {"metadata.json": members["metadata.json"] + b" " * 8 * MIB},
        "metadata.json: expected at most 1048576 bytes, got .*",
    ),
    "lists in each other": (lambda members: members | {"config.json": b"[" * MIB + b"]" * MIB}, "invalid JSON: .*"),
    "models in each other": (sequentials(300), ".*"),
    "many time steps": (of_layer(0, batch_shape=[None, 10**9, 2]), r"\d+"),
    "more time steps than a double has": (of_layer(0, batch_shape=[None, 10**400, 2]), r"\d+"),
    "many features": (of_layer(0, batch_shape=[None, 3, 10**12]), TOO_FEW),
    "many axes": (of_layer(0, batch_shape=[None] + [2] * 10**6), ".*"),
    "many units": (of_layer(1, units=10**12), TOO_FEW),
    "more units than a double has": (of_layer(2, units=10**400), r"bytes of weights, got \d+"),
    "a long number": (
        lambda members: edited(members, lambda config: json.dumps(config).replace("null, 3", f"null, {'9' * MIB}")),
        "invalid JSON: .*",
    ),
    "a long name": (of_layer(1, name="a" * MIB), r"\d+"),
    "a long activation": (of_layer(1, activation="a" * MIB), ".*"),
    "a long argument": (of_layer(1, **{"a" * MIB: 1}), ".*"),
    "many layers": (layers_of(Dense=(5000, DENSE)), TOO_FEW),
    "too many layers": (layers_of(Dense=(20_000, DENSE)), "more than 10000 calls of layers are not supported"),
    "dropouts": (layers_of(Dropout=(9000, {"rate": 0.5})), r"\d+"),
    "a sequence of a billion": (layers_of(RepeatVector=(1, {"n": 10**9})), ".*"),
    "a large dataset": (of_weights(declared((10**6, 10**6))), r"expected an array of shape .*"),
    "a large dataset in chunks": (
        of_weights(declared((10**6, 10**6), chunks=(1000, 1000), compression="gzip")),
        r"expected an array of shape .*",
    ),
    "zeros in chunks": (of_weights(declared((2, 1), chunks=(1, 1), compression="gzip")), "expected a contiguous .*"),
    "groups in each other": (of_weights(groups(2000, in_each_other=True)), r"\d+"),
    "many groups": (of_weights(groups(20_000)), r"\d+"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES)
def test_a_file_takes_what_its_model_is_worth(change, message, members, tmp_path):
    said, memory, seconds = measured(packed(change(members), tmp_path / "m.keras"))
    assert re.search(f"{message}$", said)
    assert memory < 300 * MIB
    assert seconds < 5


def legacy(path):
    """A file of the old format, open to be changed."""
    keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2, name="l"), keras.layers.Dense(1)]).save(path)
    return h5py.File(path, "r+")


def of_attribute(name, value, **options):
    """An edit that gives the file an attribute."""

    def edit(file):
        file.attrs.pop(name)
        file.attrs.create(name, value, **options)

    return edit


def of_config(edit):
    """An edit of the configuration in the file."""
    return lambda file: of_attribute("model_config", edit(json.loads(file.attrs["model_config"])))(file)


def of_input(**changed):
    def edit(config):
        config["config"]["layers"][0]["config"].update(changed)
        return json.dumps(config)

    return of_config(edit)


def of_names(file):
    """The names of the weights of a layer as thousands of attributes."""
    attributes = file["model_weights/l"].attrs
    del attributes["weight_names"]
    for i in range(1000):
        attributes[f"weight_names{i}"] = np.array(["a" * 10] * 1000, "S10")


TEXT = h5py.string_dtype()
OLD_CASES = {
    "a config of spaces": (of_attribute("model_config", " " * 64 * MIB, dtype=TEXT), ".*expected at most 8388608 .*"),
    "a version of digits": (of_attribute("keras_version", "3" * 64 * MIB, dtype=TEXT), ".*expected at most 8388608 .*"),
    "many configs": (of_attribute("model_config", ["a" * 1000] * 3000, dtype=TEXT), "expected a text, got 3000"),
    "lists in each other": (of_config(lambda config: "[" * 50_000), "invalid JSON: .*"),
    "many time steps": (of_input(batch_shape=[None, 10**9, 2]), r"\d+"),
    "many features": (of_input(batch_shape=[None, 3, 10**12]), TOO_FEW),
    "many names": (of_names, r".*expected .*"),
    "a large dataset": (declared((10**6, 10**6)), ".*expected .*"),
    "groups in each other": (groups(2000, in_each_other=True), r"\d+"),
    "zeros beside it": (
        lambda file: file.create_dataset("more", data=np.zeros(32 * MIB)),
        "expected at most .* bytes.*",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("edit", "message"), OLD_CASES.values(), ids=OLD_CASES)
def test_a_file_of_the_old_format_takes_what_its_model_is_worth(edit, message, tmp_path):
    with legacy(tmp_path / "m.h5") as file:
        edit(file)
    said, memory, seconds = measured(tmp_path / "m.h5")
    assert re.search(f"{message}$", said)
    assert memory < 300 * MIB
    assert seconds < 5


def calls(config, count):
    """One layer that is called so many times, each time on what it gave before."""
    layer = config["config"]["layers"][1]
    first, second = layer["inbound_nodes"]
    nodes = [first]
    for place in range(count - 1):
        nodes.append(json.loads(json.dumps(second)))
        nodes[-1]["args"][0]["config"]["keras_history"][1] = place
    layer["inbound_nodes"] = nodes
    (end,) = (
        config["config"]["output_layers"]
        if isinstance(config["config"]["output_layers"][0], list)
        else [config["config"]["output_layers"]]
    )
    end[1] = count - 1


def called_twice():
    x = keras.Input((1,))
    layer = keras.layers.Dense(1)
    return keras.Model(x, layer(layer(x)))


def added():
    x = keras.Input((1,))
    return keras.Model(x, keras.layers.Add()([x, x]))


def sums(config, count):
    """A sum of so many times the same."""
    terms = config["config"]["layers"][1]["inbound_nodes"][0]["args"][0]
    terms[:] = terms[:1] * count


def stacked():
    return keras.Sequential([keras.Input((3, 2)), keras.layers.RNN([keras.layers.LSTMCell(2)])])


def cells(config, count):
    listed = config["config"]["layers"][1]["config"]["cell"]["config"]["cells"]
    listed[:] = listed * count


WIDE = {
    "5000 calls": (called_twice, calls, 5000, r"\d+"),
    "20000 calls": (called_twice, calls, 20_000, "more than 10000 calls of layers are not supported"),
    "a sum of 20000": (added, sums, 20_000, r"\d+"),
    "1000 cells": (stacked, cells, 1000, TOO_FEW),
}


@pytest.mark.parametrize(("model", "edit", "count", "message"), WIDE.values(), ids=WIDE)
def test_a_wide_graph_takes_time_in_proportion(model, edit, count, message, tmp_path):
    model().save(tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    changed = edited(whole, lambda config: edit(config, count))
    said, memory, seconds = measured(packed(changed, tmp_path / "m.keras"))
    assert re.search(f"{message}$", said)
    assert memory < 300 * MIB
    assert seconds < 5


def test_a_member_that_holds_more_than_it_says(members, tmp_path):
    whole = members | {"model.weights.h5": members["model.weights.h5"] + bytes(256 * MIB)}
    path = understated(packed(whole, tmp_path / "m.keras"), "model.weights.h5", MIB)
    said, memory, seconds = measured(path)
    assert "cannot be read" in said or "cannot be read as HDF5" in said
    assert memory < 300 * MIB
    assert seconds < 5


def test_a_large_model_takes_three_times_its_weights(tmp_path):
    path = tmp_path / "m.keras"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(200_000, 128), keras.layers.LSTM(8)])
    model.save(path)
    said, memory, _ = measured(path)
    assert int(said) > 100 * 10**6
    assert memory < 3 * int(said) + 300 * MIB


HEADERS = {
    "a large shape": "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000, 3, 1), }",
    "parentheses": "(" * 5000,
    "no tuple": "{'descr': '<f8', 'fortran_order': False, 'shape': 5, }",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_of_an_array_is_not_believed(header, tmp_path):
    from symrnn.cli import _load

    path = tmp_path / "x.npy"
    text = header.encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(24))
    with pytest.raises(ValueError, match=r"^--inputs: expected a \.npy file of numbers, got .*x\.npy$"):
        _load(path, "--inputs")


def test_an_array_is_read(tmp_path):
    from symrnn.cli import _load

    for array in (np.ones((2, 3)), np.array(1.0), np.zeros((0, 3))):
        np.save(tmp_path / "x.npy", array)
        assert np.array_equal(_load(tmp_path / "x.npy", "--inputs"), array)
