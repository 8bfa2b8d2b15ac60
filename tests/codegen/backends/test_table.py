"""The table of backends: what there is code for, and which code runs for which call."""

import numpy as np
import pytest

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.codegen.backends.table import ARRAYS, BACKENDS, ROW

SCALAR = derive().steps
CLIPPED = derive(Sequential([SimpleRNN(1), Dense(1, activation="sigmoid")], (3, 1))).gradient("binary_crossentropy")


def test_each_row_has_the_name_it_is_found_by():
    assert {name: backend.name for name, backend in BACKENDS.items()} == {"numpy": "numpy", "math": "math"}
    assert [BACKENDS["numpy"], BACKENDS["math"]] == [ARRAYS, ROW]


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_the_code_of_a_program_compiles_to_its_function(backend):
    function = backend.compile(backend.source(SCALAR, "f", {}), "f")
    assert function.__name__ == "f"


@pytest.mark.parametrize(("program", "scalar", "row"), [(SCALAR, True, True), (SCALAR, False, False)])
def test_floats_are_for_models_of_scalars(program, scalar, row):
    assert (ARRAYS.writes(program, scalar), ROW.writes(program, scalar)) == (True, row)


def test_a_clip_is_not_for_floats():
    """Its ends depend on the type."""
    assert CLIPPED.is_scalar
    assert ROW.writes(CLIPPED.steps, True) == (CLIPPED.lambdify().row_source is not None)


@pytest.mark.parametrize(
    ("samples", "dtype", "row"), [(1, np.float32, True), (1, np.float64, True), (2, np.float32, False)]
)
def test_floats_run_for_one_sample(samples, dtype, row):
    assert ARRAYS.runs(samples, np.dtype(dtype))
    assert ROW.runs(samples, np.dtype(dtype)) == row


@pytest.mark.skipif(np.dtype(np.longdouble).itemsize <= 8, reason="long double is float64 here")
def test_no_floats_where_the_type_is_wider():
    assert not ROW.runs(1, np.dtype(np.longdouble))
