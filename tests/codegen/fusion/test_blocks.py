"""Matrices side by side: what the whole is called, in which order equations come, and which blocks there are."""

import pytest
from sympy import MatrixSymbol

import symrnn
from symrnn import GRU, LSTM, Dense, Sequential
from symrnn.codegen.fusion.blocks import LONGEST, Blocks, in_order, walk, weight_blocks, within
from symrnn.codegen.fusion.gates import fuse
from symrnn.expressions.matrices import add, concat, multiply, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import Concat, N
from symrnn.programs.program import Carry, Equation, Program, Recurrence, recurrence

x, h, before, last, p, q = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "h_last", "p_t", "q_t"))
A, B, Z, R, S = (MatrixSymbol(name, 2, 2) for name in ("A", "B", "A_z", "A_r", "A_h"))
LETTERS = {
    x: Name("x", time="t"), h: Name("h", time="t"), before: Name("h", time="t-1"), last: Name("h", time="T-1"),
    p: Name("p", time="t"), q: Name("q", time="t"), A: Name("A"), B: Name("B"), Z: Name("A", sub="z"),
    R: Name("A", sub="r"), S: Name("A", sub="h"),
}  # fmt: skip


def program(*weights, inputs=()):
    """A program of one recurrence in which h A is added for every weight."""
    item = recurrence([Equation(h, add(x, *(multiply(before, A) for A in weights)))], [x],
                      [Carry(before, h, zeros((N, 2)), last)], names=LETTERS)  # fmt: skip
    return Program((*weights, *inputs), (x,), (item,), (last,), LETTERS)


def test_within():
    assert within(multiply(x, A), [x, A, B])
    assert not within(multiply(x, A), [x])
    assert within(zeros((N, 2)), [])  # sizes are in everything


def test_walk_meets_what_is_inside_first():
    product = multiply(x, A)
    assert list(walk(add(product, before))) == [x, A, product, before, add(product, before)]


def test_equations_are_put_in_order():
    late, early, other = Equation(q, add(p, x)), Equation(p, x), Equation(h, x)
    assert in_order([late, early]) == [early, late]
    assert in_order([other, early, late]) == [other, early, late]
    assert in_order([late, other, early]) == [other, early, late]


@pytest.mark.parametrize(
    ("symbols", "known", "expected"),
    [
        ((Z, R, S), (Z, R, S), "A"),  # all that there are
        ((Z, R), (Z, R, S), "A_zr"),
        ((R, Z), (Z, R), "A"),
        ((A, B), (A, B), "AB"),
        ((p, q), (p, q), "pq_t"),
        ((x,), (x,), "x_t"),
    ],
)
def test_the_letter_of_several_matrices(symbols, known, expected):
    assert Blocks(dict(LETTERS), [LETTERS[symbol] for symbol in known]).together(symbols).code == expected


def test_many_parts_have_no_letters_of_their_own():
    many = {MatrixSymbol(f"U_{sub}", 2, 2): Name("U", sub=sub) for sub in "abcdefg"}
    blocks = Blocks(many, list(many.values()))
    assert blocks.together(list(many)[:LONGEST]).code == "U_abcd"
    assert blocks.together(list(many)[: LONGEST + 1]).code == "U"


@pytest.mark.parametrize(("bases", "expected"), [("if", "i_f"), ("or", "o_r"), ("is", "i_s"), ("io", "io")])
def test_a_name_is_no_keyword(bases, expected):
    names = {MatrixSymbol(base, 2, 2): Name(base) for base in bases}
    assert Blocks(names, []).together(names).code == expected


def test_adjoints_have_the_letter_of_the_first():
    """Not dpq, which could be the adjoint of pq."""
    names = {MatrixSymbol(f"d{base}", 2, 2): Name(base).adjoint() for base in "pq"}
    assert Blocks(names, []).together(names).code == "dp"


def test_a_name_that_is_taken_gets_a_number():
    taken = MatrixSymbol("A_zr", 2, 2)
    blocks = Blocks.of(program(Z, R, S, inputs=[taken]))
    assert blocks.declare(blocks.together((Z, R)), (2, 4)) == MatrixSymbol("A_zr2", 2, 4)
    assert blocks.declare(Name("A", sub="zr"), (2, 4)).name == "A_zr3"
    assert blocks.names[MatrixSymbol("A_zr3", 2, 4)] == Name("A", sub="zr3")
    assert Blocks.of(program(Z, R, S)).declare(Name("A", sub="zr"), (2, 4)).name == "A_zr"


def test_the_names_of_a_program_are_all_taken():
    blocks = Blocks.of(program(Z))
    assert {"x_t", "x", "h_t", "h_prev", "h", "A_z", "h_last"} <= blocks.taken


def test_a_block_of_weights_is_named_before_the_recurrence_that_uses_it():
    """Once, though it is used twice."""
    block = Concat(Z, R)
    both = MatrixSymbol("w_t", N, 4)
    names = LETTERS | {both: Name("w", time="t")}
    carry = Carry(before, h, zeros((N, 2)), last)
    steps = [Equation(both, multiply(before, block)), Equation(h, x)]
    item = recurrence(steps, [x], [carry], [both], names=names)
    assert weight_blocks(item) == [block]
    made = Blocks.of(Program((Z, R), (x,), (item,), (last,), names))
    equation, first, second = made.named([item, item])
    assert equation == Equation(MatrixSymbol("A", 2, 4), block)
    assert weight_blocks(first) == weight_blocks(second) == []
    assert first.body.assignments[0].rhs == multiply(before, equation.lhs)


def test_values_side_by_side_are_no_block_of_weights():
    both = MatrixSymbol("w_t", N, 4)
    steps = [Equation(p, x), Equation(q, multiply(x, A)), Equation(both, concat(p, q))]
    assert weight_blocks(recurrence(steps, [x], stacked=[both], names=LETTERS | {both: Name("w", time="t")})) == []


def test_names_of_layers():
    d = symrnn.derive(Sequential([LSTM(2, return_sequences=True), GRU(2), Dense(1)], (4, 3)))
    items = fuse(d.steps).equations
    names = [item.lhs.name for item in items if isinstance(item, Equation)]
    assert names[:7] == ["U1", "V1", "b1_h", "U2_zr", "V2_zr", "b2_hzr", "b2_Vzr"]
    assert sum(isinstance(item, Recurrence) for item in items) == 2
