"""The NumPy source: it computes its program, does not grow with time, and holds no text but ours."""

import ast
import re
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Abs, Expr, Symbol
from sympy.printing.pycode import MpmathPrinter

from symrnn import Dense, Derivation, Gradient, Sequential, SimpleRNN, derive
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.codegen.fusion.gates import fuse
from symrnn.expressions.nodes import N
from symrnn.expressions.shapes import shape_of
from symrnn.programs.adjoint import backprop
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, families
from symrnn.programs.transforms import name_of, stack_all
from symrnn.programs.unrolling import unroll
from tests.codegen.test_function import (
    DIGITS,
    OBJECTIVES,
    drawn,
    entries,
    everything,
    exactly,
    flat,
    inputs,
    over_objectives,
)
from tests.support.bank import LOSS_MODELS, MODELS, PROGRAMS, SAMPLE, Case, apart, defined, fitted, over, written_out

Numbers = list[Any]


# the oracle ---------------------------------------------------------------------------------------

PRINTER = MpmathPrinter({"fully_qualified_modules": False, "inline": True, "order": "none"})
"""SymPy's own, without the order of terms, which takes it as long as all else."""


def size(expr: Expr, sizes: dict[Expr, Expr]) -> Expr:
    """The sum of the absolute values of an expression's terms, and of those of a function's arguments."""
    if expr in sizes:
        return sizes[expr]
    if expr.is_Add or expr.is_Mul:
        return expr.func(*(size(part, sizes) for part in expr.args))
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0:
        return size(expr.base, sizes) ** expr.exp
    return sympy.Add(Abs(expr), *(sizes[symbol] for symbol in expr.free_symbols if expr.is_Function))


def evaluated(program: Program, numbers: Sequence[Any]) -> tuple[Numbers, Numbers]:
    """The outputs of a scalar program at 50 digits, and the sums of the absolute values of their terms."""
    sizes: dict[Expr, Expr] = {}
    steps: list[tuple[Expr, Expr]] = []
    rhs_of = {s: s for s in program.inputs} | {e.lhs: written_out(e.rhs) for e in program.equations}
    for lhs, rhs in rhs_of.items():
        total = Symbol(f"size_of_{lhs.name}", real=True)
        steps += [(lhs, rhs)] * (lhs != rhs) + [(total, size(rhs, sizes))]
        sizes[lhs] = total
    wanted = [*program.outputs, *(sizes[output] for output in program.outputs)]
    f = sympy.lambdify(program.inputs, wanted, "mpmath", PRINTER, cse=lambda outputs: (steps, list(outputs)))
    with mpmath.workdps(DIGITS):
        values = f(*map(exactly, numbers))
    return values[: len(program.outputs)], values[len(program.outputs) :]


def roundings(results: Any, values: Numbers, sizes: Numbers, unit: float) -> float:
    """The largest error, in unit roundoffs of the sum of the absolute values of the terms."""
    with mpmath.workdps(DIGITS):
        errors = [abs(exactly(a) - b) for a, b in zip(entries(results), values, strict=True)]
        return max(float(error / (unit * total)) if error else 0.0 for error, total in zip(errors, sizes, strict=True))


# law 4: lambdify(p) == the same program at 50 digits ----------------------------------------------


def agrees(d: Derivation, samples: int, loss: str | None) -> bool:
    """Law 4 at one point, in float32, float64 and long double, with arrays and, for scalar models, with floats.

    Constants that no double holds exactly are doubles in long double too.
    """
    program = d.program("scalar", samples)
    values, sizes = evaluated(program, inputs(d, drawn(d, samples, loss)))
    f = d.lambdify()
    if d.network.finals and not isinstance(d, Gradient):  # the function hands the last states back, too
        f = replace(f, finish=lambda results: results[: len(d.network.heads)])
    forms = (f, *([replace(f, row=None)] if f.row_source else []))
    bounds = {"float32": 2.0**-24, "float64": 2.0**-53, "longdouble": 2.0**-53}
    return all(
        roundings(g(*drawn(d, samples, loss, dtype)), values, sizes, unit) < 100
        for dtype, unit in bounds.items()
        for g in forms
    )


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS.keys())
def test_values_are_those_of_the_program(case: Case) -> None:
    assert agrees(case.derivation, case.rows, None)


@over_objectives
def test_gradients_are_those_of_the_program(case: Case, loss: str | None) -> None:
    d = case.derivation
    assert agrees(d.gradient(loss, everything(d)), case.rows, loss)


