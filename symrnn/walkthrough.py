"""Backpropagation step by step: what each step undoes, by which rule, and why.

The way back goes through the equations of the forward pass from the last to the first. A quantity
that one equation reads gets its adjoint where that equation is undone, with others that it reads;
one that several read has a step of its own; the weights that every time step reads come last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sympy import Expr

from symrnn import reasons
from symrnn.derivation import Gradient
from symrnn.document import Formulas, Step
from symrnn.layout import Line, Row, points, rows
from symrnn.matrices import is_zero
from symrnn.notation import Letter
from symrnn.printing import is_adjoint, item_lines, zero_states
from symrnn.program import Equation, Item, Program, Recurrence, defines
from symrnn.modeltable import layer_name
from symrnn.prose import Code, Math, Prose, prose, series
from symrnn.styles import LATEX
from symrnn.substitution import ROOM, Numbers, chain, chain_rows
from symrnn.transforms import letter_of, prune, with_samples
from symrnn.typeset import Context, terms_of
from symrnn.uses import REUSE, Use, aliases, merged, stand_together, through, uses_of

LONGEST = 330
"""Points up to which a title shows the equation that is undone, and not its left side alone."""


@dataclass(frozen=True)
class Adjoint:
    """A quantity, the lines of its adjoint, and the equation where it is one of numbers or matrices."""

    quantity: Expr
    lines: tuple[Line, ...]
    equation: Equation | None = None


@dataclass
class Stage:
    """A step in the making: the adjoints that it gives, all from the same uses."""

    uses: tuple[Use, ...]
    adjoints: list[Adjoint] = field(default_factory=list)
    collects: bool = False


@dataclass(frozen=True)
class Way:
    """What the steps are made from."""

    program: Program
    uses: Mapping[Expr, list[Use]]
    quantities: Mapping[str, Expr]
    named: frozenset[Expr]
    weights: Mapping[Expr, int]
    collected: frozenset[str]
    starts: Mapping[str, Letter]
    numbers: Numbers | None
    gradient: Gradient

    @property
    def objective(self) -> str:
        """The letter of what is differentiated."""
        return self.gradient.objective


def steps(gradient: Gradient, zoom: str, numbers: Numbers | None = None) -> list[Step]:
    """The steps of the way back: of every time step at zoom "unrolled", for a general t at "step".

    With numbers each formula has them put in; only "unrolled" has room for them.
    """
    way = _way(gradient, zoom, numbers)
    stages = _stages(way)
    told: set[object] = set()
    found = [_start(way)] if _has_total(way.program) else []
    for stage in stages:
        found.append(_step(stage, len(found) + 1, way, told))
    return found


def rules_of(gradient: Gradient, zoom: str) -> frozenset[str]:
    """The rules that the steps go by."""
    way = _way(gradient, zoom, None)
    return frozenset().union(*(_rules(stage, way) for stage in _stages(way)))


def _rules(stage: Stage, way: Way) -> frozenset[str]:
    found = frozenset().union(*(through(adjoint.quantity, way.uses, way.named) for adjoint in stage.adjoints))
    return found | ({REUSE} if stage.collects else set())


def _way(gradient: Gradient, zoom: str, numbers: Numbers | None) -> Way:
    program = gradient.program(zoom)
    if not gradient.is_scalar:
        program = with_samples(program, 1)
    forward = tuple(item for item in program.equations if not is_adjoint(item, program))
    past = _live(Program(program.inputs, program.sequences, forward, (), program.letters), gradient)
    uses = merged(uses_of(past), aliases(past))
    quantities = _quantities(past, gradient.objective)
    adjoint = [item for item in program.equations if is_adjoint(item, program)]
    defined = {symbol.name for item in adjoint for symbol in _defined(item)}
    named = frozenset(symbol for name, symbol in quantities.items() if name in defined)
    layers = {weight.symbol.name: weight.layer for weight in gradient.table}
    weights = {symbol: layers[symbol.name] for symbol in past.inputs if symbol.name in layers}
    collected, starts = frozenset(_collected(gradient)), _starts(gradient)
    return Way(program, uses, quantities, named, weights, collected, starts, numbers, gradient)


def _live(past: Program, gradient: Gradient) -> Program:
    """The forward pass without what the objective does not depend on."""
    total = [e.lhs for e in past.equations if isinstance(e, Equation) and letter_of(past.letters, e.lhs).is_total]
    heads = {head.symbol.name for head in gradient.network.heads}
    ends = total[-1:] or [s for item in past.equations for s in defines(item) if s.name in heads]
    return prune(past, tuple(ends))


def _collected(gradient: Gradient) -> set[str]:
    """The names of the weights whose derivative is a sum over the time steps."""
    items = gradient.steps.equations
    sums = {total.lhs.name for item in items if isinstance(item, Recurrence) for total in item.sums}
    names = {w.letter.partial(gradient.objective).code: w.symbol.name for w in gradient.table}
    return {name for code, name in names.items() if any(code == s or s.startswith(f"{code}_use") for s in sums)}


def _starts(gradient: Gradient) -> dict[str, Letter]:
    """By the name of a recurrent weight the state before the first step, where that is zero."""
    program = gradient.network.program
    weights = [weight.symbol for weight in gradient.table]
    found = {}
    for item in program.equations:
        for carry in item.carries if isinstance(item, Recurrence) else ():
            first = letter_of(program.letters, carry.prev).at("T" if item.reverse else -1)
            steps = [equation.rhs for equation in item.body.assignments if is_zero(carry.init)]
            found |= {w.name: first for rhs in steps for w in weights if stand_together(rhs, w, carry.prev)}
    return found


def _defined(item: Item) -> Iterator[Expr]:
    if isinstance(item, Recurrence):
        yield from (equation.lhs for equation in (*item.body.assignments, *item.sums))
    else:
        yield item.lhs


def _quantities(past: Program, objective: str) -> dict[str, Expr]:
    """The quantities of the forward pass by the names of their adjoints."""
    inputs = (*past.inputs, *past.sequences)
    defined = [symbol for item in past.equations for symbol in _defined(item)]
    found = {letter_of(past.letters, s).adjoint().code: s for s in defined}
    return found | {letter_of(past.letters, s).partial(objective).code: s for s in inputs}


# stages -----------------------------------------------------------------------------------------


def _adjoints(way: Way) -> Iterator[Adjoint]:
    """The adjoints in the order in which they are found, each with what prints it."""
    context, silent = Context(LATEX, way.program.letters), zero_states(way.program)
    pending: tuple[Line, ...] = ()
    for item in way.program.equations:
        if not is_adjoint(item, way.program):
            continue
        lines: dict[str, list[Line]] = {}
        for line in item_lines(item, context, silent):
            lines.setdefault(line.name, []).append(line)
        for name, group in lines.items():
            quantity = way.quantities.get(name)
            if quantity is None:
                pending += tuple(group)
                continue
            equation = item if isinstance(item, Equation) else None
            yield Adjoint(quantity, (*pending, *group), equation)
            pending = ()


def _stages(way: Way) -> list[Stage]:
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


def _only_weights(stage: Stage, way: Way) -> bool:
    return all(adjoint.quantity in way.weights for adjoint in stage.adjoints)


def _after(stage: Stage, ordered: Sequence[Stage]) -> int:
    """The place behind the stage that gives the adjoint which this one sends on."""
    read = {use.lhs for use in stage.uses}
    places = [i for i, one in enumerate(ordered) for adjoint in one.adjoints if adjoint.quantity in read]
    return max(places, default=-1) + 1


# steps ------------------------------------------------------------------------------------------


def _step(stage: Stage, number: int, way: Way, told: set[object]) -> Step:
    stage.adjoints.sort(key=lambda adjoint: adjoint.quantity not in way.weights)
    rules = _rules(stage, way)
    formulas = Formulas(_tagged(_rows(stage, way), f"B{number}"))
    return Step(number, _title(stage, way), reasons.references(rules), formulas, reasons.why(stage, rules, way, told))


def _rows(stage: Stage, way: Way) -> tuple[Row, ...]:
    equations = [adjoint.equation for adjoint in stage.adjoints]
    if way.numbers is None or None in equations:
        return tuple(rows([line for adjoint in stage.adjoints for line in adjoint.lines], ROOM))
    return chain_rows([chain(equation, way.numbers, way.program.letters) for equation in equations])


def _tagged(found: Sequence[Row], tag: str) -> tuple[Row, ...]:
    return (replace(found[0], tag=tag), *found[1:])


def _title(stage: Stage, way: Way) -> Prose:
    letters = [letter_of(way.program.letters, adjoint.quantity) for adjoint in stage.adjoints]
    quantities = series([prose(letter) for letter in letters])
    if not stage.uses:
        return prose("Start at ", quantities, ".")
    if stage.collects:
        return _title_of_collection(stage, letters, quantities, way)
    if len({use.lhs for use in stage.uses}) > 1:
        return prose("Back to ", quantities, ", which ", series(_readers(stage.uses)), " read.")
    use = stage.uses[0]
    others = [s for s in way.uses if s in way.named and use.lhs in [other.lhs for other in way.uses[s]]]
    more = any(s not in [adjoint.quantity for adjoint in stage.adjoints] for s in others)
    to = prose(", to ", quantities) if more else ()
    return prose("Back through ", _undone(use, way), to, ".")


def _readers(uses: Sequence[Use]) -> list[Prose]:
    return [prose(letter) for letter in dict.fromkeys(use.letter for use in uses)]


def _title_of_collection(stage: Stage, letters: Sequence[Letter], quantities: Prose, way: Way) -> Prose:
    """Which weights every time step reads: by their letters where they are few, else by their layer."""
    layer = way.weights[stage.adjoints[0].quantity]
    names = [s for s, place in way.weights.items() if place == layer and s.name in way.collected]
    if len(names) > len(letters) or len(letters) > 4:
        whole = layer_name(way.gradient.network.graph.layers[layer])
        return prose("Collect: the weights of ", Code(whole), " are used in every time step.")
    readers = _readers([use for adjoint in stage.adjoints for use in way.uses[adjoint.quantity]])
    verb = " is used in " if len(letters) == 1 else " are used in "
    if len(readers) > 4:
        readers = [*readers[:2], prose(r"$\dots$"), readers[-1]]
        return prose(
            "Collect: ", quantities, verb, "each of ", *[prose(r, ", ") for r in readers[:-1]], readers[-1], "."
        )
    every = " of every time step" if any(use.per_step for use in stage.uses) else ""
    return prose("Collect: ", quantities, verb, "each of " if len(readers) > 1 else "", series(readers), every, ".")


def _undone(use: Use, way: Way) -> Prose:
    """The equation, or only its left side where it is long."""
    context = Context(LATEX, way.program.letters)
    lhs, terms = context.show(use.lhs), terms_of(use.rhs, context)
    latex = f"{lhs} = {' '.join(' '.join(term) for term in terms)}"
    return prose(Math(latex)) if points(latex) <= LONGEST else prose("the equation of ", Math(lhs))


def _has_total(program: Program) -> bool:
    return any(letter_of(program.letters, e.lhs).is_total for e in program.equations if isinstance(e, Equation))


def _start(way: Way) -> Step:
    """The derivative of the objective by itself."""
    s = way.objective
    row = Row((rf"\frac{{\partial {s}}}{{\partial {s}}}", "= 1"), "B1")
    why = reasons.START[s] if s in reasons.START else ()
    return Step(1, prose("Start at ", Math(s), "."), prose("definition"), Formulas((row,)), why)
