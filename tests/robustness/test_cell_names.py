"""Names and numbers that a user gives a cell: every one either works in formulas and in code, or is refused by name."""

from functools import cache

import numpy as np
import pytest
from sympy import Float, I, MatrixSymbol, Piecewise, Rational, S, Symbol, exp, nan, oo, tanh

import symrnn
from symrnn import RNN, Cell, Dense, Sequential, SimpleRNN

H = 2
PLACES = ("x_t", "h_t", "h_prev", "a_t", "U", "V", "b_h")
"""What the symbols of the cell are called where no other name is tried."""
NAMES = (
    *("lambda_", "lambda", "None_", "class_", "range", "len", "float", "max", "np", "math", "exp", "tanh", "sqrt"),
    *("dtype", "t", "z0", "u", "self", "relu", "total", "room", "h_before", "h_input", "a_factor", "h_all", "hs"),
    *("h_a_t", "U1", "b_o", "W", "y", "y_t", "g", "m", "q", "n", "gradient", "w_1", "noise_h"),
)


def elman(names, units=H, f=tanh):
    x, h, h_prev, a = (MatrixSymbol(name, 1, units) for name in names[:4])
    U, V, b = (
        MatrixSymbol(names[4], units, units),
        MatrixSymbol(names[5], units, units),
        MatrixSymbol(names[6], 1, units),
    )
    shapes = {names[4]: (units, units), names[5]: (units, units), names[6]: (units,)}
    return Cell([(a, x * U + h_prev * V + b), (h, a.applyfunc(f))], x, {"h": (h_prev, h)}, shapes)


def numbers(cell, units=H):
    """What the cell computes, and its gradients, of a batch and of one sample; every formula is printed."""
    d = symrnn.derive(Sequential([RNN(cell), Dense(1)], (3, units)))
    generator = np.random.default_rng(0)
    weights, x = (
        [generator.normal(size=array.shape) for array in d.network.arrays],
        generator.normal(size=(2, 3, units)),
    )
    gradient = d.gradient("mse")
    assert all(one.latex(zoom) and one.text(zoom) for one in (d, gradient) for zoom in ("step", "scalar"))
    found = [
        d.lambdify()(x, weights),
        d.lambdify()(x[0], weights),
        *gradient.lambdify()(x, np.ones((2, 1)), weights)[1],
    ]
    return [*found, *gradient.lambdify()(x[0], np.ones(1), weights)[1]]


@cache
def expected():
    """The numbers of the cell with its usual names."""
    return tuple(numbers(elman(PLACES)))


@pytest.mark.parametrize("place", [3, 4, 6], ids=["value", "kernel", "bias"])
@pytest.mark.parametrize("name", NAMES)
def test_every_name_gives_the_same_numbers(name, place):
    names = [name if i == place else other for i, other in enumerate(PLACES)]
    for ours, theirs in zip(numbers(elman(names)), expected(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_names_of_one_unit_are_names_of_floats():
    usual = numbers(elman(PLACES, 1), 1)
    for name in ("lambda_", "range", "exp", "tanh", "copysign", "len", "maximum"):
        found = numbers(elman([*PLACES[:3], name, *PLACES[4:]], 1), 1)
        assert all(map(np.allclose, found, usual))


LETTERS = (
    "expected a letter from a to z or A to Z, then such letters, digits and underscores; a Greek letter is written "
    "out, as alpha"
)
APART = "cannot be told apart, both can be {}; take another name"


@pytest.mark.parametrize(
    ("place", "name", "message"),
    [
        *((4, name, f"the name {name!r}: {LETTERS}") for name in ("_", "__", "1a", "a b", "a.b", "α", r"\x", "<b>")),
        (4, "x" * 300 + "$", f"the name '{'x' * 196}...: {LETTERS}"),
        (4, "L", "the name 'L' is taken; take another"),
        (3, "delta_t", "the name 'delta_t' is taken; take another"),
        (6, "y_true", "the name 'y_true' is taken; take another"),
        (4, "N", "the name 'N' is taken; take another"),
        (3, "T_2", "the name 'T_2' is taken; take another"),
        (6, "h_carry", "'h' and 'h_carry' " + APART.format("dh_carry")),
        (3, "h_0", "'h' and 'h_0' " + APART.format("h_0")),
        (4, "h_prev_", "'h' and 'h_prev_' " + APART.format("h_prev")),
        (6, "h", "'h' and 'h' " + APART.format("h")),
        (4, "dV", "'dV' and 'V' " + APART.format("dV")),
        (4, "x", "the input x and 'x' " + APART.format("x")),
        (2, "x_t", "states: h: x_t is another symbol of the cell already; take another"),
        (2, "U", "states: h: U is another symbol of the cell already; take another"),
        (1, "h_prev", "states: h: h_prev is another symbol of the cell already; take another"),
        (3, "x_t", "equation 1: x_t is known already"),
    ],
)  # fmt: skip
def test_names_that_are_refused(place, name, message):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared
        elman([name if i == place else other for i, other in enumerate(PLACES)])
    assert str(raised.value) == f"Cell: {message}"


NOT_FINITE = "expected finite real numbers, got"


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda z: z + nan, f"nan: {NOT_FINITE} nan"),
        (lambda z: z * oo, f"oo*z: {NOT_FINITE} oo"),
        (lambda z: z / S.Zero, f"zoo*z: {NOT_FINITE} zoo"),
        (lambda z: z * exp(1000), f"z*exp(1000): {NOT_FINITE} exp(1000)"),
        (lambda z: z * I, f"I*z: {NOT_FINITE} I"),
        (lambda z: z * 10**400, f"1{'0' * 196}...: {NOT_FINITE} 1{'0' * 196}..."),
        (lambda z: z * 10**5000, f"a number above 10^4299: {NOT_FINITE} a number above 10^4299"),
        (lambda z: z * Float("1e400"), f"1{'0' * 196}...: {NOT_FINITE} 1{'0' * 196}..."),
        (lambda z: z * Rational(1, 10**400), f"z/1{'0' * 194}...: {NOT_FINITE} 1/1{'0' * 194}..."),
        (
            lambda z: Piecewise((z, z > 0)),
            "Piecewise((z, z > 0)): expected a last case of Piecewise with the condition True",
        ),
        (lambda z: z * Symbol("w"), "w*z: expected a function of one number, without other symbols"),
        (lambda z: None, "None: expected a function of one number, without other symbols"),
    ],
)  # fmt: skip
def test_numbers_that_code_does_not_have(f, message):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared
        elman(PLACES, f=f)
    found = str(raised.value)
    assert found == f"Cell: equation 2: {message}"
    assert len(found) < 500


def test_numbers_beside_matrices():
    x, U = MatrixSymbol("x_t", 1, H), MatrixSymbol("U", H, H)
    h, h_prev = MatrixSymbol("h_t", 1, H), MatrixSymbol("h_prev", 1, H)
    with pytest.raises(ValueError, match=r"^Cell: equation 1: 1000.*: expected finite real numbers, got 1000"):
        Cell([(h, 10**400 * x * U)], x, {"h": (h_prev, h)}, {"U": (H, H)})


def test_the_reference_is_an_elman_cell():
    d = symrnn.derive(Sequential([SimpleRNN(H), Dense(1)], (3, H)))
    generator = np.random.default_rng(0)
    weights, x = [generator.normal(size=array.shape) for array in d.network.arrays], generator.normal(size=(2, 3, H))
    np.testing.assert_allclose(expected()[0], d.lambdify()(x, weights), rtol=1e-12)
