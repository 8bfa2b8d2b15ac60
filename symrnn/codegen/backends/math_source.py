"""Python source for one sample of a scalar model: floats in loops, with `math`, from the expanded program.

A step of NumPy on 1 x 1 arrays costs microseconds, a step of floats a tenth of that.
"""

import re
from collections.abc import Callable, Mapping

from sympy import Expr, Symbol

from symrnn.codegen.scalar_code import FLOATS
from symrnn.expressions.functions import maximum
from symrnn.expressions.identifiers import MATH
from symrnn.expressions.nodes import is_size
from symrnn.programs.program import (
    Equation,
    MaxOverTime,
    Program,
    Recurrence,
    families,
    right_sides,
    right_sides_of,
    symbols_of,
)
from symrnn.programs.transforms import family_names, name_of


def scalar_source(program: Program, name: str, lengths: Mapping[str, int] | None = None) -> str:
    """A Python module with one function: lists for sequences, floats for the rest.

    The program is one of scalars, with its recurrences; its outputs are returned as a tuple. `lengths`
    are the numbers of time steps of sequences that are not given.
    """
    array = family_names(program).__getitem__
    given = {name_of(program.names, symbol).steps: array(symbol) for symbol in reversed(program.sequences)}
    lines = [f"    {steps} = len({first})" for steps, first in reversed(given.items())]
    lines += [f"    {steps} = {number}" for steps, number in (lengths or {}).items() if steps not in given]
    for item in program.equations:
        if isinstance(item, Equation):
            lines.append(f"    {item.lhs.name} = {_text(item.rhs)}")
        elif isinstance(item, Recurrence):
            lines += _loop(item, array)
        elif isinstance(item, MaxOverTime):
            lines.append(f"    {item.lhs.name} = maximum(*{array(item.rhs)})")
        else:
            lines.append(f"    {array(item.lhs)} = {array(item.rhs)}[::-1]")
    known = families(program)
    returned = ", ".join(array(s) if s in known else s.name for s in program.outputs)
    arguments = ", ".join([*map(array, program.sequences), *(s.name for s in program.inputs)])
    end = f"    return {returned}{',' if len(program.outputs) == 1 else ''}" if returned else "    return ()"
    function = [f"def {name}({arguments}):", *lines, end]
    pooled = [maximum(item.lhs) for item in program.equations if isinstance(item, MaxOverTime)]
    helpers = FLOATS.helpers([*right_sides(program), *pooled])
    text = "\n\n\n".join([*filter(None, [helpers]), "\n".join(function)]) + "\n"
    used = [name for name in MATH if re.search(rf"\b{name}\(", text)]
    return f"from math import {', '.join(used)}\n\n\n{text}" if used else text


def _text(expr: Expr) -> str:
    sizes = {size: Symbol(size.name) for size in expr.free_symbols if is_size(size)}
    return FLOATS.text(expr.xreplace(sizes) if sizes else expr)


def _loop(item: Recurrence, array: Callable[[Expr], str]) -> list[str]:
    """One loop for the whole body: a family is a list, a sum over t starts at 0."""
    carries, T = list(item.carries), item.length
    used = symbols_of(right_sides_of(item))
    lines = [f"    {c.prev.name} = {float(c.init) if c.init.is_number else _text(c.init)}" for c in carries]
    lines += [f"    {array(s)} = [0.0] * {T}" for s in item.stacked]
    lines += [f"    {total.lhs.name} = 0.0" for total in item.sums]
    lines.append(f"    for t in {f'range({T} - 1, -1, -1)' if item.reverse else f'range({T})'}:")
    body = [f"{s.name} = {array(s)}[t]" for s in item.sequences if s in used]
    body += [f"{array(c.prev)}[t] = {c.prev.name}" for c in carries if c.prev in item.stacked]
    for equation in item.body.assignments:
        target = f"{array(equation.lhs)}[t] = " if equation.lhs in item.stacked else ""
        body.append(f"{target}{equation.lhs.name} = {_text(equation.rhs)}")
    body += [f"{total.lhs.name} += {_text(total.rhs)}" for total in item.sums]
    if carries:
        body.append(f"{', '.join(c.prev.name for c in carries)} = {', '.join(_text(c.next) for c in carries)}")
    lines += [f"        {line}" for line in body or ["pass"]]
    return lines + [f"    {c.final.name} = {c.prev.name}" for c in carries if c.final is not None]
