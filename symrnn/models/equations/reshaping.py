"""Layers that only move entries."""

from dataclasses import replace

from symrnn.expressions.names import Name
from symrnn.expressions.nodes import N
from symrnn.models.builder import ProgramBuilder, Value, Values, fixed_timesteps, only, plain_value
from symrnn.models.equations.rule import apply
from symrnn.models.graph import Result
from symrnn.models.layers.reshaping import Flatten, RepeatVector
from symrnn.programs.program import Equation, Join


@apply.register
def _(layer: Flatten, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    if x.steps is None:
        return [replace(x, mask=None)]
    count = fixed_timesteps(build, x)
    label = build.labels.plain.get(place)
    flat = build.symbol(Name("y") if label is None else Name("g", layer=label), N, count * x.width)
    build.items.append(Join(flat, x.symbol))
    return [Value(flat)]


@apply.register
def _(layer: RepeatVector, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = only(given)
    if x.steps is not None:
        raise ValueError("expected rows (samples, features), got a sequence; a layer before it keeps the time steps")
    steps = build.steps(Result(place))
    g = plain_value(build, place, x.symbol, steps)
    build.append([Equation(g, x.symbol)], [], steps)
    return [Value(g, steps, normalized=x.normalized)]
