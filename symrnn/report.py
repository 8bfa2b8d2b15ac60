"""What a check found: rows of numbers, a verdict each, and the table that is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

AGREES, DIFFERS, UNDECIDABLE = "agrees", "differs", "undecidable"
LIMIT = 0.01
"""Where rounding may move a value by more than this part of it, a comparison decides nothing."""


@dataclass(frozen=True)
class Row:
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
class Report:
    """What `check` found; `ok` says that every row agrees, `str()` is a table.

    Everything is of inference, `training=False`. `lengths` has the number of time steps of each
    length: T, and T_2, ... where inputs differ.
    """

    rows: tuple[Row, ...]
    dtype: str
    loss: str | None
    samples: int
    lengths: Mapping[str, int]
    versions: str

    @property
    def timesteps(self) -> int:
        """The largest number of time steps, 1 where there are none."""
        return max(self.lengths.values(), default=1)

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

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symrnn import rich  # here: a report needs no format
        from symrnn.document import Paragraph, Table

        head, *rows = [tuple(cells) for cells in _table(self)]
        blocks = (Table(head, tuple(rows), (3, 4, 5, 6)), Paragraph((self.conditions.replace("\n", " "),)))
        return {**rich.bundle((*blocks, Paragraph((self.conclusion,)))), "text/plain": str(self)}

    def __str__(self) -> str:
        """The table, and what it says in words."""
        table = _table(self)
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


def row(quantity: str, ours: np.ndarray, own: np.ndarray, theirs: np.ndarray, spread: float, floor: float) -> Row:
    """The comparison of two arrays of one shape: `ours` in a wider type, `own` in theirs.

    `spread` is how far rounding moves our value, in absolute terms; `floor` is what is allowed in
    any case, relative to the largest entry. Infinity and NaN agree with themselves only, and are
    those of `own`: a wider type overflows later. What is equal to our value, in the wider type or
    rounded, agrees, however much rounding may move it.
    """
    ours = np.where(np.isfinite(own), ours, own)
    distance = _distance(ours, theirs)
    largest = _largest(ours) or 1.0
    place = np.unravel_index(int(np.argmax(distance)), distance.shape) if distance.ndim else ()
    difference, allowed = float(distance[place]) / largest, floor + spread / largest
    verdict = DIFFERS if difference > allowed else UNDECIDABLE if allowed > LIMIT else AGREES
    if verdict == UNDECIDABLE and any(float(np.max(_distance(o, theirs))) <= floor * _largest(o) for o in (ours, own)):
        verdict = AGREES
    here = tuple(map(int, place))
    return Row(quantity, ours.shape, here, float(ours[place]), float(theirs[place]), difference, allowed, verdict)


def _largest(values: np.ndarray) -> float:
    """The largest absolute value among the finite entries."""
    return float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The difference of each entry; infinite where one is not a finite number and the other is not the same."""
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    finite = np.isfinite(one) & np.isfinite(other)
    with np.errstate(all="ignore"):
        return np.where(same, 0.0, np.where(finite, np.abs(one - other), np.inf)).astype(float)


def _table(report: Report) -> list[Sequence[str]]:
    head = ("quantity", "shape", "place", "symrnn", f"Keras, {report.dtype}", "difference", "allowed", "verdict")
    return [head, *(_cells(row, report.dtype) for row in report.rows)]


def _cells(row: Row, dtype: str) -> Sequence[str]:
    ours = f"{row.ours:.12g}" if dtype == "float32" else repr(row.ours)
    theirs = str(np.dtype(dtype).type(row.theirs))
    shape, place = (str(value).replace(" ", "") if value else "" for value in (row.shape, row.place))
    return (row.quantity, shape, place, ours, theirs, f"{row.difference:.1e}", f"{row.allowed:.1e}", row.verdict)


def _conditions(report: Report) -> str:
    objective = f"the loss {report.loss}" if report.loss else "the sum of y"
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
