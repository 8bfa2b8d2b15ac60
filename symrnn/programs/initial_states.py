"""Programs in which the state before the first step is a symbol, h_{-1}, where it is zero.

So the first time step reads as the others do, and what vanishes in it can be seen.
"""

from dataclasses import replace

from sympy import Expr

from symrnn.expressions.matrices import is_zero, variable
from symrnn.expressions.shapes import shape_of
from symrnn.programs.program import Program, Recurrence
from symrnn.programs.transforms import name_of


def with_initial_states(program: Program) -> tuple[Program, tuple[Expr, ...]]:
    """The program with a symbol for each state that starts from zero, and these symbols."""
    names, found, items = dict(program.names), [], []
    for item in program.equations:
        if isinstance(item, Recurrence):
            carries = []
            for carry in item.carries:
                if is_zero(carry.init):
                    name = name_of(names, carry.prev).at("T" if item.reverse else -1)
                    start = variable(name.code, shape_of(carry.prev))
                    names[start] = name
                    found.append(start)
                    carry = replace(carry, init=start)
                carries.append(carry)
            item = replace(item, carries=tuple(carries))
        items.append(item)
    inputs = (*program.inputs, *found)
    return Program(inputs, program.sequences, tuple(items), program.outputs, names), tuple(found)
