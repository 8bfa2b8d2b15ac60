"""Text with formulas in it, as a value: `prose("the state $h_t$ of `SimpleRNN`")`.

The signs are for the texts of this package. What a user chose, such as a name, is put in as a
`Code` of its own and never read for signs.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from symrnn.common.limits import round_number
from symrnn.common.terminal import one_line
from symrnn.expressions.names import Name


@dataclass(frozen=True)
class Math:
    """A formula within a line, in LaTeX."""

    latex: str


@dataclass(frozen=True)
class Code:
    """A name as it stands in code, in one line."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", one_line(self.text))


@dataclass(frozen=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True)
class Emphasis:
    """Words with stress, or at their definition."""

    text: str


Span = str | Math | Code | Strong | Emphasis
Prose = tuple[Span, ...]

_SIGNS = re.compile(r"\$(?P<math>[^$]+)\$|`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\*(?P<emphasis>[^*]+)\*")
_KINDS: Mapping[str, Callable[[str], Span]] = {"math": Math, "code": Code, "strong": Strong, "emphasis": Emphasis}


def prose(*parts: str | Name | Span | Prose) -> Prose:
    """The parts one after the other; strings are read for $formulas$, `code`, *emphasis* and **strong**.

    >>> prose("the state $h_t$ of ", Code("a_b"))
    ('the state ', Math(latex='h_t'), ' of ', Code(text='a_b'))
    """
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans += _read(part)
        elif isinstance(part, Name):
            spans.append(Math(part.latex))
        else:
            spans += part if isinstance(part, tuple) else (part,)
    return tuple(spans)


def _read(text: str) -> Iterator[Span]:
    end = 0
    for match in _SIGNS.finditer(text):
        if match.start() > end:
            yield text[end : match.start()]
        kind = match.lastgroup or "emphasis"
        yield _KINDS[kind](match[kind])
        end = match.end()
    if end < len(text):
        yield text[end:]


def series(items: list[Prose] | tuple[Prose, ...], last: str = " and ") -> Prose:
    """The items with commas between them, and a word before the last one."""
    spans: list[Span] = []
    for i, item in enumerate(items):
        spans += ([] if not i else [last] if i == len(items) - 1 else [", "]) + list(item)
    return tuple(spans)


def order_latex(number: int) -> str:
    """A number for a text of this package: in full, or as a power of ten where it is large."""
    return re.sub(r"10\^(\d+)", r"$10^{\1}$", round_number(number))


def signed(text: str, minus: str = "−") -> str:
    """The text with another sign for the hyphens that are signs of numbers, as in -1 and 3.6e-5.

    >>> signed("-1, 3.6e-5, a-32")
    '−1, 3.6e−5, a-32'
    """
    return _MINUS.sub(minus, text)


_MINUS = re.compile(r"(?<!\w)-(?=\.?\d)|(?<=\de)-(?=\d)")
