"""A derivation checked against Keras: predictions, states, the loss and every gradient.

The model is called with `training=False` and differentiated by TensorFlow's GradientTape, in its
own dtype. A difference is allowed where rounding explains it. Relative to the largest entry,

    allowed = 4 u T + (8 |ours(dtype) - ours(wider)| + moved) / scale,

u the unit roundoff, 2^-24 or 2^-53, T the number of steps. The second term is what rounding did to
our own value. The third is how far the value moves when each quantity of the forward pass is off by
4 u, about what one library's tanh differs from another's, and each slope by 4 u of 1, because
libraries compute it in different ways: where 1 - h^2 is a factor this grows by 2 h^2 / (1 - h^2),
which no constant allows for. What is exact in every library stays exact: see `noise`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr

from symrnn.checking.keras_models import import_frameworks, kept_to_a_line
from symrnn.checking.objective import losses_in_words, objective_of
from symrnn.checking.recording import KerasRun, Recording, kept_states, observe, recorded_states, run
from symrnn.checking.report import Report
from symrnn.checking.tolerance import Quantity, compare
from symrnn.codegen.arguments import CheckedCall, read
from symrnn.codegen.function import NumericFunction
from symrnn.common.errors import cut_repr
from symrnn.derivations.derivation import Derivation, Gradient
from symrnn.derivations.numbers import lambdify
from symrnn.expressions.shapes import shape_of
from symrnn.importers.formats import read_model
from symrnn.importers.keras.reader import is_keras_model
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Result
from symrnn.models.layers.rnn import Bidirectional, Recurrent
from symrnn.models.losses import Loss, default_loss, losses_of
from symrnn.models.network import Network, State, Weight
from symrnn.models.sampling import SAMPLES, check_seed, random_inputs, random_targets
from symrnn.programs.program import Names
from symrnn.programs.transforms import name_of

DETAILS = ("model", "layers", "steps")
Losses = str | Loss | Sequence[str | Loss]


def check_model(
    keras_model: Any,
    x: Any = None,
    y_true: Any = None,
    loss: Losses | None = None,
    derivation: Derivation | None = None,
    seed: int = 0,
    detail: str = "model",
) -> Report:
    """The report of a model; see `symrnn.check`."""
    keras, tensorflow = import_frameworks()
    if not is_keras_model(keras_model):
        raise ValueError(f"check: expected a Keras model, got {type(keras_model).__name__}")
    if detail not in DETAILS:
        raise ValueError(f"detail: expected one of {', '.join(DETAILS)}, got {cut_repr(detail)}")
    check_seed(seed, "check")
    live = _Live(keras_model, keras)
    model = _derived(keras_model, derivation)
    gradient = _gradient(derivation, model, live, loss)
    if y_true is not None and gradient.loss is None:
        raise ValueError("y_true: expected a loss with it, got none")
    function, losses = lambdify(gradient), _losses(gradient.loss, gradient.network)
    call = _call(gradient.network, function, live, _given_x(gradient.network, x, live, seed), y_true, losses, seed)
    targets = [call.arrays[target.name] for target in function.arguments.targets]
    slots = _slots(gradient)
    objective = objective_of(losses, targets, keras)
    with kept_to_a_line("check: Keras cannot run the model"):
        found = run(keras_model, *_inputs(gradient.network, call, live), objective, keras)
    forward = list(_forward(gradient.network, found, live, detail))
    rows = tuple(compare(gradient, function, forward, list(_backward(gradient, slots, found)), call, seed))
    versions = f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}"
    words, left_out = losses_in_words(losses), gradient.regularizers
    return Report(rows, str(call.dtype), words, call.samples, dict(call.lengths), versions, left_out)


@dataclass(frozen=True)
class _Live:
    """The Keras model and what it is made with."""

    model: Any
    keras: Any

    @property
    def dtypes(self) -> list[str]:
        """The dtypes to which the model casts its inputs."""
        return [str(tensor.dtype) for tensor in self.model.inputs]

    @property
    def dtype(self) -> str:
        """The dtype in which the model computes."""
        return str(self.model.outputs[0].dtype)

    @property
    def samples(self) -> int | None:
        """The number of samples for which the model is made, if it is for one only."""
        sizes = [tensor.shape[0] for tensor in self.model.inputs]
        return next((size for size in sizes if size is not None), None)

    @property
    def kept(self) -> list[Any]:
        """The states of the stateful layers."""
        return kept_states(self.model, self.keras)


# what is checked --------------------------------------------------------------------------------


def _derived(keras_model: Any, given: object) -> Derivation | None:
    """The derivation of the model; None where it has classes of its own and a derivation is given."""
    if given is not None and not isinstance(given, Derivation):
        raise ValueError(f"derivation: expected a Derivation, got {type(given).__name__}")
    try:
        imported = read_model(keras_model)
        return Derivation(forward(imported.graph), imported.weights, imported.dtype, regularizers=imported.regularizers)
    except NotImplementedError:
        if given is None:
            raise
        return None


def _gradient(given: Derivation | None, model: Derivation | None, live: _Live, loss: Any) -> Gradient:
    """The gradient to check: the one given, or the derivation's by all weights and inputs."""
    chosen = given or model
    if chosen is None:
        raise ValueError("derivation: expected one, got none")
    if given is not None:
        expected, got = _outlines(given, model, live)
        if expected != got:
            raise ValueError(f"derivation: expected {expected}, as the model has it, got {got}")
    network, count = chosen.network, len(live.dtypes) + len(live.kept)
    if len(network.sources) != count:
        expected = f"{count} inputs and states, as the model has them"
        raise ValueError(f"derivation: expected {expected}, got {len(network.sources)}")
    if isinstance(chosen, Gradient):
        if loss is not None and _losses(loss, network) != (own := _losses(chosen.loss, network)):
            raise ValueError(f"loss: expected {losses_in_words(own)}, the loss of the derivation, got {cut_repr(loss)}")
        return chosen
    wanted = [weight.symbol.name for weight in chosen.table]
    wanted += [source.symbol.name for source in network.sources if not source.is_flat]
    return chosen.gradient(default_loss(network.heads) if loss is None else loss, wanted)


