"""A derivation as a function of numbers: its code compiled and called, results shaped as they were asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.codegen.arguments import Arrays, CheckedCall, read
from symrnn.codegen.backends.table import ARRAYS, ROW, Backend
from symrnn.codegen.signature import Arguments, Output
from symrnn.programs.program import Program


@dataclass(frozen=True)
class NumericFunction:
    """A derivation as a function of numbers: f(x, weights), or f(x, y_true, weights) with a loss.

    The code is written and compiled when it is first asked for: by `arrays` for any number of samples,
    and by `row`, where it can, for one sample.
    """

    name: str
    program: Program = field(repr=False)
    outputs: tuple[Output, ...] = field(repr=False)
    arguments: Arguments = field(repr=False)
    finish: Callable[[list[Any]], Any] = field(repr=False)
    is_scalar: bool = field(repr=False)
    arrays: Backend = field(default=ARRAYS, repr=False)
    row: Backend | None = field(default=ROW, repr=False)

    @cached_property
    def source(self) -> str:
        """The Python that runs, NumPy for any number of samples."""
        return self.arrays.source(self.program, self.name, self.arguments.lengths)

    @cached_property
    def row_source(self) -> str | None:
        """What runs in its place for one sample of a scalar model: floats with `math`, rounded to the result type."""
        if self.row is None or not self.row.writes(self.program, self.is_scalar):
            return None
        return self.row.source(self.program, self.name, self.arguments.lengths)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The names of the code's arguments."""
        return tuple(symbol.name for symbol in (*self.program.sequences, *self.program.inputs))

    def __getstate__(self) -> dict[str, Any]:
        """All but what is compiled, which is compiled again where it is called."""
        return {name: value for name, value in vars(self).items() if name not in ("_arrays", "_floats")}

    def __call__(self, x: Any, *rest: Any) -> Any:
        """The results; see `Derivation.lambdify`."""
        y_true, weights = self.split(rest)
        call = read(self.arguments, x, y_true, weights)
        results = self._on_floats(call)
        return self.finish(self.on_arrays(call) if results is None else results)

    def on_arrays(self, call: CheckedCall) -> list[Any]:
        """The results computed with NumPy, in the arguments' own precision throughout."""
        with np.errstate(all="ignore"):
            values = self._arrays(*(call.arrays[name] for name in self.order))
        shapes = zip(self.outputs, values, strict=True)
        found = [_shape_array(output, np.asarray(value), call) for output, value in shapes]
        return [_own(value, output, call) for output, value in zip(self.outputs, found, strict=True)]

    def split(self, rest: tuple[Any, ...]) -> tuple[Any, Arrays]:
        """y_true (None without a loss) and the weights, from the arguments after x."""
        expected = 2 if self.arguments.targets else 1
        if len(rest) != expected:
            names = "x, weights" if expected == 1 else "x, y_true, weights"
            raise ValueError(f"{self.name}: expected the arguments ({names}), got {len(rest) + 1} arguments")
        return (None if expected == 1 else rest[0]), rest[-1]

    def _on_floats(self, call: CheckedCall) -> list[Any] | None:
        """The results computed with floats; None without code, and where floats raise and arrays give inf or NaN."""
        if self.row is None or not self.row.runs(call.samples, call.dtype) or self._floats is None:
            return None
        arrays, count = call.arrays, len(self.program.sequences)
        lists = [arrays[name].ravel().tolist() for name in self.order[:count]]
        lists += [arrays[name].item() for name in self.order[count:]]
        try:
            values = self._floats(*lists)
        except (ArithmeticError, ValueError):
            return None
        with np.errstate(over="ignore"):
            return [_shape_row(output, value, call) for output, value in zip(self.outputs, values, strict=True)]

    @cached_property
    def _arrays(self) -> Callable[..., tuple[Any, ...]]:
        return self.arrays.compile(self.source, self.name)

    @cached_property
    def _floats(self) -> Callable[..., tuple[Any, ...]] | None:
        row, source = self.row, self.row_source
        return None if row is None or source is None else row.compile(source, self.name)


