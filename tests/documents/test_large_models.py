"""Documents on large models: what is too large is left out, and a sentence says so."""

import time
from dataclasses import replace

import pytest

from symrnn import LSTM, Dense, Embedding, Sequential, SimpleRNN, derive
from symrnn.checking.report import AGREES, Comparison, Report
from symrnn.documents.example import example_of
from symrnn.documents.sections.table import SECTIONS, section
from symrnn.documents.writers.notebook import article_notebook
from symrnn.documents.writers.text import sections_text

WORDS = Sequential(
    [Embedding(20000, 128), LSTM(256, return_sequences=True), LSTM(256), Dense(1, activation="sigmoid")], (200,)
)
LONG = Sequential([SimpleRNN(1), Dense(1)], (100_000, 1))
LEFT_OUT = {
    "closed": "The equations of all time steps have up to 1100012 symbols, too many to be put into each other:",
    "worked": "left out: the equations of all time steps, forward and back, have up to 2700022 symbols.",
}


def text(name, example):
    """A section as text, in one line."""
    return " ".join(sections_text([section(name, example)]).split())


@pytest.fixture(scope="module")
def of_words():
    """All sections of a document on WORDS, in one line each, and the seconds that they took."""
    report = Report((Comparison("y", (), (), 0.5, 0.5, 0.0, 1e-6, AGREES),), "float32", None, 1, {"T": 200}, "Keras 3")
    began = time.thread_time()
    example = replace(example_of(derive(WORDS)), reports=lambda: (report,))
    return {name: text(name, example) for name in SECTIONS}, time.thread_time() - began


def test_a_large_model_is_worked_out_in_seconds(of_words):
    found, seconds = of_words
    assert seconds < 20
    assert all(found.values())
    assert sum(map(len, found.values())) < 400_000


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("closed", "With everything put in, an output has about 10^{614} operations or more: a formula that nobody"),
        ("gradients", "The Jacobian from t = 199 to t = 0 is left out: it takes about 10^{12} multiplications."),
        ("check", "A second type is left out: the entries of all equations have about 10^{9} symbols."),
    ],
)
def test_what_is_left_out_of_a_large_model_is_said(name, sentence, of_words):
    assert sentence in of_words[0][name]


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_of_many_steps_is_said(name):
    assert LEFT_OUT[name] in text(name, example_of(derive(LONG)))


def test_the_notebook_of_a_large_model_takes_its_weights_from_the_document():
    source = "".join(article_notebook(derive(WORDS).document(["model"], check=False)))
    assert len(source) < 100_000
    assert "weights = document.origin.numbers['weights']" in source


MILLION = "The {} left out: the equations of all time steps, forward and back, have up to 27000022 symbols."


@pytest.mark.parametrize(
    ("name", "what"),
    [("worked", "numbers are"), ("gradients", "numbers are"), ("slips", "numbers of slips are"), ("check", "check is")],
)
def test_a_document_on_a_million_steps_has_no_numbers(name, what):
    example = replace(example_of(derive(Sequential([SimpleRNN(1), Dense(1)], (10**6, 1)))), reports=lambda: ())
    assert MILLION.format(what) in text(name, example)
