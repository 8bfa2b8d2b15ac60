"""The rules of backpropagation as a table, and why a step is as it is.

A reason is given once for each kind of step: repeated for every time step it would be noise.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Symbol, tanh
from sympy.matrices.expressions import HadamardProduct

from symrnn.documents.blocks import Cell, Table
from symrnn.documents.inline import Math, Prose, prose, series
from symrnn.documents.sections.backward_stages import BackwardPass, Stage
from symrnn.expressions.nodes import SLOTS, Elementwise
from symrnn.programs.dataflow import ACTIVATION, LARGEST, ORDER, PARTS, PRODUCT, REUSE, ROW, SUM, Use, stand_together
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import CANCELS, decimals, written


@dataclass(frozen=True)
class Rule:
    """One rule: what an equation is, what it sends back, and because of what; for numbers and for matrices."""

    name: str
    equation: str
    sends: str
    because: str
    of_matrices: tuple[str, str, str] | None = None


RULES: Mapping[str, Rule] = {
    SUM: Rule(
        "sum",
        "$z = p + q$",
        r"$\bar p = \bar z,\ \ \bar q = \bar z$",
        "each term of a sum has slope 1",
    ),
    PRODUCT: Rule(
        "product",
        "$z = p q$",
        r"$\bar p = \bar z q,\ \ \bar q = \bar z p$",
        "the slope in one factor is the other",
        (
            r"$Z = P Q$; $Z = P \odot Q$",
            r"$\bar P = \bar Z Q^{\mathsf T},\ \ \bar Q = P^{\mathsf T} \bar Z$; $\bar P = \bar Z \odot Q$",
            r"$z_{ij} = \sum_k p_{ik} q_{kj}$; entry by entry",
        ),
    ),
    ACTIVATION: Rule(
        "activation",
        "$z = f(p)$",
        r"$\bar p = \bar z\, f'(p)$",
        "the chain rule, at the point of the forward pass",
        ("$Z = f(P)$", r"$\bar P = \bar Z \odot f'(P)$", "entry by entry, each depends on its own"),
    ),
    REUSE: Rule(
        "reuse",
        "$p$ is read several times",
        r"$\bar p$ is the sum of what comes back",
        "a change of $p$ acts through every use",
    ),
    ROW: Rule(
        "row",
        r"$z = \mathrm{softmax}(p)$",
        r"$\bar p = (\bar z - \bar z z^{\mathsf T}) \odot z$",
        "every entry of $z$ depends on all of $p$",
    ),
    PARTS: Rule("parts", "$z = [p, q]$", r"$\bar z = [\bar p, \bar q]$", "each part has its own columns"),
    LARGEST: Rule(
        "largest",
        r"$z = \max(p, q)$",
        r"$\bar z$ goes to the largest",
        "only the largest passes a change on; equal ones share it",
    ),
    ORDER: Rule("order", "$z_t = p_{T-1-t}$", r"$\bar p_t = \bar z_{T-1-t}$", "the same values in the opposite order"),
}
"""The rules in the order of their numbers, R1, R2, ..."""


def label(kind: str) -> str:
    """R1 for the first rule, and so on."""
    return f"R{list(RULES).index(kind) + 1}"


def references(rules: frozenset[str]) -> Prose:
    """By which rules: by R1, R2."""
    if not rules:
        return prose("definition")
    return prose("by ", ", ".join(label(kind) for kind in RULES if kind in rules))


def rule_table(rules: frozenset[str], scalar: bool) -> Table:
    """The rules that a derivation uses; the first four always, as they are what everything is made of."""
    rows: list[tuple[Cell, ...]] = []
    for kind in RULES:
        if kind in rules or kind in (SUM, PRODUCT, ACTIVATION, REUSE):
            rule = RULES[kind]
            texts = (rule.equation, rule.sends, rule.because) if scalar or not rule.of_matrices else rule.of_matrices
            rows.append((f"{label(kind)} {rule.name}", *map(prose, texts)))
    return Table(("", "an equation ...", "sends back ...", "because"), tuple(rows))


START: Mapping[str, Prose] = {
    "L": prose("Every adjoint is a derivative of the loss $L$; that of $L$ by itself is 1."),
    "s": prose("The objective $s$ is the sum of all outputs; its derivative by itself is 1."),
}


# why --------------------------------------------------------------------------------------------


def why(stage: Stage, rules: frozenset[str], way: BackwardPass, told: set[object]) -> Prose:
    """The reasons for what is new in a step; `told` are those that were given before, and grows."""
    spans: Prose = ()
    for key, sentence in _reasons(stage, rules, way):
        if sentence and key not in told:
            told.add(key)
            spans = (*spans, " ", *sentence) if spans else sentence
    return spans


Reason = tuple[object, Prose]
"""A kind of reason, of which one is given once, and its sentence; empty where there is nothing to say."""


def _reasons(stage: Stage, rules: frozenset[str], way: BackwardPass) -> Iterator[Reason]:
    if not stage.uses:
        yield from _of_start(stage, way)
    elif stage.collects:
        yield "copies", _of_copies(stage, way) if REUSE in rules else ()
        yield "first", _of_first_state(stage, way)
    else:
        for adjoint in stage.adjoints:
            for use in way.uses[adjoint.quantity]:
                yield from _of_use(adjoint.quantity, use, stage, way)
        if REUSE in rules and len({use.lhs for use in stage.uses}) > 1:
            said = " acts through each of its uses, so what comes back from them is added."
            yield REUSE, prose(_names(stage, way), said)
        yield from ((kind, prose(text)) for kind, text in _OF_KIND.items() if kind in rules)


def _names(stage: Stage, way: BackwardPass) -> Prose:
    return series([prose(name_of(way.program.names, adjoint.quantity)) for adjoint in stage.adjoints])


_OF_KIND: Mapping[str, str] = {
    ROW: "Every entry of a softmax depends on the whole row: from each adjoint their mean, weighted by the row itself, "
    "is taken away.",
    PARTS: "Each part that stands in a row receives its own columns of the row's adjoint.",
    LARGEST: "Only the largest value passes a change on; equal ones share it.",
    ORDER: "The values are the same, in the opposite order of time.",
}


def _of_start(stage: Stage, way: BackwardPass) -> Iterator[Reason]:
    if way.objective == "y":
        yield "start", prose("The derivative of ", _names(stage, way), " by itself is 1.")


# products ---------------------------------------------------------------------------------------


def _of_use(quantity: Expr, use: Use, stage: Stage, way: BackwardPass) -> Iterator[Reason]:
    """Why a quantity gets what it gets from the equation that reads it."""
    if ACTIVATION in use.rules:
        yield from _of_activation(quantity, use, way)
    elif PRODUCT in use.rules and any(use.symbol in part.free_symbols for part in use.rhs.atoms(HadamardProduct)):
        yield "entries", prose("The factors of a product entry by entry receive each other.")
    elif PRODUCT in use.rules and isinstance(quantity, Symbol):
        yield from _of_numbers(quantity, use, stage, way)
    elif PRODUCT in use.rules:
        yield from _of_matrices(quantity, use, way)


def _of_numbers(quantity: Expr, use: Use, stage: Stage, way: BackwardPass) -> Iterator[Reason]:
    """The other factor, which is the slope."""
    name = name_of(way.program.names, quantity)
    other = Math(Context(LATEX, way.program.names).show(use.rhs.diff(use.symbol)))
    here = [adjoint.quantity for adjoint in stage.adjoints]
    if quantity in way.weights:
        yield (
            (PRODUCT, "weight"),
            prose(name, " and ", other, " are factors of one product: each receives the other."),
        )
    elif not any(s in way.weights for s in here):
        waits = [s for s in way.weights if s in use.rhs.free_symbols and s not in here]
        names = series([prose(name_of(way.program.names, s)) for s in waits])
        later = prose(" What ", names, " receive waits for the last step.") if len(waits) > 1 else ()
        stands = prose("In ", use.name, " ", name, " stands beside ", other, ", which is its slope there.")
        yield (PRODUCT, "state"), (*stands, *later)


def _of_matrices(quantity: Expr, use: Use, way: BackwardPass) -> Iterator[Reason]:
    """The transpose by entries: which entries a change reaches, and with which slope."""
    letter, reader = name_of(way.program.names, quantity).latex, use.name.latex
    if quantity in way.weights:
        yield (
            (PRODUCT, "weight"),
            prose(
                f"Entry $kj$ of ${letter}$ reaches entry $j$ of ${reader}$ alone, multiplied by entry $k$ of the row "
                f"before it. All these products together are a column times a row: hence the transposed row."
            ),
        )
        return
    weights = [s for s in way.weights if s in use.rhs.free_symbols and stand_together(use.rhs, s, use.symbol)]
    if weights:
        name = name_of(way.program.names, weights[0]).latex
        entry = f"{name}_{{kj}}" if "_" not in name and "^" not in name else f"({name})_{{kj}}"
        yield (
            (PRODUCT, "state"),
            prose(
                f"Entry $k$ of ${letter}$ reaches every entry $j$ of ${reader}$, with the slope ${entry}$. Forward the "
                f"sum runs over the first index of ${name}$, backward over the second: that is the transpose, and the "
                f"shapes leave no other choice."
            ),
        )


# activations ------------------------------------------------------------------------------------


def _of_activation(quantity: Expr, use: Use, way: BackwardPass) -> Iterator[Reason]:
    """The slope, where it is taken, and how it is written."""
    names = way.program.names
    p, z = name_of(names, quantity).latex, name_of(names, use.lhs).latex
    function, slope = _slope(use, Context(LATEX, names))
    if not function:
        return
    where = f"The slope of ${function}$ is taken at the point where the forward pass was"
    if z in slope:
        wrong = f", not ${slope.replace(z, p)}$" if function == r"\tanh" else ""
        yield (ACTIVATION, function), prose(f"{where}; written with the result it is ${slope}${wrong}.")
    else:
        yield (ACTIVATION, function), prose(f"{where}: ${slope}$.")
    if not isinstance(quantity, Symbol):
        alone = f"Each entry of ${z}$ depends on the same entry of ${p}$ alone, so the product goes entry by entry."
        yield "entry by entry", prose(alone)
    yield "cancels", _of_cancellation(use, way)


def _slope(use: Use, context: Context) -> tuple[str, str]:
    """The name of the function and its slope, in the letters of the equation; nothing of what is no function."""
    rhs = use.rhs
    if isinstance(rhs, Elementwise) and len(rhs.matrices) == 1 and rhs.template.is_Function:
        template = rhs.template
        put = template.diff(SLOTS[0]).xreplace({template: SLOTS[1]})
        slope: Expr = Elementwise(put, use.symbol, use.lhs)
    elif rhs.is_Function and rhs.args == (use.symbol,):
        template, slope = rhs, rhs.diff(use.symbol).xreplace({rhs: use.lhs})
    else:
        return "", ""
    return getattr(template, "latex", "") or context.style.name(type(template).__name__), context.show(slope)


def _of_cancellation(use: Use, way: BackwardPass) -> Prose:
    """How many digits 1 - h^2 loses, where h is close to 1, and what the shown digits alone would give."""
    if way.numbers is None or not isinstance(use.lhs, Symbol) or not isinstance(use.rhs, tanh):
        return ()
    h = way.numbers.scalar(use.lhs)
    slope = 1 - h * h
    if not 0 < slope < CANCELS:
        return ()
    rounded = float(f"{h:.7g}")
    off = abs((1 - rounded * rounded) / slope - 1)
    lost = int(-math.log10(slope))
    name, near = name_of(way.program.names, use.lhs).latex, written(1 - rounded * rounded)
    return prose(
        f"${name}$ is close to ${'-' * (h < 0)}1$, so the subtraction cancels {lost} leading "
        f"{'digit' if lost == 1 else 'digits'}: ${name}$ stands here with {decimals(slope)} decimals, and only so "
        f"are seven digits right. With ${name} = {written(rounded)}$ the slope would be ${near}$, off by "
        f"{off * 1e6:.0f} parts in a million."
    )


# sums over time ---------------------------------------------------------------------------------


def _of_copies(stage: Stage, way: BackwardPass) -> Prose:
    """Why there is a sum over t."""
    name = name_of(way.program.names, stage.adjoints[0].quantity).latex
    base = name if "_" not in name else rf"{{{name}}}"
    return prose(
        f"Give each time step a copy of its own of a weight, ${base}_{{(0)}}, {base}_{{(1)}}, \\dots$; each copy is "
        f"used once. The copies are one weight and move together, so their derivatives add: that is the sum over the "
        f"time steps."
    )


def _of_first_state(stage: Stage, way: BackwardPass) -> Prose:
    """Why the sum of a recurrent weight has one term less."""
    names = [a.quantity.name for a in stage.adjoints if a.quantity.name in way.starts]
    if not names:
        return ()
    start = way.starts[names[0]]
    letters = [name_of(way.program.names, a.quantity) for a in stage.adjoints if a.quantity.name in names]
    partials = series([prose(Math(rf"\partial {way.objective} / \partial {name.latex}")) for name in letters])
    step = "0" if start.time == -1 else "T-1"
    return prose("In ", partials, f" the term of $t = {step}$ has the factor ${start.latex} = 0$.")
