"""The generated functions: equal to their programs at 50 digits, and derivatives, batches, shapes, dtypes, errors."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Abs, Expr, Symbol

from symrnn import Activation, Dense, Derivation, Gradient, Sequential, SimpleRNN, TimeDistributed, derive
from symrnn.functions import activations
from symrnn.losses import LOSSES
from symrnn.matrices import shape_of
from symrnn.numeric import read
from symrnn.program import Program
from tests.bank import LOSS_MODELS, MODELS, Case, written_out

Arguments = tuple[Any, ...]
Numbers = list[Any]
DIGITS = 50


# arguments and results as plain numbers -----------------------------------------------------------


def drawn(d: Derivation, samples: int = 2, loss: str | None = None, dtype: str = "float64", seed: int = 0) -> Arguments:
    """Random arguments (x, weights) or (x, y_true, weights), with weights so small that states contract.

    The numbers are those of float32, so that they are the same in every type.
    """
    generator = np.random.default_rng(seed)
    timesteps, features = d.network.model.input_shape
    steps = timesteps or 3

    def uniform(bound: float, *shape: int) -> np.ndarray:
        return generator.uniform(-bound, bound, shape).astype("float32").astype(dtype)

    x: Any = uniform(1, samples, steps, features)
    states = [uniform(0.5, samples, int(shape_of(s.initial)[1])) for s in d.network.states if s.initial is not None]
    weights = [uniform(0.6, *weight.shape) for weight in d.table]
    rows = (samples, *((steps,) if d.network.sequence else ()))
    target = uniform(0.4, *rows, d.network.outputs) + np.array(0.5, dtype)
    if loss == "categorical_crossentropy":
        target = np.eye(d.network.outputs, dtype=dtype)[generator.integers(d.network.outputs, size=rows)]
    return ([x, *states] if states else x, *([] if loss is None else [target]), weights)


def flat(array: Any) -> list[Any]:
    """The numbers of an array in the order of a scalar program: by sample, by column, by step."""
    return list(np.moveaxis(array, 1, -1).ravel() if np.ndim(array) == 3 else np.ravel(array))


def entries(results: Any) -> list[Any]:
    """All numbers in what a function returned: an array, a list, or a loss and a list."""
    if isinstance(results, list | tuple):
        return [number for result in results for number in entries(result)]
    return flat(results)


def inputs(d: Derivation, arguments: Arguments) -> list[Any]:
    """The arguments as the inputs of the scalar program."""
    f = d.lambdify()
    y_true, weights = f.split(arguments[1:])
    call = read(f.arguments, arguments[0], y_true, weights)
    return [number for s in (*d.steps.inputs, *d.steps.sequences) for number in flat(call.arrays[s.name])]


def exactly(number: Any) -> mpmath.mpf:
    """The number, with all its digits."""
    above, below = number.as_integer_ratio()
    return mpmath.mpf(above) / below


# the oracle ---------------------------------------------------------------------------------------


def size(expr: Expr, sizes: dict[Expr, Expr]) -> Expr:
    """The sum of the absolute values of an expression's terms, after `sizes` of what stands in them."""
    if expr in sizes:
        return sizes[expr]
    if expr.is_Add or expr.is_Mul:
        return expr.func(*(size(part, sizes) for part in expr.args))
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        return size(expr.base, sizes) ** expr.exp
    return Abs(expr)


def evaluated(program: Program, numbers: Sequence[Any]) -> tuple[Numbers, Numbers]:
    """The outputs of a scalar program at 50 digits, and the sums of the absolute values of their terms."""
    sizes: dict[Expr, Expr] = {}
    steps: list[tuple[Expr, Expr]] = []
    equations = [(symbol, symbol) for symbol in program.inputs] + [(e.lhs, written_out(e.rhs)) for e in program.equations]
    for lhs, rhs in equations:
        total = Symbol(f"size_of_{lhs.name}", real=True)
        steps += [(lhs, rhs)] * (lhs != rhs) + [(total, size(rhs, sizes))]
        sizes[lhs] = total
    wanted = [*program.outputs, *(sizes[output] for output in program.outputs)]
    f = sympy.lambdify(program.inputs, wanted, modules="mpmath", cse=lambda outputs: (steps, list(outputs)))
    with mpmath.workdps(DIGITS):
        values = f(*map(exactly, numbers))
    return values[: len(program.outputs)], values[len(program.outputs) :]


def roundings(results: Any, values: Numbers, sizes: Numbers, unit: float) -> float:
    """The largest error, in unit roundoffs of the sum of the absolute values of the terms."""
    with mpmath.workdps(DIGITS):
        errors = [abs(exactly(a) - b) for a, b in zip(entries(results), values, strict=True)]
        return max(float(error / (unit * total)) if error else 0.0 for error, total in zip(errors, sizes, strict=True))