@pytest.mark.parametrize("name", ["scalar", "units", "stack of sequences", "sequence backwards"])
def test_long_double_is_computed_in_long_double(name: str) -> None:
    case, unit = MODELS[name], float(np.finfo(np.longdouble).eps) / 2
    d = case.gradient
    values, sizes = evaluated(d.program("scalar"), inputs(d, drawn(d, 1)))
    assert roundings(d.lambdify()(*drawn(d, 1, dtype="longdouble")), values, sizes, unit) < 100


# programs of all kinds ----------------------------------------------------------------------------


def arrays(program: Program, case: Case) -> list[np.ndarray]:
    """Random numbers for the sequences and the inputs of a program, in the order of its function's arguments."""
    generator = np.random.default_rng(2)

    def draw(symbol: Expr, *steps: int) -> np.ndarray:
        rows, columns = (case.rows if size == N else int(size) for size in shape_of(symbol))
        is_bias = rows == 1 and name_of(program.names, symbol).axes == 1 and shape_of(symbol)[0] != N
        array = generator.uniform(-0.7, 0.7, (columns,) if is_bias else (rows, *steps, columns))
        return fitted(symbol, array, program, generator)

    return [*(draw(s, case.steps_of(s)) for s in program.sequences), *(draw(s) for s in program.inputs)]


def computes(program: Program, case: Case) -> bool:
    """Whether the source gives the program's outputs at 50 digits, families with an axis of time; fused, too."""
    given, known = arrays(program, case), families(program)
    count = len(program.sequences)
    numbers = [number for array in (*given[count:], *given[:count]) for number in flat(array)]
    values, sizes = evaluated(unroll(expand(program, case.rows), case.timesteps), numbers)
    for whole in (program, fuse(program)):
        results = compile_source(source(whole, "f", case.own_lengths), "f")(*given)
        assert [np.ndim(result) == 3 for result in results] == [symbol in known for symbol in program.outputs]
        if roundings(list(results), values, sizes, 2.0**-53) >= 100:
            return False
    return True


# the functions of a model are those of law 4, and its values those of test_derivation.py


@over(apart(PROGRAMS))
def test_source_computes_the_program(case: Case) -> None:
    assert computes(case.program, case)
    assert computes(stack_all(case.program), replace(case, rows=2))


@over(apart(PROGRAMS))
def test_source_computes_the_gradient(case: Case) -> None:
    assert computes(case.backward, replace(case, rows=2))


@over(apart(SAMPLE | LOSS_MODELS))
def test_source_computes_the_gradient_by_intermediates(case: Case) -> None:
    assert computes(backprop(case.program, defined(case.program)), case)


# the text -----------------------------------------------------------------------------------------

TWO = derive(Sequential([SimpleRNN(2), Dense(2)], (3, 2)))
PREDICT = """import numpy as np


def predict(x, U, V, b_h, W, b_o):
    N, T = x.shape[:2]
    dtype = U.dtype
    x = x.swapaxes(0, 1)
    a_input = x @ U + b_h
    h_prev = np.zeros((N, 2), dtype)
    for t in range(T):
        a_t = a_input[t] + h_prev @ V
        h_t = np.tanh(a_t)
        h_prev = h_t
    h_last = h_prev
    y = h_last @ W + b_o
    return y,
"""
GRADIENT = """def gradient(x, U, V, b_h, W, b_o, y_true):
    N, T = x.shape[:2]
    dtype = U.dtype
    x = x.swapaxes(0, 1)
    a_input = x @ U + b_h
    h_prev = np.zeros((N, 2), dtype)
    h_all = np.empty((T + 1, N, 2), dtype)
    h_all[0] = h_prev
    h, h_before = h_all[1:], h_all[:-1]
    for t in range(T):
        a_t = a_input[t] + h_prev @ V
        h_t = np.tanh(a_t, out=h[t])
        h_prev = h_t
    del a_input, h_all, a_t, h_t
    h_last = h_prev
    y = h_last @ W + b_o
    L = (1/2)/N * ((y - y_true)**2).sum()
    dy = 1/N * (y - y_true)
    delta_factor = 1 - (h*h)
    dh_carry = dy @ W.T
    delta = np.empty((T, N, 2), dtype)
    for t in range(T - 1, -1, -1):
        dh_t = dh_carry
        delta_t = np.multiply(delta_factor[t], dh_t, out=delta[t])
        dh_carry = delta_t @ V.T
    dU = total(x, delta)
    dV = total(h_before, delta)
    db_h = delta.sum(axis=0).sum(axis=0)
    dW = h_last.T @ dy
    db_o = dy.sum(axis=0)
    return L, dU, dV, db_h, dW, db_o
"""


