"""Documents as LaTeX: a bank of them compiles, and nothing runs off the page."""

import re
import shutil
import subprocess

import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Embedding, Masking, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Formulas, Paragraph, Section, Table, Verbatim
from symrnn.documents.document import Document
from symrnn.documents.inline import Code, Emphasis, Math, Strong, prose
from symrnn.documents.writers import pdf
from symrnn.documents.writers.latex import article_latex, block_latex, escaped, prose_latex, sections_latex
from symrnn.documents.writers.pdf import overfull, pdf_of
from symrnn.expressions.names import Name
from symrnn.typesetting.layout import DisplayRow
from tests.documents.writers.test_text import BLOCKS
from tests.support.tex import needs_documents

_every = {"return_sequences": True}
BANK = {
    "notebook": (None, None),
    "SimpleRNN(3), T = 10": (Sequential([SimpleRNN(3), Dense(1)], (10, 2)), None),
    "SimpleRNN(3), T = 5": (Sequential([SimpleRNN(3), Dense(2)], (5, 2)), "mae"),
    "LSTM(3), T = 10": (Sequential([LSTM(3), Dense(1)], (10, 2)), "mse"),
    "LSTM(1), T = 3": (Sequential([LSTM(1), Dense(1)], (3, 1)), None),
    "LSTM(3), T = 2": (Sequential([LSTM(3), Dense(1)], (2, 2)), None),
    "GRU(3), T = 10": (Sequential([GRU(3), Dense(3, "softmax")], (10, 2)), "categorical_crossentropy"),
    "GRU(4), T = 2": (Sequential([GRU(4), Dense(3, "softmax")], (2, 2)), "categorical_crossentropy"),
    "GRU(1), T = 3": (Sequential([GRU(1), Dense(1)], (3, 1)), None),
    "GRU(3), reset before": (Sequential([GRU(3, reset_after=False), Dense(1)], (3, 3)), None),
    "SimpleRNN both ways": (Sequential([Bidirectional(SimpleRNN(3)), Dense(1)], (4, 2)), None),
    "LSTM both ways": (Sequential([Bidirectional(LSTM(3, **_every)), Dense(2)], (10, 2)), "mse"),
    "masked GRU": (Sequential([Masking(0.5), GRU(2, **_every), Dense(1)], (4, 2)), None),
    "two layers": (Sequential([SimpleRNN(3, **_every), SimpleRNN(3), Dense(2)], (3, 3)), "huber"),
    "closed form of one function": (Sequential([SimpleRNN(1, **_every), SimpleRNN(1)], (3, 1)), None),
    "ids": (Sequential([Embedding(5, 2, mask_zero=True), SimpleRNN(3), Dense(2)], (4,)), None),
    "sequences": (Sequential([SimpleRNN(1, **_every), Dense(2, "sigmoid")], (4, 1)), "binary_crossentropy"),
}


@needs_documents
@pytest.mark.parametrize(("model", "loss"), BANK.values(), ids=BANK.keys())
def test_nothing_runs_off_the_page(model, loss, monkeypatch):
    """One pass sets the pages; another is for the outline of the PDF only."""
    monkeypatch.setattr(pdf, "PASSES", 1)
    made = derive(model).document(loss=loss, check=False)
    compiled = pdf_of(article_latex(made))
    assert set(re.findall("Rerun to get .*", compiled.log)) <= {"Rerun to get outlines right"}
    assert overfull(compiled.log) == []
    assert compiled.pdf.startswith(b"%PDF")


