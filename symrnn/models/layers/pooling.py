"""One row of all time steps."""

from dataclasses import dataclass

from symrnn.models.layers.core import Layer


@dataclass(frozen=True)
class GlobalAveragePooling1D(Layer):
    """The mean over t, of the valid steps where there is a mask.

    Source: keras/src/layers/pooling/global_average_pooling1d.py.
    """

    time = "ends"
    reads_mask = True


@dataclass(frozen=True)
class GlobalMaxPooling1D(Layer):
    """The largest value over t of each column; a mask is ignored.

    Source: keras/src/layers/pooling/global_max_pooling1d.py.
    """

    time = "ends"
