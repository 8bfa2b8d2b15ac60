"""The forward pass on paper: each formula, the same with numbers put in, the result."""

from collections.abc import Sequence

from symrnn.documents.blocks import Block, Formulas, Paragraph
from symrnn.documents.example import FEW_STEPS, Example
from symrnn.documents.inline import Prose, prose, series
from symrnn.documents.sections.forward import model_equations
from symrnn.programs.program import Equation, Program
from symrnn.programs.transforms import name_of
from symrnn.typesetting.substitution import chain, chain_rows


def blocks(example: Example) -> tuple[Block, ...]:
    """Each equation with its numbers put in, and the result."""
    if example.derivation.is_open:
        return ()
    if not example.is_worked:
        return (Paragraph(prose("The numbers are left out: ", example.left_out)),)
    program, numbers = example.forward, example.numbers
    equations = model_equations(program)
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
