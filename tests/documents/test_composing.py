"""Documents: what is in them, and how they are written."""

import re
import shutil
import sys
from urllib.parse import unquote

import numpy as np
import pytest
from sympy import Eq, MatrixSymbol, tanh

from symrnn import RNN, Dense, Sequential, SimpleRNN, derive
from symrnn.documents import composing
from symrnn.documents.blocks import Paragraph, Section
from symrnn.documents.document import Document
from symrnn.documents.sections.table import SECTIONS
from symrnn.documents.writers import files, table, text
from symrnn.models.custom_cell import Cell
from tests.support.bank import LAYERS
from tests.support.tex import needs_documents

NAMES = [name for name in SECTIONS if name != "check"]


# derivations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", composing.FORMATS)
def test_every_format_has_every_section(form):
    parts = composing.derived(derive(), "unrolled", gradient=True)
    text = composing.FORMATS[form]([*parts, Section("notes", "Notes", (Paragraph(("as it is",)),))])
    for title in ("Model", "Forward equations", "Backpropagation through time", "Notes", "as it is"):
        assert title in text
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("zoom", "gradient", "titles"),
    [
        ("unrolled", False, ["Model", "Forward equations"]),
        ("closed", False, ["Model", "Closed form"]),
        ("step", True, ["Model", "Forward equations", "Backpropagation through time"]),
        ("closed", True, ["Model", "Gradients in closed form"]),
    ],
)
def test_derived(zoom, gradient, titles):
    assert [part.title for part in composing.derived(derive(), zoom, gradient)] == titles


# what is in them ----------------------------------------------------------------------------------


def test_the_notebook():
    made = derive().document(check=False)
    assert [section.name for section in made.sections] == NAMES
    assert made.title == "Backpropagation through time"
    assert text.prose_text(made.subtitle) == "SimpleRNN(1) and Dense(1) on 3 time steps"
    assert text.prose_text(made.summary).startswith(r"For x = (1, 2, 3) this network answers y \approx 0.5746256. ")
    assert made["worked"].title == "Worked example"


def test_sections_are_chosen_in_their_order():
    made = derive().document(["letters", "model", "letters"], title="Letters")
    assert [section.name for section in made.sections] == ["letters", "model"]
    assert made.title == "Letters"
    assert [section.name for section in derive().document("worked").sections] == ["worked"]


def test_what_a_document_was_made_from_is_what_was_given():
    weights = [np.ones((1, 1))]
    options = composing.DocumentOptions(sections=["model"], weights=weights, check=False, title="T")
    assert list(options.given) == ["weights", "check", "title", "sections"]
    assert composing.DocumentOptions().given == composing.DocumentOptions(seed=0).given == {}
    made = derive().document(iter(["letters", "model"]), seed=3, check=False)
    assert made.origin.arguments == {"check": False, "seed": 3, "sections": ["letters", "model"]}
    assert list(made.origin.numbers) == ["x", "weights"]


