"""Files that ask for more than they are worth: memory and time are bounded before anything is read.

A refusal takes at most 5 s, and reading a file at most three times its weights and 300 MiB beside what
importing takes; both are measured in a process of their own.
"""

import json
import re
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

MIB = 2**20
_MEASURED = """
import resource, sys, time
from symrnn.importers.keras.reader import from_keras
import h5py
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
try:
    print(sum(weight.nbytes for weight in from_keras(sys.argv[1]).weights))
except (ValueError, NotImplementedError) as error:
    print(str(error)[-200:])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024, time.monotonic() - began)
"""


def measured(path):
    """What reading a file prints, the memory that it takes beside what was there, and the seconds."""
    run = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True)
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


def config_of(members, **changed):
    config = json.loads(members["config.json"])
    config["config"]["layers"][0]["config"].update(changed)
    return members | {"config.json": json.dumps(config).encode()}


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
    "many time steps": (lambda members: config_of(members, batch_shape=[None, 10**9, 2]), r"\d+"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES)
def test_a_file_takes_what_its_model_is_worth(change, message, members, tmp_path):
    said, memory, seconds = measured(packed(change(members), tmp_path / "m.keras"))
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
