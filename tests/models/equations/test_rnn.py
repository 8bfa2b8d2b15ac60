r"""Recurrences: masks, directions, initial states, cells in a stack, as exact LaTeX of one step."""

from typing import Any

import pytest
from sympy import Expr

from symrnn.interface import derive
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model
from symrnn.models.layers.core import Dense, Embedding, Input, Layer, Masking, NotEqual
from symrnn.models.layers.merging import Add, Average, Concatenate, Multiply
from symrnn.models.layers.rnn import GRU, LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell
from symrnn.models.layers.table import Sequential
from symrnn.models.network import Network
from symrnn.programs.program import Recurrence, Reversal
from tests.codegen.test_function import refused

free = {"use_bias": False}
sequence = {"return_sequences": True}
backwards = {"go_backwards": True}
UP, DOWN = r" \qquad (t = 0, \dots, T-1)", r" \qquad (t = T-1, \dots, 0)"


def latex(model: Sequential | Model) -> list[str]:
    """The lines of the step zoom, with > for the range of t forwards and < for that backwards."""
    _, *lines, _ = derive(model).latex("step").split("\n")
    return [line.removesuffix(r" \\").replace(UP, " >").replace(DOWN, " <").replace(" &= ", " = ") for line in lines]


def of(*layers: Layer) -> list[str]:
    """The lines of layers one after the other, with two features."""
    return latex(Sequential(layers, (3, 2)))


# masks --------------------------------------------------------------------------------------------

