"""Models drawn at random, over every dimension of those that Keras can build, and the numbers to compare.

A `Sketch` draws a model as a graph of symrnn's layers, with a choice function that a property test or a
seeded generator gives.
"""

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import keras
import numpy as np
import tensorflow

import symrnn
from symrnn.checking.keras_models import build
from symrnn.expressions.activations import ROW_ACTIVATIONS, activations
from symrnn.models.graph import Model, graph_of
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, Layer, Masking, Tensor, TimeDistributed
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
    states_of,
)
from symrnn.models.layers.table import Sequential
from symrnn.models.losses import LOSSES
from symrnn.models.network import Network

NAMES = sorted({*activations, *ROW_ACTIVATIONS} - {"glu"})  # glu halves the width, and a cell keeps its own
POSITIVE = ("softmax", "sigmoid", "softplus", "squareplus", "exponential")
SHARES = ("categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence", "poisson")
OTHERS = [name for name in LOSSES if name not in SHARES]
MASKED = {"leading": [0], "inner": [1], "trailing": [-1], "both ends": [0, -1], "none": [], "full": slice(None)}
KINDS = {SimpleRNNCell: SimpleRNN, LSTMCell: LSTM, GRUCell: GRU}
WANTED = [(what, name) for what in ("activation", "recurrent_activation") for name in NAMES]
WANTED += [(what, name) for what in ("loss", "masked loss") for name in LOSSES]
DEPTH = 6


# drawing models -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A tensor, its width, its number of steps (0 for rows), whether it has a mask."""

    tensor: Tensor
    width: int
    steps: int
    masked: bool = False


