"""Networks: what belongs to the forward program, in the order of Keras, and what its first output is."""

import pytest

from symrnn import GRU, LSTM, Bidirectional, Dense, Input, Model, Sequential, SimpleRNN
from symrnn.expressions.nodes import T
from symrnn.models.forward_pass import forward
from tests.support.bank import MODELS, over
from tests.support.pictures import EVERY, KINDS, encoder_decoder, network


def test_the_weights_are_the_parts_of_the_arrays_in_the_order_of_get_weights():
    found = network(LSTM(2), Dense(1), features=3)
    assert [(a.keras, a.shape, [part.name.code for part in a.parts]) for a in found.arrays] == [
        ("kernel", (3, 8), ["U_i", "U_f", "U_c", "U_o"]),
        ("recurrent_kernel", (2, 8), ["V_i", "V_f", "V_c", "V_o"]),
        ("bias", (8,), ["b_hi", "b_hf", "b_hc", "b_ho"]),
        ("kernel", (2, 1), ["W"]),
        ("bias", (1,), ["b_o"]),
    ]
    assert found.weights == tuple(part for array in found.arrays for part in array.parts)


@over(KINDS)
def test_the_parts_of_an_array_fill_it(case):
    """Every column of every row once, and each array where its place says."""
    found = forward(case.model)
    assert [array.place for array in found.arrays] == list(range(len(found.arrays)))
    for array in found.arrays:
        rows = {part.row for part in array.parts}
        assert rows == {None} or rows == set(range(array.shape[0]))
        for row in rows:
            parts = [part for part in array.parts if part.row == row]
            ends = [(part.start, part.start + part.shape[-1]) for part in parts]
            assert [start for start, _ in ends] == [0, *(end for _, end in ends[:-1])]
            assert ends[-1][1] == array.shape[-1]
        own = {(part.array, part.layer, part.keras) for part in array.parts}
        assert own == {(array.place, array.layer, array.keras)}


@pytest.mark.parametrize(("first", "second"), [(3, 2), (None, 2), (None, None)])
def test_the_number_of_time_steps_of_each_length(first, second):
    found = encoder_decoder(first, second).timesteps
    assert {steps.name: number for steps, number in found.items()} == {"T": first, "T_2": second}


def test_rows_have_no_time_steps():
    x = Input((3,))
    assert forward(Model(x, Dense(1)(x))).timesteps == {}


def test_the_first_output():
    x = Input((3, 1))
    states = SimpleRNN(2, **EVERY)(x)
    found = forward(Model(x, [Dense(4, "softmax")(states), GRU(3)(states)]))
    assert (found.output, found.outputs, found.sequence) == (found.heads[0].symbol, 4, True)
    assert (found.heads[0].steps, found.heads[1].sequence, found.heads[1].width) == (T, False, 3)
    assert found.logits is found.heads[0].logits is not None
    assert found.heads[1].logits is None


def test_the_states_are_those_of_each_half_and_cell():
    found = network(Bidirectional(LSTM(1)))
    names = [found.program.names[state.symbol].text for state in found.states]
    assert names == ["h_t^{→}", "c_t^{→}", "h_t^{←}", "c_t^{←}"]
    assert [(state.unit[0], state.reverse) for state in found.states] == [("forward_layer", False)] * 2 + [
        ("backward_layer", True)
    ] * 2


def test_states_that_are_kept_are_inputs_and_results():
    found = forward(MODELS["LSTM that keeps its state"].model)
    assert [source.state for source in found.sources] == [False, True, True]
    assert len(found.finals) == 2
    assert forward(Sequential([LSTM(1)], (3, 1))).finals == ()


@over(KINDS)
def test_what_a_network_names_is_in_its_program(case):
    found = forward(case.model)
    names = found.program.names
    named = [head.symbol for head in found.heads] + [state.symbol for state in found.states]
    named += [weight.symbol for weight in found.weights] + [source.symbol for source in found.sources]
    assert {*named} <= names.keys()
    assert {weight.name for weight in found.weights} == {names[weight.symbol] for weight in found.weights}
    assert {*found.values.values()} <= names.keys()
