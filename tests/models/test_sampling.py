"""Random inputs and targets: of the right shapes and kinds, the same for a seed, masked in some steps."""

import numpy as np
import pytest

from symrnn import GRU, LSTM, Dense, Dropout, Embedding, Masking, Sequential, SimpleRNN, derive
from symrnn.models.losses import LOSSES
from symrnn.models.sampling import mask_values, random_inputs, random_targets
from tests.support.bank import SAMPLE, over

EVERY = {"return_sequences": True}


def drawn(*layers, shape=(7, 2), samples=5, seed=0):
    (found,) = random_inputs(derive(Sequential(layers, shape)).network, samples, seed)
    return found


@over(SAMPLE)
def test_every_input_has_its_shape(case):
    network = case.derivation.network
    for source, array in zip(network.sources, random_inputs(network, 3, 0), strict=True):
        steps = [source.timesteps] if source.kind != "rows" else []
        assert array.shape == (3, *steps, *([] if source.is_flat else [source.width]))
        assert np.isfinite(array).all()


@over(SAMPLE)
def test_a_seed_draws_the_same_again(case):
    network = case.derivation.network
    one, again, other = (random_inputs(network, 3, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("samples", [1, 40])
@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_masked_steps_are_nothing_but_the_value_in_float32(samples, value):
    x = drawn(Masking(value), SimpleRNN(1), samples=samples)
    masked = (x == float(np.float32(value))).all(axis=-1)
    assert masked.any()
    assert not masked.all()


def test_nothing_is_masked_where_nothing_masks():
    assert not (drawn(SimpleRNN(1)) == 0).any()
    assert set(drawn(Embedding(3, 1), SimpleRNN(1), shape=(50,)).ravel()) == {0, 1, 2}


def test_ids_that_mask_are_zero_and_others_are_not():
    ids = drawn(Embedding(4, 1, mask_zero=True), SimpleRNN(1), shape=(9,), samples=20)
    assert set(ids.ravel()) == {0, 1, 2, 3}
    assert (ids == 0).all(axis=1).any()
    assert (ids != 0).all(axis=1).any()
    assert set(drawn(Embedding(1, 1, mask_zero=True), SimpleRNN(1), shape=(9,)).ravel()) == {0}


MASKS = [
    ([SimpleRNN(1)], (2, 1), ()),
    ([Masking(0.5), SimpleRNN(1)], (2, 1), (0.5,)),
    ([Dropout(0.5), Masking(2.0), SimpleRNN(1)], (2, 1), (2.0,)),
    ([Embedding(3, 2), LSTM(1)], (2,), ()),
    ([Embedding(3, 2, mask_zero=True), GRU(1)], (2,), (0.0,)),
    ([SimpleRNN(1, **EVERY), Masking(0.5), SimpleRNN(1)], (2, 1), ()),
]


@pytest.mark.parametrize(("layers", "shape", "values"), MASKS, ids=range(len(MASKS)))
def test_values_that_mask_a_step_of_an_input(layers, shape, values):
    assert list(mask_values(derive(Sequential(layers, shape)).network.graph).values()) == [values]


def test_an_open_length_is_five_steps():
    assert drawn(SimpleRNN(1), shape=(None, 2), samples=2).shape == (2, 5, 2)
    assert drawn(SimpleRNN(1), shape=(1, 3), samples=1).shape == (1, 1, 3)


# targets ----------------------------------------------------------------------------------------

FITS = {
    "categorical_crossentropy": lambda t: set(np.unique(t)) == {0, 1} and (t.sum(axis=-1) == 1).all(),
    "categorical_hinge": lambda t: set(np.unique(t)) == {0, 1} and (t.sum(axis=-1) == 1).all(),
    "sparse_categorical_crossentropy": lambda t: set(np.unique(t)) == {0, 1, 2} and t.dtype.kind == "i",
    "binary_crossentropy": lambda t: set(np.unique(t)) == {0, 1},
    "hinge": lambda t: set(np.unique(t)) == {-1, 1},
    "squared_hinge": lambda t: set(np.unique(t)) == {-1, 1},
    "kl_divergence": lambda t: (t > 0).all() and np.allclose(t.sum(axis=-1), 1),
    "mape": lambda t: (t >= 0.5).all(),
    "msle": lambda t: (t >= 0.5).all(),
    "poisson": lambda t: (t >= 0.5).all(),
}


@pytest.mark.parametrize("sequence", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_targets_are_what_a_loss_is_meant_for(loss, sequence):
    network = derive(Sequential([SimpleRNN(2, return_sequences=sequence), Dense(3)], (4, 1))).network
    (target,) = random_targets([loss], network.heads, 30, {"T": 4}, 0)
    assert target.shape == (30, *([4] if sequence else []), 1 if LOSSES[loss].ids else 3)
    assert FITS.get(loss, lambda t: (t < 0).any() and (t > 0).any())(target)
    (again,), (other,) = (random_targets([loss], network.heads, 30, {"T": 4}, seed) for seed in (0, 1))
    assert np.array_equal(target, again)
    assert not np.array_equal(target, other)


@pytest.mark.parametrize(("steps", "samples"), [(10**9, 1), (5, 10**8)])
def test_no_more_numbers_are_drawn_than_anyone_waits_for(steps, samples):
    message = f"x: expected it to be given: at most 10000000 numbers are drawn, and it has {2 * steps * samples}"
    with pytest.raises(ValueError, match=f"^{message}$"):
        drawn(SimpleRNN(1), shape=(steps, 2), samples=samples)
