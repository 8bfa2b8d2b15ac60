"""Layers as values, with Keras' names and arguments.

A layer is called on tensors, as in Keras: `LSTM(4)(x)`. A layer that is called twice is shared: its
weights are one. `LAYERS` and `CELLS` are the tables of what symrnn knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from symrnn.expressions.activations import activation_name
from symrnn.models.custom_cell import Cell

Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Tensor:
    """What a call of a layer returns: the layer, what it was called on, and which of its results this is."""

    layer: "Layer"
    inputs: "tuple[Tensor, ...]" = ()
    states: "tuple[Tensor, ...]" = ()
    mask: "Tensor | None" = None
    result: int = 0
    call: object = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What every layer has: a name, that it can be called on tensors, and what others must know of its class.

    - `time`: whether a sequence starts here, is kept, or ends; `keeps_time` says it of each result
    - `mask`: which mask the result carries, as long as it is a sequence: that of the first input ("passes"),
      one of its own ("makes", where a step differs from `masked_value`), or where any input is valid ("joins")
    - `reads_mask`: whether Keras hands the mask of the only tensor to the layer: `mask` is an argument of its call
    - `letters`: the layers with which it shares the letters of its weights, and so is numbered; None without weights
    - `is_plain`: whether its value has no letter of its own, and is called g
    """

    time: ClassVar[Literal["starts", "keeps", "ends"]] = "keeps"
    mask: ClassVar[Literal["passes", "makes", "joins"]] = "passes"
    reads_mask: ClassVar[bool] = False
    letters: ClassVar[str | None] = None
    is_plain: ClassVar[bool] = True

    name: str | None = field(default=None, compare=False)

    def keeps_time(self, result: int = 0) -> bool:
        """Whether a result is a sequence where the input is one; only such a result can carry a mask."""
        return self.time == "keeps"

    @property
    def masked_value(self) -> float | None:
        """A step whose features all have this value is masked; None where the layer tests no steps."""
        return None

    @property
    def halves(self) -> tuple[Any, ...]:
        """The recurrent layers that it is: itself, one for each direction, or none."""
        return ()

    @property
    def results(self) -> int:
        """How many tensors a call returns."""
        return 1

    def __call__(
        self, *inputs: Any, initial_state: "Tensor | Sequence[Tensor] | None" = None, mask: Tensor | None = None
    ) -> Any:
        """The layer applied to tensors, or to a list of them; a tuple where it returns several.

        Raises:
            ValueError: what it is called on is not a tensor.
        """
        given = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], list | tuple) else inputs
        states = [initial_state] if isinstance(initial_state, Tensor) else list(initial_state or ())
        for tensor in (*given, *states, *([] if mask is None else [mask])):
            if not isinstance(tensor, Tensor):
                raise ValueError(f"{type(self).__name__}: expected tensors, got {type(tensor).__name__}")
        call = object()
        made = tuple(Tensor(self, tuple(given), tuple(states), mask, i, call) for i in range(self.results))
        return made[0] if len(made) == 1 else made


def check_size(what: str, size: object, where: str = "input_shape") -> None:
    """Check that a size is a positive whole number.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{where}: {what}: expected a positive whole number, got {size!r}")


def _check_number(what: str, value: object, where: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise ValueError(f"{type(where).__name__}: {what}: expected a number, got {value!r}")


def _check_size(what: str, size: object, layer: object) -> None:
    check_size(what, size, type(layer).__name__)


# inputs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InputLayer(Layer):
    """The place of an input, for samples of one shape.

    (timesteps, features) is a sequence, (timesteps,) with an `Embedding` on it a sequence of ids,
    (features,) one row per sample. Keras casts an input to its dtype.
    """

    time = "starts"
    is_plain = False

    shape: Shape
    dtype: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))


def Input(shape: Shape, dtype: str | None = None, name: str | None = None) -> Tensor:  # noqa: N802 - as in Keras
    """An input for samples of this shape: (timesteps, features), (timesteps,) for ids, or (features,)."""
    return Tensor(InputLayer(shape, dtype, name=name), call=object())


# cells ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SimpleRNNCell:
    """h_t = f(x_t U + h_{t-1} V + b_h). Source: keras/src/layers/rnn/simple_rnn.py."""

    units: int
    activation: str | None = "tanh"
    use_bias: bool = True

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)


@dataclass(frozen=True)
class LSTMCell:
    """Gates i, f, o and candidate k of x_t and h_{t-1}; c_t = f_t c_{t-1} + i_t k_t; h_t = o_t g(c_t).

    Sources: keras/src/layers/rnn/lstm.py; Hochreiter and Schmidhuber 1997; Gers et al. 2000.
    """

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)
        activation_name(self.recurrent_activation)


@dataclass(frozen=True)
class GRUCell:
    """Gates z, r and candidate k of x_t and h_{t-1}; h_t = z_t h_{t-1} + (1 - z_t) k_t.

    With `reset_after` the reset gate multiplies h_{t-1} V_h + b_Vh, without it h_{t-1}.
    Sources: keras/src/layers/rnn/gru.py; Cho et al. 2014, where z_t and 1 - z_t are exchanged.
    """

    units: int
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True
    reset_after: bool = True

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)
        activation_name(self.recurrent_activation)


Cells = SimpleRNNCell | LSTMCell | GRUCell | Cell


def states_of(cell: Cells) -> tuple[tuple[str, int], ...]:
    """The letters of a cell's states and their widths."""
    if isinstance(cell, Cell):
        return cell.widths
    return tuple((name, cell.units) for name in ("hc" if isinstance(cell, LSTMCell) else "h"))


