"""The importers: which one reads a live model, and which a file by its suffix.

A framework is a package beside `keras` and a row of `IMPORTERS`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symrnn.importers.imported import Imported, check_suffix
from symrnn.importers.keras.reader import SUFFIXES as KERAS_SUFFIXES
from symrnn.importers.keras.reader import from_keras, is_keras_model


@dataclass(frozen=True)
class Importer:
    """How models of a framework are read.

    `is_live` says whether a value is a model of the framework, without importing it; `suffixes` are those
    of its files; `read` gives what a live model or a path, and a number of time steps for a model that leaves
    it open, stand for.
    """

    framework: str
    suffixes: tuple[str, ...]
    is_live: Callable[[object], bool]
    read: Callable[[Any, int | None], Imported]


IMPORTERS = (Importer("Keras", KERAS_SUFFIXES, is_keras_model, from_keras),)
SUFFIXES = tuple(suffix for importer in IMPORTERS for suffix in importer.suffixes)
LIVE_MODELS = ", ".join(f"a {importer.framework} model" for importer in IMPORTERS)
"""What else than a path can be read, for a message."""


def is_readable(model: object) -> bool:
    """Whether this is a path, or a live model of a known framework."""
    return isinstance(model, str | os.PathLike) or any(importer.is_live(model) for importer in IMPORTERS)


def read_model(model: Any, timesteps: int | None = None) -> Imported:
    """The graph and weights of a live model, or of the file at a path.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no model, a damaged file, or a model that is not built.
        NotImplementedError: a format, or something in the model, that is not supported.
    """
    if isinstance(model, str | os.PathLike):
        suffix = Path(model).suffix
        check_suffix(Path(model), SUFFIXES)
        found = [importer for importer in IMPORTERS if suffix in importer.suffixes]
    else:
        found = [importer for importer in IMPORTERS if importer.is_live(model)]
    if not found:
        raise ValueError(f"expected {LIVE_MODELS} or a path, got {type(model).__name__}")
    return found[0].read(model, timesteps)
