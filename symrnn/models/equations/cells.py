"""The equations of one time step of each cell: what is here is all that symrnn knows of a cell.

| symbol                   | Keras weight                    | shape             |
|--------------------------|---------------------------------|-------------------|
| `U`                      | `kernel`                        | (features, units) |
| `V`                      | `recurrent_kernel`              | (units, units)    |
| `b_h`                    | `bias`                          | (units,)          |
| `U_i`, `U_f`, `U_c`, `U_o` | column blocks of LSTM's `kernel` | (features, units) |
| `U_z`, `U_r`, `U_h`      | column blocks of GRU's `kernel`  | (features, units) |
| `V_i`, ..., `b_hi`, ...  | the same blocks of `recurrent_kernel` and `bias` | (units, units), (units,) |
| `b_Vz`, `b_Vr`, `b_Vh`   | row 1 of GRU's `bias` with `reset_after`: the biases beside V | (units,) |

`x_t` is the input, `h_t` and `c_t` are the states, `a` is what an activation is applied to, `i f o z
r` are gates, `k` the candidate, `q` the activated c.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch

from sympy import Expr

from symrnn.expressions.activations import ROW_ACTIVATIONS, activation_name, activations
from symrnn.expressions.matrices import (
    add,
    elementwise,
    hadamard,
    multiply,
    ones,
    substitute,
)
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N
from symrnn.models.builder import Block, CallScope, width
from symrnn.models.cell_names import name_of_identifier
from symrnn.models.custom_cell import Cell
from symrnn.models.layers.rnn import Cells, GRUCell, LSTMCell, SimpleRNNCell
from symrnn.programs.program import Equation


@dataclass(frozen=True)
class CellStep:
    """The equations of one step, and what the layer above gets."""

    equations: tuple[Equation, ...]
    output: Expr


@singledispatch
def step(cell: Cells, x: Expr, before: Mapping[str, Expr], after: Mapping[str, Expr], names: CallScope) -> CellStep:
    """One step of a cell: its states `after` from x and its states `before`.

    Raises:
        NotImplementedError: no equations are known for the cell.
    """
    raise NotImplementedError(f"{type(cell).__name__} is not supported")


@step.register
def _(
    cell: SimpleRNNCell, x: Expr, before: Mapping[str, Expr], after: Mapping[str, Expr], names: CallScope
) -> CellStep:
    units = cell.units
    U = names.weight(Name("U"), "kernel", width(x), units)
    V = names.weight(Name("V"), "recurrent_kernel", units, units)
    b = names.weight(Name("b", sub="h"), "bias", units) if cell.use_bias else None
    rhs = affine([(x, U), (before["h"], V)], b)
    return CellStep(tuple(activated(cell.activation, rhs, Name("a"), after["h"], names)), after["h"])


@step.register
def _(cell: LSTMCell, x: Expr, before: Mapping[str, Expr], after: Mapping[str, Expr], names: CallScope) -> CellStep:
    gates, units, h = cell.gates, cell.units, before["h"]
    U = dict(zip(gates, _gates(names, "U", "kernel", width(x), units, gates), strict=True))
    V = dict(zip(gates, _gates(names, "V", "recurrent_kernel", units, units, gates), strict=True))
    b = dict(zip(gates, _biases(names, units, gates) if cell.use_bias else [None] * 4, strict=True))
    i, f, k, o = (names.value(Name(base), units) for base in "ifko")
    equations = [
        equation
        for gate, value in zip(gates, (i, f, k, o), strict=True)
        for equation in activated(
            cell.activation if gate == "c" else cell.recurrent_activation,
            affine([(x, U[gate]), (h, V[gate])], b[gate]),
            Name("a", sub=gate),
            value,
            names,
        )
    ]
    c = after["c"]
    equations.append(Equation(c, add(hadamard(f, before["c"]), hadamard(i, k))))
    q = c if activation_name(cell.activation) == "linear" else names.value(Name("q"), units)
    equations += [] if q == c else [Equation(q, activate(cell.activation, c))]
    return CellStep((*equations, Equation(after["h"], hadamard(o, q))), after["h"])


@step.register
def _(cell: GRUCell, x: Expr, before: Mapping[str, Expr], after: Mapping[str, Expr], names: CallScope) -> CellStep:
    units, h = cell.units, before["h"]
    U = _gates(names, "U", "kernel", width(x), units, cell.gates)
    V = _gates(names, "V", "recurrent_kernel", units, units, cell.gates)
    b, d = _gru_biases(cell, names)
    z, r, k = (names.value(Name(base), units) for base in "zrk")
    equations = [
        equation
        for place, (gate, value) in enumerate([("z", z), ("r", r)])
        for equation in activated(
            cell.recurrent_activation,
            affine([(x, U[place]), (h, V[place])], b[place], d[place]),
            Name("a", sub=gate),
            value,
            names,
        )
    ]
    if cell.reset_after:
        p = names.value(Name("p"), units)
        equations.append(Equation(p, affine([(h, V[2])], d[2])))
        rhs = add(affine([(x, U[2])], b[2]), hadamard(r, p))
    else:
        rhs = affine([(x, U[2]), (hadamard(r, h), V[2])], b[2])
    equations += activated(cell.activation, rhs, Name("a", sub="h"), k, names)
    kept, new = hadamard(z, h), hadamard(elementwise(1 - SLOTS[0], z), k)
    return CellStep((*equations, Equation(after["h"], add(kept, new))), after["h"])


def _gru_biases(cell: GRUCell, names: CallScope) -> tuple[Sequence[Expr | None], Sequence[Expr | None]]:
    """The biases beside U, and with `reset_after` those beside V."""
    nothing = [None] * 3
    if not cell.use_bias:
        return nothing, nothing
    if not cell.reset_after:
        return _biases(names, cell.units, cell.gates), nothing
    rows = [
        Block(Name("b", sub=f"{where}{gate}"), cell.units, place * cell.units, row)
        for row, where in enumerate("hV")
        for place, gate in enumerate(cell.gates)
    ]
    made = names.blocks(Name("b", sub="h"), "bias", (2, 3 * cell.units), rows)
    return made[:3], made[3:]


def _gates(names: CallScope, base: str, keras: str, rows: int, units: int, gates: str) -> list[Expr]:
    blocks = [Block(Name(base, sub=gate), units, place * units) for place, gate in enumerate(gates)]
    return names.blocks(Name(base), keras, (rows, len(gates) * units), blocks)


def _biases(names: CallScope, units: int, gates: str) -> list[Expr]:
    blocks = [Block(Name("b", sub=f"h{gate}"), units, place * units) for place, gate in enumerate(gates)]
    return names.blocks(Name("b", sub="h"), "bias", (len(gates) * units,), blocks)


@step.register
def _(cell: Cell, x: Expr, before: Mapping[str, Expr], after: Mapping[str, Expr], names: CallScope) -> CellStep:
    """The equations that were given, in symbols of this place."""
    if width(x) != width(cell.inputs):
        raise ValueError(f"{cell.inputs}: expected {width(cell.inputs)} columns, got {width(x)}")
    places = {cell.inputs: x} | {cell.parameter(name): names.weight(name_of_identifier(name), name, *shape)
                                 for name, shape in cell.parameters.items()}  # fmt: skip
    for letter, (previous, following) in cell.states.items():
        places |= {previous: before[letter], following: after[letter]}
    equations = []
    for equation in cell.equations:
        rhs = substitute(equation.rhs, places)
        if equation.lhs not in places:
            places[equation.lhs] = names.value(name_of_identifier(equation.lhs.name), width(equation.lhs))
        equations.append(Equation(places[equation.lhs], rhs))
    return CellStep(tuple(equations), places[cell.output])


# expressions ------------------------------------------------------------------------------------


def affine(terms: Sequence[tuple[Expr, Expr]], *biases: Expr | None) -> Expr:
    """X U + h V + 1 b: the products, and the biases added to every row."""
    products = [multiply(x, weight) for x, weight in terms]
    return add(*products, *(multiply(ones((N, 1)), bias) for bias in biases if bias is not None))


def activate(name: str | None, x: Expr) -> Expr:
    """f(x) for a Keras activation: entry by entry, or a function of each row."""
    name = activation_name(name)
    if name in ROW_ACTIVATIONS:
        return ROW_ACTIVATIONS[name](x)
    return x if name == "linear" else elementwise(activations[name](SLOTS[0]), x)


def activated(name: str | None, rhs: Expr, letter: Name, y: Expr, names: CallScope) -> list[Equation]:
    """A = rhs, y = f(a); or y = rhs alone, where f is linear and a would be y again."""
    if activation_name(name) == "linear":
        return [Equation(y, rhs)]
    a = names.value(letter, int(rhs.shape[1]))
    return [Equation(a, rhs), Equation(y, activate(name, a))]
