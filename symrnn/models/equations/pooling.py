"""One row of all time steps."""

from dataclasses import replace

from symrnn.expressions.matrices import elementwise, scale, scaled, spread
from symrnn.expressions.nodes import SLOTS, N, T
from symrnn.models.builder import ProgramBuilder, Value, Values, mask_on, plain_value, sequence
from symrnn.models.equations.rule import apply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.programs.program import Equation, MaxOverTime, recurrence


@apply.register
def _(layer: GlobalMaxPooling1D, build: ProgramBuilder, place: int, given: Values) -> Values:
    x = sequence(given)
    top = plain_value(build, place, x.symbol, None)
    build.items.append(MaxOverTime(top, x.symbol))
    return [Value(top)]


@apply.register
def _(layer: GlobalAveragePooling1D, build: ProgramBuilder, place: int, given: Values) -> Values:
    """S = sum of h_t over t, divided by T; with a mask, by the number of valid steps."""
    x = sequence(given)
    mask = mask_on(build, place, x)
    mean = plain_value(build, place, x.symbol, None)
    name = replace(build.names[mean], sub="sum")
    total = build.symbol(name, N, x.width)
    if mask is None:
        sums = [Equation(total, x.symbol)]
        rhs = scale(1 / (x.steps or T), total)
    else:
        count = build.symbol(replace(name, base="m"), N, 1)
        sums = [Equation(total, scaled(mask, x.symbol)), Equation(count, mask)]
        rhs = elementwise(SLOTS[0] / SLOTS[1], total, spread(count, total))
    reads = [x.symbol, *([] if mask is None else [mask])]
    build.items.append(recurrence([], reads, sums=sums, names=build.names, length=x.steps or T))
    build.items.append(Equation(mean, rhs))
    return [Value(mean)]
