"""Tables by time step: their sums are the gradient, whatever is elided, scaled or divided into tables."""

import math
from itertools import pairwise

import numpy as np
import pytest

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.derivations.contributions import contributions_of, summed_name
from symrnn.documents.example import example_of
from symrnn.documents.sections.timetable import _ROOM, Column, _fitting, _points, _table, in_line, size_at, tables
from symrnn.documents.writers.text import prose_text
from symrnn.expressions.names import Name
from tests.documents.sections.test_gradients import number
from tests.support.bank import SAMPLE, over


def found(about):
    return list(tables(about, contributions_of(about.gradient, about.values)))


def cells(rows):
    return [[cell if isinstance(cell, str) else prose_text(cell) for cell in row] for row in rows]


def about(steps, *layers, width=1):
    return example_of(derive(Sequential(layers or (SimpleRNN(1), Dense(1)), (steps, width))))


def sums(table):
    """The totals by the name below them, without the power of ten."""
    *_, totals, names = cells(table.rows)
    scaled = {name: total for name, total in zip(names[1:], totals[1:], strict=True) if name}
    powers = {name: int(name[4:].partition("}")[0]) if name.startswith("10^") else 0 for name in scaled}
    return {name.partition(r"\, ")[2] or name: number(scaled[name]) / 10.0 ** powers[name] for name in scaled}


@over(SAMPLE)
def test_the_row_of_sums_is_the_gradient(case):
    one = case.example
    exact: dict[str, list[float]] = {}
    for part in contributions_of(one.gradient, one.values):
        total = part.total
        size = float(total.reshape(())) if one.scalar else float(np.linalg.norm(total))
        name = in_line(part.name.latex)
        exact[name if one.scalar else rf"\lVert {name} \rVert"] = [size]
        if one.scalar and summed_name(part.name) == part.name:
            assert size == pytest.approx(float(np.ravel(one.values[part.name.code])[0]), rel=1e-12, abs=1e-15)
    made = found(one)
    assert all({len(row) for row in table.rows} == {len(table.head)} for table in made)
    shown = {name: total for table in made if table.totals for name, total in sums(table).items()}
    assert shown.keys() == exact.keys()
    for name, total in shown.items():
        assert total == pytest.approx(exact[name][0], rel=2e-6, abs=6e-7)


@pytest.mark.parametrize(
    ("steps", "times"),
    [(2, ["1", "0"]), (6, ["5", "4", "3", "2", "1", "0"]), (7, ["6", "5", r"\vdots", "0"]),
     (500, ["499", "498", r"\vdots", "0"])],
)  # fmt: skip
def test_elision_keeps_the_totals(steps, times):
    one = about(steps)
    (table,) = found(one)
    assert [row[0] for row in cells(table.rows)] == [*times, "sum", "which is"]
    for name, total in sums(table).items():
        code = {r"\partial y / \partial U": "dU", r"\partial y / \partial V": "dV"}.get(name, "db_h")
        assert total == pytest.approx(float(np.ravel(one.values[code])[0]), rel=2e-6, abs=6e-7)


@pytest.mark.parametrize(("backwards", "name", "shift"), [(False, "h_{t-1}", -1), (True, "h_{t+1}", 1)])
def test_a_state_is_that_of_the_neighbouring_step(backwards, name, shift):
    one = about(3, SimpleRNN(1, go_backwards=backwards), Dense(1))
    (table,) = found(one)
    column = [prose_text(head) for head in table.head].index(name)
    states = [size_at(one.values, Name("h", time=t + shift)) for t in (2, 1, 0)]
    assert [number(row[column]) for row in cells(table.rows)[:3]] == pytest.approx(states, rel=1e-6)
    assert 0 in states


def test_columns_are_divided_where_a_page_ends():
    columns = [Column("x" * n, (1.0,)) for n in (10, 200, 30, 1, 1, 1, 60)]
    groups = list(_fitting(columns))
    assert [column for group in groups for column in group] == columns
    for group in groups:
        assert sum(map(_points, group)) <= _ROOM or len(group) == 1
    for group, following in pairwise(groups):
        assert sum(map(_points, [*group, following[0]])) > _ROOM


CELLS = [
    ((0.5, 0.25), 0.75, ["t", "q"], [["1", "0.250000"], ["0", "0.500000"], ["sum", "0.750000"], ["which is", "g"]]),
    ((0.05, -0.001), 0.049, ["t", r"10^{2}\, q"],
     [["1", "-0.100000"], ["0", "5.000000"], ["sum", "4.900000"], ["which is", r"10^{2}\, g"]]),
    ((0.0, 0.0), None, ["t", "q"], [["1", "0"], ["0", "0"]]),
    ((math.inf, math.nan), math.nan, ["t", "q"], [["1", "nan"], ["0", "inf"], ["sum", "nan"], ["which is", "g"]]),
    ((1.0, 1e-9), None, ["t", "q"], [["1", r"1.000000 \times 10^{-9}"], ["0", "1.000000"]]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "total", "head", "rows"), CELLS, ids=[str(values) for values, *_ in CELLS])
def test_cells_of_what_is_scaled(values, total, head, rows):
    table = _table([Column("q", values, scaled=True, total=total, name="g")], len(values))
    assert cells([table.head, *table.rows]) == [head, *rows]


def test_what_came_forward_is_never_scaled():
    table = _table([Column("x_t", (3.0, 1e-5)), Column("q", (1e-4, 1e-4), scaled=True)], 2)
    scaled = [["1", r"1.000000 \times 10^{-5}", "1.000000"], ["0", "3", "1.000000"]]
    assert cells([table.head, *table.rows]) == [["t", "x_t", r"10^{4}\, q"], *scaled]


def test_sizes_and_names():
    values = {"h_0": np.array([[3.0, 4.0]]), "h_1": np.array([[-2.0]])}
    sizes = [size_at(values, Name("h", time=t)) for t in (-1, 0, 1, 2)]
    assert sizes == [0.0, 5.0, -2.0, 0.0]
    assert in_line(r"\frac{\partial y}{\partial U_{0,1}}") == r"\partial y / \partial U_{0,1}"
    assert in_line(r"\delta_t") == r"\delta_t"
