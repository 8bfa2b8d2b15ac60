"""LaTeX displays read back into rows."""

import pytest

import symrnn
from symrnn.documents.writers.latex import rows_latex
from symrnn.sphinxext.displays import rows_of
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import DisplayRow, align, rows
from symrnn.typesetting.styles import LATEX


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("a = b", (DisplayRow(("a = b",)),)),
        (r"a &= b \\ c &= d", (DisplayRow(("a", "= b")), DisplayRow(("c", "= d")))),
        (r"\begin{align*}a &= b\end{align*}", (DisplayRow(("a", "= b")),)),
        (r"\begin{equation}\begin{split}a &= b\end{split}\end{equation}", (DisplayRow(("a", "= b")),)),
        (r"\begin{alignat*}{4}a &= b &&= 1\end{alignat*}", (DisplayRow(("a", "= b", "", "= 1")),)),
        (r"\begin{alignat*}{2}a &= b &\quad &= 1\end{alignat*}", (DisplayRow(("a", "= b", "", "= 1")),)),
        (r"a \\[3pt] b", (DisplayRow(("a",)), DisplayRow(("b",), gap=3))),
        (r"a \\[1ex] b", (DisplayRow(("a",)), DisplayRow(("b",)))),
        ("a\n\nb", (DisplayRow(("a",)), DisplayRow(("b",)))),
        (r"a \tag{F1} \\ b \notag", (DisplayRow(("a",), "F1"), DisplayRow(("b",)))),
        (r"\begin{align}\label{x} a &= b\end{align}", (DisplayRow(("a", "= b")),)),
        (
            r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}",
            (DisplayRow((r"\begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix}",)),),
        ),
        (r"{a \\ b} & \& c", (DisplayRow((r"{a \\ b}", r"\& c")),)),
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
