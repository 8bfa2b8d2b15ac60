"""The rule of each layer: what one call of it adds to the forward program."""

from functools import singledispatch

from symrnn.models.builder import ProgramBuilder, Values
from symrnn.models.layers.core import Layer


@singledispatch
def apply(layer: Layer, build: ProgramBuilder, place: int, given: Values) -> Values:
    """Add the symbols and equations of one call of a layer, at `place` in the graph, on `given`; what it returns.

    Raises:
        NotImplementedError: there is no rule for the layer.
    """
    raise NotImplementedError(f"{type(layer).__name__} is not supported")
