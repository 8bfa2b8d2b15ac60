"""The sections of a document, in a reader's order, each a function of its subject."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symrnn.diagrams.picture import picture
from symrnn.documents.blocks import Block, Cell, Formulas, Paragraph, Section, Table
from symrnn.documents.example import Example
from symrnn.documents.figures import figure
from symrnn.documents.inline import Math, Prose, prose
from symrnn.documents.sections.backward import rules_used, steps
from symrnn.documents.sections.backward_mistakes import slips
from symrnn.documents.sections.backward_reasons import rule_table
from symrnn.documents.sections.check import check_blocks
from symrnn.documents.sections.forward_mistakes import misreadings
from symrnn.documents.sections.general import general_blocks
from symrnn.documents.sections.gradients import gradients_blocks
from symrnn.documents.sections.letters import letters_blocks
from symrnn.documents.sections.model import model_table
from symrnn.documents.sections.worked import forward_blocks, labels, worked_blocks
from symrnn.expressions.names import Name
from symrnn.models.layers import cells_of
from symrnn.programs.closed_form import NESTING, OPERATIONS, count, size
from symrnn.programs.transforms import name_of
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import Row, rows
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM, written
from symrnn.typesetting.widths import points

_CLOSED_ROWS, _MOST_STEPS, _OPERATIONS, _ENTRIES_COUNTED = 3, 24, 300, 2000


# model and picture ------------------------------------------------------------------------------


def _model(example: Example) -> tuple[Block, ...]:
    weights = example.weights if example.scalar else None
    return (model_table(example.derivation.network, weights),)


def _picture(example: Example) -> tuple[Block, ...]:
    network = example.derivation.network
    rolled = [figure(picture(network, rolled=True))] if network.states else []
    return (*rolled, figure(picture(network)))


# closed form ------------------------------------------------------------------------------------


def _closed(example: Example) -> tuple[Block, ...]:
    """The closed form up to three lines; beyond, how large it is."""
    derivation = example.derivation
    if derivation.is_open:
        return ()
    if _is_large(example):
        many = f"With everything put in, an output has more than {_count(OPERATIONS)} operations: "
        return (Paragraph(prose(many, _UNREAD)),)
    operations, nesting = size(derivation.program("scalar"))
    if operations <= _OPERATIONS and nesting <= NESTING:
        lines = lines_of(derivation.display("closed"), LATEX)
        if all(points("".join(map("".join, line.terms))) <= _CLOSED_ROWS * ROOM for line in lines) and len(lines) <= 3:
            return (Paragraph(_OF_CLOSED), Formulas(_tagged(rows(lines, ROOM), "C")))
    text = f"With everything put in, an output has {_count(operations)} operations, nested {nesting} deep: "
    return (Paragraph(prose(text, _UNREAD)),)


def _tagged(found: Sequence[Row], tag: str) -> tuple[Row, ...]:
    """The rows with a label, where it is one formula."""
    single = sum(not row.continues for row in found) == 1
    return (replace(found[0], tag=tag if single else ""), *found[1:])


def _count(number: int) -> str:
    """The number, a large one as a power of ten."""
    return re.sub(r"10\^(\d+)", r"$10^{\1}$", count(number))


def _is_large(example: Example) -> bool:
    """Whether even to count the operations would take long: every entry of every time step is one."""
    network = example.derivation.network
    entries = sum(int(np.prod(array.shape)) for array in network.arrays)
    return entries * max(filter(None, network.timesteps.values()), default=1) > _ENTRIES_COUNTED


_UNREAD = prose(
    "a formula that nobody reads. The forward equations say the same, in the order in which it is computed."
)
_OF_CLOSED = prose("Each equation put into the next one, with the state before the first step zero:")


# the way back -----------------------------------------------------------------------------------


def _backward(example: Example) -> tuple[Block, ...]:
    """Backpropagation step by step, with the rules by which it goes."""
    gradient, s = example.gradient, example.gradient.objective
    if not gradient.network.arrays:
        return ()
    zoom, found = "unrolled", []
    if example.few:
        found = steps(gradient, zoom, example.numbers, labels(example.forward))
    if not example.few or len(found) > _MOST_STEPS:
        zoom, found = "step", steps(gradient, "step")
    what = {"y": "$y$", "L": "the loss $L$", "s": "$s$, the sum of all outputs"}[s]
    intro = prose(
        f"A bar marks the *adjoint* of a quantity, the derivative of {what} by it, and has the shape of the quantity; "
        r"that of a sum $a_t$ is called $\delta_t$:"
    )
    partial = rf"\frac{{\partial {s}}}{{\partial {{}}}}"
    definitions = Row(
        (
            r"\bar z",
            "= " + partial.replace("{}", "z"),
            r"\bar h_t",
            "= " + partial.replace("{}", "h_t"),
            r"\delta_t",
            r"= \bar a_t = " + partial.replace("{}", "a_t"),
        )
    )
    order = prose("The way back goes through the forward equations from the last to the first, by these rules.")
    adjoints = {name: float(v.reshape(())) for name, v in example.values.items() if v.size == 1}
    few = example.few and example.scalar
    drawn = picture(gradient.network, backward=True, numbers=adjoints if few else None)
    table = rule_table(rules_used(gradient, zoom), example.scalar)
    return (Paragraph(intro), Formulas((definitions,)), Paragraph(order), table, figure(drawn), *found)


# slips and letters ------------------------------------------------------------------------------


def _slips(example: Example) -> tuple[Block, ...]:
    """The common slips, each with the gradients that it would give."""
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


def _letters(example: Example) -> tuple[Block, ...]:
    return letters_blocks([type(cell) for cell in cells_of(example.derivation.network.graph.layers)])


SECTIONS: Mapping[str, tuple[str, Callable[[Example], tuple[Block, ...]]]] = {
    "model": ("The model", _model),
    "picture": ("The network, rolled and unrolled", _picture),
    "forward": ("Forward equations", forward_blocks),
    "closed": ("Closed form", _closed),
    "worked": ("Worked example", worked_blocks),
    "backward": ("Backpropagation through time", _backward),
    "gradients": ("The gradients, with their numbers", gradients_blocks),
    "slips": ("Common slips", _slips),
    "check": ("Check against Keras", check_blocks),
    "general": ("Any number of units and steps", general_blocks),
    "letters": ("The letters in other texts", _letters),
}
"""Title and blocks of each section by its name, in the order of a document."""


def section(name: str, example: Example) -> Section | None:
    """The section of this name; None where the model has nothing to say in it."""
    title, make = SECTIONS[name]
    blocks = make(example)
    return Section(name, title, blocks) if blocks else None
