"""Activations by name, and those with parameters: one function for equal parameters, named by them."""

import math
import re

import pytest
from sympy import Symbol, lambdify

from symrnn.expressions.activation_table import functions, softplus
from symrnn.expressions.activations import (
    _HELPERS,
    _KERAS_ONLY,
    ROW_ACTIVATIONS,
    activation_name,
    activations,
    clip_from,
    elu,
    huber,
    leaky_relu,
    prelu,
    relu,
)
from symrnn.expressions.functions import define
from symrnn.expressions.row_functions import RowFunction
from tests.support.bank import computable

x, y = Symbol("x", real=True), Symbol("y", real=True)
GRID = [-8.0, -2.0, -1.0, -0.7, -0.5, -1e-9, 0.0, 1e-9, 0.3, 0.5, 0.7, 1.0, 2.0, 6.0, 8.0]
KERAS_NAMES = sorted({*activations, *ROW_ACTIVATIONS})

# functions with parameters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "name", "latex", "text"),
    [
        (leaky_relu(0.3), "leaky_relu_0_3", r"\mathrm{leaky\_relu}_{0.3}", "leaky_relu_0.3"),
        (leaky_relu(2.5e-7), "leaky_relu_2_5em07", r"\mathrm{leaky\_relu}_{2.5 \times 10^{-7}}", "leaky_relu_2.5e-07"),
        (elu(2), "elu_2", r"\mathrm{elu}_{2}", "elu_2"),
        (elu(-1.3), "elu_m1_3", r"\mathrm{elu}_{-1.3}", "elu_-1.3"),
        (huber(1e22), "huber_1ep22", r"\mathrm{huber}_{10^{22}}", "huber_1e+22"),
        (clip_from(1e-7), "clip_from_1em07", r"\mathrm{clip}_{\mathrm{from}=10^{-7}}", "clip_{from=1e-07}"),
        (relu(3.5), "relu_max_3_5", r"\mathrm{relu}_{\mathrm{max}=3.5}", "relu_{max=3.5}"),
        (
            relu(3.5, 0.1, 1),
            "relu_max_3_5_slope_0_1_threshold_1",
            r"\mathrm{relu}_{\mathrm{max}=3.5,\mathrm{slope}=0.1,\mathrm{threshold}=1}",
            "relu_{max=3.5,slope=0.1,threshold=1}",
        ),
        (functions["sigmoid"], "sigmoid", r"\sigma", "σ"),
        (functions["tanh_shrink"], "tanh_shrink", "", ""),
    ],
)
def test_name_of_a_function(function: type[RowFunction], name: str, latex: str, text: str) -> None:
    assert (function.__name__, function.latex, function.text) == (name, latex, text)
    if function.slope:
        assert (function.slope.__name__, function.slope.latex, function.slope.text) == (f"{name}_slope", latex, text)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (leaky_relu(0.2), "leaky_relu"), (elu(1.0), "elu"), (huber(1.0), "huber"), (relu(), "relu"),
        (relu(6.0), "relu6"), (relu(None, 0.3), "leaky_relu_0_3"), (leaky_relu(0.3), "leaky_relu_0_3"),
    ],
)  # fmt: skip
def test_equal_parameters_give_one_function(made: type[RowFunction], name: str) -> None:
    assert made is (functions[name] if name != "leaky_relu_0_3" else leaky_relu(0.3))


DEFINITIONS = [
    (leaky_relu(0.25), lambda v: v if v > 0 else 0.25 * v),
    (elu(0.5), lambda v: v if v > 0 else 0.5 * math.expm1(v)),
    (relu(6.0, 0.25, 1.0), lambda v: min(v, 6) if v > 1 else 0.25 * (v - 1)),
    (relu(None, 0.0, 0.5), lambda v: v if v > 0.5 else 0),
    (relu(0.5), lambda v: min(max(v, 0), 0.5)),
    (huber(0.7), lambda v: v * v / 2 if abs(v) <= 0.7 else 0.7 * abs(v) - 0.245),
    (clip_from(0.3), lambda v: min(max(v, 0.3), 1)),
]


@pytest.mark.parametrize(("function", "formula"), DEFINITIONS, ids=[function.__name__ for function, _ in DEFINITIONS])
def test_values_are_those_of_the_formula(function, formula):
    for expr in (computable(function(x)), define(function(x))):
        f = lambdify(x, expr, "math")
        assert [f(value) for value in GRID] == pytest.approx([formula(value) for value in GRID], rel=1e-12, abs=1e-12)


def test_the_slope_of_prelu_by_both():
    p = prelu(x, y)
    f, by_x, by_alpha = (lambdify([x, y], computable(expr), "math") for expr in (p, p.diff(x), p.diff(y)))
    assert [f(v, 0.25) for v in (-2.0, 0.0, 3.0)] == [-0.5, 0, 3]
    assert [by_x(v, 0.25) for v in (-2.0, 3.0)] == [0.25, 1]
    assert [by_alpha(v, 0.25) for v in (-2.0, 3.0)] == [-2, 0]


# names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KERAS_NAMES)
def test_activation_name(name: str) -> None:
    assert activation_name(name) == name
    assert activation_name(None) == "linear"


@pytest.mark.parametrize("name", ["Tanh", "", *_HELPERS, "logistic"])
def test_unknown_activation(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^unknown activation '{name}'; known: {', '.join(KERAS_NAMES)}$"):
        activation_name(name)


@pytest.mark.parametrize("name", [5, ["tanh"], {"class_name": "ReLU"}, softplus])
def test_activation_that_is_no_name(name: object) -> None:
    with pytest.raises(ValueError, match=rf"^unknown activation {re.escape(repr(name))}; known: "):
        activation_name(name)


@pytest.mark.parametrize(("name", "reason"), _KERAS_ONLY.items())
def test_unsupported_activation(name: str, reason: str) -> None:
    message = rf"^activation '{name}' is not supported \({reason}\); supported: {', '.join(KERAS_NAMES)}$"
    with pytest.raises(NotImplementedError, match=message):
        activation_name(name)


def test_aliases_are_the_same_function():
    pairs = [("swish", "silu"), ("hard_swish", "hard_silu")]
    assert all(activations[alias] is activations[name] for alias, name in pairs)
