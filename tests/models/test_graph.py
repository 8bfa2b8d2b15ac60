"""Graphs: from a Sequential and from tensors, the order of layers and calls, and what is refused."""

from collections.abc import Callable

import pytest

from symrnn.models.graph import Call, Graph, Model, Result, graph_of, input_kind, with_timesteps
from symrnn.models.layers.core import Dense, Embedding, Input, InputLayer, NotEqual, Tensor
from symrnn.models.layers.merging import Add, Concatenate
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.rnn import LSTM, RNN, Bidirectional, GRUCell, LSTMCell, SimpleRNN
from symrnn.models.layers.table import Sequential
from tests.codegen.test_function import refused
from tests.support.bank import GRAPHS, LAYERS, SIMPLE, Case, over


def shown(graph: Graph) -> list[str]:
    """The calls in a line each: the layer's place and name, then what it is called on, by place."""

    def results(found: tuple[Result, ...]) -> str:
        return ", ".join(f"{one.call}.{one.output}" if one.output else str(one.call) for one in found)

    lines = []
    for call in graph.calls:
        states = f" from {results(call.states)}" if call.states else ""
        mask = f" where {results((call.mask,))}" if call.mask else ""
        lines.append(f"{call.layer} {type(graph.layer(call)).__name__}({results(call.inputs)}){states}{mask}")
    return lines


# from layers one after the other ------------------------------------------------------------------


def test_a_sequential_is_a_chain() -> None:
    layers = (SimpleRNN(2), Dropout(0.5), Dense(1))
    graph = graph_of(Sequential(layers, (3, 1), "float64"))
    assert graph.layers == (InputLayer((3, 1), "float64"), *layers)
    assert graph.calls == (Call(0), Call(1, (Result(0),)), Call(2, (Result(1),)), Call(3, (Result(2),)))
    assert (graph.inputs, graph.outputs) == ((0,), (Result(3),))
    assert graph.input_layers == (InputLayer((3, 1), "float64"),)


@pytest.mark.parametrize(
    ("layer", "outputs"),
    [
        (SimpleRNN(2), 1),
        (SimpleRNN(2, return_state=True), 2),
        (LSTM(2, return_state=True), 3),
        (RNN([LSTMCell(2), GRUCell(2)], return_state=True), 4),
        (Bidirectional(SimpleRNN(2), None), 2),
        (Bidirectional(LSTM(2, return_state=True)), 5),
        (Bidirectional(LSTM(2, return_state=True), None), 6),
    ],
    ids=str,
)
def test_a_last_layer_with_several_results_gives_several_outputs(layer: SimpleRNN, outputs: int) -> None:
    assert graph_of(Sequential([layer], (3, 1))).outputs == tuple(Result(1, i) for i in range(outputs))
    x = Input((3, 1))
    made = layer(x)
    assert outputs == (1 if isinstance(made, Tensor) else len(made))


def test_a_graph_is_itself() -> None:
    graph = graph_of(SIMPLE["stack"].model)
    assert graph_of(graph) is graph


@over({name: case for name, case in (SIMPLE | LAYERS).items() if case.model.layers})
def test_tensors_give_the_same_graph(case: Case) -> None:
    model = case.model
    x = y = Input(model.input_shape)
    for layer in model.layers:
        y = layer(y)
    assert graph_of(Model(x, y)) == graph_of(model)


# from tensors -------------------------------------------------------------------------------------


def branches() -> Model:
    first, second = Input((3, 1)), Input((3, 1))
    a, b = SimpleRNN(1)(first), Dense(1)(SimpleRNN(1)(second))
    return Model([first, second], Dense(1)(Add()(a, b)))


def crossed() -> Model:
    first, second = Input((3, 1)), Input((3, 1))
    return Model([second, first], Concatenate()(SimpleRNN(1)(first), SimpleRNN(1)(second)))


def shared() -> Model:
    x, dense = Input((3, 1)), Dense(1)
    return Model(x, Concatenate()([dense(x), dense(dense(x))]))


def states() -> Model:
    x, start = Input((None, 1)), Input((2, 1))
    _, h, c = LSTM(1, return_state=True)(x)
    return Model([x, start], LSTM(1, return_sequences=True)(start, initial_state=[h, c]))


def masked() -> Model:
    x, h = Input((3, 1)), Input((1,))
    return Model([x, h], SimpleRNN(1)(x, initial_state=h, mask=NotEqual(0.5)(x)))


def outputs() -> Model:
    x = Input((3, 1))
    h, s = SimpleRNN(1, return_sequences=True, return_state=True)(x)
    return Model(x, [Dense(1)(s), h, s, x])


def unused() -> Model:
    x, other = Input((3, 1)), Input((4, 2))
    return Model([other, x], SimpleRNN(1)(x))


GRAPH: dict[Callable[[], Model], tuple[list[str], str]] = {
    branches: (
        ["1 InputLayer()", "0 InputLayer()", "3 SimpleRNN(0)", "2 SimpleRNN(1)", "4 Dense(3)", "5 Add(2, 4)",
         "6 Dense(5)"], "6",
    ),
    crossed: (
        ["1 InputLayer()", "0 InputLayer()", "2 SimpleRNN(1)", "3 SimpleRNN(0)", "4 Concatenate(2, 3)"], "4",
    ),
    shared: (["0 InputLayer()", "1 Dense(0)", "1 Dense(0)", "1 Dense(2)", "2 Concatenate(1, 3)"], "4"),
    states: (["0 InputLayer()", "1 InputLayer()", "2 LSTM(0)", "3 LSTM(1) from 2.1, 2.2"], "3"),
    masked: (["0 InputLayer()", "2 InputLayer()", "1 NotEqual(0)", "3 SimpleRNN(0) from 1 where 2"], "3"),
    outputs: (["0 InputLayer()", "1 SimpleRNN(0)", "2 Dense(1.1)"], "2, 1, 1.1, 0"),
    unused: (["1 InputLayer()", "0 InputLayer()", "2 SimpleRNN(1)"], "2"),
}  # fmt: skip


