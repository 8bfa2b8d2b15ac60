"""A Keras model, live or in a file -> a graph of layers, and its weights.

A live model is read through `to_json()` and `get_weights()`, a `.keras` or `.h5` file by its own parts.
Neither Keras nor TensorFlow is imported, and nothing that a file contains is run.
"""

import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from symrnn.common.errors import at, cut, short_repr
from symrnn.importers.imported import Imported, check_suffix
from symrnn.importers.keras.archive import (
    Stored,
    check_shape,
    read_json,
    read_text,
    read_zip,
    write_zip_arrays,
    zip_arrays,
)
from symrnn.importers.keras.excerpts import model_excerpt
from symrnn.importers.keras.graph_config import Place, Read, group_name, read_graph
from symrnn.importers.keras.keras2 import AS_IT_IS, LAYOUTS
from symrnn.importers.keras.layer_config import ConfigOrigin, Entry, read_version, regularizers
from symrnn.importers.keras.legacy_h5 import h5_arrays, read_h5, write_h5_arrays
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Graph, with_timesteps
from symrnn.models.layers.core import Layer, check_size
from symrnn.models.network import WeightArray

Arrays = Callable[[Sequence[Stored]], Sequence[np.ndarray]]


def is_keras_model(model: object) -> bool:
    """Whether this is a live Keras model, told by its methods: Keras is not imported."""
    methods = (getattr(model, name, None) for name in ("to_json", "get_weights"))
    return not isinstance(model, type) and all(map(callable, methods))


def from_keras(model: object, timesteps: int | None = None) -> Imported:
    """The layers and weights of a live Keras model, or of the `.keras` or `.h5` file at a path.

    Args:
        model: A Sequential or functional model, or a path.
        timesteps: The number of time steps, for a model whose inputs are open in time.

    Keras casts x to the InputLayer's dtype, which may differ from the layers' dtype that is returned.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A damaged file, or a model that is not built.
        NotImplementedError: A layer, an argument, a dtype or a call that is not supported.
    """
    if timesteps is not None:
        check_size("timesteps", timesteps, "from_keras")
    if isinstance(model, str | os.PathLike):
        return _from_file(Path(model), timesteps)
    if is_keras_model(model):
        return _from_live(model, timesteps)
    raise ValueError(f"expected a Keras model or the path of a .keras or .h5 file, got {short_repr(model)}")


# live models ------------------------------------------------------------------------------------


def _from_live(model: Any, timesteps: int | None) -> Imported:
    with warnings.catch_warnings():
        # Keras warns of what would be unsafe to load again, and of its own calls of NumPy
        warnings.simplefilter("ignore")
        config = _live_config(model)
        return _import(config, _live_origin(model, config), lambda stored: model.get_weights(), timesteps)


def _live_config(model: Any) -> Any:
    try:
        return json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        raise NotImplementedError(
            f"{type(model).__name__}: its to_json() fails; supported: Sequential and Functional"
        ) from error


def _live_origin(model: object, config: Any) -> ConfigOrigin:
    """The version that the config names, as Keras 2 does, or else that of the Keras the model is from."""
    named = _named_version(config)
    if named is not None:
        return _legacy_origin(named)
    packages = {base.__module__.split(".")[0] for base in type(model).__mro__}
    version = getattr(sys.modules.get("keras"), "__version__", None) if "keras" in packages else None
    return ConfigOrigin() if version is None else _origin(version)


def _named_version(config: Any) -> object:
    return config.get("keras_version") if isinstance(config, dict) else None


def _origin(version: object) -> ConfigOrigin:
    return ConfigOrigin(read_version(version))


def _legacy_origin(version: object) -> ConfigOrigin:
    return ConfigOrigin(read_version(version), modules=False)


# files ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Format:
    """How the config of a file, its origin by its version, and its arrays are read, and written anew for Keras."""

    config: Callable[[Path], tuple[Any, object]]
    origin: Callable[[object], ConfigOrigin]
    arrays: Callable[[Path, Sequence[Stored]], Sequence[np.ndarray]] | None = None
    write: Callable[[Path, Sequence[Stored], Sequence[np.ndarray], Path], None] | None = None
    weights: str = ""


def _read_architecture(path: Path) -> tuple[Any, object]:
    """What `model.to_json()` has written, and the version of Keras where it says so, as Keras 2 does."""
    with path.open("rb") as file:
        config = read_json(read_text(file, path.stat().st_size, "config.json"), "the architecture")
    return config, _named_version(config)


def _architecture_origin(version: object) -> ConfigOrigin:
    return ConfigOrigin() if version is None else _legacy_origin(version)


_H5 = _Format(read_h5, _legacy_origin, h5_arrays, write_h5_arrays, "model.h5")
_FORMATS = {
    ".keras": _Format(read_zip, _origin, zip_arrays, write_zip_arrays, "model.weights.h5"),
    ".h5": _H5,
    ".hdf5": _H5,
    ".json": _Format(_read_architecture, _architecture_origin),
}
SUFFIXES = tuple(_FORMATS)
"""The suffixes of the files that are read."""


