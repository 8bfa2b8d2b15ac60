"""Programs as displayed equations: what is printed, line by line, and how lines are laid out."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from sympy import Expr, Function, MatrixSymbol, Symbol

from symrnn.common.limits import CHARACTERS, round_number
from symrnn.expressions.gates import GATES
from symrnn.expressions.matrices import is_zero, substitute, zeros
from symrnn.expressions.names import Name, move
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.expressions.shapes import shape_of
from symrnn.programs.closed_form import check_text, size
from symrnn.programs.program import (
    Carry,
    Cut,
    Equation,
    Join,
    MaxOverTime,
    Program,
    Recurrence,
    Reversal,
    Statement,
    reads,
    symbols_of,
)
from symrnn.programs.transforms import name_of, with_samples
from symrnn.typesetting import cases  # noqa: F401 - registers its rules
from symrnn.typesetting.expressions import Context, show, terms_of
from symrnn.typesetting.layout import Line, align, flat, plain_text, rows
from symrnn.typesetting.styles import LATEX, Style, Text


@dataclass(frozen=True)
class Display:
    """What to print: a program; whether each a_t is put into h_t = f(a_t); closed or not.

    `part` is "all", "forward" or "adjoint"; `numbers` are values by the names of symbols.
    """

    program: Program
    compact: bool = False
    closed: bool = False
    samples: int | str = 1
    part: str = "all"
    numbers: Mapping[str, float] = field(default_factory=dict)


def render(display: Display, style: Style) -> str:
    """The display as one align* block, or as text for a terminal.

    Raises:
        ValueError: a closed form above `CHARACTERS` characters.
    """
    lines = lines_of(display, style)
    return align(rows(lines)) if style is LATEX else plain_text(lines)


def lines_of(display: Display, style: Style) -> list[Line]:
    """The lines of a display.

    Raises:
        ValueError: a closed form above `CHARACTERS` characters.
    """
    lines = _closed_lines(display.program, style) if display.closed else _lines(_for_samples(display), style)
    wanted = {"all": (False, True), "forward": (False,), "adjoint": (True,)}[display.part]
    lines = [line for line in lines if line.adjoint in wanted]
    if display.numbers:
        lines = [_with_number(line, display.numbers, style) for line in lines]
    return lines


def _with_number(line: Line, numbers: Mapping[str, float], style: Style) -> Line:
    """The line with its value, unless the right side is a number already."""
    if line.name not in numbers or _NUMBER.fullmatch(line.terms[0][0]):
        return line
    return replace(line, value=style.value(numbers[line.name]))


_NUMBER = re.compile(r"-?[0-9.]+")


def _for_samples(display: Display) -> Program:
    """The program as it is printed: for one sample, compact if it is to be."""
    program = display.program
    matrices = any(isinstance(symbol, MatrixSymbol) for symbol in (*program.inputs, *program.sequences))
    if matrices and display.samples != "N":
        program = with_samples(program, int(display.samples))
    return _compact(program) if display.compact else program


def _compact(program: Program, outside: Collection[Expr] = ()) -> Program:
    """The program with each pre-activation put into the equation that activates it.

    One that is used several times, or outside of its step, stays.
    """
    items: list[Statement] = []
    places: dict[Expr, Expr] = {}
    read = {symbol for item in program.equations if not isinstance(item, Equation) for symbol in reads(item)}
    outside = {*outside, *read, *program.outputs}
    uses = Counter(chain.from_iterable(_symbols(equation.rhs) for equation in program.assignments))
    for item in program.equations:
        if isinstance(item, Recurrence):
            body = _compact(replace(item.body, outputs=(), names=item.body.names or program.names), outside)
            assigned = {equation.lhs for equation in body.assignments}
            stacked = tuple(symbol for symbol in item.stacked if symbol in assigned)
            items.append(replace(item, body=body, stacked=stacked))
        elif isinstance(item, Equation):
            name = name_of(program.names, item.lhs)
            if name.base == "a" and uses[item.lhs] == 1 and item.lhs not in outside:
                places[item.lhs] = item.rhs
            else:
                items.append(Equation(item.lhs, _filled(item.rhs, places)))
        else:
            items.append(item)
    return replace(program, equations=tuple(items))


def _symbols(expr: Expr) -> list[Expr]:
    """The symbols in an expression, each as often as it is written."""
    found: list[Expr] = []
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Elementwise):
            slots = Counter(_symbols(part.template))
            waiting += [m for slot, m in zip(SLOTS, part.matrices, strict=False) for _ in range(slots[slot])]
        elif isinstance(part, Symbol | MatrixSymbol):
            found.append(part)
        else:
            waiting += part.args
    return found


def _filled(expr: Expr, places: dict[Expr, Expr]) -> Expr:
    """The expression with symbols replaced; a function of numbers is not evaluated, which takes SymPy long."""
    if isinstance(expr, Function):
        return expr.func(*(_filled(arg, places) for arg in expr.args), evaluate=False)
    return substitute(expr, places)


# lines ------------------------------------------------------------------------------------------


def _lines(program: Program, style: Style) -> list[Line]:
    context = Context(style, program.names)
    silent = zero_states(program)
    lines: list[Line] = []
    for item in program.equations:
        adjoint = is_adjoint(item, program)
        lines += [replace(line, adjoint=adjoint) for line in item_lines(item, context, silent)]
    return lines


def is_adjoint(item: Statement, program: Program) -> bool:
    """Whether an item of a gradient's program belongs to the way back."""
    lhs = [e.lhs for e in (*item.body.assignments, *item.sums)] if isinstance(item, Recurrence) else [item.lhs]
    return any(name_of(program.names, symbol).is_adjoint for symbol in lhs)


