"""The forward program of a model: its equations and names, and that Keras computes the same."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from symrnn.checking.keras_models import build
from symrnn.models.forward_pass import forward
from symrnn.models.layers.activation import Activation
from symrnn.models.layers.core import Dense, Layer, TimeDistributed
from symrnn.models.layers.regularization import Dropout
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.models.network import Network
from symrnn.programs.program import Program, Recurrence, defines, families, reads
from symrnn.programs.unrolling import unroll
from tests.codegen.test_function import drawn, parts
from tests.support.bank import GRAPHS, LAYERS, MODELS, SIMPLE, Case, evaluate, over

sequence = {"return_sequences": True}
backwards = {"go_backwards": True}


def network(*layers: Layer, features: int = 1) -> Network:
    return forward(Sequential(layers, (3, features)))


def lines(program: Program) -> Iterator[str]:
    """The equations as text; those of a recurrence's step are marked with a colon, or backwards with a dot."""
    for item in program.equations:
        if isinstance(item, Recurrence):
            yield from (f"{'.' if item.reverse else ':'} {step.lhs} = {step.rhs}" for step in item.body.equations)
        else:
            yield f"{item.lhs} = {item.rhs}"


# equations ----------------------------------------------------------------------------------------

RNN = [": a_t = h_prev*V + x_t*U + 1*b_h", ": h_t = tanh(a_t)"]
EQUATIONS = [
    ([SimpleRNN(2), Dense(1)], [*RNN, "y = h_last*W + 1*b_o"]),
    ([SimpleRNN(2)], [*RNN, "y = h_last"]),
    ([SimpleRNN(2, use_bias=False)], [": a_t = h_prev*V + x_t*U", RNN[1], "y = h_last"]),
    ([SimpleRNN(2, None)], [": h_t = h_prev*V + x_t*U + 1*b_h", "y = h_last"]),
    ([SimpleRNN(2, "softmax")], [RNN[0], ": h_t = RowSoftmax(a_t)", "y = h_last"]),
    ([SimpleRNN(2, **sequence)], [*RNN, ": y_t = h_t"]),
    ([SimpleRNN(2, **sequence), Dense(1)], [*RNN, ": y_t = h_t*W + 1*b_o"]),
    ([SimpleRNN(2, **sequence), TimeDistributed(Dense(1))], [*RNN, ": y_t = h_t*W + 1*b_o"]),
    (
        [SimpleRNN(2, **backwards), Dense(1, "sigmoid")],
        [". a_t = h_next*V + x_t*U + 1*b_h", ". h_t = tanh(a_t)", "a_y = h_last*W + 1*b_o", "y = sigmoid(a_y)"],
    ),
    (
        [SimpleRNN(2, **sequence, **backwards), Dense(1, use_bias=False)],
        [". a_t = h_next*V + x_t*U + 1*b_h", ". h_t = tanh(a_t)", "s_t = h_t", ": y_t = s_t*W"],
    ),
    (
        [SimpleRNN(2, **sequence), SimpleRNN(1), Dense(2, "tanh"), Dense(1)],
        [
            ": a1_t = h1_prev*V1 + x_t*U1 + 1*b1_h", ": h1_t = tanh(a1_t)",
            ": a2_t = h1_t*U2 + h2_prev*V2 + 1*b2_h", ": h2_t = tanh(a2_t)",
            "a1_y = h2_last*W1 + 1*b1_o", "y1 = tanh(a1_y)", "y = y1*W2 + 1*b2_o",
        ],
    ),
    ([SimpleRNN(2), Dense(1), Dropout(0.5), Activation("tanh")], [*RNN, "a_y = h_last*W + 1*b_o", "y = tanh(a_y)"]),
    ([SimpleRNN(2), Activation("relu"), Dense(1)], [*RNN, "g = relu(h_last)", "y = g*W + 1*b_o"]),
    ([Activation("exponential")], [": y_t = exp(x_t)"]),
    ([Dropout(0.5)], [": y_t = x_t"]),
]  # fmt: skip


def _sorted(line: str) -> tuple[str, list[str]]:
    """A line whose sum may stand in any order."""
    left, _, right = line.partition(" = ")
    return left, sorted(right.split(" + "))


@pytest.mark.parametrize(("layers", "expected"), EQUATIONS, ids=lambda value: str(len(value)))
def test_equations(layers: list[Layer], expected: list[str]) -> None:
    assert list(map(_sorted, lines(network(*layers).program))) == list(map(_sorted, expected))


@pytest.mark.parametrize("layer", [SimpleRNN(2), SimpleRNN(2, **sequence), SimpleRNN(2, **sequence, **backwards)])
def test_a_final_state_is_named_where_it_is_read(layer: Layer) -> None:
    program = network(layer).program
    used = {*program.outputs, *(symbol for item in program.equations for symbol in reads(item)), *families(program)}
    assert {symbol for item in program.equations for symbol in defines(item)} <= used


@over(MODELS)
def test_letters_are_the_names(case: Case) -> None:
    for program in (case.program, unroll(case.program, case.timesteps)):
        symbols = {
            *program.inputs,
            *program.sequences,
            *program.outputs,
            *(s for e in program.equations for s in defines(e)),
        }
        assert all(program.names[symbol].code == symbol.name for symbol in symbols)


def test_a_carry_starts_from_nothing_or_from_the_initial_state() -> None:
    nothing, given = (network(SimpleRNN(2, initial_state=start)) for start in (False, True))
    assert [str(item.carries[0].init) for n in (nothing, given) for item in n.program.equations[:1]] == ["0", "h_init"]
    assert [str(symbol) for symbol in given.program.inputs] == ["U", "V", "b_h", "h_init"]
    assert (str(nothing.states[0].initial), given.states[0].initial) == ("0", given.program.inputs[-1])


