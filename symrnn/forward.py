"""From layers to the forward program: each layer adds its equations to those before it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch

from sympy import Expr

from symrnn.functions import activation_name
from symrnn.layers import (
    Activation,
    Dense,
    Dropout,
    Layer,
    Sequential,
    SimpleRNN,
    TimeDistributed,
    activate,
    activated,
    affine,
    width,
)  # fmt: skip
from symrnn.matrices import N, shape_of, variable, zeros
from symrnn.notation import Letter
from symrnn.program import Carry, Equation, Item, Program, Reversal, recurrence


@dataclass(frozen=True)
class Weight:
    """One row of the table symbol, Keras weight, shape: `layer` is the layer's place, from 0."""

    symbol: Expr
    letter: Letter
    layer: int
    keras: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class State:
    """A recurrent layer's state: the family h_t, and the input h_{-1} if it has one."""

    symbol: Expr
    layer: int
    initial: Expr | None


@dataclass(frozen=True)
class Network:
    """The forward program of a model and what belongs to it.

    `logits` is what the last activation was applied to, where Keras' crossentropies use it.
    """

    model: Sequential
    program: Program
    weights: tuple[Weight, ...]
    states: tuple[State, ...]
    logits: Expr | None
    sequence: bool

    @property
    def output(self) -> Expr:
        """The output's symbol, y or the family y_t."""
        return self.program.outputs[0]

    @property
    def outputs(self) -> int:
        """The number of columns of the output."""
        return width(self.output)


@dataclass
class _Build:
    """What the layers have added so far; local to one call of `forward`."""

    letters: dict[Expr, Letter] = field(default_factory=dict)
    inputs: list[Expr] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    value: Expr | None = None
    sequence: bool = True
    logits: Expr | None = None

    def symbol(self, letter: Letter, *shape: object) -> Expr:
        made = variable(letter.code, shape)
        self.letters[made] = letter
        return made

    def rows(self, letter: Letter, columns: int) -> Expr:
        """A symbol with one row per sample, and one element per time step while `sequence`."""
        return self.symbol(letter.at("t") if self.sequence else letter, N, columns)

    def pre_activation(self, letter: Letter, layer: SimpleRNN | Dense) -> Expr | None:
        """What the activation is applied to; where it is linear there is no such symbol."""
        return None if activation_name(layer.activation) == "linear" else self.rows(letter, layer.units)

    def weight(self, letter: Letter, place: int, keras: str, *shape: int) -> Expr:
        """A kernel, or a bias, whose Keras shape has one axis and whose symbol is a row."""
        letter = replace(letter, axes=len(shape))
        made = self.symbol(letter, *((1, *shape) if len(shape) == 1 else shape))
        self.inputs.append(made)
        self.weights.append(Weight(made, letter, place, keras, shape))
        return made

    def append(self, equations: list[Equation]) -> None:
        """Equations of a layer without memory: once, or in every step of a sequence."""
        if not self.sequence:
            self.items += equations
            return
        stacked = [equation.lhs for equation in equations]
        self.items.append(recurrence(equations, [self.value], stacked=stacked, letters=self.letters))


def forward(model: Sequential) -> Network:
    """The network of a model: for the model's layers in turn, their equations for one step.

    Raises:
        ValueError: a recurrent layer that does not get a sequence.
    """
    build = _Build()
    layers = _fuse(model.layers)
    x = build.symbol(Letter("x", time="t"), N, model.input_shape[1])
    build.value = x
    for place, layer in layers:
        if not isinstance(layer, Dropout):
            _apply(layer, build, place, _numbers(layers, place), place == _last(layers))
    if build.letters[build.value].base != "y" or build.letters[build.value].layer:
        y = build.rows(Letter("y"), width(build.value))
        build.append([Equation(y, build.value)])
        build.value = y
    program = Program(tuple(build.inputs), (x,), tuple(build.items), (build.value,), build.letters)
    return Network(model, program, tuple(build.weights), tuple(build.states), build.logits, build.sequence)


Placed = tuple[int, Layer]


def _fuse(layers: Sequence[Layer]) -> list[Placed]:
    """Dense without activation, then Activation: one y = f(x W + b_o); Dropout between is nothing."""
    fused: list[Placed] = []
    for place, layer in enumerate(layers):
        before = fused[-1][1] if fused else None
        if isinstance(layer, Activation) and isinstance(before, Dense) and before.activation in (None, "linear"):
            fused[-1] = (fused[-1][0], replace(before, activation=layer.activation))
        elif not isinstance(layer, Dropout):
            fused.append((place, layer))
    return fused