@dataclass(repr=False)
class Sketch:
    """A model being drawn.

    `wanted` is an activation for the first cell, or a loss; `ends` are those of a Dense under a loss of shares;
    `loss` is None for the sum of the outputs; `open` leaves the number of steps open; `shapes` are those of a sample
    of each input; `chain` are the layers of a Sequential, as long as it may be one; `states` are those that layers
    returned, with their cells; `cases` are the masks of samples.
    """

    choose: Callable[[tuple[Any, ...]], Any]
    wanted: tuple[str, str]
    ends: tuple[str, ...] = POSITIVE
    loss: str | None = None
    open: bool = False
    inputs: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    mask_values: list[float | None] = field(default_factory=list)
    more: list[Tensor] = field(default_factory=list)
    states: list[tuple[tuple, tuple]] = field(default_factory=list)
    chain: list[Layer] | None = field(default_factory=list)
    cases: list[str] = field(default_factory=list)

    def one(self, *options):
        return self.choose(options)

    def chance(self):
        return self.one(False, True)

    def model(self):
        """Layers with memory and without, one after the other, and what comes at the end."""
        self.loss = self.wanted[1] if "loss" in self.wanted[0] else self.one(None, None, *OTHERS)
        self.open = self.one(False, False, True)
        x = self.start()
        for left in self.one((0,), (1, 0), (0,), (0,), (1, 0), (2, 1, 0)):
            x = self.one(*[lambda x: x] * 4, self.plain, self.branch, self.shared)(x)
            x = self.recurrent(x, not left)
            if self.one(False, False, True) and left:
                self.more.append(x.tensor)
        if not x.steps and self.one(False, False, True):
            steps = self.one(1, 3, 4)
            x = self.recurrent(self.call(RepeatVector(steps), x, x.width, steps), self.chance())
        y = self.end(x)
        more = [] if self.loss in SHARES else [tensor for tensor in self.more if tensor is not y.tensor]
        if self.chain and not more and self.one(True, False):
            return Sequential(self.chain, self.inputs[0].layer.shape, self.inputs[0].layer.dtype)
        return Model(self.inputs, self.one([y.tensor, *more], [*more, y.tensor]))

    # ends

    def input(self, shape, dtype=None, mask_value=None):
        self.chain = None if self.inputs else self.chain
        steps = shape[0] if len(shape) == 2 or dtype else 0
        self.inputs.append(Input((None, *shape[1:]) if steps and self.open else shape, dtype))
        self.shapes.append(shape)
        self.mask_values.append(mask_value)
        return Value(self.inputs[-1], shape[-1], steps)

    def start(self):
        """Numbers or ids, masked or not."""
        kinds = ("masked numbers", "masked ids") if self.wanted[0] == "masked loss" else ()
        kind = self.one(*(kinds or ("numbers", "masked numbers", "ids", "masked ids")))
        steps, width = self.one(3, 4), self.one(2, 3, 1)
        if kind == "numbers":
            return self.input((self.one(3, 4, 2, 1), width))
        if kind == "masked numbers":
            value = self.one(0.0, 0.5, -1.0)
            return self.call(Masking(value), self.input((steps, width), mask_value=value), width, masked=True)
        masked = kind == "masked ids"
        ids = self.input((steps,), self.one("float64", "int32"), 0.0 if masked else None)
        return self.call(Embedding(DEPTH, width, masked), ids, width, masked=masked)

    def end(self, x):
        """A sequence, or rows; through a layer that suits the loss."""
        if x.steps and self.wanted[0] != "masked loss":
            layer = self.one(None, GlobalAveragePooling1D(), GlobalMaxPooling1D(), *([] if self.open else [Flatten()]))
            width = x.width * x.steps if isinstance(layer, Flatten) else x.width
            x = x if layer is None else self.call(layer, x, width, steps=0)
        if self.loss in SHARES:
            return self.dense(x, self.one(3, 2), self.one(*self.ends))
        return self.one(self.dense, self.plain, self.glu, lambda x: x)(x)

    # layers without memory

    def call(self, layer, x, width, steps=None, masked=None):
        """A call with one result: a link of the chain."""
        if self.chain is not None:
            self.chain.append(layer)
        steps = x.steps if steps is None else steps
        return Value(layer(x.tensor), width, steps, bool(steps) and (x.masked if masked is None else masked))

    def plain(self, x):
        relu = ReLU(self.one(None, 6.0, 0.7), self.one(0.0, 0.25), self.one(0.0, 0.125))
        kinds = [Activation(self.one(*NAMES)), LeakyReLU(self.one(0.3, 0.1)), ELU(self.one(1.0, 0.5)), relu]
        kinds += [PReLU((1,) if x.steps and (self.open or self.chance()) else None), Dropout(0.5), None]
        kinds += [] if x.masked else [Softmax()]  # Keras would apply the mask to the wrong axis
        layer = self.one(*kinds)
        return self.dense(x) if layer is None else self.call(layer, x, x.width)

    def dense(self, x, units=None, activation=None):
        units = units or self.one(2, 3, 1)
        layer = Dense(units, activation or self.one(None, *NAMES), self.one(True, False))
        return self.call(self.one(layer, TimeDistributed(layer)) if x.steps else layer, x, units)

    def glu(self, x):
        """The last layer: Keras takes its width for that of its input."""
        layer = Activation("glu") if x.width == 2 else Dense(4, "glu")
        return self.call(layer, x, 2 if isinstance(layer, Dense) else 1)

    def merged(self, x, y):
        """Two sequences, or two rows, into one."""
        layer = self.one(*([Add(), Multiply(), Average()] if x.width == y.width else []), Concatenate())
        self.chain = None
        width = x.width + y.width if isinstance(layer, Concatenate) else x.width
        return Value(layer([x.tensor, y.tensor]), width, x.steps, x.masked and y.masked)

    def branch(self, x):
        other = self.one(self.plain, self.recurrent)(x)
        self.chain = None
        return self.merged(other, x) if other.steps == x.steps else other  # a decoder may have read another input

    def shared(self, x):
        """A layer that is called twice."""
        layer = Dense(x.width) if self.chance() else self.layer([self.cell(x.width)], return_sequences=True)
        first = self.call(layer, x, x.width)
        self.chain = None
        second = self.call(layer, first, x.width)
        return self.one(second, self.merged(first, second))

    # layers with memory

    def cell(self, units=None, kind=None):
        """A cell, the first one with the activation that is wanted."""
        what, name = self.wanted
        kind = kind or self.one(*([LSTMCell, GRUCell] if what == "recurrent_activation" else KINDS))
        given = {"activation": self.one("tanh", *NAMES)}
        if kind is not SimpleRNNCell:
            given["recurrent_activation"] = self.one("sigmoid", *NAMES)
        if kind is GRUCell:
            given["reset_after"] = self.one(True, False)
        if "activation" in what:
            given[what] = name
            self.wanted = ("", "")
        return kind(units or self.one(2, 3, 1), use_bias=self.one(True, True, False), **given)

    def layer(self, cells, **options):
        """The layer of a cell, or an RNN of it, or of several."""
        for option in ("zero_output_for_mask", "unroll", "go_backwards"):
            options.setdefault(option, self.one(False, True))
        options["unroll"] &= not self.open
        if "crossentropy" in str(self.loss) and cells[-1].activation in ("softmax", "sigmoid"):
            options["unroll"] = False  # Keras would keep the logits of a SimpleRNN's last state, which symrnn does not
        if len(cells) > 1 or self.one(False, False, True):
            return RNN(cells if len(cells) > 1 else cells[0], **options)
        arguments = {part.name: getattr(cells[0], part.name) for part in fields(cells[0])}
        return KINDS[type(cells[0])](**arguments, **options)

    def recurrent(self, x, last=False):
        sequences = not last or self.wanted[0] == "masked loss" or self.one(False, True)
        return self.one(self.one_way, self.one_way, self.both_ways)(x, sequences)

    def one_way(self, x, sequences):
        """A layer in one direction; a decoder of states that were kept, perhaps on an input of its own."""
        states = None
        if self.states and self.one(True, True, False):
            cells, states = self.states.pop()
            cells = [self.cell(cell.units, type(cell)) for cell in cells]
            x = self.input((self.one(2, 5), self.one(2, 1))) if self.one(True, False) else x
        else:
            cells = [self.cell() for _ in range(self.one(1, 1, 1, 2, 3))]
            if self.one(False, False, False, True):
                states = self.initial(cells)
        layer = self.layer(cells, return_sequences=sequences, return_state=self.one(False, False, True))
        return self.with_states(layer, x, cells, states, cells[-1].units)

    def both_ways(self, x, sequences):
        """Two directions: of one kind, perhaps with states, of two kinds, or of several cells."""
        cells = [self.cell() for _ in range(self.one(1, 1, 2))]
        mode, forwards = self.one(*MERGE_MODES), self.one(True, True, False)
        stateful = len(cells) == 1 and self.chance()
        options = {"return_sequences": sequences, "return_state": stateful}
        backward = None
        if not forwards or self.chance():
            other = self.cell(cells[-1].units, type(cells[0]) if stateful else None)
            backward = self.layer([other], **options, go_backwards=forwards)
        states = self.initial(cells * 2) if stateful and self.chance() else None
        layer = Bidirectional(self.layer(cells, **options, go_backwards=not forwards), mode, backward)
        width = cells[-1].units * (2 if mode == "concat" else 1)
        return self.with_states(layer, x, cells * 2, states, width)

    def initial(self, cells):
        """States that are inputs of the model."""
        return [self.input((units,)).tensor for cell in cells for _, units in states_of(cell)]

    def with_states(self, layer, x, cells, states, width):
        """What a call returns; its states may be a decoder's, or outputs of the model."""
        inner = getattr(layer, "layer", layer)
        steps = x.steps if inner.return_sequences else 0
        if states is None and layer.results == 1:
            return self.call(layer, x, width, steps)
        self.chain = self.chain if states is None and not inner.return_state else None
        outputs = 2 if getattr(layer, "merge_mode", "") is None else 1
        found = layer(x.tensor, initial_state=states)
        found = found if layer.results > 1 else (found,)
        values = [Value(tensor, width, steps, x.masked and bool(steps)) for tensor in found[:outputs]]
        if inner.return_state:
            count = sum(len(states_of(cell)) for cell in inner.cells)
            self.states.append((inner.cells, found[outputs:][:count]))
            self.more += found[-1:] if self.chance() and "crossentropy" not in str(self.loss) else ()  # as in `layer`
        return values[0] if outputs == 1 else self.merged(*values)


