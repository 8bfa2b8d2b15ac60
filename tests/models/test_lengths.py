"""How many lengths the inputs of a model have, and which results are sequences of which."""

from collections.abc import Callable

import pytest

from symrnn.interface import derive
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model, Result, graph_of
from symrnn.models.layers.core import Dense, Embedding, Input
from symrnn.models.layers.merging import Add, Concatenate
from symrnn.models.layers.reshaping import RepeatVector
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.models.lengths import lengths_of


def separate(first: int | None, second: int | None) -> Model:
    inputs = Input((first, 1)), Input((second, 1))
    return Model(inputs, Concatenate()([SimpleRNN(1)(x) for x in inputs]))


def merged() -> Model:
    inputs = Input((None, 1)), Input((None, 1))
    return Model(inputs, SimpleRNN(1)(Concatenate()(inputs)))


def decoder() -> Model:
    x, start = Input((None, 1)), Input((None, 1))
    _, h = SimpleRNN(1, return_state=True)(x)
    return Model([x, start], SimpleRNN(1, return_sequences=True)(start, initial_state=h))


def three() -> Model:
    inputs = [Input((number, 1)) for number in (None, 2, None)]
    return Model(inputs, Concatenate()([SimpleRNN(1)(x) for x in inputs]))


def repeated(timesteps: int | None, n: int) -> Model:
    x = Input((timesteps, 1))
    return Model(x, SimpleRNN(1)(RepeatVector(n)(SimpleRNN(1)(x))))


def added(timesteps: int | None, n: int) -> Model:
    x, row = Input((timesteps, 1)), Input((1,))
    return Model([x, row], SimpleRNN(1)(Add()([x, RepeatVector(n)(row)])))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: separate(None, None), {"T": None, "T_2": None}),
        (lambda: separate(3, None), {"T": 3, "T_2": None}),
        (lambda: separate(3, 2), {"T": 3, "T_2": 2}),
        (lambda: separate(3, 3), {"T": 3}),
        (merged, {"T": None}),
        (decoder, {"T": None, "T_2": None}),
        (lambda: repeated(None, 4), {"T": None, "T_2": 4}),
        (lambda: repeated(4, 4), {"T": 4}),
        (lambda: added(None, 4), {"T": 4}),
        (three, {"T": None, "T_2": 2, "T_3": None}),
    ],
)
def test_lengths(make: Callable[[], Model], expected: dict[str, int | None]) -> None:
    network = forward(make())
    assert {str(steps): number for steps, number in network.timesteps.items()} == expected
    read = {str(source.steps) for source in network.sources if source.steps is not None}
    assert read == expected.keys() - network.own_lengths.keys()


def _names(model: Model) -> dict[Result, str | None]:
    lengths = lengths_of(graph_of(model))
    return {result: None if length is None else str(length.steps) for result, length in lengths.items()}


def test_lengths_of_results() -> None:
    assert _names(decoder()) == {
        Result(0): "T", Result(1): "T_2", Result(2, 0): None, Result(2, 1): None, Result(3): "T_2",
    }  # fmt: skip


def test_ids_and_rows_are_told_apart_by_their_reader() -> None:
    ids, rows = Input((4,)), Input((4,))
    found = _names(Model([ids, rows], [Embedding(3, 1)(ids), Dense(1)(rows)]))
    assert list(found.values()) == ["T", None, "T", None]


@pytest.mark.parametrize("timesteps", [3, 5])
def test_sequences_of_two_lengths_are_not_merged(timesteps: int) -> None:
    with pytest.raises(
        ValueError, match=rf"^layer 2 \(Add\): expected sequences of one length, got {timesteps} and 4 time steps$"
    ):
        forward(added(timesteps, 4))


def test_a_sequence_is_not_repeated() -> None:
    expected = r"layer 1 \(RepeatVector\): expected rows \(samples, features\), got a sequence; a layer before it .*"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        derive(Sequential([RepeatVector(2)], (3, 1)))


def test_a_length_that_starts_within_the_model_is_a_number_in_its_code() -> None:
    d = derive(repeated(None, 4))
    f = d.gradient("mse").lambdify()
    assert d.network.own_lengths == {"T_2": 4}
    assert "T_2 = 4" in f.source
    assert "T_2 = 4" in f.row_source
    assert "T_2" not in derive(repeated(4, 4)).lambdify().source
