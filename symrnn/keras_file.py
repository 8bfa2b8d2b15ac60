"""The `.keras` file: a zip with the config as JSON and the weights as HDF5, read without running anything.

Only hard links to contiguous datasets of numbers are followed, and sizes are checked before reading,
so that a file can neither reach outside itself nor fill the memory.
"""

import io
import json
import lzma
import reprlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Stored:
    """The arrays of one layer, by Keras' names, and the group of the file that holds them."""

    layer: str
    shapes: Shapes
    group: str


@contextmanager
def at(place: object) -> Iterator[None]:
    """Put the place before the message of whatever is refused inside."""
    try:
        yield
    except NotImplementedError as error:
        raise NotImplementedError(f"{place}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def check_shape(array: object, shape: tuple[int, ...]) -> None:
    """Check an array, or what stands in its place.

    Raises:
        ValueError: it has another shape, or none.
    """
    found = getattr(array, "shape", None)  # a group of a file has none
    if found != shape:
        raise ValueError(f"expected an array of shape {shape}, got {found}")


_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_LIMITS = {_CONFIG: 64 * 2**20, _WEIGHTS: 2 * 2**30}  # bytes, so that a small file cannot fill the memory
_ZIP_ERRORS = (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, struct.error)


def members(path: Path) -> list[bytes]:
    """The contents of the config and of the weights.

    Raises:
        ValueError: the file is no zip, or a member is missing or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_member(archive, name) for name in (_CONFIG, _WEIGHTS)]
    except _ZIP_ERRORS as error:
        raise ValueError(f"expected a zip file, got one that cannot be read: {error}") from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise ValueError(f"{name}: missing from the zip file")
    size = archive.getinfo(name).file_size
    if size > _LIMITS[name]:
        raise ValueError(f"{name}: expected at most {_LIMITS[name]} bytes, got {size}")
    return archive.read(name)


def read_json(content: bytes) -> Any:
    """The config.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{_CONFIG}: invalid JSON: {error}") from None


def h5_arrays(content: bytes, stored: Sequence[Stored]) -> "list[np.ndarray]":
    """The arrays of the layers, in their order, from the HDF5 member.

    Raises:
        ValueError: one is missing, has another shape, or is not all in this file.
    """
    import h5py  # here, so that importing symrnn does not load it

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return [array for layer in stored for array in _layer_arrays(file, layer)]
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"{_WEIGHTS}: cannot be read as HDF5: {error}") from None


def _layer_arrays(file: Any, layer: Stored) -> "list[np.ndarray]":
    """The datasets 0, 1, ... of the layer's group, which may hold no other."""
    with at(f"{layer.layer}: {_WEIGHTS}: {layer.group}"):
        group = _descend(file, layer.group)
        names = dict(zip(map(str, range(len(layer.shapes))), layer.shapes, strict=True))
        if sorted(group) != list(names):
            raise ValueError(f"expected the arrays {list(names)}, got {reprlib.repr(sorted(group))}")
        return [_array(group, place, name, layer.shapes[name]) for place, name in names.items()]


def _descend(group: Any, path: str) -> Any:
    """The group or dataset at a path whose links all stay inside the file."""
    import h5py

    for name in path.split("/"):
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if type(link) is not h5py.HardLink:
            found = "nothing" if link is None else type(link).__name__
            raise ValueError(f"expected {name} to be in this file, got {found}")
        group = group[name]
    return group


def _array(group: Any, place: str, name: str, shape: tuple[int, ...]) -> "np.ndarray":
    """A plain dataset's numbers: not those of another file, and no more than this file has bytes for."""
    with at(f"{place} ({name})"):
        dataset = _descend(group, place)
        check_shape(dataset, shape)
        plain = dataset.dtype.kind in "biuf" and not (dataset.is_virtual or dataset.external or dataset.chunks)
        if not plain or dataset.id.get_storage_size() != dataset.nbytes:
            raise ValueError("expected a contiguous dataset of numbers, all in this file")
        return dataset[()]
