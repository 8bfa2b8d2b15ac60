"""How many lengths the inputs of a model have, and which results are sequences of which."""

from collections.abc import Callable

import pytest

from symrnn.models.forward_pass import forward
from symrnn.models.graph import Model, Result, graph_of
from symrnn.models.layers import Concatenate, Dense, Embedding, Input, SimpleRNN
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


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: separate(None, None), {"T": None, "T_2": None}),
        (lambda: separate(3, None), {"T": 3, "T_2": None}),
        (lambda: separate(3, 2), {"T": 3, "T_2": 2}),
        (lambda: separate(3, 3), {"T": 3}),
        (merged, {"T": None}),
        (decoder, {"T": None, "T_2": None}),
        (three, {"T": None, "T_2": 2, "T_3": None}),
    ],
)
def test_lengths(make: Callable[[], Model], expected: dict[str, int | None]) -> None:
    network = forward(make())
    assert {str(steps): number for steps, number in network.timesteps.items()} == expected
    assert [str(source.steps) for source in network.sources][: len(expected)] == list(expected)


def test_lengths_of_results() -> None:
    found = lengths_of(graph_of(decoder()))
    assert found == {
        Result(0): "T", Result(1): "T_2", Result(2, 0): None, Result(2, 1): None, Result(3): "T_2",
    }  # fmt: skip


def test_ids_and_rows_are_told_apart_by_their_reader() -> None:
    ids, rows = Input((4,)), Input((4,))
    found = lengths_of(graph_of(Model([ids, rows], [Embedding(3, 1)(ids), Dense(1)(rows)])))
    assert list(found.values()) == ["T", None, "T", None]
