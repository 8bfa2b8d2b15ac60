"""Which symbols to differentiate by: names such as "U", "x", "x_0" or "h_1" and what they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Basic, Expr

from symrnn.common.errors import cut_repr
from symrnn.common.fields import is_listing
from symrnn.expressions.names import Name
from symrnn.models.network import WeightArray
from symrnn.programs.program import Program, families
from symrnn.programs.transforms import length_of, name_of, named_symbols, prune

Timesteps = Mapping[Expr, int | None]


@dataclass(frozen=True)
class Request:
    """What to differentiate by: a symbol; of a family all steps, or one; or all parts of a Keras weight."""

    symbols: tuple[Expr, ...]
    step: int | None = None
    array: WeightArray | None = None


def names_in(wrt: Any) -> list[str]:
    """The names in a list of names and symbols.

    Raises:
        ValueError: not a list, but one name or something else.
    """
    if isinstance(wrt, Basic) or not is_listing(wrt):
        raise ValueError(f"wrt: expected a list of names, got {cut_repr(wrt)}")
    return [str(name) for name in wrt]


def of_array(array: WeightArray) -> Request:
    """A whole Keras weight."""
    return Request(tuple(part.symbol for part in array.parts), array=array)


def request(name: Any, program: Program, timesteps: Timesteps, arrays: Sequence[WeightArray] = ()) -> Request:
    """What a name, or a symbol, stands for in a program.

    Raises:
        ValueError: nothing of that name, or a step that the model does not have.
    """
    name = str(name)
    known = families(program)
    by_name = {array.name.code: of_array(array) for array in arrays if len(array.parts) > 1}
    steps: dict[str, Expr] = {}
    for symbol in named_symbols(program).values():
        letter = name_of(program.names, symbol)
        if letter.base != "y_true" and not letter.is_total:
            by_name[letter.code] = Request((symbol,))
            if symbol in known:
                by_name[letter.family] = Request((symbol,))
                steps[letter.family] = symbol
    if name in by_name:
        return by_name[name]
    family, _, step = name.rpartition("_")
    if family not in steps or not step.isdecimal():
        raise ValueError(
            f"wrt: unknown symbol {cut_repr(name)}; known: {', '.join(by_name)}, "
            "and a family with its step, such as x_0"
        )
    limit = timesteps.get(length_of(program.names, steps[family]))
    if limit is not None and int(step) >= limit:
        raise ValueError(f"wrt: {cut_repr(name)}: expected a step below {limit}, got {step}")
    return Request((steps[family],), int(step))


def select(program: Program, names: Sequence[Name], requests: Sequence[Request]) -> Program:
    """The unrolled program with the steps that were asked for: `letters` name the derivatives."""
    steps: dict[Name, dict[Expr, Name]] = {}
    for symbol in program.outputs:
        name = name_of(program.names, symbol)
        steps.setdefault(replace(name, time=None, entry=()), {})[symbol] = name
    wanted = [s for s in program.outputs if name_of(program.names, s).is_total]
    steps_of = [one.step for one in requests for _ in one.symbols]
    for name, step in zip(names, steps_of, strict=True):
        wanted += [s for s, at in steps[name.at(None)].items() if step in (None, at.time)]
    outputs = tuple(wanted)
    forward = [e.lhs for e in program.assignments if not name_of(program.names, e.lhs).is_adjoint]
    return replace(prune(program, (*outputs, *forward)), outputs=outputs)
