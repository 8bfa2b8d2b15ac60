"""What is alike side by side: the same outputs, fewer products in a step, names that can be read."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sympy import Eq, Expr, MatAdd, MatMul, MatrixSymbol, hadamard_product, tanh
from sympy.matrices.expressions import MatrixExpr, OneMatrix

import symrnn
from symrnn import GRU, LSTM, RNN, Bidirectional, Cell, Dense, GRUCell, LSTMCell, Masking, Sequential, SimpleRNN
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.codegen.backends.table import ARRAYS
from symrnn.codegen.fusion.gates import fuse
from symrnn.expressions.activation_table import sigmoid
from symrnn.expressions.matrices import add, elementwise, hadamard, multiply, ones, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Columns, Concat, N
from symrnn.programs.adjoint import backprop
from symrnn.programs.program import Carry, Equation, Program, Recurrence, parameters, recurrence
from symrnn.programs.transforms import stack_all
from tests.support.bank import BANK, LOSS_MODELS, SAMPLE, Case, case, closed, defined, over

SEQUENCE = {"return_sequences": True}
GATED: dict[str, Case] = {
    "LSTM": case(LSTM(2, use_bias=False), T=2, features=2),
    "LSTM of units": case(LSTM(3), Dense(1), T=1, features=2, rows=2),
    "GRU": case(GRU(2), T=2),
    "GRU with reset before": case(GRU(2, reset_after=False), T=2),
    "tanh gates": case(LSTM(1, "tanh", "tanh"), Dense(1)),
    "no activation": case(LSTM(2, None, None, use_bias=False), T=2),
    "softmax": case(GRU(2, "softmax", "softmax", use_bias=False), T=1),
    "stack": case(LSTM(1, use_bias=False, **SEQUENCE), GRU(1, use_bias=False), T=2),
    "both ways": case(Bidirectional(GRU(1, **SEQUENCE), "sum"), Bidirectional(LSTM(1)), T=1),
    "cells": case(RNN([LSTMCell(2, use_bias=False), GRUCell(1, use_bias=False)], **SEQUENCE), T=2),
    "mask": case(Masking(0.0), LSTM(2, use_bias=False), T=2),
}
"""Cells with gates in all surroundings, with more units than those of the bank."""


def recurrences(program: Program) -> list[Recurrence]:
    return [item for item in program.equations if isinstance(item, Recurrence)]


def matrices(expr: Expr) -> Iterator[Expr]:
    yield expr
    for arg in expr.args:
        if isinstance(arg, MatrixExpr):
            yield from matrices(arg)


def products(item: Recurrence) -> int:
    """How often a step multiplies values by weights."""
    exprs = [*(step.rhs for step in item.body.assignments), *(carry.next for carry in item.carries)]
    fixed = {*parameters(item)}
    found = [part for expr in exprs for part in matrices(expr) if isinstance(part, MatMul)]
    return sum(1 for part in found if part.args[-1].free_symbols & fixed and not isinstance(part.args[0], OneMatrix))


# the law: the same outputs ------------------------------------------------------------------------------


def is_same(program: Program, case: Case) -> bool:
    return closed(fuse(program), case) == closed(program, case)


@over(BANK | GATED)
def test_the_outputs_are_the_same(case: Case) -> None:
    assert is_same(case.program, case)
    assert is_same(stack_all(case.program), case)


@over(BANK | GATED)
def test_the_derivatives_are_the_same(case: Case) -> None:
    assert is_same(case.backward, case)


@over(SAMPLE | LOSS_MODELS | GATED)
def test_the_derivatives_by_intermediates_are_the_same(case: Case) -> None:
    assert is_same(backprop(case.program, defined(case.program)), case)


@over(BANK | GATED)
def test_a_fused_program_is_not_fused_again(case: Case) -> None:
    for program in (case.program, case.backward):
        once = fuse(program)
        assert fuse(once).equations == once.equations


# fewer products -----------------------------------------------------------------------------------------


def steps(*layers, loss=None, features=3):
    d = symrnn.derive(Sequential(layers, (4, features)))
    return (d.gradient(loss) if loss else d).steps


COUNTS = {
    "LSTM": ([LSTM(2)], [8, 4], [2, 1]),
    "GRU": ([GRU(2)], [6, 3], [4, 1]),
    "GRU with reset before": ([GRU(2, reset_after=False)], [6, 4], [4, 3]),
    "stack": ([LSTM(2, **SEQUENCE), LSTM(2)], [8, 8, 4, 8], [2, 2, 1, 2]),
    "both ways": ([Bidirectional(LSTM(2))], [8, 8, 4, 4], [2, 2, 1, 1]),
    "cells": ([RNN([LSTMCell(2), LSTMCell(2)])], [16, 12], [4, 3]),
    "SimpleRNN": ([SimpleRNN(2)], [2, 1], [2, 1]),
}


@pytest.mark.parametrize(("layers", "before", "after"), COUNTS.values(), ids=COUNTS.keys())
def test_products_in_a_step(layers, before, after):
    program = steps(*layers, Dense(1), loss="mse")
    assert list(map(products, recurrences(program))) == before
    assert list(map(products, recurrences(fuse(program)))) == after


def test_sums_over_the_steps_are_joined():
    back = recurrences(fuse(steps(LSTM(2), Dense(1), loss="mse")))[-1]
    assert [str(total.rhs) for total in back.sums] == ["x_t.T*delta_t", "h_prev.T*delta_t", "1*delta_t"]


def test_two_groups_share_what_they_have_in_common():
    """The candidate's delta has the reset gate between it and h V_h: U sees z r h, V sees p z r."""
    back = recurrences(fuse(steps(GRU(2), Dense(1), loss="mse")))[-1]
    joined = next(step for step in back.body.assignments if isinstance(step.rhs, Concat))
    assert [symbol.name for symbol in joined.rhs.args] == ["dp_t", "delta_z_t", "delta_r_t", "delta_h_t"]
    assert "Columns(dp_2_t, 0, 6)*V.T" in str(back.carries[0].next)


