"""Work grows with a model in proportion: six times the layers, cells, calls or steps take about six times as much."""

import sys

import pytest

from symrnn import RNN, Dense, Input, LSTMCell, Model, Sequential, SimpleRNN, derive

SMALL, FACTOR = 10, 6


def layers(count):
    return Sequential([Dense(2) for _ in range(count)], (2,))


def cells(count):
    return Sequential([RNN([LSTMCell(1) for _ in range(count)])], (2, 1))


def calls(count):
    x = value = Input((1,))
    layer = Dense(1)
    for _ in range(count):
        value = layer(value)
    return Model(x, value)


def steps(count):
    return Sequential([SimpleRNN(1), Dense(1)], (10 * count, 1))


WAYS = {
    "derive": lambda model: derive(model),
    "step": lambda model: derive(model).latex("step"),
    "gradient": lambda model: derive(model).gradient().latex("step"),
    "source": lambda model: derive(model).gradient().lambdify().source,
    "unrolled": lambda model: derive(model).latex("unrolled"),
}
SIZES = {"layers": layers, "cells": cells, "calls": calls, "steps": steps}


def work(way, model):
    """How many functions are called, Python's own among them: no time, and so the same each time."""
    count = 0

    def tell(frame, event, argument):
        nonlocal count
        count += event.endswith("call")

    sys.setprofile(tell)
    try:
        WAYS[way](model)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("made", SIZES.values(), ids=SIZES)
def test_work_grows_in_proportion(made, way):
    """What grows with the square calls 36 times as many."""
    work(way, made(2))  # what is loaded and kept with the first
    assert work(way, made(FACTOR * SMALL)) < 2.4 * FACTOR * work(way, made(SMALL))


def test_no_recursion_over_a_thousand_layers():
    d = derive(layers(1000))
    assert d.latex("unrolled").count("\\\\") >= 999
    gradient = d.gradient()
    assert len(gradient.derivatives) == 2000
    assert gradient.lambdify().source
