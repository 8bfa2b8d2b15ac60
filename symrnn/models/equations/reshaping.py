"""Layers that only move entries."""

from dataclasses import replace

from symrnn.expressions.names import Name
from symrnn.expressions.nodes import N
from symrnn.models.builder import ProgramBuilder, Value, Values, fixed_timesteps, only
from symrnn.models.equations.rule import apply
from symrnn.models.layers import Flatten
from symrnn.programs.program import Join


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
