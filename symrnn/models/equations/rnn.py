"""Recurrent layers: the cells' steps as a recurrence, with masks, initial states and directions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from symrnn.common.errors import cut_repr
from symrnn.expressions.matrices import add, elementwise, is_zero, scaled, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N, RowSoftmax, T
from symrnn.expressions.shapes import shape_of
from symrnn.models.builder import (
    MERGES,
    CallScope,
    ProgramBuilder,
    Value,
    Values,
    given_mask,
    mask_on,
    sequence,
    sums_are_kept,
    width,
)
from symrnn.models.equations.cells import step
from symrnn.models.equations.rule import apply
from symrnn.models.graph import Call
from symrnn.models.layers.core import Layer
from symrnn.models.layers.rnn import Bidirectional, Recurrent, states_of
from symrnn.models.network import ModelInput, State
from symrnn.programs.program import Carry, Equation, Reversal, recurrence

# recurrent layers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Direction:
    """One direction of a recurrent call: which layer, on what, with which mask and initial states."""

    layer: Recurrent
    build: ProgramBuilder
    place: int
    x: Value
    mask: Expr | None
    initial: tuple[Expr | None, ...]
    half: str = ""

    @property
    def call(self) -> Call:
        """The call that this is a part of."""
        return self.build.graph.calls[self.place]

    def names(self, cell: int) -> CallScope:
        """Where the symbols of a cell come from."""
        labels, layer = self.build.labels, self.call.layer
        halves = {"fw": ("forward_layer",), "bw": ("backward_layer",), "": ()}
        stacked = ("cells", str(cell)) if isinstance(getattr(self.layer, "cell", None), list | tuple) else ()
        unit = (*halves[self.half], "cell", *stacked)
        weights = labels.weights(layer, self.half, cell)
        values = labels.values(layer, self.place, self.half, cell)
        return CallScope(self.build, layer, self.place, unit, weights, values, self.x.steps)


@apply.register
def _(layer: Recurrent, build: ProgramBuilder, place: int, given: Values) -> Values:
    """The equations of a call of a recurrent layer; its output, and with `return_state` its states."""
    x = sequence(given)
    _check_calls(layer, build, place)
    initial = _initial(layer, build, place, layer.cells)
    output, states = _recur(Direction(layer, build, place, x, _mask(build, place, x), initial))
    return [output, *(states if layer.return_state else [])]


def _check_calls(layer: Recurrent, build: ProgramBuilder, place: int) -> None:
    """A stateful layer keeps one state: called twice, its second call would start where the first ended."""
    calls = sum(call.layer == build.graph.calls[place].layer for call in build.graph.calls)
    if layer.stateful and calls > 1:
        raise NotImplementedError(f"a stateful layer that is called {calls} times is not supported; supported: once")


def _mask(build: ProgramBuilder, place: int, x: Value) -> Expr | None:
    """The mask that a recurrent call uses: its own, or that of its only tensor."""
    call = build.graph.calls[place]
    layer = build.graph.layer(call)
    inner = layer.layer if isinstance(layer, Bidirectional) else layer
    several = call.states or (isinstance(inner, Recurrent) and inner.initial_state)
    return given_mask(build, place, x) or (None if several else x.mask)


def _initial(layer: Layer, build: ProgramBuilder, place: int, cells: Sequence[Any]) -> tuple[Expr | None, ...]:
    """What the states start from: the tensors given; None for zero, or for an input of its own."""
    given = [build.values[result] for result in build.graph.calls[place].states]
    widths = [columns for cell in cells for _, columns in states_of(cell)]
    if given and [value.width for value in given] != widths:
        got = [value.width for value in given]
        raise ValueError(f"initial_state: expected {len(widths)} states of {widths} columns, got {got}")
    return tuple(value.symbol for value in given) or (None,) * len(widths)


@dataclass(frozen=True)
class _Thread:
    """A state in one step: its symbols before and after, and what the cell computes, before a mask."""

    name: Name
    before: Expr
    after: Expr
    new: Expr
    initial: Expr
    final: Expr | None


def _recur(run: Direction) -> tuple[Value, Values]:
    """The recurrence of all cells: its output and its last states."""
    layer, build, mask, x = run.layer, run.build, run.mask, run.x
    equations: list[Equation] = []
    threads: list[_Thread] = []
    given = iter(run.initial)
    value = x.symbol
    for number, cell in enumerate(layer.cells):
        names = run.names(number)
        own = {name: _thread(run, names, name, columns, next(given)) for name, columns in states_of(cell)}
        done = step(cell, value, {k: t.before for k, t in own.items()}, {k: t.new for k, t in own.items()}, names)
        equations += done.equations
        threads += own.values()
        value = done.output
        build.states += [
            State(t.after, names.layer, run.place, names.unit, t.initial, t.final, layer.go_backwards)
            for t in own.values()
        ]
    if mask is not None:
        equations += [Equation(t.after, _select(mask, t.new, t.before)) for t in threads]
    carries = [Carry(t.before, t.after, t.initial, t.final) for t in threads]
    output, more, carry = _output(run, threads, value)
    equations += more
    stacked = [equation.lhs for equation in equations]
    reads = [x.symbol, *([] if mask is None else [mask])]
    carries += [] if carry is None else [carry]
    build.items.append(
        recurrence(equations, reads, carries, stacked, (), layer.go_backwards, build.names, x.steps or T)
    )
    shares = {equation.lhs for equation in equations if isinstance(equation.rhs, RowSoftmax)}
    states = [Value(t.final, normalized=t.new in shares) for t in threads if t.final is not None]
    normalized = value in shares  # a mask leaves a row of the step before, or zeros
    on = mask_on(build, run.place, x)
    if not layer.return_sequences:
        finals = {c.next: c.final for c in carries if c.final is not None}
        return Value(finals[output], normalized=normalized), states
    if mask is not None and _has_bug(layer):
        output = _wrongly_masked(run, output, mask)
    return replace(_in_processing_order(run, output, on), normalized=normalized), states


def _thread(run: Direction, names: CallScope, name: str, columns: int, initial: Expr | None) -> _Thread:
    layer, build = run.layer, run.build
    named = Name(name, layer=names.values)
    after = names.value(named, columns)
    before_time, start, end = ("t+1", "T", "0") if layer.go_backwards else ("t-1", -1, "T-1")
    named = replace(named, steps=build.names[after].steps)
    before = build.symbol(replace(named, time=before_time), N, columns)
    new = after if run.mask is None else names.value(replace(named, base=f"{name}~"), columns)
    wanted = not layer.return_sequences or layer.return_state or layer.stateful
    final = build.symbol(replace(named, time=end), N, columns) if wanted else None
    if initial is None and (layer.initial_state or layer.stateful):
        initial = build.symbol(replace(named, time=start), N, columns)
        build.extra.append(ModelInput(initial, "rows", columns, state=True))
        build.finals += [final] if layer.stateful and final is not None else []
    return _Thread(named, before, after, new, zeros(shape_of(after)) if initial is None else initial, final)


def _select(mask: Expr, new: Expr, old: Expr) -> Expr:
    """The new value where the step is valid, else the old: m new + (1 - m) old."""
    return add(scaled(mask, new), scaled(elementwise(1 - SLOTS[0], mask), old))


def _output(run: Direction, threads: list[_Thread], value: Expr) -> tuple[Expr, list[Equation], Carry | None]:
    """The output of each step: of a masked one 0, or the output before, which starts from 0.

    That is the state itself where no mask is, or where the state starts from 0 as well.
    """
    layer, build, mask = run.layer, run.build, run.mask
    states = {thread.new: thread for thread in threads}
    if mask is None and (value in states or layer.return_sequences):
        return value, [], None
    if mask is not None and not layer.zero_output_for_mask and value in states and is_zero(states[value].initial):
        return states[value].after, [], None
    labels = build.labels
    label = labels.values(run.call.layer, run.place, run.half, len(layer.cells) - 1)
    name = Name("h", sub="out", layer=label)
    columns = width(value)
    out = build.row(name, columns, run.x.steps)
    name = replace(name, steps=build.names[out].steps)
    before_time, end = ("t+1", "0") if layer.go_backwards else ("t-1", "T-1")
    before = build.symbol(replace(name, time=before_time), N, columns)
    final = None if layer.return_sequences else build.symbol(replace(name, time=end), N, columns)
    carry = Carry(before, out, zeros(shape_of(out)), final)
    if mask is None:
        return out, [Equation(out, value)], carry
    carried = _select(mask, value, before)
    if not layer.zero_output_for_mask:
        return out, [Equation(out, carried)], carry
    if _has_bug(layer):
        return out, [Equation(out, carried)], carry
    return out, [Equation(out, scaled(mask, value))], carry if final is not None else None


def _has_bug(layer: Recurrent) -> bool:
    """Whether Keras 3.15 zeroes the outputs of the wrong steps (keras/src/backend/tensorflow/rnn.py, 203-213)."""
    return layer.zero_output_for_mask and layer.unroll and layer.go_backwards and layer.return_sequences


def _wrongly_masked(run: Direction, h: Expr, mask: Expr) -> Expr:
    """Keras' unrolled backward layer: its outputs in processing order times the mask in the order of time."""
    build, name = run.build, run.build.names[h]
    turned = build.row(replace(build.names[mask], sub="rev", layer=name.layer), 1, run.x.steps)
    build.items.append(Reversal(turned, mask))
    out = build.row(replace(name, sub="zero"), width(h), run.x.steps)
    build.append([Equation(out, scaled(turned, h))], [turned, h], run.x.steps)
    return out


