"""A derivation's equations as functions of numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, singledispatch
from typing import Any

import numpy as np
from sympy import Expr

from symrnn.codegen.arguments import CheckedCall, read, whole
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.function import JacobianFunction, NumericFunction
from symrnn.codegen.signature import Arguments, Output, Target
from symrnn.derivations.derivation import Derivation, Gradient
from symrnn.derivations.jacobian import Jacobian
from symrnn.derivations.wrt import Request
from symrnn.expressions.nodes import N, OneHot
from symrnn.expressions.shapes import shape_of
from symrnn.models.network import Network
from symrnn.programs.program import Program, families, right_sides
from symrnn.programs.transforms import name_of, named_symbols, prune, stack_all


@singledispatch
def lambdify(derivation: Derivation) -> NumericFunction:
    """f(x, weights) -> y, as model.predict; several outputs, or a state to keep, are a list."""
    network = derivation.network
    outputs = [Output("family" if head.sequence else "rows") for head in network.heads]
    outputs += [Output("rows")] * len(network.finals)
    program = prune(derivation.steps, (*derivation.steps.outputs, *network.finals))
    return _function(derivation, "predict", program, tuple(outputs), _only if len(outputs) == 1 else list)


@lambdify.register
def _(gradient: Gradient) -> NumericFunction:
    """g(x, weights) -> [dU, dV, ...]; with a loss, g(x, y_true, weights) -> (loss, [dU, dV, ...])."""
    known = families(gradient.steps)
    outputs = [Output("loss")] if gradient.loss else []
    places = {source.symbol: place for place, source in enumerate(gradient.network.sources)}
    of_steps = {weight.symbol: weight.shape for weight in gradient.table if weight.name.time is not None}
    pairs = [(one, symbol) for one in gradient.requests for symbol in one.symbols]
    for (one, symbol), derivative in zip(pairs, gradient.derivatives, strict=True):
        if one.step is None and symbol in places:
            shaped = Output("source", place=places[symbol])
        elif one.step is None and symbol in of_steps:
            shaped = Output("weight", of_steps[symbol])
        else:
            shaped = _output(derivative, gradient.steps, known)
        outputs.append(replace(shaped, step=one.step))
    program = prune(gradient.steps, gradient.steps.outputs)
    return _function(
        gradient, "gradient", program, tuple(outputs), partial(_assemble, gradient.requests, bool(gradient.loss))
    )


def lambdify_jacobian(jacobian: Jacobian) -> JacobianFunction:
    """f(x, weights) -> the Jacobian of each sample, computed once for each of its columns."""
    network = jacobian.network
    program, seed = jacobian.seeded()
    order = tuple(symbol.name for symbol in (*program.sequences, *program.inputs))
    arguments = Arguments(network.sources, network.arrays, lengths=network.own_lengths)
    width = int(shape_of(seed)[1])
    code = source(program, "jacobian", network.own_lengths)
    steps = name_of(network.program.names, jacobian.of.symbols[0]).steps
    return JacobianFunction(code, order, arguments, seed.name, width, jacobian.of.step, jacobian.wrt.step, steps)


def values(derivation: Derivation, x: Any, *rest: Any) -> dict[str, np.ndarray]:
    """Every symbol's value by name, h_0, h_1, ...; the arguments are those of `lambdify()`."""
    program = stack_all(derivation.steps)
    symbols = list(named_symbols(program).values())
    y_true, weights = lambdify(derivation).split(rest)
    call = read(_arguments(derivation.network, program), x, y_true, weights)
    known = families(program)
    found: dict[str, Any] = {}
    for symbol, value in zip(symbols, compute(derivation, symbols, call), strict=True):
        if symbol not in known:
            found[symbol.name] = value
            continue
        name = name_of(program.names, symbol)
        steps = value if call.single else value.swapaxes(0, 1)
        found |= {name.at(t).code: step for t, step in enumerate(steps)}
    return found


def compute(derivation: Derivation, symbols: Sequence[Expr], call: CheckedCall) -> list[np.ndarray]:
    """The values of symbols of the step program, with arrays; a family's has an axis of time."""
    return function_of_symbols(derivation, symbols).on_arrays(call)


def function_of_symbols(derivation: Derivation, symbols: Sequence[Expr]) -> NumericFunction:
    """What gives the values of symbols of the step program."""
    program = stack_all(derivation.steps)
    program = prune(program, tuple(symbols))
    known = families(program)
    outputs = tuple(_output(symbol, program, known) for symbol in symbols)
    return _function(derivation, "values", program, outputs, list)


def _function(
    derivation: Derivation, name: str, program: Program, outputs: tuple[Output, ...], finish: Callable[[list[Any]], Any]
) -> NumericFunction:
    """A program as a function of numbers."""
    arguments = _arguments(derivation.network, program)
    return NumericFunction(name, program, outputs, arguments, finish, derivation.is_scalar)


def _arguments(network: Network, program: Program) -> Arguments:
    targets: dict[str, Target] = {}
    one_hots = {node for expr in right_sides(program) for node in expr.atoms(OneHot)}
    for symbol in (*program.inputs, *program.sequences):
        name = name_of(program.names, symbol)
        if name.base == "y_true":
            steps = name.steps if symbol in program.sequences else None
            depth = next((int(ids.args[1]) for ids in one_hots if ids.args[0] == symbol), None)
            targets[name.layer] = Target(symbol.name, int(shape_of(symbol)[1]), steps, depth)
    listed = tuple(targets[label] for label in sorted(targets, key=lambda label: int(label or 0)))
    return Arguments(network.sources, network.arrays, listed, network.own_lengths)


def _output(symbol: Expr, program: Program, known: dict[Expr, None]) -> Output:
    """How a symbol's value is shaped: by samples and steps, by samples, or as the weight it belongs to."""
    if symbol in known:
        return Output("family")
    name, shape = name_of(program.names, symbol), shape_of(symbol)
    if name.is_total:
        return Output("loss")
    if shape[0] == N:
        return Output("rows")
    return Output("weight", tuple(map(int, shape[-name.axes :])))


def _only(results: list[Any]) -> Any:
    return results[0]


def _assemble(requests: Sequence[Request], loss: bool, results: list[Any]) -> Any:
    """The derivatives in the order of the requests, the parts of a Keras weight put together."""
    parts = iter(results[1:] if loss else results)
    found = [_whole(one, [next(parts) for _ in one.symbols]) for one in requests]
    return (results[0], found) if loss else found


def _whole(one: Request, parts: list[Any]) -> Any:
    return parts[0] if one.array is None else whole(one.array, parts)