def _own(value: Any, output: Output, call: CheckedCall) -> Any:
    """A result that is not an argument, nor one row in the place of many."""
    if output.kind not in ("rows", "family", "source"):
        return value
    is_given = any(np.may_share_memory(value, array) for array in call.arrays.values())
    return np.array(value) if is_given or not value.flags.writeable else value


def _shape_array(output: Output, value: np.ndarray, call: CheckedCall) -> Any:
    if output.kind == "loss":
        return value.reshape(())[()]
    if output.kind == "weight":
        return value.reshape(output.shape)
    if output.kind == "source":
        return value.reshape(call.shapes[output.place])
    if output.step is not None:
        value = value[:, _step(output.step, value.shape[1])]
    return value[0] if call.single else value


def _step(step: int, timesteps: int) -> int:
    if step >= timesteps:
        raise ValueError(f"x: expected more than {step} time steps, because step {step} was asked for, got {timesteps}")
    return step


def _shape_row(output: Output, value: Any, call: CheckedCall) -> Any:
    """One sample's result: a float, or a list over time, as an array."""
    dtype, kind = call.dtype, output.kind
    if kind == "loss":
        return dtype.type(value)
    if kind == "weight":
        if isinstance(value, list):  # a weight for each time step
            return np.array(value, dtype).reshape(output.shape)
        return np.array(value, dtype, ndmin=len(output.shape))
    if kind == "source":
        return np.array(value, dtype).reshape(call.shapes[output.place])
    if output.step is not None:
        value = value[_step(output.step, len(value))]
    if kind == "rows" or output.step is not None:
        return np.array(value, dtype, ndmin=1 if call.single else 2)
    return np.array(value, dtype).reshape((-1, 1) if call.single else (1, -1, 1))


@dataclass(frozen=True)
class JacobianFunction:
    """A Jacobian as a function of numbers: f(x, weights) -> (N, columns of the earlier, of the later).

    Each sample is computed once for each column of the later quantity, whose unit row is the seed
    of backpropagation. `source` is the Python that runs.
    """

    source: str
    order: tuple[str, ...] = field(repr=False)
    arguments: Arguments = field(repr=False)
    seed: str = field(repr=False)
    width: int = field(repr=False)
    of: int | None = field(repr=False)
    wrt: int | None = field(repr=False)
    steps: str | None = field(repr=False, default=None)

    def __getstate__(self) -> dict[str, Any]:
        """All but what is compiled."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    def __call__(self, x: Any, weights: Arrays) -> np.ndarray:
        """The Jacobian of each sample."""
        call = read(self.arguments, x, None, weights)
        arrays = dict(call.arrays)
        for source in self.arguments.sources:
            arrays[source.symbol.name] = np.repeat(arrays[source.symbol.name], self.width, axis=0)
        arrays[self.seed] = self._seed(call)
        with np.errstate(all="ignore"):
            (value,) = self._compiled(*(arrays[name] for name in self.order))
        if self.wrt is not None:
            value = value[:, _step(self.wrt, value.shape[1])]
        whole = value.reshape(call.samples, self.width, -1).swapaxes(1, 2)
        return whole[0] if call.single else whole

    def _seed(self, call: CheckedCall) -> np.ndarray:
        rows = np.tile(np.eye(self.width, dtype=call.dtype), (call.samples, 1))
        if self.of is None:
            return rows
        length = call.timesteps if self.steps is None else call.lengths[self.steps]
        seed = np.zeros((len(rows), length, self.width), call.dtype)
        seed[:, _step(self.of, length)] = rows
        return seed

    @cached_property
    def _compiled(self) -> Callable[..., tuple[Any, ...]]:
        return ARRAYS.compile(self.source, "jacobian")