MASK = [r"m_t = [x_t \ne 0.5] >", "g_t = m_t x_t >"]
NEW = [*MASK, "h_{-1} = 0", r"\tilde h_t = \tanh(g_t U + h_{t-1} V + b_h) >"]
KEPT = r"h_t = m_t \tilde h_t + (1 - m_t) h_{t-1} >"
MASKED: list[tuple[Layer, list[str]]] = [
    (SimpleRNN(2), [*NEW, KEPT, "y = h_{T-1}"]),
    (SimpleRNN(2, **sequence), [*NEW, KEPT, "y_t = h_t >"]),
    (
        SimpleRNN(2, **backwards),
        [*MASK, "h_T = 0", r"\tilde h_t = \tanh(g_t U + h_{t+1} V + b_h) <",
         r"h_t = m_t \tilde h_t + (1 - m_t) h_{t+1} <", "y = h_0"],
    ),
    (
        SimpleRNN(2, **backwards, **sequence),
        [*MASK, "h_T = 0", r"\tilde h_t = \tanh(g_t U + h_{t+1} V + b_h) <",
         r"h_t = m_t \tilde h_t + (1 - m_t) h_{t+1} <", "s_t = h_{T-1-t} >", "y_t = s_t >"],
    ),
    (
        LSTM(2, **free),
        [*MASK, "h_{-1} = 0", "c_{-1} = 0", r"i_t = \sigma(g_t U_i + h_{t-1} V_i) >",
         r"f_t = \sigma(g_t U_f + h_{t-1} V_f) >", r"k_t = \tanh(g_t U_c + h_{t-1} V_c) >",
         r"o_t = \sigma(g_t U_o + h_{t-1} V_o) >", r"\tilde c_t = f_t \odot c_{t-1} + i_t \odot k_t >",
         r"q_t = \tanh \tilde c_t >", r"\tilde h_t = o_t \odot q_t >", KEPT,
         r"c_t = m_t \tilde c_t + (1 - m_t) c_{t-1} >", "y = h_{T-1}"],
    ),
    (
        GRU(2, **free),
        [*MASK, "h_{-1} = 0", r"z_t = \sigma(g_t U_z + h_{t-1} V_z) >", r"r_t = \sigma(g_t U_r + h_{t-1} V_r) >",
         "p_t = h_{t-1} V_h >", r"k_t = \tanh(g_t U_h + r_t \odot p_t) >",
         r"\tilde h_t = z_t \odot h_{t-1} + (1 - z_t) \odot k_t >", KEPT, "y = h_{T-1}"],
    ),
    (
        SimpleRNN(2, zero_output_for_mask=True, **sequence),
        [*NEW, KEPT, r"h_{out,t} = m_t \tilde h_t >", "y_t = h_{out,t} >"],
    ),
    (
        SimpleRNN(2, zero_output_for_mask=True, **backwards, **sequence),
        [*MASK, "h_T = 0", r"\tilde h_t = \tanh(g_t U + h_{t+1} V + b_h) <",
         r"h_t = m_t \tilde h_t + (1 - m_t) h_{t+1} <", r"h_{out,t} = m_t \tilde h_t <", "s_t = h_{out,T-1-t} >",
         "y_t = s_t >"],
    ),
    (  # what Keras 3.15 makes of unroll=True: the outputs of the wrong steps are 0
        SimpleRNN(2, zero_output_for_mask=True, unroll=True, **backwards, **sequence),
        [*MASK, "h_T = 0", "h_{out,T} = 0", r"\tilde h_t = \tanh(g_t U + h_{t+1} V + b_h) <",
         r"h_t = m_t \tilde h_t + (1 - m_t) h_{t+1} <", r"h_{out,t} = m_t \tilde h_t + (1 - m_t) h_{out,t+1} <",
         "m_{rev,t} = m_{T-1-t} >", "h_{zero,t} = m_{rev,t} h_{out,t} >", "s_t = h_{zero,T-1-t} >", "y_t = s_t >"],
    ),
    (SimpleRNN(2, initial_state=True), [*MASK, r"h_t = \tanh(g_t U + h_{t-1} V + b_h) >", "y = h_{T-1}"]),
    (
        RNN([SimpleRNNCell(2), SimpleRNNCell(2, **free)]),
        [*MASK, "h_{-1}^{(1)} = 0", "h_{-1}^{(2)} = 0",
         r"\tilde h_t^{(1)} = \tanh(g_t U^{(1)} + h_{t-1}^{(1)} V^{(1)} + b_h^{(1)}) >",
         r"\tilde h_t^{(2)} = \tanh(\tilde h_t^{(1)} U^{(2)} + h_{t-1}^{(2)} V^{(2)}) >",
         r"h_t^{(1)} = m_t \tilde h_t^{(1)} + (1 - m_t) h_{t-1}^{(1)} >",
         r"h_t^{(2)} = m_t \tilde h_t^{(2)} + (1 - m_t) h_{t-1}^{(2)} >", "y = h_{T-1}^{(2)}"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "expected"), MASKED, ids=range(len(MASKED)))
def test_masked(layer: Layer, expected: list[str]) -> None:
    assert of(Masking(0.5), layer) == expected


def test_the_mask_of_an_embedding() -> None:
    assert latex(Sequential([Embedding(3, 2, mask_zero=True), SimpleRNN(2, **free)], (4,))) == [
        r"e_t = \mathrm{onehot}(x_t) E >", r"m_t = [x_t \ne 0] >", "h_{-1} = 0",
        r"\tilde h_t = \tanh(e_t U + h_{t-1} V) >", KEPT, "y = h_{T-1}",
    ]  # fmt: skip


def test_a_mask_goes_through_layers_without_memory() -> None:
    assert of(Masking(0.5), Dense(2, **free), SimpleRNN(2, **free))[-4:] == [
        "h_{-1} = 0", r"\tilde h_t = \tanh(y_t^{(1)} U + h_{t-1} V) >", KEPT, "y = h_{T-1}",
    ]  # fmt: skip


def test_without_a_mask_zero_output_changes_nothing() -> None:
    assert of(SimpleRNN(2, zero_output_for_mask=True)) == of(SimpleRNN(2))


def given(**options: Any) -> Model:
    x, h = Input((3, 2)), Input((2,))
    return Model([x, h], SimpleRNN(2, **options, **free)(x, initial_state=h, mask=NotEqual(0.5)(x)))


def test_a_given_mask_with_an_initial_state() -> None:
    """The output of a masked step is the one before, which is 0 before the first step, where the state is h_{-1}."""
    new = [r"m_t = [x_t \ne 0.5] >", "h_{out,-1} = 0", r"\tilde h_t = \tanh(x_t U + h_{t-1} V) >", KEPT]
    assert latex(given()) == [*new, r"h_{out,t} = m_t \tilde h_t + (1 - m_t) h_{out,t-1} >", "y = h_{out,T-1}"]
    zero = [line for line in new if "out" not in line]
    expected = [*zero, r"h_{out,t} = m_t \tilde h_t >", "y_t = h_{out,t} >"]
    assert latex(given(zero_output_for_mask=True, **sequence)) == expected


def merged(layer: Layer, second: bool) -> Model:
    x = Input((3, 2))
    masked = Masking(0.5)(x)
    return Model(x, SimpleRNN(2)(layer(masked, Masking(1.0)(x) if second else x)))


@pytest.mark.parametrize("layer", [Add(), Multiply(), Average(), Concatenate()], ids=lambda layer: type(layer).__name__)
def test_masks_of_merges(layer: Layer) -> None:
    """A step is valid where it is in any input, and an input without a mask is all valid."""
    both, one = forward(merged(layer, True)), forward(merged(layer, False))
    assert reads(one) == []
    (mask,) = reads(both)
    either = "1 - HadamardProduct(1 - m1_t, 1 - m2_t)"
    assert [str(rule) for symbol, rule in rules(both) if symbol == mask] == [either]


def reads(network: Network) -> list[Expr]:
    """The masks that the last recurrence reads."""
    *_, last = (item for item in network.program.equations if isinstance(item, Recurrence))
    return [symbol for symbol in last.sequences if network.program.names[symbol].base == "m"]


def rules(network: Network) -> list[tuple[Expr, Expr]]:
    """The equations of all steps."""
    items = (item for item in network.program.equations if isinstance(item, Recurrence))
    return [(step.lhs, step.rhs) for item in items for step in item.body.assignments]


def test_a_product_of_masked_sequences() -> None:
    """For Keras a masked step of one factor is 1, and one that is masked in all of them 0."""
    assert latex(merged(Multiply(), True))[4:7] == [
        r"m_{or,t}^{(4)} = 1 - (1 - m_t^{(1)}) \odot (1 - m_t^{(2)}) >",
        r"g_t^{(3)} = m_{or,t}^{(4)} (m_t^{(1)} g_t^{(1)} + (1 - m_t^{(1)}) \mathbf 1^{\mathsf T})",
        r"    &\qquad \odot (m_t^{(2)} g_t^{(2)} + (1 - m_t^{(2)}) \mathbf 1^{\mathsf T}) >",
    ]


# both directions ----------------------------------------------------------------------------------

FORWARDS = [r"h_{-1}^{\rightarrow} = 0",
            r"h_t^{\rightarrow} = \tanh(x_t U^{\rightarrow} + h_{t-1}^{\rightarrow} V^{\rightarrow}) >"]  # fmt: skip
BACKWARDS = [r"h_T^{\leftarrow} = 0",
             r"h_t^{\leftarrow} = \tanh(x_t U^{\leftarrow} + h_{t+1}^{\leftarrow} V^{\leftarrow}) <"]  # fmt: skip
BOTH = [*FORWARDS, *BACKWARDS]
MERGED = {
    "concat": r"[{0}^{{\rightarrow}}, {1}^{{\leftarrow}}]",
    "sum": r"{0}^{{\rightarrow}} + {1}^{{\leftarrow}}",
    "mul": r"{0}^{{\rightarrow}} \odot {1}^{{\leftarrow}}",
    "ave": r"\frac{{1}}{{2}} ({0}^{{\rightarrow}} + {1}^{{\leftarrow}})",
}


@pytest.mark.parametrize("mode", MERGED)
def test_merge_modes(mode: str) -> None:
    last, rows = MERGED[mode].format("h_{T-1}", "h_0"), MERGED[mode].format("h_t", "h_t")
    assert of(Bidirectional(SimpleRNN(2, **free), mode)) == [*BOTH, f"h = {last}", "y = h"]
    assert of(Bidirectional(SimpleRNN(2, **free, **sequence), mode)) == [*BOTH, f"h_t = {rows} >", "y_t = h_t >"]


def test_both_results_apart() -> None:
    def outputs(**options: Any) -> list[str]:
        return [
            str(head.symbol)
            for head in forward(Sequential([Bidirectional(SimpleRNN(2, **options), None)], (3, 2))).heads
        ]

    assert of(Bidirectional(SimpleRNN(2, **free), None)) == BOTH
    assert of(Bidirectional(SimpleRNN(2, **free, **sequence), None)) == BOTH
    assert outputs() == ["hfw_last", "hbw_last"]
    assert outputs(**sequence) == ["hfw_t", "hbw_t"]
    assert outputs(return_state=True) == ["hfw_last", "hbw_last", "yout3", "yout4"]


def test_a_backward_layer_of_its_own() -> None:
    layer = Bidirectional(SimpleRNN(2, **free), "sum", backward_layer=SimpleRNN(2, None, **free, **backwards))
    linear = r"h_t^{\leftarrow} = x_t U^{\leftarrow} + h_{t+1}^{\leftarrow} V^{\leftarrow} <"
    assert of(layer) == [*FORWARDS, BACKWARDS[0], linear, r"h = h_{T-1}^{\rightarrow} + h_0^{\leftarrow}", "y = h"]


def test_the_first_layer_may_go_backwards() -> None:
    """Keras turns the sequence of the second layer round, here the one that goes forwards."""
    layer = Bidirectional(SimpleRNN(2, **backwards, **sequence), backward_layer=SimpleRNN(2, **sequence))
    program = forward(Sequential([layer], (3, 2))).program
    turned = [(item.lhs.name, item.rhs.name) for item in program.equations if isinstance(item, Reversal)]
    assert turned == [("sfw_t", "hfw_t"), ("sbw_t", "hbw_t")]


def test_masked_steps_of_a_sequence_are_zero_in_both_directions() -> None:
    layer = SimpleRNN(2, **free, **sequence)
    lines = of(Masking(0.5), Bidirectional(layer, "sum"))
    assert [line for line in lines if "out" in line] == [
        r"h_{out,t}^{\rightarrow} = m_t \tilde h_t^{\rightarrow} >",
        r"h_{out,t}^{\leftarrow} = m_t \tilde h_t^{\leftarrow} <",
        r"h_t = h_{out,t}^{\rightarrow} + h_{out,t}^{\leftarrow} >",
    ]
    assert not [line for line in of(Masking(0.5), Bidirectional(SimpleRNN(2, **free))) if "out" in line]


# states -------------------------------------------------------------------------------------------


def started(layer: Layer, *widths: int) -> Model:
    x, states = Input((3, 2)), [Input((width,)) for width in widths]
    return Model([x, *states], layer(x, initial_state=states))


@pytest.mark.parametrize(
    ("layer", "widths", "same"),
    [
        (SimpleRNN(2), (2,), SimpleRNN(2, initial_state=True)),
        (SimpleRNN(2, **backwards), (2,), SimpleRNN(2, initial_state=True, **backwards)),
        (LSTM(2), (2, 2), LSTM(2, initial_state=True)),
        (RNN([LSTMCell(2), GRUCell(3)]), (2, 2, 3), RNN([LSTMCell(2), GRUCell(3)], initial_state=True)),
    ],
)
def test_given_states_are_those_of_initial_state(layer: Layer, widths: tuple[int, ...], same: Layer) -> None:
    ours, theirs = forward(started(layer, *widths)), forward(Sequential([same], (3, 2)))
    assert ours.program == theirs.program
    assert [source.symbol for source in ours.sources] == [source.symbol for source in theirs.sources]
    assert all(source.state for source in ours.sources[1:])


def test_no_line_for_a_state_that_is_an_input() -> None:
    assert latex(started(SimpleRNN(2, **free), 2)) == [r"h_t = \tanh(x_t U + h_{t-1} V) >", "y = h_{T-1}"]


def test_a_decoder_starts_from_the_states_of_the_encoder() -> None:
    x, start = Input((None, 2)), Input((None, 2))
    _, h = SimpleRNN(2, return_state=True, **free)(x)
    decoded = SimpleRNN(2, **sequence, **free)(start, initial_state=h)
    assert latex(Model([x, start], decoded)) == [
        "h_{-1}^{(1)} = 0", r"h_t^{(1)} = \tanh(x_t^{(1)} U^{(1)} + h_{t-1}^{(1)} V^{(1)}) >",
        "h_{-1}^{(2)} = h_{T-1}^{(1)}",
        r"h_t^{(2)} = \tanh(x_t^{(2)} U^{(2)} + h_{t-1}^{(2)} V^{(2)}) \qquad (t = 0, \dots, T_2-1)",
        r"y_t = h_t^{(2)} \qquad (t = 0, \dots, T_2-1)",
    ]  # fmt: skip


def test_states_that_are_kept() -> None:
    network = forward(Sequential([LSTM(2, stateful=True, **sequence), Dense(1)], (3, 2)))
    assert [str(final) for final in network.finals] == ["h_last", "c_last"]
    assert [(str(s.symbol), str(s.initial), str(s.final)) for s in network.states] == [
        ("h_t", "h_init", "h_last"), ("c_t", "c_init", "c_last"),
    ]  # fmt: skip
    assert forward(Sequential([LSTM(2, initial_state=True)], (3, 2))).finals == ()


def test_places_of_states() -> None:
    layers = [Bidirectional(RNN([LSTMCell(1), SimpleRNNCell(1)], **sequence)), SimpleRNN(2)]
    network = forward(Sequential(layers, (3, 2)))
    halves = ("forward_layer", "backward_layer")
    expected = [(1, (half, "cell", "cells", str(cell))) for half in halves for cell in (0, 0, 1)] + [(2, ("cell",))]
    assert [(state.layer, state.unit) for state in network.states] == expected
    assert [state.reverse for state in network.states] == [False] * 3 + [True] * 3 + [False]


# cells in a stack ---------------------------------------------------------------------------------


def test_each_cell_gets_the_output_of_the_one_before_in_the_same_step() -> None:
    assert of(RNN([SimpleRNNCell(2, **free), SimpleRNNCell(2, None, **free)], **sequence)) == [
        "h_{-1}^{(1)} = 0", "h_{-1}^{(2)} = 0", r"h_t^{(1)} = \tanh(x_t U^{(1)} + h_{t-1}^{(1)} V^{(1)}) >",
        "h_t^{(2)} = h_t^{(1)} U^{(2)} + h_{t-1}^{(2)} V^{(2)} >", "y_t = h_t^{(2)} >",
    ]  # fmt: skip


def test_a_stack_of_cells_is_one_recurrence() -> None:
    program = forward(Sequential([RNN([LSTMCell(2), GRUCell(2), SimpleRNNCell(2)])], (3, 2))).program
    (item,) = (item for item in program.equations if isinstance(item, Recurrence))
    assert [carry.prev.name for carry in item.carries] == ["h1_prev", "c1_prev", "h2_prev", "h3_prev"]


# what is refused ----------------------------------------------------------------------------------

PREFIX = "layer 1 (SimpleRNN): initial_state: expected 1 states of [2] columns"


@pytest.mark.parametrize(
    ("layer", "widths", "message"),
    [
        (SimpleRNN(2), (3,), f"{PREFIX}, got [3]"),
        (SimpleRNN(2), (2, 2), f"{PREFIX}, got [2, 2]"),
        (LSTM(2), (2,), "layer 1 (LSTM): initial_state: expected 2 states of [2, 2] columns, got [2]"),
        (
            Bidirectional(GRU(2)), (2,),
            "layer 1 (Bidirectional): initial_state: expected 2 states of [2, 2] columns, got [2]",
        ),
    ],
)  # fmt: skip
def test_refuses_initial_states(layer: Layer, widths: tuple[int, ...], message: str) -> None:
    with refused(message):
        forward(started(layer, *widths))


@pytest.mark.parametrize("mode", ["sum", "mul", "ave"])
def test_refuses_to_merge_halves_of_different_widths(mode: str) -> None:
    layer = Bidirectional(SimpleRNN(2), mode, backward_layer=SimpleRNN(3, **backwards))
    with refused(f"layer 1 (Bidirectional): merge_mode {mode!r}: expected halves of equal width, got 2 and 3"):
        forward(Sequential([layer], (3, 2)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Bidirectional(Dense(1)), NotImplementedError,
            "Bidirectional(Dense) is not supported; supported: Bidirectional(SimpleRNN, LSTM, GRU or RNN)",
        ),
        (
            lambda: Bidirectional(SimpleRNN(1), "max"), ValueError,
            "Bidirectional: merge_mode: expected one of 'concat', 'sum', 'mul', 'ave', None, got 'max'",
        ),
        (
            lambda: Bidirectional(SimpleRNN(1), backward_layer=SimpleRNN(1)), ValueError,
            "Bidirectional: expected layers that run in opposite directions",
        ),
        (
            lambda: Bidirectional(SimpleRNN(1), backward_layer=SimpleRNN(1, **backwards, **sequence)), ValueError,
            "Bidirectional: return_sequences: expected the same in both layers",
        ),
    ],
)  # fmt: skip
def test_refuses_to_go_both_ways(make: Any, error: type[Exception], message: str) -> None:
    with refused(message, error):
        make()
