"""TikZ: the exact text of small drawings, what is escaped, and that it compiles."""

import re
import shutil
import subprocess

import pytest

from symrnn import LSTM, Bidirectional, Dense, Embedding, SimpleRNN
from symrnn.diagrams import tikz
from symrnn.diagrams.drawing import Arrow, Drawing, Label, Node
from symrnn.diagrams.geometry import Box, Point
from symrnn.diagrams.picture import picture_of
from symrnn.diagrams.tikz import render_tikz
from tests.support.pictures import EVERY, drawn, encoder_decoder, notebook, way_back

TIKZ = (
    r"\begin{tikzpicture}[x=0.0625em, y=-0.0625em,",
    r"\definecolor{symrnnV}{HTML}{D55E00}%",
    r"V/.style={symrnnV, line width=0.175em, -{Stealth[length=0.625em, width=0.6em]}}",
    r"\draw[U] (0, -12) -- (0, -53);",
    r"\draw[V] (19, -72) -- (81, -72);",
    r"\draw[W] (200, -91) -- (200, -132);",
    r"\node[frame, circle, minimum size=2.375em] (h_0) at (0, -72) {};",
    r"\node[letters] at (0, -66.9) {$h_0$};",
    r"\node[letters] at (-99.5, -66.9) {$h_{-1} = 0$};",
)


@pytest.mark.parametrize("piece", TIKZ)
def test_the_notebook(piece):
    assert piece in notebook().tikz()


def test_the_way_back():
    assert r"{$-1.842536 \times 10^{-4}$}" in way_back().tikz()
    assert "back/.style={line width=0.075em, dash pattern=on 0.312em off 0.188em, " in way_back().tikz()


def lines(*, nodes=(), arrows=(), notes=()):
    """What is drawn, without its styles."""
    text = render_tikz(Drawing(nodes, arrows, (), notes))
    return re.findall(r"^  (\\(?:node|draw).*)$", text, re.MULTILINE)


def node(name, kind, radius=0.0):
    return Node(name, kind, Box(0, 0, 32, 32, radius), ((),), (0.0,), ())


@pytest.mark.parametrize(
    ("kind", "radius", "options"),
    [
        ("state", 16, "frame, circle, minimum size=2em"),
        ("value", 3, "frame, rounded corners=0.187em, minimum width=2em, minimum height=2em"),
        ("input", 0, "minimum width=2em, minimum height=2em"),
    ],
)
def test_nodes(kind, radius, options):
    assert lines(nodes=(node("x", kind, radius),)) == [rf"\node[{options}] (x) at (0, 0) {{}};"]


def test_names_of_nodes_are_ascii_and_none_is_taken_twice():
    names = ["h_0", "h{0}", "h;0", "δ", "a b"]
    found = lines(nodes=tuple(node(name, "input") for name in names))
    assert [re.search(r"\] \((.*?)\)", line)[1] for line in found] == ["h_0", "hu7b0u7d", "hu3b0", "u3b4", "au20b"]


def test_a_curve():
    path = tuple(Point(*point) for point in ((0, 0), (50, 10), (50, -30), (0, -0.04)))
    found = lines(arrows=(Arrow("a", "b", path, "plain", ()),))
    assert found == [r"\draw[plain] (0, 0) .. controls (50, 10) and (50, -30) .. (0, 0);"]


@pytest.mark.parametrize(
    ("line", "options", "expected"),
    [
        (("50 % of {a_b}",), {}, r"\node[letters] at (0, 5.1) {50 \% of \{a\_b\}};"),
        (("x",), {"size": 13}, r"\node[letters, font=\footnotesize] at (0, 4.2) {x};"),
        (("x",), {"size": 14, "colour": "555555"}, r"\node[letters, font=\small, text=black!67] at (0, 4.5) {x};"),
        (("⋯",), {}, r"\node[letters] at (0, 4) {$\cdots$};"),
    ],
)
def test_labels(line, options, expected):
    assert lines(notes=(Label((line,), Point(0, 0), **options),)) == [expected]


def test_only_what_is_used_has_a_style():
    text = render_tikz(Drawing((), (Arrow("x", "x", (Point(0, 0), Point(9, 0)), "U", ()),)))
    assert re.findall(r"^  (\w+)/\.style", text, re.MULTILINE) == ["letters", "U"]
    assert text.count("definecolor") == 1


def test_a_description_is_ascii_and_no_command():
    text = render_tikz(Drawing((node("x", "input"),), ()), "h̄_0 = δ_1 V^→ & \\end{x} 50 %\n#1 $")
    first, *_, last = text.splitlines()
    said = "h bar 0 = delta 1 V forward and end x 50 1"
    assert (first, last) == (rf"\leavevmode\BeginAccSupp{{method=escape, Alt={{{said}}}}}%", r"\EndAccSupp{}")


def installed(package):
    found = shutil.which("kpsewhich")
    return bool(found and subprocess.run([found, package], capture_output=True, check=False).stdout)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.skipif(not installed("tikz.sty"), reason="TikZ is not installed")
def test_pictures_of_all_kinds_compile_and_none_is_wider_than_the_line(tmp_path):
    found = [notebook(), way_back(), drawn(SimpleRNN(1), rolled=True), picture_of(encoder_decoder(None, None))]
    found += [drawn(Bidirectional(LSTM(2, **EVERY)), Dense(1), T=1000), drawn(LSTM(4, **EVERY), LSTM(3), backward=True)]
    found += [drawn(Embedding(9, 2, mask_zero=True), SimpleRNN(1), Dense(1))]
    alt = installed("accsupp.sty")
    body = "\n".join(f"\\noindent {one.tikz(alt=alt)}\n\n{one.caption_latex}\n\n\\clearpage" for one in found)
    preamble = tikz.PREAMBLE + ("\n\\usepackage{accsupp}" if alt else "")
    source = f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "a.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "a.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    assert (re.findall(r"Overfull \\hbox.*", log), f"({len(found)} pages" in log) == ([], True)
