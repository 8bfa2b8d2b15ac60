"""What only training knows."""

from symrnn.models.builder import ProgramBuilder, Values, only
from symrnn.models.equations.rule import apply
from symrnn.models.layers.regularization import Dropout


@apply.register
def _(layer: Dropout, build: ProgramBuilder, place: int, given: Values) -> Values:
    return [only(given)]
