"""The forward program of a model, and what belongs to it: weights, inputs, states, outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr

from symrnn.expressions.names import Name
from symrnn.expressions.nodes import T
from symrnn.models.graph import Graph, Result
from symrnn.programs.program import Program


@dataclass(frozen=True)
class Weight:
    """One row of the table symbol, Keras weight, shape: `array` and `layer` are places, from 0.

    The symbol is the columns from `start` on of a Keras weight, or of its row `row`.
    """

    symbol: Expr
    name: Name
    layer: int
    keras: str
    shape: tuple[int, ...]
    array: int
    start: int = 0
    row: int | None = None

    def block(self, array: Any) -> Any:
        """The part of the Keras weight that this symbol stands for; what is written to it is written to the array."""
        rows = array if self.row is None else array[self.row]
        return rows if rows.shape == self.shape else rows[..., self.start : self.start + self.shape[-1]]


@dataclass(frozen=True)
class WeightArray:
    """An array of get_weights(): its Keras name and shape, and the symbols that are its parts.

    `unit` is where the layer has it, such as ("forward_layer", "cell").
    """

    symbol: Expr
    name: Name
    layer: int
    unit: tuple[str, ...]
    keras: str
    shape: tuple[int, ...]
    parts: tuple[Weight, ...]
    place: int


@dataclass(frozen=True)
class ModelInput:
    """An input of the model, of a kind of `graph.input_kind`; an initial state is rows too.

    `steps` is the number of time steps as a symbol, `timesteps` as a number or None where it is
    open; `depth` is the number of ids; `state` says that it is the state before the first step.
    """

    symbol: Expr
    kind: str
    width: int
    steps: Expr | None = None
    timesteps: int | None = None
    depth: int | None = None
    state: bool = False
    dtype: str | None = None

    @property
    def is_flat(self) -> bool:
        """Whether its array has one number for each time step, and no axis of features."""
        return self.kind in ("ids", "mask")


@dataclass(frozen=True)
class State:
    """A recurrent layer's state: the family h_t, the last one, and what it starts from.

    `layer` and `call` are the places of the layer and of its call, `unit` the half or cell.
    """

    symbol: Expr
    layer: int
    call: int
    unit: tuple[str, ...]
    initial: Expr | None
    final: Expr | None
    reverse: bool = False


@dataclass(frozen=True)
class ModelOutput:
    """An output of the model.

    `logits` is what the last activation was applied to, where Keras' crossentropies use it; `mask`
    says which samples or steps count in a loss; `normalized` that the rows have a constant sum, as those of
    a softmax, so that the derivative of their sum is zero.
    """

    symbol: Expr
    sequence: bool
    width: int
    logits: Expr | None = None
    mask: Expr | None = None
    steps: Expr = T
    normalized: bool = False


@dataclass(frozen=True)
class Network:
    """The forward program of a model and what belongs to it.

    `timesteps` is the number of time steps of each length, None where it is open, `finals` the states
    after the last step of stateful layers, which the model hands back, `values` the symbols of what
    each call returns.
    """

    graph: Graph
    program: Program
    arrays: tuple[WeightArray, ...]
    sources: tuple[ModelInput, ...]
    states: tuple[State, ...]
    heads: tuple[ModelOutput, ...]
    finals: tuple[Expr, ...] = ()
    timesteps: Mapping[Expr, int | None] = field(default_factory=dict, compare=False)
    values: Mapping[Result, Expr] = field(default_factory=dict, compare=False, repr=False)

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The symbols of the weights, in the order of get_weights()."""
        return tuple(part for array in self.arrays for part in array.parts)

    @property
    def own_lengths(self) -> dict[str, int]:
        """The numbers of time steps by name that no input tells: those of sequences that start within the model."""
        told = {source.steps for source in self.sources}
        return {str(steps): number for steps, number in self.timesteps.items() if number and steps not in told}

    @property
    def output(self) -> Expr:
        """The first output's symbol, y or the family y_t."""
        return self.heads[0].symbol

    @property
    def outputs(self) -> int:
        """The number of columns of the first output."""
        return self.heads[0].width

    @property
    def sequence(self) -> bool:
        """Whether the first output is a sequence."""
        return self.heads[0].sequence

    @property
    def logits(self) -> Expr | None:
        """What the first output's activation was applied to."""
        return self.heads[0].logits
