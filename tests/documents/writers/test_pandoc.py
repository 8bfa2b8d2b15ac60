"""Documents by pandoc: reStructuredText that docutils reads, and files of a word processor."""

import io
import re
import sys
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest

import symrnn
from symrnn import GRU, LSTM, Bidirectional, Dense, Sequential
from symrnn.documents.blocks import Equations, Figure, Formulas, NumberedStep, Paragraph, Section, Table, Verbatim
from symrnn.documents.document import Document
from symrnn.documents.inline import Code, prose
from symrnn.documents.writers import pandoc
from symrnn.documents.writers.pandoc import article_docx, article_rst
from symrnn.typesetting.layout import DisplayRow

pytest.importorskip("pypandoc")
ODD = "*a* _b_ `c` |d| <e>& $f$ \\g ../h"
WORD = {
    "w": "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "m": "{http://schemas.openxmlformats.org/officeDocument/2006/math}",
}


def document(*blocks, title="A model"):
    return Document(title, prose("of $T$ steps"), prose("The answer is $y = 2$."), (Section("a", "First", blocks),))


def every_block():
    d = symrnn.derive()
    table = Table(
        ("layer", "symbol", "value"),
        ((ODD, d.table[0].name, "-1.0e-5"), (prose("$h_t$"), "x", "2"), ("sum", "", "3")),
        right=(2,),
        note=prose("Parameters: $5$."),
        totals=1,
    )
    rows = Formulas(
        (DisplayRow((r"\delta_t", r"= \bar h_t \odot (1 - h_t \odot h_t)"), "(B1)"), DisplayRow(("", "= 2"), "", 3))
    )
    step = NumberedStep(3, prose("Back through $h_2$"), prose("by R1"), rows, prose("it is there"))
    code = Code("a``b|*")
    return (
        Paragraph((code, f" {ODD}"), ODD),
        table,
        Equations(d.display()),
        step,
        Figure(d.picture(), prose("as $h_t$ is")),
        Verbatim(ODD),
    )


def bank():
    stacked = Sequential([LSTM(2, return_sequences=True), Bidirectional(GRU(2)), Dense(2, "softmax")], (3, 2))
    gradient = symrnn.derive(stacked).gradient("categorical_crossentropy")
    small = symrnn.derive().gradient("mse")
    return (
        *(Equations(gradient.display(zoom, samples="N")) for zoom in ("step", "unrolled")),
        *(Equations(small.display(zoom)) for zoom in ("step", "unrolled", "closed")),
    )


def text_of(node):
    return "".join(part.text or "" for part in node.iter() if part.tag in (f"{WORD['w']}t", f"{WORD['m']}t"))


# reStructuredText -------------------------------------------------------------------------------


def read(text):
    core = pytest.importorskip("docutils.core")
    settings = {"report_level": 1, "halt_level": 1, "raw_enabled": True, "file_insertion_enabled": False}
    return core.publish_doctree(text, settings_overrides=settings)


def test_rst_is_what_docutils_reads():
    tree = read(article_rst(document(*every_block(), title=ODD)))
    nodes = pytest.importorskip("docutils.nodes")
    assert tree["title"] == ODD
    assert [node.astext() for node in tree.findall(nodes.subtitle)] == ["of T steps"]
    assert [node.astext() for node in tree.findall(nodes.literal)] == ["a``b|*"]
    assert [node.astext() for node in tree.findall(nodes.literal_block)] == [ODD]
    assert [node.astext() for node in tree.findall(nodes.entry)] == [
        *("layer", "symbol", "value"),
        *(ODD, "U", "-1.0e-5"),
        *("h_t", "x", "2"),
        *("sum", "", "3"),
    ]
    assert f"{ODD} a``b|* {ODD}" in [node.astext() for node in tree.findall(nodes.paragraph)]
    assert "Step 3. Back through h_2 (by R1)" in [node.astext() for node in tree.findall(nodes.paragraph)]
    assert "as h_t is" in [node.astext() for node in tree.findall(nodes.paragraph)]
    assert "Why: it is there" in [node.astext() for node in tree.findall(nodes.paragraph)]


def test_rst_has_displays_and_pictures():
    tree = read(article_rst(document(*every_block())))
    nodes = pytest.importorskip("docutils.nodes")
    blocks = [node.astext() for node in tree.findall(nodes.math_block)]
    assert blocks[1] == (
        "\\begin{aligned}\n\\delta_t &= \\bar h_t \\odot (1 - h_t \\odot h_t) \\qquad \\text{(B1)} \\\\\n"
        "    &= 2\n\\end{aligned}"
    )
    (raw,) = tree.findall(nodes.raw)
    assert raw["format"] == "html"
    picture = symrnn.derive().picture()
    desc = ElementTree.fromstring(raw.astext()).find("{http://www.w3.org/2000/svg}desc")
    assert desc.text == picture.alt


@pytest.mark.parametrize(
    "blocks",
    [
        (),
        (Formulas(()),),
        (Table(("a",), ()),),
        (Table(("a", "b"), (), note=("none",)),),
        (Paragraph(()),),
        (Verbatim(""),),
    ],
)
def test_what_is_empty_is_written(blocks):
    assert "First" in read(article_rst(document(*blocks))).astext()
    assert "First" in text_of(word(document(*blocks)))


# word processors --------------------------------------------------------------------------------


def files(made):
    return zipfile.ZipFile(io.BytesIO(made))


def word(made):
    return ElementTree.fromstring(files(article_docx(made)).read("word/document.xml"))


def test_docx_has_formulas_tables_and_pictures():
    made = document(*every_block(), title=ODD)
    body = word(made)
    assert len(list(body.iter(f"{WORD['w']}tbl"))) == 1
    assert len(list(body.iter(f"{WORD['m']}oMathPara"))) == 2
    (described,) = body.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
    assert described.get("descr") == symrnn.derive().picture().alt
    texts = [text_of(paragraph) for paragraph in body.iter(f"{WORD['w']}p")]
    assert texts[0] == ODD
    assert f"{ODD} a``b|* {ODD}" in texts
    assert texts.count(ODD) == 3
    assert "as ht is" in texts
    assert "−1.0e−5" in texts
    assert "(B1)" in text_of(body)
    assert any(name.endswith(".svg") for name in files(article_docx(made)).namelist())


def test_docx_is_the_same_each_time_and_names_no_folder():
    made = document(*every_block())
    assert article_docx(made) == article_docx(made)
    whole = b"".join(files(article_docx(made)).read(name) for name in files(article_docx(made)).namelist())
    assert b"symrnn-" not in whole


def test_every_formula_of_the_bank_becomes_one_of_word():
    body = word(document(*bank()))
    texts = [text_of(node) for node in body.iter(f"{WORD['w']}t")]
    assert len(list(body.iter(f"{WORD['m']}oMathPara"))) > len(bank())
    assert not [text for text in texts if "\\" in text or "$" in text]


def test_long_displays_are_cut_between_formulas():
    rows = tuple(DisplayRow(("" if i % 3 else "a", f"= {i}")) for i in range(60))
    parts = pandoc._parts(rows, 16)
    assert [len(part) for part in parts] == [18, 18, 18, 6]
    assert [row for part in parts for row in part] == list(rows)
    assert all(not part[0].continues for part in parts)


def test_commands_for_the_page_are_left_out():
    rows = (DisplayRow((r"\underbrace{x}_{\mathclap{B \times n}}", r"= \mathstrut 1 \notag")),)
    assert pandoc._aligned(rows) == ("\\begin{aligned}\n\\underbrace{x}_{{B \\times n}} &= 1 \n\\end{aligned}")
    assert "\\" not in text_of(word(document(Formulas(rows))))


def test_formulas_are_what_docutils_can_turn_into_mathml():
    mathml = pytest.importorskip("docutils.utils.math.latex2mathml")
    nodes = pytest.importorskip("docutils.nodes")
    text = article_rst(document(*every_block(), *bank(), Paragraph(prose(r"a $^{\mathsf T}$ for $t = 0, \dots, T-1$"))))
    tree = read(text)
    found = [*tree.findall(nodes.math), *tree.findall(nodes.math_block)]
    assert len(found) > len(bank())
    for node in found:
        assert mathml.tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block))


# errors -----------------------------------------------------------------------------------------


def test_other_blocks_are_refused():
    @dataclass(frozen=True)
    class Film:
        pass

    with pytest.raises(NotImplementedError, match=r"^pandoc: no rule for Film$"):
        article_rst(document(Film()))
    with pytest.raises(NotImplementedError, match=r"^pandoc: no rule for Film$"):
        article_rst(document(Paragraph((Film(),))))


def test_a_missing_pypandoc_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypandoc", None)
    reason = "import of pypandoc halted; None in sys.modules"
    message = f".rst and .docx need pandoc ({reason}); pip install 'symrnn[docs]' installs it"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        article_rst(document())


def test_a_slow_pandoc_is_ended(monkeypatch):
    monkeypatch.setattr(pandoc, "_SECONDS", 0)
    with pytest.raises(TimeoutError, match=r"^pandoc: took longer than 0 seconds$"):
        article_rst(document())


def test_what_pandoc_refuses_is_one_line(monkeypatch):
    monkeypatch.setattr(pandoc, "_API", (0, 1))
    with pytest.raises(ValueError, match=r"^pandoc: [^\n]*$"):
        article_rst(document())
