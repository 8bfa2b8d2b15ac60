"""The gradients with their numbers: by time step, in all, and which steps matter."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from symrnn.common.limits import MULTIPLICATIONS, TERMS
from symrnn.derivations.contributions import Contributions, contributions_of, over_time, terms_count
from symrnn.derivations.numbers import lambdify_jacobian
from symrnn.documents.blocks import Block, Figure, Formulas, Paragraph
from symrnn.documents.example import Example
from symrnn.documents.inline import Math, Prose, Span, order_latex, prose
from symrnn.documents.sections.contributions_plot import plot_of
from symrnn.documents.sections.timetable import tables
from symrnn.expressions.nodes import steps_symbol
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Recurrence
from symrnn.programs.transforms import name_of
from symrnn.typesetting.layout import DisplayRow
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import matrix

_CELLS, _CURVES = 6, 6


def blocks(example: Example) -> tuple[Block, ...]:
    """A row for each time step, the gradients, a plot of what each step contributes."""
    if not example.is_numbered:
        return (Paragraph(prose("The numbers are left out: ", example.left_out)),)
    terms = terms_count(example.gradient)
    parts = contributions_of(example.gradient, example.values) if terms <= TERMS else ()
    found: list[Block] = []
    if terms > TERMS:
        found += [
            Paragraph(prose(f"The terms of each time step are left out: they have {order_latex(terms)} numbers."))
        ]
    if parts and len(parts[0].sizes) > 1:
        found += [Paragraph(_intro(example)), *tables(example, parts), *_share(example)]
    gradients = tuple(_gradients(example))
    if gradients:
        found += [Paragraph(prose("The gradients in all:")), Formulas(gradients)]
    return (*found, *_plot(parts))


def _intro(example: Example) -> Prose:
    what = (
        "each gradient is the sum of its column"
        if example.scalar
        else "a column shows Euclidean norms, its last row the norm of the whole gradient"
    )
    return prose(f"One row for each time step, the last step first, as the derivation went; {what}.")


# the gradients ----------------------------------------------------------------------------------


def _gradients(example: Example) -> Iterator[DisplayRow]:
    """Each derivative and its value, three numbers in a row; of large matrices the corners."""
    pending: tuple[str, ...] = ()
    for weight in example.gradient.table:
        name = weight.name.partial(example.gradient.objective)
        found = example.values[name.code] if name.time is None else over_time(name, example.values)
        value = np.asarray(found, float) + 0.0  # no -0
        if value.size > 1:
            yield DisplayRow((name.latex, rf"\approx {matrix(np.atleast_2d(value)).text}"), gap=3)
            continue
        pending += (name.latex, LATEX.value(float(value.reshape(()))))
        if len(pending) == _CELLS:
            yield DisplayRow(pending, gap=3)
            pending = ()
    if pending:
        yield DisplayRow(pending, gap=3)


def _share(example: Example) -> Iterator[Block]:
    """Which part of the deltas, added up, the step with the largest has."""
    names = example.gradient.steps.names
    items = [item for item in example.gradient.steps.equations if isinstance(item, Recurrence)]
    named = [equation.lhs for item in items for equation in item.body.assignments]
    for symbol in [s for s in named if name_of(names, s).base == "delta"][:1]:
        name = name_of(names, symbol)
        sizes = [float(np.linalg.norm(value)) for value in over_time(name, example.values)]
        total = sum(sizes)
        if total > 0 and math.isfinite(total):
            largest = int(np.argmax(sizes))
            left, right = (r"\lvert", r"\rvert") if example.scalar else (r"\lVert", r"\rVert")
            part = f"The step $t = {largest}$ makes {100 * sizes[largest] / total:.1f} % of "
            yield Paragraph(prose(part, Math(rf"\sum_t {left} {name.latex} {right}"), ".", *_reach(example)))


def _reach(example: Example) -> Iterator[Span]:
    """By what a signal is multiplied from the last step to the first: the Jacobian of the states, or its norm."""
    derivation, states = example.derivation, example.derivation.network.states
    if derivation.is_open or not states or states[0].reverse:
        return
    letter = name_of(derivation.network.program.names, states[0].symbol)
    last = (derivation.network.timesteps[steps_symbol(letter.steps)] or 1) - 1
    later, earlier = letter.at(last), letter.at(0)
    size = derivation.count("scalar") * int(shape_of(states[0].symbol)[1])
    if size > MULTIPLICATIONS:
        whole = f" The Jacobian from $t = {last}$ to $t = 0$ is left out: it takes {order_latex(size)} multiplications"
        yield from prose(whole, ".")
        return
    value = lambdify_jacobian(derivation.jacobian(later.code, earlier.code))(example.x, list(example.weights))
    name = rf"\partial {later.latex} / \partial {earlier.latex}"
    yield from prose(f" From $t = {last}$ to $t = 0$ the signal is multiplied by ")
    if example.scalar:
        yield Math(f"{name} {LATEX.value(float(value.reshape(())))}")
    else:
        yield from prose(f"a Jacobian, $\\lVert {name} \\rVert {LATEX.value(float(np.linalg.norm(value)))}$")
    yield "."


def _plot(found: Sequence[Contributions]) -> Iterator[Block]:
    """The plot of the sizes, where there are several time steps and matplotlib is installed."""
    if not found or len(found[0].sizes) < 2 or find_spec("matplotlib") is None:
        return
    steps = len(found[0].sizes)
    kept = [one for one in found if len(one.sizes) == steps and all(map(math.isfinite, one.sizes))][:_CURVES]
    if kept:
        plot = plot_of({replace(one.name, mark="", objective="").latex: one.sizes for one in kept})
        yield Figure(plot, prose(plot.caption))
