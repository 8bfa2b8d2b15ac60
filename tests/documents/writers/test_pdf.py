"""PDFs by pdflatex: what is in them, what TeX may do, and how errors read."""

import os
import shutil
import stat
import subprocess

import pytest

from symrnn.documents.writers import pdf
from symrnn.documents.writers.pdf import overfull, pdf_of
from tests.support.tex import needs_documents


def article(body, head=""):
    return f"\\documentclass{{article}}\n{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def text_of(made, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    (tmp_path / "a.pdf").write_bytes(made)
    run = subprocess.run(["pdftotext", "a.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True)
    return run.stdout


@needs_documents
def test_references_are_resolved_and_progress_is_told(tmp_path):
    told = []
    made = pdf_of(article("See \\ref{a}.\\newpage\\section{Here}\\label{a}\\section{There}"), told.append)
    assert "See 1." in text_of(made.pdf, tmp_path)
    assert told == ["pdflatex: pass 1", "pdflatex: pass 2"]
    assert "undefined" not in made.log


@needs_documents
def test_one_pass_is_enough_without_references():
    told = []
    pdf_of(article("a"), told.append)
    assert told == ["pdflatex: pass 1"]


@needs_documents
def test_a_reference_to_nothing_ends_after_the_last_pass():
    told = []
    assert pdf_of(article("\\ref{nothing}"), told.append).pdf.startswith(b"%PDF-")
    assert len(told) == pdf.PASSES


@needs_documents
def test_the_same_bytes_each_time_and_no_word_of_the_folder(monkeypatch, tmp_path):
    tex = article("\\section{A}\\today", "\\usepackage{hyperref}\n")
    first = pdf_of(tex).pdf
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(pdf.tempfile, "tempdir", str(tmp_path / "elsewhere"))
    assert pdf_of(tex).pdf == first
    assert b"symrnn-" not in first
    assert list((tmp_path / "elsewhere").iterdir()) == []


@needs_documents
def test_unicode_is_read(tmp_path):
    assert "Größe" in text_of(
        pdf_of(article("Größe", "\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n")).pdf, tmp_path
    )


@needs_documents
def test_overfull_boxes_are_told():
    log = pdf_of(article(f"\\noindent\\hbox to 500pt{{a}}\n\n{'b' * 20} \\newpage ok")).log
    assert [line.partition(" in ")[0] for line in overfull(log)] == ["Overfull \\hbox (155.0pt too wide)"]
    assert overfull(pdf_of(article("a")).log) == []


# what TeX may not do ----------------------------------------------------------------------------


@needs_documents
def test_nothing_outside_is_read_or_written(tmp_path):
    (tmp_path / "secret.tex").write_text("a secret")
    with pytest.raises(ValueError, match=r"^pdflatex: line \d+: LaTeX Error: File `.*secret.tex' not found at "):
        pdf_of(article(f"\\input{{{tmp_path}/secret.tex}}"))
    with pytest.raises(ValueError, match=r"^pdflatex: line 3: I can't write on file `.*' at "):
        pdf_of(article(f"\\newwrite\\f\\immediate\\openout\\f={tmp_path}/new.tex"))
    assert [place.name for place in tmp_path.iterdir()] == ["secret.tex"]


@needs_documents
@pytest.mark.parametrize("command", ["\\immediate\\write18{{touch {}}}", "\\input{{|touch {}}}"])
def test_no_shell_is_run(command, tmp_path):
    try:
        pdf_of(article(command.format(tmp_path / "made") + " a"))
    except ValueError as error:
        assert "not found" in str(error)  # noqa: PT017 - the pipe is refused as a file, write18 is passed over
    assert list(tmp_path.iterdir()) == []


@needs_documents
def test_it_ends_in_time():
    with pytest.raises(TimeoutError, match=r"^pdflatex: took longer than 1 seconds$"):
        pdf_of(article("\\loop\\iftrue\\repeat"), seconds=1)


# errors -----------------------------------------------------------------------------------------


@needs_documents
@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (article("a\nb \\nosuch c"), "pdflatex: line 4: Undefined control sequence at b \\nosuch"),
        (article("$a"), "pdflatex: line 4: Missing $ inserted at \\end{document}"),
        ("a", "pdflatex: line 1: LaTeX Error: Missing \\begin{document} at a"),
    ],
)
def test_the_first_error_and_its_line(tex, message):
    with pytest.raises(ValueError, match=r"^pdflatex: ") as raised:
        pdf_of(tex)
    assert str(raised.value) == message


@needs_documents
def test_a_missing_package_is_named():
    with pytest.raises(
        FileNotFoundError,
        match=r"^pdflatex: nosuchthing\.sty: not found; install the LaTeX package nosuchthing, "
        r"with TeX Live: tlmgr install nosuchthing$",
    ):
        pdf_of(article("a", "\\usepackage{nosuchthing}\n"))


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (
            "! LaTeX Error: File `needspace.sty' not found.\n",
            "pdflatex: needspace.sty: not found; install the LaTeX package needspace, on Debian: "
            "apt-get install texlive-latex-extra",
        ),
        (
            "!pdfTeX error: pdflatex (file ecrm1000): Font ecrm1000 at 600 not found\n",
            "pdflatex: pdfTeX error: pdflatex (file ecrm1000): Font ecrm1000 at 600 not found",
        ),
        ("", "pdflatex: ended with exit code 3 and no message"),
    ],
)
def test_what_a_failing_pdflatex_says(log, message, tmp_path, monkeypatch):
    program = tmp_path / "pdflatex"
    program.write_text(f"#!/bin/sh\ncat > document.log <<'END'\n{log}END\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises((FileNotFoundError, ValueError), match=r"^pdflatex: ") as raised:
        pdf_of("a")
    assert str(raised.value) == message


def test_a_missing_pdflatex_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        FileNotFoundError,
        match=r"^pdflatex: not found; a PDF needs a TeX installation, on Debian: apt-get install texlive-latex-base ",
    ):
        pdf_of("a")
