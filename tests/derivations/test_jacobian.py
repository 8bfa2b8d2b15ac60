"""The Jacobian of one quantity by an earlier one: its equations, and its numbers against differences."""

import numpy as np
import pytest
import sympy

import symrnn
from symrnn import GRU, LSTM, Bidirectional, Dense, GlobalMaxPooling1D, Sequential, SimpleRNN
from symrnn.programs.expansion import expand
from symrnn.programs.unrolling import unroll
from tests.support.bank import computable

_sequence = {"return_sequences": True}
LAYERS = {
    "SimpleRNN": ([SimpleRNN(3), Dense(2)], "h_2", "h_0"),
    "SimpleRNN backwards": ([SimpleRNN(3, go_backwards=True), Dense(2)], "h_0", "h_2"),
    "LSTM": ([LSTM(2, **_sequence), Dense(2)], "c_2", "c_0"),
    "GRU": ([GRU(2), Dense(2)], "y", "x_1"),
    "stack": ([GRU(2, **_sequence), LSTM(2)], "h2_2", "h1_1"),
    "both ways": ([Bidirectional(GRU(2, **_sequence)), Dense(2)], "hfw_2", "hfw_1"),
    "not reached": ([SimpleRNN(2), Dense(2)], "h_0", "h_2"),
    "itself": ([SimpleRNN(2), Dense(2)], "h_1", "h_1"),
    "scalar": ([SimpleRNN(1), Dense(1)], "y", "h_0"),
}
CASES = pytest.mark.parametrize(("layers", "of", "wrt"), LAYERS.values(), ids=LAYERS.keys())


def derivation(layers, features=2):
    return symrnn.derive(Sequential(layers, (3, features)))


def weights_of(d, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.uniform(-0.8, 0.8, array.shape) for array in d.network.arrays]


def _inputs(d, x, weights):
    program = expand(unroll(d.network.program, dict.fromkeys(d.network.timesteps, 3)))
    blocks = []
    for part in d.table:
        array = weights[part.array]
        array = array if part.row is None else array[part.row]
        blocks.append(array[..., part.start : part.start + part.shape[-1]].ravel())
    return dict(zip(program.inputs, np.concatenate([*blocks, x.ravel()]).tolist(), strict=True))


@CASES
def test_numbers(layers, of, wrt):
    """By x_1 in the place of what the case names: the numbers are those of central differences."""
    d, step = derivation(layers), 1e-6
    weights, x = weights_of(d), np.random.default_rng(1).normal(size=(3, 2))
    moves = step * np.eye(6).reshape(6, 3, 2)[2:4]
    rows = [(d.values(x + move, weights)[of] - d.values(x - move, weights)[of]) / (2 * step) for move in moves]
    np.testing.assert_allclose(d.jacobian(of, "x_1").lambdify()(x, weights), rows, atol=1e-8)


@CASES
def test_the_equations_give_the_same_numbers(layers, of, wrt):
    d = derivation(layers)
    weights = weights_of(d)
    x = np.random.default_rng(1).normal(size=(3, 2))
    program = expand(d.jacobian(of, wrt).program())
    equations = [(equation.lhs, computable(equation.rhs)) for equation in program.assignments]
    known = _inputs(d, x, weights)
    f = sympy.lambdify(program.inputs, program.outputs, "math", cse=lambda outputs: (equations, list(outputs)))
    values = f(*(known[symbol] for symbol in program.inputs))
    found = d.jacobian(of, wrt).lambdify()(x, weights)
    np.testing.assert_allclose(np.reshape(values, found.shape), found, atol=1e-12)


def test_each_sample_has_its_own():
    d = derivation([LSTM(2), Dense(2)])
    weights, x = weights_of(d), np.random.default_rng(1).normal(size=(4, 3, 2))
    f = d.jacobian("h_2", "h_0").lambdify()
    np.testing.assert_allclose(f(x, weights), np.stack([f(sample, weights) for sample in x]), rtol=1e-12)


def last_line(layers, of, wrt, features=2):
    return derivation(layers, features).jacobian(of, wrt).text().splitlines()[-1].strip()


@pytest.mark.parametrize(
    ("layers", "of", "wrt", "line"),
    [
        ([SimpleRNN(3), Dense(2)], "h_1", "h_0", "∂h_1/∂h_0 = V diag(1 - h_1 ⊙ h_1)"),
        ([SimpleRNN(3), Dense(2)], "h_2", "h_0", "∂h_2/∂h_0 = V diag(1 - h_1 ⊙ h_1) V diag(1 - h_2 ⊙ h_2)"),
        ([SimpleRNN(3), Dense(2)], "y", "x_2", "∂y/∂x_2 = U diag(1 - h_2 ⊙ h_2) W"),
        ([SimpleRNN(3), Dense(2)], "h_0", "h_2", "∂h_0/∂h_2 = 0"),
        ([SimpleRNN(3), Dense(2)], "h_1", "h_1", "∂h_1/∂h_1 = I"),
    ],
)
def test_print(layers, of, wrt, line):
    assert last_line(layers, of, wrt) == line


def test_a_scalar_model_needs_no_diagonal_matrix():
    assert last_line([SimpleRNN(1), Dense(1)], "h_2", "h_0", 1) == "∂h_2/∂h_0 = V (1 - h_1²) V (1 - h_2²)"


def test_latex():
    lines = derivation([SimpleRNN(3), Dense(2)]).jacobian("h_1", "h_0").latex().splitlines()
    expected = r"\frac{\partial h_1}{\partial h_0} &= V \operatorname{diag}(1 - h_1 \odot h_1)"
    assert lines[-2:] == [expected, r"\end{align*}"]


@pytest.mark.parametrize(
    ("of", "wrt", "message"),
    [
        ("h", "h_0", "jacobian: of: 'h': expected one time step, such as h_0"),
        ("h_2", "U", "jacobian: wrt: 'U': expected a quantity with a row per sample, got a weight"),
        ("h_3", "h_0", "jacobian: of: 'h_3': expected a step below 3, got 3"),
    ],
)
def test_what_has_no_jacobian(of, wrt, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        derivation([SimpleRNN(2)]).jacobian(of, wrt)
    assert str(error.value) == message


def test_open_time_has_numbers_but_no_equations():
    d = symrnn.derive(Sequential([SimpleRNN(2), Dense(1)], (None, 2)))
    jacobian = d.jacobian("h_2", "h_0")
    fixed = derivation([SimpleRNN(2), Dense(1)]).jacobian("h_2", "h_0").lambdify()
    x = np.random.default_rng(1).normal(size=(3, 2))
    np.testing.assert_array_equal(jacobian.lambdify()(x, weights_of(d)), fixed(x, weights_of(d)))
    with pytest.raises(ValueError, match=r"^jacobian: the model leaves the number of time steps open: give timesteps$"):
        jacobian.latex()


def test_a_way_through_a_maximum_has_numbers_only():
    d = derivation([SimpleRNN(2, **_sequence), GlobalMaxPooling1D()])
    weights, x = weights_of(d), np.random.default_rng(1).normal(size=(3, 2))
    assert d.jacobian("y", "h_0").lambdify()(x, weights).shape == (2, 2)
    with pytest.raises(NotImplementedError, match=r"^jacobian: Elementwise on the way is not supported; lambdify has"):
        d.jacobian("y", "h_0").latex()