# numbers ------------------------------------------------------------------------------------------


@contextmanager
def in_float64():
    """Keras with float64 for everything."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@dataclass(frozen=True)
class Trial:
    """A model with numbers: what Keras computes, and how symrnn computes the same from the weights."""

    network: Network
    weights: list[np.ndarray]
    nudges: list[np.ndarray]
    theirs: list[np.ndarray]
    numbers: Callable[[list[np.ndarray]], list[np.ndarray]]

    def ours(self):
        """Outputs, the objective, and its gradients by the weights and by the inputs that are no ids."""
        return self.numbers(self.weights)

    def wider(self):
        """The same in a wider type and with weights that are off by a rounding: how far the last digits decide."""
        pairs = zip(self.weights, self.nudges, strict=True)
        return self.numbers([weight * (1 + np.longdouble(2**-50) * nudge) for weight, nudge in pairs])


def trial_of(sketch, model, generator, size=1.0, spread=0.6):
    """A drawn model with numbers; those of its inputs are about `size`, its weights at most `spread`."""
    loss = sketch.loss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras' of a softmax over one unit, and of masks that a layer ignores
        live = build(model)
        derivation = symrnn.derive(model if sketch.chance() else live)
        weights = [generator.uniform(-spread, spread, weight.shape) for weight in live.get_weights()]
        live.set_weights(weights)
        inputs, predict = inputs_for(sketch, model, generator, size), derivation.lambdify()
        shapes = [np.shape(y) for y in listed(predict(alone(inputs), weights))]
        targets = [] if loss is None else [target_for(loss, shape, generator) for shape in shapes]
        theirs = keras_numbers(live, derivation.network, loss, inputs, targets)
    nudges = [generator.uniform(-1, 1, weight.shape) for weight in weights]
    return Trial(derivation.network, weights, nudges, theirs, own_numbers(derivation, predict, loss, inputs, targets))


def inputs_for(sketch, model, generator, size):
    """Normal numbers, or ids; of each sample some steps are masked where a mask is. An average needs a valid one."""
    averaged = any(isinstance(layer, GlobalAveragePooling1D) for layer in graph_of(model).layers)
    cases = [case for case in MASKED if case != "full" or not averaged]
    samples = sketch.one(3, 4, 2, 1)
    inputs = []
    for tensor, shape, value in zip(sketch.inputs, sketch.shapes, sketch.mask_values, strict=True):
        x = size * generator.normal(size=(samples, *shape))
        if tensor.layer.dtype is not None:
            x = generator.integers(value is not None, DEPTH, x.shape).astype(tensor.layer.dtype)
        for row in x if value is not None else ():
            case = sketch.one(*cases)
            row[MASKED[case]] = value
            sketch.cases.append(case)
        inputs.append(x)
    return inputs


def target_for(loss, shape, generator):
    """For an output the number of a class, shares, zeros and ones, or numbers."""
    if loss == "sparse_categorical_crossentropy":
        return generator.integers(shape[-1], size=shape[:-1])
    if loss in SHARES:
        return generator.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    bits = "cross" in loss or "hinge" in loss
    return generator.integers(2, size=shape).astype(float) if bits else generator.normal(size=shape)


def keras_numbers(live, network, loss, inputs, targets):
    """Predictions, the loss, and the gradients by the weights, and by the inputs that are no ids."""
    tensors = [tensorflow.convert_to_tensor(x) for x in inputs]
    floats = [tensor for tensor, source in zip(tensors, network.sources, strict=True) if not source.is_flat]
    variables = [variable.value for variable in live.weights]
    with tensorflow.GradientTape() as tape:
        tape.watch([*variables, *floats])
        outputs = keras.tree.flatten(live(alone(tensors), training=False))
        if loss is None:
            value = sum(tensorflow.reduce_sum(y) for y in outputs)
        else:
            live.compile(loss=loss)
            value = live.compute_loss(y=alone(targets), y_pred=alone(outputs))
    slopes = tape.gradient(value, [*variables, *floats], unconnected_gradients="zero")
    return [np.asarray(tensorflow.convert_to_tensor(result)) for result in (*outputs, value, *slopes)]


def own_numbers(derivation, predict, loss, inputs, targets):
    """The same from the derivation, as a function of the weights."""
    network, x = derivation.network, alone(inputs)
    wrt = [array.name.code for array in network.arrays]
    wrt += [source.symbol.name for source in network.sources if not source.is_flat]
    gradient = derivation.gradient(loss, wrt).lambdify()

    def numbers(weights):
        outputs = listed(predict(x, weights))
        if loss is None:
            return [*outputs, sum(map(np.sum, outputs)), *gradient(x, weights)]
        value, slopes = gradient(x, alone(targets), weights)
        return [*outputs, value, *slopes]

    return numbers


def alone(values):
    return values[0] if len(values) == 1 else values


def listed(value):
    return value if isinstance(value, list) else [value]
