"""Sections and how each format writes them."""

import shutil
import subprocess

import pytest

import symrnn
from symrnn import Activation, Dense, Dropout, Sequential, SimpleRNN, TimeDistributed, documents


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (SimpleRNN(4), "SimpleRNN(4)"),
        (SimpleRNN(4, "relu"), "SimpleRNN(4, relu)"),
        (Dense(2), "Dense(2)"),
        (Dense(2, "linear"), "Dense(2)"),
        (Dense(2, "softmax"), "Dense(2, softmax)"),
        (TimeDistributed(Dense(3)), "TimeDistributed(Dense(3))"),
        (Activation("elu"), "Activation(elu)"),
    ],
)
def test_layer_name(layer, name):
    assert documents.layer_name(layer) == name


def test_model_table_counts_parameters():
    model = Sequential([SimpleRNN(4, return_sequences=True), Dropout(0.1), SimpleRNN(3, use_bias=False)], (None, 2))
    table = documents.model_table(symrnn.derive(model))
    assert [(row[0], row[1].code, row[3], row[4]) for row in table.rows] == [
        ("SimpleRNN(4)", "U1", "(2, 4)", "8"),
        ("", "V1", "(4, 4)", "16"),
        ("", "b1_h", "(4,)", "4"),
        ("SimpleRNN(3)", "U2", "(4, 3)", "12"),
        ("", "V2", "(3, 3)", "9"),
    ]
    assert table.note == (
        "Parameters: 49, in the order of get_weights(). Input: any number of time steps, features: 2."
    )


@pytest.mark.parametrize("form", documents.FORMATS)
def test_every_format_has_every_section(form):
    parts = documents.sections(symrnn.derive(), "unrolled", gradient=True)
    text = documents.FORMATS[form]([*parts, documents.Paragraph("Notes", "as it is")])
    for title in ("Model", "Forward equations", "Backpropagation through time", "Notes", "as it is"):
        assert title in text
    assert text.endswith("\n")


def test_markdown_is_what_github_renders():
    text = documents.FORMATS["markdown"](documents.sections(symrnn.derive(), "step"))
    assert "align*" not in text
    assert "```math\n\\begin{aligned}\n" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_document_compiles(tmp_path):
    model = Sequential([SimpleRNN(2, return_sequences=True), SimpleRNN(2), Dense(2, "softmax")], (3, 2))
    parts = documents.sections(symrnn.derive(model), "step", gradient=True, loss="categorical_crossentropy")
    head = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n"
    (tmp_path / "a.tex").write_text(head + documents.FORMATS["latex"](parts) + "\\end{document}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-1500:]
    assert "Overfull" not in run.stdout


def test_write_leaves_the_old_file_where_it_fails(tmp_path, monkeypatch):
    place = tmp_path / "a.txt"
    documents.write(place, "old")
    monkeypatch.setattr(documents.os, "replace", lambda *names: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match=r"^full$"):
        documents.write(place, "new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
