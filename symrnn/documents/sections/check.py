"""The comparison with Keras as a table of a document."""

import re
from collections.abc import Sequence

from symrnn.checking.report import AGREES, DIFFERS, UNDECIDABLE, Comparison, Report, value_in
from symrnn.documents.blocks import Block, Cell, Paragraph, Table
from symrnn.documents.example import Example
from symrnn.documents.inline import Math, Prose, order_latex, prose


def blocks(example: Example) -> tuple[Block, ...]:
    """The comparison with Keras, in each dtype, and what it says."""
    if example.reports is None:
        return ()
    if not example.is_numbered:
        return (Paragraph(prose("The check is left out: ", example.left_out)),)
    found = example.reports()
    if isinstance(found, str):
        return (Paragraph((f"Keras cannot build this model: {found}.",)),)
    first = found[0]
    head = ["quantity", "symrnn", f"Keras, {first.dtype}", "difference", "allowed"]
    head += [name for report in found[1:] for name in (f"in {report.dtype}", "allowed")]
    table: list[tuple[Cell, ...]] = [
        (
            (Math(_quantity(row.quantity)),),
            f"{row.ours:.12g}",
            value_in(row.theirs, first.dtype),
            *(text for report in found for text in _differences(report.rows[i])),
            _worst([report.rows[i].verdict for report in found]),
        )
        for i, row in enumerate(first.rows)
    ]
    right = tuple(range(1, len(head)))
    said = prose(*(_with_formulas(f"{report.dtype}: {report.conclusion} ", report) for report in found))
    size = order_latex(example.derivation.count("scalar"))
    alone = f"A second type is left out: the entries of all equations have {size} symbols."
    one = [] if example.is_checked_twice else [Paragraph(prose(alone))]
    return (
        Table((*head, "verdict"), tuple(table), right),
        Paragraph((_compared(first),)),
        Paragraph(said),
        *one,
    )


def _compared(report: Report) -> str:
    objective = report.objective or "the sum of the outputs"
    return (
        f"{report.versions}, training=False, gradients of {objective} by GradientTape. A difference is that of the "
        f"entry which differs most, relative to the largest; allowed is what rounding explains."
    )


def _with_formulas(text: str, report: Report) -> Prose:
    """A sentence with the quantities in it as formulas."""
    names = sorted({row.quantity for row in report.rows}, key=len, reverse=True)
    parts = re.split(r"(?<=[ ])(" + "|".join(map(re.escape, names)) + r")(?=[ ,.;:])", text)
    return tuple(Math(_quantity(part)) if part in names else part for part in parts if part)


def _differences(row: Comparison) -> tuple[str, str]:
    return f"{row.difference:.1e}", f"{row.allowed:.1e}"


def _worst(verdicts: Sequence[str]) -> str:
    return next(verdict for verdict in (DIFFERS, UNDECIDABLE, AGREES) if verdict in verdicts)


_SIGNS = {"∂": r"\partial ", "→": r"\rightarrow ", "←": r"\leftarrow ", "/": " / "}


def _quantity(name: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in name)