MISTAKES = [
    (
        {"sections": ["model", "proof"]},
        f"sections: expected some of {', '.join(SECTIONS)}, got 'proof'",
    ),
    ({"x": np.ones((2, 3, 1))}, "x: expected one sample, which a document works out, got 2"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=["sections", "x"])
def test_mistakes(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        derive().document(check=False, **options)


def test_a_section_that_is_not_there():
    with pytest.raises(ValueError, match=r"^document: no section 'worked'; it has model, letters$"):
        derive().document(["model", "letters"])["worked"]


def test_a_check_that_is_asked_for_needs_keras(monkeypatch):
    monkeypatch.setattr(composing, "find_spec", lambda name: None)
    assert "check" not in [section.name for section in derive().document().sections]
    with pytest.raises(
        ImportError, match=r"^check needs Keras and TensorFlow; pip install 'symrnn\[keras\]' installs them$"
    ):
        derive().document(["check"])


def test_what_is_named_in_the_summary_is_there():
    for names in (["model"], ["letters"], ["forward", "backward"], ["worked"], ["slips"], NAMES):
        made = derive().document(names, check=False)
        numbers = [
            int(number)
            for number in re.findall(r"ections? (\d+)|to (\d+)", text.prose_text(made.summary))
            for number in number
            if number
        ]
        assert all(1 <= number <= len(names) for number in numbers)


def test_the_same_document_is_made_again():
    model = Sequential([SimpleRNN(2), Dense(2, "softmax")], (3, 2))
    one, again = (derive(model).document(check=False) for _ in range(2))
    assert one == again
    assert one != derive(model).document(check=False, seed=1)


def test_the_check_is_a_table():
    pytest.importorskip("keras")
    told = []
    made = derive().document(["check"], progress=told.append)
    (section,) = made.sections
    table = section.blocks[0]
    assert [row[-1] for row in table.rows] == ["agrees"] * len(table.rows)
    assert len(table.rows) >= 8
    assert told == ["checking against Keras in float32", "checking against Keras in float64"]


def test_keras_cannot_build_a_cell_of_ones_own():
    pytest.importorskip("keras")
    made = derive(LAYERS["a cell of its own"].model).document(["check"])
    assert text.prose_text(made["check"].blocks[0].text).startswith("Keras cannot build this model: ")


# files --------------------------------------------------------------------------------------------

TEXTS = [".tex", ".md", ".html", ".ipynb"]
NASTY = r"<b>&amp; a_b $x$ `c` *d* {\input{x}} | # % ~ ^ é 日本 \end{document}"


@pytest.fixture(scope="module")
def made() -> Document:
    return derive().document(["model", "picture", "forward", "worked"], check=False)


@pytest.mark.parametrize("ending", TEXTS)
def test_files(made, ending, tmp_path):
    if ending == ".html":
        pytest.importorskip("latex2mathml")
    if ending == ".ipynb":
        pytest.importorskip("nbformat")
    place = tmp_path / f"a{ending}"
    made.save(place)
    text = place.read_text(encoding="utf-8")
    assert made.title in text
    again = tmp_path / f"b{ending}"
    made.save(str(again))
    assert again.read_text(encoding="utf-8").replace("b-", "a-") == text
    beside = {".md": ["a-1.svg", "a-2.svg"]}.get(ending, [])
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("a")) == sorted(
        [*beside, place.name]
    )


@needs_documents
def test_a_pdf(made, tmp_path):
    told = []
    table.save(made, tmp_path / "a.PDF", told.append)
    assert (tmp_path / "a.PDF").read_bytes().startswith(b"%PDF")
    assert told[0] == "pdflatex: pass 1"


def test_pictures_beside_markdown_are_found(made, tmp_path):
    made.save(tmp_path / "a (b) #1 c.md")
    text = (tmp_path / "a (b) #1 c.md").read_text(encoding="utf-8")
    addresses = re.findall(r"^!\[.*\]\((\S+)\)$", text, re.MULTILINE)
    assert [unquote(address) for address in addresses] == ["a (b) #1 c-1.svg", "a (b) #1 c-2.svg"]
    assert all(not set(address) & set("()# ") for address in addresses)
    assert all((tmp_path / unquote(address)).is_file() for address in addresses)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.doc", "a.doc: expected a name that ends in one of .tex .pdf .md .html .ipynb .rst .docx, got .doc"),
        ("a", "a: expected a name that ends in one of .tex .pdf .md .html .ipynb .rst .docx, got none"),
    ],
)
def test_another_ending(made, name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        made.save(name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_not_there(made, tmp_path):
    for place in (tmp_path / "no" / "a.tex", tmp_path):
        message = f"{place}: expected the name of a file in a folder that exists"
        with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
            made.save(place)


def test_nothing_is_left_where_a_writer_fails(made, tmp_path, monkeypatch):
    monkeypatch.setitem(table.WRITERS, ".tex", lambda *arguments: (_ for _ in ()).throw(ValueError("no")))
    (tmp_path / "a.tex").write_text("old")
    with pytest.raises(ValueError, match=r"^no$"):
        made.save(tmp_path / "a.tex")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_write_leaves_the_old_file_where_it_fails(tmp_path, monkeypatch):
    place = tmp_path / "a.txt"
    files.write(place, "old")
    monkeypatch.setattr(files.os, "replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match=r"^full$"):
        files.write(place, "new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("missing", ["latex2mathml", "nbformat"])
def test_a_missing_library_is_named(made, missing, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    ending = {"latex2mathml": ".html", "nbformat": ".ipynb"}[missing]
    with pytest.raises(ImportError, match=r"pip install 'symrnn\[docs\]'"):
        made.save(tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


# what a user wrote --------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [*TEXTS, ".pdf"])
def test_names_and_titles_are_text(ending, tmp_path):
    if ending == ".pdf" and shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    x, h, before, U = (MatrixSymbol(name, 1, 1) for name in ("x_t", "h_t", "h_prev", "U"))
    cell = Cell([Eq(h, (x * U + before).applyfunc(tanh))], x, {"h": (before, h)}, {"U": (1, 1)}, name=NASTY)
    model = Sequential([RNN(cell, name=NASTY), Dense(1, name=NASTY)], (2, 1))
    made = derive(model).document(title=NASTY, check=False)
    if ending == ".ipynb":
        with pytest.raises(NotImplementedError, match=r"a cell of your own has no code; supported: "):
            made.save(tmp_path / "a.ipynb")
        return
    made.save(tmp_path / f"a{ending}")
    if ending == ".pdf":
        return
    text = (tmp_path / f"a{ending}").read_text(encoding="utf-8")
    code = rf"(`+) .*?{re.escape(NASTY[-20:])}.*? \1" if ending == ".md" else "$^"
    assert "<b>" not in re.sub(code, "", text)
    if ending == ".tex":
        assert text.count(r"\end{document}") == 1
        assert r"\input{x}" not in text