def zero_states(program: Program) -> set[Expr]:
    """The states that are zero in the first step: their product has no term there."""
    carries = (c for item in program.equations if isinstance(item, Recurrence) for c in item.carries)
    return {carry.prev for carry in carries if is_zero(carry.init)}


def item_lines(item: Statement, context: Context, silent: set[Expr]) -> list[Line]:
    """The lines of one item; `silent` are the states that are zero in the first step."""
    if isinstance(item, Equation):
        return [_line(item.lhs, item.rhs, context)]
    if not isinstance(item, Recurrence):
        return [_reshaped(item, context)]
    messages = {c.prev: c for c in item.carries if context.name_of(c.prev).mark == "message"}
    starts = [c for c in item.carries if c.prev not in messages and not _is_start(c, context)]
    lines = [_line_of_start(c, context) for c in starts]
    for equation in item.body.assignments:
        if messages.keys() & equation.rhs.free_symbols:
            lines += _message_lines(equation, item, messages, context)
        else:
            lines.append(_line(equation.lhs, equation.rhs, context, note=_range(item, context)))
    lines += _sum_lines(item, context, silent)
    return lines + [_line_of_end(c, item, context) for c in messages.values() if c.final is not None]


def _reshaped(item: Reversal | Join | Cut | MaxOverTime, context: Context) -> Line:
    """A family turned round, put side by side, cut from a row, or its largest element."""
    style = context.style
    lhs, name = style.symbol(context.name_of(item.lhs)), context.name_of(item.rhs)
    T = name.steps
    if isinstance(item, Reversal):
        return Line(lhs, [[style.symbol(name.at("T-1-t"))]], _range(item, context))
    if isinstance(item, Join):
        parts = [style.symbol(name.at(time)) for time in (0, 1, "T-1")]
        return Line(lhs, [[f"[{parts[0]}, {parts[1]}, {style.dots}, {parts[2]}]"]])
    if isinstance(item, Cut):
        width = shape_of(item.lhs)[1]
        first, last = ("t", "t+1") if width == 1 else (f"{width}t", f"{width}t+{width}")
        return Line(lhs, [[style.columns.format(style.symbol(name), first, last)]], _range(item, context))
    return Line(lhs, [[style.maximum.format(T) + style.symbol(name)]])


