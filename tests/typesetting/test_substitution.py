"""Formulas with numbers put in: what is shown is right, within the digits that are shown."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import MatrixSymbol, Symbol, tanh

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.documents.example import example_of
from symrnn.expressions.names import Name
from symrnn.programs.program import Equation
from symrnn.typesetting.substitution import ROOM, Numbers, chain, chain_rows, decimals, exactly, matrix, written
from symrnn.typesetting.widths import points
from tests.support.bank import MODELS, over

_SCALAR = {
    name: case
    for name, case in MODELS.items()
    if name in ("scalar", "sequence backwards", "LSTM", "GRU", "GRU with reset before", "both ways, mul", "Dropout")
    or name.startswith("activation ")
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?: \\times 10\^\{-?\d+\})?")


def number(latex: str) -> float:
    """A number read back."""
    found = re.fullmatch(r"\(?(-?[\d.]+)(?: \\times 10\^\{(-?\d+)\})?\)?", latex.strip())
    assert found is not None, latex
    return float(f"{found[1]}e{found[2] or 0}")


def value(latex: str) -> float:
    """A member of a chain evaluated: numbers, sums, products, squares, tanh, sigma."""
    text = re.sub(r" \\times 10\^\{(-?\d+)\}", r"e\1", latex)
    text = text.replace(r"\times ", "*").replace("^2", "**2").replace("{}", "")
    text = re.sub(r"\\(tanh|sigma) ?\(", r"\1(", text)
    text = re.sub(r"\\(tanh|sigma) (-?[\d.e-]+)", r"\1(\2)", text)
    text = re.sub(r"\) +(?=[(\d])|(?<=\d) +(?=\()", lambda match: ")*" if match[0][0] == ")" else "*", text)
    assert re.fullmatch(r"(?:tanh|sigma|[\d.e*() +-])*", text), latex
    known = {"tanh": math.tanh, "sigma": lambda a: 1 / (1 + math.exp(-a)), "__builtins__": {}}
    return float(eval(text, known))


def chains(about, program):
    """The chains of all equations of a program, each with the value of its left side."""
    for equation in program.assignments:
        yield chain(equation, about.numbers, program.names), float(np.asarray(about.values[equation.lhs.name]).sum())


def joined(member) -> str:
    return " ".join(" ".join(term) for term in member)


# the laws -----------------------------------------------------------------------------------------


@over(_SCALAR)
def test_every_result_is_the_value(case):
    about = case.example
    for program in (about.forward, about.adjoint):
        for one, exact in chains(about, program):
            if one.result:
                sign, _, shown = one.result.partition(" ")
                assert sign in ("=", r"\approx")
                assert number(shown) == pytest.approx(exact, rel=5.1e-7, abs=1e-300)
                if sign == "=":
                    assert number(shown) == pytest.approx(exact, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", ["scalar", "sequence backwards", "LSTM", "GRU", "activation sigmoid", "Dropout"])
def test_the_numbers_put_in_give_the_result(name):
    about = example_of(derive(MODELS[name].model))
    for program in (about.forward, about.adjoint):
        for one, exact in chains(about, program):
            for member in one.members:
                terms = [abs(value(" ".join(term).lstrip("+ "))) for term in member if not joined(member).count("(1 -")]
                size = max([abs(exact), *terms])
                assert value(joined(member)) == pytest.approx(exact, rel=3e-6, abs=3e-6 * size)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.01, 0.999_999_9) | st.floats(0, 12).map(math.tanh).filter(lambda h: 0.01 < h < 1), st.booleans())
def test_seven_digits_of_a_slope_are_right(h, negative):
    h = -h if negative else h
    a, s, d = Symbol("h_0", real=True), Symbol("dh_0", real=True), Symbol("delta_0", real=True)
    names = {a: Name("h", time=0), s: Name("h", time=0, mark="bar"), d: Name("delta", time=0)}
    right = 1 - h * h
    numbers = Numbers({"h_0": np.array(h), "dh_0": np.array(2.0), "delta_0": np.array(2 * right)}, frozenset({"dh_0"}))
    one = chain(Equation(d, s * (1 - a**2)), numbers, names)
    first, *squared, last = map(joined, one.members)
    shown = re.fullmatch(r"2\\times \(1 - \(?(-?[\d.]+)\)?\^2\)", first)
    assert shown is not None
    assert len(shown[1].partition(".")[2]) == decimals(right)
    assert 1 - float(shown[1]) ** 2 == pytest.approx(right, rel=5e-7)
    assert len(squared) == (right < 0.01)
    for member in squared:
        assert value(member) / 2 == pytest.approx(right, rel=6e-7)
    assert value(last) / 2 == pytest.approx(right, rel=6e-7)


@over(_SCALAR)
def test_a_factor_that_is_negative_has_parentheses(case):
    about = case.example
    for program in (about.forward, about.adjoint):
        for one, _ in chains(about, program):
            for member in one.members:
                assert not re.search(r"(\\times|[+-]) -", joined(member))


@over({name: MODELS[name] for name in ("units", "GRU of units", "masked SimpleRNN", "softmax output", "Embedding")})
def test_matrices_show_their_values(case):
    about = case.example
    for equation in about.forward.assignments:
        one = chain(equation, about.numbers, about.forward.names)
        if not one.result or "dots" in one.result:
            continue
        power = re.search(r"10\^\{(-?\d+)\} \\begin", one.result)
        entries = [
            float(text) for text in re.findall(r"(?<![\d^{])-?\d+\.?\d*(?![\d}])", one.result.replace("pmatrix", ""))
        ]
        shown = np.array(entries) * 10.0 ** int(power[1] if power else 0)
        exact = np.asarray(about.values[equation.lhs.name], float).reshape(-1)
        tolerance = 5.1e-5 * 10.0 ** int(power[1] if power else 0)
        assert shown[-exact.size :] == pytest.approx(exact, abs=tolerance)


# the notebook -------------------------------------------------------------------------------------

WORKED = [
    (r"a_0", r"= U x_0 + V h_{-1} + b_h", r"= 1.4501959\times 1 + (-1)\times 0 + 0", "= 1.4501959"),
    (r"h_0", r"= \tanh a_0", r"= \tanh 1.4501959", r"\approx 0.8957316"),
    (r"a_1", r"= U x_1 + V h_0 + b_h", r"= 1.4501959\times 2 + (-1)\times 0.8957316 + 0", r"\approx 2.004660"),
    (r"h_1", r"= \tanh a_1", r"= \tanh 2.004660", r"\approx 0.9643554"),
    (r"a_2", r"= U x_2 + V h_1 + b_h", r"= 1.4501959\times 3 + (-1)\times 0.9643554 + 0", r"\approx 3.386232"),
    (r"h_2", r"= \tanh a_2", r"= \tanh 3.386232", r"\approx 0.9977129"),
    (r"y", r"= W h_2 + b_o", r"= 0.5759429\times 0.9977129 + 0", r"\approx 0.5746256"),
]


def test_the_notebook():
    about = example_of(derive())
    rows = chain_rows([chain(e, about.numbers, about.forward.names) for e in about.forward.assignments])
    assert [(row.cells[0], row.cells[1], row.cells[3], row.cells[5]) for row in rows] == WORKED


def test_the_slope_of_the_notebook_cancels():
    about = example_of(derive())
    delta = next(e for e in about.adjoint.assignments if e.lhs.name == "delta_2")
    one = chain(delta, about.numbers, about.adjoint.names)
    assert [joined(member) for member in one.members] == [
        r"0.5759429\times (1 - 0.9977128796^2)",
        r"0.5759429\times (1 - 0.995430990)",
        r"0.5759429\times 0.004569010",
    ]
    assert one.result == r"\approx 0.002631489"


# numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "given", "text"),
    [
        (1.4501959, True, "1.4501959"),
        (float(np.float32(1.4501959)), True, "1.4501959"),
        (1.0, True, "1"),
        (-1.0, True, "-1"),
        (0.0, True, "0"),
        (1e-7, True, r"1 \times 10^{-7}"),
        (2.5e-7, True, r"2.5 \times 10^{-7}"),
        (0.1, False, "0.1000000"),
        (3.642046e-5, False, r"3.642046 \times 10^{-5}"),
        (-1.842536e-4, False, r"-1.842536 \times 10^{-4}"),
        (2.0, False, "2"),
        (12345678.9, False, r"1.234568 \times 10^{7}"),
    ],
)
def test_written(value, given, text):
    assert written(value, given) == text


def test_a_single_entry_is_a_number():
    assert matrix(np.array([[2.5]])).text == "2.500000"
    assert matrix(np.array([[-2.5]]), given=True).text == "(-2.5)"


def test_powers_of_ten_of_small_matrices():
    assert matrix(np.array([[1.5e-4, -2e-5]])).text == (r"10^{-4} \begin{pmatrix} 1.5000 & -0.2000 \end{pmatrix}")
    assert matrix(np.array([[0.5, -2e-5]])).text == r"\begin{pmatrix} 0.5000 & 0.0000 \end{pmatrix}"
    assert matrix(np.array([[0.0, 0.0]])).text == r"\begin{pmatrix} 0 & 0 \end{pmatrix}"
    assert matrix(np.array([[1.5e-4, 0.0]]), given=True).text == r"10^{-4} \begin{pmatrix} 1.5000 & 0 \end{pmatrix}"
    assert matrix(np.array([[1200.0, 0.5]]), given=True).text == r"\begin{pmatrix} 1200 & 0.5 \end{pmatrix}"


def test_corners_of_large_matrices():
    text = matrix(np.arange(70.0).reshape(7, 10), given=True).text
    assert text == (
        r"\begin{pmatrix} 0 & 1 & \cdots & 9 \\ 10 & 11 & \cdots & 19 \\ "
        r"\vdots & \vdots & \vdots & \vdots \\ 60 & 61 & \cdots & 69 \end{pmatrix}"
    )
    assert r"\cdots" not in matrix(np.ones((6, 4))).text
    assert r"\vdots" not in matrix(np.ones((6, 4))).text


def test_exact_numbers_are_sums_and_products_of_given_ones():
    x, a, h = (Symbol(name, real=True) for name in ("x", "a", "h"))
    numbers = Numbers({"x": np.array(0.1), "a": np.array(0.1 * 3), "h": np.array(math.tanh(0.3))}, frozenset({"x"}))
    exact = exactly([Equation(a, 3 * x), Equation(h, tanh(a))], numbers).exact
    assert {name: str(value) for name, value in exact.items()} == {"x": "1/10", "a": "3/10"}


# rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM", "GRU"])
def test_no_row_is_wider_than_the_page(layer, units):
    from symrnn import GRU, LSTM

    kind = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}[layer]
    about = example_of(derive(Sequential([kind(units), Dense(2)], (2, 3))))
    for program in (about.forward, about.adjoint):
        rows = chain_rows([chain(e, about.numbers, program.names) for e in program.assignments])
        for row in rows:
            assert points("".join(row.cells)) <= ROOM + 35, row.cells


def test_a_symbol_alone_has_nothing_between():
    b, a = MatrixSymbol("b_h", 1, 2), MatrixSymbol("a_0", 1, 2)
    names = {b: Name("b", sub="h"), a: Name("a", time=0)}
    values = np.array([0.5, 1.25])
    one = chain(Equation(a, b), Numbers({"b_h": values, "a_0": values}, frozenset({"b_h"})), names)
    assert (one.lhs, joined(one.formula), one.members) == ("a_0", "b_h", ())
    assert one.result == r"\approx \begin{pmatrix} 0.5000 & 1.2500 \end{pmatrix}"
