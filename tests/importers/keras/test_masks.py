"""Masks as sets of tests: what each layer hands on, what Keras' operations amount to, and which are refused."""

import re

import pytest

from symrnn.importers.keras.layer_config import ConfigOrigin, read_entry
from symrnn.importers.keras.masks import OPERATIONS, Truth, check_mask, either, mask_after
from symrnn.models.graph import Result
from symrnn.models.layers.activation import Softmax
from symrnn.models.layers.core import Dense, Embedding, Masking, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.models.layers.rnn import GRU, LSTM, Bidirectional

X, Z = Result(0), Result(1)
ONE, TWO = frozenset({(X, 0.0)}), frozenset({(Z, 0.5)})
EVERY = {"return_sequences": True}


def test_either_of_masks():
    assert either([ONE, TWO]) == ONE | TWO
    assert either([ONE]) == ONE
    assert either([ONE, None]) is None
    assert either([]) == frozenset()  # nothing is valid in no mask


AFTER = {
    "Masking makes one": (Masking(0.5), None, frozenset({(X, 0.5)})),
    "Masking makes another": (Masking(0.5), TWO, frozenset({(X, 0.5)})),
    "Embedding": (Embedding(3, 2, mask_zero=True), None, ONE),
    "Embedding without": (Embedding(3, 2), TWO, None),
    "Dense": (Dense(2), TWO, TWO),
    "sequences": (GRU(2, **EVERY), TWO, TWO),
    "rows": (GRU(2), TWO, None),
    "both ways": (Bidirectional(GRU(2)), TWO, None),
    "Flatten": (Flatten(), TWO, None),
    "RepeatVector": (RepeatVector(2), TWO, None),
    "a mean": (GlobalAveragePooling1D(), TWO, None),
}


@pytest.mark.parametrize(("layer", "mask", "expected"), AFTER.values(), ids=AFTER)
def test_the_mask_after_a_layer(layer, mask, expected):
    assert mask_after(layer, [X], [mask], None) == expected


def test_a_mask_that_is_given_goes_on_instead_of_that_of_the_input():
    assert mask_after(GRU(2, **EVERY), [X], [ONE], TWO) == TWO
    assert mask_after(GRU(2), [X], [ONE], TWO) is None


@pytest.mark.parametrize("layer", [Add(), Multiply(), Average(), Concatenate()])
def test_the_mask_after_a_merge_is_valid_where_one_is(layer):
    assert mask_after(layer, [X, Z], [ONE, TWO], None) == ONE | TWO
    assert mask_after(layer, [X, Z], [ONE, None], None) is None


# versions -----------------------------------------------------------------------------------------

OLD = (
    "a mask here has another meaning in Keras 2 than in Keras 3; supported: masks for recurrent layers without "
    "initial_state, Bidirectional, TimeDistributed and GlobalAveragePooling1D"
)
NEW = (
    "a mask for a layer that returns a sequence is not supported for Keras 3.16 and later, whose masks end there; "
    "supported: masks of Keras 3.0 to 3.15"
)


@pytest.mark.parametrize(
    ("version", "layer", "states", "message"),
    [
        ((2, 15), LSTM(2), [Z], OLD),
        ((2, 15), Add(), [], OLD),
        ((2, 4), Softmax(), [], OLD),
        ((3, 16), GRU(2, **EVERY), [], NEW),
        ((3, 20), TimeDistributed(Dense(2)), [], NEW),
        ((3, 16), Bidirectional(GRU(2, **EVERY)), [], NEW),
    ],
)
def test_masks_that_mean_something_else_elsewhere(version, layer, states, message):
    with pytest.raises(NotImplementedError, match=f"^{re.escape(message)}$"):
        check_mask(layer, [None, ONE], states, ConfigOrigin(version))
    check_mask(layer, [None, None], states, ConfigOrigin(version))
    for other in (None, (3, 0), (3, 15)):
        check_mask(layer, [ONE], states, ConfigOrigin(other))


@pytest.mark.parametrize("version", [(2, 15), (3, 16)])
def test_masks_that_mean_the_same_everywhere(version):
    for layer in (GRU(2), GlobalAveragePooling1D(), Dropout(0.5), Dense(2)):
        check_mask(layer, [ONE], [], ConfigOrigin(version))


# operations ---------------------------------------------------------------------------------------


def operated(kind, *values, **config):
    return OPERATIONS[kind](read_entry({"class_name": kind, "config": config}, 1, ConfigOrigin()), values)


def test_operations():
    one, two = Truth(ONE), Truth(TWO)
    assert operated("NotEqual", X, 0) == ONE
    assert operated("Any", one, axis=-1, keepdims=False) == operated("ExpandDims", one, axis=-1) == ONE
    assert operated("LogicalOr", one, two) == operated("Concatenate", one, two, axis=-1) == ONE | TWO
    assert operated("LogicalOr", one, Truth(operated("OnesLike", X))) is None  # every step is valid
    assert operated("LogicalOr", one, Truth(operated("ZerosLike", X))) == ONE  # none is


@pytest.mark.parametrize(
    ("kind", "values", "config", "message"),
    [
        ("NotEqual", (X, Z), {}, "supported: a tensor and a number"),
        ("NotEqual", (X, True), {}, "supported: a tensor and a number"),
        ("NotEqual", (X,), {}, "supported: a tensor and a number"),
        ("Any", (Truth(ONE),), {"axis": 1}, "supported: axis=-1, keepdims=False"),
        ("Any", (Truth(ONE),), {"keepdims": True}, "supported: axis=-1, keepdims=False"),
        ("Concatenate", (Truth(ONE),), {"axis": 1}, "supported: axis=-1"),
        ("LogicalOr", (Truth(ONE), X), {}, "supported: masks"),
        ("Any", (), {}, "supported: masks"),
    ],
)
def test_operations_that_are_not_supported(kind, values, config, message):
    with pytest.raises(NotImplementedError, match=f"^{message}$"):
        operated(kind, *values, **config)
