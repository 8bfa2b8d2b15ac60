"""Products with a common left factor as one, products in one sum as one: each by itself, before it is fused."""

import pytest
from sympy import MatAdd, MatrixSymbol, tanh

from symrnn.codegen.fusion.blocks import Blocks
from symrnn.codegen.fusion.products import join_products, join_sums, places
from symrnn.expressions.matrices import add, concat, elementwise, hadamard, multiply, transpose, zeros
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, Columns, Concat, N
from symrnn.programs.program import Carry, Equation, Program, Recurrence, recurrence

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


def texts(item: Recurrence) -> list[str]:
    return [f"{equation.lhs} = {equation.rhs}" for equation in item.body.assignments]


def test_when_an_equation_runs():
    """0 before the loop, 1 in it, 2 after it."""
    item, _ = step(Equation(p, multiply(x, A)), Equation(h, add(p, before)), Equation(q, hadamard(h, p)))
    assert places(item) == {p: 0, h: 1, q: 2}


# a common left factor -----------------------------------------------------------------------------


def test_products_with_a_common_left_factor():
    item, blocks = step(Equation(p, multiply(before, A)), Equation(h, hadamard(p, multiply(before, B))))
    assert texts(join_products(item, blocks)) == [
        f"hAB_t = {multiply(before, Concat(A, B))}",
        "p_t = Columns(hAB_t, 0, 2)",
        f"h_t = {hadamard(p, Columns(MatrixSymbol('hAB_t', N, 4), 2, 4))}",
    ]


def test_a_product_that_occurs_twice_is_computed_once():
    product = multiply(before, A)
    item, blocks = step(Equation(p, hadamard(x, product)), Equation(h, add(p, product)))
    first, *rest = join_products(item, blocks).body.assignments
    assert (str(first.lhs), first.rhs) == ("hA_t", product)
    assert [equation.rhs for equation in rest] == [hadamard(x, first.lhs), add(p, first.lhs)]


def test_the_next_state_is_an_equation_too():
    item, blocks = step(Equation(h, multiply(before, A)), carry=add(h, multiply(before, B)))
    joined = join_products(item, blocks)
    whole = joined.body.assignments[0].lhs
    assert joined.carries[0].next == add(h, Columns(whole, 2, 4))


@pytest.mark.parametrize(
    "equations",
    [
        [Equation(h, add(multiply(x, A), multiply(before, B)))],  # other factors
        [Equation(p, multiply(x, A)), Equation(h, hadamard(p, before)), Equation(q, multiply(h, B))],
        [Equation(h, hadamard(before, x))],  # no weights
    ],
)
def test_nothing_in_common(equations):
    item, blocks = step(*equations)
    assert join_products(item, blocks) is item


def test_products_at_different_times_stay_apart():
    """x A is computed for all steps at once, x B only where it is needed, after the loop."""
    item, blocks = step(Equation(p, multiply(x, A)), Equation(h, add(p, before)), Equation(q, add(h, multiply(x, B))))
    assert places(item) == {p: 0, h: 1, q: 2}
    assert join_products(item, blocks) is item


def test_what_is_no_recurrence_is_left():
    equation = Equation(A, B)
    assert join_products(equation, step(Equation(h, x))[1]) is equation


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
    other, _ = step(Equation(r, multiply(before, transpose(B))), Equation(h, add(r, multiply(before, transpose(A)))))
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
