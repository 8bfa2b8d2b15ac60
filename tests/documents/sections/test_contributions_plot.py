"""The plot of contributions: what it shows, and that it is the same each time."""

import re
import struct
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from symrnn.documents.blocks import Figure, Section
from symrnn.documents.document import Document
from symrnn.documents.sections.contributions_plot import Plot, _spread, plot_of
from symrnn.documents.writers import html, latex
from symrnn.documents.writers.pdf import overfull, pdf_of
from tests.support.tex import needs

matplotlib = pytest.importorskip("matplotlib")
NOTEBOOK = {"U": [0.0001, 0.0006, 0.0072], "V": [0.0, 0.0002, 0.0022], "b_h": [0.0001, 0.0003, 0.0024]}
CASES = {
    "notebook": NOTEBOOK,
    "one step": {"U": [3.0], "b_h": [0.0]},
    "nothing": {"U": [0.0] * 4},
    "subnormal": {"U": [0.0, 5e-324, 1.0], "V": [0.0] * 3},
    "long": {"U": [0.9 ** (999 - t) for t in range(1000)], r"U^{(2)\leftarrow}": [1.0] * 1000},
    "many": {f"U_{{{i}}}": [0.5 * i, 1.0] for i in range(26)},
    "odd names": {r"\nosuch $x$ <&\"": [1.0], "größe": [2.0], "": [3.0]},
}


@pytest.mark.parametrize("name", CASES)
def test_every_format_is_whole_and_the_same_each_time(name):
    plot, again = plot_of(CASES[name]), plot_of(CASES[name])
    svg, png, pdf = plot.svg(), plot.png(), plot.pdf()
    assert ElementTree.fromstring(svg).find("{http://www.w3.org/2000/svg}desc").text == plot.alt
    assert png.startswith(b"\x89PNG\r\n")
    assert pdf.startswith(b"%PDF-")
    assert (svg, png, pdf) == (again.svg(), again.png(), again.pdf())


def test_alt_tells_the_largest_and_the_smallest():
    assert plot_of({**NOTEBOOK, "W": [0.0] * 3, "b_o": [1.0] * 3}).alt == (
        "Size of the contribution of each of 3 time steps to the gradient, logarithmic axis. "
        "U: largest 0.0072 at t = 2, smallest 0.0001 at t = 0. "
        "V: largest 0.0022 at t = 2, smallest 0 at t = 0. "
        "b_h: largest 0.0024 at t = 2, smallest 0.0001 at t = 0. "
        "W: 0 at every step. b_o: 1 at every step."
    )


@pytest.mark.parametrize(
    ("sizes", "is_log"),
    [([1.0, 100.0], False), ([1.0, 101.0], True), ([0.0, 1.0], False), ([0.0, 1.0, 101.0], True), ([0.0], False)],
)
def test_the_axis_is_logarithmic_above_a_range_of_100(sizes, is_log):
    assert plot_of({"U": sizes}).is_log == is_log


def points(plot, name):
    """How many points the SVG's line with this colour has, and how many signs stand on it."""
    parts = re.findall(rf'<path d="([^"]*)"[^>]*stroke: {name}', plot.svg())
    return max(part.count("L ") + part.count("M ") for part in parts)


def test_every_step_is_a_point_and_signs_stand_on_few():
    few, many = ({"U": [float(t % 7) for t in range(steps)]} for steps in (30, 31))
    assert points(plot_of(few), "#0072b2") == 30
    assert plot_of(few).svg().count("<use") - plot_of(many).svg().count("<use") > 25


def test_lines_differ_in_colour_and_in_dashes():
    svg = plot_of({name: [1.0 + i, 2.0] for i, name in enumerate("UVWb")}).svg()
    looks = re.findall(
        r'style="fill: none; stroke(?:-dasharray: ([\d., ]+); stroke-dashoffset: 0; stroke)?: (#\w+)', svg
    )
    found = {colour: dashes for dashes, colour in looks if colour in ("#0072b2", "#d55e00", "#009e73", "#cc79a7")}
    assert len(found) == 4
    assert len(set(found.values())) == 4


