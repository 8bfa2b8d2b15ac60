"""Legacy `.h5` files: those of Keras 2, and what is refused. `test_keras_bridge` reads every model of Keras 3."""

import json

import h5py
import numpy as np
import pytest

import symrnn as ours
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
    "hard_sigmoid": (
        lambda: sequential(K.LSTM(2, recurrent_activation="hard_sigmoid", name="l")),
        (
            "layer 1 (LSTM 'l'): recurrent_activation='hard_sigmoid' of Keras 2 is not supported: "
            "it was clip(0.2 x + 0.5, 0, 1), and in Keras 3 it is relu6(x + 3) / 6"
        ),
    ),
    "hard_sigmoid of a layer": (
        lambda: sequential(K.TimeDistributed(K.Dense(2, "hard_sigmoid", name="d"), name="t")),
        (
            "layer 1 (TimeDistributed 't'): its Dense 'd': activation='hard_sigmoid' of Keras 2 is not supported: "
            "it was clip(0.2 x + 0.5, 0, 1), and in Keras 3 it is relu6(x + 3) / 6"
        ),
    ),
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


def reset_after(config):
    del config["config"]["layers"][1]["config"]["reset_after"]


def time_major(config):
    config["config"]["layers"][1]["config"]["time_major"] = True


def constant(config):
    config["config"]["layers"][1]["inbound_nodes"] = [[["_CONSTANT_VALUE", -1, 1.0, {}]]]


def keyword(config):
    config["config"]["layers"][1]["inbound_nodes"][0][0][3]["constants"] = ["x", 0, 0]


CHANGED = {
    reset_after: (ValueError, "config: reset_after: expected bool, got None"),
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
