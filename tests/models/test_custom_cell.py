"""Cells of your own: the same equations as a built-in cell give the same derivation; errors."""

import numpy as np
import pytest
from sympy import (
    Abs,
    And,
    E,
    Eq,
    MatrixSymbol,
    Max,
    Min,
    Not,
    Piecewise,
    S,
    Symbol,
    asinh,
    atan,
    cos,
    cosh,
    exp,
    gamma,
    hadamard_product,
    pi,
    sign,
    sin,
    sinh,
    tanh,
)

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


# formulas ---------------------------------------------------------------------------------------

KINKS = {
    "abs": (Abs, [-1, 0, 1]),
    "sign": (lambda z: z + sign(z), [1, 1, 1]),
    "relu": (lambda z: Max(z, 0), [0, 0, 1]),
    "clip": (lambda z: Min(Max(z, 0), 1), [0, 0, 0]),
    "largest": (lambda z: Max(z, -z, S.Half), [-1, 0, 1]),
    "elu": (lambda z: Piecewise((z, z > 0), (exp(z) - 1, True)), [exp(-1), 1, 1]),
    "steps": (lambda z: z * Piecewise((1, z > 0), (2, z > -1), (3, True)), [3, 2, 1]),
    "closed": (lambda z: Piecewise((z, z >= 0), (z / 2, z < 0)), [S.Half, 1, 1]),
    "not": (lambda z: Piecewise((z, Not(And(z > -1, z < 1))), (z**2, True)), [1, 0, 1]),
    "constants": (lambda z: pi * z + E, [pi, pi, pi]),
}
"""Functions, and their slopes at -1, 0 and 1."""


def computed(f, units, points, dtype="float64"):
    """The values and slopes of f at some points, as a batch and, which is other code for one unit, one by one."""
    x, h, h_prev = (value(name, units, 3) for name in ("x_t", "h_t", "h_prev"))
    d = symrnn.derive(Sequential([RNN(Cell([Eq(h, x.applyfunc(f))], x, {"h": (h_prev, h)}, {}))], (1, units)))
    given = np.array([np.full((1, units), point) for point in points], dtype)
    predict, slopes = d.lambdify(), d.gradient(wrt=["x"]).lambdify()
    found = predict(given, []), slopes(given, [])[0]
    np.testing.assert_allclose(found[0], [predict(one, []) for one in given], rtol=1e-6)
    np.testing.assert_allclose(found[1], [slopes(one, [])[0] for one in given], rtol=1e-6)
    assert {array.dtype for array in found} == {np.dtype(dtype)}
    return found[0][:, 0], found[1][:, 0, 0]


@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("name", KINKS)
def test_functions_with_kinks(name, units):
    """Slopes are differences away from kinks; at a kink a number counts before a variable, as in relu."""
    f, kinked = KINKS[name]
    points = np.array([-2.1, -0.7, -0.3, 0.2, 0.8, 1.9])
    (_, slopes), (above, _), (below, _) = (computed(f, units, points + move) for move in (0, 1e-6, -1e-6))
    np.testing.assert_allclose(slopes, (above - below) / 2e-6, rtol=1e-8, atol=1e-8)
    for dtype in ("float32", "float64"):
        np.testing.assert_allclose(computed(f, units, [-1, 0, 1], dtype)[1], np.array(kinked, dtype), rtol=1e-6)


def test_kinks_are_those_of_the_activations():
    ours, table = (computed(f, 2, [0, 6, 7])[1] for f in (lambda z: Min(Max(z, 0), 6), symrnn.activations["relu6"]))
    np.testing.assert_array_equal(ours, table)


def gated():
    """Own units that keep a share of the state: h = k - k z + h z, which SymPy orders in its own way."""
    x, h, h_prev, k, z = (value(name) for name in ("x_t", "h_t", "h_prev", "k_t", "z_t"))
    V, b = value("V", H, H), value("b_h")
    rhs = k - hadamard_product(k, z) + hadamard_product(h_prev, z)
    equations = [Eq(k, (h_prev * V + b).applyfunc(tanh)), Eq(z, x.applyfunc(sigmoid)), Eq(h, rhs)]
    return Cell(equations, x, {"h": (h_prev, h)}, {"V": (H, H), "b_h": (H,)})