def test_the_svg_keeps_to_itself():
    svg = plot_of(NOTEBOOK).svg()
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert all(name.startswith("plot-") for name in re.findall(r'\bid="([^"]*)"', svg))
    names = set(re.findall(r'\bid="([^"]*)"', svg))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)) == names
    assert set(re.findall(r"https?://[^\"<]*", svg)) == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}


@needs("lmodern", "amsmath", "tikz", "accsupp")
def test_tikz_fits_on_a_page():
    body = "\n\n".join(f"\\noindent {plot_of(sizes).tikz(alt=True)}" for sizes in CASES.values())
    head = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{lmodern,amsmath,tikz,accsupp}"
    made = pdf_of(f"{head}\\begin{{document}}\n{body}\\end{{document}}")
    assert overfull(made.log) == []


def test_tikz_has_the_points_and_numbers_of_the_plot():
    text = plot_of({"U": [0.0, 1.0, 2.0], "V": [1.0, 1.0, 1.0]}).tikz()
    high = 1 / 1.05
    line = f"(0.0000,0.0000) (0.5000,{high / 2:.4f}) (1.0000,{high:.4f})"
    assert f"plot coordinates {{{line}}};" in text
    assert f"mark size=0.18em] coordinates {{{line}}};" in text
    assert re.findall(r"node\[below\] \{(.*?)\};", text) == ["0", "1", "2"]
    assert "{$U$};" in text
    assert "AccSupp" not in text


def test_tikz_says_small_and_large_numbers():
    text = plot_of({"U": [1e-8, 1.0], r"\nosuch_{$<": [0.0, 2.0]}).tikz()
    assert "node[left] {${10^{-8}}$};" in text
    assert r"{\textbackslash{}nosuch\_\{\$$<$};" in text


def test_a_plot_stands_in_a_figure():
    plot = plot_of(NOTEBOOK)
    document = Document("a", (), (), (Section("plot", "Plot", (Figure(plot, plot.caption),)),))
    for text in (html.article_html(document), latex.article_latex(document)):
        assert plot.caption[0] in text
    assert plot.alt in html.article_html(document)


def test_png_is_as_large_as_asked_for():
    plot = plot_of(NOTEBOOK)
    small, large = (struct.unpack(">II", plot.png(dpi)[16:24]) for dpi in (100, 200))
    assert abs(large[0] - 2 * small[0]) <= 2


def test_nothing_outside_is_changed():
    script = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams.copy())\n"
        "from symrnn.documents.sections.contributions_plot import plot_of\n"
        "plot = plot_of({'U': [1.0, 2.0]}); plot.svg(); plot.png(); plot.pdf()\n"
        "assert dict(matplotlib.rcParams.copy()) == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_user_s_style_changes_nothing():
    plot = plot_of(NOTEBOOK)
    plain = plot.svg()
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 20}):
        assert plot.svg() == plain


def test_names_are_moved_apart_in_their_order():
    assert _spread([0.5, 0.5, 0.2], 0.1) == [0.5, 0.6, 0.2]
    assert _spread([1.0, 1.0], 0.25) == [0.75, 1.0]


def test_jupyter_shows_the_picture_and_its_text():
    plot = plot_of({"U": [1.0]})
    assert plot._repr_mimebundle_() == {"image/svg+xml": plot.svg(), "text/plain": plot.alt}
    assert plot == Plot((("U", (1.0,)),))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "plot: expected at least one weight and one time step, got none"),
        ({"U": []}, "plot: expected at least one weight and one time step, got none"),
        ({"U": [1.0], "V": [1.0, 2.0]}, "plot: V: expected 1 time steps as in U, got 2"),
        ({"U": [1.0, float("nan")]}, "plot: U: t = 1: expected a number from 0 on, got nan"),
        ({"U": [-1.0]}, "plot: U: t = 0: expected a number from 0 on, got -1.0"),
        ({"U": [float("inf")]}, "plot: U: t = 0: expected a number from 0 on, got inf"),
    ],
)
def test_wrong_sizes_are_named(sizes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plot_of(sizes)


def test_a_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError,
        match=r"^a plot needs matplotlib \(import of matplotlib halted; None in sys.modules\); "
        r"pip install 'symrnn\[docs\]' installs it$",
    ):
        plot_of({"U": [1.0]}).svg()