def _line(lhs: Expr, rhs: Expr, context: Context, note: str = "", front: str = "") -> Line:
    terms = terms_of(rhs, context)
    if front and len(terms) > 1:
        terms = [[f"({flat(terms)})"]]
    if front:
        terms[0][0] = front + terms[0][0]
    return Line(context.show(lhs), terms, note, name=lhs.name)


def _range(item: Statement, context: Context, skip: int = 0) -> str:
    """(t = 0, ..., T-1), or backwards; `skip` leaves out the first steps of the range."""
    dots = context.style.dots
    reverse = isinstance(item, Recurrence) and item.reverse
    T = item.length if isinstance(item, Recurrence) else context.name_of(item.lhs).steps
    first, last = (f"{T}-{1 + skip}", "0") if reverse else (str(skip), f"{T}-1")
    return f"(t = {first}, {dots}, {last})"


def _start_name(carry: Carry, context: Context) -> Name:
    name = context.name_of(carry.prev)
    return name.at(-1 if name.time == "t-1" else "T")


def _is_start(carry: Carry, context: Context) -> bool:
    """Whether a state starts from an input of that very name, which needs no line."""
    return isinstance(carry.init, Symbol | MatrixSymbol) and context.name_of(carry.init) == _start_name(carry, context)


def _line_of_start(carry: Carry, context: Context) -> Line:
    terms = [["0"]] if is_zero(carry.init) else terms_of(carry.init, context)
    return Line(context.style.symbol(_start_name(carry, context)), terms)


def _message_lines(equation: Equation, item: Recurrence, messages: dict[Expr, Carry], context: Context) -> list[Line]:
    """An adjoint that receives a message: its first step by itself, then the rule for the others."""
    names = dict(context.names)
    inner = replace(context, names=names)
    step, first = (1, "T-1") if item.reverse else (-1, 0)
    received = {prev: messages[prev] for prev in messages if prev in equation.rhs.free_symbols}
    starts = {prev: carry.init for prev, carry in received.items()}
    rules = {prev: _moved(carry.next, step, names) for prev, carry in received.items()}
    boundary = substitute(_fixed(equation.rhs, first, names, messages), starts)
    lhs = _fixed(equation.lhs, first, names, {})
    general = substitute(equation.rhs, rules)
    start = replace(_line(lhs, boundary, inner), name=equation.lhs.name)
    return [start, _line(equation.lhs, general, inner, _range(item, context, skip=1))]


def _moved(expr: Expr, step: int, names: dict[Expr, Name]) -> Expr:
    """The expression of the neighbouring step: every t is t + step."""
    return _retimed(expr, lambda name: name.at(move(name.time, step)), names, {})


def _fixed(expr: Expr, step: int | str, names: dict[Expr, Name], keep: dict[Expr, Carry]) -> Expr:
    """The expression of the first or the last step: every t is that step."""
    return _retimed(expr, lambda name: name.at(move(name.time, step)), names, keep)


def _retimed(expr: Expr, change: Callable[[Name], Name], names: dict[Expr, Name], keep: Iterable[Expr]) -> Expr:
    mapping: dict[Expr, Expr] = {}
    for symbol in symbols_of([expr]):
        if symbol in keep:
            continue
        letter = change(name_of(names, symbol))
        name = f"{letter.code}@{letter.time}"
        mapping[symbol] = (
            MatrixSymbol(name, *symbol.shape) if isinstance(symbol, MatrixSymbol) else Symbol(name, real=True)
        )
        names[mapping[symbol]] = letter
    return substitute(expr, mapping)


def _sum_lines(item: Recurrence, context: Context, silent: set[Expr]) -> list[Line]:
    """The sums over t; those that differ in the gate alone as one line, for g = i, f, c, o."""
    lines: list[Line] = []
    groups: dict[str, tuple[int, list[str]]] = {}
    for total in item.sums:
        line = _sum_line(total, item, context, silent)
        gate = context.name_of(total.lhs).sub[-1:]
        general = _sum_line(total, item, replace(context, names=_of_gate(total, gate, context)), silent)
        key = f"{general.lhs} = {flat(general.terms)}"
        if gate in _GATES and key in groups:
            place, gates = groups[key]
            gates.append(gate)
            lines[place] = replace(general, note=f"(g = {', '.join(gates)})")
            continue
        groups[key] = len(lines), [gate]
        lines.append(line)
    return lines


