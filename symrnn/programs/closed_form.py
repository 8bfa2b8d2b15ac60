"""The closed form: everything substituted, within limits that are checked before it is built."""

from collections.abc import Iterable

from sympy import Expr, MatAdd, MatMul, Mul, Pow
from sympy.matrices.expressions import HadamardProduct, MatrixExpr, OneMatrix

from symrnn.common.limits import CHARACTERS, NESTING, OPERATIONS, round_number
from symrnn.expressions.entry_counts import entries_of, entry_count
from symrnn.expressions.nodes import SLOTS, Elementwise, Scalar, is_size
from symrnn.programs.program import Program
from symrnn.programs.transforms import inline


def expressions(program: Program) -> tuple[Expr, ...]:
    """Each output of an unrolled scalar program as one expression in its inputs.

    Raises:
        ValueError: one would have more than `OPERATIONS` operations, or nest steps deeper than
            `NESTING`; the message says how many and what to take instead.
    """
    operations, nesting = size(program)
    check_expression(operations, nesting)
    return inline(program)


def check_expression(operations: int, nesting: int) -> None:
    """Check the size of a closed form that is to be an expression.

    Raises:
        ValueError: see `expressions`.
    """
    if operations > OPERATIONS or nesting > NESTING:
        raise ValueError(
            f"closed form: expected at most {OPERATIONS} operations and {NESTING} nested steps, "
            f"got {round_number(operations)} and {nesting}; take zoom 'unrolled'"
        )


def check_text(operations: int) -> None:
    """Check the size of a closed form that is to be a text, which has a character for each operation.

    Raises:
        ValueError: it would have more than `CHARACTERS` characters.
    """
    if operations > CHARACTERS:
        raise ValueError(
            f"closed form: expected at most {CHARACTERS} characters, got {round_number(operations)} operations; "
            "take zoom 'unrolled'"
        )


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


# of matrices ------------------------------------------------------------------------------------


def least_size(program: Program) -> tuple[int, int]:
    """A bound from below of `size`, for one sample, from an unrolled program that is still in matrices.

    So it is known that a closed form is too large before its entries are written out.
    """
    symbols: dict[Expr, int] = {}
    nesting: dict[Expr, int] = {}
    sums: set[Expr] = set()

    def leaf(symbol: Expr) -> int:
        return symbols[symbol] if symbol in symbols else entries_of(symbol, 1)

    for equation in program.assignments:
        lhs, rhs = equation.lhs, equation.rhs
        symbols[lhs] = entry_count(rhs, leaf, 1)
        multiplied = sums.intersection(_multiplied(rhs))
        read = [nesting.get(s, 0) + (s in multiplied) for s in rhs.free_symbols]
        nesting[lhs] = _nests(rhs) + max(read, default=0)
        if _is_sum(rhs) or rhs in sums:
            sums.add(lhs)
    operations = max(leaf(output) // entries_of(output, 1) - 1 for output in program.outputs)
    return operations, max(nesting.get(output, 0) for output in program.outputs)


def _nests(expr: Expr) -> bool:
    """Whether the entries apply a function to what is in them; not where they are sums and products."""
    if isinstance(expr, Elementwise):
        return not isinstance(expr.template, Mul | Pow) and not expr.template.is_Add and not expr.template.is_Atom
    return isinstance(expr, Scalar) and not (expr.is_Add or expr.is_Mul or expr.is_Pow or expr.is_Atom)


def _is_sum(expr: Expr) -> bool:
    """Whether an entry is a sum: that of a product is one unless it has a single term."""
    if isinstance(expr, Elementwise):
        return bool(expr.template.is_Add)
    single = [f for f in expr.args if isinstance(f, MatrixExpr)] if isinstance(expr, MatMul) else []
    return isinstance(expr, MatAdd) or expr.is_Add or any(factor.shape[1] != 1 for factor in single[:-1])


def _multiplied(expr: Expr) -> Iterable[Expr]:
    """The symbols whose entries stand in a product or a power."""
    for part in expr.atoms(MatMul, HadamardProduct, Elementwise, Mul, Pow):
        if isinstance(part, Elementwise):
            slots = _factors(part.template)
            yield from (matrix for slot, matrix in zip(SLOTS, part.matrices, strict=False) if slot in slots)
        else:
            factors = [factor for factor in part.args if not isinstance(factor, OneMatrix)]
            yield from factors if len(factors) > 1 else ()
