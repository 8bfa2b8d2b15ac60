"""What Keras 2 wrote in other words than Keras 3: classes, arguments, functions, and arrays of weights.

Sources: keras/src/layers/rnn/cudnn_lstm.py and cudnn_gru.py, keras/src/backend.py and
keras/src/saving/legacy/hdf5_format.py of Keras 2.15.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

HARD_SIGMOID = "hard_sigmoid_keras2"
"""clip(0.2 x + 0.5, 0, 1), which Keras 2 called hard_sigmoid."""

_KINDS = {"Model": "Functional", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"}
_NAMES = {"LeakyReLU": {"alpha": "negative_slope"}, "InputLayer": {"batch_input_shape": "batch_shape"}}
_CUDNN: Mapping[str, object] = {
    **{"activation": "tanh", "recurrent_activation": "sigmoid"},
    **{"use_bias": True, "unroll": False, "reset_after": True},
}
_GRU: Mapping[str, object] = {"reset_after": False}
_SAID: Mapping[str, Mapping[str, object]] = {
    "CuDNNLSTM": {name: value for name, value in _CUDNN.items() if name != "reset_after"},
    **{"CuDNNGRU": _CUDNN, "GRU": _GRU, "GRUCell": _GRU},
}
"""What a class itself says, where its configuration does not."""
_DTYPE = {"dtype": "float32"}
"""That of weights was not said at first; it is compared with that of the arrays."""


def updated(kind: str, config: Any) -> tuple[str, Any]:
    """A class and its configuration by Keras 2, in the words of Keras 3; a Sequential model was a list at first."""
    if kind == "Sequential" and isinstance(config, list):
        return kind, {"name": "sequential", "layers": config}
    if not isinstance(config, dict):
        return kind, config
    names = _NAMES.get(kind, {})
    found = {names.get(name, name): _function(name, value) for name, value in config.items()}
    return _KINDS.get(kind, kind), {**_DTYPE, **_SAID.get(kind, {}), **found}


def _function(name: str, value: Any) -> Any:
    return HARD_SIGMOID if name.endswith("activation") and value == "hard_sigmoid" else value


# arrays of weights -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ArrayLayout:
    """How a file has an array of a shape: with which shape, and what makes of it what Keras 3 has."""

    shape: Callable[[tuple[int, ...]], tuple[int, ...]] = lambda shape: shape
    read: Callable[[np.ndarray], np.ndarray] = lambda array: array


AS_IT_IS = ArrayLayout()


def _by_gate(gates: int, read: Callable[[np.ndarray], np.ndarray]) -> ArrayLayout:
    return ArrayLayout(read=lambda array: np.hstack([read(block) for block in np.hsplit(array, gates)]))


def _of_cudnn(gates: int, bias: ArrayLayout) -> Mapping[str, ArrayLayout]:
    """CuDNN has each gate's matrices transposed, the kernel of its own shape all the same."""
    return {
        "kernel": _by_gate(gates, lambda block: block.T.reshape(block.shape, order="F")),
        "recurrent_kernel": _by_gate(gates, lambda block: block.T),
        "bias": bias,
    }


_SUMMED = ArrayLayout(lambda shape: (2 * shape[0],), lambda bias: np.sum(np.split(bias, 2), axis=0))
_STACKED = ArrayLayout(lambda shape: (shape[0] * shape[1],), lambda bias: bias.reshape(2, -1))
LAYOUTS: Mapping[str, Mapping[str, ArrayLayout]] = {
    "CuDNNLSTM": _of_cudnn(4, _SUMMED),
    "CuDNNGRU": _of_cudnn(3, _STACKED),
}
"""The arrays of a class by their names: those of the input and of the state, one behind the other, in one bias."""
