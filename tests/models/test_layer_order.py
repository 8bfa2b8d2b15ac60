"""The order of Keras' layers: Keras' own."""

import os
import warnings

import pytest

from symrnn.models.graph import graph_of
from symrnn.models.layer_order import keras_order
from symrnn.models.layers.core import Dense, Input, InputLayer, NotEqual
from tests.support.models_of_keras import GRAPHS, MASKED, STATES


def units(layers):
    return [layer.units for layer in layers if isinstance(layer, Dense)]


@pytest.mark.parametrize(("outputs", "expected"), [((1, 3), [1, 3, 2, 4]), ((3, 1), [1, 3, 4, 2])])
def test_layers_come_by_their_depth_below_the_outputs_then_by_the_first_visit(outputs, expected):
    """The first leads to the second, and to the third and the fourth."""
    x = Input((3, 1))
    first = Dense(1)(x)
    middle = Dense(3)(first)
    calls = [first, Dense(2)(first), middle, Dense(4)(middle)]
    assert units(keras_order([x], [x, *calls], [calls[place] for place in outputs])) == expected


def test_a_layer_of_several_calls_is_where_its_highest_is():
    x, twice, between = Input((3, 1)), Dense(1), Dense(2)
    first = twice(x)
    middle = between(first)
    last = twice(middle)
    assert units(keras_order([x], [x, first, middle, last], [last])) == [1, 2]
    low, high = twice(x), Dense(3)(middle)
    assert units(keras_order([x], [x, first, middle, high, low], [low, high])) == [1, 2, 3]


def test_an_input_that_nothing_needs_comes_with_the_outputs():
    x, other, dense = Input((3, 1)), Input((2,)), Dense(1)
    y = dense(x)
    found = keras_order([x, other], [x, other, y], [y])
    assert [id(layer) for layer in found] == [id(x.layer), id(other.layer), id(dense)]


def test_a_long_chain_needs_no_recursion():
    tensors = [Input((3, 1))]
    for number in range(3000):
        tensors.append(Dense(number + 1)(tensors[-1]))
    assert units(keras_order(tensors[:1], tensors, tensors[-1:])) == list(range(1, 3001))


@pytest.mark.filterwarnings(r"ignore:Layer [\s\S]* does not support masking:UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [*GRAPHS, *MASKED, *STATES])
def test_the_order_is_that_of_keras(name):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("keras")
    from symrnn.checking.keras_models import build

    model = (GRAPHS | MASKED | STATES)[name]()
    ours = [type(layer).__name__ for layer in graph_of(model).layers if not isinstance(layer, NotEqual | InputLayer)]
    theirs = [type(layer).__name__ for layer in build(model, 3).layers]
    assert ours == [kind for kind in theirs if kind != "InputLayer"]
