"""Axes of matplotlib as TikZ: the same points, ticks, colours and words, none of them TeX's own signs."""

import re

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from symrnn.documents.sections.plot_tikz import axes_tikz
from symrnn.documents.writers.pdf import overfull, pdf_of
from tests.support.tex import needs


def axes(*lines, size=(6, 4), **labels):
    made = Figure(figsize=size).add_subplot(**labels)
    for x, y, options in lines:
        made.plot(x, y, **{"color": "#0072B2", **options})
    return made


def coordinates(text):
    """The points of each line."""
    found = re.findall(r"\\draw\[symrnn.*?plot coordinates \{(.*?)\};", text)
    return [[tuple(map(float, pair.split(","))) for pair in re.findall(r"\(([^)]*)\)", line)] for line in found]


def test_points_are_where_they_are_in_the_axes():
    made = axes(([0, 1, 4], [2, 10, 6], {}))
    made.set_xlim(0, 4)
    made.set_ylim(2, 10)
    assert coordinates(axes_tikz(made)) == [[(0, 0), (0.25, 1), (1, 0.5)]]


def test_points_of_a_logarithmic_axis():
    made = axes(([0, 1, 2], [1e-4, 1e-2, 1], {}), xlim=(0, 2), yscale="log", ylim=(1e-4, 1))
    assert coordinates(axes_tikz(made)) == [[(0, 0), (0.5, 0.5), (1, 1)]]


def test_ticks_within_the_axes_have_their_labels():
    made = axes(([0, 1], [0, 1], {}))
    made.set_xticks([-1, 0, 0.5, 1, 2], labels=["a", "b_1", "50 %", "$x_1$", "e"])
    made.set_yticks([0.25], labels=["q"])
    made.set(xlim=(0, 1), ylim=(0, 1))
    text = axes_tikz(made)
    below = re.findall(r"\\draw \((\S+),(\S+)\) -- \+\(0,-0.3em\) node\[below\] \{(.*?)\};", text)
    assert below == [("0.0000", "0.0000", r"b\_1"), ("0.5000", "0.0000", r"50 \%"), ("1.0000", "0.0000", "$x_1$")]
    assert r"\draw (0.0000,0.2500) -- +(-0.3em,0) node[left] {q};" in text


@pytest.mark.parametrize(("style", "dash"), [("-", ""), ("--", ", dashed"), ("-.", ", dash dot"), (":", ", dotted")])
def test_lines_have_their_dashes_and_colours(style, dash):
    text = axes_tikz(axes(([0, 1], [0, 1], {"linestyle": style, "color": "#D55E00"})))
    assert r"\definecolor{symrnnD55E00}{HTML}{D55E00}%" in text
    assert rf"\draw[symrnnD55E00, line width=0.13em{dash}] plot" in text


def test_a_colour_is_defined_once_and_points_stand_where_there_is_a_marker():
    text = axes_tikz(
        axes(([0, 1], [0, 1], {}), ([0, 1], [1, 0], {"marker": "o"}), ([0, 1], [1, 1], {"marker": "None"}))
    )
    assert text.count(r"\definecolor") == 1
    assert text.count(r"\draw[symrnn") == 3
    assert text.count(r"\fill[symrnn") == 1


def test_axes_without_lines_are_axes():
    text = axes_tikz(axes())
    assert coordinates(text) == []
    assert r"\draw (0,1) -- (0,0) -- (1,0);" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("größe", "größe"),
        (r"\input{a}", r"\textbackslash{}input\{a\}"),
        ("50 % & #1_a^b ~ {}", r"50 \% \& \#1\_a\textasciicircum{}b \textasciitilde{} \{\}"),
        ("−1 < 2 > 0", "$-$1 $<$ 2 $>$ 0"),
        ("$h_t$", "$h_t$"),
        ("$\\mathdefault{10^{-2}}$", "${10^{-2}}$"),
        (r"5 \$", r"5 \$"),
        ("", ""),
    ],
)
def test_words_in_the_axes_are_escaped(text, expected):
    made = axes()
    made.text(0.5, 0.25, text)
    assert rf"at (0.5000,0.2500) {{{expected}}};" in axes_tikz(made)


def test_labels_of_the_axes_and_the_height_of_the_figure():
    low, high = (axes_tikz(axes(size=(6, height), xlabel="$t$", ylabel="size")) for height in (2, 4))
    assert r"at (0.5,0) {$t$};" in low
    assert r"at (0,0.5) {size};" in low
    heights = [float(re.search(r"y=([\d.]+)em", text)[1]) for text in (low, high)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.02)


def test_a_description_is_what_a_pdf_reads_out():
    made = axes()
    described = axes_tikz(made, "größe_{1}\\ is 50 %,\n(a+b) = 2.")
    assert r"Alt={gr e 1 is 50 , (a+b) = 2.}" in described
    assert axes_tikz(made).rstrip() in described
    assert "AccSupp" not in axes_tikz(made)


@needs("lmodern", "amsmath", "tikz", "accsupp")
def test_it_compiles_and_fits():
    made = axes(([0, 1e7], [1e-9, 2e-9], {"marker": "s"}), xlabel="$t$", ylabel="a")
    made.text(0.5, 0.5, r"\nosuch_{$<")
    head = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{lmodern,amsmath,tikz,accsupp}\\begin{document}"
    )
    assert overfull(pdf_of(f"{head}\n\\noindent {axes_tikz(made, 'a_b')}\\end{{document}}").log) == []
