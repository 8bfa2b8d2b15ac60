"""Time grows with a model in proportion: ten times the layers, cells, calls or steps take about ten times as long."""

import time

import pytest

from symrnn import RNN, Dense, Input, LSTMCell, Model, Sequential, SimpleRNN, derive

SMALL, FACTOR = 25, 8


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


def seconds(way, model):
    began = time.process_time()
    WAYS[way](model)
    return time.process_time() - began


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("made", SIZES.values(), ids=SIZES)
def test_time_grows_in_proportion(made, way):
    """What grows with the square takes 64 times as long; a collection of garbage may come between."""
    seconds(way, made(2))  # what is loaded and kept with the first
    least = min(seconds(way, made(SMALL)) for _ in range(2))
    assert seconds(way, made(FACTOR * SMALL)) < 3 * FACTOR * least + 0.5


def test_no_recursion_over_a_thousand_layers():
    d = derive(layers(1000))
    assert d.latex("unrolled").count("\\\\") >= 999
    gradient = d.gradient()
    assert len(gradient.derivatives) == 2000
    assert gradient.lambdify().source
