"""The closed form: everything substituted, within limits that are checked before it is built."""

from sympy import Expr

from symrnn.matrices import N, T
from symrnn.program import Program
from symrnn.transforms import inline

OPERATIONS = 10_000
NESTING = 40


def expressions(program: Program) -> tuple[Expr, ...]:
    """Each output of an unrolled scalar program as one expression in its inputs.

    Raises:
        ValueError: one would have more than `OPERATIONS` operations, or nest steps deeper than
            `NESTING`; the message says how many and what to take instead.
    """
    operations, nesting = size(program)
    if operations > OPERATIONS or nesting > NESTING:
        raise ValueError(
            f"closed form: expected at most {OPERATIONS} operations and {NESTING} nested steps, "
            f"got {count(operations)} and {nesting}; take zoom 'unrolled'"
        )
    return inline(program)


def size(program: Program) -> tuple[int, int]:
    """The operations of the largest closed form, and how deeply activations nest, without building it."""
    operations: dict[Expr, int] = {}
    nesting: dict[Expr, int] = {}
    for equation in program.assignments:
        uses = _uses(equation.rhs)
        operations[equation.lhs] = equation.rhs.count_ops() + sum(n * operations.get(s, 0) for s, n in uses.items())
        step = 0 if equation.rhs.is_Add or equation.rhs.is_Mul or equation.rhs.is_Atom else 1
        nesting[equation.lhs] = step + max((nesting.get(s, 0) for s in uses), default=0)
    outputs = program.outputs
    return max(operations.get(s, 0) for s in outputs), max(nesting.get(s, 0) for s in outputs)


def _uses(expr: Expr) -> dict[Expr, int]:
    """How often each symbol stands in an expression, powers not written out."""
    uses: dict[Expr, int] = {}
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if part.is_Symbol and part not in (N, T):
            uses[part] = uses.get(part, 0) + 1
        waiting += part.args
    return uses


def count(number: int) -> str:
    """A number that may have thousands of digits: in full, or its order of magnitude."""
    return str(number) if number < 10**9 else f"about 10^{len(f'{number:x}') * 12041 // 10000}"
