"""Functions by cases, and the conditions in them."""

import math
from collections.abc import Mapping

from sympy import And, Eq, Ge, Gt, Le, Lt, Ne, Not, Or, Piecewise
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symrnn.typesetting.expressions import Context, show
from symrnn.typesetting.styles import ADD, ATOM, LATEX, MUL, Text

_SIGNS: Mapping[type, tuple[str, str]] = {
    **{Gt: (">", ">"), Ge: (r"\ge", "≥"), Lt: ("<", "<"), Le: (r"\le", "≤")},
    **{Eq: ("=", "="), Ne: (r"\ne", "≠")},
}
"""The sign of a relation in LaTeX and as text."""


@show.register
def _(expr: Piecewise, context: Context) -> Text:
    """The value and, beside it, where it holds; the last one holds otherwise. In LaTeX it has no end of its own."""
    *cases, (last, _) = expr.args
    rows = [(context.show(value), f"{_word('if ', context)}{context.show(where)}") for value, where in cases]
    rows.append((context.show(last), _word("otherwise", context)))
    if context.style is not LATEX:
        return Text(f"{{{'; '.join(' '.join(row) for row in rows)}}}", ATOM)
    lines = r" \\ ".join(" & ".join(row) for row in rows)
    return Text(rf"{{\begin{{cases}} {lines} \end{{cases}}}}", 0)  # in braces, so that no line is broken within


def _word(word: str, context: Context) -> str:
    return rf"\text{{{word}}}" if context.style is LATEX else word


@show.register
def _(expr: Relational, context: Context) -> Text:
    sign = _SIGNS[type(expr)][context.style is not LATEX]
    return Text(f"{context.show(expr.lhs)} {sign} {context.show(expr.rhs)}", MUL)


@show.register(And)
@show.register(Or)
def _(expr: Boolean, context: Context) -> Text:
    word = _word(" and " if isinstance(expr, And) else " or ", context)
    return Text(word.join(context.show(part, MUL) for part in sorted(expr.args, key=_place)), ADD)


def _place(condition: Boolean) -> tuple[float, str]:
    """By the bound, the lowest first; what has no bound that is a number comes last."""
    has_bound = isinstance(condition, Relational) and condition.rhs.is_number
    return float(condition.rhs) if has_bound else math.inf, str(condition)


@show.register
def _(expr: Not, context: Context) -> Text:
    return Text(f"{_word('not ', context)}{context.show(expr.args[0], ATOM)}", MUL)
