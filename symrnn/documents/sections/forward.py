"""The forward equations with their labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symrnn.documents.blocks import Block, Equations, Formulas, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.inline import prose
from symrnn.programs.dataflow import SUM, kinds
from symrnn.programs.program import Equation, Program, symbols_of
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context, terms_of
from symrnn.typesetting.layout import DisplayRow, flat
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM, Chain, chain_rows
from symrnn.typesetting.widths import points


def blocks(example: Example) -> tuple[Block, ...]:
    """The equations with their labels: of every time step where they are few, for a general t else."""
    if not example.few:
        display = replace(example.gradient.display("step"), part="forward")
        return (Paragraph(_OF_SUMS), Equations(display))
    program = example.forward
    context = Context(LATEX, program.names)
    starts = [DisplayRow((context.name_of(s).latex, "= 0")) for s in example.starts]
    rows = [row for one in labelled_equations(program) for row in one.rows(context)]
    return (Paragraph(_OF_SUMS), Formulas((*starts, *rows)))


_OF_SUMS = prose(
    "Each equation uses what those before it define. The sum inside an activation has a name of its own, such as "
    "$a_t$, because the way back stops there."
)


def model_equations(program: Program) -> list[Equation]:
    """The equations of the model: without the sum of all outputs, which only the way back needs."""
    return [equation for equation in program.assignments if name_of(program.names, equation.lhs).base != "s"]


@dataclass(frozen=True)
class Labelled:
    """The equations of one label: one alone, or a sum with what activates it."""

    equations: tuple[Equation, ...]
    label: str
    opens: bool = False

    def rows(self, context: Context) -> Iterator[DisplayRow]:
        """The rows; a wider gap where a time step begins."""
        cells = tuple(cell for equation in self.equations for cell in _cells(equation, context))
        found = [DisplayRow(cells)] if points("".join(cells)) < ROOM else _broken(self.equations[0], context)
        yield replace(found[0], tag=self.label, gap=3 if self.opens else 0)
        yield from found[1:]


def labelled_equations(program: Program) -> list[Labelled]:
    """The equations with labels that have meaning and time: F0, or F0.1, F0.2 where a step has several; Fy."""
    equations, context = model_equations(program), Context(LATEX, program.names)
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
    return {equation.lhs.name: one.label for one in labelled_equations(program) for equation in one.equations}


def _fits(equations: Sequence[Equation], context: Context) -> bool:
    return points("".join(cell for equation in equations for cell in _cells(equation, context))) < ROOM - 40


def _activates(following: Equation, equation: Equation) -> bool:
    """Whether an equation only applies a function to what the one before defines."""
    return list(symbols_of([following.rhs])) == [equation.lhs] and SUM not in kinds(following.rhs, equation.lhs)


def _cells(equation: Equation, context: Context) -> tuple[str, ...]:
    terms = terms_of(equation.rhs, context)
    return context.show(equation.lhs), f"= {flat(terms)}"


def _broken(equation: Equation, context: Context) -> list[DisplayRow]:
    return list(chain_rows([Chain(context.show(equation.lhs), terms_of(equation.rhs, context), (), "")]))
