"""What holds for all tests."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("SYMPY_CACHE_SIZE", "200000")  # SymPy's derivatives, with which laws compare ours, ask again

settings.register_profile("same", derandomize=True, deadline=None, database=None)  # the same examples on every machine
settings.register_profile("search", max_examples=3000, deadline=None)  # HYPOTHESIS_PROFILE=search looks for others
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    """The dtype of all layers, and of what Keras makes of numbers."""
    keras = pytest.importorskip("keras")
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
