"""How wide formulas are, in points as TeX sets them and in columns of a terminal."""

from symrnn.typesetting.widths import columns_taken, points
from tests.support.tex import needs_latex, widths


def test_columns_count_no_bars():
    assert [columns_taken(text) for text in ("", "abc", "h\N{COMBINING MACRON}_2", "δ₂", "ñ")] == [0, 3, 3, 2, 1]


FORMULAS = [
    "h_t", "U x_0 + V h_{-1} + b_h", r"\tanh(U x_0 + b_h)", r"\bar h_t \odot (1 - h_t \odot h_t)", "x_{10}^{(2)}",
    r"\frac{\partial y}{\partial U_{0,1}}", r"\sigma(a_{y,t}) = 1.4501959 \times 10^{-4}", r"\lVert \delta_t \rVert",
    r"\sum_{t=0}^{T-1} x_t^{\mathsf T} \delta_t", r"1.4501959 \times 2 + (-1) \times 0.8957316 \approx 2.004660",
    r"\begin{pmatrix} 0.1 & -0.25 \\ 1 & 2 \end{pmatrix} \begin{pmatrix} 0.1234 \\ -2 \end{pmatrix}",
    r"{\begin{cases} \begin{pmatrix} 0.1 & 2 \end{pmatrix} + b & \text{if }\begin{pmatrix} 0.1 & 2 \end{pmatrix} > 0 "
    r"\\ 0 & \text{otherwise} \end{cases}}",
    r"\mathrm{hard\_sigmoid}(U_i x_t)", r"\operatorname{diag}(1 - h_1 \odot h_1)", r"\max_{t=0,\dots,T-1} h_t",
]  # fmt: skip


@needs_latex
def test_points_are_those_of_tex():
    guessed = [points(one) for one in FORMULAS]
    found = widths(FORMULAS)
    wrong = {f: (g, w) for f, g, w in zip(FORMULAS, guessed, found, strict=True) if abs(g - w) > max(0.25 * w, 3)}
    assert wrong == {}


def test_points_of_nothing_and_of_much():
    assert (points(""), points("{}"), points(" ")) == (0, 0, 0)
    assert points(r"\frac{a}{bbb}") == points("bbb")
    assert points("x_0^2") == points("x_0") < points("x_0 y^2")
    assert abs(points("a" * 100000) - 100000 * 5.6 * 1.06) <= 1
