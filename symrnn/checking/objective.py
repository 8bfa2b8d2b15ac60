"""What a check differentiates: the loss, one for all outputs or one for each, as Keras computes it.

Keras' own function of the loss gives a number per sample, or per step; its mean is over what the mask
of the prediction leaves, as in `compute_loss`. The Loss classes compute the same in `floatx`, whatever
the dtype of the model.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from sympy import Expr, MatAdd, MatrixSymbol
from sympy.matrices.expressions import HadamardProduct

from symrnn.checking.perturbation import exact_symbols
from symrnn.expressions.nodes import Concat, Softmax
from symrnn.models.losses import LOSSES, Loss
from symrnn.models.network import Network
from symrnn.programs.program import Carry, Equation, Program, Recurrence, Reversal, symbols_of


def losses_in_words(losses: Sequence[Loss]) -> str | None:
    """The losses for a report: one where all are the same."""
    return " + ".join(dict.fromkeys(map(str, losses))) or None


def objective_of(losses: Sequence[Loss], targets: Sequence[np.ndarray], keras: Any) -> Callable[[list[Any]], Any]:
    """The sum of the losses of a model's outputs, or without losses the sum of all their entries."""

    def total(outputs: list[Any]) -> Any:
        if not losses:
            return sum(keras.ops.sum(y) for y in outputs)
        return sum(_mean(*parts, keras) for parts in zip(losses, targets, outputs, strict=True))

    return total


def _mean(loss: Loss, target: np.ndarray, y: Any, keras: Any) -> Any:
    """The mean over samples and steps; where y has a mask, over the valid ones, and 0 where there are none."""
    target = target.astype("int64") if LOSSES[loss.name].ids else target
    values = keras.losses.get(loss.name)(target, y, **loss.arguments)
    mask = getattr(y, "_keras_mask", None)
    if mask is None:
        return keras.ops.mean(values)
    valid = keras.ops.cast(mask, values.dtype)
    return keras.ops.divide_no_nan(keras.ops.sum(values * valid), keras.ops.sum(valid))


# what to differentiate where no loss is given -----------------------------------------------------


def default_loss(network: Network) -> Any:
    """None, for the sum of the outputs; a crossentropy for one whose rows have a constant sum, and no derivatives."""
    known = _known(network.program)
    shares = [head.width > 1 and is_share(head.symbol, known) for head in network.heads]
    names = ["categorical_crossentropy" if share else "mse" for share in shares]
    return None if not any(shares) else names[0] if all(shares) else names


@dataclass(frozen=True)
class Known:
    """What the symbols of a program stand for, which are masks, and which states of a step before."""

    definitions: Mapping[Expr, Expr]
    masks: Set[Expr]
    before: Set[Expr]


def _known(program: Program) -> Known:
    definitions: dict[Expr, Expr] = {}
    carries: list[Carry] = []
    for item in program.equations:
        if isinstance(item, Recurrence):
            definitions |= {equation.lhs: equation.rhs for equation in item.body.assignments}
            carries += item.carries
        elif isinstance(item, Equation | Reversal):
            definitions[item.lhs] = item.rhs
    definitions |= {carry.final: carry.next for carry in carries if carry.final is not None}
    return Known(definitions, exact_symbols(program), {carry.prev for carry in carries})


@singledispatch
def is_share(expr: Expr, known: Known) -> bool:
    """Whether the rows of an expression have a constant sum, as those of a softmax."""
    return False


@is_share.register
def _(expr: Softmax, known: Known) -> bool:
    return True


@is_share.register
def _(expr: MatrixSymbol, known: Known) -> bool:
    """A state before the first step is 0, or given."""
    return expr in known.before or (expr in known.definitions and is_share(known.definitions[expr], known))


@is_share.register
def _(expr: HadamardProduct, known: Known) -> bool:
    """What a mask leaves of them."""
    others = [factor for factor in expr.args if not symbols_of([factor]).keys() <= known.masks]
    return len(others) == 1 and len(expr.args) > 1 and is_share(others[0], known)


@is_share.register(MatAdd)
@is_share.register(Concat)
def _(expr: Expr, known: Known) -> bool:
    return all(is_share(part, known) for part in expr.args)
