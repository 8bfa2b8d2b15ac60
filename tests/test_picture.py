r"""Pictures: the notebook's model word for word, and what the picture of every model has in common."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from sympy import Eq, MatrixSymbol, atan

import symrnn
from symrnn import (
    LSTM,
    RNN,
    Bidirectional,
    Cell,
    Dense,
    Embedding,
    GlobalMaxPooling1D,
    Input,
    Model,
    Sequential,
    SimpleRNN,
    tikz,
)
from symrnn.arrows import segments
from symrnn.derivation import NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.drawing import LOOKS
from symrnn.forward import forward
from symrnn.geometry import Box, Point, bezier, bounds, crosses, depth, overlap
from symrnn.glyphs import Number, Transposed, latex, set_line, text
from symrnn.notation import Letter
from symrnn.picture import Picture, picture
from symrnn.program import symbols_of
from symrnn.transforms import letter_of, unroll

from .bank import MODELS, over

_sequence = {"return_sequences": True}


def drawn(*layers, T=3, features=1, **options):
    """The picture of layers one after the other."""
    shape = (T,) if isinstance(layers[0], Embedding) else (T, features)
    return picture(forward(Sequential(layers, shape)), **options)


def encoder_decoder(first, second):
    x, start = Input((first, 1)), Input((second, 1))
    _, *states = LSTM(1, return_state=True)(x)
    return picture(forward(Model([x, start], Dense(1)(LSTM(1, **_sequence)(start, initial_state=states)))))


NOTEBOOK = drawn(SimpleRNN(1), Dense(1))
NUMBERS = {
    name: float(value.ravel()[0])
    for name, value in symrnn.derive().gradient(wrt=["h", "U", "W"]).values(NOTEBOOK_X, list(NOTEBOOK_WEIGHTS)).items()
}
WAY_BACK = drawn(SimpleRNN(1), Dense(1), backward=True, numbers=NUMBERS)


def names(found, *kinds):
    return [node.name for node in found.drawing.nodes if node.kind in kinds or not kinds]


def labels(found):
    """What stands at the arrows, with their ends."""
    drawing = found.drawing
    return {(a.start, a.end): [text(line) for label in a.labels for line in label.lines] for a in drawing.arrows}


# the notebook's model -----------------------------------------------------------------------------


def test_title():
    assert NOTEBOOK.title == "SimpleRNN(1), Dense(1), unrolled in time"


def test_alt():
    assert NOTEBOOK.alt == (
        "h_0 reads x_0 through U and h_-1 = 0 through V. h_1 reads x_1 through U and h_0 through V. "
        "h_2 reads x_2 through U and h_1 through V. y reads h_2 through W."
    )


def test_caption():
    assert NOTEBOOK.caption == (
        "h_t adds b_h and applies tanh to what arrives. y adds b_o to what arrives and reads the last h_t only. "
        "The thin arrows U are one weight, and so are the thick arrows V."
    )
    assert NOTEBOOK.caption_latex.startswith("$h_t$ adds $b_h$ and applies tanh to what arrives. $y$ adds $b_o$")


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-137.94 -162 362.94 180" width="362.94" height="180" role="img" ',
    "<title>SimpleRNN(1), Dense(1), unrolled in time</title>",
    '<path d="M0 -12 L0 -46.85" fill="none" stroke="#0072B2" stroke-width="1.3"/>',
    '<path d="M0 -53 L3.4 -45 L0 -46.85 L-3.4 -45 Z" fill="#0072B2"/>',
    '<path d="M19 -72 L73.25 -72" fill="none" stroke="#D55E00" stroke-width="2.8"/>',
    '<path d="M200 -91 L200 -124.42" fill="none" stroke="#009E73" stroke-width="3.9"/>\n'
    '<path d="M200 -91 L200 -124.42" fill="none" stroke="#FFFFFF" stroke-width="1.3"/>',
    '<rect x="-19" y="-91" width="38" height="38" rx="19" fill="#FFFFFF" stroke="#000000" stroke-width="1.1"/>',
    '<text fill="#000000"><tspan x="-6.88" y="-66.88" font-size="16" font-style="italic">h</tspan>'
    '<tspan x="1.12" y="-63.36" font-size="11.52">0</tspan></text>',
)
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


@pytest.mark.parametrize("piece", SVG)
def test_svg(piece):
    assert piece in NOTEBOOK.svg()


@pytest.mark.parametrize("piece", TIKZ)
def test_tikz(piece):
    assert piece in NOTEBOOK.tikz()


def test_rolled():
    found = drawn(SimpleRNN(1), Dense(1), rolled=True)
    assert found.title == "SimpleRNN(1), Dense(1), rolled up"
    assert found.alt == "h_t reads x_t through U and h_t-1 through V. y reads h_2 through W."
    [loop] = [arrow for arrow in found.drawing.arrows if arrow.start == arrow.end]
    assert (loop.start, loop.look, len(loop.path)) == ("h_t", "V", 4)
    assert r"\draw[V] (16, -61.8) .. controls (50, -51.8) and (50, -92.2) .. (16, -82.2);" in found.tikz()


def test_way_back():
    assert WAY_BACK.alt == (
        "y sends h̄_2 = 0.5759429 to h_2 and ȳ = 1 to W, b_o. "
        "h_2 sends h̄_1 = -0.002631489 to h_1 and δ_2 = 0.002631489 to U, V, b_h. "
        "h_1 sends h̄_0 = 1.842536e-4 to h_0 and δ_1 = -1.842536e-4 to U, V, b_h. "
        "h_0 sends δ_0 = 3.642046e-5 to U, V, b_h."
    )
    assert labels(WAY_BACK)["h_2", "h_1"] == ["h̄_1 = δ_2 V", "-0.002631489"]
    assert "stroke-dasharray" in WAY_BACK.svg()
    assert r"{$-1.842536 \times 10^{-4}$}" in WAY_BACK.tikz()


def test_way_back_runs_to_the_left():
    places = {node.name: node.box.x for node in WAY_BACK.drawing.nodes}
    assert all(places[a.end] <= places[a.start] and LOOKS[a.look].dashed for a in WAY_BACK.drawing.arrows)


def test_way_back_of_several_readers():
    """An adjoint that is a sum stands at its node, its terms at the arrows."""
    found = drawn(SimpleRNN(1, **_sequence), Dense(1), backward=True, numbers={"dh_0": 0.25})
    said = labels(found)
    assert said["h_1", "h_0"] == ["δ_1 V"]
    assert said["y_0", "h_0"] == ["ȳ_0 W"]
    assert said["y_2", "h_2"] == ["h̄_2 = ȳ_2 W"]
    assert [text(label.lines[0]) for label in found.drawing.notes] == ["h̄_0 = 0.2500000", "h̄_1"]


def test_way_back_of_matrices():
    found = drawn(SimpleRNN(2), Dense(1), backward=True)
    assert labels(found)["h_1", "h_0"] == ["h̄_0 = δ_1 Vᵀ"]
    assert r"{$\bar h_0 = \delta_1 V^{\mathsf T}$}" in found.tikz()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"rolled": True, "backward": True},
            "picture: rolled and backward: expected one of them, as the way back is unrolled",
        ),
        ({"numbers": {}}, "picture: numbers: expected backward=True, as they stand beside the adjoints"),
    ],
)
def test_options_that_exclude_each_other(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        drawn(SimpleRNN(1), **options)


# elision ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("T", "states"),
    [
        (1, ["h_0"]),
        (5, ["h_0", "h_1", "h_2", "h_3", "h_4"]),
        (6, ["h_0", "h_1", "h_dots", "h_5"]),
        (1000, ["h_0", "h_1", "h_dots", "h_999"]),
        (None, ["h_0", "h_1", "h_dots", "h_last"]),
    ],
)
def test_more_than_five_steps_are_elided(T, states):
    found = drawn(SimpleRNN(1), Dense(1), T=T)
    assert [name for name in names(found, "state", "dots") if name.startswith("h")] == states
    assert ("Dots stand for the time steps between." in found.caption) == ("h_dots" in states)


def test_alt_of_an_elided_picture():
    assert drawn(SimpleRNN(1), Dense(1), T=1000).alt == (
        "h_0 reads x_0 through U and h_-1 = 0 through V. h_1 reads x_1 through U and h_0 through V. "
        "The time steps between follow in the same way. "
        "h_999 reads x_999 through U and h_998 through V. y reads h_999 through W."
    )


def test_a_long_picture_is_as_small_as_a_short_one():
    long, short = (drawn(SimpleRNN(1), Dense(1), T=T).drawing for T in (10**6, 6))
    assert (len(long.nodes), len(long.arrows)) == (len(short.nodes), len(short.arrows))


# models -------------------------------------------------------------------------------------------


def test_lstm():
    """Two arrows between the steps: h with the weight, c without."""
    found = drawn(LSTM(4, **_sequence), LSTM(3, **_sequence), Dense(2))
    between = [a for a in found.drawing.arrows if (a.start, a.end) == ("h2_0", "h2_1")]
    assert [(a.look, text(a.carries), text(a.by)) for a in between] == [
        ("V", "h_0^{(2)}", "V^{(2)}"),
        ("plain", "c_0^{(2)}", ""),
    ]
    assert [group.title for group in found.drawing.groups] == ["LSTM(4)", "LSTM(3)"]
    assert names(found, "output") == ["y_0", "y_1", "y_2"]


def test_bidirectional():
    found = drawn(Bidirectional(SimpleRNN(1, **_sequence)), Dense(1))
    places = {node.name: node.box.x for node in found.drawing.nodes}
    ends = [(a.start, a.end) for a in found.drawing.arrows]
    assert ("hbw_1", "hbw_0") in ends
    assert places["hbw_0"] < places["hbw_1"] < places["hbw_3"]
    assert "h_t^{←} adds b_h^{←} and applies tanh to what arrives and goes from the last time step" in found.caption


def test_encoder_and_decoder():
    found = encoder_decoder(3, 2)
    [h, c] = [a for a in found.drawing.arrows if (a.start, a.end) == ("h1_2", "h2_0")]
    assert (h.look, text(h.by), text(c.carries)) == ("V", "V^{(2)}", "c_2^{(1)}")
    assert "starts from the last h_t^{(1)} and c_t^{(1)}." in found.caption


def test_lengths_that_are_open():
    assert [text(node.text) for node in encoder_decoder(None, None).drawing.nodes if node.kind == "output"] == [
        "y_0",
        "y_1",
        "y_{T_2-1}",
    ]


def test_masked_embedding():
    found = drawn(Embedding(9, 2, mask_zero=True), SimpleRNN(1), Dense(1))
    assert {("x_0", "m_0"), ("x_0", "e_0"), ("m_0", "h_0"), ("e_0", "h_0")} <= set(labels(found))
    places = {node.name: node.box for node in found.drawing.nodes}
    assert places["m_0"].y == places["x_0"].y


def test_pooling():
    found = drawn(SimpleRNN(1, **_sequence), GlobalMaxPooling1D(), Dense(1), T=9)
    assert [start for start, end in labels(found) if end == "g"] == ["h_0", "h_1", "h_dots", "h_8"]
    assert "g is the largest h_t over the time steps, entry by entry." in found.caption


def test_names_of_cells_are_escaped():
    x, h, before = (MatrixSymbol(name, 1, 1) for name in ("x_t", "h_t", "h_prev"))
    U = MatrixSymbol("U", 1, 1)
    cell = Cell([Eq(h, (x * U + before).applyfunc(atan))], x, {"h": (before, h)}, {"U": (1, 1)}, name="<a & b_1>")
    found = drawn(RNN(cell))
    assert "<title>RNN(&lt;a &amp; b_1&gt;), unrolled in time</title>" in found.svg()
    assert found.caption_latex.startswith(r"$h_t$ is the state of the cell <a \& b\_1>.")


# every model --------------------------------------------------------------------------------------

OPTIONS = {"unrolled": {}, "rolled": {"rolled": True}, "backward": {"backward": True}}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())


@over(MODELS)
@every_option
def test_every_picture(case, options):
    found = picture(forward(case.model), **options)
    check_svg(found)
    check_ends(found.drawing)
    check_room(found.drawing)


def check_svg(found):
    """Well-formed, with title and description, no names, nothing from outside."""
    root, space = ElementTree.fromstring(found.svg()), "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert [root.find(f"{space}{name}").text for name in ("title", "desc")] == [found.title, found.alt]
    assert not any("href" in key or key == "id" for element in root.iter() for key in element.attrib)


def check_ends(drawing):
    """Arrows run from border to border of nodes."""
    boxes = {node.name: node.box for node in drawing.nodes}
    assert len(boxes) == len(drawing.nodes)
    for arrow in drawing.arrows:
        assert depth(boxes[arrow.start], arrow.path[0]) == pytest.approx(0, abs=1e-3)
        assert depth(boxes[arrow.end], arrow.path[-1]) == pytest.approx(0, abs=1e-3)


def check_room(drawing):
    """Nothing is cut off, no label is on another or on a node, no arrow runs through a node."""
    left, top, right, bottom = drawing.bounds
    apart = [*(node.box for node in drawing.nodes), *(label.box for arrow in drawing.arrows for label in arrow.labels)]
    apart += [*(label.box for label in drawing.notes), *(group.label.box for group in drawing.groups)]
    for edges in (box.edges for box in (*apart, *(label.box for label in drawing.labels))):
        assert edges[0] >= left
        assert edges[1] >= top
        assert edges[2] <= right
        assert edges[3] <= bottom
    assert not [pair for pair in combinations(apart, 2) if overlap(*(box.grown(-1) for box in pair))]
    for arrow in drawing.arrows:
        others = [node.box for node in drawing.nodes if node.name not in (arrow.start, arrow.end)]
        assert not [box for line in segments(arrow.path) for box in others if crosses(line, box.grown(-2))]


@over(MODELS)
def test_arrows_are_what_the_equations_read(case):
    """The same connections, found in the program with time written out."""
    network = forward(case.model)
    drawing = picture(network).drawing
    program = unroll(network.program, dict(network.timesteps))
    shown = [node for node in drawing.nodes if node.kind != "start"]
    nodes = {piece.code: node.name for node in shown for piece in node.text if isinstance(piece, Letter)}
    for equation in program.assignments:  # what a state is before a mask is in the node of the state
        letter = letter_of(program.letters, equation.lhs)
        if "~" in letter.base:
            nodes[letter.code] = nodes[replace(letter, base=letter.base.removesuffix("~")).code]
    expected, known = set(), {}
    for equation in program.assignments:
        name, read = equation.lhs.name, [symbol.name for symbol in symbols_of([equation.rhs])]
        known[name] = {node for one in read for node in ([nodes[one]] if one in nodes else known.get(one, ()))}
        expected |= {(node, nodes[name]) for node in known[name] - {nodes[name]}} if name in nodes else set()
    starts = {node.name: node for node in drawing.nodes if node.kind == "start"}
    found = {(arrow.start, arrow.end) for arrow in drawing.arrows if arrow.start not in starts}
    for arrow in (arrow for arrow in drawing.arrows if arrow.start in starts):  # said in words: h_{-1} = h_2
        said = [piece.code for piece in arrow.carries if isinstance(piece, Letter)]
        found |= {(nodes[code], arrow.end) for code in said if code in nodes}
    masks = {node.name for node in drawing.nodes if node.kind == "mask"}
    assert found <= expected
    assert {start for start, _ in expected - found} <= masks  # a caption says that a mean or a merge counts them


# colours, glyphs, geometry ------------------------------------------------------------------------


def contrast(colour):
    """The contrast to white (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_colours_can_be_told_from_white_and_say_nothing_alone():
    assert [round(contrast(LOOKS[name].colour), 1) for name in "UVW"] == [5.2, 3.9, 3.4]
    assert len({(look.width, look.double, look.dashed) for look in LOOKS.values()}) == len(LOOKS)


@pytest.mark.parametrize(
    ("line", "expected_latex", "expected_text"),
    [
        ((Letter("h", time=0),), "$h_0$", "h_0"),
        ((Letter("h", time=-1), " = 0"), "$h_{-1} = 0$", "h_{-1} = 0"),
        ((Letter("h", time=1).adjoint(), " = ", Letter("a", time=2).adjoint(), " ", Transposed(Letter("V", layer="2"))),
         r"$\bar h_1 = \delta_2 {V^{(2)}}^{\mathsf T}$", "h̄_1 = δ_2 V^{(2)}ᵀ"),
        (("to ", Letter("U"), ", ", Letter("b", sub="h")), "to $U$, $b_h$", "to U, b_h"),
        ((Number(-1.5e-5),), r"$-1.500000 \times 10^{-5}$", "-1.500000e-5"),
        (("50 % of {a_b}",), r"50 \% of \{a\_b\}", "50 % of {a_b}"),
    ],
)  # fmt: skip
def test_lines(line, expected_latex, expected_text):
    assert (latex(line), text(line)) == (expected_latex, expected_text)


def test_glyphs():
    """Sub- and superscript begin at the end of the letter, and the bar is over it."""
    runs, width = set_line((Letter("h", layer="2bw", time=3).adjoint(),), 10)
    assert [(run.text, run.italic) for run in runs] == [("h", True), ("3", False), ("(2)←", False)]
    assert runs[1].x == 5
    assert runs[0].bar == pytest.approx((0.6, 5.6))
    assert width > runs[2].x


def test_geometry():
    circle = Box(0, 0, 2, 2, 1)
    assert depth(circle, (0, 0)) == 1
    assert depth(circle, (3, 4)) == -4
    assert crosses((Point(-3, 0), Point(3, 0)), circle)
    assert not crosses((Point(-3, 2), Point(3, 2)), circle)
    assert not overlap(circle, circle.moved(2, 0))
    assert bounds([circle, circle.moved(4, 1)]) == (-1, -1, 5, 2)
    assert bezier((Point(0, 0), Point(4, 2)), 0.25) == (1, 0.5)


# where pictures go --------------------------------------------------------------------------------


def test_jupyter():
    bundle = NOTEBOOK._repr_mimebundle_()
    assert json.loads(json.dumps(bundle)) == {
        "image/svg+xml": NOTEBOOK.svg(),
        "text/plain": f"{NOTEBOOK.title}\n{NOTEBOOK.alt}",
    }
    assert NOTEBOOK._repr_svg_() == NOTEBOOK.svg()
    assert isinstance(NOTEBOOK, Picture)


def installed(package):
    found = shutil.which("kpsewhich")
    return bool(found and subprocess.run([found, package], capture_output=True, check=False).stdout)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.skipif(not installed("tikz.sty"), reason="TikZ is not installed")
def test_tikz_compiles(tmp_path):
    """Pictures of all kinds, none wider than the line."""
    found = [NOTEBOOK, WAY_BACK, drawn(SimpleRNN(1), rolled=True), encoder_decoder(None, None)]
    found += [drawn(Bidirectional(LSTM(2, **_sequence)), Dense(1), T=1000)]
    found += [drawn(LSTM(4, **_sequence), LSTM(3, **_sequence), Dense(2), backward=True)]
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
    assert not re.findall(r"Overfull \\hbox.*", log)
    assert f"({len(found)} pages" in log
