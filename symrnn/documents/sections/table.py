"""The sections of a document, in a reader's order, each a function of its example."""

from collections.abc import Callable, Mapping

from symrnn.documents.blocks import Block, Section
from symrnn.documents.example import Example
from symrnn.documents.sections import (
    backward,
    check,
    closed,
    forward,
    general,
    gradients,
    letters,
    mistakes,
    model,
    picture,
    worked,
)

SECTIONS: Mapping[str, tuple[str, Callable[[Example], tuple[Block, ...]]]] = {
    "model": ("The model", model.blocks),
    "picture": ("The network, rolled and unrolled", picture.blocks),
    "forward": ("Forward equations", forward.blocks),
    "closed": ("Closed form", closed.blocks),
    "worked": ("Worked example", worked.blocks),
    "backward": ("Backpropagation through time", backward.blocks),
    "gradients": ("The gradients, with their numbers", gradients.blocks),
    "slips": ("Common slips", mistakes.blocks),
    "check": ("Check against Keras", check.blocks),
    "general": ("Any number of units and steps", general.blocks),
    "letters": ("The letters in other texts", letters.blocks),
}
"""Title and blocks of each section by its name, in the order of a document."""


def section(name: str, example: Example) -> Section | None:
    """The section of this name; None where the model has nothing to say in it."""
    title, make = SECTIONS[name]
    blocks = make(example)
    return Section(name, title, blocks) if blocks else None
