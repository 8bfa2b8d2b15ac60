"""Expressions as mathematics, for LaTeX and for a terminal: one set of rules, two styles.

Matrix products and sums keep the order in which they were built. SymPy does not keep the order of
a scalar product or sum, so it is restored here: in a product a derivative comes first, then
weights, then values, then sums; in a sum the terms follow their weights U, V, b, or their time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatch
from itertools import pairwise
from typing import Any

from sympy import (
    Abs,
    Add,
    Expr,
    Float,
    Function,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Number,
    NumberSymbol,
    Pow,
    Rational,
    Symbol,
    Transpose,
    latex,
    pretty,
)
from sympy.core.function import Application
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix, ZeroMatrix

from symrnn.common.decimals import shortest
from symrnn.expressions.functions import NamedFunction, differs, onehot, softmax
from symrnn.expressions.gates import GATES
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import (
    SLOTS,
    Columns,
    Concat,
    CrossEntropy,
    Diagonal,
    Differs,
    Elementwise,
    ElementwiseMax,
    LogSumExp,
    OneHot,
    RowSoftmax,
    is_size,
    no_rule,
)
from symrnn.expressions.row_functions import NamedSlope
from symrnn.typesetting.styles import ADD, ATOM, FUNCTION, LATEX, MUL, OPERATORS, TEXT, Style, Text


@dataclass(frozen=True)
class Context:
    """Where an expression is printed: the style, the letters, texts that replace symbols.

    `entrywise` says that products of symbols are elementwise products of matrices. `times` stands
    between the factors of a product, where numbers are put in.
    """

    style: Style
    names: Mapping[Expr, Name]
    texts: Mapping[Expr, Text] = field(default_factory=dict)
    entrywise: bool = False
    times: str = " "

    def show(self, expr: Expr, level: int = 0) -> str:
        """The expression, in parentheses where it binds less tightly than `level`."""
        shown = show(expr, self)
        if shown.level >= level:
            return shown.text
        return rf"\left({shown.text}\right)" if r"\begin{cases}" in shown.text else f"({shown.text})"

    def show_before(self, expr: Expr, level: int = 0) -> str:
        """The same before another factor: tanh(h) V, as in tanh h V the V could be read into the argument."""
        shown = show(expr, self)
        argument = shown.text[len(shown.head) :]
        is_bare = bool(shown.head) and argument.startswith(" ")
        return f"{shown.head}({argument[1:]})" if is_bare and shown.level >= level else self.show(expr, level)

    def show_factors(self, factors: Sequence[Expr], levels: Sequence[int]) -> list[str]:
        """The factors of a product, each but the last before another one."""
        shown = [self.show_before(factor, level) for factor, level in zip(factors[:-1], levels, strict=False)]
        return [*shown, *(self.show(last, level) for last, level in zip(factors[-1:], levels[-1:], strict=True))]

    def name_of(self, symbol: Expr) -> Name:
        """The letter of a symbol."""
        return self.names.get(symbol) or Name(symbol.name)


def terms_of(expr: Expr, context: Context) -> list[list[str]]:
    """The texts of a sum's terms, each with its sign and as a list of factors: where a line may break."""
    ordered, context, front = _ordered_terms(expr, context)
    if front:
        return [[context.show(expr)]]
    texts = []
    for i, term in enumerate(ordered):
        sign, factors = _signed(term, context, ADD if len(ordered) > 1 else 0)
        lead = "-" if sign and i == 0 else "" if i == 0 else "- " if sign else "+ "
        if context.times != " ":
            factors = [context.times.join(factors)]
        texts.append([lead + factors[0], *factors[1:]])
    return texts


def _ordered_terms(expr: Expr, context: Context) -> tuple[list[Expr], Context, bool]:
    if isinstance(expr, MatAdd):
        return list(expr.args), context, False
    if isinstance(expr, Add) and expr.primitive()[0] == 1:
        return sorted(expr.args, key=lambda term: _term_key(term, context)), context, False
    return [expr], context, isinstance(expr, Add)