@pytest.mark.parametrize("make", GRAPH, ids=lambda make: make.__name__)
def test_graphs_of_tensors(make: Callable[[], Model]) -> None:
    graph = graph_of(make())
    ends = ", ".join(f"{one.call}.{one.output}" if one.output else str(one.call) for one in graph.outputs)
    assert (shown(graph), ends) == GRAPH[make]
    assert graph.inputs == tuple(range(len(graph.inputs)))


@over(GRAPHS)
def test_calls_come_after_what_they_are_called_on(case: Case) -> None:
    graph = graph_of(case.model)
    for place, call in enumerate(graph.calls):
        reads = (*call.inputs, *call.states, *([call.mask] if call.mask else []))
        assert all(one.call < place and one.output < graph.layer(graph.calls[one.call]).results for one in reads)
    assert {call.layer for call in graph.calls} == set(range(len(graph.layers)))


@pytest.mark.parametrize("make", [branches, crossed, shared, states, outputs], ids=lambda make: make.__name__)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_layers_are_in_the_order_of_keras(make: Callable[[], Model]) -> None:
    pytest.importorskip("keras")
    from symrnn.checking.keras_models import build

    model = make()
    kinds = [type(layer).__name__ for layer in build(model).layers]
    assert [type(layer).__name__ for layer in graph_of(model).layers] == kinds


def test_a_long_chain() -> None:
    x = y = Input((1, 1))
    for _ in range(3000):
        y = Dropout(0.5)(y)
    assert len(graph_of(Model(x, y)).calls) == 3001


def test_a_layer_is_shared_where_it_is_the_same_object() -> None:
    x = Input((3, 1))
    assert len(graph_of(Model(x, Add()(SimpleRNN(1)(x), SimpleRNN(1)(x)))).layers) == 4


# ids and time steps -------------------------------------------------------------------------------


def test_ids_are_what_an_embedding_reads() -> None:
    ids, x = Input((4,)), Input((4,))
    graph = graph_of(Model([ids, x], [Embedding(3, 2)(ids), Dense(1)(x)]))
    assert [input_kind(graph, place) for place in graph.inputs] == ["ids", "rows"]


def test_a_mask_is_what_calls_have_as_their_mask_alone() -> None:
    x, mask, both = Input((4, 1)), Input((4,)), Input((4,))
    model = Model([x, mask, both], [LSTM(1)(x, mask=mask), LSTM(1)(x, mask=both), Dense(1)(both)])
    graph = graph_of(model)
    assert [input_kind(graph, place) for place in graph.inputs] == ["sequence", "mask", "rows"]


def test_timesteps_are_set_where_they_are_open() -> None:
    first, second, rows, ids = Input((None, 1)), Input((2, 1)), Input((3,)), Input((None,))
    parts = [SimpleRNN(1)(first), SimpleRNN(1)(second), rows, SimpleRNN(1)(Embedding(3, 1)(ids))]
    graph = graph_of(Model([first, second, rows, ids], Concatenate()(parts)))
    assert [layer.shape for layer in with_timesteps(graph, 5).input_layers] == [(5, 1), (2, 1), (3,), (5,)]
    assert with_timesteps(graph, None) is graph
    assert graph.input_layers[0].shape == (None, 1)


def test_timesteps_that_are_not_open() -> None:
    graph = graph_of(Model([x := Input((2, 1)), z := Input((3, 1))], Concatenate()(SimpleRNN(1)(x), SimpleRNN(1)(z))))
    assert with_timesteps(graph, 3) == graph
    with refused("derive: timesteps: expected 2, 3, as the model has it, got 4"):
        with_timesteps(graph, 4)
    rows = graph_of(Model(x := Input((3,)), Dense(1)(x)))
    with refused("derive: timesteps: expected none, as the model has it, got 4"):
        with_timesteps(rows, 4)
    with refused("derive: timesteps: expected a positive whole number, got 0"):
        with_timesteps(graph, 0)


# what is refused ----------------------------------------------------------------------------------

X = Input((3, 1))


class Own(Dense):
    """A layer that symrnn does not know."""


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Model([], X), ValueError, r"Model: inputs: expected a tensor or a list of tensors, got \[\]"),
        (lambda: Model(3, X), ValueError, "Model: inputs: expected a tensor or a list of tensors, got 3"),
        (lambda: Model(X, ()), ValueError, r"Model: outputs: expected a tensor or a list of tensors, got \(\)"),
        (lambda: Model(X, [3]), ValueError, r"Model: outputs: expected a tensor or a list of tensors, got \[3\]"),
        (
            lambda: Model(X, SimpleRNN(1)(Input((4, 2)))), ValueError,
            r"Model: the outputs depend on an input of shape \(4, 2\) that is not given",
        ),
        (
            lambda: Model(X, Own(1)(X)), NotImplementedError,
            "Own is not supported; supported: SimpleRNN, LSTM, GRU, RNN, Bidirectional, .*, Concatenate",
        ),
        (lambda: SimpleRNN(1)(3), ValueError, "SimpleRNN: expected tensors, got int"),
        (lambda: Add()([X, None]), ValueError, "Add: expected tensors, got NoneType"),
        (lambda: LSTM(1)(X, initial_state=[X, "c"]), ValueError, "LSTM: expected tensors, got str"),
        (lambda: SimpleRNN(1)(X, mask=[True]), ValueError, "SimpleRNN: expected tensors, got list"),
    ],
)  # fmt: skip
def test_refuses(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        make()
