"""Cells of your own: the same equations as a built-in cell give the same derivation; errors."""

import numpy as np
import pytest
from sympy import Eq, MatrixSymbol, Symbol, asinh, atan, cos, cosh, exp, gamma, hadamard_product, sin, sinh, tanh

import symrnn
from symrnn import LSTM, RNN, Cell, Dense, Sequential, SimpleRNN
from symrnn.expressions.activation_table import sigmoid
from symrnn.expressions.nodes import N

F, H = 2, 3


def value(name, columns=H, rows=1):
    return MatrixSymbol(name, rows, columns)


x, a, h, h_prev = value("x_t", F), value("a_t"), value("h_t"), value("h_prev")
U, V, b = value("U", H, F), value("V", H, H), value("b_h")
SHAPES = {"U": (F, H), "V": (H, H), "b_h": (H,)}


def elman(f, rows=1, **changes):
    x, a, h, h_prev = (value(name, n, rows) for name, n in (("x_t", F), ("a_t", H), ("h_t", H), ("h_prev", H)))
    bias = b if rows == 1 else symrnn.expressions.nodes.N and b
    sums = x * U + h_prev * V
    equations = [Eq(a, sums + bias) if rows == 1 else (a, sums), Eq(h, a.applyfunc(f))]
    given = {"equations": equations, "inputs": x, "states": {"h": (h_prev, h)}, "parameters": SHAPES}
    return Cell(**(given | changes))


def own(cell, *more):
    return symrnn.derive(Sequential([RNN(cell), *more], (4, F)))


def lstm():
    """An LSTM in its equations; the kernels are one for each gate."""
    gates = {gate: value(f"a_{gate}_t") for gate in "ifco"}
    i, f, k, o, c, c_prev, q = (value(f"{name}") for name in ("i_t", "f_t", "k_t", "o_t", "c_t", "c_prev", "q_t"))
    kernels = {f"{base}_{gate}": value(f"{base}_{gate}", H, n) for base, n in (("U", F), ("V", H)) for gate in gates}
    biases = {f"b_h{gate}": value(f"b_h{gate}") for gate in gates}
    equations = []
    for gate, y, g in (("i", i, sigmoid), ("f", f, sigmoid), ("c", k, tanh), ("o", o, sigmoid)):
        sums = x * kernels[f"U_{gate}"] + h_prev * kernels[f"V_{gate}"] + biases[f"b_h{gate}"]
        equations += [Eq(gates[gate], sums), Eq(y, gates[gate].applyfunc(g))]
    equations += [
        Eq(c, hadamard_product(f, c_prev) + hadamard_product(i, k)),
        Eq(q, c.applyfunc(tanh)),
        Eq(h, hadamard_product(o, q)),
    ]
    shapes = {name: tuple(symbol.shape) for name, symbol in kernels.items()} | dict.fromkeys(biases, (H,))
    return Cell(equations, x, {"h": (h_prev, h), "c": (c_prev, c)}, shapes)


def test_an_elman_cell_is_a_simple_rnn():
    ours, builtin = own(elman(tanh), Dense(1)), symrnn.derive(Sequential([SimpleRNN(H), Dense(1)], (4, F)))
    for zoom in ("step", "unrolled", "scalar"):
        assert ours.gradient().latex(zoom) == builtin.gradient().latex(zoom)
    assert ours.gradient().lambdify().source == builtin.gradient().lambdify().source


def test_an_lstm_cell_has_the_numbers_of_an_lstm():
    ours, builtin = own(lstm(), Dense(1)), symrnn.derive(Sequential([LSTM(H), Dense(1)], (4, F)))
    generator = np.random.default_rng(0)
    weights = [generator.normal(size=array.shape) for array in builtin.network.arrays]
    parts = {}
    for part in builtin.table:
        parts[part.symbol.name] = weights[part.array][..., part.start : part.start + part.shape[-1]]
    given = generator.normal(size=(2, 4, F))
    np.testing.assert_allclose(ours.lambdify()(given, parts), builtin.lambdify()(given, weights), rtol=1e-12)
    slopes = dict(zip((part.symbol.name for part in ours.table), ours.gradient().lambdify()(given, parts), strict=True))
    names = [part.symbol.name for part in builtin.table]
    for name, slope in zip(names, builtin.gradient(wrt=names).lambdify()(given, weights), strict=True):
        np.testing.assert_allclose(slopes[name], slope, rtol=1e-10, atol=1e-14)


def test_the_table_is_in_the_order_of_the_parameters():
    table = own(elman(tanh)).table
    assert [(weight.symbol.name, weight.keras, weight.shape) for weight in table] == [
        ("U", "U", (F, H)), ("V", "V", (H, H)), ("b_h", "b_h", (H,)),
    ]  # fmt: skip


def test_a_function_of_its_own():
    expected = [
        "h_{-1} = 0",
        "   a_t = x_t U + h_{t-1} V + b_h   (t = 0, ..., T-1)",
        "   h_t = a_t/(1 + a_t ⊙ a_t)       (t = 0, ..., T-1)",
        "     y = h_{T-1}",
    ]
    assert own(elman(lambda z: z / (1 + z**2))).text("step").splitlines() == expected


def test_values_may_have_any_number_of_rows():
    cell = elman(atan, rows=N)
    assert own(cell).text("step") == own(elman(atan, rows=7)).text("step")


