"""The network drawn: rolled up where it has states, and unrolled."""

from symrnn.diagrams.picture import picture_of
from symrnn.documents.blocks import Block
from symrnn.documents.example import Example
from symrnn.documents.figures import figure


def blocks(example: Example) -> tuple[Block, ...]:
    """The network rolled and unrolled."""
    network = example.derivation.network
    rolled = [figure(picture_of(network, rolled=True))] if network.states else []
    return (*rolled, figure(picture_of(network)))
