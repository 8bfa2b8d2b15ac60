"""What the symbols of a graph are called: numbers, letters of calls, arrows, states before the first step."""

from itertools import chain

import pytest

from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model, graph_of
from symrnn.models.layers.activation import Activation, PReLU, Softmax
from symrnn.models.layers.core import Dense, Embedding, Input, Layer, Masking
from symrnn.models.layers.merging import Add
from symrnn.models.layers.pooling import GlobalAveragePooling1D
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from symrnn.models.naming import numbering_of
from symrnn.models.network import Network
from symrnn.programs.program import defines
from tests.support.bank import MODELS, Case, over

sequence = {"return_sequences": True}
free = {"use_bias": False}


def of(*layers: Layer, shape: tuple[int | None, ...] = (3, 2)) -> Network:
    return forward(Sequential(layers, shape))


def weights(network: Network) -> str:
    return " ".join(weight.symbol.name for weight in network.weights)


def values(network: Network) -> str:
    return " ".join(symbol.name for symbol in chain.from_iterable(map(defines, network.program.equations)))


# numbers and arrows -------------------------------------------------------------------------------

LSTM_VALUES = "a{0}_i_t i{0}_t a{0}_f_t f{0}_t a{0}_c_t k{0}_t a{0}_o_t o{0}_t c{0}_t q{0}_t h{0}_t"
NUMBERS: list[tuple[Network, str, str]] = [
    (of(SimpleRNN(1), Dense(1)), "U V b_h W b_o", "a_t h_t h_last y"),
    (
        of(SimpleRNN(1, **sequence), GRU(1, reset_after=False, **free), Dense(1), Dense(1, "tanh")),
        "U1 V1 b1_h U2_z U2_r U2_h V2_z V2_r V2_h W1 b1_o W2 b2_o",
        "a1_t h1_t a2_z_t z2_t a2_r_t r2_t a2_h_t k2_t h2_t h2_last y1 a2_y y",
    ),
    (
        of(LSTM(1, **free), Dense(1)),
        "U_i U_f U_c U_o V_i V_f V_c V_o W b_o",
        f"{LSTM_VALUES.format('')} h_last c_last y",
    ),
    (
        of(RNN([SimpleRNNCell(1), LSTMCell(1, **free)], **sequence), SimpleRNN(1)),
        "U1 V1 b1_h U2_i U2_f U2_c U2_o V2_i V2_f V2_c V2_o U3 V3 b3_h",
        f"a1_t h1_t {LSTM_VALUES.format('2')} a3_t h3_t h3_last y",
    ),
    (
        of(Bidirectional(SimpleRNN(1)), Dense(1)),
        "Ufw Vfw bfw_h Ubw Vbw bbw_h W b_o",
        "afw_t hfw_t hfw_last abw_t hbw_t hbw_last h y",
    ),
    (
        of(Bidirectional(SimpleRNN(1, **sequence)), Bidirectional(SimpleRNN(1))),
        "U1fw V1fw b1fw_h U1bw V1bw b1bw_h U2fw V2fw b2fw_h U2bw V2bw b2bw_h",
        "a1fw_t h1fw_t a1bw_t h1bw_t h1_t a2fw_t h2fw_t h2fw_last a2bw_t h2bw_t h2bw_last h2 y",
    ),
    (
        of(Bidirectional(RNN([SimpleRNNCell(1), SimpleRNNCell(1)]))),
        "U1fw V1fw b1fw_h U2fw V2fw b2fw_h U1bw V1bw b1bw_h U2bw V2bw b2bw_h",
        "a1fw_t h1fw_t a2fw_t h2fw_t h1fw_last h2fw_last a1bw_t h1bw_t a2bw_t h2bw_t h1bw_last h2bw_last h1 y",
    ),
    (
        of(SimpleRNN(1, **sequence), PReLU((1,)), Activation("tanh"), PReLU((1,)), Softmax(), SimpleRNN(1)),
        "U1 V1 b1_h alpha1 alpha2 U2 V2 b2_h",
        "a1_t h1_t g1_t g2_t g3_t g4_t a2_t h2_t h2_last y",
    ),
    (of(Embedding(3, 2), SimpleRNN(1), shape=(3,)), "E U V b_h", "e_t a_t h_t h_last y"),
    (
        of(Masking(), SimpleRNN(1, **sequence), Masking(0.5), SimpleRNN(1)),
        "U1 V1 b1_h U2 V2 b2_h",
        "m1_t g1_t a1_t h_new1_t h1_t m2_t g2_t a2_t h_new2_t h2_t h2_last y",
    ),
    (
        of(Masking(), SimpleRNN(1, **sequence), GlobalAveragePooling1D(), Dense(1)),
        "U V b_h W b_o",
        "m_t g1_t a_t h_new_t h_t g2_sum m2_sum g2 y",
    ),
    (of(SimpleRNN(1, **sequence), Flatten()), "U V b_h", "a_t h_t y"),
    (of(Dense(1), Dropout(0.5), Activation("tanh"), SimpleRNN(1)), "W b_o U V b_h", "a_y_t y1_t a_t h_t h_last y"),
    (of(SimpleRNN(1), Dense(1), Dropout(0.5), Activation("tanh")), "U V b_h W b_o", "a_t h_t h_last a_y y"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "expected", "symbols"), NUMBERS, ids=[row[1] for row in NUMBERS])
def test_names(network: Network, expected: str, symbols: str) -> None:
    assert (weights(network), values(network)) == (expected, symbols)