def _in_processing_order(run: Direction, h: Expr, mask: Expr | None) -> Value:
    """Keras returns the sequence of a layer that goes backwards as it was computed, last step first."""
    build = run.build
    if not run.layer.go_backwards:
        return Value(h, run.x.steps, mask)
    name = build.names[h]
    turned = build.row(replace(name, base="s", sub=""), width(h), run.x.steps)
    build.items.append(Reversal(turned, h))
    return Value(turned, run.x.steps, mask)


@apply.register
def _(layer: Bidirectional, build: ProgramBuilder, place: int, given: Values) -> Values:
    """The equations of a call of a Bidirectional layer; its output or both, and the states of both."""
    x = sequence(given)
    _check_calls(layer.layer, build, place)
    forwards, backwards = layer.halves
    initial = _initial(layer, build, place, (*forwards.cells, *backwards.cells))
    count = sum(len(states_of(cell)) for cell in forwards.cells)
    runs = [
        Direction(half, build, place, x, _mask(build, place, x), states, name)
        for half, states, name in ((forwards, initial[:count], "fw"), (backwards, initial[count:], "bw"))
    ]
    outputs: list[Value] = []
    states: Values = []
    for run in runs:
        output, own = _recur(run)
        outputs.append(output)
        states += own if run.layer.return_state else []
    if backwards.return_sequences:
        outputs[1] = _turned(build, outputs[1])
    return [*_merged(layer, build, place, outputs), *states]


