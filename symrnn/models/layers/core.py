"""What all layers have, and inputs, dense layers, embeddings and masks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from symrnn.common.errors import cut_repr
from symrnn.common.fields import check_fields, is_count
from symrnn.expressions.activations import activation_name

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
    - `is_identity`: whether its value is what it is called on
    - `does`: what its value is, for captions, after the value's letter; `{x}` is what it reads, `{weights}` its
      weights, `{counted}` that only valid steps count where there is a mask, another name in braces a letter.
      None where that depends on its arguments: `diagrams.captions` then has a rule for it
    """

    time: ClassVar[Literal["starts", "keeps", "ends"]] = "keeps"
    mask: ClassVar[Literal["passes", "makes", "joins"]] = "passes"
    reads_mask: ClassVar[bool] = False
    letters: ClassVar[str | None] = None
    is_plain: ClassVar[bool] = True
    is_identity: ClassVar[bool] = False
    does: ClassVar[str | None] = None

    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_activations(self)
        check_fields(self)

    def keeps_time(self, result: int = 0) -> bool:
        """Whether a result is a sequence where the input is one; only such a result can carry a mask."""
        return self.time == "keeps"

    @property
    def timesteps(self) -> int | None:
        """How many time steps the sequence that starts here has, None where that is open."""
        return None

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
        given = _listed(inputs[0]) if len(inputs) == 1 else inputs
        if not given:
            raise ValueError(f"{type(self).__name__}: expected at least one tensor, got none")
        states = [] if initial_state is None else _listed(initial_state)
        for tensor in (*given, *states, *([] if mask is None else [mask])):
            if not isinstance(tensor, Tensor):
                raise ValueError(f"{type(self).__name__}: expected tensors, got {type(tensor).__name__}")
        call = object()
        made = tuple(Tensor(self, tuple(given), tuple(states), mask, i, call) for i in range(self.results))
        return made[0] if len(made) == 1 else made


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def check_activations(value: Any) -> None:
    """Check the names of activations that a layer or a cell is given.

    Raises:
        ValueError: one is unknown.
    """
    for name in ("activation", "recurrent_activation"):
        activation_name(getattr(value, name, None))


def check_size(what: str, size: object, where: str = "input_shape") -> None:
    """Check that a size is a positive whole number.

    Raises:
        ValueError: it is not.
    """
    if not is_count(size):
        raise ValueError(f"{where}: {what}: expected a positive whole number, got {cut_repr(size)}")


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
        super().__post_init__()
        shape: object = self.shape
        if not isinstance(shape, list | tuple) or not all(size is None or is_count(size) for size in shape):
            raise ValueError(f"Input: shape: expected (timesteps, features) or (features,), got {cut_repr(shape)}")
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def timesteps(self) -> int | None:
        """The first axis of a sequence's shape."""
        return self.shape[0]


def Input(shape: Shape, dtype: str | None = None, name: str | None = None) -> Tensor:  # noqa: N802 - as in Keras
    """An input for samples of this shape: (timesteps, features), (timesteps,) for ids, or (features,)."""
    return Tensor(InputLayer(shape, dtype, name=name), call=object())


# layers -----------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class TimeDistributed(Layer):
    """A Dense applied to every time step; Keras' crossentropies do not see its logits."""

    reads_mask = True
    letters = "dense"
    is_plain = False

    layer: Dense

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.layer, Dense):
            raise NotImplementedError(
                f"TimeDistributed({type(self.layer).__name__}) is not supported; supported: TimeDistributed(Dense)"
            )


@dataclass(frozen=True)
class Embedding(Layer):
    """The row of E that the id names; with `mask_zero` the id 0 is masked.

    Source: keras/src/layers/core/embedding.py.
    """

    mask = "makes"
    letters = "embedding"
    is_plain = False
    does = "is the row of {E} that {x} names"

    input_dim: int
    output_dim: int
    mask_zero: bool = False

    @property
    def masked_value(self) -> float | None:
        """The id 0."""
        return 0.0 if self.mask_zero else None


@dataclass(frozen=True)
class Masking(Layer):
    """A step in which every feature is `mask_value` is masked, and 0. Source: keras/src/layers/core/masking.py."""

    mask = "makes"
    does = "is {x} where the time step counts, else 0"

    mask_value: float = 0.0

    @property
    def masked_value(self) -> float:
        """The value of every feature."""
        return self.mask_value


@dataclass(frozen=True)
class NotEqual(Layer):
    """The mask itself: whether any feature of a step differs from the value, as Keras' graphs name it."""

    is_plain = False
    does = ""

    value: float = 0.0

    @property
    def masked_value(self) -> float:
        """The value of every feature."""
        return self.value
