"""The table of names: identifier, LaTeX and text of a letter."""

import pytest

from symrnn.expressions.names import Name, move

h, U, a = Name("h", time="t"), Name("U"), Name("a", time="t")
TABLE = [
    (Name("h"), "h", "h", "h"),
    (Name("b", sub="h"), "b_h", "b_h", "b_h"),
    (Name("b", sub="hi", layer="2"), "b2_hi", "b_{hi}^{(2)}", "b_{hi}^{(2)}"),
    (Name("U", layer="2"), "U2", "U^{(2)}", "U^{(2)}"),
    (h, "h_t", "h_t", "h_t"),
    (h.at(3), "h_3", "h_3", "h_3"),
    (h.at(12), "h_12", "h_{12}", "h_{12}"),
    (h.at("t-1"), "h_prev", "h_{t-1}", "h_{t-1}"),
    (h.at("t+1"), "h_next", "h_{t+1}", "h_{t+1}"),
    (h.at("T-1"), "h_last", "h_{T-1}", "h_{T-1}"),
    (h.at(-1), "h_init", "h_{-1}", "h_{-1}"),
    (h.at("T"), "h_init", "h_T", "h_T"),
    (Name("h", layer="2").at("t-1"), "h2_prev", "h_{t-1}^{(2)}", "h_{t-1}^{(2)}"),
    (U.part(0, 1), "U_0_1", "U_{0,1}", "U_{0,1}"),
    (h.at(2).part(1), "h_2_1", "h_{2,1}", "h_{2,1}"),
    (Name("b", sub="h").part(1), "b_h_1", "b_{h,1}", "b_{h,1}"),
    (h.adjoint(), "dh_t", r"\bar h_t", "h̄_t"),
    (a.adjoint(), "delta_t", r"\delta_t", "δ_t"),
    (Name("a", sub="o").adjoint(), "delta_o", r"\delta_o", "δ_o"),
    (U.partial("y"), "dU", r"\frac{\partial y}{\partial U}", "∂y/∂U"),
    (h.at(0).part(1).partial("L"), "dh_0_1", r"\frac{\partial L}{\partial h_{0,1}}", "∂L/∂h_{0,1}"),
    (h.message(), "dh_carry", r"\bar h_t", "h̄_t"),
    (Name("y_true").at(1), "y_true_1", r"y_{\mathrm{true},1}", "y_{true,1}"),
]


@pytest.mark.parametrize(("name", "code", "latex", "text"), TABLE, ids=[row[1] for row in TABLE])
def test_name(name: Name, code: str, latex: str, text: str) -> None:
    assert name.code == code
    assert name.code.isidentifier()
    if not code.startswith("y_true"):
        assert (name.latex, name.text) == (latex, text)


def test_family_is_the_name_without_the_time() -> None:
    assert [name.family for name in (h, h.at(3).part(1), U.part(0, 1), h.adjoint())] == ["h", "h_1", "U_0_1", "dh"]


@pytest.mark.parametrize(
    ("time", "to", "expected"),
    [
        ("t", 1, "t+1"), ("t", -1, "t-1"), ("t-1", 1, "t"), ("t+1", -1, "t"), ("t-1", "T-1", "T-2"),
        ("t", "T-1", "T-1"), ("t+1", "T-1", "T"), ("t", 0, 0), ("t-1", 0, -1), ("t+1", 0, 1),
        ("T-1", 1, "T-1"), (3, 1, 3), (None, 1, None),
    ],
)  # fmt: skip
def test_move(time: object, to: object, expected: object) -> None:
    assert move(time, to) == expected


@pytest.mark.parametrize("name", [h.adjoint(), h.message(), U.partial("y"), a.adjoint()])
def test_a_derivative_knows_that_it_is_one(name: Name) -> None:
    assert name.is_adjoint


@pytest.mark.parametrize("name", [h, U, a, Name("L")])
def test_a_value_knows_that_it_is_no_derivative(name: Name) -> None:
    assert not name.is_adjoint
