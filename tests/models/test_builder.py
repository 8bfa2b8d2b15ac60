"""What the calls of a graph add: symbols with their names, weights that are made once, masks, merges."""

import pytest
from sympy import MatrixSymbol, Rational, Symbol

from symrnn import Add, Average, Concatenate, Dense, Input, Masking, Model, Multiply, SimpleRNN
from symrnn.expressions.matrices import add, concat, hadamard, scale
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import Differs, N, T
from symrnn.models.builder import MERGES, Block, CallScope, ProgramBuilder, Value, mask_on, only, sequence, width
from symrnn.models.graph import Result, graph_of
from symrnn.models.lengths import lengths_of
from symrnn.models.naming import numbering_of
from symrnn.programs.program import Equation, Recurrence


@pytest.fixture
def build():
    x = Input((3, 2))
    graph = graph_of(Model(x, Dense(1)(SimpleRNN(1)(Masking()(x)))))
    return ProgramBuilder(graph, numbering_of(graph), lengths_of(graph))


X, Z = MatrixSymbol("x_t", N, 2), MatrixSymbol("z_t", N, 2)


def test_a_symbol_has_its_letter(build):
    made = build.symbol(Name("U", layer="2"), 3, 2)
    assert (made, build.names[made]) == (MatrixSymbol("U2", 3, 2), Name("U", layer="2"))


def test_a_row_for_each_sample_and_for_a_sequence_for_each_step(build):
    assert build.row(Name("g"), 2, None) == MatrixSymbol("g", N, 2)
    made = build.row(Name("g"), 2, T)
    assert (made.name, build.names[made].time, build.names[made].steps) == ("g_t", "t", "T")


def test_equations_of_rows_stand_alone_and_those_of_sequences_in_a_step(build):
    g, g_t = build.row(Name("g"), 2, None), build.row(Name("g"), 2, T)
    build.append([Equation(g, X)], [X], None)
    build.append([Equation(g_t, X)], [X], T)
    assert build.items[0] == Equation(g, X)
    assert isinstance(build.items[1], Recurrence)
    assert (build.items[1].stacked, build.items[1].length, build.items[1].carries) == ((g_t,), T, ())


def test_a_mask_is_made_once_for_each_value(build):
    x = Value(X, T)
    build.names[X] = Name("x", time="t")
    first, again = build.mask(x, Rational(0)), build.mask(x, Rational(0))
    assert (first, len(build.items)) == (again, 1)
    assert build.items[0].body.assignments == (Equation(first, Differs(X, Rational(0))),)
    assert build.mask(x, Rational(1, 2)) != first


# weights ------------------------------------------------------------------------------------------


def test_a_weight_is_made_once_for_all_calls_of_its_layer(build):
    one, other = (CallScope(build, 1, call, weights="2", values=str(call)) for call in (1, 2))
    W = one.weight(Name("W"), "kernel", 2, 3)
    assert other.weight(Name("W"), "kernel", 2, 3) is W
    assert (W, build.inputs) == (MatrixSymbol("W2", 2, 3), [W])
    assert one.value(Name("g"), 3) != other.value(Name("g"), 3)


def test_a_bias_is_a_row_whose_shape_has_one_axis(build):
    b = CallScope(build, 1, 1).weight(Name("b", sub="o"), "bias", 3)
    (array,) = build.arrays.values()
    assert (b.shape, array.shape, array.parts[0].shape, array.name.axes) == ((1, 3), (3,), (3,), 1)


def test_the_parts_of_a_weight(build):
    blocks = [Block(Name("U", sub="z"), 2), Block(Name("U", sub="r"), 2, 2)]
    symbols = CallScope(build, 1, 1, unit=("cell",)).blocks(Name("U"), "kernel", (3, 4), blocks)
    assert symbols == [MatrixSymbol("U_z", 3, 2), MatrixSymbol("U_r", 3, 2)]
    (array,) = build.arrays.values()
    assert [(part.start, part.row, part.array) for part in array.parts] == [(0, None, 0), (2, None, 0)]
    assert (array.symbol, array.unit) == (MatrixSymbol("U", 3, 4), ("cell",))


def test_rows_of_a_weight(build):
    blocks = [Block(Name("b", sub=sub), 2, row=row) for row, sub in enumerate("hV")]
    assert [b.shape for b in CallScope(build, 1, 1).blocks(Name("b"), "bias", (2, 2), blocks)] == [(1, 2)] * 2
    assert [part.row for part in next(iter(build.arrays.values())).parts] == [0, 1]


def test_a_weight_with_a_row_for_each_step(build):
    place = CallScope(build, 1, 1, steps=T)
    made = place.weight_of_steps(Name("alpha"), "alpha", 3, 2)
    assert place.weight_of_steps(Name("alpha"), "alpha", 3, 2) is made
    (array,) = build.arrays.values()
    assert (made.shape, array.shape, array.name.time, build.inputs) == ((1, 2), (3, 2), "t", [])


# what layers take ---------------------------------------------------------------------------------


def test_merges():
    parts = [X, Z]
    assert MERGES["concat"](parts) == MERGES[Concatenate](parts) == concat(X, Z)
    assert MERGES["sum"](parts) == MERGES[Add](parts) == add(X, Z)
    assert MERGES["mul"](parts) == MERGES[Multiply](parts) == hadamard(X, Z)
    assert MERGES["ave"](parts) == MERGES[Average](parts) == scale(Rational(1, 2), add(X, Z))


def test_the_one_input_of_a_layer():
    x = Value(X, T)
    assert only([x]) is sequence([x]) is x
    assert (x.width, width(X)) == (2, 2)
    for wrong in ([], [x, x]):
        with pytest.raises(ValueError, match=f"^expected one input, got {len(wrong)}$"):
            only(wrong)


def test_rows_are_no_sequence():
    message = (
        r"^expected a sequence \(samples, timesteps, features\), but got the shape \(samples, 2\); "
        "a recurrent layer before it needs return_sequences=True$"
    )
    with pytest.raises(ValueError, match=message):
        sequence([Value(X)])


def test_the_mask_that_goes_on(build):
    """That of the first tensor, as no call here names one."""
    m = Symbol("m")
    build.values[Result(0)] = Value(X, T)
    assert mask_on(build, 1, Value(X, T, m)) is m
    assert mask_on(build, 1, Value(X, T)) is None
