"""The sections of a document, in a reader's order, each a function of its subject."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from symrnn.closed import NESTING, OPERATIONS, count, size
from symrnn.conventions import letters_blocks
from symrnn.document import Block, Equations, Figure, Formulas, Paragraph, Section, Table
from symrnn.glyphs import Number, Piece, Transposed
from symrnn.gradients import gradients_blocks
from symrnn.layout import Row, points, rows
from symrnn.modeltable import model_table
from symrnn.notation import Letter
from symrnn.picture import Picture, picture
from symrnn.printing import Display, lines_of
from symrnn.program import Equation, Letters, Program, symbols_of
from symrnn.prose import Math, Prose, prose, series
from symrnn.reasons import rule_table
from symrnn.report import AGREES, DIFFERS, UNDECIDABLE, Report
from symrnn.report import Row as ReportRow
from symrnn.slips import slips
from symrnn.styles import LATEX
from symrnn.subject import FEW_STEPS, Subject
from symrnn.substitution import ROOM, Chain, chain, chain_rows, written
from symrnn.transforms import letter_of
from symrnn.typeset import Context, terms_of
from symrnn.uses import kinds
from symrnn.walkthrough import rules_used, steps

_CLOSED_ROWS, _MOST_STEPS, _OPERATIONS, _ENTRIES_COUNTED = 3, 24, 300, 2000


# model and picture ------------------------------------------------------------------------------


def _model(subject: Subject) -> tuple[Block, ...]:
    weights = subject.weights if subject.scalar else None
    return (model_table(subject.derivation.network, weights),)


def _picture(subject: Subject) -> tuple[Block, ...]:
    network = subject.derivation.network
    rolled = [_figure(picture(network, rolled=True))] if network.states else []
    return (*rolled, _figure(picture(network)))


def _figure(drawn: Picture) -> Figure:
    return Figure(drawn, tuple(map(_span, drawn.parts)))


def _span(piece: Piece) -> str | Math:
    if isinstance(piece, Letter):
        return Math(piece.latex)
    if isinstance(piece, Transposed):
        return Math(piece.letter.latex + LATEX.transposed)
    return Math(written(piece.value)) if isinstance(piece, Number) else piece


# forward ----------------------------------------------------------------------------------------


def _forward(subject: Subject) -> tuple[Block, ...]:
    """The forward equations: of every time step where they are few, for a general t else."""
    if not subject.few:
        display = replace(subject.gradient.display("step"), part="forward")
        return (Paragraph(_OF_SUMS), Equations(display))
    program = subject.forward
    found = [Row((letter_of(program.letters, s).latex, "= 0")) for s in subject.starts]
    return (Paragraph(_OF_SUMS), Formulas((*found, *_paired(_shown(program), program.letters))))


_OF_SUMS = prose(
    "Each equation uses what those before it define. The sum inside an activation has a name of its own, such as "
    "$a_t$, because the way back stops there."
)


def _shown(program: Program) -> list[Equation]:
    """The equations of the model: without the sum of all outputs, which only the way back needs."""
    return [equation for equation in program.assignments if letter_of(program.letters, equation.lhs).base != "s"]


def _paired(equations: Sequence[Equation], letters: Letters) -> Iterator[Row]:
    """One row for each equation; for a sum and what activates it, one for both where there is room."""
    context = Context(LATEX, letters)
    pending: tuple[str, ...] = ()
    grouped: list[tuple[Letter, list[Row]]] = []
    for i, equation in enumerate(equations):
        following = equations[i + 1] if i + 1 < len(equations) else None
        cells = _cells(equation, context)
        if following is not None and not pending and _activates(following, equation):
            both = (*cells, *_cells(following, context))
            if points("".join(both)) < ROOM - 40 and len(cells) == 2:
                pending = cells
                continue
        grouped.append((letter_of(letters, equation.lhs), _rows(equation, pending, context)))
        pending = ()
    yield from _labelled(grouped)


def _activates(following: Equation, equation: Equation) -> bool:
    """Whether an equation only applies a function to what the one before defines."""
    return list(symbols_of([following.rhs])) == [equation.lhs] and "sum" not in kinds(following.rhs, equation.lhs)


def _cells(equation: Equation, context: Context) -> tuple[str, ...]:
    terms = terms_of(equation.rhs, context)
    return context.show(equation.lhs), "= " + " ".join(" ".join(term) for term in terms)


def _rows(equation: Equation, before: tuple[str, ...], context: Context) -> list[Row]:
    cells = (*before, *_cells(equation, context))
    if points("".join(cells)) < ROOM:
        return [Row(cells)]
    return list(chain_rows([Chain(context.show(equation.lhs), terms_of(equation.rhs, context), (), "")]))


def _labelled(grouped: Sequence[tuple[Letter, Sequence[Row]]]) -> Iterator[Row]:
    """Labels with meaning and time: F0, F1, ..., or F0.1, F0.2 where a time step has several; Fy."""
    names = [str(letter.time) if isinstance(letter.time, int) else letter.base for letter, _ in grouped]
    for i, (name, (_, found)) in enumerate(zip(names, grouped, strict=True)):
        place = names[: i + 1].count(name)
        tag = f"F{name}" if names.count(name) == 1 else f"F{name}.{place}"
        yield replace(found[0], tag=tag, gap=3 if i and names[i - 1] != name else 0)
        yield from found[1:]


# closed form ------------------------------------------------------------------------------------


def _closed(subject: Subject) -> tuple[Block, ...]:
    """The closed form up to three lines; beyond, how large it is."""
    derivation = subject.derivation
    if derivation.is_open:
        return ()
    if _is_large(subject):
        return (Paragraph(prose(f"With everything put in, an output has more than {count(OPERATIONS)} operations: ", *_UNREAD)),)
    operations, nesting = size(derivation.program("scalar"))
    if operations <= _OPERATIONS and nesting <= NESTING:
        lines = lines_of(derivation.display("closed"), LATEX)
        if all(points("".join(map("".join, line.terms))) <= _CLOSED_ROWS * ROOM for line in lines) and len(lines) <= 3:
            return (Paragraph(_OF_CLOSED), Formulas(tuple(rows(lines, ROOM))))
    text = f"With everything put in, an output has {count(operations)} operations, nested {nesting} deep: "
    return (Paragraph(prose(text, *_UNREAD)),)


def _is_large(subject: Subject) -> bool:
    """Whether even to count the operations would take long: every entry of every time step is one."""
    network = subject.derivation.network
    entries = sum(int(np.prod(array.shape)) for array in network.arrays)
    return entries * max(filter(None, network.timesteps.values()), default=1) > _ENTRIES_COUNTED


_UNREAD = prose(
    "a formula that nobody reads. The forward equations say the same, in the order in which it is computed."
)
_OF_CLOSED = prose("Each equation put into the next one, with the state before the first step zero:")


# worked example ---------------------------------------------------------------------------------


def _worked(subject: Subject) -> tuple[Block, ...]:
    """The forward pass with numbers: formula, numbers put in, result."""
    if subject.derivation.is_open:
        return ()
    program, numbers = subject.forward, subject.numbers
    equations = _shown(program)
    last = max((t for t in (_time(e, program) for e in equations) if t is not None), default=0)
    parts = _by_time(equations, program, last)
    chains = [
        chain(equation, numbers, program.letters, gap=4 if place and equation is part[0] else 0)
        for place, part in enumerate(parts)
        for equation in part
    ]
    dots = [Paragraph(_OF_DOTS)] if len(parts) < len(_by_time(equations, program, last, everything=True)) else []
    given = prose("The numbers are drawn at random. ") if subject.drawn else ()
    digits = _OF_DIGITS if subject.scalar else _OF_DECIMALS
    return (Paragraph(prose(given, digits)), Formulas(chain_rows(chains)), *dots)


_OF_DIGITS = prose(
    "Each line: the formula, the numbers put in, the result. Given numbers stand in full. Computed ones are shown with "
    r"seven significant digits and *carried* in full, so the last digit of a result may differ from what the shown "
    r"digits give. A rounded result has $\approx$."
)
_OF_DECIMALS = prose(
    "Each line: the formula, the numbers put in, the result. Numbers are shown with four decimals and *carried* in full, "
    r"so the last digit of a result may differ from what the shown digits give. A rounded result has $\approx$."
)
_OF_DOTS = prose("The time steps between are computed in the same way; only the first two and the last are shown.")


def _time(equation: Equation, program: Program) -> int | None:
    time = letter_of(program.letters, equation.lhs).time
    return time if isinstance(time, int) else None


def _by_time(
    equations: Sequence[Equation], program: Program, last: int, everything: bool = False
) -> list[list[Equation]]:
    """Runs of equations of one time step; of many steps the first two and the last."""
    shown = range(last + 1) if everything or last < FEW_STEPS else (0, 1, last)
    runs: list[tuple[int | None, list[Equation]]] = []
    for equation in equations:
        time = _time(equation, program)
        if runs and runs[-1][0] == time:
            runs[-1][1].append(equation)
        else:
            runs.append((time, [equation]))
    return [run for time, run in runs if time is None or time in shown]


# the way back -----------------------------------------------------------------------------------


def _backward(subject: Subject) -> tuple[Block, ...]:
    """Backpropagation step by step, with the rules by which it goes."""
    gradient, s = subject.gradient, subject.gradient.objective
    zoom = "unrolled" if subject.few else "step"
    found = steps(gradient, zoom, subject.numbers if subject.few else None)
    if len(found) > _MOST_STEPS and zoom == "unrolled":
        found = steps(gradient, "step")
        zoom = "step"
    what = {"y": "$y$", "L": "the loss $L$", "s": "$s$, the sum of all outputs"}[s]
    intro = prose(
        f"A bar marks the *adjoint* of a quantity, the derivative of {what} by it, and has the shape of the quantity; "
        r"that of a sum $a_t$ is called $\delta_t$:"
    )
    partial = rf"\frac{{\partial {s}}}{{\partial {{}}}}"
    definitions = Row(
        (
            r"\bar z",
            "= " + partial.replace("{}", "z"),
            r"\bar h_t",
            "= " + partial.replace("{}", "h_t"),
            r"\delta_t",
            r"= \bar a_t = " + partial.replace("{}", "a_t"),
        )
    )
    order = prose("The way back goes through the forward equations from the last to the first, by these rules.")
    adjoints = {name: float(v.reshape(())) for name, v in subject.values.items() if v.size == 1}
    few = subject.few and subject.scalar
    drawn = picture(gradient.network, backward=True, numbers=adjoints if few else None)
    table = rule_table(rules_used(gradient, zoom), subject.scalar)
    return (Paragraph(intro), Formulas((definitions,)), Paragraph(order), table, _figure(drawn), *found)


# any number of units and steps -------------------------------------------------------------------


def _general(subject: Subject) -> tuple[Block, ...]:
    """The equations for a general t and rows of samples, with the reasons for their form."""
    display = subject.gradient.display("step", "N")
    blocks: list[Block] = [
        Paragraph(_OF_ROWS),
        Equations(replace(display, part="forward")),
        Equations(replace(display, part="adjoint")),
        Paragraph(_BIAS, "The bias."),
        Paragraph(_TRANSPOSE, "Why the transpose."),
        Formulas(_ENTRIES),
        Paragraph(_SHAPES),
        Paragraph(_ELEMENTWISE, "Why the elementwise product."),
        Paragraph(_SUM, "Why the sum over time."),
    ]
    return (*blocks, *_signal(subject))


_OF_ROWS = prose(
    "Now $N$ samples, one to a row, any number of features, units and time steps $t = 0, \\dots, T-1$. Samples are rows, as in "
    "Keras, so the weights stand on the right."
)
_BIAS = prose(
    r"A bias is added to every row: $\mathbf 1$ is a column of $N$ ones, and in the derivative $\mathbf 1^{\mathsf T}$ sums over "
    "the samples."
)
_TRANSPOSE = prose(
    r"Let $P = H V$, that is $p_{bj} = \sum_k h_{bk} v_{kj}$. Entry $k$ of sample $b$ reaches every $p_{bj}$, each with slope $v_{kj}$:"
)
_ENTRIES = (
    Row((r"\bar h_{bk}", r"= \sum_j \bar p_{bj} v_{kj} = (\bar P V^{\mathsf T})_{bk}")),
    Row((r"\bar v_{kj}", r"= \sum_b h_{bk} \bar p_{bj} = (H^{\mathsf T} \bar P)_{kj}"), gap=3),
)
_SHAPES = prose(
    "Forward the sum runs over the first index of $V$, backward over the second: that is the transpose. The shapes leave no "
    r"other choice: an adjoint has the shape of its quantity, and $\bar P$ has the shape of $P$."
)
_ELEMENTWISE = prose(
    r"$h_{bj} = f(a_{bj})$ contains no other entry of $a$. So the Jacobian is diagonal, and to multiply a row by a diagonal "
    r"matrix is to multiply entry by entry, which $\odot$ says. Books write the same as $\mathrm{diag}(f'(a))$."
)
_SUM = prose(
    r"The same weight stands in every time step. With copies $U_{(0)}, \dots, U_{(T-1)}$, each used once, copy $t$ receives "
    r"$x_t^{\mathsf T} \delta_t$; setting all copies equal adds their derivatives."
)


def _signal(subject: Subject) -> tuple[Block, ...]:
    """The Jacobian of one state by the one before, where the model has plain states."""
    derivation = subject.derivation
    if derivation.is_open or not derivation.network.states or (derivation.timesteps or 0) < 2:
        return ()
    state = letter_of(derivation.network.program.letters, derivation.network.states[0].symbol)
    later, earlier = (1, 0) if not derivation.network.states[0].reverse else (0, 1)
    found = derivation.jacobian(state.at(later).code, state.at(earlier).code)
    text = prose(
        "How much a state moves with the one before is a Jacobian, with rows as here; over several steps it is the product of "
        "these, in the order of time:"
    )
    program = found.program()
    rows_of_jacobian = rows(lines_of(Display(program), LATEX)[-1:], ROOM)
    return (Paragraph(text, "How far the signal goes."), Formulas(tuple(rows_of_jacobian)))


# slips, check, letters --------------------------------------------------------------------------


def _slips(subject: Subject) -> tuple[Block, ...]:
    """The common slips, each with the gradients that it would give."""
    found = slips(subject.gradient, subject.arguments)
    arrays = subject.gradient.network.arrays
    s = subject.gradient.objective
    moved = [
        i
        for i in range(len(arrays))
        if any(not np.array_equal(one.gradients[i], found[0].gradients[i]) for one in found)
    ]
    places = moved[:3]
    if not places:
        return ()
    head = ("what a slip would give", *(prose(Math(_entry_of(arrays[i].letter, arrays[i].shape, s))) for i in places))
    table = [(one.label, *(_number(float(one.gradients[i].reshape(-1)[0])) for i in places)) for one in found]
    right = tuple(range(1, len(head)))
    return (Paragraph(_OF_SLIPS), Table(head, tuple(table), right))


_OF_SLIPS = prose(
    "Whoever has another number finds the slip here: each row is the same way back with one rule swapped."
)


def _entry_of(letter: Letter, shape: tuple[int, ...], s: str) -> str:
    """The derivative by the first entry of a weight."""
    part = letter if all(size == 1 for size in shape) else letter.part(*([0] * len(shape)))
    return rf"\partial {s} / \partial {part.latex}"


def _number(value: float) -> Prose:
    return (Math(written(value)),)


def _check(subject: Subject) -> tuple[Block, ...]:
    """The comparison with Keras as a table, in each dtype, and what it says."""
    if subject.reports is None:
        return ()
    found = subject.reports()
    if isinstance(found, str):
        return (Paragraph((f"Keras cannot build this model: {found}.",)),)
    first = found[0]
    head = ["quantity", "symrnn", f"Keras, {first.dtype}", "difference", "allowed"]
    head += [name for report in found[1:] for name in (f"in {report.dtype}", "allowed")]
    table = [
        (
            (Math(_quantity(row.quantity)),),
            f"{row.ours:.12g}",
            str(np.dtype(first.dtype).type(row.theirs)),
            *(text for report in found for text in _differences(report.rows[i])),
            _worst([report.rows[i].verdict for report in found]),
        )
        for i, row in enumerate(first.rows)
    ]
    right = tuple(range(1, len(head)))
    said = prose(*(_with_formulas(f"{report.dtype}: {report.conclusion} ", report) for report in found))
    return (Table((*head, "verdict"), tuple(table), right), Paragraph(prose((_compared(first),))), Paragraph(said))


def _compared(report: Report) -> str:
    objective = f"the loss {report.loss}" if report.loss else "the sum of the outputs"
    return (
        f"{report.versions}, training=False, gradients of {objective} by GradientTape. A difference is that of the entry "
        "which differs most, relative to the largest; allowed is what rounding explains."
    )


def _with_formulas(text: str, report: Report) -> Prose:
    """A sentence with the quantities in it as formulas."""
    names = sorted({row.quantity for row in report.rows}, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, names)) + r")(?=[ ,.;:])", text)
    return tuple(Math(_quantity(part)) if part in names else part for part in parts if part)


def _differences(row: ReportRow) -> tuple[str, str]:
    return f"{row.difference:.1e}", f"{row.allowed:.1e}"


def _worst(verdicts: Sequence[str]) -> str:
    return next(verdict for verdict in (DIFFERS, UNDECIDABLE, AGREES) if verdict in verdicts)


_SIGNS = {"∂": r"\partial ", "→": r"\rightarrow ", "←": r"\leftarrow ", "/": " / "}


def _quantity(name: str) -> str:
    return "".join(_SIGNS.get(sign, sign) for sign in name)


def _letters(subject: Subject) -> tuple[Block, ...]:
    units = subject.derivation.network.graph.layers
    return letters_blocks([type(cell) for layer in units for cell in getattr(layer, "cells", ())])


SECTIONS: Mapping[str, tuple[str, Callable[[Subject], tuple[Block, ...]]]] = {
    "model": ("The model", _model),
    "picture": ("The network, rolled and unrolled", _picture),
    "forward": ("Forward equations", _forward),
    "closed": ("Closed form", _closed),
    "worked": ("Worked example", _worked),
    "backward": ("Backpropagation through time", _backward),
    "gradients": ("The gradients, with their numbers", gradients_blocks),
    "slips": ("Common slips", _slips),
    "general": ("Any number of units and steps", _general),
    "check": ("Check against Keras", _check),
    "letters": ("The letters in other texts", _letters),
}
"""Title and blocks of each section by its name, in the order of a document."""


def section(name: str, subject: Subject) -> Section | None:
    """The section of this name; None where the model has nothing to say in it."""
    title, make = SECTIONS[name]
    blocks = make(subject)
    return Section(name, title, blocks) if blocks else None
