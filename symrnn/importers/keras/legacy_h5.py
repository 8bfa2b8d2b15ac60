"""The legacy `.h5` file: the config as a text and the weights of each layer under its name, all in one HDF5 file.

It is read as a `.keras` file is: nothing in it is run, no link is followed out of it.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symrnn.common.errors import at, cut_name
from symrnn.importers.keras.archive import LIMITS, Stored, check_file_size, descend, hdf5, opened, read_array, read_json
from symrnn.importers.keras.heaps import check_texts

_CONFIG, _VERSION, _WEIGHTS = "model_config", "keras_version", "model_weights"
_NAMES, _LAYERS = "weight_names", "layer_names"
_LIMIT = LIMITS["config.json"]


def read_h5(path: Path) -> tuple[Any, object]:
    """The config of an `.h5` file, and the version of Keras that wrote it.

    Raises:
        ValueError: the file is no HDF5 file, or has no config.
    """
    check_texts(path, (_CONFIG, _VERSION, _NAMES, _LAYERS), _LIMIT)
    with path.open("rb") as content, opened(content) as file:
        config = _text(file, _CONFIG)
        if config is None:
            raise ValueError(f"{_CONFIG}: missing: a file of weights alone has no model, model.save('model.h5') has")
        return read_json(config, _CONFIG), _text(file, _VERSION)


def h5_arrays(path: Path, stored: Sequence[Stored]) -> list[np.ndarray]:
    """The arrays of an `.h5` file.

    Raises:
        ValueError: one is missing, has another shape, or is not all in this file.
    """
    check_file_size(stored, path.stat().st_size)
    found: dict[Stored, np.ndarray] = {}
    with path.open("rb") as content, opened(content) as file:
        for layer in dict.fromkeys(array.layer for array in stored):
            found |= _layer_arrays(file, layer, [array for array in stored if array.layer == layer])
    return [found[array] for array in stored]


def write_h5_arrays(path: Path, stored: Sequence[Stored], arrays: Sequence[np.ndarray], source: Path) -> None:
    """The arrays as `h5_arrays` has read them from a source, its layers in their order: a file that Keras loads."""
    with source.open("rb") as content, opened(content) as file:
        listed = _names(descend(file, _WEIGHTS), _LAYERS)
    found = dict(zip(stored, arrays, strict=True))
    with hdf5().File(path, "w") as file:
        whole = file.create_group(_WEIGHTS)
        whole.attrs[_LAYERS] = [str(place) for place, _ in enumerate(listed)]
        for place, layer in enumerate(listed):
            group = whole.create_group(str(place))
            own = _in_order([array for array in stored if array.layer == layer])
            group.attrs[_NAMES] = [str(number) for number, _ in enumerate(own)]
            for number, array in enumerate(own):
                group[str(number)] = found[array]


def _in_order(stored: Sequence[Stored]) -> list[Stored]:
    """The trainable ones first."""
    return sorted(stored, key=lambda array: not array.trainable)


def _layer_arrays(file: Any, layer: str, stored: Sequence[Stored]) -> dict[Stored, np.ndarray]:
    """The arrays of one layer of the model, in the order of their names: the trainable ones first."""
    path = f"{_WEIGHTS}/{layer}"
    with at(cut_name(path)):
        group = descend(file, path)
        names = _names(group, _NAMES)
        if len(names) != len(stored):
            raise ValueError(f"expected {len(stored)} arrays, got {len(names)}")
    arrays = {}
    for name, array in zip(names, _in_order(stored), strict=True):
        with at(f"{array.where}: {cut_name(path)}"):
            arrays[array] = read_array(group, name, array)
    return arrays


def _names(group: Any, name: str) -> list[str]:
    """An attribute such as weight_names; a long one is in parts weight_names0, weight_names1, ..."""
    if name in group.attrs:
        return _texts(group, name)
    found: list[str] = []
    part = 0
    while f"{name}{part}" in group.attrs:
        found += _texts(group, f"{name}{part}")
        part += 1
    return found


def _text(owner: Any, name: str) -> str | None:
    """An attribute that is a text."""
    if name not in owner.attrs:
        return None
    found = _texts(owner, name)
    if len(found) != 1:
        raise ValueError(f"{name}: expected a text, got {len(found)}")
    return found[0]


def _texts(owner: Any, name: str) -> list[str]:
    """An attribute that is a text or a list of texts, not larger than a config may be."""
    attribute = owner.attrs.get_id(name)
    count = math.prod(attribute.shape)
    if count and hdf5().check_string_dtype(attribute.dtype) is None:
        raise ValueError(f"{name}: expected texts, got {attribute.dtype}")
    if max(count, 1) * attribute.dtype.itemsize > _LIMIT:
        raise ValueError(f"{name}: expected at most {_LIMIT} bytes, got {count * attribute.dtype.itemsize}")
    value = owner.attrs[name] if count else []
    values = [value] if isinstance(value, str | bytes) else list(value)
    return [text.decode() if isinstance(text, bytes) else str(text) for text in values]
