"""Derivations, gradients, functions, reports and documents are pickled, copied and sent to another process."""

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

import symrnn
from symrnn import ELU, Dense, LeakyReLU, Loss, Model, PReLU, ReLU, Sequential, SimpleRNN
from symrnn.expressions.activations import activations
from tests.codegen.test_function import drawn, entries
from tests.support.bank import MODELS, SAMPLE, over

WAYS = {"pickle": lambda value: pickle.loads(pickle.dumps(value)), "copy": copy.copy, "deepcopy": copy.deepcopy}


@over(MODELS)
def test_a_derivation_and_its_gradient_are_the_same_elsewhere(case):
    d = case.derivation
    for one in (d, d.gradient("mse")):
        again = pickle.loads(pickle.dumps(one))
        assert again.lambdify().source == one.lambdify().source
        assert again.latex("step") == one.latex("step")


@over(SAMPLE)
def test_a_function_gives_the_same_elsewhere_before_and_after_its_first_call(case):
    d = case.derivation
    f, g = d.lambdify(), d.gradient("mse").lambdify()
    for function, arguments in ((f, drawn(d, 1)), (g, drawn(d, 1, "mse"))):
        before = [way(function) for way in WAYS.values()]
        expected = entries(function(*arguments))
        after = [way(function) for way in WAYS.values()]
        assert all(entries(one(*arguments)) == expected for one in (*before, *after))


LAYERS = [ELU(0.3), LeakyReLU(0.4), ReLU(2.0, 0.1, 0.5), ReLU(6.0), PReLU()]


@pytest.mark.parametrize("layer", [*LAYERS, *(Dense(1, name) for name in activations)], ids=str)
def test_every_activation_travels(layer):
    d = symrnn.derive(Sequential([SimpleRNN(2), layer, Dense(1)], (2, 1)))
    for loss in (None, "huber", Loss("huber", delta=0.3), "kl_divergence", "binary_crossentropy"):
        g = d.gradient(loss)
        assert pickle.loads(pickle.dumps(g)).lambdify().source == g.lambdify().source


def _call(function, arguments):
    return entries(function(*arguments))


def test_another_process_gives_the_same():
    """Started anew, so that it knows nothing but what it is sent."""
    functions = []
    for layer in (ELU(0.3), Dense(2, "softmax"), PReLU()):
        d = symrnn.derive(Sequential([SimpleRNN(2), layer], (3, 1)))
        functions += [(d.lambdify(), drawn(d, 2)), (d.gradient("mse").lambdify(), drawn(d, 2, "mse"))]
        functions.append((d.jacobian("h_2", "h_0").lambdify(), drawn(d, 2)))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = [pool.submit(_call, *one) for one in functions]
        assert [one.result() for one in found] == [_call(*one) for one in functions]


def test_what_is_made_of_a_derivation_travels():
    d = symrnn.derive()
    x = symrnn.Input((3, 1))
    for value in (
        d.picture(),
        d.jacobian("h_2", "h_0"),
        d.program("step"),
        d.display("unrolled"),
        Model(x, SimpleRNN(1)(x)),
    ):
        for way in WAYS.values():
            assert type(way(value)) is type(value)
    document = d.document(["model", "forward"], check=False)
    for way in WAYS.values():
        assert way(document).sections == document.sections


def test_a_report_travels():
    keras = pytest.importorskip("keras")
    report = symrnn.check(keras.Sequential([keras.Input((2, 1)), keras.layers.SimpleRNN(1)]))
    assert all(way(report) == report for way in WAYS.values())
