"""What a document is about: a derivation, its gradient, one sample, and the numbers of all quantities.

Where numbers are not given they are drawn, with one decimal so that a reader can put them in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr

from symrnn.checking.report import Report
from symrnn.codegen.arguments import CheckedCall, read, read_weights, whole
from symrnn.common.limits import CHECKED, NUMBERED, WORKED
from symrnn.derivations import numbers
from symrnn.derivations.derivation import Derivation, Gradient
from symrnn.derivations.numbers import lambdify
from symrnn.documents.inline import Prose, order_latex, prose
from symrnn.expressions.shapes import shape_of
from symrnn.models.graph import graph_of
from symrnn.models.lecture import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.models.losses import default_loss
from symrnn.models.network import Network
from symrnn.models.sampling import random_inputs, random_targets
from symrnn.programs.initial_states import with_initial_states
from symrnn.programs.program import Equation, Program
from symrnn.programs.transforms import name_of, with_samples
from symrnn.typesetting.substitution import Numbers, exactly

FEW_STEPS, FEW_EQUATIONS = 5, 24
"""Up to so many time steps, and equations of the forward pass, everything is written out."""


@dataclass(frozen=True)
class Example:
    """A derivation with one sample, targets where there is a loss, and weights.

    `drawn` says which of "x", "y_true" and "weights" were drawn, `has_own_weights` that they are those
    of the Keras model; `reports` runs the check, in one dtype after the other, or says why there is none.
    """

    derivation: Derivation
    gradient: Gradient
    x: Any
    y_true: Any
    weights: Sequence[np.ndarray]
    drawn: frozenset[str] = frozenset()
    has_own_weights: bool = False
    reports: Callable[[], tuple[Report, ...] | str] | None = None

    @property
    def arguments(self) -> list[Any]:
        """The arguments of the gradient's function."""
        return [self.x, *([self.y_true] if self.gradient.loss else []), list(self.weights)]

    @property
    def scalar(self) -> bool:
        """Whether every quantity is one number."""
        return self.derivation.is_scalar

    @cached_property
    def forward(self) -> Program:
        """The forward pass with every time step written out, and h_{-1} in it."""
        network = self.derivation.network
        return self._written(Derivation(replace(network, program=with_initial_states(network.program)[0])))

    @cached_property
    def starts(self) -> tuple[Expr, ...]:
        """The states before the first step that are zero, as symbols of the forward pass."""
        names = {symbol.name for symbol in with_initial_states(self.derivation.network.program)[1]}
        read = {symbol.name for equation in self.forward.assignments for symbol in equation.rhs.free_symbols}
        return tuple(s for s in self.forward.inputs if s.name in names & read)

    @cached_property
    def adjoint(self) -> Program:
        """The forward pass and the way back with every time step written out."""
        return self._written(self.gradient)

    def _written(self, derivation: Derivation) -> Program:
        program = derivation.program("unrolled")
        return program if self.scalar else with_samples(program, 1)

    @cached_property
    def is_worked(self) -> bool:
        """Whether the equations of all time steps, forward and back, are few enough to be put beside their numbers."""
        return not self.derivation.is_open and self.gradient.count("unrolled") <= WORKED

    @cached_property
    def is_numbered(self) -> bool:
        """Whether the equations of all time steps, forward and back, are few enough to have all their numbers."""
        return self.gradient.count("unrolled") <= NUMBERED

    @property
    def left_out(self) -> Prose:
        """Why the numbers of a part are left out."""
        count = order_latex(self.gradient.count("unrolled"))
        return prose(f"the equations of all time steps, forward and back, have up to {count} symbols.")

    @cached_property
    def parts(self) -> int:
        """How many cells and calls of other layers the model has."""
        graph = self.derivation.network.graph
        return sum(max(1, sum(len(half.cells) for half in graph.layer(call).halves)) for call in graph.calls)

    @property
    def is_checked_twice(self) -> bool:
        """Whether the model is small enough to be checked in float32 and in float64."""
        return self.derivation.count("scalar") <= CHECKED

    @cached_property
    def few(self) -> bool:
        """Whether there are so few time steps and equations that all of them can be shown."""
        steps = [number for number in self.derivation.network.timesteps.values() if number is not None]
        if self.derivation.is_open or max(steps, default=1) > FEW_STEPS:
            return False
        return self.is_worked and len(self.forward.equations) <= FEW_EQUATIONS

    @cached_property
    def values(self) -> Mapping[str, np.ndarray]:
        """The values of all quantities, forward and back, by name; those of h_{-1} are 0."""
        network = self.derivation.network
        starts = with_initial_states(network.program)[1]
        zeros = {start.name: np.zeros(int(shape_of(start)[1])) for start in starts}
        return {**zeros, **numbers.values(self.gradient, *self.arguments)}

    @cached_property
    def numbers(self) -> Numbers:
        """The values; weights, inputs, targets and h_{-1} as given."""
        network = self.derivation.network
        names = {weight.symbol.name for weight in network.weights}
        names |= {name_of(network.program.names, s).code for s in with_initial_states(network.program)[1]}
        families = {source.symbol.name.removesuffix("_t") for source in network.sources} | {"y_true"}
        given = {name for name in self.values if name in names or name.rstrip("0123456789").rstrip("_") in families}
        numbers = Numbers(self.values, frozenset(given))
        if not self.scalar or not self.is_worked:
            return numbers
        assignments: list[Equation] = [*self.forward.assignments, *self.adjoint.assignments]
        return exactly(assignments, numbers)


