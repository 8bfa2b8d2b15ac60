"""Rows and reports: when numbers agree, differ or decide nothing, and the table that says so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from symrnn.checking.report import LIMIT, Comparison, Report
from symrnn.checking.tolerance import row

INF, NAN = np.inf, np.nan


def compared(ours: object, theirs: object, spread: float = 0.0, floor: float = 1e-6, own: object = None) -> Comparison:
    arrays = [np.asarray(value, dtype=float) for value in (ours, ours if own is None else own, theirs)]
    return row("q", *arrays, spread, floor)


@pytest.mark.parametrize(
    ("ours", "theirs", "spread", "verdict"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0, "agrees"),
        ([1.0, 2.0], [1.0, 2.000001], 0.0, "agrees"),
        ([1.0, 2.0], [1.0, 2.00001], 0.0, "differs"),
        ([1.0, 2.0], [1.0, 2.00001], 2e-5, "agrees"),
        ([1.0, 2.0], [1.00001, 2.0], 2e-5, "agrees"),
        ([1.0, 2.0], [1.0, 2.03], 0.05, "undecidable"),
        ([1.0, 2.0], [1.0, 3.0], 0.05, "differs"),
        ([0.0, 0.0], [0.0, 0.0], 0.0, "agrees"),
        ([0.0, 0.0], [1e-7, 0.0], 0.0, "agrees"),
        ([0.0, 0.0], [1e-5, 0.0], 0.0, "differs"),
        ([NAN, 1.0], [NAN, 1.0], 0.0, "agrees"),
        ([INF, -INF], [INF, -INF], 0.0, "agrees"),
        ([NAN, NAN], [NAN, NAN], 0.0, "agrees"),
        ([NAN, 1.0], [1.0, 1.0], 0.0, "differs"),
        ([1.0, 1.0], [NAN, 1.0], 1e-3, "differs"),
        ([INF, 1.0], [-INF, 1.0], 1e-3, "differs"),
        ([INF, 1.0], [1.0, 1.0], 1e-3, "differs"),
        ([NAN, 1.0], [INF, 1.0], 1e-3, "differs"),
        (1.0, 1.0, 0.0, "agrees"),
        (1.0, 1.1, 0.0, "differs"),
    ],
)
def test_verdicts(ours: object, theirs: object, spread: float, verdict: str) -> None:
    assert compared(ours, theirs, spread).verdict == verdict


def test_a_row_names_the_entry_where_values_differ_most() -> None:
    found = compared([[1.0, 2.0], [3.0, -4.0]], [[1.0, 2.5], [3.0, -4.0]], spread=0.02, floor=0.001)
    assert found == Comparison("q", (2, 2), (0, 1), 2.0, 2.5, 0.125, 0.006, "differs")
    assert compared(2.0, 2.0) == Comparison("q", (), (), 2.0, 2.0, 0.0, 1e-6, "agrees")
    assert compared([1.0, NAN], [1.0, 2.0]).place == (1,)
    assert compared([1.0, NAN], [1.0, 2.0]).difference == INF


def test_differences_are_relative_to_the_largest_entry() -> None:
    assert compared([1.0, 1000.0], [1.1, 1000.0]).difference == pytest.approx(1e-4)
    assert compared([1.0, INF], [1.1, INF]).difference == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("own", "theirs", "verdict"), [(1.5, 1.5, "agrees"), (1.5, 1.5 + 1e-7, "agrees"), (1.5, 1.6, "undecidable")]
)
def test_what_is_equal_to_our_own_rounded_value_agrees(own: float, theirs: float, verdict: str) -> None:
    assert compared([1.0], [theirs], spread=1.0, own=[own]).verdict == verdict


def test_what_is_equal_to_our_exact_value_agrees_though_ours_is_rounded_away() -> None:
    assert compared([2e-9], [2e-9], spread=2e-8, own=[0.0]).verdict == "agrees"
    assert compared([2e-9], [2.1e-9], spread=2e-8, own=[0.0]).verdict == "undecidable"


def test_equal_is_relative_to_our_own_rounded_value() -> None:
    """A chaotic gradient: 1e17 in a wider type, 1e3 in ours, 1e2 in theirs."""
    assert compared([1e17], [1e2], spread=9e17, own=[1e3]).verdict == "undecidable"


# reports ------------------------------------------------------------------------------------------

ROWS = (
    Comparison("y", (2, 1), (1, 0), 0.5746256, 0.57462555, 1e-7, 2e-6, "agrees"),
    Comparison("L", (), (), 0.25, 0.25, 0.0, 1e-6, "agrees"),
)
WRONG = Comparison("∂L/∂U", (1, 1), (0, 0), 0.5, 0.25, 0.5, 1e-6, "differs")
UNCLEAR = Comparison("∂L/∂V", (1, 1), (0, 0), 0.5, 0.5, 0.0, 0.5, "undecidable")
REPORT = Report(ROWS, "float32", "mse", 2, {"T": 3}, "Keras 3 on TensorFlow 2")


def with_rows(*rows: Comparison) -> Report:
    return replace(REPORT, rows=(*ROWS, *rows))


@pytest.mark.parametrize(
    ("report", "verdict", "words"),
    [
        (
            REPORT,
            "agrees",
            "All agree. The largest difference, 1.0e-07 in y, is rounding in float32, which may reach 2.0e-06 there.",
        ),
        (
            with_rows(WRONG),
            "differs",
            "1 of 3 quantities differ, ∂L/∂U most: by 5.0e-01, where rounding explains 1.0e-06.",
        ),
        (with_rows(UNCLEAR), "undecidable", "Undecidable in float32: rounding alone may move ∂L/∂V by more than 1%."),
        (
            with_rows(UNCLEAR, WRONG),
            "differs",
            "1 of 4 quantities differ, ∂L/∂U most: by 5.0e-01, where rounding explains 1.0e-06.",
        ),
    ],
)
def test_the_verdict_of_a_report(report: Report, verdict: str, words: str) -> None:
    assert (report.verdict, report.ok) == (verdict, verdict == "agrees")
    assert str(report).splitlines()[-1] == words


def test_the_table() -> None:
    assert str(with_rows(WRONG)) == (
        "quantity  shape  place  symrnn     Keras, float32  difference  allowed  verdict\n"
        "-------------------------------------------------------------------------------\n"
        "y         (2,1)  (1,0)  0.5746256  0.57462555      1.0e-07     2.0e-06  agrees\n"
        "L                       0.25       0.25            0.0e+00     1.0e-06  agrees\n"
        "∂L/∂U     (1,1)  (0,0)  0.5        0.25            5.0e-01     1.0e-06  differs\n"
        "\n"
        "Keras 3 on TensorFlow 2, float32, training=False; samples: 2, time steps: 3; gradients of the loss mse.\n"
        "place: the entry where they differ most; differences are relative to the largest entry.\n"
        "1 of 3 quantities differ, ∂L/∂U most: by 5.0e-01, where rounding explains 1.0e-06."
    )


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ({"T": 3}, "samples: 2, time steps: 3; gradients"),
        ({"T": 3, "T_2": 5}, "samples: 2, time steps: T = 3, T_2 = 5; gradients"),
        ({}, "samples: 2; gradients"),
    ],
)
def test_the_numbers_of_time_steps(lengths: dict[str, int], words: str) -> None:
    report = replace(REPORT, lengths=lengths)
    assert words in str(report)
    assert report.timesteps == max(lengths.values(), default=1)
    assert json.loads(json.dumps(report.to_dict()))["lengths"] == lengths


def test_the_sum_of_y_is_named() -> None:
    assert "gradients of the sum of y.\n" in str(replace(REPORT, loss=None))


def test_json() -> None:
    found = json.loads(json.dumps(with_rows(WRONG).to_dict(), allow_nan=False))
    assert (found["ok"], found["verdict"], found["loss"], found["samples"]) == (False, "differs", "mse", 2)
    assert found["rows"][2] == {
        "quantity": "∂L/∂U", "shape": [1, 1], "place": [0, 0], "ours": 0.5, "theirs": 0.25,
        "difference": 0.5, "allowed": 1e-6, "verdict": "differs",
    }  # fmt: skip


def test_a_report_of_undecidable_rows_is_not_ok() -> None:
    assert not with_rows(UNCLEAR).ok
    assert UNCLEAR.allowed > LIMIT == 0.01
