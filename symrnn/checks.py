"""A derivation checked against Keras: prediction, states, the loss and every gradient.

The model is called with `training=False` and differentiated by TensorFlow's GradientTape, in its
own dtype. A difference is allowed where rounding explains it. Relative to the largest entry,

    allowed = 4 u T + (8 |ours(dtype) - ours(wider)| + moved) / scale,

u the unit roundoff, 2^-24 or 2^-53, T the number of steps. The second term is what rounding did to
our own value. The third is how far the value moves when each quantity of the forward pass is off by
4 u, about what one library's tanh differs from another's, and each slope by 4 u of 1, because
libraries compute it in different ways: where 1 - h^2 is a factor this grows by 2 h^2 / (1 - h^2),
which no constant allows for. What a maximum or minimum holds at its bound is exact and stays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sympy import Expr
from sympy.matrices.expressions import HadamardProduct

from symrnn.derivation import Derivation, Gradient, derive
from symrnn.functions import NamedSlope, slopes
from symrnn.keras_bridge import is_keras_model
from symrnn.layers import SimpleRNN
from symrnn.losses import loss_name
from symrnn.matrices import Elementwise, Softmax, add, hadamard, shape_of, variable
from symrnn.models import import_frameworks
from symrnn.notation import Letter
from symrnn.numeric import Call, read
from symrnn.program import Equation, Item, Program, Recurrence, recurrence
from symrnn.report import Report, row
from symrnn.transforms import letter_of

_SAMPLES, _STEPS, _DRAWS = 4, 5, 4
_ROUNDINGS = 4
_KERAS_LOSS = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}
Quantities = dict[str, np.ndarray]


def check(
    keras_model: Any,
    x: Any = None,
    y_true: Any = None,
    loss: str | None = None,
    derivation: Derivation | None = None,
    seed: int = 0,
) -> Report:
    """Compare the model's prediction, hidden states, loss and gradients with the derivation's.

    Without x, random samples are drawn (`seed`); without y_true, targets that suit the loss.
    `derivation` is `derive(keras_model)` unless given; a `Gradient` brings its own adjoint
    equations and its loss. Without a loss the gradients are those of the sum of y; where y is a
    softmax, whose sum is always 1, of the categorical crossentropy.

    Raises:
        ImportError: Keras or TensorFlow is missing; the message says what to install.
        NotImplementedError: Keras runs on another backend, or the model is not supported.
        ValueError: x, y_true, the loss or the derivation do not fit the model.
    """
    keras, tensorflow = import_frameworks()
    if not is_keras_model(keras_model):
        raise ValueError(f"check: expected a Keras model, got {type(keras_model).__name__}")
    model = derive(keras_model)
    given = _gradient(model if derivation is None else derivation, model, loss)
    if y_true is not None and given.loss is None:
        raise ValueError("y_true: expected a loss with it, got none")
    x = _random_x(model, seed) if x is None else x
    call = _call(given, x, y_true, keras_model, seed)
    best, own, spread = _ours(given, call, seed)
    theirs = _theirs(keras_model, model, given, call, keras, tensorflow)
    floors = {name: _ROUNDINGS * _unit(theirs[name].dtype) * call.timesteps for name in best}
    rows = tuple(row(name, best[name], own[name], theirs[name], spread[name], floors[name]) for name in best)
    versions = f"Keras {keras.__version__} on TensorFlow {tensorflow.__version__}"
    return Report(rows, str(call.dtype), given.loss, call.samples, call.timesteps, versions)


def _gradient(given: Derivation, model: Derivation, loss: str | None) -> Gradient:
    """The gradient to check: the one given, or the derivation's by all weights and x."""
    if not isinstance(given, Derivation):
        raise ValueError(f"derivation: expected a Derivation, got {type(given).__name__}")
    expected, got = _outline(model, given), _outline(given, model)
    if expected != got:
        raise ValueError(f"derivation: expected {expected}, as the model has it, got {got}")
    if isinstance(given, Gradient):
        if loss is not None and loss_name(loss) != given.loss:
            raise ValueError(f"loss: expected {given.loss}, the loss of the derivation, got {loss!r}")
        return given
    if loss is None and _is_softmax(model):
        loss = "categorical_crossentropy"
    return given.gradient(loss, [*(weight.symbol.name for weight in given.table), "x"])


def _outline(derivation: Derivation, other: Derivation) -> str:
    """What two derivations of one model have in common; time may be open in one of them."""
    shapes = [weight.shape for weight in derivation.table]
    every = " at every step" if derivation.network.sequence else ""
    steps = "any number of" if None in (derivation.timesteps, other.timesteps) else derivation.timesteps
    return f"weights of the shapes {shapes}, {derivation.network.outputs} outputs{every}, {steps} time steps"


def _is_softmax(model: Derivation) -> bool:
    """Whether y is a softmax, whose entries sum to 1: the derivatives of the sum are all zero."""
    output, program = model.network.output, model.network.program
    steps = [step for item in program.equations if isinstance(item, Recurrence) for step in item.body.assignments]
    found = [step.rhs for step in (*steps, *program.assignments) if step.lhs == output]
    return isinstance(found[0], Softmax) and model.network.outputs > 1


