"""The steps of backpropagation: what each undoes, by which rule, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from symrnn.derivations.derivation import Gradient
from symrnn.documents.blocks import Formulas, NumberedStep
from symrnn.documents.inline import Code, Math, Prose, prose, series
from symrnn.documents.sections import backward_reasons
from symrnn.documents.sections.backward_stages import BackwardPass, Stage, backward_pass_of, stage_rules, stages_of
from symrnn.documents.sections.model import layer_name
from symrnn.expressions.names import Name
from symrnn.programs.dataflow import Use
from symrnn.programs.program import Equation, Program
from symrnn.programs.transforms import name_of
from symrnn.typesetting.expressions import Context, terms_of
from symrnn.typesetting.layout import DisplayRow, flat, rows
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import ROOM, Numbers, chain, chain_rows
from symrnn.typesetting.widths import points

LONGEST = 330
"""Points up to which a title shows the equation that is undone, and not its left side alone."""


def steps(
    gradient: Gradient, zoom: str, numbers: Numbers | None = None, labels: Mapping[str, str] | None = None
) -> list[NumberedStep]:
    """The steps of the way back: of every time step at zoom "unrolled", for a general t at "step".

    With numbers each formula has them put in; only "unrolled" has room for them. `labels` are those of
    the forward equations, by the names of what they define.
    """
    way = backward_pass_of(gradient, zoom, numbers, labels or {})
    stages = stages_of(way)
    told: set[object] = set()
    found = [_start(way)] if _has_total(way.program) else []
    for stage in stages:
        found.append(_step(stage, len(found) + 1, way, told))
    return found


def rules_used(gradient: Gradient, zoom: str) -> frozenset[str]:
    """The rules that the steps go by."""
    way = backward_pass_of(gradient, zoom)
    return frozenset().union(*(stage_rules(stage, way) for stage in stages_of(way)))


# steps ------------------------------------------------------------------------------------------


def _step(stage: Stage, number: int, way: BackwardPass, told: set[object]) -> NumberedStep:
    stage.adjoints.sort(key=lambda adjoint: adjoint.quantity not in way.weights)
    rules = stage_rules(stage, way)
    formulas = Formulas(_tagged(_rows(stage, way), f"B{number}"))
    return NumberedStep(
        number,
        _title(stage, way),
        backward_reasons.references(rules),
        formulas,
        backward_reasons.why(stage, rules, way, told),
    )


def _rows(stage: Stage, way: BackwardPass) -> tuple[DisplayRow, ...]:
    items = [item for adjoint in stage.adjoints for item in (*adjoint.before, adjoint.item)]
    equations = [item for item in items if isinstance(item, Equation)]
    if way.numbers is None or len(equations) < len(items):
        return tuple(rows([line for adjoint in stage.adjoints for line in adjoint.lines], ROOM))
    return chain_rows([chain(equation, way.numbers, way.program.names) for equation in equations])


def _tagged(found: Sequence[DisplayRow], tag: str) -> tuple[DisplayRow, ...]:
    return (replace(found[0], tag=tag), *found[1:])


def _title(stage: Stage, way: BackwardPass) -> Prose:
    names = [name_of(way.program.names, adjoint.quantity) for adjoint in stage.adjoints]
    quantities = series([prose(name) for name in names])
    if not stage.uses:
        return prose("Start at ", quantities, ".")
    if stage.collects:
        return _title_of_collection(stage, names, quantities, way)
    if len({use.lhs for use in stage.uses}) > 1:
        return prose("Back to ", quantities, ", which ", series(_readers(stage.uses)), " read.")
    use = stage.uses[0]
    others = [s for s in way.uses if s in way.named and use.lhs in [other.lhs for other in way.uses[s]]]
    more = any(s not in [adjoint.quantity for adjoint in stage.adjoints] for s in others)
    to = prose(", to ", quantities) if more else ()
    label = f" ({way.labels[use.lhs.name]})" if use.lhs.name in way.labels else ""
    return prose("Back through ", _undone(use, way), label, to, ".")


def _readers(uses: Sequence[Use]) -> list[Prose]:
    return [prose(name) for name in dict.fromkeys(use.name for use in uses)]


def _title_of_collection(stage: Stage, letters: Sequence[Name], quantities: Prose, way: BackwardPass) -> Prose:
    """Which weights every time step reads: by their letters where they are few, else by their layer."""
    layer = way.weights[stage.adjoints[0].quantity]
    names = [s for s, place in way.weights.items() if place == layer and s.name in way.collected]
    if len(names) > len(letters) or len(letters) > 4:
        whole = layer_name(way.gradient.network.graph.layers[layer])
        return prose("Collect: the weights of ", Code(whole), " are used in every time step.")
    readers = _readers([use for adjoint in stage.adjoints for use in way.uses.get(adjoint.quantity, ())])
    verb = " is used in " if len(letters) == 1 else " are used in "
    if len(readers) > 4:
        readers = [*readers[:2], prose(r"$\dots$"), readers[-1]]
        return prose(
            "Collect: ", quantities, verb, "each of ", *[prose(r, ", ") for r in readers[:-1]], readers[-1], "."
        )
    every = " of every time step" if any(use.per_step for use in stage.uses) else ""
    return prose("Collect: ", quantities, verb, "each of " if len(readers) > 1 else "", series(readers), every, ".")


def _undone(use: Use, way: BackwardPass) -> Prose:
    """The equation, or only its left side where it is long."""
    context = Context(LATEX, way.program.names)
    lhs, terms = context.show(use.lhs), terms_of(use.rhs, context)
    latex = f"{lhs} = {flat(terms)}"
    return prose(Math(latex)) if points(latex) <= LONGEST else prose("the equation of ", Math(lhs))


def _has_total(program: Program) -> bool:
    return any(name_of(program.names, e.lhs).is_total for e in program.equations if isinstance(e, Equation))


def _start(way: BackwardPass) -> NumberedStep:
    """The derivative of the objective by itself."""
    s = way.objective
    row = DisplayRow((rf"\frac{{\partial {s}}}{{\partial {s}}}", "= 1"), "B1")
    why = backward_reasons.START.get(s, ())
    return NumberedStep(1, prose("Start at ", Math(s), "."), prose("definition"), Formulas((row,)), why)
