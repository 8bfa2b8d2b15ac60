"""Programs with noise: what is rounded is perturbed, what is exact is not."""

import numpy as np
import pytest

import symrnn
from symrnn import GRU, LSTM, Bidirectional, Dense, Embedding, Masking, Sequential, SimpleRNN
from symrnn.checking.perturbation import exact_symbols, perturbed
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.models.layers.activation import ELU, ReLU
from symrnn.models.layers.core import Layer
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.sampling import random_inputs
from symrnn.programs.program import Recurrence
from tests.support.models_of_keras import GRAPHS, LAYERS, MASKED, STATES

EVERY = {"return_sequences": True}


def right_sides(program):
    """The right sides by the names of the left sides."""
    items = [item for item in program.equations if not isinstance(item, Recurrence)]
    steps = [step for item in program.equations if isinstance(item, Recurrence) for step in item.body.assignments]
    return {equation.lhs.name: equation.rhs for equation in (*items, *steps)}


def disturbed(*layers: Layer, shape=(3, 2), loss=None) -> set[str]:
    """The quantities that have noise in them, by name."""
    steps = symrnn.derive(Sequential(layers, shape)).gradient(loss).steps
    plain, noisy = right_sides(steps), right_sides(perturbed(steps)[0])
    assert plain.keys() == noisy.keys()
    return {name for name, rhs in noisy.items() if rhs != plain[name]}


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ([SimpleRNN(2), Dense(1)], "a_t h_t y delta_t"),
        ([SimpleRNN(2, "relu"), Dense(1)], "a_t y"),
        ([Masking(), SimpleRNN(2), Dense(1)], "a_t h_new_t y delta_t"),
        ([SimpleRNN(2, **EVERY), GlobalMaxPooling1D()], "a_t h_t delta_t"),
        ([SimpleRNN(2, "relu6", **EVERY), Flatten(), Dense(1)], "a_t y"),
        ([Masking(), SimpleRNN(2, **EVERY), GlobalAveragePooling1D()], "a_t h_new_t y delta_t"),
        ([SimpleRNN(2), ReLU(1.0), Dense(1, "hard_tanh")], "a_t h_t a_y delta_t"),
        ([SimpleRNN(2, "linear", **EVERY), ELU(0.5), Dense(1)], "h_t g_t y_t dh_t"),
    ],
)
def test_what_is_perturbed(layers, names):
    assert disturbed(*layers) == set(names.split())


def test_rows_of_an_embedding_are_exact():
    assert "e_t" not in disturbed(Embedding(4, 2, mask_zero=True), GRU(2), shape=(3,))


def test_sides_put_together_are_exact():
    assert not {"h_t", "g_t"} & disturbed(Masking(), Bidirectional(LSTM(2, **EVERY)), Dense(1))


@pytest.mark.parametrize(("kind", "names"), [("the mean", {"m_t", "m_sum"}), ("wrong zeros", {"m_t", "mbw_rev_t"})])
def test_masks_and_what_is_made_of_them(kind, names):
    program = symrnn.derive(MASKED[kind]()).steps
    assert {symbol.name for symbol in exact_symbols(program)} == names


KINDS = {**LAYERS, **{f"masked, {k}": v for k, v in MASKED.items()}, **STATES, **GRAPHS}


@pytest.mark.parametrize("name", KINDS)
def test_without_noise_the_values_are_the_same(name):
    """Noise that is 1 where it multiplies and 0 where it is added."""
    d = symrnn.derive(KINDS[name]())
    program, noises = perturbed(d.network.program)
    generator = np.random.default_rng(0)
    lengths = {str(steps): number or 5 for steps, number in d.network.timesteps.items()}
    arrays = {
        one.symbol.name: array[..., None] if one.is_flat else array
        for one, array in zip(d.network.sources, random_inputs(d.network, 3, 0), strict=True)
    }
    arrays |= {part.symbol.name: generator.normal(size=part.shape) for part in d.table}
    arrays |= {noise.symbol.name: np.full(noise.shape(3, lengths), float(noise.center)) for noise in noises}

    def run(one):
        code = compile_source(source(one, "f", d.network.own_lengths), "f")
        return code(*(arrays[symbol.name] for symbol in (*one.sequences, *one.inputs)))

    for ours, noisy in zip(run(d.network.program), run(program), strict=True):
        assert np.array_equal(ours, noisy)
