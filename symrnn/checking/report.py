"""What a check found: rows of numbers, a verdict each, and the table that is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from symrnn.common.decimals import as_float32
from symrnn.common.display import Displayed

AGREES, DIFFERS, UNDECIDABLE = "agrees", "differs", "undecidable"
LIMIT = 0.01
"""Where rounding may move a value by more than this part of it, a comparison decides nothing."""


@dataclass(frozen=True)
class Comparison:
    """One quantity: both values at the entry `place` where they differ most.

    `difference` and `allowed` are relative to the quantity's largest entry.
    """

    quantity: str
    shape: tuple[int, ...]
    place: tuple[int, ...]
    ours: float
    theirs: float
    difference: float
    allowed: float
    verdict: str


@dataclass(frozen=True)
class Report(Displayed):
    """What `check` found; `ok` says that every row agrees, `str()` is a table.

    Everything is of inference, `training=False`. `lengths` has the number of time steps of each
    length: T, and T_2, ... where inputs differ. `regularizers` are the terms of Keras' loss in
    training that neither side of the comparison has.
    """

    rows: tuple[Comparison, ...]
    dtype: str
    loss: str | None
    samples: int
    lengths: Mapping[str, int]
    versions: str
    regularizers: tuple[str, ...] = ()

    @property
    def timesteps(self) -> int:
        """The largest number of time steps, 1 where there are none."""
        return max(self.lengths.values(), default=1)

    @property
    def objective(self) -> str | None:
        """The loss in words, with what it leaves out; None where the sum of the outputs is differentiated."""
        left_out = f", without {', '.join(self.regularizers)}" if self.regularizers else ""
        return self.loss and f"the loss {self.loss}{left_out}"

    @property
    def ok(self) -> bool:
        """Whether every quantity agrees."""
        return self.verdict == AGREES

    @property
    def verdict(self) -> str:
        """The verdict "differs" if any row has it, else "undecidable" if any has, else "agrees"."""
        found = {row.verdict for row in self.rows}
        return next(verdict for verdict in (DIFFERS, UNDECIDABLE, AGREES) if verdict in found)

    def to_dict(self) -> dict[str, Any]:
        """The report as numbers, strings and lists, for JSON."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows], "ok": self.ok, "verdict": self.verdict}

    @property
    def table(self) -> list[Sequence[str]]:
        """The head and the rows, as texts."""
        head = ("quantity", "shape", "place", "symrnn", f"Keras, {self.dtype}", "difference", "allowed", "verdict")
        return [head, *(_cells(row, self.dtype) for row in self.rows)]

    def __str__(self) -> str:
        """The table, and what it says in words."""
        table = self.table
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table]
        return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", self.conditions, self.conclusion])

    @property
    def conditions(self) -> str:
        """With what was computed, and what the columns say."""
        return _conditions(self)

    @property
    def conclusion(self) -> str:
        """What the table says, in one sentence."""
        return _conclusion(self)


def value_in(value: float, dtype: str) -> str:
    """A value that Keras gave, as the shortest decimal that reads back in its dtype."""
    return as_float32(value) if dtype == "float32" else repr(value)


def _cells(row: Comparison, dtype: str) -> Sequence[str]:
    ours = f"{row.ours:.12g}" if dtype == "float32" else repr(row.ours)
    theirs = value_in(row.theirs, dtype)
    shape, place = (str(value).replace(" ", "") if value else "" for value in (row.shape, row.place))
    return (row.quantity, shape, place, ours, theirs, f"{row.difference:.1e}", f"{row.allowed:.1e}", row.verdict)


def _conditions(report: Report) -> str:
    objective = report.objective or "the sum of y"
    return (
        f"{report.versions}, {report.dtype}, training=False; samples: {report.samples}{_steps(report.lengths)}; "
        f"gradients of {objective}.\n"
        "place: the entry where they differ most; differences are relative to the largest entry."
    )


def _steps(lengths: Mapping[str, int]) -> str:
    """The numbers of time steps, each with its name where there are several."""
    named = [f"{name} = {steps}" if len(lengths) > 1 else str(steps) for name, steps in lengths.items()]
    return f", time steps: {', '.join(named)}" if named else ""


def _conclusion(report: Report) -> str:
    worst = max(report.rows, key=lambda row: row.difference / row.allowed)
    if report.verdict == DIFFERS:
        count = sum(row.verdict == DIFFERS for row in report.rows)
        return (
            f"{count} of {len(report.rows)} quantities differ, {worst.quantity} most: by {worst.difference:.1e}, "
            f"where rounding explains {worst.allowed:.1e}."
        )
    if report.verdict == UNDECIDABLE:
        names = ", ".join(row.quantity for row in report.rows if row.verdict == UNDECIDABLE)
        return f"Undecidable in {report.dtype}: rounding alone may move {names} by more than {LIMIT:.0%}."
    largest = max(report.rows, key=lambda row: row.difference)
    return (
        f"All agree. The largest difference, {largest.difference:.1e} in {largest.quantity}, "
        f"is rounding in {report.dtype}, which may reach {largest.allowed:.1e} there."
    )
