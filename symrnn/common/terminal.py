"""Text for a terminal: nothing that comes from a file or a name can move its cursor or set its title."""

_LONGEST = 2000


def visible(text: str) -> str:
    r"""The text with control signs, but the ends of lines, as Python writes them.

    >>> visible("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(sign if sign == "\n" or sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def one_line(text: str) -> str:
    """One line without control signs, and not longer than anyone reads."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
