"""Pictures of small models, and what the tests of their parts read off them."""

from functools import cache

import symrnn
from symrnn import LSTM, Dense, Embedding, Input, Model, Sequential, SimpleRNN
from symrnn.diagrams.drawing import Drawing
from symrnn.diagrams.labels import text
from symrnn.diagrams.picture import Picture, picture_of
from symrnn.models.forward_pass import forward
from symrnn.models.lecture import NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.models.network import Network
from tests.support.bank import SAMPLE, SIMPLE

EVERY = {"return_sequences": True}
KINDS = {name: case for name, case in SAMPLE.items() if name not in SIMPLE}
"""A model of each kind, but not of each activation."""


def network(*layers, T=3, features=1) -> Network:
    """The network of layers one after the other."""
    shape = (T,) if isinstance(layers[0], Embedding) else (T, features)
    return forward(Sequential(layers, shape))


def drawn(*layers, T=3, features=1, **options) -> Picture:
    """The picture of layers one after the other."""
    return picture_of(network(*layers, T=T, features=features), **options)


def encoder_decoder(first, second) -> Network:
    x, start = Input((first, 1)), Input((second, 1))
    _, *states = LSTM(1, return_state=True)(x)
    return forward(Model([x, start], Dense(1)(LSTM(1, **EVERY)(start, initial_state=states))))


@cache
def notebook() -> Picture:
    return drawn(SimpleRNN(1), Dense(1))


@cache
def way_back() -> Picture:
    """The way back of the notebook's model, with its numbers."""
    gradient = symrnn.derive().gradient(wrt=["h", "U", "W"])
    values = gradient.values(NOTEBOOK_X, list(NOTEBOOK_WEIGHTS))
    numbers = {name: float(value.ravel()[0]) for name, value in values.items()}
    return drawn(SimpleRNN(1), Dense(1), backward=True, numbers=numbers)


def names(drawing: Drawing, *kinds: str) -> list[str]:
    return [node.name for node in drawing.nodes if node.kind in kinds or not kinds]


def labels(drawing: Drawing) -> dict[tuple[str, str], list[str]]:
    """What stands at the arrows, by their ends."""
    return {(a.start, a.end): [text(line) for label in a.labels for line in label.lines] for a in drawing.arrows}
