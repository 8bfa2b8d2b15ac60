"""The rules of backpropagation as a table, and why a step is as it is.

A reason is given once for each kind of step: repeated for every time step it would be noise.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Symbol
from sympy.matrices.expressions import HadamardProduct

from symrnn.document import Table
from symrnn.nodes import SLOTS, Elementwise
from symrnn.prose import Math, Prose, prose, series
from symrnn.styles import LATEX
from symrnn.substitution import written
from symrnn.transforms import letter_of
from symrnn.typeset import Context
from symrnn.uses import ACTIVATION, LARGEST, ORDER, PARTS, PRODUCT, REUSE, ROW, SUM, stand_together


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
        *("sum", "$z = p + q$", r"$\bar p = \bar z,\ \ \bar q = \bar z$", "each term of a sum has slope 1"),
    ),
    PRODUCT: Rule(
        *("product", "$z = p q$", r"$\bar p = \bar z q,\ \ \bar q = \bar z p$", "the slope in one factor is the other"),
        (
            r"$Z = P Q$; $Z = P \odot Q$",
            r"$\bar P = \bar Z Q^{\mathsf T},\ \ \bar Q = P^{\mathsf T} \bar Z$; $\bar P = \bar Z \odot Q$",
            r"$z_{ij} = \sum_k p_{ik} q_{kj}$; entry by entry",
        ),
    ),
    ACTIVATION: Rule(
        *("activation", "$z = f(p)$", r"$\bar p = \bar z\, f'(p)$", "the chain rule, at the point of the forward pass"),
        ("$Z = f(P)$", r"$\bar P = \bar Z \odot f'(P)$", "entry by entry, each depends on its own"),
    ),
    REUSE: Rule(
        *("reuse", "$p$ is read several times", r"$\bar p$ is the sum of what comes back"),
        "a change of $p$ acts through every use",
    ),
    ROW: Rule(
        *("row", r"$z = \mathrm{softmax}(p)$", r"$\bar p = (\bar z - \bar z z^{\mathsf T}) \odot z$"),
        "every entry of $z$ depends on all of $p$",
    ),
    PARTS: Rule("parts", "$z = [p, q]$", r"$\bar z = [\bar p, \bar q]$", "each part has its own columns"),
    LARGEST: Rule(
        *("largest", r"$z = \max(p, q)$", r"$\bar z$ goes to the largest"),
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
    rows = []
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


def why(stage: Any, rules: frozenset[str], way: Any, told: set[object]) -> Prose:
    """The reasons for what is new in a step; `told` are those that were given before, and grows."""
    found: list[Prose] = []
    for key, sentence in _reasons(stage, rules, way):
        if sentence and key not in told:
            told.add(key)
            found.append(sentence)
    spans: Prose = ()
    for sentence in found:
        spans = (*spans, " ", *sentence) if spans else sentence
    return spans


def _reasons(stage: Any, rules: frozenset[str], way: Any) -> Iterator[tuple[object, Prose]]:
    if not stage.uses:
        yield (
            "start",
            prose("The derivative of ", *_names(stage, way), " by itself is 1.") if way.objective == "y" else (),
        )
        return
    if stage.collects:
        yield "collect", _of_copies(stage, way)
        yield from _of_first_state(stage, way)
        return
    for adjoint in stage.adjoints:
        for use in way.uses[adjoint.quantity]:
            yield from _of_use(adjoint.quantity, use, stage, way)
    if REUSE in rules and len({use.lhs for use in stage.uses}) > 1:
        yield (
            REUSE,
            prose(*_names(stage, way), " acts through each of its uses, so what comes back from them is added."),
        )
    for kind in (ROW, PARTS, LARGEST, ORDER):
        if kind in rules:
            yield kind, prose(_OF_KIND[kind])


def _names(stage: Any, way: Any) -> Prose:
    return series([prose(letter_of(way.program.letters, adjoint.quantity)) for adjoint in stage.adjoints])


_OF_KIND = {
    ROW: "Every entry of a softmax depends on the whole row: from each adjoint their mean, weighted by the row itself, is taken away.",
    PARTS: "Each part that stands in a row receives its own columns of the row's adjoint.",
    LARGEST: "Only the largest value passes a change on; equal ones share it.",
    ORDER: "The values are the same, in the opposite order of time.",
}


def _of_use(quantity: Expr, use: Any, stage: Any, way: Any) -> Iterator[tuple[object, Prose]]:
    """Why a quantity gets what it gets from the equation that reads it."""
    scalar = isinstance(quantity, Symbol)
    if ACTIVATION in use.rules:
        yield from _of_activation(quantity, use, way)
    elif PRODUCT in use.rules and _is_elementwise(use.rhs, quantity):
        yield "elementwise", prose("The factors of a product entry by entry receive each other.")
    elif PRODUCT in use.rules:
        kind = "weight" if quantity in way.weights else "state"
        yield (PRODUCT, kind), (_scalar_product if scalar else _matrix_product)(kind, quantity, use, stage, way)


def _is_elementwise(expr: Expr, quantity: Expr) -> bool:
    return any(quantity in part.free_symbols for part in expr.atoms(HadamardProduct))


def _scalar_product(kind: str, quantity: Expr, use: Any, stage: Any, way: Any) -> Prose:
    letter, factors = letter_of(way.program.letters, quantity), _factors(quantity, use, way)
    reader = prose(use.letter)
    if kind == "weight":
        return prose(letter, " and ", factors, " are the factors of one product, so each receives the other.")
    if any(adjoint.quantity in way.weights for adjoint in stage.adjoints):
        return ()
    waits = [s for s in way.weights if s in use.rhs.free_symbols and s not in [a.quantity for a in stage.adjoints]]
    later = (
        prose(
            " What ",
            series([prose(letter_of(way.program.letters, s)) for s in waits]),
            " receive waits for the last step.",
        )
        if waits
        else ()
    )
    return prose("In ", reader, " ", letter, " stands beside ", factors, ", which is its slope there.", later)


def _factors(quantity: Expr, use: Any, way: Any) -> Prose:
    """What the quantity is multiplied by."""
    context = Context(LATEX, way.program.letters)
    return prose(Math(context.show(use.rhs.diff(quantity))))


def _matrix_product(kind: str, quantity: Expr, use: Any, stage: Any, way: Any) -> Prose:
    """The transpose by entries: which entries a change reaches, and with which slope."""
    letter, reader = letter_of(way.program.letters, quantity), use.letter
    weight = next(
        (
            s
            for s in way.weights
            if s in use.rhs.free_symbols and s != quantity and stand_together(use.rhs, s, quantity)
        ),
        None,
    )
    if kind == "state" and weight is None:
        return ()
    if kind == "weight":
        return prose(
            f"Entry $kj$ of ${letter.latex}$ reaches entry $j$ of ${reader.latex}$ alone, multiplied by entry $k$ of the row before it: all these products are a column times a row, hence the transposed row."
        )
    name = letter_of(way.program.letters, weight).latex
    return prose(
        f"Entry $k$ of ${letter.latex}$ reaches every entry $j$ of ${reader.latex}$, with the slope ${_entry(name)}$. Forward the sum runs over the first index of ${name}$, backward over the second: that is the transpose, and the shapes leave no other choice."
    )


def _entry(name: str) -> str:
    """The entry k, j of a weight whose letter may have an index already."""
    return f"{name}_{{kj}}" if "_" not in name and "^" not in name else f"({name})_{{kj}}"


def _of_activation(quantity: Expr, use: Any, way: Any) -> Iterator[tuple[object, Prose]]:
    """The slope, where it is taken, and how it is written."""
    context, letters = Context(LATEX, way.program.letters), way.program.letters
    p, z = letter_of(letters, quantity), letter_of(letters, use.lhs)
    function, slope = _slope(quantity, use, context)
    if not function:
        return
    sentence = [f"The slope of {function} is taken at the point where the forward pass was"]
    if slope and z.latex in slope:
        sentence.append(f"; written with the result it is ${slope}$")
        sentence.append(f", not ${slope.replace(z.latex, p.latex)}$." if function == "$\\tanh$" else ".")
    else:
        sentence.append(f": ${slope}$." if slope else ".")
    yield (ACTIVATION, function), prose("".join(sentence))
    if not isinstance(quantity, Symbol):
        yield (
            "entry by entry",
            prose(
                f"Each entry of ${z.latex}$ depends on the same entry of ${p.latex}$ alone: the product is one entry by entry."
            ),
        )
    yield from _of_cancellation(use, way)


def _slope(quantity: Expr, use: Any, context: Context) -> tuple[str, str]:
    """The name of the function and its slope, in the letters of the equation."""
    if isinstance(quantity, Symbol):
        template, names = use.rhs, {}
        slope = template.diff(quantity).xreplace({template: use.lhs}) if template.is_Function else None
    elif isinstance(use.rhs, Elementwise) and len(use.rhs.matrices) == 1 and use.rhs.template.is_Function:
        template = use.rhs.template
        slope = Elementwise(template.diff(SLOTS[0]).xreplace({template: SLOTS[1]}), quantity, use.lhs)
    else:
        return "", ""
    if slope is None:
        return "", ""
    name = context.style.name(type(template).__name__)
    printed = getattr(template, "latex", "")
    return f"${printed or name}$", context.show(slope)


def _of_cancellation(use: Any, way: Any) -> Iterator[tuple[object, Prose]]:
    """How many digits 1 - h^2 loses, where h is close to 1, and what the shown digits alone would give."""
    if way.numbers is None or not isinstance(use.lhs, Symbol) or type(use.rhs).__name__ != "tanh":
        return
    h = way.numbers.scalar(use.lhs)
    slope = 1 - h * h
    if not 0 < slope < 0.01:
        return
    rounded = float(f"{h:.7g}")
    off = abs((1 - rounded * rounded) / slope - 1)
    lost, decimals = int(-math.log10(slope)), 7 + math.ceil(-math.log10(slope))
    letter = letter_of(way.program.letters, use.lhs).latex
    digits = "digit" if lost == 1 else "digits"
    yield (
        "cancels",
        prose(
            f"${letter}$ is close to ${'-' * (h < 0)}1$, so the subtraction cancels {lost} leading {digits}: ${letter}$ stands here with "
            f"{decimals} decimals, and only so are seven digits right. With ${letter} = {written(rounded)}$ the slope would be "
            f"${written(1 - rounded * rounded)}$, off by {off * 1e6:.0f} parts in a million."
        ),
    )


def _of_copies(stage: Any, way: Any) -> Prose:
    """Why there is a sum over t."""
    letter = letter_of(way.program.letters, stage.adjoints[0].quantity)
    base = letter.latex if "_" not in letter.latex else rf"{{{letter.latex}}}"
    copies = f"${base}_{{(0)}}, {base}_{{(1)}}, \\dots$"
    return prose(
        f"Give each time step a copy of its own of a weight, {copies}; each copy is used once. The copies are one weight "
        "and move together, so their derivatives add: that is the sum over the time steps."
    )


def _of_first_state(stage: Any, way: Any) -> Iterator[tuple[object, Prose]]:
    """Why the sum of a recurrent weight has one term less."""
    names = [a.quantity.name for a in stage.adjoints if a.quantity.name in way.starts]
    if names:
        start = way.starts[names[0]]
        letters = [letter_of(way.program.letters, a.quantity) for a in stage.adjoints if a.quantity.name in names]
        partials = series([prose(Math(_inline(letter.partial(way.objective).latex))) for letter in letters])
        step = "0" if start.time == -1 else "T-1"
        yield "first", prose("In ", partials, f" the term of $t = {step}$ has the factor ${start.latex} = 0$.")


def _inline(partial: str) -> str:
    r"""A derivative within a line: \partial y / \partial U."""
    return partial.removeprefix(r"\frac{").removesuffix("}").replace("}{", " / ")
