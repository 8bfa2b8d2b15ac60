"""Pages with the directive `symrnn`, built by Sphinx for HTML, LaTeX and other builders."""

import os
import re
import subprocess
from xml.etree import ElementTree

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("latex2mathml")

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

import symrnn
from symrnn.documents.blocks import Formulas, Section
from symrnn.documents.document import Document
from symrnn.sphinxext import options
from symrnn.typesetting.layout import DisplayRow
from tests.support.tex import needs

CONF = """
project = "pages"
extensions = ["symrnn.sphinxext.directive"{more}]
html_math_renderer = "symrnn"
html_theme = "basic"
latex_documents = [("index", "pages.tex", "pages", "author", "howto")]
"""


def build(folder, builder="html", out=None, **pages):
    """The pages built with warnings as errors: the folder with what came out."""
    pytest.importorskip("myst_parser")
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text(CONF.format(more=', "myst_parser"'))
    for name, text in pages.items():
        (source / name.replace("_", ".")).write_text(text)
    out = folder / (out or builder)
    with docutils_namespace(), patch_docutils(str(source)):
        app = Sphinx(source, source, out, folder / "trees", builder, status=None, warning=None, warningiserror=True)
        app.build()
    assert app.statuscode == 0
    return out


def text_of(page):
    """The main part of a page of HTML, parsed, so that malformed MathML and SVG are noticed."""
    html = page.read_text(encoding="utf-8")
    return html[html.index('<div class="body"') : html.index('<div class="sphinxsidebar"')]


RST = """
Title
=====

.. symrnn::
   :label: forward

As :eq:`forward` says, :math:`h_t` depends on :math:`h_{t-1}`.
"""
MYST = """# Title

```{symrnn}
:label: forward
```

As {eq}`forward` says, {math}`h_t` depends on {math}`h_{t-1}`.
"""


@pytest.mark.parametrize("page", [{"index_rst": RST}, {"index_md": MYST}], ids=["rst", "myst"])
def test_a_page_in_html(tmp_path, page):
    html = text_of(build(tmp_path, **page) / "index.html")
    formulas = [ElementTree.fromstring(found) for found in re.findall(r"<math.*?</math>", html, re.DOTALL)]
    assert [formula.get("display") for formula in formulas] == ["block", None, None]
    assert '<span class="eqno">(1)<a class="headerlink" href="#equation-forward"' in html
    assert re.search(r'As <a class="reference internal" href="#equation-forward">\(1\)</a> says', html)
    assert html.count('id="equation-forward"') == 1


@pytest.mark.parametrize("page", [{"index_rst": RST}, {"index_md": MYST}], ids=["rst", "myst"])
def test_a_page_in_latex(tmp_path, page):
    latex = (build(tmp_path, "latex", **page) / "pages.tex").read_text()
    body = symrnn.derive().latex().replace("{align*}", "{alignedat}").replace("}", "}{1}", 1)
    head = r"\begin{equation}\label{equation:index:forward}"
    assert "\n".join([head, rf"\begin{{split}}{body}\end{{split}}", r"\end{equation}"]) in latex
    assert r"As \eqref{equation:index:forward} says" in latex


def test_no_script_and_no_network_in_a_page(tmp_path):
    html = (build(tmp_path, index_rst=RST) / "index.html").read_text()
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!www\.sphinx-doc\.org|github\.com/bitprophet)[^"]*"', html) == []
    assert "mathjax" not in html.lower()


PICTURE = """
Title
=====

.. symrnn::
   :show: picture
   :caption: The state :math:`h_t`
"""


def test_a_picture_is_svg_in_html_and_its_description_elsewhere(tmp_path):
    picture = symrnn.derive().picture()
    html = (build(tmp_path, index_rst=PICTURE) / "index.html").read_text(encoding="utf-8")
    assert picture.svg() in html
    assert re.search(r"<figcaption>.*The state <span class=\"math", html, re.DOTALL)
    text = (build(tmp_path, "text") / "index.txt").read_text(encoding="utf-8")
    assert " ".join(picture.alt.split()) in " ".join(text.split())


@needs("tgheros", "fncychap", "framed", "accsupp", "tikz")
def test_a_page_compiles(tmp_path):
    page = PICTURE + ".. symrnn::\n   :layer: LSTM\n   :units: 2\n   :show: step\n   :gradient:\n   :label: all\n"
    out = build(tmp_path, "latex", index_rst=page)
    assert symrnn.derive().picture().tikz(alt=True) in (out / "pages.tex").read_text()
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "pages.tex"]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-1500:]
    assert "Overfull" not in run.stdout