def _unit(dtype: np.dtype) -> float:
    """The unit roundoff."""
    return float(np.finfo(dtype).eps) / 2


# the point --------------------------------------------------------------------------------------


def _random_x(model: Derivation, seed: int) -> np.ndarray:
    timesteps, features = model.network.model.input_shape
    return np.random.default_rng(seed).normal(size=(_SAMPLES, timesteps or _STEPS, features))


def _call(gradient: Gradient, x: Any, y_true: Any, keras_model: Any, seed: int) -> Call:
    """The checked arguments of the gradient's function, x rounded to the dtype in which Keras reads it."""
    weights = keras_model.get_weights()
    forward = read(Derivation(gradient.network).lambdify().arguments, x, None, weights)
    if gradient.loss is None:
        call = forward
    else:
        y_true = _random_targets(gradient, forward, seed) if y_true is None else y_true
        call = read(gradient.lambdify().arguments, x, y_true, weights)
    block = call.arrays["x_t"].astype(keras_model.inputs[0].dtype).astype(call.dtype)
    return replace(call, arrays=call.arrays | {"x_t": block}, single=False, x_shape=block.shape)


def _random_targets(gradient: Gradient, call: Call, seed: int) -> np.ndarray:
    """Targets that the loss is meant for: one-hot rows, zeros and ones, or any numbers."""
    generator = np.random.default_rng(seed + 1)
    shape = (call.samples, *((call.timesteps,) if gradient.network.sequence else ()), gradient.network.outputs)
    if gradient.loss == "categorical_crossentropy":
        targets = np.eye(shape[-1])[generator.integers(shape[-1], size=shape[:-1])]
    elif gradient.loss == "binary_crossentropy":
        targets = generator.integers(2, size=shape).astype(float)
    else:
        targets = generator.normal(size=shape)
    return targets[0] if call.single else targets


# ours -------------------------------------------------------------------------------------------


def _ours(gradient: Gradient, call: Call, seed: int) -> tuple[Quantities, Quantities, dict[str, float]]:
    """Our values in a wider type and in the call's, and how far rounding may have moved each.

    Where no type is wider than float64 (long double is the same on some machines), the wider value
    is in float64 too and the perturbed ones alone tell.
    """
    wider = np.dtype(np.float64 if call.dtype == np.float32 else np.longdouble)
    best = _evaluate(gradient, _cast(call, wider))
    own = _evaluate(gradient, call)
    spread = {name: 8 * _distance(own[name], best[name]) for name in best}
    generator = np.random.default_rng(seed)
    noisy, noises = perturbed(gradient.steps)
    program, forward_noises = perturbed(gradient.network.program)
    moved = replace(gradient, backward=noisy, network=replace(gradient.network, program=program))
    step = _ROUNDINGS * _unit(call.dtype)
    far = dict.fromkeys(best, 0.0)
    for _ in range(_DRAWS):
        arrays = {
            noise.symbol.name: noise.center + step * generator.choice([-1.0, 1.0], _noise_shape(noise, call))
            for noise in {*forward_noises, *noises}
        }
        drawn = replace(_cast(call, wider), arrays=_cast(call, wider).arrays | _cast_all(arrays, wider))
        values = _evaluate(moved, drawn)
        far = {name: max(far[name], _distance(values[name], best[name])) for name in best}
    return best, own, {name: spread[name] + far[name] for name in best}


def _cast(call: Call, dtype: np.dtype) -> Call:
    return replace(call, arrays=_cast_all(call.arrays, dtype), dtype=dtype)