def test_the_way_back_uses_the_blocks_of_the_way_there():
    blocks = [item.lhs.name for item in fuse(steps(LSTM(2), loss="mse")).equations if isinstance(item, Equation)]
    assert blocks.count("V") == 1
    assert not [name for name in blocks if re.match(r"[UV]_", name)]


def test_gates_of_one_function_are_adjacent():
    (cell,) = recurrences(fuse(steps(LSTM(2))))
    texts = [f"{step.lhs} = {step.rhs}" for step in cell.body.assignments]
    assert texts[:6] == [
        "a_t = h_prev*V + x_t*U + 1*b_h",
        "a_c_t = Columns(a_t, 6, 8)",
        "ifo_t = sigmoid(Columns(a_t, 0, 6))",
        "i_t = Columns(ifo_t, 0, 2)",
        "f_t = Columns(ifo_t, 2, 4)",
        "o_t = Columns(ifo_t, 4, 6)",
    ]


# nothing to join ----------------------------------------------------------------------------------------


PLAIN = ("scalar", "units", "batch", "stack", "softmax output", "mse", "sum", "a state used twice", "a delay")


@over({name: BANK[name] for name in PLAIN})
def test_a_program_without_common_factors_is_returned_as_it_is(case: Case) -> None:
    assert fuse(case.program) is case.program


# programs made by hand ----------------------------------------------------------------------------------

x, h, before, last = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "h_last"))
p, q, r = (MatrixSymbol(name, N, 2) for name in ("p_t", "q_t", "r_t"))
A, B = MatrixSymbol("A", 2, 2), MatrixSymbol("B", 2, 2)
b, c = MatrixSymbol("b", 1, 2), MatrixSymbol("c", 1, 2)
LETTERS = {
    x: Name("x", time="t"), h: Name("h", time="t"), before: Name("h", time="t-1"), last: Name("h", time="T-1"),
    p: Name("p", time="t"), q: Name("q", time="t"), r: Name("r", time="t"), A: Name("A"), B: Name("B"),
    b: Name("b"), c: Name("c"),
}  # fmt: skip


def one(weights, *equations, outputs=None):
    """A program of one recurrence whose state is h."""
    carry = Carry(before, h, zeros((N, 2)), last)
    item = recurrence(equations, [x], [carry], outputs or (), names=LETTERS)
    return Program(tuple(weights), (x,), (item,), outputs or (last,), LETTERS)


def body(program: Program) -> list[str]:
    return [f"{step.lhs} = {step.rhs}" for step in recurrences(program)[0].body.assignments]


def is_right(program: Program) -> bool:
    """The law, and the numbers of the generated code in both types, for few samples and for many."""
    case = Case(lambda: program, 2)
    derivative = backprop(program, program.inputs)
    return is_same(program, case) and is_same(derivative, case) and agrees(program) and agrees(derivative)


def agrees(program: Program) -> bool:
    generator = np.random.default_rng(1)
    f, g = (compile_source(source(whole, "f"), "f") for whole in (program, fuse(program)))
    for samples, steps in ((1, 5), (3, 1), (20, 4)):
        sizes = [(samples, steps, symbol.shape[1]) for symbol in program.sequences]
        sizes += [symbol.shape if symbol.shape[0] != 1 else symbol.shape[1:] for symbol in program.inputs]
        given = [generator.uniform(-0.7, 0.7, tuple(map(int, size))) for size in sizes]
        for dtype in ("float32", "float64"):
            arrays = [array.astype(dtype) for array in given]
            for one, other in zip(f(*arrays), g(*arrays), strict=True):
                assert one.dtype == other.dtype
                np.testing.assert_allclose(one, other, rtol=1e-3, atol=200 * np.finfo(dtype).eps)
    return True


