"""How large a result may be. Each limit is compared with a count that is made before the result is."""

SYMBOLS = 250_000
"""Symbols in the equations of a program whose time, or whose matrices, are written out."""
COMPOSED = 35_000
"""Symbols, with matrices as one each, of a program whose equations are put into each other."""
OPERATIONS, NESTING = 10_000, 40
"""Operations in one closed form as an expression, and steps in each other."""
CHARACTERS = 2_000_000
"""Characters of all closed forms of a model together."""
WORKED = 60_000
"""Symbols in the equations of all time steps that a document works out with numbers."""
NUMBERED = 5 * 10**6
"""Symbols in the equations of all time steps of a document that has numbers at all."""
TERMS, MULTIPLICATIONS = 10**9, 2 * 10**9
"""Numbers in the terms of the gradients of all time steps, and multiplications for a Jacobian, in a document."""
CHECKED = 10**8
"""Symbols in all entries of a model that a document checks in a second type of numbers."""
DRAWN = 100
"""Calls of layers, and cells in them, of a model that a document draws."""


def round_number(number: int) -> str:
    """A number that may have thousands of digits: in full, or its order of magnitude."""
    return str(number) if number < 10**9 else f"about 10^{len(f'{number:x}') * 12041 // 10000}"
