"""Our own values of a check: in the model's dtype, in a wider one, and with rounding planted in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sympy import Expr

from symrnn.checking.perturbation import Noise, perturbed
from symrnn.checking.report import AGREES, DIFFERS, LIMIT, UNDECIDABLE, Comparison
from symrnn.codegen.arguments import CheckedCall
from symrnn.codegen.function import NumericFunction
from symrnn.derivations.derivation import Derivation, Gradient
from symrnn.derivations.numbers import function_of_symbols, lambdify
from symrnn.expressions.names import Name

_DRAWS = 4
_ROUNDINGS = 4
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Quantity:
    """What is compared: a symbol, by its letter, and Keras' value; `layer` is the layer that puts it out.

    With `by_step` each step of a family is compared by itself.
    """

    symbol: Expr
    name: Name
    theirs: np.ndarray
    layer: str = ""
    by_step: bool = False

    @property
    def names(self) -> list[str]:
        """The name of each row."""
        names = [self.name.at(t) for t in range(self.theirs.shape[1])] if self.by_step else [self.name]
        return [f"{self.layer}: {name.text}" if self.layer else name.text for name in names]

    def parts(self, array: np.ndarray) -> Arrays:
        """The values of each row."""
        return list(array.swapaxes(0, 1)) if self.by_step else [array]


def unit(dtype: np.dtype) -> float:
    """The unit roundoff."""
    return float(np.finfo(dtype).eps) / 2


def compare(
    gradient: Gradient,
    function: NumericFunction,
    forward: Sequence[Quantity],
    backward: Sequence[Quantity],
    call: CheckedCall,
    seed: int,
) -> Iterator[Comparison]:
    """The rows of a report: `function` gives our values of `backward`, the forward program those of `forward`.

    Raises:
        ValueError: our value of a quantity has another shape than Keras'.
    """
    symbols = tuple(quantity.symbol for quantity in forward)
    best, own, drawn = _values(gradient, function, symbols, call, seed)
    for place, quantity in enumerate((*forward, *backward)):
        if own[place].shape != quantity.theirs.shape:
            expected = f"the shape {quantity.theirs.shape}, as Keras' value has it"
            raise ValueError(f"derivation: {quantity.names[0]}: expected {expected}, got {own[place].shape}")
        floor = _ROUNDINGS * unit(quantity.theirs.dtype) * call.timesteps
        parts = [quantity.parts(array) for array in (quantity.theirs, best[place], own[place])]
        moved = [quantity.parts(values[place]) for values in drawn]
        for name, theirs, ours, rounded, *others in zip(quantity.names, *parts, *moved, strict=True):
            spread = 8 * _moved(rounded, ours) + max(_moved(other, ours) for other in others)
            yield row(name, ours, rounded, theirs, spread, floor)


def _values(
    gradient: Gradient, function: NumericFunction, symbols: tuple[Expr, ...], call: CheckedCall, seed: int
) -> tuple[Arrays, Arrays, list[Arrays]]:
    """Our values in a wider type, in the call's, and in the wider one with noise, drawn several times.

    Where no type is wider than float64 (long double is the same on some machines), the first ones
    are in float64 too and the noise alone tells.
    """
    wider = _cast(call, np.dtype(np.float64 if call.dtype == np.float32 else np.longdouble))
    first = function_of_symbols(Derivation(gradient.network), symbols)
    best, own = ([*first.on_arrays(one), *function.on_arrays(one)] for one in (wider, call))
    program, noises = perturbed(gradient.network.program)
    steps, more = perturbed(gradient.steps)
    noisy_first = function_of_symbols(Derivation(replace(gradient.network, program=program)), symbols)
    noisy = lambdify(replace(gradient, backward=steps))
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(_DRAWS):
        one = _with_noise(wider, list(dict.fromkeys([*noises, *more])), _ROUNDINGS * unit(call.dtype), generator)
        drawn.append([*noisy_first.on_arrays(one), *noisy.on_arrays(one)])
    return best, own, drawn


def _moved(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference among the finite entries."""
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(one - other), where=finite, initial=0.0))


def _cast(call: CheckedCall, dtype: np.dtype) -> CheckedCall:
    arrays = {name: array.astype(dtype) for name, array in call.arrays.items()}
    return replace(call, arrays=arrays, dtype=dtype)


def _with_noise(call: CheckedCall, noises: Sequence[Noise], size: float, generator: np.random.Generator) -> CheckedCall:
    drawn = {
        noise.symbol.name: (
            noise.center + size * generator.choice([-1.0, 1.0], noise.shape(call.samples, call.lengths))
        ).astype(call.dtype)
        for noise in noises
    }
    return replace(call, arrays=call.arrays | drawn)


# one comparison -----------------------------------------------------------------------------------


def row(
    quantity: str, ours: np.ndarray, own: np.ndarray, theirs: np.ndarray, spread: float, floor: float
) -> Comparison:
    """The comparison of two arrays of one shape: `ours` in a wider type, `own` in theirs.

    `spread` is how far rounding moves our value, in absolute terms; `floor` is what is allowed in
    any case, relative to the largest entry. Infinity and NaN agree with themselves only, and are
    those of `own`: a wider type overflows later. What is equal to our value, in the wider type or
    rounded, agrees, however much rounding may move it.
    """
    ours = np.where(np.isfinite(own), ours, own)
    distance = _distance(ours, theirs)
    largest = _largest(ours) or 1.0
    place = np.unravel_index(int(np.argmax(distance)), distance.shape) if distance.ndim else ()
    difference, allowed = float(distance[place]) / largest, floor + spread / largest
    verdict = DIFFERS if difference > allowed else UNDECIDABLE if allowed > LIMIT else AGREES
    if verdict == UNDECIDABLE and any(float(np.max(_distance(o, theirs))) <= floor * _largest(o) for o in (ours, own)):
        verdict = AGREES
    here = tuple(map(int, place))
    return Comparison(
        quantity, ours.shape, here, float(ours[place]), float(theirs[place]), difference, allowed, verdict
    )


def _largest(values: np.ndarray) -> float:
    """The largest absolute value among the finite entries."""
    return float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The difference of each entry; infinite where one is not a finite number and the other is not the same."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(all="ignore"):
        return np.where(same, 0.0, np.where(finite, np.abs(one - other), np.inf)).astype(float)