def _turned(build: ProgramBuilder, value: Value) -> Value:
    """The sequence in the opposite order; one that was turned before is what it was."""
    for item in build.items:
        if isinstance(item, Reversal) and item.lhs == value.symbol:
            build.items.remove(item)
            return replace(value, symbol=item.rhs)
    name = build.names[value.symbol]
    turned = build.row(replace(name, base="s"), value.width, value.steps)
    build.items.append(Reversal(turned, value.symbol))
    return replace(value, symbol=turned)


def _merged(layer: Bidirectional, build: ProgramBuilder, place: int, outputs: Values) -> Values:
    """The outputs of both halves as merge_mode says."""
    if layer.merge_mode is None:
        return outputs
    first, second = (value.symbol for value in outputs)
    if layer.merge_mode != "concat" and shape_of(first) != shape_of(second):
        raise ValueError(f"merge_mode {cut_repr(layer.merge_mode)}: expected halves of equal width, got "
                         f"{width(first)} and {width(second)}")  # fmt: skip
    rhs = MERGES[layer.merge_mode]([first, second])
    steps, call = outputs[0].steps, build.graph.calls[place]
    h = build.row(Name("h", layer=build.labels.values(call.layer, place)), width(rhs), steps)
    build.append([Equation(h, rhs)], [first, second], steps)
    return [Value(h, steps, outputs[0].mask, normalized=sums_are_kept(layer.merge_mode, outputs))]