def test_the_source_of_a_prediction() -> None:
    assert TWO.lambdify().source == PREDICT


def test_the_source_of_a_gradient() -> None:
    header, helper, function = TWO.gradient("mse").lambdify().source.split("\n\n\n")
    assert (header, function) == ("import numpy as np", GRADIENT)
    assert helper.startswith("def total(a, b):\n")


LINES: list[tuple[str, str | None, str]] = [
    ("backwards", None, "for t in range(T - 1, -1, -1):"),
    ("sequence backwards", None, "s = h[::-1]"),
    ("sequence and Dense", None, "y = h @ W + b_o"),
    ("sequence and Dense", None, "return y.swapaxes(0, 1),"),
    ("initial state", None, "h_prev = h_init"),
    ("no bias", None, "a_input = x @ U"),
    ("softmax output", None, "y = softmax(a_y)"),
    ("softmax output", "categorical_crossentropy", "delta_y = 1/N * (y - y_true)"),
    ("sequence and Dense", "mse", "S = ((y - y_true)**2).sum()"),
    ("sequence and Dense", "mse", "L = (1/2)/(N*T) * S"),
    ("sequence and Dense", "mse", "dW = total(h, dy)"),
    ("sequence and Dense", "mae", "dy = (1/2)/(N*T) * np.sign(y - y_true)"),
    ("activation sigmoid", "mse", "delta_factor = h*(1 - h)"),
    ("activation relu", "mse", "delta_factor = relu_slope(a, h)"),
]


@pytest.mark.parametrize(("name", "loss", "line"), LINES)
def test_lines(name: str, loss: str | None, line: str) -> None:
    d = derive(MODELS[name].model)
    f = (d.gradient(loss) if loss else d).lambdify()
    assert line in [text.strip() for text in f.source.splitlines()]


OPENED = {name: OBJECTIVES[name] for name in apart(OBJECTIVES) if name.removesuffix(", mse") in SAMPLE | LOSS_MODELS}


@pytest.mark.parametrize(("case", "loss"), OPENED.values(), ids=OPENED.keys())
def test_the_source_does_not_depend_on_the_number_of_steps(case: Case, loss: str | None) -> None:
    texts = set()
    for timesteps in (1, 1000, None):
        d = derive(case.at(timesteps))
        for f in (d.lambdify(), d.gradient(loss).lambdify()):
            texts.add((f.name, f.source, f.row_source))
    assert len(texts) == 2


ALLOWED = {"np", "math", "range", "slice", "len", "max", "min", "sum", "abs", "float", "any", "int", "next"}


def free_names(text: str) -> set[str]:
    """The names in a module that it neither defines nor imports from `math`."""
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    nodes = [*ast.walk(ast.parse(text))]
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    imported = {name.name for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names}
    return {node.id for node in names} - stored - arguments - functions - imported


@over_objectives
def test_the_source_is_complete_and_imports_nothing_but_numpy_and_math(case: Case, loss: str | None) -> None:
    d = case.derivation
    for f in (d.lambdify(), d.gradient(loss, everything(d)).lambdify()):
        for text in filter(None, [f.source, f.row_source]):
            imports = {line for line in text.splitlines() if "import" in line}
            assert all(re.fullmatch(r"import math|import numpy as np|from math import [a-z0-9, ]+", i) for i in imports)
            assert free_names(text) <= ALLOWED
            assert "_" not in {name[0] for name in re.findall(r"\w+", text)}


def test_names_of_layers_do_not_reach_the_source() -> None:
    name = "__import__('os')"
    layers = [SimpleRNN(1, name=name), Dense(1, name=name)]
    d = derive(Sequential(layers, (3, 1)))
    for f in (d.lambdify(), d.gradient("mse").lambdify()):
        assert "import" not in f.source.replace("import numpy", "") + f.row_source.replace("from math import", "")


def test_the_source_that_is_shown_runs() -> None:
    f = TWO.gradient("mse").lambdify()
    x, y_true, weights = drawn(TWO, 2, "mse")
    namespace: dict[str, Any] = {}
    exec(f.source, namespace)
    loss, *slopes = namespace["gradient"](x, *weights, y_true)
    assert entries([loss, *slopes]) == entries(f(x, y_true, weights))


def test_a_traceback_names_the_source() -> None:
    with pytest.raises(ValueError, match="mismatch") as caught:
        compile_source(PREDICT, "predict")(np.ones((1, 3, 2)), np.ones((3, 3)), 0, 0, 0, 0)
    assert traceback.extract_tb(caught.tb)[-1].filename == "<symrnn predict>"