def _signed(term: Expr, context: Context, level: int) -> tuple[bool, list[str]]:
    """Whether a term is negative, and the factors of its absolute value; it binds at least as tightly as `level`."""
    if isinstance(term, Mul) and not isinstance(term, MatrixExpr):
        negative = term.could_extract_minus_sign()
        return negative, _factors(-term if negative else term, context)
    text = context.show(term, level)
    return (True, [text[1:].lstrip()]) if text.startswith("-") else (False, [text])


def _factors(term: Expr, context: Context) -> list[str]:
    above, below = _split_fraction(term)
    if below or context.entrywise:
        return [show(term, context).text]
    ordered = sorted(above, key=lambda f: _factor_key(f, context))
    return context.show_factors(ordered, [MUL] * len(ordered)) or ["1"]


# scalars ----------------------------------------------------------------------------------------


@singledispatch
def show(expr: Expr, context: Context) -> Text:
    """The text of an expression.

    Raises:
        NotImplementedError: there is no rule for this type of expression.
    """
    raise no_rule("typesetting", expr)


@show.register(Number | NumberSymbol)
def _(expr: Expr, context: Context) -> Text:
    """A constant is written as SymPy writes it: pi as its letter."""
    return Text(latex(expr) if context.style is LATEX else pretty(expr, use_unicode=True), ADD)


@show.register
def _(expr: Symbol, context: Context) -> Text:
    if expr in context.texts:
        return context.texts[expr]
    name = context.name_of(expr)
    text = expr.name if expr in SLOTS or is_size(expr) else context.style.symbol(name)
    return Text(text, FUNCTION if name.layer or name.mark == "partial" else ATOM)


@show.register
def _(expr: Rational, context: Context) -> Text:
    text = str(expr.p) if expr.q == 1 else context.style.fraction.format(abs(expr.p), expr.q)
    return Text(
        text if expr.q == 1 or expr.p > 0 else f"-{text}",
        ADD if expr.p < 0 else ATOM if expr.q == 1 else context.style.quotient,
    )


@show.register
def _(expr: Float, context: Context) -> Text:
    """The shortest decimal that reads back."""
    return Text(shortest(float(expr)), ADD if expr < 0 else ATOM)


@show.register
def _(expr: Add, context: Context) -> Text:
    front, rest = expr.primitive()
    if front != 1:
        return Text(f"{context.show(front, MUL)} {context.show(rest, MUL)}", MUL)
    return Text(" ".join(" ".join(factors) for factors in terms_of(expr, context)), ADD)


@show.register
def _(expr: Mul, context: Context) -> Text:
    if expr.could_extract_minus_sign():
        positive = show(-expr, context)
        return Text(f"-{positive.text}", ADD)
    above, below = _split_fraction(expr)
    had = context.style.had if context.entrywise else context.times
    if not below:
        return Text(_product(above, context, had), MUL)
    texts = [_product(part, context, had, alone=True) for part in (above, below)]
    if context.style is TEXT:
        texts = [
            t if len(part) == 1 and show(part[0], context).level >= FUNCTION else f"({t})"
            for t, part in zip(texts, (above or [Rational(1)], below), strict=True)
        ]
    return Text(context.style.fraction.format(*texts), context.style.quotient)


def _product(factors: list[Expr], context: Context, had: str, alone: bool = False) -> str:
    """Numbers first, next to what they multiply; then the other factors in order."""
    if len(factors) == 1 and alone:
        return context.show(factors[0])
    numbers = [context.show(f, MUL) for f in factors if f.is_number]
    others = sorted((f for f in factors if not f.is_number), key=lambda f: _factor_key(f, context))
    texts = context.show_factors(others, [MUL] * len(others))
    return context.times.join([*numbers, *([had.join(texts)] if texts else [])]) or "1"


