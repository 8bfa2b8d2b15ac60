"""The forward pass on paper: its equations with their labels, and the same with numbers put in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symrnn.documents.blocks import Block, Equations, Formulas, Paragraph
from symrnn.documents.example import FEW_STEPS, Example
from symrnn.documents.inline import Prose, prose, series
from symrnn.programs.dataflow import SUM, kinds
from symrnn.programs.program import Equation, Program, symbols_of
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context, terms_of
from symrnn.typesetting.layout import Row, flat
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM, Chain, chain, chain_rows
from symrnn.typesetting.widths import points


def forward_blocks(example: Example) -> tuple[Block, ...]:
    """The forward equations: of every time step where they are few, for a general t else."""
    if not example.few:
        display = replace(example.gradient.display("step"), part="forward")
        return (Paragraph(_OF_SUMS), Equations(display))
    program = example.forward
    context = Context(LATEX, program.names)
    starts = [Row((context.name_of(s).latex, "= 0")) for s in example.starts]
    rows = [row for one in labelled(program) for row in one.rows(context)]
    return (Paragraph(_OF_SUMS), Formulas((*starts, *rows)))


_OF_SUMS = prose(
    "Each equation uses what those before it define. The sum inside an activation has a name of its own, such as "
    "$a_t$, because the way back stops there."
)


def _shown(program: Program) -> list[Equation]:
    """The equations of the model: without the sum of all outputs, which only the way back needs."""
    return [equation for equation in program.assignments if name_of(program.names, equation.lhs).base != "s"]


@dataclass(frozen=True)
class Labelled:
    """The equations of one label: one alone, or a sum with what activates it."""

    equations: tuple[Equation, ...]
    label: str
    opens: bool = False

    def rows(self, context: Context) -> Iterator[Row]:
        """The rows; a wider gap where a time step begins."""
        cells = tuple(cell for equation in self.equations for cell in _cells(equation, context))
        found = [Row(cells)] if points("".join(cells)) < ROOM else _broken(self.equations[0], context)
        yield replace(found[0], tag=self.label, gap=3 if self.opens else 0)
        yield from found[1:]


def labelled(program: Program) -> list[Labelled]:
    """The equations with labels that have meaning and time: F0, or F0.1, F0.2 where a step has several; Fy."""
    equations, context = _shown(program), Context(LATEX, program.names)
    groups: list[tuple[Equation, ...]] = []
    for equation in equations:
        before = groups[-1] if groups else ()
        if len(before) == 1 and _activates(equation, before[0]) and _fits((*before, equation), context):
            groups[-1] = (*before, equation)
        else:
            groups.append((equation,))
    letters = [name_of(program.names, group[-1].lhs) for group in groups]
    names = [str(letter.time) if isinstance(letter.time, int) else letter.base for letter in letters]
    return [
        Labelled(
            group,
            f"F{name}" if names.count(name) == 1 else f"F{name}.{names[: i + 1].count(name)}",
            bool(i) and names[i - 1] != name,
        )
        for i, (group, name) in enumerate(zip(groups, names, strict=True))
    ]


def labels(program: Program) -> dict[str, str]:
    """The labels by the names of what the equations define."""
    return {equation.lhs.name: one.label for one in labelled(program) for equation in one.equations}


def _fits(equations: Sequence[Equation], context: Context) -> bool:
    return points("".join(cell for equation in equations for cell in _cells(equation, context))) < ROOM - 40


def _activates(following: Equation, equation: Equation) -> bool:
    """Whether an equation only applies a function to what the one before defines."""
    return list(symbols_of([following.rhs])) == [equation.lhs] and SUM not in kinds(following.rhs, equation.lhs)


def _cells(equation: Equation, context: Context) -> tuple[str, ...]:
    terms = terms_of(equation.rhs, context)
    return context.show(equation.lhs), f"= {flat(terms)}"


def _broken(equation: Equation, context: Context) -> list[Row]:
    return list(chain_rows([Chain(context.show(equation.lhs), terms_of(equation.rhs, context), (), "")]))


# with numbers -----------------------------------------------------------------------------------


def worked_blocks(example: Example) -> tuple[Block, ...]:
    """The forward pass with numbers: formula, numbers put in, result."""
    if example.derivation.is_open:
        return ()
    program, numbers = example.forward, example.numbers
    equations = _shown(program)
    last = max((t for t in (_time(e, program) for e in equations) if t is not None), default=0)
    parts = _by_time(equations, program, last)
    chains = [
        chain(equation, numbers, program.names, gap=4 if place and equation is part[0] else 0)
        for place, part in enumerate(parts)
        for equation in part
    ]
    dots = [Paragraph(_OF_DOTS)] if len(parts) < len(_by_time(equations, program, last, everything=True)) else []
    given = _of_drawn(example)
    digits = _OF_DIGITS if example.scalar else _OF_DECIMALS
    return (Paragraph(prose(given, digits)), Formulas(chain_rows(chains)), *dots)


def _of_drawn(example: Example) -> Prose:
    """Which numbers are nobody's but examples."""
    names = [prose(text) for name, text in _DRAWN.items() if name in example.drawn]
    if not names:
        return ()
    verb = " are drawn at random. " if len(names) > 1 or "weights" in example.drawn else " is drawn at random. "
    return prose("The ", series(names), verb)


_DRAWN = {"weights": "weights", "x": "input", "y_true": "target"}
_OF_DIGITS = prose(
    r"Each line: the formula, the numbers put in, the result. Given numbers stand in full. Computed ones are shown "
    r"with seven significant digits and *carried* in full, so the last digit of a result may differ from what the "
    r"shown digits give. A rounded result has $\approx$."
)
_OF_DECIMALS = prose(
    r"Each line: the formula, the numbers put in, the result. Numbers are shown with four decimals and *carried* in "
    r"full, so the last digit of a result may differ from what the shown digits give. A rounded result has $\approx$."
)
_OF_DOTS = prose("The time steps between are computed in the same way; only the first two and the last are shown.")


def _time(equation: Equation, program: Program) -> int | None:
    time = name_of(program.names, equation.lhs).time
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
