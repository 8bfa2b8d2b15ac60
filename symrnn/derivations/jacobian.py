"""The Jacobian of one quantity of a sample by an earlier one, such as a state by a state before it.

With samples as rows, J_ij is the derivative of the column j of the later quantity by the column i of
the earlier: a small change dh of the row h changes the later row by dh J. So one step of a simple
recurrent layer has V diag(1 - h_t o h_t), and the factors of several steps stand in the order of time
(Pascanu, Mikolov and Bengio 2013, section 2, in columns).

The rules of backpropagation give it: a Jacobian is the transposed adjoint for each unit row as the
derivative of the later quantity.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

from sympy import Expr, Identity, MatAdd, MatMul, MatrixSymbol
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, ZeroMatrix

from symrnn.common.errors import cut_repr
from symrnn.common.limits import SYMBOLS
from symrnn.derivations.wrt import Request, request
from symrnn.expressions.matrices import add, hadamard, multiply, ones, transpose, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import Diagonal, N
from symrnn.expressions.shapes import shape_of
from symrnn.models.network import Network
from symrnn.programs.adjoint import backprop
from symrnn.programs.magnitudes import check_count, symbol_count, symbols_in
from symrnn.programs.program import Equation, Program, Recurrence, Statement, families, recurrence
from symrnn.programs.rules import contributions
from symrnn.programs.transforms import length_of, name_of, prune, with_samples
from symrnn.programs.unrolling import unroll
from symrnn.typesetting import equations
from symrnn.typesetting.styles import LATEX, TEXT


@dataclass(frozen=True)
class Jacobian:
    """The Jacobian of `of` by `wrt`, for one sample; see the module's text for its layout."""

    network: Network
    of: Request
    wrt: Request

    def program(self) -> Program:
        """The forward equations that it needs, then the Jacobians from the later quantity back.

        Raises:
            ValueError: the number of time steps is open, or so large that all of them have more than `SYMBOLS` symbols.
            NotImplementedError: a Jacobian on the way has columns cut out or put side by side.
        """
        lengths = {steps: number for steps, number in self.network.timesteps.items() if number is not None}
        if len(lengths) < len(self.network.timesteps):
            raise ValueError("jacobian: the model leaves the number of time steps open: give timesteps")
        needed = prune(self.network.program, tuple(dict.fromkeys((*self.of.symbols, *self.wrt.symbols))))
        if all(map(_only_looks_back, needed.equations)):
            last = max(one.step or 0 for one in (self.of, self.wrt))
            lengths = {steps: min(number, last + 1) for steps, number in lengths.items()}
        size = symbol_count(needed, lengths, symbols_in)
        check_count(size, SYMBOLS, "jacobian", "fewer time steps, or lambdify(), which has its numbers")
        forward = with_samples(unroll(needed, lengths), 1)
        of, wrt = (_symbol(one, needed, lengths) for one in (self.of, self.wrt))
        families_of_states = {name_of(forward.names, state.symbol).at(None) for state in self.network.states}
        states = [
            symbol
            for symbol, name in forward.names.items()
            if isinstance(name.time, int) and name.at(None) in families_of_states
        ]
        return _sweep(prune(forward, (of,)), of, wrt, frozenset(states))

    def latex(self) -> str:
        """One complete align* block."""
        return equations.render(equations.Display(self.program()), LATEX)

    def text(self) -> str:
        """The same lines for a terminal."""
        return equations.render(equations.Display(self.program()), TEXT)

    def seeded(self) -> tuple[Program, Expr]:
        """The program whose output is the adjoint of `wrt`, for a seed in the place of `of`'s adjoint."""
        program, of = self.network.program, self.of.symbols[0]
        name = name_of(program.names, of)
        seed = variable(Name("seed", time=name.time).code, shape_of(of))
        names = {**program.names, seed: Name("seed", time=name.time, steps=name.steps)}
        total = variable("s", (1, 1))
        names[total] = Name("s")
        summed = Equation(total, multiply(ones((1, N)), hadamard(of, seed), ones((shape_of(of)[1], 1))))
        if of in families(program):
            item: Any = recurrence([], [of, seed], sums=[summed], names=names, length=length_of(program.names, of))
            sequences, inputs = (*program.sequences, seed), program.inputs
        else:
            item, sequences, inputs = summed, program.sequences, (*program.inputs, seed)
        whole = Program(inputs, sequences, (*program.equations, item), (total,), names)
        back = backprop(whole, self.wrt.symbols, "s")
        return prune(back, back.outputs), seed


