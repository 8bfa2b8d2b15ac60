"""What a user writes, the title of a document and the name of a cell, is text in every format and runs nowhere."""

import ast
import io
import json
import re
import subprocess
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from sympy import Eq, MatrixSymbol, tanh

import symrnn
from symrnn import RNN, Cell, Dense, Sequential
from symrnn.documents.writers.html import article_html
from symrnn.documents.writers.latex import article_latex
from symrnn.documents.writers.markdown import article_markdown
from symrnn.documents.writers.notebook import article_notebook
from symrnn.documents.writers.pandoc import article_docx, article_rst, pandoc_path
from symrnn.documents.writers.pdf import pdf_of
from tests.support.browser import measure, needs_browser

SCRIPT = "<script>document.title = 'run'</script>"
TEXTS = {
    "script": SCRIPT,
    "end of a title": f"</title></style>{SCRIPT}",
    "end of a picture": f"]]></desc></svg>{SCRIPT}",
    "attribute": '" onload="alert(1)" \'><img src=x onerror=alert(1)>',
    "raw block": f"a\n\n.. raw:: html\n\n   {SCRIPT}\n\nb",
    "fence": f"a\n```\n{SCRIPT}\n```\nb",
    "raw fence": f"a\n\n~~~{{=html}}\n{SCRIPT}\n~~~\n\nb",
    "indented": f"\t{SCRIPT}\n    {SCRIPT}",
    "link": "[click](javascript:alert(1)) ![x](http://a.example/x.png)",
    "address": "<javascript:alert(1)> javascript:alert(1) http://a.example/x www.a.example me@a.example",
    "reference": "[x][y]\n\n[y]: javascript:alert(1)",
    "target": f"`x <javascript:alert(1)>`_ |y|\n\n.. _x: javascript:alert(1)\n.. |y| raw:: html\n\n   {SCRIPT}\n",
    "role": f":r:`{SCRIPT}`\n\n.. role:: r(raw)\n   :format: html\n",
    "include": "x\n\n.. include:: /etc/passwd\n\n.. figure:: http://a.example/x.png",
    "formula": r"$\href{javascript:alert(1)}{x}$ $`\href{javascript:alert(1)}{x}`$ \(x\) $$x$$",
    "commands": r"\input{/etc/passwd} \immediate\write18{id} % { } ^^5c ~ # & _ \\",
    "end of a group": r"}\end{document}{ ^^M^^5cinput x",
    "a dollar last": "price $",
    "table": "a | b\n|---|---|\n| c | d",
    "headings": "# a\n===\n## b\n---\ntitle: x\n---",
    "quotes": "``x`` ` ``` ''' \"\"\" \\",
    "only backticks": "`" * 7,
    "code": "\"); __import__('os').system('id') #",
    "templates": "%s {0} {x!r} ${title} $title",
    "control signs": "a\x00b\x1b[31mc\x7f\u202ed\u2028e\r\nf",
    "half a sign": "\ud800",
    "other scripts": "привет 日本 \N{SLIGHTLY SMILING FACE}",
    "long": "x" * 5000,
    "nothing": " \n ",
}


def cell(name, units=1):
    x, h, h_prev = (MatrixSymbol(letter, 1, units) for letter in ("x_t", "h_t", "h_prev"))
    U, V = MatrixSymbol("U", units, units), MatrixSymbol("V", units, units)
    shapes = {"U": (units, units), "V": (units, units)}
    return Cell([Eq(h, (x * U + h_prev * V).applyfunc(tanh))], x, {"h": (h_prev, h)}, shapes, name=name)


def document(title, *names):
    layers = [RNN(cell(name, 2), return_sequences=True, name=name) for name in names]
    d = symrnn.derive(Sequential([*layers, Dense(1, name=title)], (2, 2)))
    return d.document(title=title, check=False, sections=["model", "picture"])


@pytest.fixture(scope="module", params=TEXTS.values(), ids=TEXTS)
def one(request):
    """A document whose title and cell have one of the texts."""
    return document(request.param, request.param)


@pytest.fixture(scope="module")
def all_of_them():
    """A document with a cell for each text, and all of them in its title."""
    return document(" ".join(TEXTS.values())[:1500], *TEXTS.values())


