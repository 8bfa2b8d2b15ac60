"""Legacy `.h5` files: those of Keras 2, and what is refused. `test_keras_bridge` reads every model of Keras 3."""

import json
import struct
import zipfile
from contextlib import contextmanager

import h5py
import numpy as np
import pytest

import symrnn as ours
from symrnn import check, derive
from symrnn.checking.keras_models import load
from symrnn.importers.keras.reader import from_keras
from tests.support.keras_bank import (
    BANK,
    QUIET,
    K,
    assert_refused,
    assert_same,
    functional,
    keras,
    names,
    randomized,
    saved,
    sequential,
)

pytestmark = QUIET


def changed(path, change):
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def config_changed(path, change):
    def apply(file):
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)

    return changed(path, apply)


@contextmanager
def keras_in(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


# Keras 2 ----------------------------------------------------------------------------------------


def as_keras2(path, version="2.15.0"):
    """The file as tf.keras writes it: names of arguments, dtypes and nodes are in an old way."""

    def apply(file):
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(old_config(config))
        file.attrs["keras_version"] = version

    return changed(path, apply)


def old_config(value):
    if isinstance(value, list):
        return [old_config(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    found = {key: old_config(part) for key, part in value.items()}
    if "inbound_nodes" in found:
        found["inbound_nodes"] = [old_node(node) for node in value["inbound_nodes"]]
    if "batch_shape" in found:
        found["batch_input_shape"] = found.pop("batch_shape")
    if "zero_output_for_mask" in found:
        found |= {"time_major": False, "implementation": 2}
        del found["zero_output_for_mask"]
    if found.get("class_name") == "LeakyReLU":
        found["config"]["alpha"] = found["config"].pop("negative_slope")
    if found.get("class_name") == "Embedding":
        found["config"]["input_length"] = None
    return found


def old_node(node):
    """All tensors of the call in one list: the states of a recurrent layer are further inputs."""
    tensors = [*node["args"], node["kwargs"].get("initial_state") or []]
    histories = [tensor["config"]["keras_history"] for tensor in flat(tensors)]
    return [[*history, {"constants": None}] for history in histories]


def flat(value):
    return [part for item in value for part in flat(item)] if isinstance(value, list | tuple) else [value]


KERAS2 = [
    *("several", "functional several", "cells", "both ways", "elementwise", "ids", "masks", "states", "stateful"),
    *("shared", "branches", "states of both halves", "states by place", "open in time", "called once", "float64"),
]


@pytest.mark.parametrize("case", KERAS2)
def test_a_file_of_keras_2_reads_as_that_of_keras_3(case, tmp_path):
    model = randomized(BANK[case]())
    path = saved(model, tmp_path, "m.h5")
    expected = from_keras(path)
    assert_same(from_keras(as_keras2(path)), expected)


@pytest.mark.parametrize("case", KERAS2)
def test_keras_3_loads_a_file_of_keras_2(case, tmp_path):
    model = randomized(BANK[case]())
    path = as_keras2(saved(model, tmp_path, "m.h5"))
    found, expected = from_keras(load(path)), from_keras(path)
    assert (found.graph, found.dtype) == (expected.graph, expected.dtype)
    assert all(map(np.array_equal, found.weights, expected.weights))


@pytest.mark.parametrize("module", ["keras.src.engine.functional", "tf_keras.src.engine.functional"])
@pytest.mark.parametrize("case", ["functional several", "states", "cells"])
def test_a_keras_file_of_keras_2_reads_as_that_of_keras_3(case, module, tmp_path):
    path = saved(randomized(BANK[case]()), tmp_path)
    expected = from_keras(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = old_config(json.loads(members["config.json"]))
    members |= {
        "config.json": json.dumps(config | {"module": module}).encode(),
        "metadata.json": b'{"keras_version": "2.15.0"}',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert_same(from_keras(path), expected)
    assert all(map(np.array_equal, load(path).get_weights(), expected.weights))


def as_at_first(config):
    """A Sequential model was a list; neither the dtype of its layers was said, nor that a GRU resets before."""
    config["config"] = config["config"]["layers"]
    for layer in config["config"]:
        for name in ("dtype", "reset_after")[layer["class_name"] == "InputLayer" :]:
            layer["config"].pop(name, None)


def test_what_keras_2_did_not_say_at_first(tmp_path):
    path = as_keras2(saved(sequential(K.GRU(2, reset_after=False), K.Dense(1)), tmp_path, "m.h5"), "2.1.6")
    expected = from_keras(path)
    assert_same(from_keras(config_changed(path, as_at_first)), expected)
    assert all(map(np.array_equal, load(path).get_weights(), expected.weights))


@pytest.mark.parametrize(
    "layer",
    [
        lambda: K.LSTM(3, recurrent_activation="hard_sigmoid"),
        lambda: K.TimeDistributed(K.Dense(2, "hard_sigmoid")),
        lambda: K.Activation("hard_sigmoid"),
        lambda: K.Bidirectional(K.RNN(K.GRUCell(2, "hard_sigmoid"))),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_hard_sigmoid_was_another_function(layer, dtype, tmp_path):
    """clip(0.2 x + 0.5, 0, 1), and not relu6(x + 3) / 6; Keras 3 has it by the name under which it is registered."""
    with keras_in(dtype):
        path = as_keras2(saved(randomized(sequential(layer())), tmp_path, "m.h5"))
        loaded = load(path)
    assert "hard_sigmoid_keras2" in str(from_keras(path).graph.layers)
    assert from_keras(loaded).graph == from_keras(path).graph
    assert check(loaded, derivation=derive(path)).ok
    x = np.full((1, 5, 3), 1.0)
    assert np.max(np.abs(derive(path).lambdify()(x, loaded.get_weights()) - loaded(x.astype(dtype)))) < 1e-6


def test_the_value_of_hard_sigmoid(tmp_path):
    path = as_keras2(saved(sequential(K.Activation("hard_sigmoid"), shape=(7,)), tmp_path, "m.h5"))
    x = np.array([[-3, -2.5, -1, 0, 1, 2.5, 3]])
    np.testing.assert_allclose(load(path)(x), [[0, 0, 0.3, 0.5, 0.7, 1, 1]], atol=1e-7)
    np.testing.assert_allclose(derive(path).lambdify()(x, []), [[0, 0, 0.3, 0.5, 0.7, 1, 1]], atol=1e-15)


# CuDNN ------------------------------------------------------------------------------------------


def in_layout_of_cudnn(kernel, recurrent_kernel, bias):
    """What `_convert_rnn_weights` of Keras 2 makes of the weights of an LSTM or a GRU for a CuDNN layer."""
    gates = kernel.shape[1] // len(recurrent_kernel)
    kernels = [block.T.reshape(block.shape, order="C") for block in np.hsplit(kernel, gates)]
    recurrent = [block.T for block in np.hsplit(recurrent_kernel, gates)]
    return np.hstack(kernels), np.hstack(recurrent), np.tile(0.5 * bias, 2) if bias.ndim == 1 else bias.reshape(-1)


def as_cudnn(value):
    """The config with CuDNN's classes, which have neither activations nor a switch for the bias."""
    if isinstance(value, list):
        return [as_cudnn(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {key: as_cudnn(part) for key, part in value.items()}
    if found.get("class_name") == "Bidirectional":  # the backward layer is of the same kind
        found["config"].pop("backward_layer")
    if found.get("class_name") in ("LSTM", "GRU"):
        found["class_name"] = f"CuDNN{found['class_name']}"
        for name in ("activation", "recurrent_activation", "use_bias", "unroll", "reset_after", "implementation"):
            found["config"].pop(name, None)
    return found


CUDNN = {
    "LSTM": lambda: sequential(K.LSTM(4, name="l"), K.Dense(2, name="d")),
    "GRU": lambda: functional(K.GRU(4, return_sequences=True, name="l"), K.Dense(2, name="d")),
    "Bidirectional": lambda: sequential(K.Bidirectional(K.LSTM(2), name="l"), K.Dense(2, name="d")),
}


@pytest.mark.parametrize("case", CUDNN)
def test_layers_of_cudnn_are_what_they_are(case, tmp_path):
    path = as_keras2(saved(randomized(CUDNN[case]()), tmp_path, "m.h5"))
    expected = from_keras(path)

    def change(file):
        group = file["model_weights/l"]
        names = list(group.attrs["weight_names"])
        for first in range(0, len(names), 3):
            found = in_layout_of_cudnn(*(group[name][()] for name in names[first : first + 3]))
            for name, array in zip(names[first : first + 3], found, strict=True):
                del group[name]
                group[name] = array
        file.attrs["model_config"] = json.dumps(as_cudnn(json.loads(file.attrs["model_config"])))

    assert_same(from_keras(changed(path, change)), expected)
    assert all(map(np.array_equal, load(path).get_weights(), expected.weights))


def test_a_layer_of_cudnn_without_its_two_biases(tmp_path):
    path = as_keras2(saved(randomized(CUDNN["LSTM"]()), tmp_path, "m.h5"))
    config_changed(path, lambda config: config.update(as_cudnn(config)))
    with h5py.File(path) as file:
        name = file["model_weights/l"].attrs["weight_names"][2]
    message = f"layer 1 (LSTM 'l'): model_weights/l: {name} (cell/bias): expected an array of shape (32,), got (16,)"
    assert_refused(ValueError, f"{path}: {message}", path)


def test_the_first_layer_may_have_the_shape_of_the_input(tmp_path):
    def change(config):
        first, second = config["config"]["layers"]
        second["config"]["batch_input_shape"] = first["config"]["batch_input_shape"]
        config["config"]["layers"] = [second]

    path = as_keras2(saved(sequential(K.LSTM(2, name="l")), tmp_path, "m.h5"))
    imported = from_keras(config_changed(path, change))
    assert imported.graph.layers == (ours.InputLayer((5, 3), "float32"), ours.LSTM(2))
    assert names(imported) == ["l_input", "l"]


def masked_add():
    x = keras.Input((5, 3), name="x")
    masked = K.Masking(name="m")(x)
    return keras.Model(x, K.Add(name="a")([masked, masked]))


def masked_state():
    x, h = keras.Input((5, 3), name="x"), keras.Input((2,), name="h")
    return keras.Model([x, h], K.GRU(2, name="g")(K.Masking(name="m")(x), initial_state=h))


MASK = (
    "a mask here has another meaning in Keras 2 than in Keras 3; supported: masks for recurrent layers without "
    "initial_state, Bidirectional, TimeDistributed and GlobalAveragePooling1D"
)
REFUSED = {
    "mask of Add": (masked_add, f"layer 2 (Add 'a'): {MASK}"),
    "mask with a state": (masked_state, f"layer 2 (GRU 'g'): {MASK}"),
    "mask of Softmax": (lambda: sequential(K.Masking(), K.Softmax(name="s")), f"layer 2 (Softmax 's'): {MASK}"),
    "model in a model": (
        lambda: sequential(keras.Sequential([keras.Input((5, 3)), K.Dense(2)], name="s")),
        "layer 1 (Sequential 's'): a model in a model of Keras 2 is not supported",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_keras_2_meant_otherwise(make, message, tmp_path):
    path = as_keras2(saved(make(), tmp_path, "m.h5"))
    assert_refused(NotImplementedError, f"{path}: {message}", path)


def time_major(config):
    config["config"]["layers"][1]["config"]["time_major"] = True


def constant(config):
    config["config"]["layers"][1]["inbound_nodes"] = [[["_CONSTANT_VALUE", -1, 1.0, {}]]]


def keyword(config):
    config["config"]["layers"][1]["inbound_nodes"][0][0][3]["constants"] = ["x", 0, 0]


CHANGED = {
    time_major: (NotImplementedError, "time_major=True is not supported; supported: time_major=False"),
    constant: (NotImplementedError, "the call [['_CONSTANT_VALUE', -1, 1.0, {}]] is not supported"),
    keyword: (
        NotImplementedError,
        "the call (tensor, constants=tensor) is not supported; supported: (inputs, initial_state, mask)",
    ),
}


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: change.__name__)
def test_changed_configs_of_keras_2(change, tmp_path):
    path = config_changed(as_keras2(saved(functional(K.GRU(2, name="g")), tmp_path, "m.h5")), change)
    error, message = CHANGED[change]
    assert_refused(error, f"{path}: layer 1 (GRU 'g'): {message}", path)


def test_a_functional_model_was_called_model(tmp_path):
    path = as_keras2(saved(functional(K.GRU(2)), tmp_path, "m.h5"), "2.3.1")
    expected = from_keras(path)
    assert_same(from_keras(config_changed(path, lambda config: config.update(class_name="Model"))), expected)


# damaged files ----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    model = functional(K.SimpleRNN(2, return_sequences=True, name="r"), K.Dense(1, name="d"))
    return saved(model, tmp_path, "m.h5")


def test_names_in_parts(path):
    expected = from_keras(path)

    def split(file):
        for name in ("r", "d"):
            group = file[f"model_weights/{name}"]
            for part, weight in enumerate(group.attrs["weight_names"]):
                group.attrs[f"weight_names{part}"] = [weight]
            del group.attrs["weight_names"]

    assert_same(from_keras(changed(path, split)), expected)


def test_texts_as_bytes(path):
    expected = from_keras(path)

    def encode(file):
        for name in ("model_config", "keras_version"):
            file.attrs[name] = np.bytes_(file.attrs[name].encode())
        for name in ("r", "d"):
            group = file[f"model_weights/{name}"]
            group.attrs["weight_names"] = np.array([weight.encode() for weight in group.attrs["weight_names"]])

    assert_same(from_keras(changed(path, encode)), expected)


def set_attribute(name, value, group="/"):
    def change(file):
        file[group].attrs[name] = value

    return change


def delete(name):
    def change(file):
        del file[name]

    return change


def delete_attribute(name, group="/"):
    def change(file):
        del file[group].attrs[name]

    return change


GROUP = "model_weights/d"
KERNEL = f"{GROUP}/d/kernel"
DENSE = f"layer 2 (Dense 'd'): {GROUP}: d/kernel (kernel)"


def replaced(**options):
    def change(file):
        del file[KERNEL]
        file.create_dataset(KERNEL, **options)

    return change


def linked(link):
    def change(file):
        del file[KERNEL]
        file[KERNEL] = link

    return change


def virtual(file):
    layout = h5py.VirtualLayout((2, 1), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "a", (2, 1))
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


CONTIGUOUS = f"{DENSE}: expected a contiguous dataset of numbers, all in this file"
DAMAGED = {
    "weights alone": (
        delete_attribute("model_config"),
        "model_config: missing: a file of weights alone has no model, model.save('model.h5') has",
    ),
    "no version": (
        delete_attribute("keras_version"),
        "keras_version: expected a version such as 3.15.1, got None",
    ),
    "config": (
        set_attribute("model_config", "{"),
        ("model_config: invalid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ),
    "config of two": (set_attribute("model_config", ["{}", "{}"]), "model_config: expected a text, got 2"),
    "config of numbers": (set_attribute("model_config", [1.0]), "model_config: expected texts, got float64"),
    "no weights": (
        delete("model_weights"),
        "model_weights/r: expected model_weights to be in this file, got nothing",
    ),
    "no layer": (delete(GROUP), f"{GROUP}: expected d to be in this file, got nothing"),
    "no names": (delete_attribute("weight_names", GROUP), f"{GROUP}: expected 2 arrays, got 0"),
    "one more": (set_attribute("weight_names", ["a", "b", "c"], GROUP), f"{GROUP}: expected 2 arrays, got 3"),
    "no kernel": (delete(KERNEL), f"{DENSE}: expected kernel to be in this file, got nothing"),
    "other order": (
        set_attribute("weight_names", ["d/bias", "d/kernel"], GROUP),
        f"layer 2 (Dense 'd'): {GROUP}: d/bias (kernel): expected an array of shape (2, 1), got (1,)",
    ),
    "out of the group": (
        set_attribute("weight_names", ["../r/kernel", "d/bias"], GROUP),
        f"layer 2 (Dense 'd'): {GROUP}: ../r/kernel (kernel): expected .. to be in this file, got nothing",
    ),
    "dtype": (replaced(data=np.zeros((2, 1))), "layer 2 (Dense 'd'): kernel: expected float32, got float64"),
    "chunks": (replaced(data=np.ones((2, 1), "float32"), chunks=(1, 1)), CONTIGUOUS),
    "no numbers": (replaced(shape=(2, 1), dtype="float32"), CONTIGUOUS),
    "other file's numbers": (
        replaced(shape=(2, 1), dtype="float32", external=[("/etc/passwd", 0, 8)]),
        CONTIGUOUS,
    ),
    "virtual": (virtual, CONTIGUOUS),
    "external link": (
        linked(h5py.ExternalLink("other.h5", "/")),
        f"{DENSE}: expected kernel to be in this file, got ExternalLink",
    ),
    "soft link": (
        linked(h5py.SoftLink("/model_weights/r")),
        f"{DENSE}: expected kernel to be in this file, got SoftLink",
    ),
}


@pytest.mark.parametrize(("change", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files(change, message, path):
    assert_refused(ValueError, f"{path}: {message}", changed(path, change))


def test_not_hdf5(tmp_path):
    path = tmp_path / "m.h5"
    path.write_bytes(b"neither" * 20)
    with pytest.raises(ValueError, match=rf"^{path}: cannot be read as HDF5: .+$"):
        from_keras(path)


def test_more_numbers_than_the_file_has_bytes(path):
    def units(config):
        config["config"]["layers"][1]["config"]["units"] = 10**6

    config_changed(path, units)
    expected = 4 * (3 * 10**6 + 10**12 + 10**6 + 10**6 + 1)
    message = f"expected at least {expected} bytes of weights, got {path.stat().st_size}"
    assert_refused(ValueError, f"{path}: {message}", path)


# texts ------------------------------------------------------------------------------------------


def at_heap(place, layout, *values):
    """The bytes of a file with something written at a place after the start of its first heap."""

    def change(content):
        struct.pack_into(layout, content, content.index(b"GCOL\x01") + place, *values)

    return change


def at_text(place, layout, *values):
    """The same for the place where the attribute says where its text is."""

    def change(content):
        heap = content.index(b"GCOL\x01")
        reference = content.index(struct.pack("<Q", heap), content.index(b"model_config\0")) - 4
        struct.pack_into(layout, content, reference + place, *values)

    return change


AWAY = "a text is not where the file says"
HEAP = "the objects of a heap do not lie one behind the other"
TEXTS = {
    "a free object of no size": (at_heap(16, "<HHIQ", 0, 0, 0, 0), HEAP),
    "a heap longer than the file": (at_heap(8, "<Q", 2**40), HEAP),
    "an object longer than the heap": (at_heap(24, "<Q", 2**40), HEAP),
    "no heap": (at_heap(0, "<4s", b"LOCG"), AWAY),
    "an address after the end": (at_text(4, "<Q", 2**62), AWAY),
    "no address": (at_text(4, "<Q", 2**64 - 1), AWAY),
    "a text longer than its object": (at_text(0, "<I", 2**31), AWAY),
    "another object": (at_text(12, "<I", 60_000), AWAY),
    "another start": (lambda content: struct.pack_into("<Q", content, 24, 8), "it begins otherwise"),
}


@pytest.mark.parametrize(("change", "message"), TEXTS.values(), ids=TEXTS)
def test_texts_are_where_the_file_says(change, message, path):
    with h5py.File(path, "r+") as file:  # a text of variable length
        file.attrs["model_config"] = json.dumps(json.loads(file.attrs["model_config"]))
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    assert_refused(ValueError, f"{path}: cannot be read as HDF5: {message}", path)
