"""Mistakes planted in a derivation: each is reported as a disagreement, and the right derivation agrees.

A mistake of the forward pass is planted in the program, one of the gradient in the generated code.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from sympy.matrices.expressions import ZeroMatrix

import symrnn
from symrnn import Dense, Gradient, Sequential, SimpleRNN
from symrnn.derivation import NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.matrices import substitute, transpose
from symrnn.models import build
from symrnn.program import Equation, recurrence

MODEL = Sequential([SimpleRNN(3), Dense(2)], (5, 2))


@pytest.fixture(scope="module")
def keras_model():
    pytest.importorskip("keras")
    model = build(MODEL)
    generator = np.random.default_rng(3)
    model.set_weights([generator.normal(size=weight.shape) * 0.6 for weight in model.get_weights()])
    return model


@dataclass(frozen=True)
class Misprinted(Gradient):
    """A gradient in whose code a text is replaced; it must be there."""

    old: str = ""
    new: str = ""

    def lambdify(self):
        function = super().lambdify()
        assert self.old in function.source
        return replace(function, source=function.source.replace(self.old, self.new))


def misprinted(old, new):
    gradient = symrnn.derive(MODEL).gradient()
    return Misprinted(**{f.name: getattr(gradient, f.name) for f in fields(gradient)}, old=old, new=new)


def with_forward(name, put):
    """The derivation in whose recurrence a weight is replaced by what `put` makes of it."""
    d = symrnn.derive(MODEL)
    first, *rest = d.network.program.equations
    weight = next(symbol for symbol in d.network.program.inputs if symbol.name == name)
    steps = [Equation(e.lhs, substitute(e.rhs, {weight: put(weight)})) for e in first.body.assignments]
    changed = recurrence(steps, first.sequences, first.carries, first.stacked, letters=first.body.letters)
    program = replace(d.network.program, equations=(changed, *rest))
    return replace(d, network=replace(d.network, program=program))


MISTAKES = {
    "V transposed": lambda: with_forward("V", transpose),
    "a bias dropped": lambda: with_forward("b_h", lambda b: ZeroMatrix(*b.shape)),
    "relu for tanh": lambda: symrnn.derive(Sequential([SimpleRNN(3, "relu"), Dense(2)], (5, 2))),
    "1 - a^2 for 1 - h^2": lambda: misprinted("1 - (h*h)", "1 - np.arctanh(h)**2"),
    "1 - h for 1 - h^2": lambda: misprinted("1 - (h*h)", "1 - h"),
    "h_t for h_{t-1} in the gradient of V": lambda: misprinted("total(h_before, delta)", "total(h, delta)"),
    "the last time step left out of the sum of V": lambda: misprinted(
        "total(h_before, delta)", "total(h_before[:-1], delta[:-1])"
    ),
    "the last time step left out of the sum of U": lambda: misprinted("total(x, delta)", "total(x[:-1], delta[:-1])"),
    "no way back through V": lambda: misprinted("delta_t @ V.T", "0 * delta_t"),
    "no transpose in the way back": lambda: misprinted("delta_t @ V.T", "delta_t @ V"),
}
WRONG = {
    "1 - a^2 for 1 - h^2": {"∂s/∂U", "∂s/∂V", "∂s/∂b_h"},
    "h_t for h_{t-1} in the gradient of V": {"∂s/∂V"},
    "the last time step left out of the sum of V": {"∂s/∂V"},
    "the last time step left out of the sum of U": {"∂s/∂U"},
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_differs(keras_model, name):
    report = symrnn.check(keras_model, derivation=MISTAKES[name]())
    assert report.verdict == "differs"
    assert not report.ok
    wrong = {row.quantity for row in report.rows if row.verdict == "differs"}
    assert wrong == WRONG.get(name, wrong)
    assert f"{len(wrong)} of {len(report.rows)} quantities differ" in str(report)


def test_two_columns_of_u_swapped(keras_model, monkeypatch):
    """The weights are read in another order than the model has them in."""
    U, *rest = keras_model.get_weights()
    monkeypatch.setattr(keras_model, "get_weights", lambda: [U[:, [1, 0, 2]], *rest])
    report = symrnn.check(keras_model)
    assert {row.quantity for row in report.rows if row.verdict == "differs"} >= {"y", "h_t", "∂s/∂U"}


def test_the_right_derivation_agrees(keras_model):
    assert symrnn.check(keras_model).ok
    assert symrnn.check(keras_model, loss="mse", derivation=symrnn.derive(MODEL)).ok
    assert symrnn.check(keras_model, derivation=symrnn.derive(MODEL).gradient("huber")).ok


def test_the_notebook_agrees_though_its_gradient_is_off():
    """In float32 the gradient of U is off by 3.6e-5, hundreds of roundings, and right."""
    pytest.importorskip("keras")
    report = symrnn.check(build(symrnn.derive().network.model, weights=NOTEBOOK_WEIGHTS), NOTEBOOK_X)
    assert report.ok
    off = {row.quantity: row.difference for row in report.rows}
    assert 1e-5 < off["∂y/∂U"] < 1e-4
    assert off["y"] < 1e-6