def test_sums_begin_with_what_is_added():
    text = symrnn.derive(Sequential([RNN(gated())], (4, H))).text("step").splitlines()
    assert [line.strip() for line in text[3:]] == [
        "h_t = k_t + h_{t-1} ⊙ z_t - k_t ⊙ z_t   (t = 0, ..., T-1)",
        "y = h_{T-1}",
    ]


def with_letters(*names):
    """An Elman cell whose kernel and bias have the names."""
    kernel, bias = value(names[0], H, F), value(names[1])
    shapes = {names[0]: (F, H), "V": (H, H), names[1]: (H,)}
    return Cell([Eq(a, x * kernel + h_prev * V + bias), Eq(h, a.applyfunc(tanh))], x, {"h": (h_prev, h)}, shapes)


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ([RNN(with_letters("W", "b_o"))], ["W", "V", "b_o"]),
        ([RNN(with_letters("W", "b_o")), Dense(1)], ["W1", "V1", "b1_o", "W2", "b2_o"]),
        ([RNN(with_letters("U", "b_o")), Dense(1), Dense(1)], ["U1", "V1", "b1_o", "W2", "b2_o", "W3", "b3_o"]),
        ([RNN(with_letters("U", "E")), Dense(1)], ["U", "V", "E", "W", "b_o"]),
        ([RNN(with_letters("alpha", "y")), Dense(1)], ["alpha1", "V1", "y1", "W2", "b2_o"]),
        (
            [RNN([with_letters("W", "b_o"), symrnn.SimpleRNNCell(2)]), Dense(1)],
            ["W1", "V1", "b1_o", "U2", "V2", "b2_h", "W3", "b3_o"],
        ),
    ],
)  # fmt: skip
def test_letters_that_other_layers_have(layers, names):
    """A cell and a Dense with the same letters are numbered together."""
    d = symrnn.derive(Sequential(layers, (4, F)))
    assert [weight.symbol.name for weight in d.table] == names
    builtin = [
        symrnn.SimpleRNN(H) if isinstance(layer, RNN) and isinstance(layer.cell, Cell) else layer for layer in layers
    ]
    if len(layers[0].cells) == 1:
        expected = symrnn.derive(Sequential(builtin, (4, F)))
        generator = np.random.default_rng(0)
        weights, given = (
            [generator.normal(size=array.shape) for array in d.network.arrays],
            generator.normal(size=(4, F)),
        )
        for ours, theirs in zip(*(one.gradient().lambdify()(given, weights) for one in (d, expected)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


C, C_prev, k, v = value("C_t", H, H), value("C_prev", H, H), value("k_t"), value("v_t")
NO_MATRICES = (
    "a value that is a matrix for each sample, as the state of mLSTM or of linear attention, is not supported; "
    "supported: values that are one row for each sample"
)


@pytest.mark.parametrize(
    ("equations", "states", "message"),
    [
        (
            [Eq(C, C_prev + k.T * v)], {"C": (C_prev, C)},
            f"C_prev has 3 rows, the input x_t 1: {NO_MATRICES}; a parameter is listed in parameters",
        ),
        (
            [Eq(k, x * U), Eq(h, x * U * k.T * k)], {"h": (h_prev, h)},
            f"Cell: equation 2: the transpose of k_t, which has a row for each sample: {NO_MATRICES}",
        ),
    ],
)  # fmt: skip
def test_values_that_are_matrices(equations, states, message):
    with pytest.raises(NotImplementedError) as raised:
        Cell(equations, x, states, SHAPES)
    assert str(raised.value) == message


def test_a_function_of_one_unit():
    """SymPy hands a 1 x 1 matrix to a function as it is; with more rows it does not."""
    x, h, h_prev = (value(name, 1) for name in ("x_t", "h_t", "h_prev"))
    message = (
        "Cell: equation 1: MatPow is not supported, in x_t**2; supported: sums, products, elementwise products "
        "(hadamard_product), applyfunc, transposes, matrices of ones and zeros; for applyfunc of one unit write the "
        "values with more than one row"
    )
    with pytest.raises(NotImplementedError) as raised:
        Cell([(h, x.applyfunc(lambda z: z**2))], x, {"h": (h_prev, h)}, {})
    assert str(raised.value) == message
    assert computed(lambda z: z**2, 1, [3])[0] == [[9]]
