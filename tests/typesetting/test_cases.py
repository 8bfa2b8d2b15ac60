"""Functions by cases in LaTeX, as text and as MathML."""

import pytest
from sympy import And, Eq, MatrixSymbol, Ne, Not, Or, Piecewise, Symbol, exp
from sympy.abc import p, q

from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Elementwise, N
from symrnn.typesetting.expressions import Context, show
from symrnn.typesetting.mathml import inline_math
from symrnn.typesetting.styles import LATEX, TEXT
from symrnn.typesetting.widths import points

z, (z0, *_) = Symbol("z", real=True), SLOTS
a, b = MatrixSymbol("a_t", N, 2), MatrixSymbol("b_t", N, 2)
NAMES = {a: Name("a", time="t"), b: Name("b", time="t")}
ELU = Piecewise((z0, z0 > 0), (exp(z0) - 1, True))
CASES = r"{\begin{cases} a_t & \text{if }a_t > 0 \\ \exp a_t - 1 & \text{otherwise} \end{cases}}"


def both(expr):
    return show(expr, Context(LATEX, NAMES)).text, show(expr, Context(TEXT, NAMES)).text


@pytest.mark.parametrize(
    ("expr", "latex", "text"),
    [
        (Elementwise(ELU, a), CASES, "{a_t if a_t > 0; exp a_t - 1 otherwise}"),
        (
            Elementwise(ELU, a) + b, rf"\left({CASES}\right) + b_t",
            "{a_t if a_t > 0; exp a_t - 1 otherwise} + b_t",
        ),
        (
            2 * Elementwise(ELU, a), rf"2 \left({CASES}\right)",
            "2 {a_t if a_t > 0; exp a_t - 1 otherwise}",
        ),
        (
            Piecewise((1, z > 1), (2, Ne(z, 0)), (3, True)),
            r"{\begin{cases} 1 & \text{if }z > 1 \\ 2 & \text{if }z \ne 0 \\ 3 & \text{otherwise} \end{cases}}",
            "{1 if z > 1; 2 if z ≠ 0; 3 otherwise}",
        ),
        (
            Piecewise((1, Or(z > 1, z < -1)), (2, True)),
            r"{\begin{cases} 1 & \text{if }z < -1\text{ or }z > 1 \\ 2 & \text{otherwise} \end{cases}}",
            "{1 if z < -1 or z > 1; 2 otherwise}",
        ),
        (And(z >= 0, z <= 1), r"z \ge 0\text{ and }z \le 1", "z ≥ 0 and z ≤ 1"),
        (And(Or(z < 0, Eq(p, 1)), q > 0), r"q > 0\text{ and }(z < 0\text{ or }p = 1)", "q > 0 and (z < 0 or p = 1)"),
        (Not(Or(z < 0, p > q), evaluate=False), r"\text{not }(z < 0\text{ or }p > q)", "not (z < 0 or p > q)"),
    ],
)  # fmt: skip
def test_cases(expr, latex, text):
    assert both(expr) == (latex, text)


def test_mathml():
    pytest.importorskip("latex2mathml")
    found = inline_math(rf"b_t \odot \left({CASES}\right)")
    assert found.count("<mtr>") == 2
    assert found.count("<mtext>") == 2


def test_widths():
    """The rows of cases stand above each other."""
    rows = r"a_t \text{if }a_t > 0", r"\exp a_t - 1 \text{otherwise}"
    assert max(map(points, rows)) < points(CASES) < sum(map(points, rows))
    assert points(rf"{CASES} + b_t") > points(CASES)
