r"""Exact LaTeX of short models, one block for each zoom, and what every printed block has in common."""

import re
import subprocess

import pytest

import symrnn
from symrnn import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Flatten,
    GlobalMaxPooling1D,
    Masking,
    Sequential,
    SimpleRNN,
)
from symrnn.derivations.derivation import ZOOMS
from symrnn.typesetting.widths import columns_taken
from tests.support.bank import MODELS, SIMPLE
from tests.support.tex import needs_latex

NOTEBOOK = Sequential([SimpleRNN(1), Dense(1)], (3, 1))
MATRIX = Sequential([SimpleRNN(2), Dense(2)], (2, 2))
READ_OUT = Sequential([SimpleRNN(2, return_sequences=True, initial_state=True), Dense(2, "sigmoid")], (2, 2))
BACKWARDS = Sequential([SimpleRNN(2, "relu", go_backwards=True), Dense(1)], (2, 2))


def block(*lines):
    """An align* block of these lines; one that begins with a gap, or a fraction after one, has room above it."""
    text = " \\\\\n".join(lines).replace(" \\\\\n[6pt]", " \\\\[6pt]\n")
    text = re.sub(r"(?<=\n)(\\frac.*) \\\\\n(?=\\frac)", r"\1 \\\\[3pt]\n", text)
    return f"\\begin{{align*}}\n{text}\n\\end{{align*}}"


FORWARD = {
    "step": block(
        r"h_{-1} &= 0",
        r"h_t &= \tanh(U x_t + V h_{t-1} + b_h) \qquad (t = 0, \dots, T-1)",
        r"y &= W h_{T-1} + b_o",
    ),
    "unrolled": block(
        r"h_0 &= \tanh(U x_0 + b_h)",
        r"h_1 &= \tanh(U x_1 + V h_0 + b_h)",
        r"h_2 &= \tanh(U x_2 + V h_1 + b_h)",
        r"y &= W h_2 + b_o",
    ),
    "scalar": block(
        r"h_0 &= \tanh(U x_0 + b_h)",
        r"h_1 &= \tanh(U x_1 + V h_0 + b_h)",
        r"h_2 &= \tanh(U x_2 + V h_1 + b_h)",
        r"y &= W h_2 + b_o",
    ),
    "closed": block(r"y &= W \tanh(U x_2 + V \tanh(U x_1 + V \tanh(U x_0 + b_h) + b_h) + b_h) + b_o"),
}

GRADIENT_UNROLLED = block(
    r"a_0 &= U x_0 + b_h",
    r"h_0 &= \tanh a_0",
    r"a_1 &= U x_1 + V h_0 + b_h",
    r"h_1 &= \tanh a_1",
    r"a_2 &= U x_2 + V h_1 + b_h",
    r"h_2 &= \tanh a_2",
    r"y &= W h_2 + b_o",
    r"[6pt]\bar y &= 1",
    r"\bar h_2 &= \bar y W",
    r"\delta_2 &= \bar h_2 (1 - h_2^2)",
    r"\bar h_1 &= \delta_2 V",
    r"\delta_1 &= \bar h_1 (1 - h_1^2)",
    r"\bar h_0 &= \delta_1 V",
    r"\delta_0 &= \bar h_0 (1 - h_0^2)",
    r"\frac{\partial y}{\partial U} &= \delta_0 x_0 + \delta_1 x_1 + \delta_2 x_2",
    r"\frac{\partial y}{\partial V} &= \delta_1 h_0 + \delta_2 h_1",
    r"\frac{\partial y}{\partial b_h} &= \delta_0 + \delta_1 + \delta_2",
    r"\frac{\partial y}{\partial W} &= \bar y h_2",
    r"\frac{\partial y}{\partial b_o} &= \bar y",
)

