"""A document as a value: sections of paragraphs, tables, displayed equations, steps and pictures.

It says nothing about formats: `documents` writes it, one module to a format.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symrnn.layout import Row
from symrnn.notation import Letter
from symrnn.printing import Display
from symrnn.prose import Prose

if TYPE_CHECKING:  # a document without pictures needs no drawing
    from symrnn.picture import Picture

Cell = str | Letter | Prose
"""What stands in a table: text as it is, a symbol, or text with formulas."""


@dataclass(frozen=True)
class Paragraph:
    """Running text; `title` stands before it in bold."""

    text: Prose
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the columns in `right` are set to the right, the last `totals` rows under a rule."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[int, ...] = ()
    note: Prose = ()
    totals: int = 0


@dataclass(frozen=True)
class Equations:
    """A program's equations; what is shown of them, and how, is for the display to say."""

    display: Display


@dataclass(frozen=True)
class Formulas:
    """Displayed rows that are no program's, such as formulas with numbers put in."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Step:
    """One numbered step of a derivation: what is undone, by which rule, the formulas, and why."""

    number: int
    title: Prose
    rule: Prose
    formulas: Formulas
    why: Prose = ()


@dataclass(frozen=True)
class Figure:
    """A picture with its caption."""

    picture: "Picture"


@dataclass(frozen=True)
class Verbatim:
    """Text of fixed width, as it is."""

    text: str


Block = Paragraph | Table | Equations | Formulas | Step | Figure | Verbatim


@dataclass(frozen=True)
class Section:
    """A titled part of a document; `name` is what it is chosen by."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A title, a line below it, what the document answers, and its sections."""

    title: str
    subtitle: Prose
    summary: Prose
    sections: tuple[Section, ...]