CELLS: dict[str, type] = {kind.__name__: kind for kind in (SimpleRNNCell, LSTMCell, GRUCell)}


# recurrent layers -------------------------------------------------------------------------------


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
    zero_output_for_mask: bool = False
    unroll: bool = False
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

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)

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

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)
        activation_name(self.recurrent_activation)

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

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)
        activation_name(self.recurrent_activation)

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
        for cell in self.cells:
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
        for inner in (self.layer, *([] if self.backward_layer is None else [self.backward_layer])):
            if not isinstance(inner, Recurrent):
                raise NotImplementedError(
                    f"Bidirectional({type(inner).__name__}) is not supported; supported: "
                    "Bidirectional(SimpleRNN, LSTM, GRU or RNN)"
                )
        if self.merge_mode not in MERGE_MODES:
            known = ", ".join(map(repr, MERGE_MODES))
            raise ValueError(f"Bidirectional: merge_mode: expected one of {known}, got {self.merge_mode!r}")
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


def cells_of(layers: Iterable[Layer]) -> tuple[Cells, ...]:
    """The cells of all recurrent layers, those of both halves of a bidirectional one."""
    return tuple(cell for layer in layers for half in layer.halves for cell in half.cells)


# layers without memory --------------------------------------------------------------------------


@dataclass(frozen=True)
class Dense(Layer):
    """y = f(h W + b_o), applied to every time step of a sequence.

    Source: keras/src/layers/core/dense.py.
    """

    letters = "dense"
    is_plain = False

    units: int
    activation: str | None = None
    use_bias: bool = True

    def __post_init__(self) -> None:
        _check_size("units", self.units, self)
        activation_name(self.activation)


@dataclass(frozen=True)
class TimeDistributed(Layer):
    """A Dense applied to every time step; Keras' crossentropies do not see its logits."""

    reads_mask = True
    letters = "dense"
    is_plain = False

    layer: Dense

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Dense):
            raise NotImplementedError(
                f"TimeDistributed({type(self.layer).__name__}) is not supported; supported: TimeDistributed(Dense)"
            )


@dataclass(frozen=True)
class Activation(Layer):
    """y = f(x), entry by entry, or softmax over each row."""

    activation: str | None

    def __post_init__(self) -> None:
        activation_name(self.activation)


@dataclass(frozen=True)
class Softmax(Layer):
    """The softmax of each row. Source: keras/src/layers/activations/softmax.py."""

    reads_mask = True


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0); its arguments move the bounds. Source: keras/src/layers/activations/relu.py."""

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        for what in ("negative_slope", "threshold", *([] if self.max_value is None else ["max_value"])):
            _check_number(what, getattr(self, what), self)


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x where x > 0, else slope x. Source: keras/src/layers/activations/leaky_relu.py."""

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        _check_number("negative_slope", self.negative_slope, self)


