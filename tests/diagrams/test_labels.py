"""Labels: their text, their LaTeX, and where their glyphs are."""

import pytest

from symrnn.diagrams.labels import SCRIPT, Number, TextRun, Transposed, bar_height, latex, set_line, text, text_width
from symrnn.expressions.names import Name


@pytest.mark.parametrize(
    ("line", "expected_latex", "expected_text"),
    [
        ((Name("h", time=0),), "$h_0$", "h_0"),
        ((Name("h", time=-1), " = 0"), "$h_{-1} = 0$", "h_{-1} = 0"),
        ((Name("h", time=1).adjoint(), " = ", Name("a", time=2).adjoint(), " ", Transposed(Name("V", layer="2"))),
         r"$\bar h_1 = \delta_2 {V^{(2)}}^{\mathsf T}$", "h̄_1 = δ_2 V^{(2)}ᵀ"),
        ((Transposed(Name("V")),), r"$V^{\mathsf T}$", "Vᵀ"),
        (("to ", Name("U"), ", ", Name("b", sub="h")), "to $U$, $b_h$", "to U, b_h"),
        ((Number(0.25),), "$0.2500000$", "0.2500000"),
        ((Number(-1.5e-5),), r"$-1.500000 \times 10^{-5}$", "-1.500000e-5"),
        (("50 % of {a_b}",), r"50 \% of \{a\_b\}", "50 % of {a_b}"),
        (("\\x{}~^#$&",), r"\textbackslash{}x\{\}\textasciitilde{}\textasciicircum{}\#\$\&", "\\x{}~^#$&"),
        ((), "", ""),
    ],
)  # fmt: skip
def test_lines(line, expected_latex, expected_text):
    assert (latex(line), text(line)) == (expected_latex, expected_text)


def test_glyphs():
    """Sub- and superscript begin at the end of the letter, and the bar is over it."""
    runs, wide = set_line((Name("h", layer="2bw", time=3).adjoint(),), 10)
    assert [(run.text, run.italic) for run in runs] == [("h", True), ("3", False), ("(2)←", False)]
    assert runs[1].x == 5
    assert runs[0].bar == pytest.approx((0.6, 5.6))
    assert wide > runs[2].x


def test_subscripts_are_lower_and_superscripts_higher_and_both_smaller():
    base, below, above = set_line((Name("h", layer="2", time=3),), 10)[0]
    assert below.rise < base.rise == 0 < above.rise
    assert below.size == above.size == SCRIPT * base.size


def test_a_script_of_words_and_signs():
    """Single letters are slanted, words are not, and a minus is no hyphen."""
    runs, _ = set_line((Name("m", sub="or", time="T-1"),), 10)
    assert [(run.text, run.italic) for run in runs[1:]] == [("or", False), (",", False), ("T", True), ("−1", False)]
    assert [run.text for run in set_line((Name("y", time="T-1", steps="T_2"),), 10)[0]][1:] == ["T", "₂−1"]


def test_numbers_and_transposes():
    number, power = set_line((Number(-1.5e-5),), 10)[0]
    assert (number.text, power.text) == ("−1.500000 × 10", "−5")
    assert power.rise > number.rise
    assert [run.text for run in set_line((Number(0.25),), 10)[0]] == ["0.2500000"]
    *_, sign = set_line((Transposed(Name("V")),), 10)[0]
    assert (sign.text, sign.italic, sign.rise > 0) == ("T", False, True)


LINE = (Name("h", time=1).adjoint(), " = ", Number(2e-9), " ", Transposed(Name("V")), " to ", Name("b", sub="h"))


def test_the_pieces_of_a_line_follow_each_other():
    ends = [set_line(LINE[:count], 10)[1] for count in range(len(LINE) + 1)]
    assert ends == sorted(ends)
    runs, wide = set_line(LINE, 10)
    assert min(run.x for run in runs) == 0
    assert max(run.x + text_width(run.text, run.size, run.italic) for run in runs) == pytest.approx(wide)


def test_glyphs_grow_with_their_size():
    small, large = (set_line(LINE, size) for size in (10, 20))
    assert large[1] == pytest.approx(2 * small[1])
    assert [run.x for run in large[0]] == pytest.approx([2 * run.x for run in small[0]])


def test_widths_of_times():
    assert (text_width("W", 1000), text_width("i", 1000), text_width("i", 1000, italic=True)) == (944, 278, 278)
    assert text_width("", 10) == 0
    assert text_width("ab", 10) == pytest.approx(text_width("a", 10) + text_width("b", 10))
    assert text_width("語", 1000) == 500  # what no table has


def test_the_bar_is_higher_over_a_tall_letter():
    assert bar_height(TextRun("h", 0, size=10)) == 7.5
    assert bar_height(TextRun("y", 0, size=10)) == pytest.approx(5.4)
