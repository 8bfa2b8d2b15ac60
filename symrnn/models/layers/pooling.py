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
    does = "is the mean of {x} over the time steps{counted}"


@dataclass(frozen=True)
class GlobalMaxPooling1D(Layer):
    """The largest value over t of each column; a mask is ignored.

    Source: keras/src/layers/pooling/global_max_pooling1d.py.
    """

    time = "ends"
    does = "is the largest {x} over the time steps, entry by entry"