def test_latex_of_numbers_and_arrows() -> None:
    names = of(Bidirectional(SimpleRNN(1, **sequence)), Bidirectional(LSTM(1))).program.names
    latex = {symbol.name: letter.latex for symbol, letter in names.items()}
    assert [latex[name] for name in ("U1fw", "b1bw_h", "h1fw_t", "h1bw_next", "a2bw_i_t", "c2bw_last", "h1_t")] == [
        r"U^{(1)\rightarrow}", r"b_h^{(1)\leftarrow}", r"h_t^{(1)\rightarrow}", r"h_{t+1}^{(1)\leftarrow}",
        r"a_{i,t}^{(2)\leftarrow}", r"c_0^{(2)\leftarrow}", "h_t^{(1)}",
    ]  # fmt: skip


@over(MODELS)
def test_names_are_all_different(case: Case) -> None:
    names = forward(case.model).program.names.values()
    assert len({name.code for name in names}) == len(set(names))
    families = [name for name in names if name.time in (None, "t")]
    assert len({name.latex for name in families}) == len({name.code for name in families})


# calls of a shared layer --------------------------------------------------------------------------


def test_a_shared_layer_has_a_letter_for_each_call() -> None:
    x, dense, layer = Input((3, 2)), Dense(2, "tanh"), SimpleRNN(2, **sequence)
    network = forward(Model(x, dense(layer(dense(layer(x))))))
    assert weights(network) == "U V b_h W b_o"
    assert values(network) == "aa_t ha_t aa_y_t ya_t ab_t hb_t ab_y_t y_t"
    latex = {symbol.name: letter.latex for symbol, letter in network.program.names.items()}
    assert [latex[name] for name in ("ha_t", "ab_t", "ya_t")] == ["h_t^{(a)}", "a_t^{(b)}", "y_t^{(a)}"]


def test_a_shared_layer_among_others_has_a_number_too() -> None:
    first, second, layer = Input((3, 2)), Input((3, 2)), SimpleRNN(1)
    network = forward(Model([first, second], Dense(1)(Add()(layer(first), layer(second), SimpleRNN(1)(first)))))
    assert weights(network) == "U1 V1 b1_h U2 V2 b2_h W b_o"
    assert values(network) == "a1a_t h1a_t h1a_last a1b_t h1b_t h1b_last a2_t h2_t h2_last g y"


def test_letters_of_many_calls() -> None:
    x = y = Input((1, 1))
    dense = Dense(1)
    for _ in range(24):
        y = dense(y)
    found = values(forward(Model(x, y))).split()
    assert (found[0], found[21], found[22], found[23]) == ("ya_t", "yv_t", "ya1_t", "y_t")
    assert len(set(found)) == 24


# inputs -------------------------------------------------------------------------------------------


def states(layer: Layer, count: int) -> Network:
    x, given = Input((3, 1)), [Input((1,)) for _ in range(count)]
    return forward(Model([x, *given], layer(x, initial_state=given)))


def both() -> Network:
    x, h = Input((3, 1)), Input((1,))
    return forward(Model([x, h], Add()(SimpleRNN(1)(x, initial_state=h), SimpleRNN(1)(x, initial_state=h))))


def read_too() -> Network:
    x, h = Input((3, 1)), Input((1,))
    return forward(Model([x, h], Add()(SimpleRNN(1)(x, initial_state=h), h)))


def returned() -> Network:
    x, h = Input((3, 1)), Input((1,))
    return forward(Model([x, h], [SimpleRNN(1)(x, initial_state=h), h]))


def shared() -> Network:
    x, h, layer = Input((3, 1)), Input((1,)), SimpleRNN(1)
    return forward(Model([x, h], Add()(layer(x), layer(x, initial_state=h))))


SOURCES: list[tuple[Network, str]] = [
    (of(SimpleRNN(1)), "x_t"),
    (states(SimpleRNN(1), 1), "x_t h_{-1}"),
    (states(SimpleRNN(1, go_backwards=True), 1), "x_t h_T"),
    (states(LSTM(1), 2), "x_t h_{-1} c_{-1}"),
    (
        states(Bidirectional(LSTM(1)), 4),
        r"x_t h_{-1}^{\rightarrow} c_{-1}^{\rightarrow} h_T^{\leftarrow} c_T^{\leftarrow}",
    ),
    (states(RNN([LSTMCell(1), GRUCell(1)]), 3), "x_t h_{-1}^{(1)} c_{-1}^{(1)} h_{-1}^{(2)}"),
    (of(LSTM(1, initial_state=True)), "x_t h_{-1} c_{-1}"),
    (of(LSTM(1, stateful=True, go_backwards=True)), "x_t h_T c_T"),
    (of(SimpleRNN(1, **sequence), SimpleRNN(1, initial_state=True)), "x_t h_{-1}^{(2)}"),
    (both(), "x_t^{(1)} x^{(2)}"),
    (read_too(), "x_t^{(1)} x^{(2)}"),
    (returned(), "x_t^{(1)} x^{(2)}"),
    (shared(), "x_t h_{-1}^{(b)}"),
]


@pytest.mark.parametrize(("network", "expected"), SOURCES, ids=range(len(SOURCES)))
def test_inputs(network: Network, expected: str) -> None:
    names = network.program.names
    assert " ".join(names[source.symbol].latex for source in network.sources) == expected
    assert [source.state for source in network.sources] == [
        names[source.symbol].time in (-1, "T") for source in network.sources
    ]


# masks --------------------------------------------------------------------------------------------


def test_one_mask_for_each_value() -> None:
    x = Input((3, 1))
    branches = [Masking(0.5)(x), Masking(0.5)(x)]
    made = numbering_of(graph_of(Model(x, Add()(branches))))
    assert (made.masks, made.mask(0)) == (1, "")
    made = numbering_of(graph_of(Model(x, Add()(Masking(0.5)(x), Masking(1.0)(x)))))
    assert (made.masks, made.mask(0), made.mask(1)) == (2, "1", "2")