GRADIENT_STEP = block(
    r"h_{-1} &= 0",
    r"a_t &= x_t U + h_{t-1} V + b_h \qquad (t = 0, \dots, T-1)",
    r"h_t &= \tanh a_t \qquad (t = 0, \dots, T-1)",
    r"y &= h_{T-1} W + b_o",
    r"s &= y \mathbf 1",
    r"[6pt]\bar y &= \mathbf 1^{\mathsf T}",
    r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
    r"\bar h_t &= \delta_{t+1} V^{\mathsf T} \qquad (t = T-2, \dots, 0)",
    r"\delta_t &= \bar h_t \odot (1 - h_t \odot h_t) \qquad (t = T-1, \dots, 0)",
    r"\frac{\partial s}{\partial U} &= \sum_{t=0}^{T-1} x_t^{\mathsf T} \delta_t",
    r"\frac{\partial s}{\partial V} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \delta_t",
    r"\frac{\partial s}{\partial b_h} &= \sum_{t=0}^{T-1} \delta_t",
    r"\frac{\partial s}{\partial W} &= h_{T-1}^{\mathsf T} \bar y",
    r"\frac{\partial s}{\partial b_o} &= \bar y",
)

GRADIENT_BATCH = block(
    r"h_{-1} &= 0",
    r"a_t &= x_t U + h_{t-1} V + \mathbf 1 b_h \qquad (t = 0, \dots, T-1)",
    r"h_t &= \tanh a_t \qquad (t = 0, \dots, T-1)",
    r"y &= h_{T-1} W + \mathbf 1 b_o",
    r"L &= \frac{1}{2 N} \mathbf 1^{\mathsf T} ((y - y_{\mathrm{true}}) \odot (y - y_{\mathrm{true}})) \mathbf 1",
    r"[6pt]\bar y &= \frac{1}{N} (y - y_{\mathrm{true}})",
    r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
    r"\bar h_t &= \delta_{t+1} V^{\mathsf T} \qquad (t = T-2, \dots, 0)",
    r"\delta_t &= \bar h_t \odot (1 - h_t \odot h_t) \qquad (t = T-1, \dots, 0)",
    r"\frac{\partial L}{\partial U} &= \sum_{t=0}^{T-1} x_t^{\mathsf T} \delta_t",
    r"\frac{\partial L}{\partial V} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \delta_t",
    r"\frac{\partial L}{\partial b_h} &= \sum_{t=0}^{T-1} \mathbf 1^{\mathsf T} \delta_t",
    r"\frac{\partial L}{\partial W} &= h_{T-1}^{\mathsf T} \bar y",
    r"\frac{\partial L}{\partial b_o} &= \mathbf 1^{\mathsf T} \bar y",
)

READ_OUT_STEP = block(
    r"a_t &= x_t U + h_{t-1} V + b_h \qquad (t = 0, \dots, T-1)",
    r"h_t &= \tanh a_t \qquad (t = 0, \dots, T-1)",
    r"a_{y,t} &= h_t W + b_o \qquad (t = 0, \dots, T-1)",
    r"y_t &= \sigma(a_{y,t}) \qquad (t = 0, \dots, T-1)",
    r"s &= \sum_{t=0}^{T-1} y_t \mathbf 1",
    r"[6pt]\bar y_t &= \mathbf 1^{\mathsf T} \qquad (t = T-1, \dots, 0)",
    r"\delta_{y,t} &= \bar y_t \odot y_t \odot (1 - y_t) \qquad (t = T-1, \dots, 0)",
    r"\bar h_{T-1} &= \delta_{y,T-1} W^{\mathsf T}",
    r"\bar h_t &= \delta_{t+1} V^{\mathsf T} + \delta_{y,t} W^{\mathsf T} \qquad (t = T-2, \dots, 0)",
    r"\delta_t &= \bar h_t \odot (1 - h_t \odot h_t) \qquad (t = T-1, \dots, 0)",
    r"\frac{\partial s}{\partial V} &= \sum_{t=0}^{T-1} h_{t-1}^{\mathsf T} \delta_t",
    r"\frac{\partial s}{\partial h_{-1}} &= \delta_0 V^{\mathsf T}",
)

