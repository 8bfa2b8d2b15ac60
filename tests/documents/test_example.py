"""What a document is about: numbers that fit, drawn ones that a reader can put in."""

import re

import numpy as np
import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Embedding, Masking, Sequential, SimpleRNN, derive
from symrnn.documents.example import example_of
from tests.support.bank import MODELS, over

NUMBERS = np.ones((3, 1))


@over(MODELS)
def test_drawn_numbers_have_one_decimal(case):
    about = case.example
    weights = about.weights if "weights" in about.drawn else []
    for array in [*weights, *(about.x if isinstance(about.x, list) else [about.x])]:
        assert np.array_equal(np.round(array, 1), np.asarray(array, float))
        assert not np.any(np.signbit(array) & (np.asarray(array) == 0))
    assert about.drawn >= (set() if case is MODELS["scalar"] else {"x", "weights"})


@over(MODELS)
def test_every_quantity_of_the_equations_has_its_value(case):
    about = case.example
    for program in (about.forward, about.adjoint):
        for equation in program.assignments:
            assert np.isfinite(about.values[equation.lhs.name]).all()


def test_the_notebook_has_its_own_numbers():
    about = example_of(derive())
    assert about.drawn == frozenset()
    assert np.ravel(about.x).tolist() == [1, 2, 3]
    assert float(np.ravel(about.values["y"])[0]) == pytest.approx(0.5746256, abs=1e-7)
    assert [start.name for start in about.starts] == ["h_init"]
    assert about.numbers.given >= {"U", "V", "b_h", "W", "b_o", "x_0", "x_1", "x_2", "h_init"}
    assert "a_0" in about.numbers.exact
    assert "a_1" not in about.numbers.exact


def test_what_is_given_is_not_drawn():
    model = Sequential([SimpleRNN(1), Dense(1)], (2, 1))
    weights = ([[0.25]], [[0.5]], [0.0], [[1.0]], [0.0])
    about = example_of(derive(model), x=[[0.5], [0.25]], y_true=[1.0], weights=weights, loss="mse")
    assert about.drawn == frozenset()
    assert example_of(derive(model), loss="mse").drawn == {"x", "y_true", "weights"}
    assert np.ravel(about.values["y_true"]).tolist() == [1.0]
    named = {"U": [[0.25]], "V": [[0.5]], "b_h": [0.0], "W": [[1.0]], "b_o": [0.0]}
    assert np.array_equal(example_of(derive(model), weights=named).weights[0], [[0.25]])


@pytest.mark.parametrize("layer", [LSTM(2), GRU(2), Bidirectional(SimpleRNN(2))], ids=["LSTM", "GRU", "both ways"])
def test_weights_by_name(layer):
    derivation = derive(Sequential([layer, Dense(1)], (2, 3)))
    listed = example_of(derivation)
    blocks = {part.symbol.name: np.asarray(listed.values[part.symbol.name]) for part in derivation.table}
    shaped = {part.symbol.name: blocks[part.symbol.name].reshape(part.shape) for part in derivation.table}
    named = example_of(derivation, x=listed.x, weights=shaped)
    assert all(np.array_equal(a, b) for a, b in zip(named.weights, listed.weights, strict=True))
    first = derivation.table[0]
    message = rf"^weights\['{first.symbol.name}'\] \({first.keras}\): expected the shape .*, got \(9,\)$"
    with pytest.raises(ValueError, match=message):
        example_of(derivation, weights={**shaped, first.symbol.name: np.ones(9)})


def test_a_seed_draws_the_same_again():
    model = Sequential([SimpleRNN(2), Dense(2, "softmax")], (3, 2))
    one, again, other = (example_of(derive(model), seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.weights, again.weights, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))


@pytest.mark.parametrize(
    ("model", "few"),
    [
        (Sequential([SimpleRNN(3), Dense(1)], (5, 2)), True),
        (Sequential([SimpleRNN(3), Dense(1)], (6, 2)), False),
        (Sequential([SimpleRNN(3), Dense(1)], (None, 2)), False),
        (Sequential([SimpleRNN(1, return_sequences=True)] * 4, (5, 1)), False),
    ],
)
def test_few(model, few):
    x = np.ones((model.input_shape[0] or 2, model.input_shape[1]))
    assert example_of(derive(model), x=x).few is few


def test_ids_and_masks_are_numbers_of_their_kind():
    about = example_of(derive(Sequential([Embedding(5, 2, mask_zero=True), SimpleRNN(2)], (4,))))
    assert set(np.ravel(about.x)) <= set(range(5))
    masked = example_of(derive(Sequential([Masking(0.5), SimpleRNN(1)], (4, 1))))
    assert 0.5 in np.ravel(masked.x)


MISTAKES = [
    ({"x": np.ones((2, 3, 1))}, "x: expected one sample, which a document works out, got 2"),
    ({"x": np.ones((3, 2))}, "x: expected the shape (samples, 3, 1), or (3, 1) for one sample, got (3, 2)"),
    ({"x": [1.0, 2.0]}, "x: expected the shape (samples, 3, 1), or (3, 1) for one sample, got (2,)"),
    ({"weights": [np.ones((1, 1))]}, "weights: expected 5 arrays (U, V, b_h, W, b_o), got 1"),
    ({"weights": {"U": [[1.0]]}}, "weights: expected the names U, V, b_h, W, b_o, got U"),
    ({"y_true": [1.0]}, "y_true: expected a loss with it, got none"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=lambda value: str(value)[:30])
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        example_of(derive(), **options)


def test_targets_of_another_shape():
    with pytest.raises(ValueError, match=r"^y_true: expected the shape \(1,\), got \(2,\)$"):
        example_of(derive(), y_true=[1.0, 2.0], loss="mse")
