"""What the functions of a derivation take and give: known without a number, and so without NumPy."""

from dataclasses import dataclass
from functools import cached_property

from symrnn.forward import Weight


@dataclass(frozen=True)
class Arguments:
    """What the functions of a derivation take.

    `states` are the initial states' names and widths; `target` is None or the width of y_true.
    """

    timesteps: int | None
    features: int
    weights: tuple[Weight, ...]
    states: tuple[tuple[str, int], ...] = ()
    target: int | None = None
    sequence: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The weights' names, in their order."""
        return tuple(weight.symbol.name for weight in self.weights)


@dataclass(frozen=True)
class Output:
    """How one result is shaped.

    `kind` is "loss", "weight" (its shape in `shape`), "x", "rows" (a row per sample) or "family" (a
    row per sample and step; one step of it if `step` is set).
    """

    kind: str
    shape: tuple[int, ...] = ()
    step: int | None = None