def example_of(
    derivation: Derivation, x: Any = None, y_true: Any = None, weights: Any = None, loss: Any = None, seed: int = 0
) -> Example:
    """The example of a document: what is not given is the notebook's, or drawn by the seed.

    Without a loss it is the sum of all outputs that is differentiated; where one is a softmax, whose
    sum is always 1, the categorical crossentropy.

    Raises:
        ValueError: x, y_true or weights do not fit; more than one sample.
    """
    network = derivation.network
    if loss is None:
        loss = derivation.loss if isinstance(derivation, Gradient) else default_loss(network.heads)
    plain = Derivation(network, derivation.weights, derivation.dtype, derivation.file, derivation.regularizers)
    gradient = plain.gradient(loss)
    notebook = network.graph == graph_of(NOTEBOOK)
    drawn = set()
    own = gradient.weights is not None and (weights is None or weights is gradient.weights)
    if weights is None:
        weights = gradient.weights or (NOTEBOOK_WEIGHTS if notebook else None)
        if weights is None:
            drawn.add("weights")
            weights = _drawn_weights(network, seed)
    if x is None:
        notebook_x = notebook and "weights" not in drawn
        x = NOTEBOOK_X if notebook_x else _drawn_x(network, seed)
        drawn |= set() if notebook_x else {"x"}
    weights = _in_order(weights, plain)
    call = read(lambdify(plain).arguments, x, None, weights)
    if call.samples != 1:
        raise ValueError(f"x: expected one sample, which a document works out, got {call.samples}")
    if y_true is not None and not gradient.loss:
        raise ValueError("y_true: expected a loss with it, got none")
    if gradient.loss and y_true is None:
        drawn.add("y_true")
        y_true = _drawn_targets(gradient, call.lengths, seed)
    _check_finite(read(lambdify(gradient).arguments, x, y_true, weights))
    return Example(plain, gradient, _single(network, call), y_true, weights, frozenset(drawn), own)


def _check_finite(call: CheckedCall) -> None:
    """Check that a document can write the numbers it is given."""
    for name, array in call.arrays.items():
        wrong = array[~np.isfinite(array)]
        if wrong.size:
            raise ValueError(f"{name.removesuffix('_t')}: expected finite numbers to show, got {wrong[0]}")


def _in_order(weights: Any, derivation: Derivation) -> list[np.ndarray]:
    """The list of get_weights(), checked, also of a mapping by symbol name."""
    given = read_weights(lambdify(derivation).arguments, weights)
    blocks = [[np.asarray(given[part.symbol.name], float) for part in one.parts] for one in derivation.network.arrays]
    return [whole(one, found) for one, found in zip(derivation.network.arrays, blocks, strict=True)]


def _drawn_weights(network: Network, seed: int) -> list[np.ndarray]:
    """Weights with one decimal, none of them 0, which would hide what it multiplies."""
    generator = np.random.default_rng(seed)
    drawn = [np.round(generator.uniform(-1, 1, array.shape), 1) for array in network.arrays]
    return [np.where(weight == 0, 0.1, weight) for weight in drawn]


def _drawn_x(network: Network, seed: int) -> Any:
    found = [np.round(array, 1) + 0.0 for array in random_inputs(network, 1, seed)]
    return found[0] if len(found) == 1 else found


def _drawn_targets(gradient: Gradient, lengths: Mapping[str, int], seed: int) -> Any:
    names = [loss.name for loss in gradient.loss or ()]
    found = [_readable(array[0]) for array in random_targets(names, gradient.network.heads, 1, lengths, seed)]
    return found[0] if len(found) == 1 else found


def _readable(target: np.ndarray) -> np.ndarray:
    """The target with one decimal; shares, which sum to 1, and whole numbers stay."""
    shares = bool(np.allclose(target.sum(-1), 1))
    return target if shares or target.dtype.kind != "f" else np.round(target, 1) + 0.0


def _single(network: Network, call: CheckedCall) -> Any:
    """The sample with all its axes but that of the samples."""
    blocks = [call.arrays[source.symbol.name][0] for source in network.sources]
    found = [b[..., 0] if source.is_flat else b for source, b in zip(network.sources, blocks, strict=True)]
    return found[0] if len(found) == 1 else found
