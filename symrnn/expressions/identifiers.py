"""Which identifiers the generated code has of its own, and what a symbol may be called beside them."""

import builtins
import keyword
import re
import unicodedata

from symrnn.common.errors import cut_repr
from symrnn.expressions.activation_table import functions, slopes
from symrnn.expressions.activations import prelu
from symrnn.expressions.functions import OF_SEVERAL
from symrnn.expressions.nodes import N, T

MATH = (
    *("asinh", "atan", "copysign", "cos", "cosh", "erfc", "exp", "expm1", "log", "log1p", "sin", "sinh", "sqrt"),
    "tanh",
)
"""What generated code of floats takes from Python's `math`."""
_RESERVED = {
    *(size.name for size in (N, T)),
    *(kind.__name__ for kind in (*functions.values(), *slopes.values(), *OF_SEVERAL, prelu)),
    *MATH,
    *dir(builtins),
    *("t", "dtype", "np", "math", "zero", "total", "room", "scatter", "log_softmax", "cross_entropy", "sign"),
}
"""The names that generated code has of its own: the sizes, the functions, and what it defines beside them."""
_STEPS = re.compile(r"T_\d+")


def identifier(text: str) -> str:
    """The text as an identifier: with an underscore behind it where it is a word of Python or of generated code.

    >>> identifier("h_t"), identifier("lambda"), identifier("range")
    ('h_t', 'lambda_', 'range_')
    """
    return f"{text}_" if _is_reserved(text) else text


def is_usable(name: str) -> bool:
    """An identifier that Python reads as it is written, no keyword, none of the generated code's own names."""
    plain = name.isidentifier() and unicodedata.normalize("NFKC", name) == name
    return plain and not name.startswith("__") and not _is_reserved(name)


def check_name(name: str) -> None:
    """Check that a symbol may be called so.

    Raises:
        ValueError: it is no identifier, a keyword, or a name of the generated code's own.
    """
    if not is_usable(name):
        raise ValueError(f"the name {cut_repr(name)} cannot be used for a symbol: it is reserved or no identifier")


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or keyword.iskeyword(name) or _STEPS.fullmatch(name) is not None
