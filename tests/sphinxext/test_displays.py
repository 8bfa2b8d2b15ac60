"""LaTeX displays read back into rows."""

import pytest

import symrnn
from symrnn.documents.writers.latex import rows_latex
from symrnn.sphinxext.displays import rows_of
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import Row, align, rows
from symrnn.typesetting.styles import LATEX


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("a = b", (Row(("a = b",)),)),
        (r"a &= b \\ c &= d", (Row(("a", "= b")), Row(("c", "= d")))),
        (r"\begin{align*}a &= b\end{align*}", (Row(("a", "= b")),)),
        (r"\begin{equation}\begin{split}a &= b\end{split}\end{equation}", (Row(("a", "= b")),)),
        (r"\begin{alignat*}{4}a &= b &&= 1\end{alignat*}", (Row(("a", "= b", "", "= 1")),)),
        (r"\begin{alignat*}{2}a &= b &\quad &= 1\end{alignat*}", (Row(("a", "= b", "", "= 1")),)),
        (r"a \\[3pt] b", (Row(("a",)), Row(("b",), gap=3))),
        (r"a \\[1ex] b", (Row(("a",)), Row(("b",)))),
        ("a\n\nb", (Row(("a",)), Row(("b",)))),
        (r"a \tag{F1} \\ b \notag", (Row(("a",), "F1"), Row(("b",)))),
        (r"\begin{align}\label{x} a &= b\end{align}", (Row(("a", "= b")),)),
        (
            r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}",
            (Row((r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}",)),),
        ),
        (r"{a \\ b} & \& c", (Row((r"{a \\ b}", r"\& c")),)),
        (" \n ", ()),
    ],
)
def test_rows(latex, expected):
    assert rows_of(latex) == expected


@pytest.mark.parametrize("zoom", ["step", "unrolled", "closed"])
@pytest.mark.parametrize("gradient", [False, True])
def test_what_was_laid_out_is_read_back(zoom, gradient):
    derivation = symrnn.derive().gradient() if gradient else symrnn.derive()
    laid_out = rows(lines_of(derivation.display(zoom), LATEX))
    for text in (align(laid_out), rows_latex(laid_out)):
        assert [(row.cells, row.gap) for row in rows_of(text)] == [
            (tuple(cell.strip() for cell in row.cells), row.gap) for row in laid_out
        ]