def _from_file(path: Path, timesteps: int | None) -> Imported:
    with _opened(path) as (kind, config, origin):
        arrays = kind.arrays
        return _import(config, origin, None if arrays is None else partial(arrays, path), timesteps)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Format, Any, ConfigOrigin]]:
    """The format of a file, its config, and where that comes from."""
    check_suffix(path, SUFFIXES)
    if not path.exists():
        raise FileNotFoundError(f"{cut(str(path))}: no such file")
    kind = _FORMATS[path.suffix]
    with at(path):
        if not path.is_file():
            raise ValueError("expected a file, got something else")
        config, version = kind.config(path)
        try:
            yield kind, config, kind.origin(version)
        except RecursionError:
            raise ValueError("config: models or lists in each other too deep") from None


@dataclass(frozen=True)
class Excerpt:
    """What symrnn has read of a file, for Keras: its own configuration, and its own weights in the same format.

    `config` is for `deserialize_keras_object`; `write` makes a file in a folder, for `load_weights`.
    """

    config: Mapping[str, Any]
    weights: tuple[np.ndarray, ...]
    write: Callable[[Path], Path]


def excerpt_of(path: str | os.PathLike[str]) -> Excerpt:
    """The excerpt of a file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A damaged file.
        NotImplementedError: Something in the file that is not supported.
    """
    source = Path(path)
    with _opened(source) as (kind, config, origin):
        arrays, write = kind.arrays, kind.write
        if arrays is None or write is None:
            raise ValueError("an architecture has no weights to check; supported: the model's .keras or .h5 file")
        read = read_graph(config, origin)
        stored = _all_stored(read, read.graph)
        weights = tuple(arrays(source, stored))
        _check_weights(weights, stored, read.dtype)
        excerpt = model_excerpt(read.listing)

    def written(folder: Path) -> Path:
        write(folder / kind.weights, stored, weights, source)
        return folder / kind.weights

    return Excerpt(excerpt, weights, written)


# graph and weights ------------------------------------------------------------------------------


def _import(config: Any, origin: ConfigOrigin, arrays: Arrays | None, timesteps: int | None) -> Imported:
    """The one reader: config -> graph -> the arrays that its forward program has -> weights."""
    read = read_graph(config, origin)
    graph = with_timesteps(read.graph, timesteps)
    if arrays is None:
        return Imported(graph, None, read.dtype)
    stored = _all_stored(read, graph)
    weights = tuple(arrays(stored))
    _check_weights(weights, stored, read.dtype)
    left_out = [(place.where, regularizers(place.entry)) for place in read.places]
    words = tuple(f"{', '.join(dict.fromkeys(found))} of {where}" for where, found in left_out if found)
    return Imported(graph, weights, read.dtype, words)


def _all_stored(read: Read, graph: Graph) -> list[Stored]:
    return [_stored(array, graph.layers[array.layer], read.places[array.layer]) for array in forward(graph).arrays]


def _stored(array: WeightArray, layer: Layer, place: Place) -> Stored:
    group = "/".join([place.group, *_attributes(layer, array.unit), "vars"])
    leading = list(_leading(place.entry, array.unit))
    trainable = place.trainable and all(one["config"].get("trainable") is not False for one in leading)
    layout = LAYOUTS.get(leading[-1]["class_name"], {}).get(array.keras, AS_IT_IS)
    return Stored(place.where, "/".join([*array.unit, array.keras]), array.shape, group, place.top, trainable, layout)


def _attributes(layer: Layer, unit: Sequence[str]) -> list[str]:
    """The groups inside that of the layer: a cell of several has the name of its class, with a number."""
    if "cells" not in unit:
        return list(unit)
    half = layer.halves[unit[0] == "backward_layer"]
    names = _groups_of_cells(tuple(type(cell).__name__ for cell in half.cells))
    return [*unit[:-1], names[int(unit[-1])]]


@lru_cache(maxsize=8)
def _groups_of_cells(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the groups of cells of these classes; each array of a cell asks for them."""
    seen: Counter[str] = Counter()
    return tuple(group_name(kind, seen) for kind in kinds)


_KEYS = {"forward_layer": ("layer",), "backward_layer": ("backward_layer", "layer")}
"""Where a config has a layer; Keras 2 has no entry for a backward layer of the same kind."""


def _leading(entry: Entry, unit: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """What the file says of the layers and cells that lead to an array; a plain layer's cell is itself."""
    found: Any = entry.item
    yield found
    for name in unit:
        inside = found if isinstance(found, list) else found["config"]
        if isinstance(inside, list):
            found = inside[int(name)]
        else:
            found = next((inside[key] for key in _KEYS.get(name, (name,)) if inside.get(key) is not None), found)
        if isinstance(found, dict):
            yield found


def _check_weights(weights: Sequence[np.ndarray], stored: Sequence[Stored], dtype: str) -> None:
    """Check that there are as many arrays as the layers need, each of its shape and dtype."""
    if len(weights) != len(stored):
        raise ValueError(f"expected {len(stored)} arrays of weights, got {len(weights)}")
    for array, expected in zip(weights, stored, strict=True):
        with at(f"{expected.where}: {expected.name}"):
            check_shape(array, expected.shape)
            if str(array.dtype) != dtype:
                raise ValueError(f"expected {dtype}, got {array.dtype}")
