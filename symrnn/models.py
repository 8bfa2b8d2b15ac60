"""Live Keras models to check against: built from layers, or loaded from a file."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from symrnn.layers import Activation, Dense, Layer, Sequential, SimpleRNN, TimeDistributed


def build(model: Sequential, seed: int = 0, weights: Sequence[Any] | None = None) -> Any:
    """The Keras model of these layers, with these weights, or with Keras' initial ones by the seed.

    Raises:
        ImportError: Keras or TensorFlow is missing.
    """
    keras = import_frameworks()[0]
    keras.utils.set_random_seed(seed)
    built = keras.Sequential([keras.Input(model.input_shape), *(_layer(layer, keras) for layer in model.layers)])
    if weights is not None:
        built.set_weights([np.asarray(weight) for weight in weights])
    return built


def load(path: str | os.PathLike) -> Any:
    """The model of a .keras file, in Keras' safe mode and without what it was compiled with."""
    return import_frameworks()[0].saving.load_model(path, compile=False, safe_mode=True)


def import_frameworks() -> tuple[Any, Any]:
    """The modules keras and tensorflow.

    Raises:
        ImportError: one is missing; the message says what to install.
        NotImplementedError: Keras runs on another backend.
    """
    try:
        import keras
        import tensorflow
    except ImportError as error:
        raise ImportError(
            f"check needs Keras and TensorFlow ({error}); pip install 'symrnn[keras]' installs them"
        ) from None
    if keras.backend.backend() != "tensorflow":
        raise NotImplementedError(f"check: Keras runs on {keras.backend.backend()}; supported: tensorflow")
    return keras, tensorflow


def _layer(layer: Layer, keras: Any) -> Any:
    if isinstance(layer, SimpleRNN):
        if layer.initial_state:
            raise NotImplementedError(
                "SimpleRNN: initial_state is not supported in a Keras model; supported: the zero state"
            )
        return keras.layers.SimpleRNN(
            layer.units,
            activation=layer.activation,
            use_bias=layer.use_bias,
            return_sequences=layer.return_sequences,
            go_backwards=layer.go_backwards,
        )
    if isinstance(layer, Dense):
        return keras.layers.Dense(layer.units, activation=layer.activation, use_bias=layer.use_bias)
    if isinstance(layer, TimeDistributed):
        return keras.layers.TimeDistributed(_layer(layer.layer, keras))
    return (
        keras.layers.Activation(layer.activation) if isinstance(layer, Activation) else keras.layers.Dropout(layer.rate)
    )
