"""Expressions in both styles: short exact strings, and that an expression reads as it was built."""

import pytest
from sympy import Abs, Float, Identity, Integer, MatrixSymbol, Rational, Symbol, atan, cos, exp, log, tanh
from sympy.matrices.expressions import MatAdd, MatMul, Transpose

from symrnn.expressions.activation_table import functions
from symrnn.expressions.activations import leaky_relu, prelu
from symrnn.expressions.functions import at_least, differs, equal, larger, logsumexp, maximum, onehot, softmax
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, scaled, transpose, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Diagonal,
    Differs,
    ElementwiseMax,
    LogSumExp,
    N,
    OneHot,
    RowSoftmax,
)
from symrnn.typesetting.expressions import Context, show, terms_of
from symrnn.typesetting.styles import ATOM, LATEX, TEXT, Text

U, V, W, b, h, x, y, d = (Symbol(name, real=True) for name in ("U", "V", "W", "b_h", "h_0", "x_1", "y", "delta_1"))
LETTERS = {b: Name("b", sub="h"), h: Name("h", time=0), x: Name("x", time=1), d: Name("delta", time=1)}
A, B, M = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 2), MatrixSymbol("M", 2, 2)
m, r, k = MatrixSymbol("m", N, 1), MatrixSymbol("r", 1, 2), MatrixSymbol("k", 1, 1)
G = MatrixSymbol("G", 2, 2)
MATRICES = {G: Name("G", layer="2")}
P, Q = SLOTS[:2]
BOLD = r"\mathbf 1"

TABLE = [
    # numbers
    (Integer(-3), "-3", "-3"), (Rational(1, 2), r"\frac{1}{2}", "1/2"), (Rational(-2, 3), r"-\frac{2}{3}", "-2/3"),
    (Float(0.1, 17), "0.1", "0.1"), (Float(0.20000000298023224, 17), "0.2", "0.2"),
    (h, "h_0", "h_0"), (b, "b_h", "b_h"), (d, r"\delta_1", "δ_1"), (N, "N", "N"),
    # sums and products, in the order of their weights
    (b + U * x + V * h, "U x_1 + V h_0 + b_h", "U x_1 + V h_0 + b_h"), (h - 1, "h_0 - 1", "h_0 - 1"),
    (1 - h**2, "1 - h_0^2", "1 - h_0²"), (-h, "-h_0", "-h_0"), (-h - y, "-h_0 - y", "-h_0 - y"),
    (h * d * V, r"\delta_1 V h_0", "δ_1 V h_0"), (3 * (h + y), "3 (h_0 + y)", "3 (h_0 + y)"),
    (V * (1 - h**2), "V (1 - h_0^2)", "V (1 - h_0²)"), (-2 * h * (y - x), "-2 h_0 (y - x_1)", "-2 h_0 (y - x_1)"),
    (h / y, r"\frac{h_0}{y}", "h_0/y"), (1 / (h + y), r"\frac{1}{h_0 + y}", "1/(h_0 + y)"),
    (h / 2, r"\frac{h_0}{2}", "h_0/2"), (U * h / (y * x), r"\frac{U h_0}{y x_1}", "(U h_0)/(y x_1)"),
    (h**-2, r"\frac{1}{h_0^2}", "1/h_0²"), (h**10, "h_0^{10}", "h_0¹⁰"), ((h + y) ** 2, "(h_0 + y)^2", "(h_0 + y)²"),
    # functions
    (tanh(h), r"\tanh h_0", "tanh h_0"), (tanh(h + y), r"\tanh(h_0 + y)", "tanh(h_0 + y)"),
    (tanh(h) ** 2, r"\tanh^2 h_0", "tanh² h_0"), (tanh(2 * h), r"\tanh(2 h_0)", "tanh(2 h_0)"),
    (exp(-h), r"\exp(-h_0)", "exp(-h_0)"), (log(cos(h)), r"\log(\cos h_0)", "log(cos h_0)"),
    (atan(h), r"\arctan(h_0)", "atan(h_0)"), (Abs(h - y), r"\lvert h_0 - y \rvert", "|h_0 - y|"),
    (functions["sigmoid"](h), r"\sigma(h_0)", "σ(h_0)"), (functions["relu"](h), r"\mathrm{relu}(h_0)", "relu(h_0)"),
    (functions["relu"](h).diff(h), r"\mathrm{relu}'(h_0)", "relu'(h_0)"),
    (leaky_relu(0.3)(h), r"\mathrm{leaky\_relu}_{0.3}(h_0)", "leaky_relu_0.3(h_0)"),
    (prelu(h, y), r"\mathrm{prelu}(h_0, y)", "prelu(h_0, y)"), (larger(h, y), r"\max(h_0, y)", "max(h_0, y)"),
    (maximum(h, y, x), r"\max(h_0, y, x_1)", "max(h_0, y, x_1)"), (equal(h, y), "[h_0 = y]", "[h_0 = y]"),
    (at_least(h, y), r"[h_0 \ge y]", "[h_0 ≥ y]"), (onehot(Integer(2), h), "[h_0 = 2]", "[h_0 = 2]"),
    (differs(Integer(0), h), r"[h_0 \ne 0]", "[h_0 ≠ 0]"), (differs(1, h, y), r"[(h_0, y) \ne 1]", "[(h_0, y) ≠ 1]"),
    (softmax(Integer(1), h, y), r"\mathrm{softmax}_1(h_0, y)", "softmax_1(h_0, y)"),
    (logsumexp(h, y), r"\mathrm{logsumexp}(h_0, y)", "logsumexp(h_0, y)"),
    # matrices, as they were built
    (MatMul(B, M), "B M", "B M"), (MatAdd(B, A), "B + A", "B + A"), (add(A, multiply(-1, B)), "A - B", "A - B"),
    (Transpose(A), r"A^{\mathsf T}", "Aᵀ"), (Transpose(G), r"(G^{(2)})^{\mathsf T}", "(G^{(2)})ᵀ"),
    (transpose(multiply(A, M)), r"M^{\mathsf T} A^{\mathsf T}", "Mᵀ Aᵀ"), (multiply(-2, A, M), "-2 A M", "-2 A M"),
    (multiply(add(A, B), M), "(A + B) M", "(A + B) M"), (hadamard(A, B), r"A \odot B", "A ⊙ B"),
    (hadamard(multiply(A, M), B), r"(A M) \odot B", "(A M) ⊙ B"),
    (hadamard(A, add(A, B)), r"A \odot (A + B)", "A ⊙ (A + B)"),
    (ones((N, 1)), BOLD, "1"), (ones((1, N)), rf"{BOLD}^{{\mathsf T}}", "1ᵀ"), (ones((1, 1)), "1", "1"),
    (ones((N, 2)), rf"{BOLD} {BOLD}^{{\mathsf T}}", "1 1ᵀ"), (zeros((N, 2)), "0", "0"),
    (Identity(2), r"\mathbf I", "I"), (Identity(1), "1", "1"), (Diagonal(r), r"\operatorname{diag}(r)", "diag(r)"),
    (scaled(m, A), r"\operatorname{diag}(m) A", "diag(m) A"), (scaled(k, r), "k r", "k r"),
    (elementwise(tanh(P), A), r"\tanh A", "tanh A"), (elementwise(1 - P**2, A), r"1 - A \odot A", "1 - A ⊙ A"),
    (elementwise(P * Q, A, B), r"A \odot B", "A ⊙ B"), (RowSoftmax(A), r"\mathrm{softmax}(A)", "softmax(A)"),
    (LogSumExp(A), rf"\log(\exp(A) {BOLD})", "log(exp(A) 1)"), (Concat(A, B), "[A, B]", "[A, B]"),
    (Concat(*[A] * 7), r"[A, A, \dots, A]", "[A, A, ..., A]"), (Columns(M, 0, 1), "M[0{:}1]", "M[0:1]"),
    (Columns(MatMul(A, M), 0, 1), "(A M)[0{:}1]", "(A M)[0:1]"), (OneHot(m, 3), r"\mathrm{onehot}(m)", "onehot(m)"),
    (Differs(A, Integer(0)), r"[A \ne 0]", "[A ≠ 0]"), (ElementwiseMax(A, B), r"\max(A, B)", "max(A, B)"),
    (CrossEntropy(A, B), rf"-(A \odot \log \mathrm{{softmax}}(B)) {BOLD}", "-(A ⊙ log softmax(B)) 1"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "latex", "text"), TABLE, ids=[text for *_, text in TABLE])
