"""Pictures as figures of a document."""

from symrnn.document import Figure
from symrnn.glyphs import Number, Piece, Transposed, latex
from symrnn.notation import Letter
from symrnn.picture import Picture
from symrnn.prose import Math
from symrnn.substitution import written


def figure(drawn: Picture) -> Figure:
    """A picture with its caption, the letters in it as formulas."""
    return Figure(drawn, tuple(map(_span, drawn.parts)))


def _span(piece: Piece) -> str | Math:
    if isinstance(piece, Letter):
        return Math(piece.latex)
    if isinstance(piece, Transposed):
        return Math(latex((piece,)).strip("$"))
    return Math(written(piece.value)) if isinstance(piece, Number) else piece
