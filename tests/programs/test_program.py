"""What a Program refuses, and what is read off from one."""

import re
from collections.abc import Callable

import pytest
from sympy import Expr, Integer, MatAdd, MatMul, MatrixSymbol, Symbol, sin
from sympy.matrices.expressions import HadamardProduct

from symrnn.expressions.matrices import add, multiply, ones, zeros
from symrnn.expressions.nodes import SLOTS, CrossEntropy, Elementwise, N, RowSoftmax
from symrnn.programs.program import (
    Carry,
    Equation,
    Program,
    Recurrence,
    Reversal,
    defines,
    families,
    parameters,
    reads,
    recurrence,
    symbols_of,
)  # fmt: skip

a, b, c = (Symbol(name, real=True) for name in "abc")
X, Y, Z, W = (MatrixSymbol(name, N, 2) for name in "XYZW")
ROW, V, M, WIDE = (MatrixSymbol(*parts) for parts in [("r", 1, 2), ("V", 2, 2), ("M", 1, 1), ("Q", N, 3)])
x_t, h_t, h_prev, h_last = (MatrixSymbol(name, N, 2) for name in ("x_t", "h_t", "h_prev", "h_last"))
BODY = Program((x_t, h_prev, V), (), (Equation(h_t, add(x_t, multiply(h_prev, V))),), (h_t,))
NOTHING = zeros((N, 2))
CARRY = Carry(h_prev, h_t, NOTHING, h_last)
STEP = Recurrence(BODY, (x_t,), (CARRY,), (h_t,))


def program(*items: object, inputs: tuple = (), sequences: tuple = (), outputs: tuple = ()) -> Program:
    return Program(inputs, sequences, items, outputs)


# names --------------------------------------------------------------------------------------------

RESERVED = ["N", "T", "t", "dtype", "np", "math"]
KEYWORDS = ["lambda", "None", "import", "class"]
READ_AS_OTHERS = ["\N{FULLWIDTH LATIN SMALL LETTER N}p", "\N{LATIN SMALL LIGATURE FI}", "\N{MICRO SIGN}"]
NO_IDENTIFIERS = ["", "1a", "h_{t-1}", "a b", "a;b", "a.b", "f()", "a\n", "__import__", "__"]


@pytest.mark.parametrize("name", [*RESERVED, *KEYWORDS, *NO_IDENTIFIERS, *READ_AS_OTHERS], ids=ascii)
@pytest.mark.parametrize("make", [lambda name: Symbol(name, real=True), lambda name: MatrixSymbol(name, 1, 1)])
def test_refuses_a_name(name: str, make: Callable[[str], Expr]) -> None:
    message = f"the name {name!r} cannot be used for a symbol: it is reserved or no identifier"
    for arguments in ({"inputs": (make(name),)}, {"sequences": (make(name),)}):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            program(**arguments)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        program(Equation(make(name), make("a")), inputs=(make("a"),))


@pytest.mark.parametrize("name", ["h", "h_t", "U_0_1", "_h", "Nt", "match", "σ"])
def test_takes_a_name(name: str) -> None:
    assert program(inputs=(Symbol(name, real=True),)).inputs[0].name == name


@pytest.mark.parametrize("lhs", [a + 1, Integer(1), X + Y, X[0, 0]], ids=str)
def test_refuses_to_assign_what_is_no_symbol(lhs: Expr) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(str(lhs))} is assigned but is not a symbol$"):
        program(inputs=(lhs,))


# symbols ------------------------------------------------------------------------------------------


def step(carry: Carry = CARRY, stacked: tuple = (h_t,), sums: tuple = ()) -> Program:
    """A program of one recurrence, in which h_last and h_t are defined and W is not."""
    return program(Recurrence(BODY, (x_t,), (carry,), stacked, sums), inputs=(V,), sequences=(x_t,))