def test_values_that_would_be_repeated_are_not_joined():
    """p o x and q o x side by side would need x twice."""
    equations = [
        Equation(p, add(multiply(before, A), hadamard(before, x))),
        Equation(q, add(multiply(before, B), hadamard(before, x))),
        Equation(h, elementwise(tanh(SLOTS[0]), hadamard(p, q))),
    ]
    program = one((A, B), *equations)
    assert fuse(program) is program
    assert is_right(program)


def test_one_equation_may_use_the_other_of_its_kind():
    """q needs p, so that they cannot be one equation though both are sigmoids of products."""
    equations = [
        Equation(p, elementwise(sigmoid(SLOTS[0]), multiply(before, A))),
        Equation(q, elementwise(sigmoid(SLOTS[0]), multiply(p, B))),
        Equation(h, add(p, q, x)),
    ]
    program = one((A, B), *equations)
    assert fuse(program) is program
    assert is_right(program)


def test_values_that_need_a_sum_of_the_others():
    """The delta of q is computed from those of p and r: it is in no matrix with them."""
    equations = [
        Equation(q, elementwise(tanh(SLOTS[0]), add(multiply(before, A), x))),
        Equation(p, elementwise(tanh(SLOTS[0]), add(multiply(q, A), multiply(before, B)))),
        Equation(r, elementwise(sigmoid(SLOTS[0]), add(multiply(q, B), multiply(before, A)))),
        Equation(h, hadamard(p, r)),
    ]
    assert is_right(one((A, B), *equations))


def test_biases_alone_are_joined():
    bias = [multiply(ones((N, 1)), row) for row in (b, c)]
    equations = [Equation(p, add(before, bias[0])), Equation(q, add(before, bias[1])), Equation(h, hadamard(p, q))]
    program = one((b, c), *equations)
    assert fuse(program) is program  # [h h] would be a copy
    alike = [Equation(p, add(multiply(before, A), bias[0])), Equation(q, add(multiply(before, B), bias[1]))]
    program = one((A, B, b, c), *alike, Equation(h, hadamard(p, q)))
    assert body(fuse(program))[0] == "pq_t = h_prev*AB + 1*bc"
    assert is_right(program)


def test_outputs_that_are_parts():
    equations = [Equation(p, multiply(before, A)), Equation(q, multiply(before, B)), Equation(h, add(p, q, x))]
    program = one((A, B), *equations, outputs=(p, q))
    assert body(fuse(program))[:3] == ["pq_t = h_prev*AB", "p_t = Columns(pq_t, 0, 2)", "q_t = Columns(pq_t, 2, 4)"]
    assert agrees(program)


# names --------------------------------------------------------------------------------------------------


def peephole(names="ifo"):
    """An LSTM whose gates see c; `names` are the letters of its gates."""
    value = {name: MatrixSymbol(f"{name}_t", 1, 2) for name in (*names, "k", "c", "q", "h", "x")}
    h_prev, c_prev = MatrixSymbol("h_prev", 1, 2), MatrixSymbol("c_prev", 1, 2)
    weights: dict[str, tuple[int, ...]] = {}

    def weight(name, *shape):
        weights[name] = shape
        return MatrixSymbol(name, *(shape if len(shape) == 2 else (1, *shape)))

    def gate(name, function, seen):
        a = MatrixSymbol(f"a_{name}_t", 1, 2)
        sums = value["x"] * weight(f"U_{name}", 2, 2) + h_prev * weight(f"V_{name}", 2, 2) + weight(f"b_h{name}", 2)
        sums = sums if seen is None else sums + seen * weight(f"P_{name}", 2, 2)
        return [Eq(a, sums), Eq(value[name], a.applyfunc(function))]

    i, f, o = (value[name] for name in names)
    equations = [
        *gate(names[0], sigmoid, c_prev), *gate(names[1], sigmoid, c_prev), *gate("k", tanh, None),
        Eq(value["c"], hadamard_product(f, c_prev) + hadamard_product(i, value["k"])),
        *gate(names[2], sigmoid, value["c"]), Eq(value["q"], value["c"].applyfunc(tanh)),
        Eq(value["h"], hadamard_product(o, value["q"])),
    ]  # fmt: skip
    return Cell(equations, value["x"], {"h": (h_prev, value["h"]), "c": (c_prev, value["c"])}, weights)


