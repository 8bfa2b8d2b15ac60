"""Layers of several inputs."""

from sympy import Expr

from symrnn.expressions.matrices import add, elementwise, hadamard, scaled, spread
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS
from symrnn.models.builder import MERGES, ProgramBuilder, Value, Values, fixed_timesteps, plain_value, sums_are_kept
from symrnn.models.equations.rule import apply
from symrnn.models.layers.merging import Concatenate, Merge, Multiply
from symrnn.programs.program import Equation


@apply.register
def _(layer: Merge, build: ProgramBuilder, place: int, given: Values) -> Values:
    if len(given) < 2:
        raise ValueError(f"expected at least two inputs, got {len(given)}")
    joined = isinstance(layer, Concatenate)
    steps = {value.steps for value in given}
    widths = [value.width for value in given]
    if len(steps) > 1 and None not in steps:
        numbers = " and ".join(str(fixed_timesteps(build, value)) for value in given)
        raise ValueError(f"expected sequences of one length, got {numbers} time steps")
    if len(steps) > 1 or (not joined and len(set(widths)) > 1):
        what = "all sequences or none" if len(steps) > 1 else "inputs of equal width"
        raise ValueError(f"expected {what}, got widths {widths}")
    symbols = [value.symbol for value in given]
    masks = [value.mask for value in given]
    mask = _merged_mask(masks, build, given[0].steps)
    rhs = MERGES[type(layer)](symbols)
    if isinstance(layer, Multiply):
        rhs = _masked_product(symbols, masks, mask)
    y = plain_value(build, place, rhs, given[0].steps)
    reads = [*symbols, *(one for one in (*masks, mask) if one is not None)]
    build.append([Equation(y, rhs)], reads, given[0].steps)
    return [Value(y, given[0].steps, mask, normalized=sums_are_kept(type(layer), given))]


def _masked_product(symbols: list[Expr], masks: list[Expr | None], mask: Expr | None) -> Expr:
    """Keras' Multiply: a masked step of an input counts as 1, one that is masked in all of them is 0."""
    if mask is not None and all(one == mask for one in masks):
        return scaled(mask, hadamard(*symbols))
    factors = [
        x if m is None else add(scaled(m, x), spread(elementwise(1 - SLOTS[0], m), x))
        for x, m in zip(symbols, masks, strict=True)
    ]
    return hadamard(*factors) if mask is None else scaled(mask, hadamard(*factors))


def _merged_mask(masks: list[Expr | None], build: ProgramBuilder, steps: Expr | None) -> Expr | None:
    """Keras' mask of a merge: a step is valid where it is in any input; an input without a mask is all valid."""
    known = list(dict.fromkeys(mask for mask in masks if mask is not None))
    if not known or None in masks:
        return None
    if len(known) == 1:
        return known[0]
    rhs = elementwise(1 - SLOTS[0], hadamard(*(elementwise(1 - SLOTS[0], mask) for mask in known)))
    m = build.row(Name("m", sub="or", layer=str(len(build.items))), 1, steps)
    build.append([Equation(m, rhs)], known, steps)
    return m
