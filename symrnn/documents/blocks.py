"""An article as a value: sections of paragraphs, tables, displayed equations, steps and pictures.

It says nothing about formats: each has a writer of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from symrnn.common.display import Displayed
from symrnn.common.errors import cut_repr
from symrnn.common.terminal import one_line
from symrnn.documents.inline import Prose
from symrnn.expressions.names import Name
from symrnn.typesetting.equations import Display
from symrnn.typesetting.layout import DisplayRow

Cell = str | Name | Prose
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

    rows: tuple[DisplayRow, ...]


@dataclass(frozen=True)
class NumberedStep:
    """One numbered step of a derivation: what is undone, by which rule, the formulas, and why."""

    number: int
    title: Prose
    rule: Prose
    formulas: Formulas
    why: Prose = ()


class Image(Protocol):
    """What a figure shows: a drawing with a description for those who cannot see it."""

    @property
    def alt(self) -> str:
        """What the drawing shows, in words."""

    def svg(self) -> str:
        """The drawing as one SVG element."""

    def tikz(self, alt: bool = False) -> str:
        """The drawing as a tikzpicture, with its description if `alt`, which needs the package accsupp."""


@dataclass(frozen=True)
class Figure:
    """A picture with its caption."""

    picture: Image
    caption: Prose = ()


@dataclass(frozen=True)
class Verbatim:
    """Text of fixed width, as it is."""

    text: str


Block = Paragraph | Table | Equations | Formulas | NumberedStep | Figure | Verbatim


@dataclass(frozen=True)
class Section(Displayed):
    """A titled part of a document; `name` is what it is chosen by."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Origin:
    """What a document was made from, so that a notebook can make it again.

    A model, or the path of its file; the number of time steps where that was asked for; the
    arguments that were given; all numbers, drawn ones too, for a reader to use; and what computes
    the prediction and the gradients from them.
    """

    model: Any
    arguments: Mapping[str, Any]
    timesteps: int | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    results: Callable[[], tuple[Any, Any]] | None = None


@dataclass(frozen=True)
class Article(Displayed):
    """A title in one line, a line below it, what the document answers, its sections; `document["forward"]` is one."""

    title: str
    subtitle: Prose
    summary: Prose
    sections: tuple[Section, ...]
    origin: Origin | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", one_line(self.title))

    def __getitem__(self, name: str) -> Section:
        """The section of this name.

        Raises:
            ValueError: there is none; the message says which there are.
        """
        for section in self.sections:
            if section.name == name:
                return section
        raise ValueError(f"document: no section {cut_repr(name)}; it has {', '.join(s.name for s in self.sections)}")
