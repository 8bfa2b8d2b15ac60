"""The comparison with Keras as a table: a row for a quantity, a column for a dtype, the worst verdict."""

from dataclasses import replace

import pytest

from symrnn import derive
from symrnn.checking.report import AGREES, DIFFERS, UNDECIDABLE, Comparison, Report
from symrnn.documents.example import example_of
from symrnn.documents.inline import Math
from symrnn.documents.sections import check
from symrnn.documents.writers.text import prose_text

SINGLE = {"dtype": "float32", "samples": 1, "lengths": {"T": 3}, "versions": "Keras 3.15"}


def row(quantity, verdict=AGREES, ours=0.5, difference=0.0, allowed=1e-6):
    return Comparison(quantity, (), (), ours, ours, difference, allowed, verdict)


def report(*rows, loss=None, dtype="float32"):
    return Report(tuple(rows), **{**SINGLE, "dtype": dtype}, loss=loss)


def blocks(*reports):
    return check.blocks(replace(example_of(derive()), reports=lambda: reports))


def test_nothing_where_nothing_is_checked():
    assert check.blocks(example_of(derive())) == ()


def test_what_keras_cannot_build_is_said():
    (found,) = check.blocks(replace(example_of(derive()), reports=lambda: "größe_1: $x$ is `y`"))
    assert found.text == ("Keras cannot build this model: größe_1: $x$ is `y`.",)


def test_the_cells_of_one_report():
    table, _, _ = blocks(report(row("y", ours=0.5746256, difference=1.23e-8)))
    assert table.head == ("quantity", "symrnn", "Keras, float32", "difference", "allowed", "verdict")
    assert table.rows == (((Math("y"),), "0.5746256", "0.5746256", "1.2e-08", "1.0e-06", "agrees"),)
    assert table.right == (1, 2, 3, 4)


def test_a_second_dtype_has_two_columns_more():
    single, double = report(row("y", difference=1e-8)), report(row("y", difference=1e-17), dtype="float64")
    table, _, _ = blocks(single, double)
    assert table.head[3:] == ("difference", "allowed", "in float64", "allowed", "verdict")
    assert [len(cells) for cells in table.rows] == [len(table.head)]
    assert table.rows[0][3:] == ("1.0e-08", "1.0e-06", "1.0e-17", "1.0e-06", "agrees")
    assert table.right == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("first", [AGREES, UNDECIDABLE, DIFFERS])
@pytest.mark.parametrize("second", [AGREES, UNDECIDABLE, DIFFERS])
def test_the_worst_verdict_is_shown(first, second):
    table, _, _ = blocks(report(row("y", first)), report(row("y", second), dtype="float64"))
    order = [AGREES, UNDECIDABLE, DIFFERS]
    assert table.rows[0][-1] == max(first, second, key=order.index)


def test_each_quantity_has_its_own_verdict():
    rows = [row("y"), row("∂y/∂U", DIFFERS, difference=1.0), row("h_t", UNDECIDABLE)]
    table, _, said = blocks(report(*rows))
    assert [cells[-1] for cells in table.rows] == [AGREES, DIFFERS, UNDECIDABLE]
    assert prose_text(said.text).startswith(
        r"float32: 1 of 3 quantities differ, \partial y / \partial U most: by 1.0e+00,"
    )


@pytest.mark.parametrize(
    ("quantity", "latex"),
    [
        ("y", "y"),
        ("∂y/∂U", r"\partial y / \partial U"),
        ("∂s/∂h_{-1}", r"\partial s / \partial h_{-1}"),
        ("∂y/∂U^{(2)←}", r"\partial y / \partial U^{(2)\leftarrow }"),
        ("h_T^→", r"h_T^\rightarrow "),
    ],
)
def test_quantities_are_formulas(quantity, latex):
    table, _, said = blocks(report(row(quantity)))
    assert table.rows[0][0] == (Math(latex),)
    assert Math(latex) in said.text
    assert quantity not in "".join(span for span in said.text if isinstance(span, str)) or quantity == latex == "y"


def test_quantities_that_begin_alike_are_told_apart():
    _, _, said = blocks(
        report(*(row(name, UNDECIDABLE, allowed=0.5) for name in ("y", "y_t", "∂y/∂b_h", "∂y/∂b_{ho}")))
    )
    formulas = [span.latex for span in said.text if isinstance(span, Math)]
    assert formulas == ["y", "y_t", r"\partial y / \partial b_h", r"\partial y / \partial b_{ho}"]


@pytest.mark.parametrize(("loss", "objective"), [(None, "the sum of the outputs"), ("mse", "the loss mse")])
def test_what_was_computed_is_said(loss, objective):
    _, how, _ = blocks(report(row("y"), loss=loss))
    assert prose_text(how.text) == (
        f"Keras 3.15, training=False, gradients of {objective} by GradientTape. A difference is that of the entry "
        "which differs most, relative to the largest; allowed is what rounding explains."
    )


def test_the_conclusion_of_each_dtype_is_said():
    single, double = report(row("y", difference=1e-8)), report(row("y", difference=1e-17), dtype="float64")
    said = prose_text(blocks(single, double)[-1].text)
    assert said == f"float32: {single.conclusion} float64: {double.conclusion} "