BACKWARDS_STEP = block(
    r"h_T &= 0",
    r"a_t &= x_t U + h_{t+1} V + b_h \qquad (t = T-1, \dots, 0)",
    r"h_t &= \mathrm{relu}(a_t) \qquad (t = T-1, \dots, 0)",
    r"y &= h_0 W + b_o",
    r"[6pt]\bar y &= 1",
    r"\bar h_0 &= \bar y W^{\mathsf T}",
    r"\bar h_t &= \delta_{t-1} V^{\mathsf T} \qquad (t = 1, \dots, T-1)",
    r"\delta_t &= \bar h_t \odot \mathrm{relu}'(a_t) \qquad (t = 0, \dots, T-1)",
    r"\frac{\partial y}{\partial V} &= \sum_{t=0}^{T-2} h_{t+1}^{\mathsf T} \delta_t",
)

SCALAR_ENTRIES = block(
    r"a_{0,0} &= U_{0,0} x_{0,0} + U_{1,0} x_{0,1} + b_{h,0}",
    r"a_{0,1} &= U_{0,1} x_{0,0} + U_{1,1} x_{0,1} + b_{h,1}",
    r"h_{0,0} &= \tanh a_{0,0}",
    r"h_{0,1} &= \tanh a_{0,1}",
    r"a_{1,0} &= U_{0,0} x_{1,0} + U_{1,0} x_{1,1} + V_{0,0} h_{0,0} + V_{1,0} h_{0,1} + b_{h,0}",
    r"a_{1,1} &= U_{0,1} x_{1,0} + U_{1,1} x_{1,1} + V_{0,1} h_{0,0} + V_{1,1} h_{0,1} + b_{h,1}",
    r"h_{1,0} &= \tanh a_{1,0}",
    r"h_{1,1} &= \tanh a_{1,1}",
    r"y_0 &= W_{0,0} h_{1,0} + W_{1,0} h_{1,1} + b_{o,0}",
    r"y_1 &= W_{0,1} h_{1,0} + W_{1,1} h_{1,1} + b_{o,1}",
)

EXACT = [
    *((symrnn.derive(NOTEBOOK), zoom, {}, expected) for zoom, expected in FORWARD.items()),
    (symrnn.derive(NOTEBOOK).gradient(), "unrolled", {}, GRADIENT_UNROLLED),
    (symrnn.derive(NOTEBOOK).gradient(), "scalar", {}, GRADIENT_UNROLLED),
    (symrnn.derive(MATRIX), "scalar", {}, SCALAR_ENTRIES),
    (symrnn.derive(MATRIX).gradient(), "step", {}, GRADIENT_STEP),
    (symrnn.derive(MATRIX).gradient("mse"), "step", {"samples": "N"}, GRADIENT_BATCH),
    (symrnn.derive(READ_OUT).gradient(wrt=["V", "h_init"]), "step", {}, READ_OUT_STEP),
    (symrnn.derive(BACKWARDS).gradient(wrt=["V"]), "step", {}, BACKWARDS_STEP),
]


@pytest.mark.parametrize(("derivation", "zoom", "options", "expected"), EXACT)
def test_latex(derivation, zoom, options, expected):
    assert derivation.latex(zoom, **options) == expected


