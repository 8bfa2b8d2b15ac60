"""The bank: the programs that every law is tested on, and what the tests compare programs with."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import chain
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import QQ, Eq, Expr, Float, MatrixSymbol, Rational, Symbol, atan, hadamard_product, tanh
from sympy.core.function import Application
from sympy.polys.rings import PolyElement, PolyRing, ring

from symrnn.documents.example import Example, example_of
from symrnn.expressions.activations import activations
from symrnn.expressions.functions import NamedFunction, define
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, transpose, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Differs, N, OneHot, steps_symbol
from symrnn.interface import Derivation, Gradient, derive
from symrnn.models.custom_cell import Cell
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, Layer, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.models.layers.rnn import (
    GRU,
    LSTM,
    MERGE_MODES,
    RNN,
    Bidirectional,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)
from symrnn.models.layers.table import Sequential
from symrnn.models.losses import with_loss, with_sum
from symrnn.programs.adjoint import backprop
from symrnn.programs.expansion import expand
from symrnn.programs.program import (
    Carry,
    Equation,
    Program,
    Recurrence,
    Statement,
    defines,
    families,
    reads,
    recurrence,
    right_sides,
    symbols_of,
)
from symrnn.programs.transforms import inline, length_of
from symrnn.programs.unrolling import unroll

Symbols = tuple[Expr, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """A program, and for how many steps and samples it is written out: T, or a number for each of several lengths.

    What tests ask for again is made once. A test that breaks the code takes a copy, `replace(case)`, which has nothing.
    """

    build: Callable[[], Program]
    timesteps: Any = 2
    rows: int = 1
    made: Callable[[Any], Sequential | Model] | None = None

    @cached_property
    def program(self) -> Program:
        """The program, with the loss if there is one."""
        return self.build()

    @property
    def model(self) -> Sequential | Model:
        """The model that the program was made from."""
        return self.at(self.timesteps)

    def at(self, timesteps: int | None) -> Sequential | Model:
        """The model for another number of time steps."""
        assert self.made is not None
        return self.made(timesteps)

    @cached_property
    def derivation(self) -> Derivation:
        """The derivation of the model."""
        return derive(self.model)

    @cached_property
    def gradient(self) -> Gradient:
        """The derivatives of the sum of its outputs."""
        return self.derivation.gradient()

    @cached_property
    def example(self) -> Example:
        """The derivation with numbers."""
        return example_of(self.derivation)

    @cached_property
    def backward(self) -> Program:
        """The program with its adjoint equations, and the derivatives by all inputs as outputs."""
        return backprop(self.program, self.inputs)

    @cached_property
    def slopes(self) -> Symbols:
        """The derivatives by all inputs, written out."""
        return closed(self.backward, self)

    @cached_property
    def inputs(self) -> Symbols:
        """All that the program takes, without the target."""
        taken = (*self.program.inputs, *self.program.sequences)
        return tuple(symbol for symbol in taken if not symbol.name.startswith("y_true"))

    @property
    def own_lengths(self) -> dict[str, int]:
        """The lengths that no sequence given to the program tells."""
        told = {str(length_of(self.program.names, symbol)) for symbol in self.program.sequences}
        lengths = self.timesteps if isinstance(self.timesteps, dict) else {}
        return {str(steps): number for steps, number in lengths.items() if str(steps) not in told}

    def steps_of(self, family: Expr) -> int:
        """The number of time steps of a family."""
        lengths = self.timesteps
        return lengths[length_of(self.program.names, family)] if isinstance(lengths, dict) else lengths


def names_in(symbols: Symbols) -> str:
    """The names of symbols, as tests write them down."""
    return " ".join(symbol.name for symbol in symbols)


def case(*layers: Layer, T: int = 2, features: int = 1, loss: str | None = None, rows: int = 1) -> Case:
    """A model and its loss, or the sum of its outputs."""

    def made(timesteps: int | None) -> Sequential:
        return Sequential(layers, (timesteps,) if isinstance(layers[0], Embedding) else (timesteps, features))

    return graph(made, T, loss, rows)


def graph(made: Callable[[Any], Sequential | Model], T: Any = 2, loss: str | None = None, rows: int = 1) -> Case:
    """A model that is made for a number of time steps, and its loss, or the sum of its outputs."""

    def build() -> Program:
        network = forward(made(T))
        if loss == "sum":
            return with_sum(network)
        return network.program if loss is None else with_loss(network, loss)

    return Case(build, T, rows, made)


# the models ---------------------------------------------------------------------------------------

_sequence = {"return_sequences": True}
_backwards = {"go_backwards": True}
LOSSES = ("mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy")
_CROSSENTROPIES = LOSSES[3:]
_ACTIVATIONS = (None, "sigmoid", "relu", "elu", "softplus", "silu", "mish", "exponential", "hard_sigmoid", "gelu")

SIMPLE: dict[str, Case] = {
    "scalar": case(SimpleRNN(1), Dense(1), T=3),
    "one step": case(SimpleRNN(2), Dense(1), T=1, features=2),
    "one step backwards": case(SimpleRNN(1, **_backwards), Dense(1), T=1),
    "units": case(SimpleRNN(2), Dense(1), T=3),
    "features and outputs": case(SimpleRNN(2), Dense(2), features=2),
    "no bias": case(SimpleRNN(2, use_bias=False), Dense(1, use_bias=False)),
    "no Dense": case(SimpleRNN(2)),
    "backwards": case(SimpleRNN(2, **_backwards), Dense(1)),
    "sequence": case(SimpleRNN(2, **_sequence)),
    "sequence and Dense": case(SimpleRNN(2, **_sequence), Dense(2)),
    "sequence backwards": case(SimpleRNN(1, **_sequence, **_backwards), Dense(1), T=3),
    "stack": case(SimpleRNN(1, **_sequence), SimpleRNN(2), Dense(1)),
    "stack of sequences": case(SimpleRNN(2, **_sequence), SimpleRNN(1, **_sequence)),
    "stack backwards": case(SimpleRNN(1, **_sequence, **_backwards), SimpleRNN(1), Dense(1), T=3),
    "stack twice backwards": case(SimpleRNN(1, **_sequence, **_backwards), SimpleRNN(2, **_sequence, **_backwards)),
    "initial state": case(SimpleRNN(2, initial_state=True), Dense(1)),
    "initial state backwards": case(SimpleRNN(1, initial_state=True, **_sequence, **_backwards), Dense(1)),
    "stack with initial states": case(SimpleRNN(1, initial_state=True, **_sequence), SimpleRNN(1, initial_state=True)),
    "softmax output": case(SimpleRNN(1), Dense(3, "softmax")),
    "softmax inside": case(SimpleRNN(2, "softmax"), Dense(1)),
    "Activation": case(SimpleRNN(1, **_sequence), Activation("sigmoid"), SimpleRNN(1), Activation("softplus")),
    "Activation of a Dense": case(SimpleRNN(1), Dense(2), Dropout(0.5), Activation("softmax")),
    "Activation after an activation": case(SimpleRNN(1), Dense(2, "tanh"), Activation("sigmoid")),
    "Dropout": case(Dropout(0.5), SimpleRNN(1), Dropout(0.5), Dense(1), Dropout(0.5)),
    "TimeDistributed": case(SimpleRNN(1, **_sequence), TimeDistributed(Dense(2, "softmax"))),
    "Dense first": case(Dense(1, "tanh"), SimpleRNN(1), Dense(1)),
    "Dense first, no Dense last": case(Dense(1, "tanh"), SimpleRNN(1, **_sequence)),
    "Dense twice": case(SimpleRNN(1), Dense(2, "tanh"), Dense(2)),
    "Dense between": case(SimpleRNN(1, **_sequence), Dense(2, "sigmoid"), SimpleRNN(1), Dense(1)),
    "batch": case(SimpleRNN(2), Dense(1), rows=2),
    "batch of sequences": case(SimpleRNN(1, **_sequence), Dense(2, "softmax"), rows=2),
    "batch with initial state": case(SimpleRNN(1, initial_state=True), Dense(1), rows=2),
    **{f"activation {name}": case(SimpleRNN(1, name), Dense(1, name)) for name in _ACTIVATIONS},
}
"""Models of SimpleRNN and Dense, without a loss."""


# cells, both directions, masks, graphs --------------------------------------------------------------

_free = {"use_bias": False}
_MASK = Masking(0.5)
_BACKWARDS = SimpleRNN(1, **_backwards)


def _own_cell() -> Cell:
    """A cell with a second state: a = x U + h V + b, n = atan a, m' = m o n + m/2 + n, h' = n + m' o m'."""
    x, a, n, h, before = (MatrixSymbol(name, 1, 2) for name in ("x_t", "a_t", "n_t", "h_t", "h_prev"))
    m, memory = (MatrixSymbol(name, 1, 2) for name in ("m_t", "m_prev"))
    U, V, b = MatrixSymbol("U", 2, 2), MatrixSymbol("V", 2, 2), MatrixSymbol("b_h", 1, 2)
    equations = [
        Eq(a, x * U + before * V + b),
        Eq(n, a.applyfunc(atan)),
        Eq(m, hadamard_product(memory, n) + memory / 2 + n),
        Eq(h, n + hadamard_product(m, m)),
    ]
    states = {"h": (before, h), "m": (memory, m)}
    return Cell(equations, x, states, {"U": (2, 2), "V": (2, 2), "b_h": (2,)})


LAYERS: dict[str, Case] = {
    "LSTM": case(LSTM(1), Dense(1)),
    "LSTM of units": case(LSTM(2, **_free), Dense(1, **_free)),
    "LSTM of features": case(LSTM(2), T=1, features=2, rows=2),
    "LSTM of sequences": case(LSTM(1, **_free, **_sequence), Dense(2)),
    "LSTM backwards": case(LSTM(1, **_free, **_backwards), Dense(1)),
    "LSTM without activation": case(LSTM(1, None, "hard_sigmoid")),
    "LSTM of softmax": case(LSTM(2, "softmax", "softmax", **_free), T=1),
    "LSTM with initial states": case(LSTM(1, initial_state=True, **_free), Dense(1), rows=2),
    "LSTM that keeps its state": case(LSTM(1, stateful=True, **_free)),
    "GRU": case(GRU(1), Dense(1)),
    "GRU of units": case(GRU(2, **_free)),
    "GRU of features": case(GRU(2), T=1, features=2, rows=2),
    "GRU of sequences backwards": case(GRU(1, **_sequence, **_backwards), Dense(1)),
    "GRU with reset before": case(GRU(1, reset_after=False), Dense(1)),
    "GRU of units with reset before": case(GRU(2, None, "relu", reset_after=False, **_free)),
    "GRU with initial state": case(GRU(1, initial_state=True, **_free)),
    "SimpleRNN, LSTM": case(SimpleRNN(1, **_sequence), LSTM(1, **_free), T=2),
    "GRU, SimpleRNN": case(GRU(1, None, **_sequence, **_free), SimpleRNN(1)),
    "LSTM, GRU": case(LSTM(1, None, **_sequence, **_free), GRU(1, None, **_free), T=2),
    **{f"both ways, {mode}": case(Bidirectional(SimpleRNN(1), mode)) for mode in MERGE_MODES[:4]},
    **{f"sequence both ways, {mode}": case(Bidirectional(SimpleRNN(1, **_sequence), mode), Dense(1))
       for mode in MERGE_MODES[:4]},
    "both ways apart": case(Bidirectional(SimpleRNN(1), None)),
    "LSTM both ways": case(Bidirectional(LSTM(1, **_free)), Dense(1, **_free)),
    "GRU of sequences both ways": case(Bidirectional(GRU(1, **_sequence, **_free), "sum")),
    "two layers both ways": case(Bidirectional(GRU(1, **_free), "mul", backward_layer=_BACKWARDS)),
    "both ways, the first backwards": case(Bidirectional(_BACKWARDS, backward_layer=SimpleRNN(1, "relu")), Dense(1)),
    "cells": case(RNN([SimpleRNNCell(1), LSTMCell(1, **_free)])),
    "cells of sequences": case(RNN([GRUCell(2, **_free), SimpleRNNCell(1)], **_sequence), Dense(1)),
    "cells backwards": case(RNN([SimpleRNNCell(2), SimpleRNNCell(1)], **_backwards), rows=2),
    "one cell in a list": case(RNN([SimpleRNNCell(1)]), Dense(1)),
    "cells with initial states": case(RNN([SimpleRNNCell(1), SimpleRNNCell(1)], initial_state=True)),
    "a cell of its own": case(RNN(_own_cell()), Dense(1), features=2, rows=2),
    "masked SimpleRNN": case(_MASK, SimpleRNN(2), Dense(1), features=2),
    "masked SimpleRNN of sequences": case(_MASK, SimpleRNN(1, **_sequence), SimpleRNN(1), rows=2),
    "masked SimpleRNN backwards": case(_MASK, SimpleRNN(1, **_sequence, **_backwards), Dense(1)),
    "masked LSTM": case(_MASK, LSTM(1, **_free), Dense(1)),
    "masked GRU": case(_MASK, GRU(1, **_free), Dense(1)),
    "masked cells": case(_MASK, RNN([SimpleRNNCell(1), LSTMCell(1, **_free)])),
    "masked both ways": case(_MASK, Bidirectional(SimpleRNN(1, **_sequence), "sum"), Dense(1)),
    "masked to zero": case(_MASK, SimpleRNN(1, zero_output_for_mask=True)),
    "masked sequence to zero": case(_MASK, GRU(1, zero_output_for_mask=True, **_sequence, **_free), Dense(1)),
    "Flatten": case(SimpleRNN(2, **_sequence), Flatten(), Dense(2)),
    "RepeatVector": case(SimpleRNN(2), RepeatVector(2), SimpleRNN(1, **_sequence), Dense(2)),
    "average": case(SimpleRNN(2, **_sequence), GlobalAveragePooling1D(), Dense(1)),
    "masked average": case(_MASK, SimpleRNN(1, **_sequence), GlobalAveragePooling1D(), rows=2),
    "maximum": case(SimpleRNN(2, **_sequence), GlobalMaxPooling1D(), Dense(1)),
    "Embedding": case(Embedding(3, 2), SimpleRNN(1)),
    "masked Embedding": case(Embedding(3, 1, mask_zero=True), SimpleRNN(1), Dense(1), rows=2),
    "ReLU": case(SimpleRNN(1, **_sequence), ReLU(1.0, 0.25, 0.5)),
    "LeakyReLU": case(SimpleRNN(1), LeakyReLU(), Dense(1)),
    "ELU": case(SimpleRNN(1), ELU(0.5), Dense(1)),
    "PReLU": case(SimpleRNN(2, **_sequence), PReLU((1,)), SimpleRNN(1), PReLU()),
    "Softmax": case(SimpleRNN(2), Dense(2), Softmax()),
    "glu": case(SimpleRNN(2), Dense(4, "glu"), Activation("log_softmax")),
}  # fmt: skip
"""Layers one after the other."""


def _merged(layer: Layer, **options: Any) -> Callable[[Any], Model]:
    def made(timesteps: int | None) -> Model:
        x = Input((timesteps, 1))
        return Model(x, Dense(1)(layer(SimpleRNN(2, **options)(x), SimpleRNN(2, "relu", **options)(x))))

    return made


def _two(timesteps: Any) -> tuple[Any, Any]:
    """Two lengths: those of a mapping, a number and the next one, or both open."""
    if isinstance(timesteps, dict):
        return tuple(timesteps.values())
    return timesteps, None if timesteps is None else timesteps + 1


def _shared(timesteps: Any) -> Model:
    first, second = (Input((number, 1)) for number in _two(timesteps))
    layer, dense = SimpleRNN(1), Dense(1)
    return Model([first, second], dense(Concatenate()(layer(first), layer(second))))


def _masked_merge(layer: Layer) -> Callable[[Any], Model]:
    def made(timesteps: int | None) -> Model:
        first, second = Input((timesteps, 1)), Input((timesteps, 1))
        merged = layer(Masking(0.5)(first), SimpleRNN(1, **_sequence)(Masking()(second)))
        return Model([first, second], SimpleRNN(1)(merged))

    return made


def _shared_in_a_row(timesteps: int | None) -> Model:
    x, dense = Input((timesteps, 2)), Dense(2, "tanh")
    return Model(x, SimpleRNN(1)(dense(dense(x))))


def _encoder_decoder(layer: type[Layer], **options: Any) -> Callable[[Any], Model]:
    def made(timesteps: Any) -> Model:
        x, start = (Input((number, 1)) for number in _two(timesteps))
        _, *states = layer(1, return_state=True, **options)(x)
        return Model([x, start], Dense(1)(layer(1, **_sequence, **options)(start, initial_state=states)))

    return made


def _repeated(timesteps: Any) -> Model:
    x = Input((_two(timesteps)[0], 1))
    return Model(x, SimpleRNN(1)(RepeatVector(3)(SimpleRNN(1)(x))))


def _states(timesteps: int | None) -> Model:
    x, h = Input((timesteps, 1)), Input((2,))
    return Model([x, h], SimpleRNN(2)(x, initial_state=h))


def _masked_states(timesteps: int | None) -> Model:
    x, h = Input((timesteps, 1)), Input((1,))
    mask = NotEqual(0.5)(x)
    return Model([x, h], SimpleRNN(1)(x, initial_state=h, mask=mask))


def _mask_as_input(timesteps: int | None) -> Model:
    x, m = Input((timesteps, 1)), Input((timesteps,))
    return Model([x, m], SimpleRNN(1, **_sequence)(x, mask=m))


def _outputs(timesteps: int | None) -> Model:
    x = Input((timesteps, 1))
    h = SimpleRNN(1, **_sequence)(x)
    return Model(x, [Dense(2)(h), Dense(1, "sigmoid")(SimpleRNN(1)(h)), h])


def _state_of_both_ways(timesteps: int | None) -> Model:
    x = Input((timesteps, 1))
    first, *states = Bidirectional(SimpleRNN(1, **_sequence, return_state=True))(x)
    return Model(x, Bidirectional(SimpleRNN(1), "sum")(first, initial_state=states))


def _lengths(*numbers: int) -> dict[Expr, int]:
    return {steps_symbol(f"T_{i}" if i > 1 else "T"): number for i, number in enumerate(numbers, 1)}


GRAPHS: dict[str, Case] = {
    **{kind.__name__: graph(_merged(kind())) for kind in (Add, Multiply)},
    **{f"{kind.__name__} of sequences": graph(_merged(kind(), **_sequence)) for kind in (Average, Concatenate)},
    "masked Multiply": graph(_masked_merge(Multiply()), 3),
    "masked Concatenate": graph(_masked_merge(Concatenate()), 3),
    "a shared layer": graph(_shared, _lengths(1, 2)),
    "a layer after itself": graph(_shared_in_a_row),
    "encoder and decoder": graph(_encoder_decoder(SimpleRNN), _lengths(2, 1)),
    "LSTM encoder and decoder": graph(_encoder_decoder(LSTM, use_bias=False, activation=None), _lengths(2, 1)),
    "a length of its own": graph(_repeated, _lengths(2, 3)),
    "a state that is an input": graph(_states),
    "a mask that is given": graph(_masked_states),
    "a mask that is an input": graph(_mask_as_input),
    "several outputs": graph(_outputs),
    "states of both ways": graph(_state_of_both_ways),
}
"""Layers called on tensors."""

MODELS = SIMPLE | LAYERS | GRAPHS
"""Models without a loss."""

_OF_EACH_KIND = (
    *("LSTM", "GRU of units", "GRU with reset before", "LSTM that keeps its state", "cells of sequences"),
    *("GRU of sequences both ways", "both ways apart", "masked LSTM", "masked sequence to zero", "masked average"),
    *("maximum", "Flatten", "Embedding", "PReLU", "a shared layer", "encoder and decoder", "several outputs"),
)
SAMPLE = SIMPLE | {name: MODELS[name] for name in _OF_EACH_KIND}
"""A model of each kind, for the tests that take long."""

GATES: dict[str, Case] = {name: case(LSTM(1, None, name, **_free), T=1) for name in activations}
"""Every activation as that of the gates."""

_LINEAR = (SimpleRNN(1), Dense(2))
_LINEAR_SEQUENCE = (SimpleRNN(1, **_sequence), Dense(2))
_SOFTMAX = (SimpleRNN(1), Dense(2, "softmax"))
_SIGMOID_SEQUENCE = (SimpleRNN(1, **_sequence), Dense(2, "sigmoid"))
LOSS_MODELS: dict[str, Case] = {
    **{f"{loss}": case(*_LINEAR, T=1, loss=loss) for loss in LOSSES},
    **{f"{loss} of sequences": case(*_LINEAR_SEQUENCE, loss=loss) for loss in LOSSES},
    **{f"{loss} of a batch": case(*_LINEAR, loss=loss, rows=2) for loss in LOSSES[:3]},
    **{f"{loss} of a batch": case(*_SOFTMAX, loss=loss, rows=2) for loss in _CROSSENTROPIES},
    **{f"{loss} of a softmax": case(*_SOFTMAX, loss=loss) for loss in ("mse", *_CROSSENTROPIES)},
    **{f"{loss} of sigmoids": case(*_SIGMOID_SEQUENCE, loss=loss) for loss in _CROSSENTROPIES},
    "sum": case(*_LINEAR, loss="sum", rows=2),
    "sum of sequences": case(*_SIGMOID_SEQUENCE, loss="sum"),
    **{f"{loss} of a state": case(SimpleRNN(2, "softmax"), T=1, loss=loss) for loss in _CROSSENTROPIES},
}
"""Models with a loss; a crossentropy takes the logits of the last softmax or sigmoid, if it sees them."""


# programs that no model of layers gives -------------------------------------------------------------

_x, _h, _before, _last, _start = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "h_last", "h_init"))
_k, _k_before, _k_last = (MatrixSymbol(name, N, 2) for name in ("k_t", "k_prev", "k_last"))
_V, _b = MatrixSymbol("V", 2, 2), MatrixSymbol("b_h", 1, 2)
_LETTERS = {
    _x: Name("x", time="t"), _h: Name("h", time="t"), _before: Name("h", time="t-1"),
    _last: Name("h", time="T-1"), _start: Name("h", time=-1), _k: Name("k", time="t"),
    _k_before: Name("k", time="t-1"), _k_last: Name("k", time="T-1"), _V: Name("V"), _b: Name("b", sub="h"),
}  # fmt: skip
_nothing = zeros((N, 2))
_bias = multiply(ones((N, 1)), _b)


def _cell(x: Expr, before: Expr, after: Expr, *more: Expr) -> Equation:
    return Equation(after, elementwise(tanh(SLOTS[0]), add(x, multiply(before, _V), *more)))


def _layer(*equations: Equation, carry: Carry, stacked: Symbols = (_h,), reads: Expr = _x) -> Statement:
    return recurrence(equations, [reads], [carry], stacked, names=_LETTERS)


_FIRST = _layer(_cell(_x, _before, _h), carry=Carry(_before, _h, _nothing, _last))


def _made(inputs: Symbols, items: Sequence[Statement], *outputs: Expr, T: int = 2, rows: int = 1) -> Case:
    return Case(lambda: Program(inputs, (_x,), tuple(items), outputs, _LETTERS), T, rows)


_SECOND = _layer(_cell(_h, _k_before, _k), carry=Carry(_k_before, _k, _nothing, _k_last), stacked=(_k,), reads=_h)
_SUM_OF_ALL = _layer(
    Equation(_k, _h), carry=Carry(_k_before, add(_k_before, _k), _last, _k_last), stacked=(_k,), reads=_h
)
_OF_THE_LAST = _layer(
    Equation(_k, hadamard(add(_x, _k_before), _last)), carry=Carry(_k_before, _k, _last, _k_last), stacked=(_k,)
)
_DELAY = _layer(carry=Carry(_before, _x, _nothing, _last), stacked=(_before,))
_ROTATED = Equation(
    _h,
    add(
        multiply(_x, transpose(_V)),
        multiply(3, hadamard(_before, _x, transpose(multiply(transpose(_V), transpose(_x))))),
    ),
)
PROGRAMS: dict[str, Case] = {
    "a weight of two layers": _made((_V,), [_FIRST, _SECOND], _k_last),
    "a state and all states": _made((_V,), [_FIRST, _SUM_OF_ALL], _k_last, _h, rows=2),
    "a state used twice": _made((_V,), [_FIRST, _OF_THE_LAST], _k_last),
    "a delay": _made((_V,), [_DELAY, recurrence([_cell(_before, _x, _h)], [_before, _x], stacked=[_h])], _h),
    "transposes and products": _made((_V, _start), [_layer(_ROTATED, carry=Carry(_before, _h, _start, _last))], _last),
    "an initial state that is computed": _made(
        (_V, _b), [_layer(_cell(_x, _before, _h), carry=Carry(_before, _h, _bias, _last))], _last, rows=2
    ),
    "a bias that is the initial state too": _made(
        (_V, _b), [_layer(_cell(_x, _before, _h, _bias), carry=Carry(_before, _h, _bias, _last))], _last
    ),
    "an initial state in every step": _made(
        (_V, _start), [_layer(_cell(_x, _before, _h, _start), carry=Carry(_before, _h, _start, _last))], _last
    ),
    "a next state that is a sum": _made(
        (_V,), [_layer(_cell(_x, _before, _h), carry=Carry(_before, add(_h, _before, _x), _nothing, _last))], _last
    ),
    "inputs among the outputs": _made((_V,), [_FIRST], _last, _V, _x),
    "the states before": _made((_V,), [replace(_FIRST, stacked=(_h, _before))], _before),
}  # fmt: skip
"""Programs made by hand."""

BANK = MODELS | LOSS_MODELS | PROGRAMS


def apart(bank: dict[str, Any]) -> dict[str, Any]:
    """The cases without those where a row holds all time steps: it has entries only when their number is known."""
    return {name: case for name, case in bank.items() if not name.startswith("Flatten")}


def over(bank: dict[str, Case]) -> pytest.MarkDecorator:
    """The test runs once for each case."""
    return pytest.mark.parametrize("case", bank.values(), ids=bank.keys())


# what is compared ---------------------------------------------------------------------------------


def defined(program: Program) -> Symbols:
    """All symbols that a program takes or defines and then uses, without the target.

    A last state whose family is used too is left out: by its own name it is used less than the element it is.
    """
    symbols = (*program.inputs, *program.sequences, *chain.from_iterable(map(defines, program.equations)))
    used = {*program.outputs, *families(program), *chain.from_iterable(map(reads, program.equations))}
    inner = [item for item in program.equations if isinstance(item, Recurrence)]
    steps = symbols_of(step.rhs for item in inner for step in item.body.assignments)
    twice = {carry.final for item in inner for carry in item.carries if carry.next in steps}
    kept = (symbol for symbol in symbols if symbol in used and symbol not in twice)
    return tuple(symbol for symbol in kept if not symbol.name.startswith("y_true"))


def unrolled(program: Program, symbols: Symbols, timesteps: int) -> Symbols:
    """What the symbols are called after `unroll`."""
    return unroll(replace(program, outputs=symbols), timesteps).outputs


def expanded(program: Program, symbols: Symbols, rows: int = 1) -> Symbols:
    """What the symbols are called after `expand`."""
    return expand(replace(program, outputs=symbols), rows).outputs


def closed(program: Program, case: Case) -> Symbols:
    """The outputs of a program, written out in time and entries, as expressions in its inputs."""
    return inline(expand(unroll(program, case.timesteps), case.rows))


def same(left: Iterable[Expr], right: Iterable[Expr]) -> bool:
    """Whether the expressions are equal in turn."""
    return all(a == b or _is_zero(a - b) for a, b in zip(left, right, strict=True))


def _is_zero(expr: Expr) -> bool:
    """Whether the expression is zero as a polynomial in its symbols and functions, or when it is multiplied out."""
    found = list(dict.fromkeys(_indeterminates(expr)))
    polynomials, *generators = ring([f"z{i}" for i in range(len(found))], QQ)
    values = dict(zip(found, generators, strict=True))
    return _polynomial(expr, values, polynomials) == 0 or sympy.expand(expr) == 0


def _indeterminates(expr: Expr) -> Iterator[Expr]:
    """The symbols, functions and other powers in an expression that are in no other function."""
    if expr.is_Symbol or isinstance(expr, Application) or (expr.is_Pow and not _is_power(expr)):
        yield expr
    else:
        for part in expr.args:
            yield from _indeterminates(part)


def _is_power(expr: Expr) -> bool:
    return expr.exp.is_Integer and expr.exp > 0


def _polynomial(expr: Expr, values: dict[Expr, PolyElement], polynomials: PolyRing) -> PolyElement:
    """An expression, with these values for its indeterminates, as a polynomial; much faster than `expand`."""
    if expr in values:
        return values[expr]
    if expr.is_Pow:
        return _polynomial(expr.base, values, polynomials) ** int(expr.exp)
    if not expr.args:
        return polynomials(QQ.from_sympy(Rational(expr)))
    parts = [_polynomial(part, values, polynomials) for part in expr.args]
    return reduce(operator.add if expr.is_Add else operator.mul, parts)


def same_for_probabilities(left: Symbols, right: Symbols) -> bool:
    """Whether the expressions are equal in turn where the entries of a row of y_true sum to one."""
    rows: dict[str, list[Symbol]] = {}
    for symbol in sorted(set().union(*(expr.free_symbols for expr in (*left, *right))), key=str):
        if symbol.name.startswith("y_true"):
            rows.setdefault(symbol.name.rpartition("_")[0], []).append(symbol)
    last = {row[-1]: 1 - sympy.Add(*row[:-1]) for row in rows.values() if len(row) > 1}
    return same((expr.xreplace(last) for expr in left), (expr.xreplace(last) for expr in right))


# numbers ------------------------------------------------------------------------------------------


def exact(expr: Expr) -> Expr:
    """The expression with each decimal number as the fraction that it is."""
    return expr.replace(lambda e: isinstance(e, Float), Rational)


def written_out(expr: Expr) -> Expr:
    """The expression with the definitions of all named functions, and of those in them."""
    while expr != (expr := define(expr)):
        pass
    return expr


def computable(expr: Expr) -> Expr:
    """The expression with the stable forms of all named functions, and of those in them."""
    while expr.has(NamedFunction):
        expr = expr.replace(lambda e: isinstance(e, NamedFunction), lambda e: e.stable())
    return expr


def fitted(symbol: Expr, array: np.ndarray, program: Program, generator: np.random.Generator) -> np.ndarray:
    """An input as the program's nodes need it: whole numbers where they are ids, and every second step masked."""
    for node in chain.from_iterable(expr.atoms(OneHot, Differs) for expr in right_sides(program)):
        if node.args[0] == symbol and isinstance(node, OneHot):
            array = generator.integers(int(node.args[1]), size=array.shape).astype(array.dtype)
        elif node.args[0] == symbol:
            order = generator.permuted(np.tile(np.arange(array.shape[1]), (array.shape[0], 1)), axis=1)
            masked = (order % 2 == 1)[..., None]
            array = np.where(masked, np.array(float(node.args[1]), array.dtype), array)
    return array


def evaluate(program: Program, case: Case, *arrays: Any) -> np.ndarray:
    """The outputs in double precision, for one array per input and (time first) per sequence."""
    whole = expand(unroll(program, case.timesteps), case.rows)
    equations = [(equation.lhs, computable(equation.rhs)) for equation in whole.equations]
    f = sympy.lambdify(whole.inputs, whole.outputs, modules="math", cse=lambda outputs: (equations, list(outputs)))
    return np.array(f(*np.concatenate([np.ravel(array) for array in arrays]).tolist()))
