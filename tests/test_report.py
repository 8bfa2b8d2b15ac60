"""Verdicts and how a report is printed."""

import json

import numpy as np
import pytest

from symrnn.report import AGREES, DIFFERS, UNDECIDABLE, Report, Row, row

ONE = np.array([1.0, 2.0])
NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("ours", "own", "theirs", "spread", "verdict", "difference"),
    [
        (ONE, ONE, ONE, 0.0, AGREES, 0.0),
        (ONE, ONE, ONE + 1e-7, 0.0, AGREES, 5e-8),
        (ONE, ONE, ONE + 1e-3, 0.0, DIFFERS, 5e-4),
        (ONE, ONE, ONE + 1e-3, 1e-2, AGREES, 5e-4),
        (ONE, ONE, ONE + 1e-3, 1.0, UNDECIDABLE, 5e-4),
        (ONE, ONE + 1e-3, ONE + 1e-3, 1.0, AGREES, 5e-4),
        (ONE, ONE, ONE + 3.0, 1.0, DIFFERS, 1.5),
        (0 * ONE, 0 * ONE, 0 * ONE, 0.0, AGREES, 0.0),
        (np.array([NAN, 1]), np.array([NAN, 1]), np.array([NAN, 1]), 0.0, AGREES, 0.0),
        (np.array([INF, 1]), np.array([INF, 1]), np.array([INF, 1]), 0.0, AGREES, 0.0),
        (np.array([INF, 1]), np.array([INF, 1]), np.array([-INF, 1]), 0.0, DIFFERS, INF),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), ONE, 0.0, DIFFERS, INF),
    ],
)
def test_verdict(ours, own, theirs, spread, verdict, difference):
    found = row("h_t", ours, own, theirs, spread, 1e-6)
    assert found.verdict == verdict
    assert found.difference == pytest.approx(difference, rel=1e-6)
    assert found.allowed == pytest.approx(1e-6 + spread / (np.nanmax(np.abs(ours[np.isfinite(ours)])) or 1))


def test_place_is_where_they_differ_most():
    theirs = np.zeros((2, 3))
    theirs[1, 2] = 4.0
    found = row("U", np.ones((2, 3)), np.ones((2, 3)), theirs, 0.0, 1e-6)
    assert (found.place, found.ours, found.theirs, found.shape) == ((1, 2), 1.0, 4.0, (2, 3))


def made(*verdicts):
    rows = tuple(Row("y", (1, 1), (0, 0), 0.5, 0.25, 0.5, 1e-6, verdict) for verdict in verdicts)
    return Report(rows, "float32", "mse", 1, 3, "Keras 3 on TensorFlow 2")


@pytest.mark.parametrize(
    ("verdicts", "whole", "last"),
    [
        (
            [AGREES, AGREES],
            AGREES,
            "All agree. The largest difference, 5.0e-01 in y, is rounding in float32, which may",
        ),
        ([AGREES, DIFFERS], DIFFERS, "1 of 2 quantities differ, y most: by 5.0e-01, where rounding explains 1.0e-06."),
        ([AGREES, UNDECIDABLE], UNDECIDABLE, "Undecidable in float32: rounding alone may move y by more than 1%."),
        ([UNDECIDABLE, DIFFERS], DIFFERS, "1 of 2 quantities differ, y most"),
    ],
)
def test_report(verdicts, whole, last):
    report = made(*verdicts)
    assert report.verdict == whole
    assert report.ok == (whole == AGREES)
    assert str(report).splitlines()[-1].startswith(last)


def test_table():
    assert str(made(AGREES)).splitlines()[:3] == [
        "quantity  shape  place  symrnn  Keras, float32  difference  allowed  verdict",
        "----------------------------------------------------------------------------",
        "y         (1,1)  (0,0)  0.5     0.25            5.0e-01     1.0e-06  agrees",
    ]


def test_to_dict_is_json():
    report = made(AGREES).to_dict()
    assert json.loads(json.dumps(report)) == json.loads(json.dumps(made(AGREES).to_dict()))
    assert (report["ok"], report["verdict"], report["rows"][0]["place"]) == (True, "agrees", (0, 0))
