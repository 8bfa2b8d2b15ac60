"""The ways to compute a program, and which of them runs when.

A further one, such as C or JAX, is a module beside this one and a row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.codegen.backends.math_source import scalar_source
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.codegen.fusion.gates import fuse
from symrnn.codegen.selection import selected
from symrnn.expressions.activation_table import clip
from symrnn.programs.expansion import expand
from symrnn.programs.program import Program, right_sides


@dataclass(frozen=True)
class Backend:
    """A way to compute a program: `source` writes it as code, `compile` makes the function of that code.

    Both are told the function's name, and `source` the lengths that no sequence given to it tells.
    `writes` says which programs there is code for, given whether the model has scalars only; `runs`,
    for how many samples of which type that code is used.
    """

    name: str
    source: Callable[[Program, str, Mapping[str, int]], str]
    compile: Callable[[str, str], Callable[..., tuple[Any, ...]]]
    writes: Callable[[Program, bool], bool]
    runs: Callable[[int, np.dtype], bool]

    def __reduce__(self) -> Any:
        """A row of the table is pickled by its name."""
        return (backend_named, (self.name,)) if BACKENDS.get(self.name) is self else super().__reduce__()


def backend_named(name: str) -> Backend:
    """The row of the table with this name."""
    return BACKENDS[name]


def _fused(program: Program, name: str, lengths: Mapping[str, int]) -> str:
    return source(fuse(selected(program)), name, lengths)


def _expanded(program: Program, name: str, lengths: Mapping[str, int]) -> str:
    return scalar_source(expand(selected(program)), name, lengths)


def _in_floats(program: Program, scalar: bool) -> bool:
    """Whether floats give what the type of the weights gives: the ends of a clip depend on the type."""
    return scalar and not any(expr.has(clip) for expr in right_sides(program))


BACKENDS = {
    backend.name: backend
    for backend in (
        Backend("numpy", _fused, compile_source, lambda program, scalar: True, lambda samples, dtype: True),
        Backend(
            "math", _expanded, compile_source, _in_floats, lambda samples, dtype: samples == 1 and dtype.itemsize <= 8
        ),
    )
}
ARRAYS = BACKENDS["numpy"]
"""Runs for any number of samples, and where `ROW` cannot."""
ROW = BACKENDS["math"]
"""Runs for one sample, its numbers as floats."""