@pytest.mark.parametrize("names", ["ifo", "ino", "orf", "npo"])
def test_names_of_a_cell_of_ones_own(names):
    """The joined names are no keywords (if, in, or) and none of the code's own (np)."""
    d = symrnn.derive(Sequential([RNN(peephole(names)), Dense(1)], (3, 2)))
    program = d.gradient("mse").steps
    fused = fuse(program)
    assert list(map(products, recurrences(program))) == [11, 7]
    assert list(map(products, recurrences(fused))) == [8, 3]
    text = source(fused, "f")
    compile(text, "<test>", "exec")
    assert not re.search(r"\b(if|in|or|np) = ", text)


# the code -----------------------------------------------------------------------------------------------

LOOPS = """    for t in range(T):
        a_t = a_input[t] + np.matmul(h_prev, V, order="F")
        a_c_t = a_t[..., 6:8]
        ifo[t] = sigmoid(a_t[..., 0:6])
        k_t = np.tanh(a_c_t, out=k[t])
        c_t = np.add(f[t] * c_prev, i[t] * k_t, out=c[t])
        q_t = np.tanh(c_t, out=q[t])
        h_t = np.multiply(o[t], q_t, out=h[t])
        h_prev, c_prev = h_t, c_t
    for t in range(T - 1, -1, -1):
        dh_t = dh_carry
        dc_t = dc_carry + dc_factor[t] * dh_t
        np.multiply(delta_o_factor[t], dh_t, out=delta_o[t])
        np.multiply(delta_c_factor[t], dc_t, out=delta_c[t])
        np.multiply(delta_f_factor[t], dc_t, out=delta_f[t])
        np.multiply(delta_i_factor[t], dc_t, out=delta_i[t])
        dh_carry, dc_carry = np.matmul(delta[t], V.T, order="F"), f[t] * dc_t
"""


def test_the_loops_of_an_lstm():
    text = symrnn.derive(Sequential([LSTM(2), Dense(1)], (4, 3))).gradient("mse").lambdify().source
    lines = text.splitlines(keepends=True)
    starts = [place for place, line in enumerate(lines) if line.startswith("    for t in")]
    loops = []
    for start in starts:
        loops.append(lines[start])
        for line in lines[start + 1 :]:
            if not line.startswith("        "):
                break
            loops.append(line)
    assert "".join(loops) == LOOPS


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("samples", [1, 20])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_code_gives_the_numbers_of_the_code_per_gate(kind, samples, dtype):
    layers = [kind(3, **SEQUENCE), Bidirectional(kind(2)), Dense(1)]
    f = symrnn.derive(Sequential(layers, (7, 2))).gradient("mse")
    g = replace(f.lambdify(), arrays=replace(ARRAYS, source=source))
    generator = np.random.default_rng(0)
    x, y_true = generator.normal(size=(samples, 7, 2)), generator.normal(size=(samples, 1))
    weights = [generator.uniform(-0.5, 0.5, array.shape).astype(dtype) for array in f.network.arrays]
    (loss, slopes), (other_loss, others) = f.lambdify()(x, y_true, weights), g(x, y_true, weights)
    np.testing.assert_allclose(loss, other_loss, rtol=100 * np.finfo(dtype).eps)
    for one, other in zip(slopes, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=200 * np.finfo(dtype).eps)


def test_parts_of_what_is_computed_before_the_loop():
    """Values that do not move are joined too, and their parts are read in the loop."""
    equations = [
        Equation(p, elementwise(tanh(SLOTS[0]), multiply(x, A))),
        Equation(q, elementwise(tanh(SLOTS[0]), multiply(x, B))),
        Equation(h, add(hadamard(p, before), q)),
    ]
    program = one((A, B), *equations)
    assert body(fuse(program))[0] == "pq_t = tanh(x_t*AB)"
    assert is_right(program)


def test_columns_of_columns_are_not_made():
    for program in (steps(LSTM(2), loss="mse"), steps(RNN([GRUCell(2), LSTMCell(3)]), loss="mse")):
        for item in recurrences(fuse(program)):
            parts = [part for step in item.body.assignments for part in matrices(step.rhs)]
            assert not [part for part in parts if isinstance(part, Columns) and isinstance(part.args[0], Columns)]
            assert not [part for part in parts if isinstance(part, MatAdd) and any(map(is_split_sum, part.args))]


def is_split_sum(term: Expr) -> bool:
    """Whether a product of one delta and one block of weights is left in a sum."""
    return isinstance(term, MatMul) and re.fullmatch(r"delta\w*_[ifcozrh]_t", str(term.args[0])) is not None


def test_a_term_that_stands_twice_stays_twice():
    """Of e + e, which an Add of one tensor with itself gives."""
    x = symrnn.Input((2, 2))
    d = symrnn.derive(symrnn.Model(x, symrnn.LSTM(1)(symrnn.Add()([x, x]))))
    assert "g = x + x" in d.gradient().lambdify().source
