"""The network drawn: rolled up where it has states, and unrolled."""

from symrnn.common.limits import DRAWN
from symrnn.diagrams.picture import picture_of
from symrnn.documents.blocks import Block, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.figures import figure
from symrnn.documents.inline import prose


def blocks(example: Example) -> tuple[Block, ...]:
    """The network rolled and unrolled, unless it has too many layers."""
    network = example.derivation.network
    if example.parts > DRAWN:
        return (Paragraph(prose(f"The network is not drawn: it has {example.parts} layers and cells.")),)
    rolled = [figure(picture_of(network, rolled=True))] if network.states else []
    return (*rolled, figure(picture_of(network)))