def jacobian_of(network: Network, of: str, wrt: str) -> Jacobian:
    """The Jacobian of one quantity by another, by their names, such as "h_2" and "h_0".

    Raises:
        ValueError: a name that is no symbol, a whole family, or one without a row per sample.
    """
    found = []
    for what, name in (("of", of), ("wrt", wrt)):
        try:
            one = request(name, network.program, network.timesteps)
        except ValueError as error:
            raise ValueError(str(error).replace("wrt", f"jacobian: {what}", 1)) from None
        symbol = one.symbols[0]
        if shape_of(symbol)[0] != N:
            raise ValueError(
                f"jacobian: {what}: {cut_repr(name)}: expected a quantity with a row per sample, got a weight"
            )
        if symbol in families(network.program) and one.step is None:
            raise ValueError(f"jacobian: {what}: {cut_repr(name)}: expected one time step, such as {name}_0")
        found.append(one)
    return Jacobian(network, found[0], found[1])


def _only_looks_back(item: Statement) -> bool:
    """Whether a step of an item needs no later one: those after the last that is asked for need not be written out."""
    if isinstance(item, Recurrence):
        return not item.reverse and not item.sums and all(carry.final is None for carry in item.carries)
    return isinstance(item, Equation)


def _symbol(one: Request, program: Program, lengths: dict[Expr, int]) -> Expr:
    """The symbol of a request in the unrolled program for one sample."""
    found = unroll(replace(program, outputs=one.symbols), lengths).outputs[one.step or 0]
    return MatrixSymbol(found.name, 1, found.shape[1])


def _sweep(forward: Program, of: Expr, wrt: Expr, states: frozenset[Expr]) -> Program:
    """The Jacobians from the later quantity back; those of states and of sums have names."""
    names = dict(forward.names)
    terms: dict[Expr, list[Expr]] = defaultdict(list, {of: [Identity(of.shape[1])]})
    equations: list[Equation] = []
    for equation in reversed(forward.assignments):
        symbol = equation.lhs
        if not terms[symbol] or symbol == wrt:
            continue
        known = add(*reversed(terms[symbol]))
        if symbol != of and (symbol in states or len(terms[symbol]) > 1):
            known = _named(symbol, of, known, equations, names)
        g = MatrixSymbol("g", 1, symbol.shape[1])
        for source_symbol, term in contributions(equation.rhs, g, symbol):
            if source_symbol == wrt or source_symbol not in forward.inputs:
                terms[source_symbol] += [_product(factors, known) for factors in _linear(term, g)]
    total = add(*reversed(terms[wrt])) if terms[wrt] else ZeroMatrix(wrt.shape[1], of.shape[1])
    result = _named(wrt, of, total, equations, names)
    return Program(forward.inputs, (), (*forward.equations, *equations), (result,), names)


def _named(symbol: Expr, of: Expr, value: Expr, equations: list[Equation], names: dict[Expr, Name]) -> Expr:
    made = MatrixSymbol(f"J_{symbol.name}", symbol.shape[1], of.shape[1])
    objective = name_of(names, of)
    names[made] = replace(name_of(names, symbol), mark="partial", objective=objective.latex, axes=2)
    equations.append(Equation(made, value))
    return made


def _product(factors: Sequence[Expr], known: Expr) -> Expr:
    """The factors times a Jacobian; diag(u) diag(v) is diag(u o v)."""
    rest = () if isinstance(known, Identity) else known.args if isinstance(known, MatMul) else (known,)
    kept: list[Expr] = []
    for factor in (*factors, *rest):
        if kept and isinstance(factor, Diagonal) and isinstance(kept[-1], Diagonal):
            kept[-1] = Diagonal(hadamard(kept[-1].args[0], factor.args[0]))
        else:
            kept.append(factor)
    return multiply(*kept) if kept else known


Products = list[tuple[Expr, ...]]


@singledispatch
def _linear(expr: Expr, g: Expr) -> Products:
    """An adjoint that is linear in the row g, as what stands before the transposed g in each term."""
    raise NotImplementedError(f"jacobian: {type(expr).__name__} on the way is not supported; lambdify has its numbers")


@_linear.register
def _(expr: MatrixSymbol, g: Expr) -> Products:
    return [()]


@_linear.register
def _(expr: MatAdd, g: Expr) -> Products:
    return [product for term in expr.args for product in _linear(term, g)]


@_linear.register
def _(expr: MatMul, g: Expr) -> Products:
    """(g P Q)^T = Q^T P^T g^T."""
    numbers = [factor for factor in expr.args if not isinstance(factor, MatrixExpr)]
    first, *rest = [factor for factor in expr.args if isinstance(factor, MatrixExpr)]
    before = [*numbers, *(transpose(factor) for factor in reversed(rest))]
    return [(*before, *product) for product in _linear(first, g)]


@_linear.register
def _(expr: HadamardProduct, g: Expr) -> Products:
    """(g o v)^T = diag(v) g^T."""
    moving = [factor for factor in expr.args if factor.has(g)]
    still = [factor for factor in expr.args if not factor.has(g)]
    row = hadamard(*still)
    return [(row if row.shape[1] == 1 else Diagonal(row), *product) for product in _linear(moving[0], g)]
