"""The layers that symrnn knows, and what is made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symrnn.common.errors import cut_repr
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Layer, Masking, TimeDistributed, check_size
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, Cells, SimpleRNN

_ALL = (
    *(SimpleRNN, LSTM, GRU, RNN, Bidirectional, Dense, TimeDistributed, Activation, Softmax, ReLU, LeakyReLU, ELU),
    *(PReLU, Dropout, Flatten, RepeatVector, GlobalAveragePooling1D, GlobalMaxPooling1D, Embedding, Masking),
    *(Add, Multiply, Average, Concatenate),
)
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in _ALL}
"""The layers by name, in the order in which texts list them; `InputLayer` and `NotEqual` are made by other means."""


def cells_of(layers: Iterable[Layer]) -> tuple[Cells, ...]:
    """The cells of all recurrent layers, those of both halves of a bidirectional one."""
    return tuple(cell for layer in layers for half in layer.halves for cell in half.cells)


@dataclass(frozen=True)
class Sequential:
    """Layers one after the other, for samples of one shape.

    It is (timesteps, features), (timesteps,) for an Embedding, or (features,) for layers without memory;
    timesteps may be None.

    Raises:
        ValueError: no layers, or sizes that are not positive whole numbers.
        NotImplementedError: a layer that symrnn does not know.
    """

    layers: Sequence[Layer]
    input_shape: tuple[int | None, ...]
    dtype: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.layers, Sequence):
            raise ValueError(f"Sequential: layers: expected a list of layers, got {cut_repr(self.layers)}")
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("Sequential: expected at least one layer, got none")
        for place, layer in enumerate(self.layers, 1):
            if type(layer) not in LAYERS.values():
                raise NotImplementedError(
                    f"layer {place}: {type(layer).__name__} is not supported; supported: {', '.join(LAYERS)}"
                )
        ids = any(isinstance(layer, Embedding) for layer in self.layers)
        expected = "(timesteps,) for an Embedding" if ids else "(timesteps, features) or (features,)"
        given: object = self.input_shape
        if not isinstance(given, list | tuple) or len(given) not in ((1,) if ids else (1, 2)):
            raise ValueError(f"input_shape: expected {expected}, got {cut_repr(given)}")
        object.__setattr__(self, "input_shape", tuple(given))
        axes = ("timesteps", "features")[: 1 if ids else 2][-len(given) :]
        for what, size in zip(axes, self.input_shape, strict=True):
            if size is not None or what == "features":
                check_size(what, size)