def test_an_expression(expr, latex, text):
    names = LETTERS | MATRICES
    assert (show(expr, Context(LATEX, names)).text, show(expr, Context(TEXT, names)).text) == (latex, text)


def test_every_node_type_is_here():
    kinds = {kind for kind in show.registry if kind.__module__.startswith("symrnn")}
    used = {type(part) for expr, *_ in TABLE for part in (expr, *expr.args)}
    assert {kind.__name__ for kind in kinds - used} == set()


def test_a_term_for_each_place_where_a_line_may_break():
    assert terms_of(b + U * x - V * h, Context(LATEX, LETTERS)) == [["U", "x_1"], ["+ b_h"], ["- V", "h_0"]]
    assert terms_of(MatAdd(MatMul(-1, A), B), Context(TEXT, {})) == [["-A"], ["+ B"]]
    assert terms_of(2 * (h + y), Context(TEXT, LETTERS)) == [["2 (h_0 + y)"]]


def test_numbers_in_place_of_symbols():
    texts = {U: Text("2", ATOM), x: Text("(-3)", ATOM)}
    assert Context(LATEX, LETTERS, texts, times=r" \times ").show(U * x + b) == r"2 \times (-3) + b_h"
    assert Context(LATEX, LETTERS).show(h + y, ATOM) == "(h_0 + y)"


def test_names_without_a_letter_are_what_they_are_called():
    assert Context(LATEX, {}).show(Symbol("ü", real=True)) == "ü"
    assert Context(TEXT, {}).name_of(Symbol("q")) == Name("q")
