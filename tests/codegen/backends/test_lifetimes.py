"""Arrays of generated code: given back after each loop, and what a gradient holds at most."""

import tracemalloc

import numpy as np
import pytest

from symrnn import LSTM, Dense, Embedding, Sequential, derive
from symrnn.codegen.backends.lifetimes import with_releases

LOOP = "    for t in range(T):\n        "
RELEASES = [
    ("    y = x\n    return y,", []),
    (f"    a = x\n{LOOP}a_t = a[t]\n    return x,", []),
    (f"    a = x\n{LOOP}a_t = a[t]\n{LOOP}b_t = x\n    return x,", ["    del a, a_t"]),
    (f"    a = x\n    b = a\n{LOOP}h, c = b[t], h\n{LOOP}d = h\n    return h,", ["    del a, b, c"]),
    (f"    a[t] = b = x\n{LOOP}a[t] = c_t = b\n{LOOP}d = 1\n    return a,", ["    del b, c_t"]),
    (f"    a = x\n{LOOP}b = a\n{LOOP}c = b + ab\n{LOOP}d = c\n    return c,", ["    del a", "    del b"]),
]


@pytest.mark.parametrize(("body", "releases"), RELEASES)
def test_what_no_later_line_reads_is_given_back(body, releases):
    lines = with_releases(body.splitlines())
    assert [line for line in lines if line.startswith("    del")] == releases
    assert [line for text in lines for line in text.splitlines() if line not in releases] == body.splitlines()


def test_a_gradient_keeps_seven_values_for_each_unit_and_step():
    """Of two LSTM layers: i, f, o, k, c, q and h of both, and five factors and four adjoints of one of them."""
    samples, timesteps, units = 32, 50, 64
    model = derive(Sequential([Embedding(5000, 8), LSTM(units, return_sequences=True), LSTM(units), Dense(1)], (50,)))
    gradient = model.gradient("mse").lambdify()
    generator = np.random.default_rng(0)
    weights = [generator.normal(0, 0.1, array.shape).astype("float32") for array in model.network.arrays]
    x, y_true = generator.integers(0, 5000, (samples, timesteps)), np.zeros((samples, 1), "float32")
    gradient(x, y_true, weights)
    tracemalloc.start()
    gradient(x, y_true, weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / (samples * timesteps * units * 4) < 2 * 7 + 5 + 4 + 4