# weights and logits -------------------------------------------------------------------------------


def test_weights() -> None:
    rows = network(SimpleRNN(2, **sequence), Dropout(0.5), SimpleRNN(3, use_bias=False), Dense(1), features=4).weights
    assert [(str(row.symbol), row.layer, row.keras, row.shape) for row in rows] == [
        ("U1", 1, "kernel", (4, 2)), ("V1", 1, "recurrent_kernel", (2, 2)), ("b1_h", 1, "bias", (2,)),
        ("U2", 3, "kernel", (2, 3)), ("V2", 3, "recurrent_kernel", (3, 3)),
        ("W", 4, "kernel", (3, 1)), ("b_o", 4, "bias", (1,)),
    ]  # fmt: skip


RNN_1 = SimpleRNN(1, **sequence)
LOGITS = [
    ((RNN_1, Dense(2)), "None"),
    ((RNN_1, Dense(2, "softmax")), "a_y_t"),
    ((RNN_1, Dense(2, "sigmoid")), "a_y_t"),
    ((RNN_1, Dense(2, "tanh")), "None"),
    ((SimpleRNN(2, "softmax"),), "None"),
    ((RNN_1, TimeDistributed(Dense(2, "softmax"))), "None"),
    ((RNN_1, TimeDistributed(Dense(2)), Activation("softmax")), "y1_t"),
    ((RNN_1, Dense(2), Activation("softmax")), "a_y_t"),
    ((RNN_1, Activation("sigmoid")), "h_t"),
    ((RNN_1, Dense(2, "softmax"), Dropout(0.5)), "a_y_t"),
    ((RNN_1, Dense(2), Dense(2, "softmax"), Activation(None)), "a2_y_t"),
    ((RNN_1, Dense(2), Dense(2, "sigmoid"), Activation("softmax")), "y2_t"),
    ((RNN_1, Dense(2, "softmax"), Dense(1)), "None"),
    ((Activation("softmax"), SimpleRNN(1)), "None"),
]


@pytest.mark.parametrize(("layers", "logits"), LOGITS)
def test_logits(layers: tuple[Layer, ...], logits: str) -> None:
    assert str(network(*layers, features=2).logits) == logits


# what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "layer", "columns"),
    [
        ((SimpleRNN(2), SimpleRNN(1)), "layer 2 (SimpleRNN)", 2),
        ((SimpleRNN(2), Dropout(0.5), Dense(3), SimpleRNN(1)), "layer 4 (SimpleRNN)", 3),
        ((SimpleRNN(2), TimeDistributed(Dense(1))), "layer 2 (TimeDistributed)", 2),
        ((SimpleRNN(2), TimeDistributed(Dense(1)), Activation("tanh")), "layer 2 (TimeDistributed)", 2),
    ],
)
def test_refuses_a_layer_that_gets_no_sequence(layers: tuple[Layer, ...], layer: str, columns: int) -> None:
    message = (
        f"{layer}: expected a sequence (samples, timesteps, features), but got the shape (samples, {columns}); "
        "a recurrent layer before it needs return_sequences=True"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        network(*layers)


# Keras --------------------------------------------------------------------------------------------


def keras_layer(layer: Layer) -> Callable[..., object]:
    """The layer in Keras."""
    from keras import layers

    if isinstance(layer, TimeDistributed):
        return layers.TimeDistributed(keras_layer(layer.layer), dtype="float64")
    arguments = {key: value for key, value in vars(layer).items() if key not in ("name", "initial_state")}
    return getattr(layers, type(layer).__name__)(**arguments, dtype="float64")


@over(SIMPLE)
@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_keras_predicts_the_same(case: Case) -> None:
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(case.rows, *case.model.input_shape))
    arrays, states, y = [], [], keras.ops.convert_to_tensor(x)
    for layer in case.model.layers:
        made = keras_layer(layer)
        made(y)
        weights = [rng.normal(size=weight.shape) for weight in made.weights]
        made.set_weights(weights)
        starts = [rng.normal(size=(case.rows, layer.units))] if getattr(layer, "initial_state", False) else []
        arrays += weights
        states += starts
        y = made(y, **({"initial_state": keras.ops.convert_to_tensor(starts[0])} if starts else {}))
    theirs = np.moveaxis(y.numpy(), -2, 0) if len(y.shape) == 3 else y.numpy()
    np.testing.assert_allclose(
        evaluate(case.program, case, *arrays, *states, x.swapaxes(0, 1)), theirs.ravel(), rtol=1e-11
    )


@pytest.fixture
def float64() -> Iterator[None]:
    """Keras computes in double precision."""
    keras = pytest.importorskip("keras")
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


IN_KERAS = {n: case for n, case in (LAYERS | GRAPHS).items() if "with initial state" not in n and "of its own" not in n}


@over(IN_KERAS)
@pytest.mark.usefixtures("float64")
def test_keras_predicts_the_same_for_a_model(case: Case) -> None:
    d = case.derivation
    x, weights = drawn(d, 3)
    live = build(case.model, weights=weights, batch_size=3)
    states = live.layers[0].states if d.network.finals else []
    for state, value in zip(states, x[1:], strict=False):
        state.assign(value)
    theirs = [*parts(live(x[0] if states else x)), *states]
    for ours, expected in zip(parts(d.lambdify()(x, weights)), theirs, strict=True):
        assert ours == pytest.approx(expected.numpy(), rel=1e-12, abs=1e-14)


def test_outputs() -> None:
    many, one = network(RNN_1, Dense(3)), network(SimpleRNN(2))
    assert (str(many.output), many.outputs, many.sequence) == ("y_t", 3, True)
    assert (str(one.output), one.outputs, one.sequence) == ("y", 2, False)