def _numbers(layers: list[Placed], place: int) -> int | None:
    """The layer's number among those of its kind, if there are several."""
    kind = {place: Dense if isinstance(layer, TimeDistributed) else type(layer) for place, layer in layers}
    same = [other for other in kind if kind[other] is kind[place]]
    return same.index(place) + 1 if len(same) > 1 else None


def _last(layers: list[Placed]) -> int:
    return layers[-1][0] if layers else -1


@singledispatch
def _apply(layer: Layer, build: _Build, place: int, number: int | None, last: bool) -> None:
    """Add the layer's symbols and equations; `number` is its layer number, `last` makes it y."""
    raise NotImplementedError(f"layer {place + 1}: {type(layer).__name__} is not supported")


@_apply.register
def _(layer: SimpleRNN, build: _Build, place: int, number: int | None, last: bool) -> None:
    x = build.value
    if not build.sequence:
        raise ValueError(
            f"layer {place + 1} (SimpleRNN): expected a sequence (samples, timesteps, features), got the shape "
            f"(samples, {width(x)}); the recurrent layer before it needs return_sequences=True"
        )
    U = build.weight(Letter("U", layer=number), place, "kernel", width(x), layer.units)
    V = build.weight(Letter("V", layer=number), place, "recurrent_kernel", layer.units, layer.units)
    b = build.weight(Letter("b", sub="h", layer=number), place, "bias", layer.units) if layer.use_bias else None
    letter = Letter("h", layer=number)
    a = build.pre_activation(Letter("a", layer=number), layer)
    h = build.rows(letter, layer.units)
    before, start, end = ("t+1", "T", "0") if layer.go_backwards else ("t-1", -1, "T-1")
    h_prev = build.symbol(letter.at(before), N, layer.units)
    final = None if layer.return_sequences else build.symbol(letter.at(end), N, layer.units)
    initial = build.symbol(letter.at(start), N, layer.units) if layer.initial_state else None
    if initial is not None:
        build.inputs.append(initial)
    carry = Carry(h_prev, h, zeros(shape_of(h)) if initial is None else initial, final)
    equations = activated(layer.activation, affine([(x, U), (h_prev, V)], b), a, h)
    stacked = [equation.lhs for equation in equations]
    build.items.append(recurrence(equations, [x], [carry], stacked, reverse=layer.go_backwards, letters=build.letters))
    build.states.append(State(h, place, initial))
    build.sequence, build.logits = layer.return_sequences, None
    build.value = _in_processing_order(h, layer, build) if layer.return_sequences else final


def _in_processing_order(h: Expr, layer: SimpleRNN, build: _Build) -> Expr:
    """Keras returns the sequence of a layer that goes backwards as it was computed, last step first."""
    if not layer.go_backwards:
        return h
    letter = build.letters[h]
    turned = build.rows(replace(letter, base="s"), width(h))
    build.items.append(Reversal(turned, h))
    return turned


@_apply.register
def _(layer: Dense, build: _Build, place: int, number: int | None, last: bool) -> None:
    x = build.value
    W = build.weight(Letter("W", layer=number), place, "kernel", width(x), layer.units)
    b = build.weight(Letter("b", sub="o", layer=number), place, "bias", layer.units) if layer.use_bias else None
    a = build.pre_activation(Letter("a", sub="o", layer=number), layer)
    y = build.rows(Letter("y", layer=None if last else number or 1), layer.units)
    equations = activated(layer.activation, affine([(x, W)], b), a, y)
    build.append(equations)
    build.value = y
    build.logits = a if layer.activation in ("softmax", "sigmoid") else None


@_apply.register
def _(layer: TimeDistributed, build: _Build, place: int, number: int | None, last: bool) -> None:
    if not build.sequence:
        raise ValueError(
            f"layer {place + 1} (TimeDistributed): expected a sequence (samples, timesteps, features), "
            f"got the shape (samples, {width(build.value)})"
        )
    _apply(layer.layer, build, place, number, last)
    build.logits = None


@_apply.register
def _(layer: Activation, build: _Build, place: int, number: int | None, last: bool) -> None:
    x = build.value
    y = build.rows(Letter("y") if last else Letter("g", layer=number), width(x))
    build.append([Equation(y, activate(layer.activation, x))])
    build.value = y
    if activation_name(layer.activation) != "linear":  # Keras' linear returns the tensor that it gets
        build.logits = x if layer.activation in ("softmax", "sigmoid") else None
