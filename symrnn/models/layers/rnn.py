"""Cells, and the layers that run them over time."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from symrnn.common.errors import cut_repr
from symrnn.common.fields import check_fields
from symrnn.expressions.gates import GATES
from symrnn.models.custom_cell import Cell
from symrnn.models.layers.core import Layer, check_activations

# cells ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SimpleRNNCell:
    """h_t = f(x_t U + h_{t-1} V + b_h). Source: keras/src/layers/rnn/simple_rnn.py."""

    states: ClassVar[str] = "h"

    units: int
    activation: str | None = "tanh"
    use_bias: bool = True

    def __post_init__(self) -> None:
        check_activations(self)
        check_fields(self)


@dataclass(frozen=True)
class LSTMCell:
    """Gates i, f, o and candidate k of x_t and h_{t-1}; c_t = f_t c_{t-1} + i_t k_t; h_t = o_t g(c_t).

    Sources: keras/src/layers/rnn/lstm.py; Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """

    states: ClassVar[str] = "hc"
    gates: ClassVar[str] = GATES["LSTM"]

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True

    def __post_init__(self) -> None:
        check_activations(self)
        check_fields(self)


@dataclass(frozen=True)
class GRUCell:
    """Gates z, r and candidate k of x_t and h_{t-1}; h_t = z_t h_{t-1} + (1 - z_t) k_t.

    With `reset_after` the reset gate multiplies h_{t-1} V_h + b_Vh, without it h_{t-1}.
    Sources: keras/src/layers/rnn/gru.py; Cho et al. 2014, where z_t and 1 - z_t are exchanged.
    """

    states: ClassVar[str] = "h"
    gates: ClassVar[str] = GATES["GRU"]

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True
    reset_after: bool = True

    def __post_init__(self) -> None:
        check_activations(self)
        check_fields(self)


CELLS: dict[str, type] = {kind.__name__: kind for kind in (SimpleRNNCell, LSTMCell, GRUCell)}
Cells = SimpleRNNCell | LSTMCell | GRUCell | Cell


def states_of(cell: Cells) -> tuple[tuple[str, int], ...]:
    """The letters of a cell's states and their widths."""
    if isinstance(cell, Cell):
        return cell.widths
    return tuple((name, cell.units) for name in cell.states)


# layers -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Recurrent(Layer):
    """What all recurrent layers have.

    With `initial_state`, or `stateful`, the states before the first step are inputs of the model;
    `stateful` makes the states after the last step outputs, too. `zero_output_for_mask` makes the
    output of a masked step 0, where otherwise it is the output before it.
    """

    reads_mask = True
    letters = "states"
    is_plain = False

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False
    initial_state: bool = False

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The cells of one step, each of which gets the output of the one before."""
        raise NotImplementedError

    @property
    def halves(self) -> "tuple[Recurrent, ...]":
        """Itself."""
        return (self,)

    def keeps_time(self, result: int = 0) -> bool:
        """The output may be a sequence, states are none."""
        return result == 0 and self.return_sequences

    @property
    def results(self) -> int:
        """The output, and with `return_state` the states of all cells."""
        return 1 + (sum(len(states_of(cell)) for cell in self.cells) if self.return_state else 0)


@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """h_t = f(x_t U + h_{t-1} V + b_h), h_{-1} = 0; with `initial_state`, h_{-1} is an input.

    With `go_backwards` it is h_t = f(x_t U + h_{t+1} V + b_h) for t = T-1 .. 0.
    Source: keras/src/layers/rnn/simple_rnn.py.
    """

    units: int
    activation: str | None = "tanh"
    use_bias: bool = True

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The one cell."""
        return (SimpleRNNCell(self.units, self.activation, self.use_bias),)


@dataclass(frozen=True)
class LSTM(Recurrent):
    """An `LSTMCell` over time; states h and c. Source: keras/src/layers/rnn/lstm.py."""

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The one cell."""
        return (LSTMCell(self.units, self.activation, self.recurrent_activation, self.use_bias),)


@dataclass(frozen=True)
class GRU(Recurrent):
    """A `GRUCell` over time; state h. Source: keras/src/layers/rnn/gru.py."""

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True
    reset_after: bool = True

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The one cell."""
        return (GRUCell(self.units, self.activation, self.recurrent_activation, self.use_bias, self.reset_after),)


@dataclass(frozen=True)
class RNN(Recurrent):
    """A cell, or a list of cells one above the other in each step, over time.

    Source: keras/src/layers/rnn/rnn.py and stacked_rnn_cells.py.
    """

    cell: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        cells: tuple[Any, ...] = self.cells
        for cell in cells:
            if not isinstance(cell, Cells):
                supported = ", ".join([*CELLS, "Cell"])
                raise NotImplementedError(f"RNN({type(cell).__name__}) is not supported; supported: {supported}")
        if not self.cells:
            raise ValueError("RNN: expected at least one cell, got none")

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The cells, the lowest first."""
        return tuple(self.cell) if isinstance(self.cell, list | tuple) else (self.cell,)


MERGE_MODES = ("concat", "sum", "mul", "ave", None)


@dataclass(frozen=True)
class Bidirectional(Layer):
    """The layer forwards and, with weights of its own, backwards in time; both outputs merged.

    The backward half is the same layer with `go_backwards`, or `backward_layer`; the sequence it
    returns is turned round. Source: keras/src/layers/rnn/bidirectional.py.
    """

    reads_mask = True
    letters = "states"
    is_plain = False

    layer: Recurrent
    merge_mode: str | None = "concat"
    backward_layer: Recurrent | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for inner in (self.layer, *([] if self.backward_layer is None else [self.backward_layer])):
            if not isinstance(inner, Recurrent):
                raise NotImplementedError(
                    f"Bidirectional({type(inner).__name__}) is not supported; supported: "
                    "Bidirectional(SimpleRNN, LSTM, GRU or RNN)"
                )
        if self.merge_mode not in MERGE_MODES:
            known = ", ".join(map(repr, MERGE_MODES))
            raise ValueError(f"Bidirectional: merge_mode: expected one of {known}, got {cut_repr(self.merge_mode)}")
        forward, backward = self.halves
        if forward.go_backwards == backward.go_backwards:
            raise ValueError("Bidirectional: expected layers that run in opposite directions")
        for option in ("return_sequences", "return_state", "stateful"):
            if getattr(forward, option) != getattr(backward, option):
                raise ValueError(f"Bidirectional: {option}: expected the same in both layers")

    @property
    def halves(self) -> tuple[Recurrent, Recurrent]:
        """The forward and the backward layer, as Keras runs them: masked steps of a sequence give 0."""
        backward = self.backward_layer or replace(self.layer, go_backwards=True)
        forward, backward = (
            replace(half, zero_output_for_mask=half.return_sequences) for half in (self.layer, backward)
        )
        return forward, backward

    def keeps_time(self, result: int = 0) -> bool:
        """The merged output, or both, may be sequences, states are none."""
        return result < self._outputs and self.layer.return_sequences

    @property
    def _outputs(self) -> int:
        return 2 if self.merge_mode is None else 1

    @property
    def results(self) -> int:
        """The merged output or both, and with `return_state` the states of both."""
        return self._outputs + sum(half.results - 1 for half in self.halves)