@needs_documents
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
@pytest.mark.parametrize("name", ["notebook", "LSTM(1), T = 3", "GRU(4), T = 2"])
def test_a_label_stands_on_the_line_of_its_formula(name, tmp_path):
    model, loss = BANK[name]
    made = derive(model).document(["forward", "backward"], loss=loss, check=False)
    (tmp_path / "a.pdf").write_bytes(pdf_of(article_latex(made)).pdf)
    command = ["pdftotext", "-bbox", "a.pdf", "-"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    tags = [row.tag for section in made.sections for block in section.blocks for row in rows_of(block) if row.tag]
    assert len(tags) > 5
    for page in found.split("<page ")[1:]:
        words = [(*map(float, match[:4]), match[4]) for match in _WORD.findall(page)]
        for left, top, _, bottom, text in words:
            if text.strip("()") in tags and left > 480:
                tags.remove(text.strip("()"))
                beside = [w for w in words if abs(w[1] + w[3] - top - bottom) < 6 and w[2] < left - 5]
                assert beside, text
    assert tags == []


_WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>')


def rows_of(block):
    formulas = getattr(block, "formulas", block)
    return formulas.rows if isinstance(formulas, Formulas) else ()


# escaping -----------------------------------------------------------------------------------------

TEXTS = [
    ("a_b", r"a\_b"),
    ("50 % & $5 #1 {x}", r"50 \% \& \$5 \#1 \{x\}"),
    ("\\input{x}", r"\textbackslash{}input\{x\}"),
    ("a^b~c", r"a\textasciicircum{}b\textasciitilde{}c"),
    ("<i>", "{<}i{>}"),
    ("∂y/∂U → ⊙", r"$\partial$y/$\partial$U $\to$ $\odot$"),
    ("ü", "ü"),
    ("π", "U+03C0"),
    ("日", "U+65E5"),
    ("a\tb\nc", "a b c"),
    ("\x00", "U+0000"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_escaped(text, expected):
    assert escaped(text) == expected


NASTY = r"""\input{/etc/passwd} $x$ `a` *b* <script> & % # _ ^ ~ { } | "q" 'q' – π 日本 \\ \end{document} ^^41 \0"""


@needs_documents
def test_text_of_any_kind_compiles():
    blocks = (
        Paragraph((NASTY, Code(NASTY), Strong(NASTY), Emphasis(NASTY), Math("x")), NASTY),
        Table((NASTY[:20], (Code(NASTY[:30]),)), ((NASTY[30:], (Code(NASTY[30:60]),)),), note=(NASTY,)),
        Verbatim(f"{NASTY[:40]}\n\n  {NASTY[40:]}"),
    )
    made = Document(NASTY[:50], (Code(NASTY[:20]),), (NASTY,), (Section("s", NASTY, blocks),))
    log = pdf_of(article_latex(made)).log
    assert "/etc/passwd" not in log.replace("(/etc", "")


@needs_documents
def test_every_block_compiles():
    blocks = tuple(block for block, _ in BLOCKS)
    assert overfull(pdf_of(article_latex(Document("t", (), (), (Section("s", "S", blocks),)))).log) == []


def test_spans():
    text = prose("a *b* **c** ", Code("d_e"), " $f_g$")
    assert prose_latex(text) == r"a \emph{b} \textbf{c} \texttt{d\_\allowbreak e} $f_g$"


# tables and formulas --------------------------------------------------------------------------------


def test_totals_stand_under_a_rule():
    lines = block_latex(Table(("a", "b"), (("1", "2"), ("sum", "-3.5")), (1,), totals=1)).split("\n")
    assert lines[2:-2] == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"a & b \\",
        r"\midrule",
        r"1 & 2 \\",
        r"\midrule",
        r"sum & $-$3.5 \\",
        r"\bottomrule",
    ]


def test_a_long_table_may_go_over_pages():
    assert r"\begin{longtable}" in block_latex(Table(("a",), (("1",),) * 40))
    assert r"\begin{tabular}" in block_latex(Table(("a",), (("1",),) * 20))


@needs_documents
@pytest.mark.parametrize("columns", [1, 2, 4])
def test_a_wide_table_wraps(columns):
    table = Table(("a",) * columns, ((prose("word " * 60),) * columns, ("b",) * columns))
    assert overfull(pdf_of(article_latex(Document("t", (), (), (Section("s", "S", (table,)),)))).log) == []


def test_formulas_in_columns():
    rows = (DisplayRow(("a", "= 1", "b", "= 2"), "F1"), DisplayRow(("", "= 3"), gap=4))
    assert block_latex(Formulas(rows)) == (
        "\\begin{alignat*}{2}\na &= 1 &\\quad b &= 2 \\tag{F1} \\\\[4pt]\n     &= 3\n\\end{alignat*}"
    )
    assert block_latex(Table((Name("h", time="t"),), ())).count("$h_t$") == 1


def test_sections_for_another_document():
    text = sections_latex([Section("s", "A & B", (Paragraph(("x",)),))], "subsection*")
    assert text == "\\subsection*{A \\& B}\n\nx\n"


def test_what_is_no_block_is_refused():
    with pytest.raises(NotImplementedError, match=r"^LaTeX: expected a block of a document, got str$"):
        block_latex("text")