def everything(d: Derivation) -> list[str]:
    """The names of all inputs: weights, x, initial states."""
    return [*(weight.symbol.name for weight in d.table), "x", *(s.initial.name for s in d.network.states if s.initial)]


OBJECTIVES: dict[str, tuple[Case, str | None]] = {
    **{name: (case, None) for name, case in MODELS.items()},
    **{f"{name}, mse": (case, "mse") for name, case in MODELS.items()},
    **{name: (case, name.split(" of ")[0]) for name, case in LOSS_MODELS.items() if not name.startswith("sum")},
}
over_objectives = pytest.mark.parametrize(("case", "loss"), OBJECTIVES.values(), ids=OBJECTIVES.keys())


def agrees(d: Derivation, samples: int, loss: str | None) -> bool:
    """Law 4 at one point, in float32, float64 and long double, with arrays and, for scalar models, with floats.

    Constants that no double holds exactly are doubles in long double too.
    """
    program = d.program("scalar", samples)
    values, sizes = evaluated(program, inputs(d, drawn(d, samples, loss)))
    f = d.lambdify()
    bounds = {"float32": 2.0**-24, "float64": 2.0**-53, "longdouble": 2.0**-53}
    return all(
        roundings(g(*drawn(d, samples, loss, dtype)), values, sizes, unit) < 100
        for dtype, unit in bounds.items()
        for g in (f, replace(f, row_source=None))
    )


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS.keys())
def test_values_are_those_of_the_program(case: Case) -> None:
    assert agrees(derive(case.model), case.rows, None)


@over_objectives
def test_gradients_are_those_of_the_program(case: Case, loss: str | None) -> None:
    d = derive(case.model)
    assert agrees(d.gradient(loss, everything(d)), case.rows, loss)


@pytest.mark.parametrize("name", ["scalar", "units", "stack of sequences", "sequence backwards"])
def test_long_double_is_computed_in_long_double(name: str) -> None:
    case, unit = MODELS[name], float(np.finfo(np.longdouble).eps) / 2
    d = derive(case.model).gradient()
    values, sizes = evaluated(d.program("scalar"), inputs(d, drawn(d, 1)))
    assert roundings(d.lambdify()(*drawn(d, 1, dtype="longdouble")), values, sizes, unit) < 100


@over_objectives
def test_floats_are_arrays_to_rounding(case: Case, loss: str | None) -> None:
    d = derive(case.model)
    for f in (d.gradient(loss), d):
        rows = f.lambdify()
        assert (rows.row_source is None) != d.is_scalar
        arguments = drawn(d, 1, loss if f is not d else None)
        ours, theirs = rows(*arguments), replace(rows, row_source=None)(*arguments)
        assert entries(ours) == pytest.approx(entries(theirs), rel=1e-12, abs=1e-14)
        assert [np.shape(a) for a in parts(ours)] == [np.shape(a) for a in parts(theirs)]


def parts(results: Any) -> Iterator[Any]:
    """The arrays in what a function returned."""
    for result in results if isinstance(results, list | tuple) else [results]:
        yield from parts(result) if isinstance(result, list | tuple) else [result]


# derivatives --------------------------------------------------------------------------------------


def slopes(d: Gradient, samples: int, numbers: Sequence[Any]) -> dict[str, float]:
    """dL/ds by central differences at 50 digits, for every symbol s of the objective's scalar program."""
    program = objective(d).program("scalar", samples)
    symbols = [*program.inputs, *(equation.lhs for equation in program.equations)]
    nudges = [Symbol(f"nudge_{symbol.name}", real=True) for symbol in symbols]
    before = {symbol: Symbol(f"given_{symbol.name}", real=True) for symbol in program.inputs}
    rhs = before | {e.lhs: written_out(e.rhs) for e in program.equations}
    steps = [(symbol, rhs[symbol] + nudge) for symbol, nudge in zip(symbols, nudges, strict=True)]
    total = sympy.Add(*program.outputs)
    f = sympy.lambdify([*before.values(), *nudges], total, modules="mpmath", cse=lambda e: (steps, e if isinstance(e, list) else [e]))
    with mpmath.workdps(DIGITS):
        point, step = [exactly(number) for number in numbers], mpmath.mpf(10) ** -20

        def at(i: int, by: mpmath.mpf) -> mpmath.mpf:
            return f(*point, *(by if i == k else 0 for k in range(len(nudges))))

        return {s.name: float((at(i, step) - at(i, -step)) / (2 * step)) for i, s in enumerate(symbols)}


def objective(d: Gradient) -> Derivation:
    """The derivation of what a gradient is the gradient of: y, or the loss."""
    forward = [e for e in d.steps.equations]
    return replace(d, backward=replace(d.steps, equations=tuple(forward)))
