"""The way back in stages: which adjoints belong together, and in which order they are explained.

A quantity that one equation reads gets its adjoint where that equation is undone, with others that it
reads; one that several read has a stage of its own; the weights that every time step reads come last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symrnn.derivations.contributions import summed_name
from symrnn.derivations.derivation import Gradient
from symrnn.expressions.matrices import is_zero
from symrnn.expressions.names import Name
from symrnn.programs.dataflow import REUSE, Use, aliases, merged, stand_together, through, uses_of
from symrnn.programs.program import Equation, Program, Recurrence, Statement, defines, reads
from symrnn.programs.transforms import name_of, prune, with_samples
from symrnn.typesetting.equations import is_adjoint, item_lines, zero_states
from symrnn.typesetting.expressions import Context
from symrnn.typesetting.layout import Line
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import Numbers


@dataclass(frozen=True)
class Adjoint:
    """A quantity, the lines of its adjoint, and the item of the program that it comes from.

    `before` are items that it reads and that belong to no quantity of their own.
    """

    quantity: Expr
    lines: tuple[Line, ...]
    item: Statement
    before: tuple[Statement, ...] = ()


@dataclass
class Stage:
    """A step in the making: the adjoints that it gives, all from the same uses."""

    uses: tuple[Use, ...]
    adjoints: list[Adjoint] = field(default_factory=list)
    collects: bool = False


@dataclass(frozen=True)
class BackwardPass:
    """What the steps are made from."""

    program: Program
    uses: Mapping[Expr, list[Use]]
    quantities: Mapping[str, Expr]
    named: frozenset[Expr]
    weights: Mapping[Expr, int]
    collected: frozenset[str]
    starts: Mapping[str, Name]
    numbers: Numbers | None
    labels: Mapping[str, str]
    gradient: Gradient

    @property
    def objective(self) -> str:
        """The letter of what is differentiated."""
        return self.gradient.objective


def backward_pass_of(
    gradient: Gradient, zoom: str, numbers: Numbers | None = None, labels: Mapping[str, str] | None = None
) -> BackwardPass:
    """The way back of a gradient at the zoom "step" or "unrolled", for one sample."""
    program = gradient.program(zoom)
    if not gradient.is_scalar:
        program = with_samples(program, 1)
    forward = tuple(item for item in program.equations if not is_adjoint(item, program))
    past = _live(Program(program.inputs, program.sequences, forward, (), program.names), gradient)
    uses = merged(uses_of(past), aliases(past))
    quantities = _quantities(past, gradient.objective)
    adjoint = [item for item in program.equations if is_adjoint(item, program)]
    defined = {symbol.name for item in adjoint for symbol in _defined(item)}
    named = frozenset(symbol for name, symbol in quantities.items() if name in defined)
    layers = {weight.symbol.name: weight.layer for weight in gradient.table}
    weights = {symbol: layers[symbol.name] for symbol in program.inputs if symbol.name in layers}
    collected, starts = frozenset(_collected(gradient)), _starts(gradient)
    return BackwardPass(program, uses, quantities, named, weights, collected, starts, numbers, labels or {}, gradient)


def _live(past: Program, gradient: Gradient) -> Program:
    """The forward pass without what the objective does not depend on."""
    total = [e.lhs for e in past.equations if isinstance(e, Equation) and name_of(past.names, e.lhs).is_total]
    heads = {head.symbol.name for head in gradient.network.heads}
    ends = total[-1:] or [s for item in past.equations for s in defines(item) if s.name in heads]
    return prune(past, tuple(ends))


def _collected(gradient: Gradient) -> set[str]:
    """The names of the weights whose derivative is a sum over the time steps."""
    items = gradient.steps.equations
    sums = [total.lhs for item in items if isinstance(item, Recurrence) for total in item.sums]
    names = {w.name.partial(gradient.objective).code: w.symbol.name for w in gradient.table}
    found = (summed_name(name_of(gradient.steps.names, symbol)).code for symbol in sums)
    return {names[code] for code in found if code in names}


def _starts(gradient: Gradient) -> dict[str, Name]:
    """By the name of a recurrent weight the state before the first step, where that is zero."""
    program = gradient.network.program
    weights = [weight.symbol for weight in gradient.table]
    found: dict[str, Name] = {}
    for item in program.equations:
        if not isinstance(item, Recurrence):
            continue
        for carry in item.carries:
            first = name_of(program.names, carry.prev).at("T" if item.reverse else -1)
            steps = [equation.rhs for equation in item.body.assignments if is_zero(carry.init)]
            found |= {w.name: first for rhs in steps for w in weights if stand_together(rhs, w, carry.prev)}
    return found


def _defined(item: Statement) -> Iterator[Expr]:
    if isinstance(item, Recurrence):
        yield from (equation.lhs for equation in (*item.body.assignments, *item.sums))
    else:
        yield item.lhs


def _quantities(past: Program, objective: str) -> dict[str, Expr]:
    """The quantities of the forward pass by the names of their adjoints."""
    inputs = (*past.inputs, *past.sequences)
    defined = [symbol for item in past.equations for symbol in _defined(item)]
    found = {name_of(past.names, s).adjoint().code: s for s in defined}
    return found | {name_of(past.names, s).partial(objective).code: s for s in inputs}


# stages -----------------------------------------------------------------------------------------


def _adjoints(way: BackwardPass) -> Iterator[Adjoint]:
    """The adjoints in the order in which they are found, each with what prints it; collected ones at the end."""
    context, silent = Context(LATEX, way.program.names), zero_states(way.program)
    found: list[tuple[Expr, list[Line], Statement]] = []
    pending: list[tuple[Line, Statement]] = []
    for item in way.program.equations:
        if not is_adjoint(item, way.program):
            continue
        lines: dict[str, list[Line]] = {}
        for line in item_lines(item, context, silent):
            lines.setdefault(line.name, []).append(line)
        for name, group in lines.items():
            if name in way.quantities:
                found.append((way.quantities[name], group, item))
            else:
                pending += [(line, item) for line in group]
    for quantity, group, item in sorted(found, key=lambda one: one[0].name in way.collected):
        before = _read(pending, item)
        yield Adjoint(quantity, (*(line for line, _ in before), *group), item, tuple(i for _, i in before))


def _read(pending: list[tuple[Line, Statement]], item: Statement) -> list[tuple[Line, Statement]]:
    """Those of what is pending that an item reads, and what these read; they are taken out."""
    names = {symbol.name for symbol in reads(item)}
    found = [one for one in pending if names & {symbol.name for symbol in (*_defined(one[1]), *defines(one[1]))}]
    pending[:] = [one for one in pending if one not in found]
    return [earlier for one in found for earlier in (*_read(pending, one[1]), one)]


def stages_of(way: BackwardPass) -> list[Stage]:
    """The adjoints that belong together; those of weights that several steps read come last."""
    found: dict[object, Stage] = {}
    for adjoint in _adjoints(way):
        uses = tuple(way.uses.get(adjoint.quantity, ()))
        collects = adjoint.quantity.name in way.collected
        key = ("collect", way.weights[adjoint.quantity]) if collects else tuple(str(use.lhs) for use in uses)
        stage = found.setdefault(key, Stage(uses, collects=collects))
        stage.adjoints.append(adjoint)
    ordered = sorted(found.values(), key=lambda stage: stage.collects)
    for stage in [one for one in ordered if not one.collects and _only_weights(one, way)]:
        ordered.remove(stage)
        ordered.insert(_after(stage, ordered), stage)
    return ordered


def _only_weights(stage: Stage, way: BackwardPass) -> bool:
    return all(adjoint.quantity in way.weights for adjoint in stage.adjoints)


def _after(stage: Stage, ordered: Sequence[Stage]) -> int:
    """The place behind the stage that gives the adjoint which this one sends on."""
    read = {use.lhs for use in stage.uses}
    places = [i for i, one in enumerate(ordered) for adjoint in one.adjoints if adjoint.quantity in read]
    return max(places, default=-1) + 1


def stage_rules(stage: Stage, way: BackwardPass) -> frozenset[str]:
    """The rules by which the adjoints of a stage are found."""
    found = frozenset().union(*(through(adjoint.quantity, way.uses, way.named) for adjoint in stage.adjoints))
    return found | ({REUSE} if is_reused(stage, way) else set())


def is_reused(stage: Stage, way: BackwardPass) -> bool:
    """Whether a weight of the stage is read several times, in one time step or in many."""
    uses = [way.uses.get(adjoint.quantity, []) for adjoint in stage.adjoints]
    return stage.collects and any(len(listed) > 1 or any(use.per_step for use in listed) for listed in uses)
