"""The closed form: every equation put into the next one."""

from collections.abc import Sequence
from dataclasses import replace

from symrnn.common.limits import COMPOSED, NESTING
from symrnn.documents.blocks import Block, Formulas, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.inline import order_latex, prose
from symrnn.programs.closed_form import least_size, size
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import DisplayRow, rows
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import PAGE, ROOM
from symrnn.typesetting.widths import points

_CLOSED_ROWS, _OPERATIONS, _COUNTED = 3, 300, 5000
"""Lines and operations of a form that is shown; symbols up to which the operations are counted one by one."""


def blocks(example: Example) -> tuple[Block, ...]:
    """The closed form where it is small: up to three lines; beyond, how large it is."""
    derivation = example.derivation
    if derivation.is_open:
        return ()
    symbols = derivation.count("unrolled")
    if symbols > COMPOSED:
        left_out = f"The equations of all time steps have up to {symbols} symbols, too many to be put into each other: "
        return (Paragraph(prose(left_out, _UNREAD)),)
    if derivation.count("scalar") > _COUNTED:
        operations, nesting = least_size(derivation.program("unrolled", "N"))
        many = f"With everything put in, an output has {order_latex(operations)} operations or more: "
        return (Paragraph(prose(many, _UNREAD)),)
    operations, nesting = size(derivation.program("scalar"))
    if operations <= _OPERATIONS and nesting <= NESTING:
        lines = lines_of(derivation.display("closed"), LATEX)
        if all(points("".join(map("".join, line.terms))) <= _CLOSED_ROWS * ROOM for line in lines) and len(lines) <= 3:
            found = rows(lines, ROOM)
            if all(points("".join(row.cells)) <= PAGE for row in found):  # what is in parentheses is not broken
                return (Paragraph(_OF_CLOSED), Formulas(_tagged(found, "C")))
    text = f"With everything put in, an output has {order_latex(operations)} operations, nested {nesting} deep: "
    return (Paragraph(prose(text, _UNREAD)),)


def _tagged(found: Sequence[DisplayRow], tag: str) -> tuple[DisplayRow, ...]:
    """The rows with a label, where it is one formula."""
    single = sum(not row.continues for row in found) == 1
    return (replace(found[0], tag=tag if single else ""), *found[1:])


_UNREAD = prose(
    "a formula that nobody reads. The forward equations say the same, in the order in which it is computed."
)
_OF_CLOSED = prose("Each equation put into the next one, with the state before the first step zero:")