UP, DOWN = r" \qquad (t = 0, \dots, T-1)", r" \qquad (t = T-1, \dots, 0)"
ADJOINTS = {
    "LSTM": (
        [LSTM(2), Dense(1)],
        None,
        r"\bar y &= 1",
        r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
        r"\bar h_t &= \delta_{i,t+1} V_i^{\mathsf T} + \delta_{f,t+1} V_f^{\mathsf T} + \delta_{c,t+1} V_c^{\mathsf T} "
        r"+ \delta_{o,t+1} V_o^{\mathsf T} \qquad (t = T-2, \dots, 0)",
        r"\bar c_{T-1} &= \bar h_{T-1} \odot o_{T-1} \odot (1 - q_{T-1} \odot q_{T-1})",
        r"\bar c_t &= \bar c_{t+1} \odot f_{t+1} + \bar h_t \odot o_t \odot (1 - q_t \odot q_t) "
        r"\qquad (t = T-2, \dots, 0)",
        r"\delta_{o,t} &= \bar h_t \odot q_t \odot o_t \odot (1 - o_t) <",
        r"\delta_{c,t} &= \bar c_t \odot i_t \odot (1 - k_t \odot k_t) <",
        r"\delta_{f,t} &= \bar c_t \odot c_{t-1} \odot f_t \odot (1 - f_t) <",
        r"\delta_{i,t} &= \bar c_t \odot k_t \odot i_t \odot (1 - i_t) <",
        r"\frac{\partial y}{\partial U_g} &= \sum_{t=0}^{T-1} x_t^{\mathsf T} \delta_{g,t} \qquad (g = i, f, c, o)",
        r"\frac{\partial y}{\partial V_g} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \delta_{g,t} \qquad (g = i, f, c, o)",
        r"\frac{\partial y}{\partial b_{hg}} &= \sum_{t=0}^{T-1} \delta_{g,t} \qquad (g = i, f, c, o)",
        r"\frac{\partial y}{\partial W} &= h_{T-1}^{\mathsf T} \bar y",
        r"\frac{\partial y}{\partial b_o} &= \bar y",
    ),
    "GRU": (
        [GRU(2), Dense(1)],
        None,
        r"\bar y &= 1",
        r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
        r"\bar h_t &= \delta_{z,t+1} V_z^{\mathsf T} + \delta_{r,t+1} V_r^{\mathsf T} + \bar p_{t+1} V_h^{\mathsf T} "
        r"+ \bar h_{t+1} \odot z_{t+1} \qquad (t = T-2, \dots, 0)",
        r"\delta_{h,t} &= \bar h_t \odot (1 - z_t) \odot (1 - k_t \odot k_t) <",
        r"\bar p_t &= \delta_{h,t} \odot r_t <",
        r"\delta_{r,t} &= \delta_{h,t} \odot p_t \odot r_t \odot (1 - r_t) <",
        r"\delta_{z,t} &= \bar h_t \odot (h_{t-1} - k_t) \odot z_t \odot (1 - z_t) <",
        r"\frac{\partial y}{\partial U_g} &= \sum_{t=0}^{T-1} x_t^{\mathsf T} \delta_{g,t} \qquad (g = z, r, h)",
        r"\frac{\partial y}{\partial V_g} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \delta_{g,t} \qquad (g = z, r)",
        r"\frac{\partial y}{\partial V_h} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \bar p_t",
        r"\frac{\partial y}{\partial b_{hg}} &= \sum_{t=0}^{T-1} \delta_{g,t} \qquad (g = z, r, h)",
        r"\frac{\partial y}{\partial b_{Vg}} &= \sum_{t=0}^{T-1} \delta_{g,t} \qquad (g = z, r)",
        r"\frac{\partial y}{\partial b_{Vh}} &= \sum_{t=0}^{T-1} \bar p_t",
        r"\frac{\partial y}{\partial W} &= h_{T-1}^{\mathsf T} \bar y",
        r"\frac{\partial y}{\partial b_o} &= \bar y",
    ),
    "GRU with reset before": (
        [GRU(2, reset_after=False, use_bias=False), Dense(1)],
        ["V_h"],
        r"\bar y &= 1",
        r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
        r"\bar h_t &= \delta_{z,t+1} V_z^{\mathsf T} + \delta_{r,t+1} V_r^{\mathsf T} "
        r"+ (\delta_{h,t+1} V_h^{\mathsf T}) \odot r_{t+1}",
        r"    &\qquad {} + \bar h_{t+1} \odot z_{t+1} \qquad (t = T-2, \dots, 0)",
        r"\delta_{h,t} &= \bar h_t \odot (1 - z_t) \odot (1 - k_t \odot k_t) <",
        r"\delta_{r,t} &= (\delta_{h,t} V_h^{\mathsf T}) \odot h_{t-1} \odot r_t \odot (1 - r_t) <",
        r"\delta_{z,t} &= \bar h_t \odot (h_{t-1} - k_t) \odot z_t \odot (1 - z_t) <",
        r"\frac{\partial y}{\partial V_h} &= \sum_{t=1}^{T-1} (r_t \odot h_{t-1})^{\mathsf T} \delta_{h,t}",
    ),
    "masked": (
        [Masking(), SimpleRNN(2), Dense(1)],
        ["V"],
        r"\bar y &= 1",
        r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
        r"\bar h_t &= \delta_{t+1} V^{\mathsf T} + (1 - m_{t+1}) \bar h_{t+1} \qquad (t = T-2, \dots, 0)",
        r"\delta_t &= m_t \bar h_t \odot (1 - \tilde h_t \odot \tilde h_t) <",
        r"\frac{\partial y}{\partial V} &= \sum_{t=1}^{T-1} h_{t-1}^{\mathsf T} \delta_t",
    ),
    "both ways": (
        [Bidirectional(SimpleRNN(2)), Dense(1)],
        ["Vbw"],
        r"\bar y &= 1",
        r"\bar h &= \bar y W^{\mathsf T}",
        r"\bar h_0^{\leftarrow} &= \bar h[2{:}4]",
        r"\bar h_t^{\leftarrow} &= \delta_{t-1}^{\leftarrow} (V^{\leftarrow})^{\mathsf T} \qquad (t = 1, \dots, T-1)",
        r"\delta_t^{\leftarrow} &= \bar h_t^{\leftarrow} \odot (1 - h_t^{\leftarrow} \odot h_t^{\leftarrow}) >",
        r"\frac{\partial y}{\partial V^{\leftarrow}} "
        r"&= \sum_{t=0}^{T-2} (h_{t+1}^{\leftarrow})^{\mathsf T} \delta_t^{\leftarrow}",
    ),
    "Flatten": (
        [SimpleRNN(2, return_sequences=True), Flatten(), Dense(1)],
        ["h"],
        r"\bar y &= 1",
        r"\bar g &= \bar y W^{\mathsf T}",
        r"\bar u_t &= \bar g[2t{:}2t+2] >",
        r"\bar h_{T-1} &= \bar u_{T-1}",
        r"\bar h_t &= \delta_{t+1} V^{\mathsf T} + \bar u_t \qquad (t = T-2, \dots, 0)",
        r"\delta_t &= \bar h_t \odot (1 - h_t \odot h_t) <",
    ),
    "maximum": (
        [SimpleRNN(2, return_sequences=True), GlobalMaxPooling1D(), Dense(1)],
        ["h"],
        r"\bar y &= 1",
        r"\bar g &= \bar y W^{\mathsf T}",
        r"\bar h_{T-1} &= n_{T-1} \odot \frac{\bar g}{n_{sum}}",
        r"\bar h_t &= \delta_{t+1} V^{\mathsf T} + n_t \odot \frac{\bar g}{n_{sum}} \qquad (t = T-2, \dots, 0)",
        r"\delta_t &= \bar h_t \odot (1 - h_t \odot h_t) <",
    ),
    "Embedding": (
        [Embedding(4, 2), SimpleRNN(2, None), Dense(1)],
        ["E"],
        r"\bar y &= 1",
        r"\bar h_{T-1} &= \bar y W^{\mathsf T}",
        r"\bar h_t &= \bar h_{t+1} V^{\mathsf T} \qquad (t = T-2, \dots, 0)",
        r"\bar e_t &= \bar h_t U^{\mathsf T} <",
        r"\frac{\partial y}{\partial E} &= \sum_{t=0}^{T-1} \mathrm{onehot}(x_t)^{\mathsf T} \bar e_t",
    ),
}