class Live(HTMLParser):
    """What a page would run, load or lead to; the pictures beside a Markdown file are its own."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "iframe", "object", "embed", "form", "base", "link"):
            self.found.append(tag)
        for name, value in attributes:
            leads = name in ("href", "src", "xlink:href", "action", "data", "srcset", "formaction")
            if name.startswith("on") or (leads and not re.fullmatch(r"#.*|x-\d+\.svg", value or "")):
                self.found.append(f"{tag} {name}={value}")


def live(page):
    parser = Live()
    parser.feed(page)
    parser.close()
    return parser.found


def by_pandoc(text, language):
    pytest.importorskip("pypandoc")
    command = [pandoc_path(), f"--from={language}", "--to=html", "--wrap=none"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout.decode()


def test_the_test_sees_what_is_live():
    assert live(by_pandoc(f"# {TEXTS['link']}\n\n{SCRIPT}", "gfm"))[-1] == "script"
    assert len(live(by_pandoc(TEXTS["address"], "gfm"))) == 4


def test_html(one):
    assert live(article_html(one)) == []


@pytest.mark.parametrize("language", ["gfm", "markdown"])
def test_markdown(one, language):
    pytest.importorskip("pypandoc")
    assert live(by_pandoc(article_markdown(one, ["x-1.svg", "x-2.svg"]), language)) == []


def test_restructuredtext(one):
    pytest.importorskip("pypandoc")
    core = pytest.importorskip("docutils.core")
    text = article_rst(one)
    settings = {"report_level": 2, "halt_level": 2, "stylesheet_path": None, "embed_stylesheet": False}
    page = core.publish_string(text, writer="html5", settings_overrides=settings).decode()
    assert live(page.partition("</head>")[2]) == live(by_pandoc(text, "rst")) == []


def test_pictures(one):
    figures = [block.picture for block in one["picture"].blocks if hasattr(block, "picture")]
    roots = [ElementTree.fromstring(picture.svg()) for picture in figures]
    names = {element.tag.rpartition("}")[2] for root in roots for element in root.iter()}
    assert names <= {"svg", "title", "desc", "rect", "circle", "path", "line", "text", "tspan"}


def test_text(one):
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f\x7f\u202e\ud800-\udfff]*", str(one))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_notebooks(text):
    """A notebook has no code for a cell of one's own: here the text is the name of a layer."""
    nbformat = pytest.importorskip("nbformat")
    made = symrnn.derive(Sequential([symrnn.SimpleRNN(1, name=text), Dense(1)], (2, 1)))
    book = nbformat.reads(article_notebook(made.document(title=text, check=False, sections=["model"])), as_version=4)
    nbformat.validate(book)
    assert {type(node).__name__ for one in book.cells if one.cell_type == "code" for node in ast.parse(one.source).body}
    markdown = [one.source for one in book.cells if one.cell_type == "markdown"]
    assert [live(by_pandoc(source, "markdown")) for source in markdown] == [[] for _ in markdown]
    outputs = [out["data"] for one in book.cells for out in one.get("outputs", [])]
    pages = [data["text/html"] for data in outputs if "text/html" in data]
    assert [live(page) for page in pages] == [[] for _ in pages]
    assert json.dumps(book)


def test_pdf(all_of_them):
    """TeX takes it as text: no other file is read, and the PDF has no address and nothing that runs."""
    compiled = pdf_of(article_latex(all_of_them))
    assert not re.search(rb"/URI|/JavaScript|/Launch|/EmbeddedFile", compiled.pdf)
    assert "/etc/passwd" not in compiled.log


def test_docx(all_of_them):
    pytest.importorskip("pypandoc")
    archive = zipfile.ZipFile(io.BytesIO(article_docx(all_of_them)))
    parts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))}
    assert [name for name, part in parts.items() if b'TargetMode="External"' in part] == []
    assert {ElementTree.fromstring(part).tag for part in parts.values()}


@needs_browser
def test_a_page_in_the_browser(all_of_them, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(article_html(all_of_them), encoding="utf-8")
    assert measure(page)["requests"] == []
    assert "<title>run" not in page.read_text(encoding="utf-8")
