"""The two styles of print: the signs that LaTeX and a terminal have for the same mathematics."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from symrnn.expressions.names import Name

ADD, QUOTIENT, MUL, FUNCTION, ATOM = 1, 2, 3, 4, 5


class Text(NamedTuple):
    """A text, how tightly it binds, and the function's name that it begins with, where a power goes."""

    text: str
    level: int
    head: str = ""


@dataclass(frozen=True)
class Style:
    """The signs of a format."""

    symbol: Callable[[Name], str]
    name: Callable[[str], str]
    fraction: str
    quotient: int
    times: str
    had: str
    transposed: str
    ones: str
    total: str
    maximum: str
    power: Callable[[str], str]
    absolute: str
    space: str
    dots: str
    columns: str
    differs: str
    identity: str
    value: Callable[[float], str]


OPERATORS = {"tanh", "exp", "log", "max", "sin", "cos", "sinh", "cosh"}
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


_COMMANDS = {"sigmoid": r"\sigma", "diag": r"\operatorname{diag}", "atan": r"\arctan"}


def _latex_name(name: str) -> str:
    if name in OPERATORS:
        return "\\" + name
    return _COMMANDS.get(name) or r"\mathrm{" + name.replace("_", r"\_") + "}"


def decimal(number: float) -> tuple[str, int]:
    """Seven significant digits, trailing zeros kept, with a power of ten below 1e-3 and from 1e7 on."""
    if not math.isfinite(number) or (number == round(number) and abs(number) < 1e7):
        return f"{number:.0f}", 0
    if 1e-3 <= abs(number) < 1e7:
        return f"{number:#.7g}".removesuffix("."), 0
    digits, exponent = f"{number:.6e}".split("e")
    return digits, int(exponent)


def _value(number: float, about: str, power: str) -> str:
    """= 1 where the number is whole, and about 0.9643554 where it is rounded."""
    digits, exponent = decimal(number)
    sign = "=" if math.isfinite(number) and float(f"{digits}e{exponent}") == number else about
    return f"{sign} {digits}" + (power.format(exponent) if exponent else "")


LATEX = Style(
    symbol=lambda name: name.latex,
    name=_latex_name,
    fraction=r"\frac{{{}}}{{{}}}",
    quotient=FUNCTION,
    times=r"\times ",
    had=r" \odot ",
    transposed=r"^{\mathsf T}",
    ones=r"\mathbf 1",
    total=r"\sum_{{t={}}}^{{{}}} ",
    maximum=r"\max_{{t=0,\dots,{}-1}} ",
    power=lambda exponent: f"^{exponent}" if len(exponent) == 1 else f"^{{{exponent}}}",
    absolute=r"\lvert {} \rvert",
    space=r" \qquad ",
    dots=r"\dots",
    columns="{}[{}{{:}}{}]",
    differs=r"\ne",
    identity=r"\mathbf I",
    value=lambda number: _value(number, r"\approx", r" \times 10^{{{}}}"),
)
TEXT = Style(
    symbol=lambda name: name.text,
    name=lambda name: {"sigmoid": "σ"}.get(name, name),
    fraction="{}/{}",
    quotient=QUOTIENT,
    times="× ",
    had=" ⊙ ",
    transposed="ᵀ",
    ones="1",
    total="Σ_{{t={}}}^{{{}}} ",
    maximum="max_{{t=0..{}-1}} ",
    power=lambda exponent: exponent.translate(_SUPERSCRIPTS),
    absolute="|{}|",
    space="   ",
    dots="...",
    columns="{}[{}:{}]",
    differs="≠",
    identity="I",
    value=lambda number: _value(number, "≈", "e{}"),
)
