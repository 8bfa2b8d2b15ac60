"""Pictures as figures of a document."""

from symrnn.diagrams.labels import Number, Piece, Transposed, latex
from symrnn.diagrams.picture import Picture
from symrnn.documents.blocks import Figure
from symrnn.documents.inline import Math
from symrnn.expressions.names import Name
from symrnn.typesetting.substitution import written


def figure(drawn: Picture) -> Figure:
    """A picture with its caption, the letters in it as formulas."""
    return Figure(drawn, tuple(map(_span, drawn.parts)))


def _span(piece: Piece) -> str | Math:
    if isinstance(piece, Name):
        return Math(piece.latex)
    if isinstance(piece, Transposed):
        return Math(latex((piece,)).strip("$"))
    return Math(written(piece.value)) if isinstance(piece, Number) else piece
