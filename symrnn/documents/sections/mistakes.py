"""Common slips, in the forward pass and on the way back, each with the number that it would give."""

import numpy as np

from symrnn.documents.blocks import Block, Cell, Paragraph, Table
from symrnn.documents.example import Example
from symrnn.documents.inline import Math, Prose, prose
from symrnn.documents.sections.backward_mistakes import slips
from symrnn.documents.sections.forward_mistakes import misreadings
from symrnn.expressions.names import Name
from symrnn.programs.transforms import name_of
from symrnn.typesetting.substitution import written


def blocks(example: Example) -> tuple[Block, ...]:
    """Common slips, in the forward pass and on the way back, and the numbers that they would give."""
    if not example.is_numbered:
        return (Paragraph(prose("The numbers of slips are left out: ", example.left_out)),)
    found = slips(example.gradient, example.arguments)
    arrays = example.gradient.network.arrays
    s = example.gradient.objective
    moved = [
        i
        for i in range(len(arrays))
        if any(not np.array_equal(one.gradients[i], found[0].gradients[i]) for one in found)
    ]
    places = moved[:3]
    forward = _forward_slips(example)
    if not places:
        return forward
    names = [_entry_of(arrays[i].name, arrays[i].shape, s) for i in places]
    head: tuple[Cell, ...] = ("what a slip would give", *((Math(name),) for name in names))
    table = [(one.label, *(_number(float(one.gradients[i].reshape(-1)[0])) for i in places)) for one in found]
    right = tuple(range(1, len(head)))
    return (*forward, Paragraph(_OF_SLIPS), Table(head, tuple(table), right))


def _forward_slips(example: Example) -> tuple[Block, ...]:
    """What misread conventions would give for the first entry of the output."""
    if example.derivation.network.heads[0].sequence and example.derivation.is_open:
        return ()
    found = misreadings(example)
    if len(found) == 1:
        return ()
    head = example.derivation.network.heads[0]
    letter = name_of(example.derivation.network.program.names, head.symbol)
    letter = letter.at(0) if head.sequence else letter
    name = letter if head.width == 1 else letter.part(0)
    table = tuple((one.label, _number(one.value)) for one in found)
    return (Paragraph(_OF_FORWARD), Table(("what a slip would give", (Math(name.latex),)), table, (1,)))


_OF_FORWARD = prose("Slips in the forward pass, and the output that each would give:")
_OF_SLIPS = prose(
    "Slips on the way back: each row is the same sweep with one rule swapped. Whoever has another number finds it here."
)


def _entry_of(name: Name, shape: tuple[int, ...], s: str) -> str:
    """The derivative by the first entry of a weight."""
    part = name if all(size == 1 for size in shape) else name.part(*([0] * len(shape)))
    return rf"\partial {s} / \partial {part.latex}"


def _number(value: float) -> Prose:
    return (Math(written(value)),)
