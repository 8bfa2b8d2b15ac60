"""Numbers with seven significant digits, and the signs of both styles."""

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symrnn.typesetting.styles import LATEX, TEXT, decimal

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE)
def test_decimals_are_right_to_seven_digits(number):
    digits, exponent = decimal(number)
    shown = Fraction(digits) * Fraction(10) ** exponent
    assert abs(shown - Fraction(number)) <= Fraction(1, 2 * 10**6) * abs(Fraction(number))


@given(FINITE)
def test_decimals_have_seven_digits_or_are_whole(number):
    digits, exponent = decimal(number)
    assert re.fullmatch(r"-?\d+(\.\d+)?", digits)
    if number == round(number) and abs(number) < 1e7:
        assert (digits, exponent) == (f"{number:.0f}", 0)
    else:
        assert len(re.sub(r"[-.]", "", digits).lstrip("0")) == 7
        assert (exponent == 0) == (1e-3 <= abs(number) < 1e7)


@given(FINITE)
def test_the_sign_says_whether_the_number_is_the_number(number):
    digits, exponent = decimal(number)
    equal = float(f"{digits}e{exponent}") == number
    assert TEXT.value(number).startswith("= " if equal else "≈ ")
    assert LATEX.value(number).startswith("= " if equal else r"\approx ")


NUMBERS = [
    (0.0, "= 0", "= 0"),
    (1.0, "= 1", "= 1"),
    (-12.0, "= -12", "= -12"),
    (0.5, "= 0.5000000", "= 0.5000000"),
    (0.9643554123, r"\approx 0.9643554", "≈ 0.9643554"),
    (1e-3, "= 0.001000000", "= 0.001000000"),
    (9.999e-4, r"= 9.999000 \times 10^{-4}", "= 9.999000e-4"),
    (1 / 3e8, r"\approx 3.333333 \times 10^{-9}", "≈ 3.333333e-9"),
    (9999999.0, "= 9999999", "= 9999999"),
    (1e7, r"= 1.000000 \times 10^{7}", "= 1.000000e7"),
    (-123456789.0, r"\approx -1.234568 \times 10^{8}", "≈ -1.234568e8"),
    (5e-324, r"= 4.940656 \times 10^{-324}", "= 4.940656e-324"),
    (math.inf, r"\approx inf", "≈ inf"),
    (-math.inf, r"\approx -inf", "≈ -inf"),
    (math.nan, r"\approx nan", "≈ nan"),
]


@pytest.mark.parametrize(("number", "as_latex", "as_text"), NUMBERS)
def test_values(number, as_latex, as_text):
    assert (LATEX.value(number), TEXT.value(number)) == (as_latex, as_text)


@pytest.mark.parametrize(
    ("name", "as_latex", "as_text"),
    [
        ("tanh", r"\tanh", "tanh"),
        ("max", r"\max", "max"),
        ("sigmoid", r"\sigma", "σ"),
        ("diag", r"\operatorname{diag}", "diag"),
        ("atan", r"\arctan", "atan"),
        ("hard_sigmoid", r"\mathrm{hard\_sigmoid}", "hard_sigmoid"),
        ("größe", r"\mathrm{größe}", "größe"),
    ],
)
def test_names_of_functions(name, as_latex, as_text):
    assert (LATEX.name(name), TEXT.name(name)) == (as_latex, as_text)


@pytest.mark.parametrize(
    ("exponent", "as_latex", "as_text"), [("2", "^2", "²"), ("10", "^{10}", "¹⁰"), ("-3", "^{-3}", "⁻³")]
)
def test_powers(exponent, as_latex, as_text):
    assert (LATEX.power(exponent), TEXT.power(exponent)) == (as_latex, as_text)


def test_both_styles_take_as_many_pieces():
    for sign in ("fraction", "total", "maximum", "absolute", "columns"):
        counts = [len(re.findall(r"\{\}", getattr(style, sign).replace("{{", "").replace("}}", "")))
                  for style in (LATEX, TEXT)]  # fmt: skip
        assert counts[0] == counts[1] > 0
    assert LATEX.total.format("0", "T-1") == r"\sum_{t=0}^{T-1} "