@pytest.mark.parametrize(("layers", "wrt", "lines"), [(v[0], v[1], v[2:]) for v in ADJOINTS.values()], ids=ADJOINTS)
def test_adjoints_in_latex(layers, wrt, lines):
    shape = (3,) if isinstance(layers[0], Embedding) else (3, 2)
    text = symrnn.derive(Sequential(layers, shape)).gradient(wrt=wrt).latex("step")
    adjoints = text.removesuffix("\n\\end{align*}").partition("\\\\[6pt]\n")[2]
    expected = [line.replace(" >", UP).replace(" <", DOWN) for line in lines]
    assert re.sub(r" \\\\(\[3pt\])?\n", "\n", adjoints).split("\n") == expected


def test_closed_gradient_is_broken_before_terms_and_factors():
    text = symrnn.derive(Sequential([SimpleRNN(1), Dense(1)], (2, 1))).gradient(wrt=["U"]).latex("closed")
    assert text == block(
        r"\frac{\partial y}{\partial U} &= V W x_0 (1 - \tanh^2(U x_0 + b_h))",
        r"    &\qquad \times (1 - \tanh^2(U x_1 + V \tanh(U x_0 + b_h) + b_h))",
        r"    &\qquad {} + W x_1 (1 - \tanh^2(U x_1 + V \tanh(U x_0 + b_h) + b_h))",
    )