def _losses(loss: Any, network: Network) -> tuple[Loss, ...]:
    """The loss of each output, none where the sum of the outputs is differentiated."""
    return () if loss is None else losses_of(loss, len(network.heads))


def _outlines(given: Derivation, model: Derivation | None, live: _Live) -> tuple[str, str]:
    """What the derivation of a model is expected to have, and what it has; time may be open in one of them."""
    if model is None:
        shapes = [tuple(array.shape) for array in live.model.get_weights()]
        return f"weights of the shapes {shapes}", _shapes(given.network)
    opened = [None in (model.network.timesteps.get(t), given.network.timesteps.get(t)) for t in _lengths(model, given)]
    return _outline(model, opened), _outline(given, opened)


def _shapes(network: Network) -> str:
    return f"weights of the shapes {[array.shape for array in network.arrays]}"


def _lengths(*derivations: Derivation) -> list[Expr]:
    return list(dict.fromkeys(steps for one in derivations for steps in one.network.timesteps))


def _outline(derivation: Derivation, opened: Sequence[bool]) -> str:
    network = derivation.network
    outputs = ", ".join(f"{head.width}{' at every step' if head.sequence else ''}" for head in network.heads)
    sources = ", ".join(f"{source.kind} of {source.width}" for source in network.sources)
    steps = ", ".join(
        "any number of" if free else str(network.timesteps[length])
        for length, free in zip(_lengths(derivation), opened, strict=False)
    )
    return f"{_shapes(network)}, inputs: {sources}, outputs: {outputs}, {steps or 'no'} time steps"


# the point --------------------------------------------------------------------------------------


def _given_x(network: Network, x: Any, live: _Live, seed: int) -> Any:
    """The inputs: random ones, or those given; states that are kept and not given are what they are now."""
    if x is None:
        drawn = random_inputs(network, live.samples or SAMPLES, seed)
        return drawn if len(drawn) > 1 else drawn[0]
    count, every = len(live.dtypes), len(network.sources)
    several = isinstance(x, list | tuple) and (count > 1 or len(x) == every)
    listed = list(x) if several else [x]
    if len(listed) == count < every:
        return [*listed, *(variable.numpy() for variable in live.kept)]
    return x


def _call(
    network: Network,
    function: NumericFunction,
    live: _Live,
    x: Any,
    y_true: Any,
    losses: Sequence[Loss],
    seed: int,
) -> CheckedCall:
    """The checked arguments of the gradient's function, inputs rounded to the dtypes in which Keras reads them."""
    arguments, weights = function.arguments, live.model.get_weights()
    if not weights:  # which give the dtype otherwise
        x = [np.asarray(value, live.dtype) for value in x] if len(network.sources) > 1 else np.asarray(x, live.dtype)
    if y_true is None:
        call = read(replace(arguments, targets=()), x, None, weights)
        drawn = random_targets([loss.name for loss in losses], network.heads, call.samples, call.lengths, seed)
        named = zip(arguments.targets, drawn, strict=True)
        arrays = call.arrays | {target.name: array.astype(call.dtype) for target, array in named}
    else:
        call = read(arguments, x, y_true, weights)
        arrays = dict(call.arrays)
    if live.samples not in (None, call.samples):
        raise ValueError(f"x: expected {live.samples} samples, for which the model is made, got {call.samples}")
    for source, dtype in zip(network.sources, live.dtypes, strict=False):
        name = source.symbol.name
        arrays[name] = arrays[name].astype(dtype).astype(arrays[name].dtype)
    shapes = tuple(arrays[source.symbol.name].shape for source in network.sources)
    return replace(call, arrays=arrays, single=False, shapes=shapes)


