"""The first lines of a document: the layers, the answer, and which sections show what."""

import math
from dataclasses import replace

import numpy as np
import pytest

from symrnn import GRU, LSTM, Activation, Dense, Input, Model, Sequential, SimpleRNN, derive
from symrnn.checking.report import Comparison, Report
from symrnn.documents.blocks import Section
from symrnn.documents.example import example_of
from symrnn.documents.inline import Code
from symrnn.documents.sections.summary import first_lines, subtitle
from symrnn.documents.writers.text import prose_text

EVERY = {"return_sequences": True}
ANSWER = r"For x = (1, 2, 3) this network answers y \approx 0.5746256. "


def about(*layers, shape=(2, 1), **options):
    return example_of(derive(Sequential(layers, shape)), **options)


def sections(names):
    return [Section(name, f"A {name}", ()) for name in names.split()]


def reported(*verdicts):
    """A subject with a fake report for each verdict."""
    rows = [Comparison("y", (), (), 1.0, 1.0, 0.0, 1e-6, verdict) for verdict in verdicts]
    made = tuple(Report((row,), "float32", None, 1, {"T": 3}, "Keras 3") for row in rows)
    return replace(example_of(derive()), reports=lambda: made or "Keras is not installed")


def one_step():
    x = Input((3,))
    return example_of(derive(Model(x, Dense(1)(x))))


SUBTITLES = [
    (about(SimpleRNN(1), Dense(1), shape=(3, 1)), "SimpleRNN(1) and Dense(1) on 3 time steps"),
    (about(LSTM(2), shape=(None, 2)), "LSTM(2) on any number of time steps"),
    (about(GRU(1), shape=(1, 1)), "GRU(1) on one time step"),
    (about(*[SimpleRNN(1, **EVERY)] * 3, Dense(1)),
     "SimpleRNN(1), SimpleRNN(1), SimpleRNN(1) and Dense(1) on 2 time steps"),
    (about(*[SimpleRNN(1, **EVERY)] * 9, Dense(2)), "SimpleRNN(1), SimpleRNN(1), ... and Dense(2) on 2 time steps"),
    (one_step(), "Dense(1)"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "expected"), SUBTITLES, ids=[text for _, text in SUBTITLES])
def test_subtitle(subject, expected):
    assert prose_text(subtitle(subject)) == expected


def test_names_of_layers_are_code():
    assert [span for span in subtitle(example_of(derive())) if isinstance(span, Code)] == [
        Code("SimpleRNN(1)"),
        Code("Dense(1)"),
    ]


PLACES = [
    ("model forward worked backward gradients slips",
     "Sections 2 and 3 show where that comes from and sections 4 to 6 how it changes with each of the 5 weights."),
    ("forward picture worked", "Sections 1 and 3 show where that comes from."),
    ("forward model closed model worked", "Sections 1, 3 and 5 show where that comes from."),
    ("picture backward", "Section 2 shows how it changes with each of the 5 weights."),
    ("check", "Section 1 shows how Keras compares."),
    ("forward backward check",
     "Section 1 shows where that comes from, section 2 how it changes with each of the 5 weights and section 3 "
     "how Keras compares."),
]  # fmt: skip


@pytest.mark.parametrize(("names", "expected"), PLACES, ids=[names for names, _ in PLACES])
def test_places_of_sections(names, expected):
    assert prose_text(first_lines(example_of(derive()), sections(names))) == ANSWER + expected


@pytest.mark.parametrize("names", ["", "model picture letters"])
def test_no_section_to_name(names):
    assert prose_text(first_lines(example_of(derive()), sections(names))) == ANSWER


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["agrees"], "that Keras agrees"),
        (["agrees", "agrees"], "that Keras agrees"),
        (["agrees", "differs"], "how Keras compares"),
        (["undecidable"], "how Keras compares"),
        ([], "how Keras compares"),
    ],
)
def test_keras_agrees_only_where_it_does(verdicts, expected):
    assert prose_text(first_lines(reported(*verdicts), sections("check"))) == f"{ANSWER}Section 1 shows {expected}."


def test_weights_are_counted():
    assert prose_text(first_lines(about(LSTM(2)), sections("backward"))).endswith("with each of the 32 weights.")
    one = about(SimpleRNN(1, use_bias=False), shape=(1, 1), x=[[1.0]], weights=([[0.5]], [[0.25]]))
    assert "2 weights" in prose_text(first_lines(one, sections("slips")))
    dense = example_of(derive(Model(x := Input((1,)), Dense(1, use_bias=False)(x))), x=[2.0], weights=([[0.5]],))
    assert prose_text(first_lines(dense, sections("slips"))).endswith(
        "Section 1 shows how it changes with its one weight."
    )
    none = prose_text(first_lines(about(Activation("tanh")), sections("backward")))
    assert none == "Section 1 shows that it has no weights to change."


def test_numbers_are_listed_up_to_six_and_an_answer_in_numbers_alone():
    weights = ([[0.0]], [[0.0]], [0.0], [[1.0]], [0.5])
    long = prose_text(
        first_lines(about(SimpleRNN(1), Dense(1), shape=(9, 1), x=np.full((9, 1), -0.25), weights=weights), [])
    )
    listed = ", ".join(["-0.25"] * 6)
    assert long == rf"For x = ({listed}, \dots) this network answers y = 0.5000000. "
    assert (
        prose_text(first_lines(about(SimpleRNN(2), Dense(1)), sections("forward")))
        == "Section 1 shows what it computes."
    )
    assert math.isclose(float(prose_text(first_lines(example_of(derive()), [])).split()[-1][:-1]), 0.5746256)
