"""The closed form: everything substituted, within limits that are checked before it is built."""

from sympy import Expr, Mul, Pow

from symrnn.expressions.nodes import is_size
from symrnn.programs.program import Program
from symrnn.programs.transforms import inline

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
    """The operations of the largest closed form, and how deeply it nests, without building it.

    A function nests what it is applied to, and a product the sums among its factors.
    """
    operations: dict[Expr, int] = {}
    nesting: dict[Expr, int] = {}
    sums: set[Expr] = set()
    for equation in program.assignments:
        lhs, rhs = equation.lhs, equation.rhs
        uses = _uses(rhs)
        operations[lhs] = rhs.count_ops() + sum(n * operations.get(s, 0) for s, n in uses.items())
        multiplied = sums & _factors(rhs)
        own = 0 if rhs.is_Add or rhs.is_Mul or rhs.is_Pow or rhs.is_Atom else 1
        nesting[lhs] = own + max((nesting.get(s, 0) + (s in multiplied) for s in uses), default=0)
        if rhs.is_Add or rhs in sums:
            sums.add(lhs)
    outputs = program.outputs
    return max(operations.get(s, 0) for s in outputs), max(nesting.get(s, 0) for s in outputs)


def _factors(expr: Expr) -> set[Expr]:
    """The symbols that stand in a product or a power."""
    return {factor for part in expr.atoms(Mul, Pow) for factor in part.args if factor.is_Symbol}


def _uses(expr: Expr) -> dict[Expr, int]:
    """How often each symbol stands in an expression; a power stands once."""
    uses: dict[Expr, int] = {}
    waiting = [expr]
    while waiting:
        part = waiting.pop()
        if part.is_Symbol and not is_size(part):
            uses[part] = uses.get(part, 0) + 1
        waiting += part.args
    return uses


def count(number: int) -> str:
    """A number that may have thousands of digits: in full, or its order of magnitude."""
    return str(number) if number < 10**9 else f"about 10^{len(f'{number:x}') * 12041 // 10000}"