def test_closed_form_of_1000_steps():
    text = symrnn.derive(NOTEBOOK.__class__(NOTEBOOK.layers, (1000, 1))).latex("closed")
    assert text.count(r"\tanh(") == 1000
    assert r"V \tanh(U x_0 + b_h) + b_h)" in text
    assert text.count("(") == text.count(")") == 1000


def test_text_is_aligned_in_columns():
    lines = symrnn.derive().gradient().text().splitlines()
    assert {columns_taken(line.split(" = ")[0]) for line in lines if " = " in line} == {7}
    assert "h\N{COMBINING MACRON}_2 = \N{LATIN SMALL LETTER Y WITH MACRON} W" in "\n".join(lines)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("zoom", ["step", "unrolled"])
def test_no_name_of_code_is_printed(name, zoom):
    """Every symbol has a LaTeX form of its own; none falls back to an identifier or to SymPy's text."""
    text = symrnn.derive(MODELS[name].model).gradient().latex(zoom)
    assert not re.search(r"prev|next|carry|init|last|Elementwise|Matrix|_slope|[^n]\*|\bd[a-zA-Z]_", text)
    assert not re.search(r"_[^{}\\ ]_|\^[^{}\\ ]\^", text)


@needs_latex
def test_every_block_compiles(tmp_path):
    """All zooms of the bank; and no overfull box in the notebook's model or in the step zoom of any."""
    notebook = symrnn.derive()
    blocks = {f"notebook {zoom}": notebook.latex(zoom) for zoom in ZOOMS}
    blocks |= {f"notebook gradient {zoom}": notebook.gradient().latex(zoom) for zoom in ZOOMS}
    blocks |= {f"notebook loss {zoom}": notebook.gradient("mse").latex(zoom) for zoom in ("step", "unrolled")}
    others = {}
    for name, case in MODELS.items():
        derivation = case.derivation
        for loss in (None, "huber", "categorical_crossentropy", *(["binary_crossentropy"] if name in SIMPLE else [])):
            blocks[f"{name} {loss}"] = derivation.gradient(loss, _inputs(derivation)).latex("step", samples="N")
        others[f"{name} unrolled"] = derivation.gradient().latex()
        others[f"{name} scalar"] = derivation.latex("scalar")
    wide = _overfull(tmp_path, blocks | others)
    assert {name for name in wide if not name.startswith("masked Multiply")} == set()  # ⊙ is no place to break


def _inputs(derivation):
    return [*(part.symbol for part in (*derivation.table, *derivation.network.sources))]


def _overfull(folder, blocks):
    """Compile the blocks in one document and return the names of those with an overfull box."""
    body = "\n".join(f"\\message{{^^J@{name}@^^J}}\n{text}\n" for name, text in blocks.items())
    head = "\\documentclass{article}\\usepackage{amsmath}\\allowdisplaybreaks"
    (folder / "blocks.tex").write_text(f"{head}\\begin{{document}}\n{body}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "blocks.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    parts = re.split(r"@([^@\n]+)@", run.stdout)
    return {name for name, log in zip(parts[1::2], parts[2::2], strict=True) if "Overfull" in log}


def test_limits_of_the_closed_form():
    wide = symrnn.derive(Sequential([SimpleRNN(8), Dense(1)], (12, 8)))
    message = r"^closed form: expected at most 2000000 characters, got about 10\^\d+ operations; take zoom 'unrolled'$"
    with pytest.raises(ValueError, match=message):
        wide.latex("closed")
