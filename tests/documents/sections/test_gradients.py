"""The gradients by time step, as tables."""

import math
import re

import numpy as np
import pytest

from symrnn import GRU, LSTM, Dense, PReLU, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Figure, Formulas, Paragraph, Table
from symrnn.documents.example import example_of
from symrnn.documents.sections import gradients
from symrnn.documents.writers.text import prose_text
from tests.support.bank import MODELS, over


def blocks(model=None, kind=Table, **options):
    return [block for block in gradients.blocks(example_of(derive(model), **options)) if isinstance(block, kind)]


def cells(table):
    return [[cell if isinstance(cell, str) else prose_text(cell) for cell in row] for row in table.rows]


def number(cell: str) -> float:
    found = re.fullmatch(r"(-?[\d.]+)(?: \\times 10\^\{(-?\d+)\})?", cell)
    assert found is not None, cell
    return float(f"{found[1]}e{found[2] or 0}")


def test_the_notebook():
    (table,) = blocks()
    assert [prose_text(head) for head in table.head] == [
        "t",
        "x_t",
        "h_{t-1}",
        "1 - h_t^2",
        r"10^{3}\, \bar h_t",
        r"10^{3}\, \delta_t",
        r"10^{3}\, \delta_t x_t",
        r"10^{3}\, \delta_t h_{t-1}",
    ]
    assert cells(table) == [
        ["2", "3", "0.9643554", "0.004569010", "575.942900", "2.631489", "7.894466", "2.537690"],
        ["1", "2", "0.8957316", "0.07001876", "-2.631489", "-0.184254", "-0.368507", "-0.165042"],
        ["0", "1", "0", "0.1976649", "0.184254", "0.036420", "0.036420", "0"],
        ["sum", "", "", "", "", "2.483656", "7.562380", "2.372649"],
        [
            *["which is", "", "", "", ""],
            *(rf"10^{{3}}\, \partial y / \partial {name}" for name in ("b_h", "U", "V")),
        ],
    ]
    assert table.totals == 2


def test_the_shares_of_the_notebook():
    paragraphs = [prose_text(block.text) for block in blocks(kind=Paragraph)]
    assert paragraphs[1] == (
        r"The step t = 2 makes 92.3 % of \sum_t \lvert \delta_t \rvert. From t = 2 to t = 0 the signal is "
        r"multiplied by \partial h_2 / \partial h_0 \approx 3.199164 \times 10^{-4}."
    )


@over({name: case for name, case in MODELS.items() if case.derivation.is_scalar})
def test_a_column_adds_up_to_its_sum(case):
    about = case.example
    for table in [block for block in gradients.blocks(about) if isinstance(block, Table)]:
        rows = cells(table)
        assert all(len(row) == len(table.head) for row in rows)
        if rows[-1][0] != "which is":
            continue
        for place, total in enumerate(rows[-2]):
            if total not in ("", "sum"):
                parts = [number(row[place]) for row in rows[:-2]]
                assert sum(parts) == pytest.approx(number(total), abs=6e-7 * len(parts) + 1e-6 * abs(number(total)))


@over(MODELS)
def test_every_gradient_is_there_with_its_number(case):
    about = case.example
    (formulas,) = [block for block in gradients.blocks(about) if isinstance(block, Formulas)]
    pairs = [pair for row in formulas.rows for pair in zip(row.cells[::2], row.cells[1::2], strict=True)]
    objective = about.gradient.objective
    assert [name for name, _ in pairs] == sorted(
        [weight.name.partial(objective).latex for weight in about.gradient.table],
        key=[name for name, _ in pairs].index,
    )
    values = {
        w.name.partial(objective).latex: about.values[w.name.partial(objective).code] for w in about.gradient.table
    }
    for name, shown in pairs:
        if np.size(values[name]) == 1:
            exact = float(np.asarray(values[name]).reshape(()))
            assert number(re.sub(r"^(=|\\approx) ", "", shown)) == pytest.approx(exact, rel=6e-7, abs=1e-300)


def test_of_many_steps_the_ends_are_shown():
    (table,) = blocks(Sequential([SimpleRNN(1), Dense(1)], (50, 1)))
    assert [row[0] for row in cells(table)] == ["49", "48", r"\vdots", "0", "sum", "which is"]


@pytest.mark.parametrize("layer", [LSTM(3), GRU(3), SimpleRNN(3)], ids=str)
def test_norms_of_matrices(layer):
    about = example_of(derive(Sequential([layer, Dense(2)], (4, 2))))
    for table in [block for block in gradients.blocks(about) if isinstance(block, Table)]:
        assert all(r"\lVert" in prose_text(head) for head in table.head[1:])
        assert [row[0] for row in cells(table)][:4] == ["3", "2", "1", "0"]
        assert len(table.head) <= 9
    assert "a column shows Euclidean norms" in prose_text(gradients.blocks(about)[0].text)


def test_one_time_step_has_no_table():
    assert blocks(Sequential([SimpleRNN(2), Dense(1)], (1, 2))) == []
    assert blocks(Sequential([SimpleRNN(2), Dense(1)], (1, 2)), Figure) == []


def test_the_plot_has_a_curve_for_each_weight():
    pytest.importorskip("matplotlib")
    (figure,) = blocks(kind=Figure)
    assert "3 time steps" in figure.picture.alt
    assert math.isclose(float(re.findall(r"U: largest ([\d.]+)", figure.picture.alt)[0]), 0.00789)


def test_slopes_of_functions_without_a_short_slope():
    for name in ("softplus", "mish", "gelu", "silu"):
        (table,) = blocks(Sequential([SimpleRNN(1, name), Dense(1)], (3, 1)))
        assert len(table.rows) == 5


@pytest.mark.parametrize("units", [1, 2])
def test_a_weight_for_each_time_step_has_a_gradient_for_each(units):
    layers = [SimpleRNN(units, return_sequences=True), PReLU(), Dense(1)]
    about = example_of(derive(Sequential(layers, (3, 1))))
    (formulas,) = [block for block in gradients.blocks(about) if isinstance(block, Formulas)]
    (shown,) = [row.cells[1] for row in formulas.rows if "alpha" in row.cells[0]]
    assert (shown.count(r" \\ "), shown.count("&")) == (2, 3 * (units - 1))
    assert "-0 " not in shown
