"""Products of functions: what follows a function cannot be read into its argument."""

import pytest
from sympy import MatrixSymbol, cos, exp, symbols, tanh

from symrnn.expressions.matrices import elementwise, hadamard, multiply
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.styles import LATEX, TEXT

h, x, V = MatrixSymbol("h_t", N, 2), MatrixSymbol("x_t", N, 2), MatrixSymbol("V", 2, 2)
a, b = symbols("a b", real=True)
NAMES = {h: Name("h", time="t"), x: Name("x", time="t"), V: Name("V"), a: Name("a"), b: Name("b")}


def of(function, matrix):
    return elementwise(function(SLOTS[0]), matrix)


@pytest.mark.parametrize(
    ("expr", "latex", "text"),
    [
        (multiply(of(tanh, h), V), r"\tanh(h_t) V", "tanh(h_t) V"),
        (multiply(x, of(tanh, V)), r"x_t \tanh V", "x_t tanh V"),
        (hadamard(of(tanh, h), x), r"\tanh(h_t) \odot x_t", "tanh(h_t) ⊙ x_t"),
        (hadamard(x, of(tanh, h)), r"x_t \odot \tanh h_t", "x_t ⊙ tanh h_t"),
        (of(lambda z: tanh(z) ** 2, h), r"\tanh(h_t) \odot \tanh h_t", "tanh(h_t) ⊙ tanh h_t"),
        (of(lambda z: 1 - exp(z), h), r"1 - \exp h_t", "1 - exp h_t"),
        (tanh(a) * cos(b), r"\cos(b) \tanh a", "cos(b) tanh a"),
        (tanh(a) ** 2 * cos(b), r"\cos(b) \tanh^2 a", "cos(b) tanh² a"),
        (tanh(a) * cos(a + b), r"\cos(a + b) \tanh a", "cos(a + b) tanh a"),
        (2 * tanh(a), r"2 \tanh a", "2 tanh a"),
    ],
)
def test_products_of_functions(expr, latex, text):
    assert Context(LATEX, NAMES).show(expr) == latex
    assert Context(TEXT, NAMES).show(expr) == text
