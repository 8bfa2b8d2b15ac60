"""The sections of a document: each says what the model has to say, at every size of it."""

import re

import numpy as np
import pytest

from symrnn import LSTM, Activation, Dense, Sequential, SimpleRNN, derive
from symrnn.cli import document_command
from symrnn.documents.blocks import Equations, Formulas, NumberedStep, Paragraph
from symrnn.documents.example import example_of
from symrnn.documents.sections.table import SECTIONS, section
from symrnn.documents.writers.text import prose_text, sections_text
from tests.support.bank import MODELS, SAMPLE, over

NAMES = [name for name in SECTIONS if name != "check"]


@over(MODELS)
def test_every_section_of_every_model(case):
    """The slips of every model are those of test_backward_mistakes.py; here, for a model of each kind."""
    about = case.example
    names = [name for name in NAMES if name != "slips" or case in SAMPLE.values()]
    made = [part for name in names if (part := section(name, about)) is not None]
    text = sections_text(made)
    assert {"model", "picture", "forward", "backward", "gradients", "letters"} <= {part.name for part in made}
    assert "None" not in text.replace("None)", "")
    assert not re.search(r"\bnan\b", text)
    assert [part.title for part in made] == [SECTIONS[part.name][0] for part in made]


def test_the_order_is_a_readers():
    assert list(SECTIONS)[:6] == ["model", "picture", "forward", "closed", "worked", "backward"]
    assert list(SECTIONS)[-1] == "letters"
    listed = ", ".join(SECTIONS)
    assert listed in " ".join(str(document_command.help).split())


@pytest.mark.parametrize("name", NAMES)
def test_open_time_steps(name):
    about = example_of(derive(Sequential([LSTM(2), Dense(1)], (None, 2))), x=np.ones((4, 2)))
    made = section(name, about)
    assert (made is None) == (name in ("closed", "worked"))
    if name == "forward":
        assert [type(block) for block in made.blocks] == [Paragraph, Equations]


def test_no_check_without_reports():
    assert section("check", example_of(derive())) is None
    said = example_of(derive())
    object.__setattr__(said, "reports", lambda: "Cell 'x' is not a Keras layer")
    made = section("check", said)
    assert prose_text(made.blocks[0].text) == "Keras cannot build this model: Cell 'x' is not a Keras layer."


def test_labels_of_forward_equations():
    def tags(model):
        rows = section("forward", example_of(derive(model))).blocks[-1].rows
        return [row.tag for row in rows if row.tag]

    assert tags(None) == ["F0", "F1", "F2", "Fy"]
    both = tags(Sequential([LSTM(1), Dense(1)], (2, 1)))
    assert len(set(both)) == len(both)
    assert both[-1] == "Fy"


def test_steps_refer_to_labels_that_there_are():
    for model in (None, Sequential([LSTM(1), Dense(1)], (2, 1)), Sequential([SimpleRNN(2), Dense(2)], (3, 2))):
        about = example_of(derive(model))
        forward, backward = (section(name, about) for name in ("forward", "backward"))
        tags = {row.tag for block in forward.blocks if isinstance(block, Formulas) for row in block.rows}
        titles = " ".join(prose_text(block.title) for block in backward.blocks if isinstance(block, NumberedStep))
        assert set(re.findall(r"\((F[\w.]+)\)", titles)) <= tags


def test_many_steps_are_elided():
    made = section("worked", example_of(derive(Sequential([SimpleRNN(1), Dense(1)], (20, 1)))))
    sides = [row.cells[0] for row in made.blocks[1].rows if row.cells[0]]
    assert sides == ["a_0", "h_0", "a_1", "h_1", "a_{19}", "h_{19}", "y"]
    assert prose_text(made.blocks[-1].text).startswith("The time steps between")


@pytest.mark.parametrize("units", [1, 3])
def test_the_general_case_has_rows_for_samples(units):
    about = example_of(derive(Sequential([SimpleRNN(units), Dense(1)], (3, 1))))
    made = section("general", about)
    assert {block.title for block in made.blocks if isinstance(block, Paragraph)} >= {
        *("The bias.", "Why the transpose.", "Why the elementwise product.", "Why the sum over time."),
    }
    assert sum(isinstance(block, Equations) for block in made.blocks) == 2


def test_a_model_without_weights_has_no_way_back():
    made = derive(Sequential([Activation("tanh")], (2, 1))).document(check=False)
    assert [section.name for section in made.sections] == ["model", "picture", "forward", "closed", "worked", "letters"]