EARLY = "is used before it is defined, in"
TWICE = "is assigned twice"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: program(Equation(b, a)), f"the symbol a {EARLY} b = a"),
        (lambda: program(Equation(b, b)), f"the symbol b {EARLY} b = b"),
        (lambda: program(Equation(c, a + b), Equation(b, a), inputs=(a,)), f"the symbol b {EARLY} c = a + b"),
        (lambda: program(Equation(Y, X), sequences=(X,)), f"the symbol X {EARLY} Y = X"),
        (lambda: program(Equation(Y, Elementwise(sin(SLOTS[0]), X))), f"the symbol X {EARLY} Y = sin(X)"),
        (lambda: program(Equation(Y, RowSoftmax(X))), f"the symbol X {EARLY} Y = RowSoftmax(X)"),
        (lambda: program(Reversal(Y, X), inputs=(X,)), f"the symbol X {EARLY} Y = X"),
        (lambda: program(STEP, inputs=(V,)), f"the symbol x_t {EARLY} the recurrence of h_t, h_last"),
        (lambda: program(STEP, sequences=(x_t,)), f"the symbol V {EARLY} the recurrence of h_t, h_last"),
        (lambda: program(STEP, sequences=(x_t, V)), f"the symbol V {EARLY} the recurrence of h_t, h_last"),
        (lambda: step(Carry(h_prev, W, NOTHING)), f"the symbol W {EARLY} the recurrence of h_t"),
        (lambda: step(Carry(h_prev, h_t, W)), f"the symbol W {EARLY} the recurrence of h_t"),
        (lambda: step(stacked=(W,)), f"the symbol W {EARLY} the recurrence of W, h_last"),
        (lambda: step(sums=(Equation(Z, W),)), f"the symbol W {EARLY} the recurrence of h_t, h_last, Z"),
        (lambda: program(inputs=(a,), outputs=(b,)), "the output b is not defined by the program"),
        (lambda: program(inputs=(a,), outputs=(a + 1,)), "the output a + 1 is not defined by the program"),
        (lambda: program(Equation(a, Integer(1)), inputs=(a,)), f"the symbol a {TWICE}"),
        (lambda: program(Equation(b, a), Equation(b, a), inputs=(a,)), f"the symbol b {TWICE}"),
        (lambda: program(inputs=(a, a)), f"the symbol a {TWICE}"),
        (lambda: program(inputs=(X,), sequences=(X,)), f"the symbol X {TWICE}"),
        (lambda: program(inputs=(a, MatrixSymbol("a", 1, 1))), f"the symbol a {TWICE}"),
        (lambda: program(STEP, STEP, inputs=(V,), sequences=(x_t,)), f"the symbol h_t {TWICE}"),
        (lambda: program(STEP, inputs=(V, h_last), sequences=(x_t,)), f"the symbol h_last {TWICE}"),
        (lambda: program(Reversal(Y, X), Reversal(Y, X), sequences=(X,)), f"the symbol Y {TWICE}"),
        (lambda: step(stacked=(h_t, h_t)), f"the symbol h_t {TWICE}"),
        (lambda: step(stacked=(h_last,)), f"the symbol h_last {EARLY} the recurrence of h_last, h_last"),
    ],
)
def test_refuses(make: Callable[[], Program], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


# shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lhs", "rhs", "message"),
    [
        (Y, MatAdd(X, ROW), "shapes differ in X + r: (1, 2), (N, 2)"),
        (Y, WIDE, "shapes differ in Y = Q: (N, 2) and (N, 3)"),
        (Y, ROW, "shapes differ in Y = r: (N, 2) and (1, 2)"),
        (Y, X.T, "shapes differ in Y = X.T: (N, 2) and (2, N)"),
        (a, X, "shapes differ in a = X: () and (N, 2)"),
        (Y, a, "shapes differ in Y = a: (N, 2) and ()"),
        (a, sin(M[0, 0]), "M has the shape (1, 1) and stands where a number is expected, in sin(M[0, 0])"),
        (Y, multiply(a, X), "a is a number and stands where a matrix is expected, in a*X"),
        (Y, MatMul(X, Z), "shapes do not fit in the product X*Z: (N, 2) times (N, 2)"),
        (Y, HadamardProduct(X, ROW, evaluate=False), "shapes differ in HadamardProduct(X, r): (1, 2), (N, 2)"),
        (Y, Elementwise(SLOTS[0] + SLOTS[1], X, ROW), "shapes differ in X + r: (1, 2), (N, 2)"),
        (MatrixSymbol("y", N, 1), CrossEntropy(X, WIDE), "shapes differ in CrossEntropy(X, Q): (N, 2), (N, 3)"),
        (Y, CrossEntropy(X, Z), "shapes differ in Y = CrossEntropy(X, Z): (N, 2) and (N, 1)"),
        (Y, RowSoftmax(WIDE), "shapes differ in Y = RowSoftmax(Q): (N, 2) and (N, 3)"),
    ],
)  # fmt: skip
def test_refuses_shapes(lhs: Expr, rhs: Expr, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        program(Equation(lhs, rhs), inputs=tuple(symbols_of([rhs])))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: program(Reversal(WIDE, X), sequences=(X,)), "shapes differ in Q = X: (N, 3) and (N, 2)"),
        (lambda: step(Carry(h_prev, h_t, zeros((N, 3)))), "shapes differ in h_prev = 0: (N, 2) and (N, 3)"),
        (lambda: step(Carry(h_prev, h_t, NOTHING, WIDE)), "shapes differ in h_prev = Q: (N, 2) and (N, 3)"),
        (
            lambda: step(Carry(h_prev, multiply(h_t, ones((2, 1))), NOTHING)),
            "shapes differ in h_prev = h_t*1: (N, 2) and (N, 1)",
        ),
        (lambda: step(sums=(Equation(WIDE, h_t),)), "shapes differ in Q = h_t: (N, 3) and (N, 2)"),
    ],
)
def test_refuses_shapes_of_a_recurrence(make: Callable[[], Program], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


# what an item reads and defines -------------------------------------------------------------------


def test_reads_and_defines() -> None:
    assert (reads(STEP), defines(STEP), parameters(STEP)) == ((V, x_t), (h_t, h_last), (V,))
    assert (reads(Equation(c, a + b)), defines(Equation(c, a))) == ((a, b), (c,))
    assert (reads(Reversal(Y, X)), defines(Reversal(Y, X))) == ((X,), (Y,))
    started = Recurrence(BODY, (x_t,), (Carry(h_prev, h_t, W),), (), (Equation(Z, h_t),))
    assert (reads(started), defines(started)) == ((V, x_t, W), (Z,))


def test_families() -> None:
    whole = program(STEP, Reversal(Y, h_t), inputs=(V,), sequences=(x_t,), outputs=(Y, h_last))
    assert tuple(families(whole)) == (x_t, h_t, Y)


def test_recurrence_takes_what_its_equations_use() -> None:
    made = recurrence(BODY.equations, [X, x_t], [CARRY], [h_t])
    assert made == Recurrence(Program((x_t, h_prev, V), (), BODY.equations, (h_t,)), (x_t,), (CARRY,), (h_t,))


def test_programs_are_compared_by_value() -> None:
    assert program(Equation(b, a), inputs=(a,)) == program(Equation(b, a), inputs=(a,))
    assert program(Equation(b, a), inputs=(a,)) != program(Equation(b, 2 * a), inputs=(a,))


def test_equation_as_sympys() -> None:
    assert str(Equation(b, b).eq()) == "Eq(b, b)"
    assert Equation(Y, X + Z).eq().args == (Y, X + Z)
