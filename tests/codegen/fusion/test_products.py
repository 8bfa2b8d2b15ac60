"""Products in one sum as one, and sums over t with a common left factor: before the program is fused."""

from sympy import MatAdd, MatrixSymbol, tanh

from symrnn.codegen.fusion.blocks import Blocks
from symrnn.codegen.fusion.products import join_sums, places
from symrnn.expressions.matrices import add, concat, elementwise, hadamard, multiply, transpose, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Columns, Concat, N
from symrnn.programs.program import Carry, Equation, Program, recurrence

x, h, before, last = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "h_last"))
p, q, r = (MatrixSymbol(name, N, 2) for name in ("p_t", "q_t", "r_t"))
A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
G, H = MatrixSymbol("dA", 2, 2), MatrixSymbol("dB", 2, 2)
LETTERS = {
    x: Name("x", time="t"), h: Name("h", time="t"), before: Name("h", time="t-1"), last: Name("h", time="T-1"),
    p: Name("p", time="t"), q: Name("q", time="t"), r: Name("r", time="t"),
    A: Name("A"), B: Name("B"), C: Name("C"), G: Name("A").adjoint(), H: Name("B").adjoint(),
}  # fmt: skip


def step(*equations, sums=(), carry=h):
    """A recurrence whose state is h, and the names in its program."""
    carries = [Carry(before, carry, zeros((N, 2)), last)]
    item = recurrence(equations, [x], carries, sums=sums, names=LETTERS)
    return item, Blocks.of(Program((A, B, C), (x,), (item,), (last, *(s.lhs for s in sums)), LETTERS))


def test_when_an_equation_runs():
    """0 before the loop, 1 in it, 2 after it."""
    item, _ = step(Equation(p, multiply(x, A)), Equation(h, add(p, before)), Equation(q, hadamard(h, p)))
    assert places(item) == {p: 0, h: 1, q: 2}


# sums of products ---------------------------------------------------------------------------------


def gates():
    """Two values of the state before, and the next state, which is their products in one sum."""
    return [
        Equation(p, elementwise(tanh(SLOTS[0]), before)),
        Equation(q, hadamard(before, x)),
        Equation(h, add(multiply(p, A), multiply(q, B))),
    ]


def test_values_that_are_multiplied_in_one_sum_are_side_by_side():
    item, blocks = step(*gates())
    (joined,) = join_sums([item], blocks)
    whole = MatrixSymbol("pq_t", N, 4)
    found = {equation.lhs: equation.rhs for equation in joined.body.assignments}
    assert found[whole] == Concat(p, q)
    weights = transpose(concat(transpose(A), transpose(B)))
    assert found[h] == multiply(whole, weights)
    assert whole in joined.stacked


def test_the_order_is_one_in_which_the_weights_are_side_by_side_already():
    """Another recurrence has B^T beside A^T."""
    item, blocks = step(*gates())
    wide = MatrixSymbol("w_t", N, 4)
    parts = Columns(wide, 0, 2), Columns(wide, 2, 4)
    other, _ = step(Equation(wide, multiply(before, concat(transpose(B), transpose(A)))), Equation(h, add(*parts)))
    joined, _ = join_sums([item, other], blocks)
    assert MatrixSymbol("qp_t", N, 4) in {equation.lhs for equation in joined.body.assignments}


def test_sums_over_the_steps_with_one_left_factor():
    sums = [Equation(G, multiply(transpose(x), p)), Equation(H, multiply(transpose(x), q))]
    joined, *after = join_sums([step(*gates()[:2], Equation(h, add(p, q)), sums=sums)[0]], step(*gates(), sums=sums)[1])
    whole = MatrixSymbol("pq_t", N, 4)
    (total,) = joined.sums
    assert total.rhs == multiply(transpose(x), whole)
    assert after == [Equation(G, Columns(total.lhs, 0, 2)), Equation(H, Columns(total.lhs, 2, 4))]


def test_a_term_that_stands_twice_stays_twice():
    """In e + e + d no product is put in the place of another."""
    twice = MatAdd(multiply(p, A), multiply(p, A), multiply(q, B), evaluate=False)
    item, blocks = step(*gates()[:2], Equation(h, twice))
    (joined,) = join_sums([item], blocks)
    assert {equation.lhs: equation.rhs for equation in joined.body.assignments}[h] == twice


def test_values_that_need_a_sum_of_the_others_are_not_with_them():
    """r is computed from the sum of p and q: with r in their matrix no step could be put in order."""
    equations = [*gates()[:2], Equation(r, hadamard(before, add(multiply(p, A), multiply(q, B))))]
    total = add(multiply(p, A), multiply(q, B), multiply(r, C))
    item, blocks = step(*equations, Equation(h, total))
    (joined,) = join_sums([item], blocks)
    wholes = [equation.rhs.args for equation in joined.body.assignments if isinstance(equation.rhs, Concat)]
    assert wholes == [(p, q)]


def test_no_sums():
    item, blocks = step(Equation(h, add(x, before)))
    assert join_sums([item], blocks) == [item]
