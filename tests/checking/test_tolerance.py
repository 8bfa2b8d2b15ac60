"""Our values of a check: rows by quantity and step, in the model's type and in a wider one."""

import numpy as np
import pytest

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.checking.tolerance import Quantity, compare, unit
from symrnn.codegen.arguments import read
from symrnn.expressions.names import Name

X = np.random.default_rng(0).normal(size=(2, 3, 1))
H = Name("h", time="t")


def test_the_unit_roundoff():
    assert (unit(np.dtype("float32")), unit(np.dtype("float64"))) == (2.0**-24, 2.0**-53)


def test_a_family_is_one_row_or_one_for_each_step():
    theirs = np.zeros((2, 3, 1))
    whole, steps = (Quantity(None, H, theirs, by_step=by_step) for by_step in (False, True))
    assert (whole.names, [part.shape for part in whole.parts(theirs)]) == (["h_t"], [(2, 3, 1)])
    assert (steps.names, [part.shape for part in steps.parts(theirs)]) == (["h_0", "h_1", "h_2"], [(2, 1)] * 3)
    assert Quantity(None, H, theirs, "gru_1").names == ["gru_1: h_t"]


@pytest.fixture(scope="module", params=["float32", "float64"])
def checked(request):
    """A gradient, its function, its call in this type, and the values as another library would have them."""
    gradient = derive(Sequential([SimpleRNN(1), Dense(1)], (3, 1))).gradient("mse")
    function = gradient.lambdify()
    weights = [np.full(array.shape, 0.5, request.param) for array in gradient.network.arrays]
    call = read(function.arguments, X.astype(request.param), np.ones((2, 1), request.param), weights)
    return gradient, function, call, function.on_arrays(call)


def rows(checked, change=lambda value: value, by_step=False, seed=0):
    gradient, function, call, values = checked
    network = gradient.network
    (state,) = network.states
    names, half = gradient.steps.names, call.dtype.type(0.5)
    h = [np.zeros((2, 1), call.dtype)]
    for t in range(3):
        h.append(np.tanh(half * X[:, t].astype(call.dtype) + half * h[-1] + half))
    forward = [Quantity(state.symbol, names[state.symbol], change(np.stack(h[1:], axis=1)), by_step=by_step)]
    backward = [Quantity(None, Name(f"q{place}"), value) for place, value in enumerate(values)]
    return list(compare(gradient, function, forward, backward, call, seed))


def test_rows_agree_with_what_is_equal_up_to_rounding(checked):
    found = rows(checked)
    assert [row.quantity for row in found] == ["h_t", *(f"q{place}" for place in range(len(checked[3])))]
    assert {row.verdict for row in found} == {"agrees"}


@pytest.mark.parametrize("by_step", [False, True])
def test_a_row_differs_where_its_own_steps_do(checked, by_step):
    def changed(value):
        wrong = value.copy()
        wrong[1, 2] *= 1.01
        return wrong

    found = [row for row in rows(checked, changed, by_step) if row.quantity.startswith("h")]
    verdicts = {row.quantity: row.verdict for row in found}
    assert verdicts == ({"h_0": "agrees", "h_1": "agrees", "h_2": "differs"} if by_step else {"h_t": "differs"})


def test_the_same_seed_gives_the_same_rows(checked):
    assert rows(checked, seed=1) == rows(checked, seed=1)


def test_values_of_another_shape(checked):
    message = r"^derivation: h_t: expected the shape \(2, 2, 1\), as Keras' value has it, got \(2, 3, 1\)$"
    with pytest.raises(ValueError, match=message):
        rows(checked, lambda value: value[:, :2])