def test_several_displays_have_several_numbers(tmp_path):
    page = "T\n=\n\n.. symrnn::\n   :show: step, unrolled\n   :label: a\n\n:eq:`a` and :eq:`a-2`\n"
    html = text_of(build(tmp_path, index_rst=page) / "index.html")
    assert re.findall(r'class="eqno">\((\d)\)', html) == ["1", "2"]


def test_a_row_with_a_tag_is_referred_to_by_it(tmp_path, monkeypatch):
    rows = Formulas((DisplayRow(("a", "= b"), "F1"), DisplayRow(("c", "= d"), "F2")))
    document = Document("", (), (), (Section("tagged", "Tagged", (rows, Formulas((DisplayRow(("e",)),)))),))
    monkeypatch.setattr(options, "_document", lambda *arguments: document)
    page = "T\n=\n\n.. symrnn::\n   :show: tagged\n   :label: a\n\n:eq:`a-F2`.\n"
    html = text_of(build(tmp_path, index_rst=page) / "index.html")
    assert '<a class="reference internal" href="#equation-a-f2">(F2)</a>.' in html
    assert [html.count(f'id="equation-a{name}"') for name in ("-f1", "-f2", "")] == [1, 1, 0]
    latex = (build(tmp_path, "latex") / "pages.tex").read_text()
    assert r"a &= b \tag{F1}\label{equation:index:a-F1} \\" in latex
    assert r"\eqref{equation:index:a-F2}." in latex


def test_a_label_stands_for_one_display(tmp_path):
    page = "Title\n=====\n" + "\n.. symrnn::\n   :label: a\n" * 2
    where = re.escape(str(tmp_path / "source" / "index.rst"))
    with pytest.raises(
        ExtensionError,
        match=rf"^{where}:7: symrnn: :label: expected a name of its own, got 'a', which is in index already$",
    ):
        build(tmp_path, index_rst=page)


def test_a_page_is_built_again_when_its_model_changes(tmp_path):
    keras = pytest.importorskip("keras")
    build(tmp_path, index_rst="Title\n=====\n")
    path = tmp_path / "source" / "some model.keras"

    def save(units):
        keras.Sequential([keras.Input((3, 1)), keras.layers.SimpleRNN(units), keras.layers.Dense(1)]).save(path)

    page = "Title\n=====\n\n.. symrnn:: some model.keras\n   :show: step\n"
    save(1)
    assert "h_{t-1} V" not in (build(tmp_path, "latex", index_rst=page) / "pages.tex").read_text()
    save(2)
    os.utime(path, (path.stat().st_atime + 10, path.stat().st_mtime + 10))
    assert "h_{t-1} V" in (build(tmp_path, "latex") / "pages.tex").read_text()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("\n:units: two", ":units: expected a whole number, got 'two'"),
        ("\n:units:", ":units: expected a whole number, got nothing"),
        ("\n:gradient: no", ":gradient: expected no value, got 'no'"),
        ("\n:layer: RNN", ":layer: expected SimpleRNN, LSTM, GRU, got 'RNN'"),
        ("\n:show: picture\n:label: a", ":label: expected equations to number, got none"),
        ("\n:caption: a", ":caption: expected a picture to describe, got none"),
        (" none.keras", "no such file: none.keras"),
        ("\n:units: 2\n\nx = 1", "expected options alone, got the text 'x = 1'"),
        (
            "\n:unit: 2",
            "unknown option 'unit'; known: timesteps, layer, units, features, outputs, activation, "
            "loss, gradient, show, x, y_true, label, caption",
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["rst", "md"])
def test_a_wrong_option_ends_the_build_with_file_and_line(tmp_path, lines, message, suffix):
    if suffix == "rst":
        page = "Title\n=====\n\n.. symrnn::" + lines.replace("\n", "\n   ") + "\n"
        place = "index.rst:4"
    else:
        page = "# Title\n\n```{symrnn}" + lines + "\n```\n"
        place = "index.md:3"
    where = re.escape(f"{tmp_path / 'source' / place}: symrnn: {message}")
    with pytest.raises(ExtensionError, match=f"^{where}$"):
        build(tmp_path, **{f"index_{suffix}": page})
