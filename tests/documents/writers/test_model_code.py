"""Models as code: the code, run, gives the model again."""

import pytest
from sympy import Eq, MatrixSymbol, tanh

import symrnn
from symrnn import GRU, LSTM, RNN, Bidirectional, Dense, Embedding, Input, Loss, Model, ReLU, Sequential, SimpleRNN
from symrnn.documents.writers.model_code import code, loss_code, statements
from symrnn.importers.keras.reader import from_keras
from symrnn.models.graph import Call, Graph, Result, graph_of
from symrnn.models.layers.core import InputLayer
from tests.support.models_of_keras import GRAPHS, LAYERS, MASKED, STATEFUL, STATES, called_twice

BANK = {
    f"{kind}: {name}": build
    for kind, models in (("layers", LAYERS), ("masks", MASKED), ("states", STATES), ("graphs", GRAPHS))
    for name, build in models.items()
}
BANK |= {f"stateful: {name}": build for name, build in STATEFUL.items()}


def rebuilt(model):
    names = {"symrnn": symrnn}
    exec(statements(model), names)
    return graph_of(names["model"])


@pytest.mark.parametrize("name", BANK)
def test_the_code_gives_the_model_again(name):
    model = BANK[name]()
    assert rebuilt(model) == graph_of(model)


CODES = [
    (
        Sequential([SimpleRNN(4), Dense(2)], (5, 3)),
        "model = symrnn.Sequential([symrnn.SimpleRNN(4), symrnn.Dense(2)], input_shape=(5, 3))",
    ),
    (
        Sequential([GRU(1, "relu", name="a'b")], (None, 1), "float64"),
        "model = symrnn.Sequential(\n    [\n        symrnn.GRU(1, activation='relu', name=\"a'b\"),\n    ],\n"
        "    input_shape=(None, 1), dtype='float64',\n)",
    ),
    (
        called_twice(),
        """\
x_1 = symrnn.Input((4, 2))
x_2 = symrnn.Input((2,))
simple_rnn_layer = symrnn.SimpleRNN(2, return_sequences=True, return_state=True)
simple_rnn_1, simple_rnn_1_state_1 = simple_rnn_layer(x_1, initial_state=[x_2])
dense_layer = symrnn.Dense(2, activation='tanh')
dense_1 = dense_layer(simple_rnn_1)
simple_rnn_2, simple_rnn_2_state_1 = simple_rnn_layer(dense_1, initial_state=[simple_rnn_1_state_1])
average = symrnn.Average()([simple_rnn_1, simple_rnn_2])
dense_2 = dense_layer(simple_rnn_2)
model = symrnn.Model([x_1, x_2], [average, dense_2])""",
    ),
]


@pytest.mark.parametrize(("model", "expected"), CODES)
def test_statements(model, expected):
    assert statements(model) == expected


def test_names_come_back_and_run_nothing():
    name = "a'); raise SystemExit('run') #\n\"\\"
    x = Input((2, 1), name=name)
    both = Bidirectional(LSTM(1, name=name))(x)
    model = Model(x, [Dense(1, name=name)(both), both])
    assert [layer.name for layer in rebuilt(model).layers] == [name, None, name]
    chain = Sequential([GRU(1, name=name)], (2, 1))
    assert rebuilt(chain).layers[1].name == name


def test_numbers_come_back_whole():
    model = Sequential([SimpleRNN(1), ReLU(1e300, 0.1 + 0.2, -0.0)], (2, 1))
    assert rebuilt(model) == graph_of(model)
    assert code(0.1 + 0.2) == "0.30000000000000004"


def test_a_graph_in_another_order_is_written_as_it_is():
    layers = (InputLayer((2, 1)), GRU(1), LSTM(1), Dense(1))
    inner = tuple(Call(place, (Result(source),)) for place, source in ((2, 0), (1, 0), (3, 1)))
    graph = Graph(layers, (Call(0), *inner), (0,), (Result(2), Result(3)))
    assert (
        statements(graph)
        == """\
model = symrnn.models.graph.Graph(
    layers=(
        symrnn.InputLayer((2, 1)),
        symrnn.GRU(1),
        symrnn.LSTM(1),
        symrnn.Dense(1),
    ),
    calls=(
        symrnn.models.graph.Call(0),
        symrnn.models.graph.Call(2, inputs=(symrnn.models.graph.Result(0),)),
        symrnn.models.graph.Call(1, inputs=(symrnn.models.graph.Result(0),)),
        symrnn.models.graph.Call(3, inputs=(symrnn.models.graph.Result(1),)),
    ),
    inputs=(0,),
    outputs=(symrnn.models.graph.Result(2), symrnn.models.graph.Result(3)),
)"""
    )
    assert rebuilt(graph) == graph


def test_one_layer_in_two_places_has_two_weights():
    layer = GRU(2, return_sequences=True)
    assert rebuilt(Sequential([layer, layer], (3, 2))) == graph_of(Sequential([layer, layer], (3, 2)))


@pytest.mark.filterwarnings("ignore")  # what Keras says while it builds them
def test_imported_models_come_back():
    pytest.importorskip("keras")
    from tests.support.keras_bank import BANK as KERAS

    for name, build in KERAS.items():
        graph = from_keras(build()).graph
        assert rebuilt(graph) == graph, name
    graph = from_keras(KERAS["encoder, decoder"]()).graph
    assert [layer.name for layer in rebuilt(graph).layers] == [layer.name for layer in graph.layers]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", "'mse'"),
        (Loss("mse"), "'mse'"),
        (Loss("huber", delta=2.0), "symrnn.Loss('huber', delta=2.0)"),
        (("mae", Loss("hinge")), "['mae', 'hinge']"),
    ],
)
def test_loss_code(loss, expected):
    assert loss_code(loss) == expected


def test_a_cell_of_your_own_is_named():
    x, h, before = (MatrixSymbol(name, 1, 1) for name in ("x_t", "h_t", "h_prev"))
    cell = symrnn.Cell([Eq(h, (x + before).applyfunc(tanh))], x, {"h": (before, h)}, {}, name="elman")
    with pytest.raises(
        NotImplementedError,
        match=r"^RNN\(elman\): a cell of your own has no code; supported: SimpleRNNCell, LSTMCell, GRUCell$",
    ):
        statements(Sequential([RNN(cell), Dense(1)], (2, 1)))


def test_what_is_no_value_is_named():
    with pytest.raises(NotImplementedError, match=r"^set has no code; supported: layers, numbers, strings and lists$"):
        code({1})


def test_ids_make_a_shape_of_one_axis():
    assert statements(Sequential([Embedding(5, 2), GRU(1)], (4,))).endswith("input_shape=(4,))")
