"""The equations of one time step of each cell, exactly, and the parts of Keras' weights in them."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from symrnn.expressions.activations import ROW_ACTIVATIONS, activations
from symrnn.expressions.matrices import variable
from symrnn.expressions.nodes import N
from symrnn.expressions.shapes import shape
from symrnn.interface import derive
from symrnn.models.equations.cells import activate, affine
from symrnn.models.forward_pass import forward
from symrnn.models.layers.core import Dense, Layer
from symrnn.models.layers.rnn import GRU, LSTM, RNN, GRUCell, LSTMCell, Recurrent, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from symrnn.typesetting.equations import Display, render
from symrnn.typesetting.styles import TEXT
from tests.codegen.test_function import refused

free = {"use_bias": False}


def step(*layers: Layer, features: int = 2) -> list[str]:
    """The equations of a step for any number of samples, with a_t by itself, without the first and the last line."""
    program = derive(Sequential(layers, (3, features))).program("step", "N")
    lines = render(Display(program, False, False, "N"), TEXT).splitlines()
    equations = [re.sub(r" +\(t = .*\)$", "", line.strip()) for line in lines]
    return [line for line in equations if not line.endswith(" = 0")][:-1]


def gates(names: str, function: str = "σ") -> list[str]:
    """The equations of gates that all have a bias of their own."""
    lines = []
    for gate in names:
        lines += [f"a_{{{gate},t}} = x_t U_{gate} + h_{{t-1}} V_{gate} + 1 b_{{h{gate}}}"]
        lines += [f"{gate if gate != 'c' else 'k'}_t = {function if gate != 'c' else 'tanh'}(a_{{{gate},t}})"]
    return [line.replace("tanh(a_{c,t})", "tanh a_{c,t}") for line in lines]


STATE = ["c_t = f_t ⊙ c_{t-1} + i_t ⊙ k_t", "q_t = tanh c_t", "h_t = o_t ⊙ q_t"]
MIXED = "h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ k_t"
STEPS: list[tuple[Layer, list[str]]] = [
    (SimpleRNN(2), ["a_t = x_t U + h_{t-1} V + 1 b_h", "h_t = tanh a_t"]),
    (SimpleRNN(2, "relu", **free), ["a_t = x_t U + h_{t-1} V", "h_t = relu(a_t)"]),
    (SimpleRNN(2, None), ["h_t = x_t U + h_{t-1} V + 1 b_h"]),
    (SimpleRNN(2, "softmax", **free), ["a_t = x_t U + h_{t-1} V", "h_t = softmax(a_t)"]),
    (SimpleRNN(2, go_backwards=True, **free), ["a_t = x_t U + h_{t+1} V", "h_t = tanh a_t"]),
    (LSTM(2), [*gates("ifco"), *STATE]),
    (LSTM(2, **free), [*(re.sub(r" \+ 1 b_.*", "", line) for line in gates("ifco")), *STATE]),
    (LSTM(2, recurrent_activation="relu"), [*gates("ifco", "relu"), *STATE]),
    (
        LSTM(2, None, None, **free),
        ["i_t = x_t U_i + h_{t-1} V_i", "f_t = x_t U_f + h_{t-1} V_f", "k_t = x_t U_c + h_{t-1} V_c",
         "o_t = x_t U_o + h_{t-1} V_o", STATE[0], "h_t = o_t ⊙ c_t"],
    ),
    (
        LSTM(2, "elu", go_backwards=True, **free),
        [line.replace("t-1", "t+1").replace("tanh a_{c,t}", "elu(a_{c,t})").replace("tanh c_t", "elu(c_t)")
         for line in [*(re.sub(r" \+ 1 b_.*", "", line) for line in gates("ifco")), *STATE]],
    ),
    (
        GRU(2),
        ["a_{z,t} = x_t U_z + h_{t-1} V_z + 1 b_{hz} + 1 b_{Vz}", "z_t = σ(a_{z,t})",
         "a_{r,t} = x_t U_r + h_{t-1} V_r + 1 b_{hr} + 1 b_{Vr}", "r_t = σ(a_{r,t})",
         "p_t = h_{t-1} V_h + 1 b_{Vh}", "a_{h,t} = x_t U_h + 1 b_{hh} + r_t ⊙ p_t", "k_t = tanh a_{h,t}", MIXED],
    ),
    (
        GRU(2, **free),
        ["a_{z,t} = x_t U_z + h_{t-1} V_z", "z_t = σ(a_{z,t})", "a_{r,t} = x_t U_r + h_{t-1} V_r",
         "r_t = σ(a_{r,t})", "p_t = h_{t-1} V_h", "a_{h,t} = x_t U_h + r_t ⊙ p_t", "k_t = tanh a_{h,t}", MIXED],
    ),
    (
        GRU(2, reset_after=False),
        [*gates("zr"), "a_{h,t} = x_t U_h + (r_t ⊙ h_{t-1}) V_h + 1 b_{hh}", "k_t = tanh a_{h,t}", MIXED],
    ),
    (
        GRU(2, None, None, reset_after=False, **free),
        ["z_t = x_t U_z + h_{t-1} V_z", "r_t = x_t U_r + h_{t-1} V_r",
         "k_t = x_t U_h + (r_t ⊙ h_{t-1}) V_h", MIXED],
    ),
    (
        RNN([SimpleRNNCell(2), GRUCell(1, None, None, reset_after=False, **free)]),
        ["a_t^{(1)} = x_t U^{(1)} + h_{t-1}^{(1)} V^{(1)} + 1 b_h^{(1)}", "h_t^{(1)} = tanh(a_t^{(1)})",
         "z_t^{(2)} = h_t^{(1)} U_z^{(2)} + h_{t-1}^{(2)} V_z^{(2)}",
         "r_t^{(2)} = h_t^{(1)} U_r^{(2)} + h_{t-1}^{(2)} V_r^{(2)}",
         "k_t^{(2)} = h_t^{(1)} U_h^{(2)} + (r_t^{(2)} ⊙ h_{t-1}^{(2)}) V_h^{(2)}",
         "h_t^{(2)} = z_t^{(2)} ⊙ h_{t-1}^{(2)} + (1 - z_t^{(2)}) ⊙ k_t^{(2)}"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "expected"), STEPS, ids=range(len(STEPS)))
def test_equations_of_a_step(layer: Layer, expected: list[str]) -> None:
    assert step(layer) == expected


@pytest.mark.parametrize(
    ("layer", "cell"),
    [
        (SimpleRNN(2, "relu", **free), SimpleRNNCell(2, "relu", **free)),
        (LSTM(2, "elu", "relu", **free), LSTMCell(2, "elu", "relu", **free)),
        (GRU(2, "elu", "relu", False, False), GRUCell(2, "elu", "relu", False, False)),
    ],
)
def test_a_layer_is_its_cell_over_time(layer: Recurrent, cell: Any) -> None:
    assert layer.cells == (cell,)
    for one in (RNN(cell), RNN([cell])):
        assert step(one) == step(layer)
        assert one.cells == (cell,)


# weights ------------------------------------------------------------------------------------------


def parts(layer: Layer) -> list[tuple[str, tuple[int, ...], list[tuple[str, int, int | None]]]]:
    """Each array of get_weights(): its Keras name and shape, and for its parts symbol, first column and row."""
    arrays = forward(Sequential([layer], (3, 5))).arrays
    return [(a.keras, a.shape, [(p.symbol.name, p.start, p.row) for p in a.parts]) for a in arrays]


def test_parts_of_weights() -> None:
    assert parts(LSTM(2)) == [
        ("kernel", (5, 8), [("U_i", 0, None), ("U_f", 2, None), ("U_c", 4, None), ("U_o", 6, None)]),
        ("recurrent_kernel", (2, 8), [("V_i", 0, None), ("V_f", 2, None), ("V_c", 4, None), ("V_o", 6, None)]),
        ("bias", (8,), [("b_hi", 0, None), ("b_hf", 2, None), ("b_hc", 4, None), ("b_ho", 6, None)]),
    ]
    assert parts(GRU(2))[2] == (
        "bias", (2, 6),
        [("b_hz", 0, 0), ("b_hr", 2, 0), ("b_hh", 4, 0), ("b_Vz", 0, 1), ("b_Vr", 2, 1), ("b_Vh", 4, 1)],
    )  # fmt: skip
    assert parts(GRU(2, reset_after=False))[2] == (
        "bias",
        (6,),
        [("b_hz", 0, None), ("b_hr", 2, None), ("b_hh", 4, None)],
    )
    assert parts(SimpleRNN(2)) == [
        ("kernel", (5, 2), [("U", 0, None)]),
        ("recurrent_kernel", (2, 2), [("V", 0, None)]),
        ("bias", (2,), [("b_h", 0, None)]),
    ]


@pytest.mark.parametrize("layer", [LSTM(2), GRU(2), GRU(2, reset_after=False)], ids=["LSTM", "GRU", "reset before"])
def test_every_column_of_a_weight_is_in_one_part(layer: Layer) -> None:
    for array in forward(Sequential([layer], (3, 5))).arrays:
        count = np.zeros(array.shape, int)
        for part in array.parts:
            rows = count if part.row is None else count[part.row]
            rows[..., part.start : part.start + part.shape[-1]] += 1
        assert (count == 1).all()


# activations --------------------------------------------------------------------------------------

Z = variable("z", (N, 4))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (None, "z"),
        ("linear", "z"),
        ("tanh", "tanh(z)"),
        ("exponential", "exp(z)"),
        ("relu", "relu(z)"),
        ("softmax", "RowSoftmax(z)"),
        ("log_softmax", "-LogSumExp(z)*1 + z"),
        ("glu", "HadamardProduct(Columns(z, 0, 2), sigmoid(Columns(z, 2, 4)))"),
    ],
)
def test_activate(name: str | None, text: str) -> None:
    assert str(activate(name, Z)) == text
    assert shape(activate(name, Z)) == (N, 2 if name == "glu" else 4)


@pytest.mark.parametrize("name", [*activations, *ROW_ACTIVATIONS])
def test_every_activation_has_a_shape(name: str) -> None:
    assert shape(activate(name, Z))[0] == N


def test_affine() -> None:
    x, U, b = variable("x", (N, 3)), variable("U", (3, 4)), variable("b", (1, 4))
    assert str(affine([(x, U)])) == "x*U"
    assert str(affine([(x, U)], None)) == "x*U"
    assert str(affine([(x, U)], b)) == "x*U + 1*b"
    assert shape(affine([(x, U), (Z, variable("V", (4, 4)))], b, b)) == (N, 4)


# what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([SimpleRNN(3, "glu")], "layer 1 (SimpleRNN): glu: expected an even number of columns, got 3"),
        ([Dense(3, "glu")], "layer 1 (Dense): glu: expected an even number of columns, got 3"),
    ],
)
def test_refuses_glu_of_an_odd_number_of_columns(layers: Sequence[Layer], message: str) -> None:
    with refused(message):
        forward(Sequential(layers, (3, 1)))


@pytest.mark.parametrize("cell", [SimpleRNNCell, LSTMCell, GRUCell])
def test_cells_refuse_units_and_activations(cell: type) -> None:
    with refused(f"{cell.__name__}: units: expected a positive whole number, got 0"):
        cell(0)
    with pytest.raises(ValueError, match=r"^unknown activation 'tahn'; known: .*$"):
        cell(1, "tahn")
    if cell is not SimpleRNNCell:
        with pytest.raises(ValueError, match=r"^unknown activation 'tahn'; known: .*$"):
            cell(1, recurrent_activation="tahn")


def test_rnn_refuses_what_is_no_cell() -> None:
    supported = "SimpleRNNCell, LSTMCell, GRUCell, Cell"
    for cell in (SimpleRNN(1), [LSTMCell(1), SimpleRNN(1)]):
        with refused(f"RNN(SimpleRNN) is not supported; supported: {supported}", NotImplementedError):
            RNN(cell)
    with refused("RNN: expected at least one cell, got none"):
        RNN([])
