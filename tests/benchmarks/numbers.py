"""Loss and gradients: generated NumPy against a compiled `tf.function`, and JAX where it is installed."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import symrnn
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.table import ARRAYS
from tests.benchmarks.timing import Work, by_turns, report

LARGE = (64, 16, 64, 64)
"""Batch, time steps, features, units."""
LONG = (32, 50, 8, 32)
NOTEBOOK_X = np.array([[[1.0], [2.0], [3.0]]], "float32")
NOTEBOOK_Y = np.array([[0.5]], "float32")
Weights = list[np.ndarray]


def keras_model(kind: str, timesteps: int, features: int, units: int) -> Any:
    """A recurrent layer and Dense(1), with Keras' own initial weights."""
    import keras

    layers = [keras.Input((timesteps, features)), getattr(keras.layers, kind)(units), keras.layers.Dense(1)]
    return keras.Sequential(layers)


def ours(model: Any, x: np.ndarray, y_true: np.ndarray) -> Work:
    """The generated function, called with the list of `get_weights()`."""
    gradient = symrnn.derive(model).gradient(loss="mse").lambdify()
    weights = model.get_weights()
    return lambda: gradient(x, y_true, weights)


def per_gate(model: Any, x: np.ndarray, y_true: np.ndarray) -> Work:
    """The same with the program's equations as they stand: a product for each gate."""
    derivation = symrnn.derive(model).gradient(loss="mse")
    gradient = replace(derivation.lambdify(), arrays=replace(ARRAYS, source=source))
    weights = model.get_weights()
    return lambda: gradient(x, y_true, weights)


def tensorflow(model: Any, x: np.ndarray, y_true: np.ndarray, jit_compile: bool = False) -> Work:
    """The Keras model in a compiled `tf.function` with GradientTape, its arguments already tensors."""
    import tensorflow as tf

    @tf.function(jit_compile=jit_compile)
    def loss_and_gradients(x: Any, y_true: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y_true))
        return loss, tape.gradient(loss, model.trainable_variables)

    arguments = tf.constant(x), tf.constant(y_true)
    return lambda: loss_and_gradients(*arguments)


def xla(model: Any, x: np.ndarray, y_true: np.ndarray) -> Work:
    """The same compiled by XLA."""
    return tensorflow(model, x, y_true, jit_compile=True)


def _simple_step(state: Any, a: Any, V: Any, b: Any) -> Any:
    import jax.numpy as jnp

    return (jnp.tanh(a + state[0] @ V + b),)


def _lstm_step(state: Any, a: Any, V: Any, b: Any) -> Any:
    import jax.numpy as jnp
    from jax.nn import sigmoid

    h, c = state
    i, f, k, o = jnp.split(a + h @ V + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(k)
    return sigmoid(o) * jnp.tanh(c), c


def _gru_step(state: Any, a: Any, V: Any, b: Any) -> Any:
    import jax.numpy as jnp
    from jax.nn import sigmoid

    (h,) = state
    a_z, a_r, a_h = jnp.split(a + b[0], 3, axis=1)
    p_z, p_r, p_h = jnp.split(h @ V + b[1], 3, axis=1)
    z, r = sigmoid(a_z + p_z), sigmoid(a_r + p_r)
    return (z * h + (1 - z) * jnp.tanh(a_h + r * p_h),)


STEPS: dict[str, tuple[Callable[..., Any], int]] = {
    "SimpleRNN": (_simple_step, 1),
    "LSTM": (_lstm_step, 2),
    "GRU": (_gru_step, 1),
}
"""One step of each cell in JAX, from a = x_t U, and the number of its states."""


def jax(kind: str, weights: Weights, x: np.ndarray, y_true: np.ndarray, hoisted: bool = False) -> Work:
    """`value_and_grad` of a scan, jitted, its arguments on the device; x U in each step, or `hoisted` before all."""
    import jax as library
    import jax.numpy as jnp

    step, states = STEPS[kind]

    def loss(weights: Any, x: Any, y_true: Any) -> Any:
        U, V, b, W, b_o = weights

        def one(state: Any, x_t: Any) -> tuple[Any, None]:
            return step(state, x_t if hoisted else x_t @ U, V, b), None

        start = (jnp.zeros((x.shape[0], V.shape[0])),) * states
        (h, *_), _ = library.lax.scan(one, start, (x @ U if hoisted else x).swapaxes(0, 1))
        return jnp.mean((h @ W + b_o - y_true) ** 2)

    both = library.jit(library.value_and_grad(loss))
    arguments = library.device_put((weights, x, y_true))
    return lambda: library.block_until_ready(both(*arguments))


def has_jax() -> bool:
    """Whether JAX is installed."""
    return importlib.util.find_spec("jax") is not None


def notebook(rounds: int = 31, slice_seconds: float = 0.03) -> float:
    """Calls per second for one sample of the notebook's model."""
    model = keras_model("SimpleRNN", 3, 1, 1)
    works = {maker.__name__: maker(model, NOTEBOOK_X, NOTEBOOK_Y) for maker in (ours, tensorflow)}
    _agree(works)
    times = by_turns(works, rounds, slice_seconds)
    what = "notebook's model, one sample, calls per second: tf.function"
    return report(what, times["ours"], times["tensorflow"], ">= 20", faster=True)


def batch(kind: str, sizes: tuple[int, int, int, int], rounds: int = 31, slice_seconds: float = 0.05) -> list[float]:
    """The time for one batch against each of the others."""
    samples, timesteps, features, units = sizes
    model = keras_model(kind, timesteps, features, units)
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, timesteps, features)).astype("float32")
    y_true = random.normal(size=(samples, 1)).astype("float32")
    makers = {"ours": ours, "tf.function": tensorflow, "tf.function with XLA": xla}
    makers |= {} if kind == "SimpleRNN" else {"a product for each gate": per_gate}
    works: dict[str, Work] = {name: maker(model, x, y_true) for name, maker in makers.items()}
    if has_jax():
        works["JAX"] = jax(kind, model.get_weights(), x, y_true)
        works["JAX, x U before the scan"] = jax(kind, model.get_weights(), x, y_true, hoisted=True)
    _agree(works)
    times = by_turns(works, rounds, slice_seconds)
    what = f"{kind}, batch {samples}, T {timesteps}, features {features}, units {units}"
    return [
        report(f"{what}: {name}", times["ours"], times[name], ASKED.get((kind, name), "no bound"))
        for name in works
        if name != "ours"
    ]


ASKED = {
    ("SimpleRNN", "tf.function"): "< 1",
    ("SimpleRNN", "JAX, x U before the scan"): "< 1",
    ("LSTM", "tf.function"): "< 1",
    ("GRU", "tf.function"): "< 1",
}
"""What is asked of a ratio; the others are printed for comparison."""


def _agree(works: dict[str, Work]) -> None:
    """Check that all compute the same before they are timed."""
    expected, *others = (_flat(work()) for work in works.values())
    for other in others:
        np.testing.assert_allclose(expected, other, rtol=1e-3, atol=1e-4)


def _flat(result: Any) -> np.ndarray:
    loss, gradients = result
    return np.concatenate([np.ravel(value) for value in (loss, *gradients)])


def main() -> None:
    """Print all ratios."""
    notebook()
    for kind, sizes in (("SimpleRNN", LARGE), ("SimpleRNN", LONG), ("LSTM", LONG), ("GRU", LONG)):
        batch(kind, sizes)
    if not has_jax():
        print("JAX is not installed: not compared with it")


if __name__ == "__main__":
    main()
