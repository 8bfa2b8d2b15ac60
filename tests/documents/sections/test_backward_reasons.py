"""The rules as a table, and why a step is as it is."""

import pytest

from symrnn import LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.example import example_of
from symrnn.documents.sections.backward_reasons import RULES, label, references, rule_table
from symrnn.documents.sections.backward_steps import steps
from symrnn.documents.writers.latex import block_latex
from symrnn.documents.writers.text import prose_text
from symrnn.programs.dataflow import ACTIVATION, LARGEST, ORDER, PARTS, PRODUCT, REUSE, ROW, SUM


def whys(model=None, loss=None, zoom="unrolled", numbers=False):
    """All reasons of a model's steps, one after the other."""
    about = example_of(derive(model), loss=loss)
    found = steps(about.gradient, zoom, about.numbers if numbers else None)
    return " ".join(prose_text(step.why) for step in found)


def test_labels_are_those_of_the_table():
    assert [label(kind) for kind in (SUM, PRODUCT, ACTIVATION, REUSE)] == ["R1", "R2", "R3", "R4"]
    assert sorted(RULES) == sorted((SUM, PRODUCT, ACTIVATION, REUSE, ROW, PARTS, LARGEST, ORDER))
    table = rule_table(frozenset(RULES), True)
    assert [str(row[0]).split()[0] for row in table.rows] == [label(kind) for kind in RULES]


@pytest.mark.parametrize(
    ("rules", "text"),
    [((), "definition"), ((SUM,), "by R1"), ((REUSE, SUM), "by R1, R4"), ((ROW, ACTIVATION, PRODUCT), "by R2, R3, R5")],
)
def test_references(rules, text):
    assert prose_text(references(frozenset(rules))) == text


@pytest.mark.parametrize("scalar", [True, False])
def test_the_table_has_the_rules_that_are_used(scalar):
    assert len(rule_table(frozenset(), scalar).rows) == 4
    table = rule_table(frozenset({ORDER}), scalar)
    assert [row[0] for row in table.rows][4:] == ["R8 order"]
    assert (r"Q^{\mathsf T}" in block_latex(table)) is not scalar
    assert (r"\odot" in block_latex(table)) is not scalar


REASONS = [
    (None, None, "W and h_2 are factors of one product: each receives the other."),
    (None, None, r"written with the result it is 1 - h_2^2, not 1 - a_2^2."),
    (None, None, "In a_2 h_1 stands beside V, which is its slope there."),
    (None, None, r"In \partial y / \partial V the term of t = 0 has the factor h_{-1} = 0."),
    (None, None, "each copy is used once."),
    (None, "mse", "Every adjoint is a derivative of the loss L; that of L by itself is 1."),
    ([SimpleRNN(2), Dense(1)], None, r"1 - h_1 \odot h_1, not 1 - a_1 \odot a_1."),
    ([SimpleRNN(2), Dense(1)], None, "Entry k of h_1 reaches every entry j of y, with the slope W_{kj}."),
    ([SimpleRNN(2), Dense(1)], None, "that is the transpose, and the shapes leave no other choice."),
    ([SimpleRNN(2), Dense(1)], None, "Each entry of h_1 depends on the same entry of a_1 alone"),
    ([SimpleRNN(1, "relu"), Dense(1)], None, r"The slope of \mathrm{relu} is taken at the point"),
    ([LSTM(2), Dense(1)], None, "The factors of a product entry by entry receive each other."),
    ([SimpleRNN(2), Dense(2, "softmax")], None, "Every entry of a softmax depends on the whole row"),
    ([SimpleRNN(1, return_sequences=True)], None, "The objective s is the sum of all outputs"),
    ([SimpleRNN(1, go_backwards=True), Dense(1)], None, "the term of t = T-1 has the factor h_T = 0."),
    ([SimpleRNN(2, return_sequences=True), SimpleRNN(2)], None, "acts through each of its uses"),
]


@pytest.mark.parametrize(("layers", "loss", "reason"), REASONS)
def test_reasons(layers, loss, reason):
    assert reason in whys(layers and Sequential(layers, (2, 2 if layers[0].units > 1 else 1)), loss)


def test_digits_that_cancel_are_counted():
    text = whys(numbers=True)
    assert "the subtraction cancels 2 leading digits" in text
    assert "10 decimals" in text
    assert "With h_2 = 0.9977129 the slope would be 0.004568969, off by 9 parts in a million." in text
    assert "cancels" not in whys()
