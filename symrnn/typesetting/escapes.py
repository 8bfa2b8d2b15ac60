"""Text as LaTeX."""

_ESCAPES = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": "{<}", ">": "{>}"},
    **{"→": r"$\to$", "←": r"$\leftarrow$", "≠": r"$\ne$", "×": r"$\times$", "∂": r"$\partial$", "⊙": r"$\odot$"},
    **{"κ": r"$\kappa$", "–": "--", "—": "---", "’": "'", "…": r"\dots{}", '"': "''"},
}


def escaped(text: str) -> str:
    """Text without signs that TeX reads; a sign that the fonts lack by its number."""
    return "".join(
        _ESCAPES.get(sign) or (sign if ord(sign) < 0x180 and sign.isprintable() else _named(sign)) for sign in text
    )


def _named(sign: str) -> str:
    return " " if sign.isspace() else f"U+{ord(sign):04X}"
