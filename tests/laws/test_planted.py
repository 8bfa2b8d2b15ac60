"""Mistakes planted in a derivation: each is reported as a disagreement in the right rows, and the right one agrees.

A mistake of the forward pass is planted in the program, one of the gradient in the generated code.
What people get wrong is a convention, so that there is one mistake for each.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain

import numpy as np
import pytest
from sympy import Expr, Piecewise, Rational
from sympy.matrices.expressions import ZeroMatrix

import symrnn
from symrnn import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Gradient,
    Input,
    Masking,
    Model,
    Sequential,
    SimpleRNN,
)
from symrnn.checking.keras_models import build
from symrnn.derivations.numbers import lambdify
from symrnn.expressions.matrices import (
    add,
    concat,
    elementwise,
    hadamard,
    multiply,
    ones,
    substitute,
    transpose,
    variable,
)
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N
from symrnn.models.layers.core import NotEqual
from symrnn.models.lecture import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.programs.program import Equation, Recurrence, Reversal, defines, recurrence
from tests.support.checking import live, quantities

pytest.importorskip("keras")
MODEL = Sequential([SimpleRNN(3), Dense(2)], (5, 2))


def wrong_rows(report) -> list[str]:
    return quantities(report, "differs")


@pytest.fixture(scope="module")
def keras_model():
    return live(MODEL, 0.6, seed=3)


# in the generated code ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Misprinted(Gradient):
    """A gradient in whose code a text is replaced; it must be there."""

    old: str = ""
    new: str = ""


@lambdify.register
def _(gradient: Misprinted):
    function = lambdify.dispatch(Gradient)(gradient)
    assert gradient.old in function.source
    wrong = function.source.replace(gradient.old, gradient.new)
    return replace(function, arrays=replace(function.arrays, source=lambda program, name, lengths: wrong))


def misprinted(old, new):
    gradient = symrnn.derive(MODEL).gradient()
    return Misprinted(**{f.name: getattr(gradient, f.name) for f in fields(gradient)}, old=old, new=new)


# in the program -----------------------------------------------------------------------------------

Change = Callable[[Expr, dict[str, Expr]], Expr]


def rewritten(model, **changes: Change):
    """The derivation with other right sides: by the name of the left side, a function of the right side and of all
    symbols by name.
    """
    d = symrnn.derive(model)
    program, found = d.network.program, set()
    bodies = [item.body for item in program.equations if isinstance(item, Recurrence)]
    known = [*program.inputs, *program.sequences, *chain.from_iterable(map(defines, program.equations))]
    known += chain.from_iterable([*body.inputs, *(e.lhs for e in body.assignments)] for body in bodies)
    symbols = {symbol.name: symbol for symbol in known}

    def changed(equation):
        if equation.lhs.name not in changes:
            return equation
        found.add(equation.lhs.name)
        return Equation(equation.lhs, changes[equation.lhs.name](equation.rhs, symbols))

    items = []
    for item in program.equations:
        if isinstance(item, Equation):
            items.append(changed(item))
        elif isinstance(item, Recurrence):
            reads = [*item.sequences, *(s for s in symbols.values() if s.name.endswith("_t"))]
            inner = {*(e.lhs for e in item.body.assignments), *(c.prev for c in item.carries)}
            rest = item.carries, item.stacked, item.sums, item.reverse, item.body.names, item.length
            reads = [symbol for symbol in reads if symbol not in inner]
            items.append(recurrence(map(changed, item.body.assignments), reads, *rest))
        else:
            items.append(item)
    assert found == set(changes)
    return replace(d, network=replace(d.network, program=replace(program, equations=tuple(items))))


def without(name: str) -> Change:
    """The right side with a weight replaced by zero."""
    return lambda rhs, symbols: substitute(rhs, {symbols[name]: ZeroMatrix(*symbols[name].shape)})


MISTAKES = {
    "V transposed": lambda: rewritten(
        MODEL, a_t=lambda rhs, symbols: substitute(rhs, {symbols["V"]: transpose(symbols["V"])})
    ),
    "a bias dropped": lambda: rewritten(MODEL, a_t=without("b_h")),
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
    wrong = set(wrong_rows(report))
    assert wrong == WRONG.get(name, wrong)
    assert f"{len(wrong)} of {len(report.rows)} quantities differ" in str(report)


def test_two_columns_of_u_swapped(keras_model, monkeypatch):
    """The weights are read in another order than the model has them in."""
    U, *rest = keras_model.get_weights()
    monkeypatch.setattr(keras_model, "get_weights", lambda: [U[:, [1, 0, 2]], *rest])
    report = symrnn.check(keras_model)
    assert set(wrong_rows(report)) >= {"y", "h_t", "∂s/∂U"}


def test_the_right_derivation_agrees(keras_model):
    assert symrnn.check(keras_model).ok
    assert symrnn.check(keras_model, loss="mse", derivation=symrnn.derive(MODEL)).ok
    assert symrnn.check(keras_model, derivation=symrnn.derive(MODEL).gradient("huber")).ok


def test_the_notebook_agrees_though_its_gradient_is_off():
    """In float32 the gradient of U is off by 3.6e-5, hundreds of roundings, and right."""
    report = symrnn.check(build(NOTEBOOK, weights=NOTEBOOK_WEIGHTS), NOTEBOOK_X)
    assert report.ok
    off = {row.quantity: row.difference for row in report.rows}
    assert 1e-5 < off["∂y/∂U"] < 1e-4
    assert off["y"] < 1e-6


# conventions --------------------------------------------------------------------------------------

READ_OUT = {"return_sequences": True}
LSTM_MODEL = Sequential([LSTM(3, recurrent_activation="hard_sigmoid", **READ_OUT), Dense(1)], (4, 2))
GRU_MODEL = Sequential([GRU(3, **READ_OUT), Dense(1)], (4, 2))
NO_BIAS = Sequential([GRU(3, use_bias=False, **READ_OUT), Dense(1)], (4, 2))
MASKED = Sequential([Masking(), SimpleRNN(3, **READ_OUT), Dense(1)], (4, 2))
MEAN = Sequential([Masking(), SimpleRNN(3, **READ_OUT), GlobalAveragePooling1D()], (4, 2))
BOTH = Sequential([Bidirectional(SimpleRNN(2, **READ_OUT)), Dense(1)], (4, 2))
LAST = Sequential([Bidirectional(SimpleRNN(2)), Dense(1)], (4, 2))
WORDS = Sequential([Embedding(6, 2), SimpleRNN(2), Dense(1)], (4,))
BACKWARDS = Sequential([SimpleRNN(2, go_backwards=True, **READ_OUT), Dense(1)], (4, 2))
STATEFUL = Sequential([LSTM(2, stateful=True), Dense(1)], (4, 2))


def with_initial_state(mask=True) -> Model:
    x, h = Input((4, 2)), Input((3,))
    given = {"mask": NotEqual(0.0)(x)} if mask else {}
    return Model([x, h], SimpleRNN(3, return_sequences=True)(x, initial_state=h, **given))


def in_order(model, gates: str):
    """The derivation that has the gates in another order in the fused arrays."""
    d = symrnn.derive(model)

    def moved(part):
        gate = part.name.sub[-1] if part.name.sub else ""
        return replace(part, start=gates.index(gate) * part.shape[-1]) if gate in gates and len(gates) > 1 else part

    arrays = [
        replace(array, parts=tuple(map(moved, array.parts))) if len(array.parts) > 1 else array
        for array in d.network.arrays
    ]
    return replace(d, network=replace(d.network, arrays=tuple(arrays)))


def turned_back(model):
    """The derivation in which the sequence of the backward half is not turned round."""
    d = symrnn.derive(model)
    program = d.network.program
    bw = next(state.symbol for state in d.network.states if state.unit[0] == "backward_layer")
    name = Name("s", layer="bw", time="t")
    turned = variable(name.code, bw.shape)
    names = {**program.names, turned: name}
    items = []
    for item in program.equations:
        merges = isinstance(item, Recurrence) and bw in item.sequences
        if merges:
            items.append(Reversal(turned, bw))
            steps = [Equation(e.lhs, substitute(e.rhs, {bw: turned})) for e in item.body.assignments]
            reads = [*(s for s in item.sequences if s != bw), turned]
            items.append(recurrence(steps, reads, item.carries, item.stacked, item.sums, item.reverse, names))
        else:
            items.append(item)
    program = replace(program, equations=tuple(items), names=names)
    return replace(d, network=replace(d.network, program=program))


def starting_from(model, **starts):
    """The derivation in which states, by the name of the one before, start from something else."""
    d = symrnn.derive(model)
    program = d.network.program
    symbols = {symbol.name: symbol for symbol in program.inputs}
    items = []
    for item in program.equations:
        if isinstance(item, Recurrence):
            carries = [
                replace(carry, init=starts[carry.prev.name](symbols)) if carry.prev.name in starts else carry
                for carry in item.carries
            ]
            item = replace(item, carries=tuple(carries))
        items.append(item)
    return replace(d, network=replace(d.network, program=replace(program, equations=tuple(items))))


def _swapped_mixture(rhs, symbols):
    z, k, before = (symbols[name] for name in ("z_t", "k_t", "h_prev"))
    return add(hadamard(z, k), hadamard(elementwise(1 - SLOTS[0], z), before))


def _keras_2(rhs, symbols):
    z = SLOTS[0]
    clipped = Piecewise((0, z <= -2.5), (1, z >= 2.5), (z / 5 + Rational(1, 2), True))
    return elementwise(clipped, rhs.matrices[0])


def _forget_bias(rhs, symbols):
    return add(rhs, ones((N, 3)))


def _all_steps(rhs, symbols):
    return elementwise(SLOTS[0] / 4, rhs.matrices[0])


def _from_1(rhs, symbols):
    return substitute(rhs, {symbols["x_t"]: add(symbols["x_t"], multiply(-1, ones((N, 1))))})


CONVENTIONS: dict[str, tuple[Model | Sequential, Callable, str, Sequence[str]]] = {
    "LSTM gates in the order i f o c": (LSTM_MODEL, lambda m: in_order(m, "ifoc"), "h_0", ("c_0",)),
    "GRU gates in PyTorch's order r z h": (GRU_MODEL, lambda m: in_order(m, "rzh"), "h_0", ()),
    "GRU with z and 1 - z exchanged": (GRU_MODEL, lambda m: rewritten(m, h_t=_swapped_mixture), "h_0", ()),
    "GRU with the reset before the product": (
        NO_BIAS,
        lambda m: symrnn.derive(Sequential([GRU(3, use_bias=False, reset_after=False, **READ_OUT), Dense(1)], (4, 2))),
        "h_1",
        (),
    ),
    "GRU without the bias beside V": (GRU_MODEL, lambda m: rewritten(m, p_t=without("b_Vh")), "h_0", ()),
    "hard_sigmoid of Keras 2": (
        LSTM_MODEL, lambda m: rewritten(m, i_t=_keras_2, f_t=_keras_2, o_t=_keras_2), "h_0", ("c_0",)
    ),
    "1 added to the forget gate's bias": (LSTM_MODEL, lambda m: rewritten(m, a_f_t=_forget_bias), "h_1", ("c_1",)),
    "the mask ignored": (MASKED, lambda m: rewritten(m, m_t=lambda rhs, symbols: ones((N, 1))), "h_1", ()),
    "the mean over all steps": (
        MEAN,
        lambda m: rewritten(m, y=_all_steps),
        "global_average_pooling1d: y",
        (),
    ),
    "before the first valid step the initial state": (
        with_initial_state(),
        lambda m: starting_from(m, h_out_prev=lambda symbols: symbols["h_init"]),
        "simple_rnn: h_{out,0}",
        ("simple_rnn: h_{out,1}",),
    ),
    "the initial state ignored": (
        with_initial_state(mask=False),
        lambda m: starting_from(m, h_prev=lambda symbols: ZeroMatrix(N, 3)),
        "h_0",
        (),
    ),
    "the backward half not turned round": (BOTH, turned_back, "bidirectional: h_0", ("bidirectional: h_3",)),
    "the halves side by side in the other order": (
        BOTH,
        lambda m: rewritten(m, h_t=lambda rhs, symbols: concat(*reversed(rhs.args))),
        "bidirectional: h_0",
        (),
    ),
    "a backward layer that runs forwards": (
        BACKWARDS,
        lambda m: symrnn.derive(Sequential([SimpleRNN(2, **READ_OUT), Dense(1)], (4, 2))),
        "h_0",
        (),
    ),
    "ids from 1": (
        WORDS,
        lambda m: rewritten(m, e_t=_from_1),
        "embedding: e_t",
        (),
    ),
}  # fmt: skip
"""A model, what is done to its derivation, the first row that differs and others that differ."""
X = np.array([[[0, 0], [0, 0], [1, 2], [3, 1]], [[1, -1], [2, 1], [0, 0], [1, 1]], [[1, 1], [-1, 2], [2, -2], [1, 0]]])


def _inputs(d):
    generator = np.random.default_rng(0)
    kinds = {
        "sequence": lambda source: X[:, ::-1] if source.width == 2 and len(d.network.sources) == 1 else X,
        "ids": lambda source: generator.integers(1, 6, size=(3, 4)),
        "rows": lambda source: generator.normal(size=(3, source.width)),
    }
    found = [kinds[source.kind](source) for source in d.network.sources]
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_wrong_convention_differs_at_the_right_row(name):
    model, plant, first, others = CONVENTIONS[name]
    made = live(model, 0.6, seed=3)
    right = symrnn.derive(made)
    x = _inputs(right)
    assert symrnn.check(made, x, derivation=right, detail="steps").ok
    report = symrnn.check(made, x, derivation=plant(model), detail="steps")
    assert report.verdict == "differs"
    found = [re.sub(r"_\d+: ", ": ", name) for name in wrong_rows(report) if not name.startswith("y")]
    assert found[0] == first, str(report)
    assert set(others) <= set(found)


# losses -------------------------------------------------------------------------------------------


def without_mask(head):
    return replace(head, mask=None)


def without_logits(head):
    return replace(head, logits=None)


@pytest.mark.parametrize(
    ("model", "change", "loss", "scale"),
    [
        (MASKED, without_mask, "mse", 0.6),
        (Sequential([SimpleRNN(3), Dense(3, "softmax")], (4, 2)), without_logits, "categorical_crossentropy", 30.0),
        (Sequential([SimpleRNN(3), Dense(3, "sigmoid")], (4, 2)), without_logits, "binary_crossentropy", 30.0),
    ],
    ids=["the mean over all steps", "clipped shares for logits", "clipped probabilities for logits"],
)
def test_a_wrong_loss_differs_and_nothing_before_it(model, change, loss, scale):
    made = live(model, scale, seed=3)
    d = symrnn.derive(made)
    planted = replace(d, network=replace(d.network, heads=tuple(map(change, d.network.heads))))
    right = symrnn.check(made, X, loss=loss, derivation=d)
    assert wrong_rows(right) == []
    wrong = wrong_rows(symrnn.check(made, X, loss=loss, derivation=planted))
    assert "L" in wrong
    assert all("L" in name for name in wrong)
