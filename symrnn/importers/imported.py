"""What every importer gives, and what is said of a file that none reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symrnn.common.errors import cut
from symrnn.models.graph import Graph


@dataclass(frozen=True)
class Imported:
    """A model of another framework: the contract that every importer keeps.

    - `graph`: its calls of `models.layers`, each layer with the name that it has there; a mask that is a tensor of
      its own is a call of `NotEqual`, a layer after all others
    - `weights`: its arrays in the order, the shapes and the orientation of Keras' `get_weights()`, those of
      `forward(graph).arrays`: kernels are (inputs, units), gates are column blocks in the order of `gates` of the
      cell, a bias has one axis; another framework's arrays are transposed and put in this order when they are read;
      None where an architecture alone is read
    - `dtype`: the one type of all weights, "float32" or "float64"
    - `regularizers`: what its loss in training has beside the loss of its outputs, in words for each layer
    """

    graph: Graph
    weights: tuple[np.ndarray, ...] | None
    dtype: str
    regularizers: tuple[str, ...] = ()


def check_suffix(path: Path, suffixes: Iterable[str]) -> None:
    """Check that the file is of a format that is read.

    Raises:
        NotImplementedError: it is not.
    """
    if path.suffix not in suffixes:
        raise NotImplementedError(
            f"{cut(str(path))}: expected a file that ends in {', '.join(suffixes)}, as model.save('model.keras') writes"
        )