def _inputs(network: Network, call: CheckedCall, live: _Live) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What the model is called on, in its dtypes, and the states that it is to keep before."""
    arrays = [call.arrays[source.symbol.name] for source in network.sources]
    count = len(live.dtypes)
    inputs = [
        (array[..., 0] if source.is_flat else array).astype(dtype)
        for source, array, dtype in zip(network.sources, arrays, live.dtypes, strict=False)
    ]
    return inputs, arrays[count:]


# what is compared -------------------------------------------------------------------------------


def _forward(network: Network, found: KerasRun, live: _Live, detail: str) -> Iterator[Quantity]:
    """Outputs, then states and, on request, outputs of the layers in their order, then the states that are kept."""
    names, by_step = network.program.names, detail == "steps"
    if len(found.outputs) != len(network.heads):
        raise ValueError(f"derivation: expected {len(found.outputs)} outputs, got {len(network.heads)}")
    for head, y in zip(network.heads, found.outputs, strict=True):
        yield Quantity(head.symbol, name_of(names, head.symbol), np.asarray(y))
    seen = observe(found, live.model, network.graph)
    if seen.layers:
        yield from _layers(network, seen, detail)
    else:
        values = [state for record in found.records for state in recorded_states(record, found)]
        yield from _states(network.states, values, names, by_step)
    for final, value in zip(network.finals, found.finals, strict=True):
        yield Quantity(final, name_of(names, final), value)


def _states(states: Sequence[State], values: Sequence[np.ndarray], names: Names, by_step: bool) -> Iterator[Quantity]:
    """The states for all t, where as many were seen as there are, of the same widths."""
    if [int(shape_of(state.symbol)[1]) for state in states] == [value.shape[-1] for value in values]:
        for state, value in zip(states, values, strict=True):
            yield Quantity(state.symbol, name_of(names, state.symbol), value, by_step=by_step)


def _layers(network: Network, seen: Recording, detail: str) -> Iterator[Quantity]:
    """For each call of a layer its states, and on request what it returns."""
    graph, letters = network.graph, network.program.names
    known = {} if detail == "model" else network.values
    calls: dict[Expr, list[int]] = {}
    for result, symbol in known.items():
        calls.setdefault(symbol, []).append(result.call)
    for place, call in enumerate(graph.calls):
        by_step = detail == "steps" and isinstance(graph.layer(call), Recurrent | Bidirectional)
        own = [state for state in network.states if state.call == place]
        yield from _states(own, seen.states(place), letters, by_step) if own else ()
        for output, value in enumerate(seen.results(place)):
            found = known.get(Result(place, output))
            if found is not None and calls[found][-1] == place:  # Dropout and Activation may return it again
                names = ", ".join(dict.fromkeys(map(seen.name, calls[found])))
                steps = by_step and value.ndim == 3
                yield Quantity(found, name_of(letters, found), np.asarray(value), names, steps)


Slot = tuple[int, Weight | None]
"""Where Keras has a derivative: the place among weights, inputs and kept states, and the part of a weight."""


def _slots(gradient: Gradient) -> dict[Expr, Slot]:
    """Where the derivatives are that were asked for.

    Raises:
        NotImplementedError: by something that Keras has no tensor of.
    """
    network = gradient.network
    found: dict[Expr, Slot] = {part.symbol: (array.place, part) for array in network.arrays for part in array.parts}
    found |= {source.symbol: (len(network.arrays) + i, None) for i, source in enumerate(network.sources)}
    for symbol in (symbol for request in gradient.requests for symbol in request.symbols):
        if symbol not in found:
            raise NotImplementedError(
                f"check: derivative by {symbol}: Keras is asked for weights, inputs and initial states only"
            )
    return found


def _backward(gradient: Gradient, slots: Mapping[Expr, Slot], found: KerasRun) -> Iterator[Quantity]:
    """The loss, and the derivatives by what was asked for."""
    names = gradient.steps.names
    if gradient.loss is not None:
        total = gradient.steps.outputs[0]
        yield Quantity(total, name_of(names, total), np.asarray(found.objective))
    pairs = [(request, symbol) for request in gradient.requests for symbol in request.symbols]
    for (request, symbol), derivative in zip(pairs, gradient.derivatives, strict=True):
        place, part = slots[symbol]
        value = found.slopes[place] if part is None else part.block(np.asarray(found.slopes[place]))
        name = name_of(names, derivative)
        if request.step is not None:
            value, name = value[:, request.step], name.at(request.step)
        yield Quantity(derivative, name, value)
