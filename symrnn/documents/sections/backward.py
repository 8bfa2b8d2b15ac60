"""Backpropagation through time: what a bar means, the rules, the way back drawn, and its steps."""

from symrnn.common.limits import DRAWN
from symrnn.diagrams.picture import picture_of
from symrnn.documents.blocks import Block, Formulas, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.figures import figure
from symrnn.documents.inline import prose
from symrnn.documents.sections.backward_reasons import rule_table
from symrnn.documents.sections.backward_steps import rules_used, steps
from symrnn.documents.sections.forward import labels
from symrnn.typesetting.layout import DisplayRow

_MOST_STEPS = 24
"""Above so many steps of the derivation they are those of a general t."""


def blocks(example: Example) -> tuple[Block, ...]:
    """The way back in numbered steps, each with its rules and, once for each kind, its reason."""
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
    definitions = DisplayRow(
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
    adjoints = None
    if example.few and example.scalar:
        adjoints = {name: float(v.reshape(())) for name, v in example.values.items() if v.size == 1}
    drawn: Block = Paragraph(prose(f"The way back is not drawn: there are {example.parts} layers and cells."))
    if example.parts <= DRAWN:
        drawn = figure(picture_of(gradient.network, backward=True, numbers=adjoints))
    table = rule_table(rules_used(gradient, zoom), example.scalar)
    return (Paragraph(intro), Formulas((definitions,)), Paragraph(order), table, drawn, *found)