@dataclass(frozen=True)
class ELU(Layer):
    """x where x > 0, else alpha (e^x - 1). Source: keras/src/layers/activations/elu.py."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        _check_number("alpha", self.alpha, self)


@dataclass(frozen=True)
class PReLU(Layer):
    """relu(x) - alpha relu(-x), with a weight alpha per entry; `shared_axes=(1,)` shares it over time.

    Source: keras/src/layers/activations/prelu.py.
    """

    letters = "alpha"

    shared_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shared_axes", None if self.shared_axes is None else tuple(self.shared_axes))


@dataclass(frozen=True)
class Dropout(Layer):
    """The identity: every derivation is of inference, `training=False`."""

    is_plain = False

    rate: float = 0.0


@dataclass(frozen=True)
class Flatten(Layer):
    """The time steps of a sequence side by side. Source: keras/src/layers/reshaping/flatten.py."""

    time = "ends"


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


@dataclass(frozen=True)
class Embedding(Layer):
    """The row of E that the id names; with `mask_zero` the id 0 is masked.

    Source: keras/src/layers/core/embedding.py.
    """

    mask = "makes"
    letters = "embedding"
    is_plain = False

    input_dim: int
    output_dim: int
    mask_zero: bool = False

    def __post_init__(self) -> None:
        _check_size("input_dim", self.input_dim, self)
        _check_size("output_dim", self.output_dim, self)

    @property
    def masked_value(self) -> float | None:
        """The id 0."""
        return 0.0 if self.mask_zero else None


@dataclass(frozen=True)
class Masking(Layer):
    """A step in which every feature is `mask_value` is masked, and 0. Source: keras/src/layers/core/masking.py."""

    mask = "makes"

    mask_value: float = 0.0

    def __post_init__(self) -> None:
        _check_number("mask_value", self.mask_value, self)

    @property
    def masked_value(self) -> float:
        """The value of every feature."""
        return self.mask_value


@dataclass(frozen=True)
class NotEqual(Layer):
    """The mask itself: whether any feature of a step differs from the value, as Keras' graphs name it."""

    is_plain = False

    value: float = 0.0

    @property
    def masked_value(self) -> float:
        """The value of every feature."""
        return self.value


@dataclass(frozen=True)
class Merge(Layer):
    """What all layers of several inputs have."""

    mask = "joins"


@dataclass(frozen=True)
class Add(Merge):
    """The sum of the inputs. Source: keras/src/layers/merging/add.py."""


@dataclass(frozen=True)
class Multiply(Merge):
    """The elementwise product of the inputs. Source: keras/src/layers/merging/multiply.py."""


@dataclass(frozen=True)
class Average(Merge):
    """The mean of the inputs. Source: keras/src/layers/merging/average.py."""


@dataclass(frozen=True)
class Concatenate(Merge):
    """The inputs side by side, on the last axis. Source: keras/src/layers/merging/concatenate.py."""


_ALL = (
    *(SimpleRNN, LSTM, GRU, RNN, Bidirectional, Dense, TimeDistributed, Activation, Softmax, ReLU, LeakyReLU, ELU),
    *(PReLU, Dropout, Flatten, GlobalAveragePooling1D, GlobalMaxPooling1D, Embedding, Masking),
    *(Add, Multiply, Average, Concatenate),
)
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in _ALL}


@dataclass(frozen=True)
class Sequential:
    """Layers one after the other, for samples of shape (timesteps, features), or (timesteps,) for an Embedding.

    timesteps may be None.

    Raises:
        ValueError: no layers, or sizes that are not positive whole numbers.
        NotImplementedError: a layer that symrnn does not know.
    """

    layers: Sequence[Layer]
    input_shape: tuple[int | None, ...]
    dtype: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("Sequential: expected at least one layer, got none")
        for place, layer in enumerate(self.layers, 1):
            if type(layer) not in LAYERS.values():
                raise NotImplementedError(
                    f"layer {place}: {type(layer).__name__} is not supported; supported: {', '.join(LAYERS)}"
                )
        ids = any(isinstance(layer, Embedding) for layer in self.layers)
        expected = "(timesteps,) for an Embedding" if ids else "(timesteps, features)"
        if not isinstance(self.input_shape, Sequence) or len(self.input_shape) != (1 if ids else 2):
            raise ValueError(f"input_shape: expected {expected}, got {self.input_shape!r}")
        object.__setattr__(self, "input_shape", tuple(self.input_shape))
        for what, size in zip(("timesteps", "features"), self.input_shape, strict=False):
            if size is not None or what == "features":
                check_size(what, size)
