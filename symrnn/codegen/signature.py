"""What the functions of a derivation take and give: known without a number, and so without NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symrnn.models.network import ModelInput, WeightArray


@dataclass(frozen=True)
class Target:
    """The y_true of one output: its symbol's name and width, of a sequence its length, of ids their number."""

    name: str
    width: int
    steps: str | None = None
    depth: int | None = None


@dataclass(frozen=True)
class Arguments:
    """What the functions of a derivation take: the inputs, y_true for each output, the weights.

    `lengths` are the numbers of time steps of sequences that start within the model.
    """

    sources: tuple[ModelInput, ...]
    arrays: tuple[WeightArray, ...]
    targets: tuple[Target, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the weights' symbols, in their order."""
        return tuple(part.symbol.name for array in self.arrays for part in array.parts)


@dataclass(frozen=True)
class Output:
    """How one result is shaped.

    `kind` is "loss", "weight" (its shape in `shape`), "source" (as the input at `place` was given),
    "rows" (a row per sample) or "family" (a row per sample and step; one step of it if `step` is
    set).
    """

    kind: str
    shape: tuple[int, ...] = ()
    step: int | None = None
    place: int = 0