def _split_fraction(expr: Expr) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line; 1/2 x is x / 2 only where something else is below."""
    above: list[Expr] = []
    below: list[Expr] = []
    for factor in Mul.make_args(expr):
        if isinstance(factor, Pow) and factor.exp.is_number and factor.exp.is_negative:
            below.append(Pow(factor.base, -factor.exp))
        elif isinstance(factor, Rational) and factor.q != 1:
            above += [Rational(factor.p)] if factor.p != 1 else []
            below.append(Rational(factor.q))
        else:
            above.append(factor)
    return above, below


@show.register
def _(expr: Pow, context: Context) -> Text:
    if expr.exp.is_number and expr.exp.is_negative:
        below = Pow(expr.base, -expr.exp)
        text = context.show(below) if context.style is LATEX else context.show(below, FUNCTION)
        return Text(context.style.fraction.format("1", text), context.style.quotient)
    base = show(expr.base, context)
    if context.entrywise and expr.exp == 2:
        return Text(context.style.had.join(context.show_factors([expr.base] * 2, [FUNCTION] * 2)), MUL)
    power = context.style.power(context.show(expr.exp))
    if base.head:
        return Text(f"{base.head}{power}{base.text[len(base.head) :]}", FUNCTION, base.head + power)
    return Text((base.text if base.level >= ATOM else f"({base.text})") + power, FUNCTION)


@show.register
def _(expr: Abs, context: Context) -> Text:
    return Text(context.style.absolute.format(context.show(expr.args[0])), ATOM)


@show.register(Function)
@show.register(Application)
def _(expr: Function, context: Context) -> Text:
    name, arguments = type(expr).__name__, expr.args
    if isinstance(expr, NamedFunction) and expr.signs:
        sign = expr.signs[context.style is TEXT]
        return Text(f"[{f' {sign} '.join(map(context.show, arguments))}]", ATOM)
    printed = (expr.text if context.style is TEXT else expr.latex) if isinstance(expr, NamedFunction) else ""
    head = printed or context.style.name(name.removesuffix("_slope"))
    if isinstance(expr, NamedSlope):
        head, arguments = head + "'", arguments[:1]
    if isinstance(expr, softmax):
        head, arguments = f"{head}_{context.show(arguments[0])}", arguments[1:]
    text = ", ".join(map(context.show, arguments))
    plain = name in OPERATORS and not isinstance(expr, NamedFunction) and len(arguments) == 1
    single = plain and show(arguments[0], context).level == ATOM and isinstance(arguments[0], Symbol)
    bare = single or (len(arguments) == 1 and _BRACKETED.fullmatch(text))
    return Text(f"{head} {text}" if bare else f"{head}({text})", FUNCTION, head)


_BRACKETED = re.compile(r"\\begin\{pmatrix\}(?:(?!\\end).)*\\end\{pmatrix\}", re.DOTALL)


@show.register
def _(expr: onehot, context: Context) -> Text:
    place, ids = map(context.show, expr.args)
    return Text(f"[{ids} = {place}]", ATOM)


@show.register
def _(expr: differs, context: Context) -> Text:
    value, *entries = map(context.show, expr.args)
    row = entries[0] if len(entries) == 1 else f"({', '.join(entries)})"
    return Text(f"[{row} {context.style.differs} {value}]", ATOM)


_WEIGHTS = {"U": 1, "V": 2, "W": 3, "b": 9}
_GATES = "".join(GATES.values())


def _symbols(expr: Expr, context: Context) -> list[Name]:
    return [context.name_of(symbol) for symbol in expr.free_symbols]


def _time(name: Name) -> int:
    return name.time if isinstance(name.time, int) else 0


def _term_key(term: Expr, context: Context) -> tuple[Any, ...]:
    """Positive numbers, positive terms, negative ones; by weight, layer, time and entry."""
    if term.is_number:
        return (0 if term.is_positive else 3,)
    letters = [context.name_of(term)] if isinstance(term, Symbol) else _symbols(term, context)
    weights = [name for name in letters if name.base in _WEIGHTS and not name.is_adjoint]
    rank = min((_WEIGHTS[name.base] for name in weights), default=5)
    times = sorted(map(_time, letters))
    gates = sorted(_GATES.find(name.sub[-1:]) for name in weights)
    entries = sorted((name.entry for name in letters if name.entry), key=lambda entry: (len(entry), entry))
    names = sorted(name.latex for name in letters)
    return (2 if term.could_extract_minus_sign() else 1, rank, times, gates, entries, names)


def _factor_key(factor: Expr, context: Context) -> tuple[Any, ...]:
    """Numbers, derivatives, weights, values, sums, functions."""
    if factor.is_number:
        return (0,)
    base = factor.base if isinstance(factor, Pow) else factor
    if not isinstance(base, Symbol):
        return (5 if isinstance(base, Function) else 4, str(base))
    name = context.name_of(base)
    kind = 1 if name.is_adjoint else 2 if name.base in (*_WEIGHTS, "m") else 3
    return (kind, _WEIGHTS.get(name.base, 5), _time(name), name.entry, name.latex)


# matrices ---------------------------------------------------------------------------------------


@show.register
def _(expr: MatrixSymbol, context: Context) -> Text:
    if expr in context.texts:
        return context.texts[expr]
    name = context.name_of(expr)
    return Text(context.style.symbol(name), FUNCTION if name.layer or name.mark == "partial" else ATOM)


@show.register
def _(expr: OneMatrix, context: Context) -> Text:
    """A column of ones is bold 1; a row is its transpose; 1 x 1 is the number."""
    rows, columns = expr.shape
    ones, row = context.style.ones, context.style.ones + context.style.transposed
    if rows == columns == 1:
        return Text("1", ATOM)
    return Text(ones if columns == 1 else row if rows == 1 else f"{ones} {row}", ATOM if 1 in (rows, columns) else MUL)


@show.register
def _(expr: ZeroMatrix, context: Context) -> Text:
    return Text("0", ATOM)


@show.register
def _(expr: Transpose, context: Context) -> Text:
    inner = show(expr.arg, context)
    return Text((inner.text if inner.level >= ATOM else f"({inner.text})") + context.style.transposed, ATOM)


@show.register
def _(expr: MatAdd, context: Context) -> Text:
    return Text(" ".join(" ".join(factors) for factors in terms_of(expr, context)), ADD)


@show.register
def _(expr: MatMul, context: Context) -> Text:
    numbers = [factor for factor in expr.args if not isinstance(factor, MatrixExpr)]
    matrices = [factor for factor in expr.args if isinstance(factor, MatrixExpr)]
    level = MUL if len(matrices) == 1 else FUNCTION
    factors = context.show_factors(matrices, [MUL if isinstance(f, OneMatrix) else level for f in matrices])
    negative = bool(numbers) and numbers[0].could_extract_minus_sign()
    numbers = [-numbers[0], *numbers[1:]] if negative else numbers
    front = [context.show(number, MUL) for number in numbers if number != 1]
    text = _juxtaposed([*front, *factors], context)
    return Text(f"-{text}", ADD) if negative else Text(text, MUL)


def _juxtaposed(factors: Sequence[str], context: Context) -> str:
    """The factors of a matrix product side by side, with a sign only between two numbers."""
    text = factors[0]
    for before, factor in pairwise(factors):
        numbers = before[-1:].isdigit() or (before[-1:] in ")}" and "matrix" not in before)
        text += (context.times if numbers and factor[0] in "0123456789(-" else " ") + factor
    return text


@show.register
def _(expr: HadamardProduct, context: Context) -> Text:
    columns = [factor.args[0] for factor in expr.args if _is_spread(factor)]
    if columns:
        rest = [factor for factor in expr.args if not _is_spread(factor)]
        return _scaled_rows(columns, rest, context)
    levels = [MUL if isinstance(factor, Elementwise) else FUNCTION for factor in expr.args]
    return Text(context.style.had.join(context.show_factors(expr.args, levels)), MUL)


def _is_spread(expr: Expr) -> bool:
    """Whether this is a column, one number for each sample, repeated side by side."""
    ones = isinstance(expr, MatMul) and len(expr.args) == 2 and isinstance(expr.args[1], OneMatrix)
    return ones and expr.args[0].shape[1] == 1 and expr.args[1].shape[0] == 1


def _scaled_rows(columns: Sequence[Expr], rest: Sequence[Expr], context: Context) -> Text:
    """M h for one sample, where m is a number; diag(m) h for several."""
    style = context.style
    single = columns[0].shape[0] == 1
    fronts = [context.show_before(c, MUL) if single else f"{style.name('diag')}({context.show(c)})" for c in columns]
    if not rest:
        return Text(" ".join([*fronts, style.ones + style.transposed]), MUL)
    product = show(rest[0] if len(rest) == 1 else HadamardProduct(*rest), context)
    return Text(" ".join([*fronts, product.text if product.level >= MUL else f"({product.text})"]), MUL)


@show.register
def _(expr: Elementwise, context: Context) -> Text:
    operands = {slot: show(matrix, context) for slot, matrix in zip(SLOTS, expr.matrices, strict=False)}
    names = {
        slot: context.name_of(m) for slot, m in zip(SLOTS, expr.matrices, strict=False) if isinstance(m, MatrixSymbol)
    }
    inner = replace(context, texts={**context.texts, **operands}, names={**context.names, **names})
    return show(expr.template, replace(inner, entrywise=expr.shape != (1, 1)))


@show.register
def _(expr: RowSoftmax, context: Context) -> Text:
    head = context.style.name("softmax")
    return Text(f"{head}({context.show(expr.args[0])})", FUNCTION, head)


@show.register
def _(expr: LogSumExp, context: Context) -> Text:
    """The logarithm of the sum along each row, a column of ones on the right."""
    style = context.style
    return Text(f"{style.name('log')}({style.name('exp')}({context.show(expr.args[0])}) {style.ones})", FUNCTION)


@show.register
def _(expr: Concat, context: Context) -> Text:
    return Text(f"[{_elided(expr.args, context)}]", ATOM)


def _elided(parts: Sequence[Expr], context: Context) -> str:
    """The parts with commas between them; of many the first two, dots, and the last."""
    shown = [context.show(part) for part in (parts if len(parts) <= 6 else (*parts[:2], parts[-1]))]
    return ", ".join(shown if len(parts) <= 6 else [*shown[:2], context.style.dots, shown[-1]])


@show.register
def _(expr: Columns, context: Context) -> Text:
    """The columns from start to stop, the last not included, as an index in brackets."""
    matrix, start, stop = expr.args
    inner = context.show(matrix, ATOM)
    return Text(context.style.columns.format(inner, start, stop), ATOM)


@show.register
def _(expr: OneHot, context: Context) -> Text:
    return Text(f"{context.style.name('onehot')}({context.show(expr.args[0])})", ATOM)


@show.register
def _(expr: Differs, context: Context) -> Text:
    matrix, value = expr.args
    return Text(f"[{context.show(matrix)} {context.style.differs} {context.show(value)}]", ATOM)


@show.register
def _(expr: Diagonal, context: Context) -> Text:
    return Text(f"{context.style.name('diag')}({context.show(expr.args[0])})", FUNCTION)


@show.register
def _(expr: Identity, context: Context) -> Text:
    return Text("1" if expr.shape[0] == 1 else context.style.identity, ATOM)


@show.register
def _(expr: ElementwiseMax, context: Context) -> Text:
    return Text(f"{context.style.name('max')}({_elided(expr.args, context)})", FUNCTION)


@show.register
def _(expr: CrossEntropy, context: Context) -> Text:
    """-(T o log softmax(Z)) 1: the sum along each row."""
    target, logits = expr.args
    style, inner = context.style, context.show(RowSoftmax(logits))
    rows = f"{context.show(target, FUNCTION)}{style.had}{style.name('log')} {inner}"
    return Text(f"-({rows}) {style.ones}", ADD)
