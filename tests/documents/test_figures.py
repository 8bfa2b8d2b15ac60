"""Pictures as figures: the caption is the picture's, with its letters and numbers as formulas."""

from dataclasses import replace

import pytest

from symrnn import derive
from symrnn.diagrams.labels import Number, Transposed, latex
from symrnn.diagrams.picture import picture_of
from symrnn.documents.figures import figure
from symrnn.documents.inline import Math
from symrnn.expressions.names import Name
from tests.support.bank import SAMPLE, over


@over(SAMPLE)
def test_the_caption_is_the_picture_s(case):
    drawn = picture_of(case.derivation.network)
    made = figure(drawn)
    assert made.picture is drawn
    assert all(isinstance(span, str | Math) for span in made.caption)
    shown = "".join(f"${span.latex}$" if isinstance(span, Math) else latex((span,)) for span in made.caption)
    assert shown == "".join(latex((part,)) for part in drawn.parts)


@pytest.mark.parametrize(
    ("piece", "span"),
    [
        ("a $b_c$ 50 %", "a $b_c$ 50 %"),
        ("größe", "größe"),
        (Name("h", time="t"), Math("h_t")),
        (Name("U", layer="2bw"), Math(r"U^{(2)\leftarrow}")),
        (Name("h", time=3).adjoint(), Math(r"\bar h_3")),
        (Transposed(Name("V")), Math(r"V^{\mathsf T}")),
        (Number(0.25), Math("0.2500000")),
        (Number(-3.0), Math("-3")),
        (Number(1 / 3e8), Math(r"3.333333 \times 10^{-9}")),
    ],
)
def test_a_piece_as_a_span(piece, span):
    drawn = replace(derive().picture(), parts=("of ", piece))
    assert figure(drawn).caption == ("of ", span)


def test_a_picture_that_says_nothing_has_no_caption():
    assert figure(replace(derive().picture(), parts=())).caption == ()


def test_a_transposed_letter_with_a_superscript_has_one_superscript():
    """U^{(2)}^{T} is an error in LaTeX."""
    drawn = replace(derive().picture(), parts=(Transposed(Name("U", layer="2")),))
    assert figure(drawn).caption == (Math(r"{U^{(2)}}^{\mathsf T}"),)
