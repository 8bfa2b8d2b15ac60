"""The `.keras` file: a zip with the config as JSON and the weights as HDF5, read without running anything.

Only hard links to contiguous datasets of numbers are followed, and sizes are checked before reading,
so that a file can neither reach outside itself nor fill the memory.
"""

import importlib
import json
import lzma
import math
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from symrnn.common.errors import at, cut_name, short_repr
from symrnn.common.terminal import one_line
from symrnn.importers.keras.keras2 import AS_IT_IS, ArrayLayout


@dataclass(frozen=True)
class Stored:
    """One array of get_weights(), and where files have it.

    A `.keras` file has it in `group`, beside the other arrays of the group and in their order; an `.h5` file
    among those of the `layer` of the whole model, the trainable ones first. `shape` is that of Keras 3, and
    `layout` says what the file has for it.
    """

    where: str
    name: str
    shape: tuple[int, ...]
    group: str
    layer: str
    trainable: bool = True
    layout: ArrayLayout = AS_IT_IS


def check_shape(array: object, shape: tuple[int, ...]) -> None:
    """Check an array, or what stands in its place.

    Raises:
        ValueError: it has another shape, or none.
    """
    found = getattr(array, "shape", None)  # a group of a file has none
    if found != shape:
        raise ValueError(f"expected an array of shape {shape}, got {found}")


_BYTES, _ROOM = 40, 16 * 2**20
"""Bytes of a file for each weight: float64 and four of an optimizer's beside it; and for all else."""


def check_file_size(stored: Sequence[Stored], size: int) -> None:
    """Check that a file of this size can hold the arrays, each number in four bytes or more, and little else.

    Raises:
        ValueError: it cannot, or holds much more.
    """
    numbers = sum(math.prod(array.shape) for array in stored)
    if 4 * numbers > size:
        raise ValueError(f"expected at least {4 * numbers} bytes of weights, got {size}")
    if size > _BYTES * numbers + _ROOM:
        raise ValueError(f"expected at most {_BYTES * numbers + _ROOM} bytes for {numbers} weights, got {size}")


# the zip file -----------------------------------------------------------------------------------

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LIMITS = {_CONFIG: 8 * 2**20, _METADATA: 2**20}
"""Bytes, so that a small file cannot fill the memory; what reads JSON takes 25 times as many."""
_CHUNK = 2**20
_ZIP_ERRORS = (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error, lzma.LZMAError, struct.error)


def read_zip(path: Path) -> tuple[Any, object]:
    """The config of a `.keras` file, and the version of Keras that wrote it.

    Raises:
        ValueError: the file is no zip, or a member is missing, too large, or no JSON.
    """
    config, metadata = (read_json(_text(path, name), name) for name in (_CONFIG, _METADATA))
    return config, metadata.get("keras_version") if isinstance(metadata, dict) else None


def zip_arrays(path: Path, stored: Sequence[Stored]) -> list[np.ndarray]:
    """The arrays of a `.keras` file.

    Raises:
        ValueError: one is missing, has another shape, or is not all in this file.
    """
    groups = {group: [array for array in stored if array.group == group] for group in {a.group for a in stored}}
    with tempfile.TemporaryFile() as content:
        with _member(path, _WEIGHTS) as (member, size):
            with at(_WEIGHTS):
                check_file_size(stored, size)
            shutil.copyfileobj(member, content, _CHUNK)
        with at(_WEIGHTS), opened(content) as file:
            return [_group_array(file, array, groups[array.group]) for array in stored]


def write_zip_arrays(path: Path, stored: Sequence[Stored], arrays: Sequence[np.ndarray], source: Path) -> None:
    """The arrays as `zip_arrays` has read them from a source, each where it was: a file that Keras loads."""
    seen: Counter[str] = Counter()
    with hdf5().File(path, "w") as file:
        for one, array in zip(stored, arrays, strict=True):
            file[f"{one.group}/{seen[one.group]}"] = array
            seen[one.group] += 1


def _text(path: Path, name: str) -> bytes:
    """A member that is a text."""
    with _member(path, name) as (member, size):
        return read_text(member, size, name)


def read_text(file: IO[bytes], size: int, name: str) -> bytes:
    """A text of this size, of at most as many bytes as `LIMITS` says.

    Raises:
        ValueError: it has more.
    """
    if size > LIMITS[name]:
        raise ValueError(f"{name}: expected at most {LIMITS[name]} bytes, got {size}")
    return file.read(size)


@contextmanager
def _member(path: Path, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """A member of the zip file, and how many bytes it is said to have: no more of them are read."""
    try:
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                raise ValueError(f"{name}: missing from the zip file")
            with archive.open(name) as member:
                yield member, archive.getinfo(name).file_size
    except _ZIP_ERRORS as error:
        raise ValueError(f"expected a zip file, got one that cannot be read: {one_line(str(error))}") from None


def read_json(content: bytes | str, name: str) -> Any:
    """What a text in JSON says.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: invalid JSON: {error}") from None


# HDF5 -------------------------------------------------------------------------------------------


def hdf5() -> Any:
    """The library h5py, loaded with the first file: a derivation without one should not wait for it."""
    return importlib.import_module("h5py")


@contextmanager
def opened(content: IO[bytes]) -> Iterator[Any]:
    """The HDF5 file in these bytes.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        with hdf5().File(content, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"cannot be read as HDF5: {one_line(str(error))}") from None


def _group_array(file: Any, array: Stored, group: Sequence[Stored]) -> np.ndarray:
    """The dataset 0, 1, ... of the array's group, which may hold no other than those of the group."""
    with at(f"{array.where}: {array.group}"):
        found = descend(file, array.group)
        names = list(map(str, range(len(group))))
        if sorted(found) != names:
            raise ValueError(f"expected the arrays {names}, got {short_repr(sorted(found))}")
        return read_array(found, str(group.index(array)), array)


def descend(group: Any, path: str) -> Any:
    """The group or dataset at a path whose links all stay inside the file.

    Raises:
        ValueError: there is none.
    """
    for name in path.split("/"):
        link = group.get(name, getlink=True) if isinstance(group, hdf5().Group) else None
        if type(link) is not hdf5().HardLink:
            found = "nothing" if link is None else type(link).__name__
            raise ValueError(f"expected {cut_name(name)} to be in this file, got {found}")
        group = group[name]
    return group


def read_array(group: Any, path: str, array: Stored) -> np.ndarray:
    """A plain dataset's numbers: not those of another file, and no more than this file has bytes for.

    Raises:
        ValueError: it is something else.
    """
    with at(f"{cut_name(path)} ({array.name})"):
        dataset = descend(group, path)
        check_shape(dataset, array.layout.shape(array.shape))
        plain = dataset.dtype.kind in "biuf" and not (dataset.is_virtual or dataset.external or dataset.chunks)
        if not plain or dataset.id.get_storage_size() != dataset.nbytes:
            raise ValueError("expected a contiguous dataset of numbers, all in this file")
        return array.layout.read(dataset[()])