_GATES = tuple("".join(GATES.values()))


def _of_gate(total: Equation, gate: str, context: Context) -> dict[Expr, Name]:
    """The letters with the gate's name replaced by g: U_i, V_i, b_hi, and delta of a_i."""
    names = dict(context.names)
    for symbol in symbols_of([total.lhs, total.rhs]):
        name = name_of(names, symbol)
        if gate and name.sub.endswith(gate) and name.base in ("U", "V", "b", "delta"):
            names[symbol] = replace(name, sub=f"{name.sub[:-1]}g")
    return names


def _sum_line(total: Equation, item: Recurrence, context: Context, silent: set[Expr]) -> Line:
    """Total = sum over t of a term, without the step in which the term is zero."""
    first = {prev: zeros(getattr(prev, "shape", ())) for prev in silent & total.rhs.free_symbols}
    vanishes = bool(first) and is_zero(substitute(total.rhs, first))
    lower, upper = "0", f"{item.length}-1"
    if vanishes:
        forward = any(context.name_of(prev).time == "t-1" for prev in first)
        lower, upper = ("1", upper) if forward else (lower, f"{item.length}-2")
    return _line(total.lhs, total.rhs, context, front=context.style.total.format(lower, upper))


def _line_of_end(carry: Carry, item: Recurrence, context: Context) -> Line:
    """The adjoint of the initial state: the message of the step that runs last."""
    names = dict(context.names)
    last = _fixed(carry.next, 0 if item.reverse else "T-1", names, {})
    return _line(carry.final, last, replace(context, names=names))


# closed form ------------------------------------------------------------------------------------


def _closed_lines(program: Program, style: Style) -> list[Line]:
    """The outputs with everything substituted, as text: no recursion over the nested expression.

    What is a number, a symbol or a product is put in as it is, so that products stay flat; what is
    a sum or a function is put in as a mark, which is replaced by its text at the end.
    """
    check_text(size(program)[0])
    texts: dict[Expr, Text] = {}
    parts: dict[str, str] = {}
    places: dict[Expr, Expr] = {}
    context = Context(style, program.names, texts)
    for index, equation in enumerate(program.assignments):
        rhs = equation.rhs.xreplace(places)
        if rhs.is_Atom or rhs.is_Mul or equation.lhs in program.outputs:
            places[equation.lhs] = rhs
            continue
        shown = show(rhs, context)
        mark = chr(0xF0000 + index)
        parts[mark] = shown.text[len(shown.head) :]
        texts[equation.lhs] = Text(shown.head + mark, shown.level, shown.head)
    lengths = _lengths(parts)
    sums = {output: terms_of(places.get(output, output), context) for output in program.outputs}
    _check_length(sum(lengths.get(sign, 1) for terms in sums.values() for term in terms for sign in "".join(term)))
    return [
        Line(
            style.symbol(name_of(program.names, output)),
            [[_fill(factor, parts) for factor in term] for term in terms],
        )
        for output, terms in sums.items()
    ]


def _lengths(parts: dict[str, str]) -> dict[str, int]:
    """The length of each mark's text with everything in it replaced."""
    lengths: dict[str, int] = {}
    for mark, text in parts.items():
        lengths[mark] = sum(lengths.get(sign, 1) for sign in text)
    return lengths


def _check_length(length: int) -> None:
    if length > CHARACTERS:
        raise ValueError(
            f"closed form: expected at most {CHARACTERS} characters, got {round_number(length)}; take zoom 'unrolled'"
        )


def _fill(text: str, parts: dict[str, str]) -> str:
    """The text with every mark replaced by what it stands for; the marks nest as deep as the steps."""
    pieces: list[str] = []
    waiting = [text]
    while waiting:
        piece = waiting.pop()
        for i, sign in enumerate(piece):
            if sign in parts:
                pieces.append(piece[:i])
                waiting += [piece[i + 1 :], parts[sign]]
                break
        else:
            pieces.append(piece)
    return "".join(pieces)