def _cast_all(arrays: Quantities, dtype: np.dtype) -> Quantities:
    return {name: array.astype(dtype) for name, array in arrays.items()}


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference among the finite entries."""
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(one - other), where=finite, initial=0.0))


@dataclass(frozen=True)
class Noise:
    """An input of a perturbed program: 1 + e, times a quantity, or e, added to a slope."""

    symbol: Expr
    family: bool
    center: int


def _noise_shape(noise: Noise, call: Call) -> tuple[int, ...]:
    width = int(shape_of(noise.symbol)[1])
    return (call.samples, call.timesteps, width) if noise.family else (call.samples, width)


def perturbed(program: Program) -> tuple[Program, list[Noise]]:
    """The program with forward quantities times an input `noise`, and with another added to slopes."""
    letters = dict(program.letters)
    noises: list[Noise] = []

    def draw(lhs: Expr, family: bool, center: int) -> Expr:
        letter = Letter(f"noise_{letter_of(letters, lhs).family}", time="t" if family else None)
        symbol = variable(letter.code, shape_of(lhs))
        letters[symbol] = letter
        noises.append(Noise(symbol, family, center))
        return symbol

    def noisy(equation: Equation, family: bool) -> Equation:
        lhs, rhs = equation.lhs, equation.rhs
        letter, shape = letter_of(letters, lhs), shape_of(lhs)
        if not shape or shape[0] == 1 or letter.is_total or _is_exact(rhs):
            return equation
        if not letter.is_adjoint:
            return Equation(lhs, hadamard(rhs, draw(lhs, family, 1)))
        if not isinstance(rhs, HadamardProduct) or not isinstance(rhs.args[-1], Elementwise):
            return equation
        return Equation(lhs, hadamard(*rhs.args[:-1], add(rhs.args[-1], draw(lhs, family, 0))))

    items: list[Item] = []
    for item in program.equations:
        if isinstance(item, Equation):
            items.append(noisy(item, False))
        elif isinstance(item, Recurrence):
            steps = [noisy(equation, True) for equation in item.body.assignments]
            reads = [*item.sequences, *(noise.symbol for noise in noises if noise.family)]
            items.append(recurrence(steps, reads, item.carries, item.stacked, item.sums, item.reverse, letters))
        else:
            items.append(item)
    inputs = (*program.inputs, *(noise.symbol for noise in noises if not noise.family))
    sequences = (*program.sequences, *(noise.symbol for noise in noises if noise.family))
    return Program(inputs, sequences, tuple(items), program.outputs, letters), noises


def _is_exact(expr: Expr) -> bool:
    """Whether a function in pieces, or its slope, is at the end of the expression: at a bound it is exact."""
    last = expr.args[-1] if isinstance(expr, HadamardProduct) else expr
    if not isinstance(last, Elementwise):
        return False
    return type(last.template).__name__ in slopes or isinstance(last.template, NamedSlope)


def _evaluate(gradient: Gradient, call: Call) -> Quantities:
    """Prediction, states, loss and gradients, computed with arrays in the call's dtype."""
    letters = gradient.steps.letters
    forward = Derivation(gradient.network)
    symbols = [gradient.network.output, *(state.symbol for state in gradient.network.states)]
    found = dict(zip((letter_of(letters, s).text for s in symbols), forward.compute(symbols, call), strict=True))
    totals = ["L"] if gradient.loss else []
    names = [*totals, *(letter_of(letters, s).text for s in gradient.derivatives)]
    return found | dict(zip(names, gradient.lambdify().on_arrays(call), strict=True))


# theirs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """A model, and the modules that run it."""

    model: Any
    keras: Any
    tensorflow: Any


def _theirs(
    keras_model: Any, model: Derivation, gradient: Gradient, call: Call, keras: Any, tensorflow: Any
) -> Quantities:
    """The same quantities under the same names, from Keras and GradientTape."""
    run = _Run(keras_model, keras, tensorflow)
    x = tensorflow.convert_to_tensor(call.arrays["x_t"].astype(keras_model.inputs[0].dtype))
    variables = [weight.value for weight in keras_model.weights]
    with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([x, *variables])
        y = keras_model(x, training=False)
        total = _objective(gradient, call, y, run)
    sources = _sources(gradient, x, variables)
    slopes = tape.gradient(total, sources, unconnected_gradients="zero")
    letters = gradient.steps.letters
    found = {letter_of(letters, gradient.network.output).text: y, **_states(model, x, run)}
    found |= {"L": total} if gradient.loss else {}
    found |= {letter_of(letters, s).text: slope for s, slope in zip(gradient.derivatives, slopes, strict=True)}
    return {name: np.asarray(value) for name, value in found.items()}


def _objective(gradient: Gradient, call: Call, y: Any, run: _Run) -> Any:
    if gradient.loss is None:
        return run.tensorflow.reduce_sum(y)
    y_true = next(call.arrays[name] for name in ("y_true", "y_true_t") if name in call.arrays)
    loss: Callable[..., Any] = run.keras.losses.get(_KERAS_LOSS.get(gradient.loss, gradient.loss))
    return run.tensorflow.reduce_mean(loss(y_true, y))


def _sources(gradient: Gradient, x: Any, variables: Sequence[Any]) -> list[Any]:
    """What Keras can differentiate by: the weights, and x."""
    known = {weight.symbol: variable for weight, variable in zip(gradient.table, variables, strict=True)}
    known[gradient.network.program.sequences[0]] = x
    for request in gradient.requests:
        if request.symbol not in known or request.step is not None:
            raise NotImplementedError(f"check: derivative by {request.symbol}: Keras is asked for weights and x only")
    return [known[request.symbol] for request in gradient.requests]


def _states(model: Derivation, x: Any, run: _Run) -> dict[str, Any]:
    """The states of each recurrent layer for all t, in the order of time."""
    found: dict[str, Any] = {}
    value, states = x, iter(model.network.states)
    for layer in model.network.model.layers:
        own = run.model.get_layer(layer.name)
        if isinstance(layer, SimpleRNN):
            every = run.keras.layers.RNN(
                own.cell, return_sequences=True, go_backwards=layer.go_backwards, dtype=own.dtype_policy
            )
            sequence = every(value, training=False)
            letter = letter_of(model.network.program.letters, next(states).symbol)
            found[letter.text] = run.tensorflow.reverse(sequence, [1]) if layer.go_backwards else sequence
        value = own(value, training=False)
    return found