def test_an_output_that_is_not_a_state():
    cell = Cell([Eq(a, x * U + h_prev * V + b), Eq(h, a.applyfunc(tanh))], x, {"h": (h_prev, h)}, SHAPES, output=a)
    d = symrnn.derive(Sequential([RNN(cell, return_sequences=True)], (4, F)))
    assert d.text("step").splitlines()[-1].strip() == "y_t = a_t                       (t = 0, ..., T-1)"
    last = own(cell)
    generator = np.random.default_rng(0)
    weights, given = [generator.normal(size=size) for size in SHAPES.values()], generator.normal(size=(4, F))
    np.testing.assert_array_equal(last.lambdify()(given, weights), last.values(given, weights)["a_3"])


def test_a_cell_in_a_stack():
    d = symrnn.derive(Sequential([RNN([elman(tanh), symrnn.GRUCell(2)]), Dense(1)], (3, F)))
    assert [weight.symbol.name for weight in d.table][:4] == ["U1", "V1", "b1_h", "U2_z"]


EQUATIONS = [Eq(a, x * U + h_prev * V + b), Eq(h, a.applyfunc(tanh))]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"states": {}}, ValueError, "Cell: states: expected at least one state, got none"),
        ({"states": {"h": h}}, ValueError, "Cell: states: h: expected the pair (previous, next), got h_t"),
        ({"states": {"h_1": (h_prev, h)}}, ValueError, "Cell: states: expected a letter, got 'h_1'"),
        (
            {"states": {"h": (h_prev, value("h_t", 2))}}, ValueError,
            "Cell: states: h: shapes differ: (N, 3) and (N, 2)",
        ),
        ({"equations": EQUATIONS[:1]}, ValueError, "Cell: states: h: expected an equation for h_t, got none"),
        ({"equations": ["h = x"]}, ValueError, "Cell: equation 1: expected Eq(symbol, expression), got 'h = x'"),
        ({"equations": [(h, x * U), (h, x * U)]}, ValueError, "Cell: equation 2: h_t is known already"),
        (
            {"equations": [(h, value("z_t"))]}, ValueError,
            "Cell: equation 1: z_t is not an input, a state, a parameter, or defined before",
        ),
        ({"equations": [(h, x)]}, ValueError, "Cell: equation 1: shapes differ: h_t is (N, 3), the right side (N, 2)"),
        (
            {"equations": [(h, (x * U).applyfunc(lambda z: z * Symbol("q")))]}, ValueError,
            "Cell: equation 1: q*z: expected a function of one number, without other symbols",
        ),
        (
            {"equations": [(h, (x * U).applyfunc(gamma))]}, NotImplementedError,
            "Cell: equation 1: the function gamma is not supported, in gamma(z); supported: Abs, Max, Min, Piecewise, "
            "asinh, atan, cos, cosh, erfc, exp, log, sign, sin, sinh, tanh, and Keras' activations in "
            "symrnn.activations",
        ),
        (
            {"equations": [(h, x * U * V.inverse())]}, NotImplementedError,
            "Cell: equation 1: Inverse is not supported, in V**(-1); supported: sums, products, elementwise products "
            "(hadamard_product), applyfunc, transposes, matrices of ones and zeros",
        ),
        ({"inputs": "x"}, ValueError, "Cell: inputs: expected a MatrixSymbol, got 'x'"),
        (
            {"parameters": SHAPES | {"U": (2, 0)}}, ValueError,
            "Cell: parameters: U: expected (rows, columns) or (columns,), got (2, 0)",
        ),
        (
            {"parameters": SHAPES | {"U": (2, 4)}}, ValueError,
            "Cell: equation 1: U: expected the shape (2, 4), got (2, 3)",
        ),
        ({"parameters": SHAPES | {"S": (2, 4)}}, ValueError, "Cell: the name 'S' is taken; take another"),
        (
            {"parameters": SHAPES | {"__import__": (2,)}}, ValueError,
            "Cell: the name '__import__': expected a letter from a to z or A to Z, then such letters, digits and "
            "underscores; a Greek letter is written out, as alpha",
        ),
        ({"output": b}, ValueError, "Cell: output: expected a symbol that an equation defines, got b_h"),
    ],
)  # fmt: skip
def test_errors(changes, error, message):
    given = {"equations": EQUATIONS, "inputs": x, "states": {"h": (h_prev, h)}, "parameters": SHAPES}
    with pytest.raises(error) as raised:
        Cell(**(given | changes))
    assert str(raised.value) == message


def test_the_input_has_the_columns_that_the_cell_reads():
    with pytest.raises(ValueError, match=r"^layer 1 \(RNN\): x_t: expected 2 columns, got 5$"):
        symrnn.derive(Sequential([RNN(elman(sin))], (4, 5)))


@pytest.mark.parametrize("f", [atan, asinh, cos, cosh, sin, sinh, tanh, exp])
@pytest.mark.parametrize("units", [1, 2])
def test_numbers_of_every_function(f, units):
    """Of one sample, which for a scalar cell is computed with floats, and of a batch, against differences."""
    x, h, h_prev = (value(name, units) for name in ("x_t", "h_t", "h_prev"))
    V = value("V", units, units)
    cell = Cell([Eq(h, (x + h_prev * V).applyfunc(f))], x, {"h": (h_prev, h)}, {"V": (units, units)})
    d = symrnn.derive(Sequential([RNN(cell)], (2, units)))
    generator = np.random.default_rng(0)
    weights, given = [generator.normal(size=(units, units))], generator.normal(size=(2, units))
    predict, step = d.lambdify(), 1e-6 * np.eye(2 * units).reshape(-1, 2, units)
    (slopes,) = d.gradient(wrt=["x"]).lambdify()(given, weights)
    ends = [predict(given + move, weights).sum() - predict(given - move, weights).sum() for move in step]
    np.testing.assert_allclose(slopes.ravel(), np.array(ends) / 2e-6, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(predict(given[None], weights)[0], predict(given, weights), rtol=1e-14)
