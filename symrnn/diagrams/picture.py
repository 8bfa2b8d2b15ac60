"""The picture of a network: unrolled in time, rolled up with its loop, or on the way back.

Circles are states, boxes other values. The letters are those of the equations, and an arrow is there
where an equation reads something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.common.display import Displayed
from symrnn.common.errors import cut_repr
from symrnn.common.fields import is_number
from symrnn.diagrams import svg, tikz
from symrnn.diagrams.backward_pass import draw_back
from symrnn.diagrams.captions import alt_text, caption, title
from symrnn.diagrams.columns import timeline_of
from symrnn.diagrams.drawing import Drawing
from symrnn.diagrams.forward_pass import draw
from symrnn.diagrams.labels import Piece, latex, text
from symrnn.models.network import Network


@dataclass(frozen=True)
class Picture(Displayed):
    """A drawing with its title, its caption and what it says to those who cannot see it."""

    drawing: Drawing
    title: str
    alt: str
    parts: tuple[Piece, ...]

    @property
    def caption(self) -> str:
        """What the drawing leaves out, such as biases and activations, as text."""
        return text(self.parts)

    @property
    def caption_latex(self) -> str:
        """The caption in LaTeX."""
        return latex(self.parts)

    def svg(self) -> str:
        """The drawing as one SVG element, with its title and description; it refers to nothing outside."""
        return svg.render_svg(self.drawing, self.title, self.alt)

    def tikz(self, alt: bool = False) -> str:
        r"""The drawing as a tikzpicture, never wider than a line.

        It needs `tikz.PREAMBLE`; with `alt`, which needs the package accsupp, the PDF has the
        description too.
        """
        return tikz.render_tikz(self.drawing, self.alt if alt else None)

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return f"{self.title}\n{self.alt}"


def picture_of(
    network: Network, rolled: bool = False, backward: bool = False, numbers: Mapping[str, float] | None = None
) -> Picture:
    """The picture of a network, unrolled over its time steps, more than five of them elided.

    `rolled` draws one step with its loop. `backward` draws the way back instead: dashed arrows with
    the names of the adjoints and, from `numbers`, their values by name, such as "dh_0" and "delta_0".

    Raises:
        ValueError: both `rolled` and `backward`, or `numbers` without `backward`.
    """
    if rolled and backward:
        raise ValueError("picture: rolled and backward: expected one of them, as the way back is unrolled")
    if numbers is not None and not backward:
        raise ValueError("picture: numbers: expected backward=True, as they stand beside the adjoints")
    given: Any = numbers or {}
    if not isinstance(given, Mapping) or not all(map(is_number, given.values())):
        raise ValueError(f"picture: numbers: expected finite numbers by name, such as dh_0, got {cut_repr(given)}")
    time = timeline_of(network, rolled)
    drawing = draw_back(network, time, given) if backward else draw(network, time, rolled)
    how = "backward" if backward else "rolled" if rolled else "unrolled"
    return Picture(drawing, title(network, how), alt_text(drawing, how), caption(network, time, drawing, how))
