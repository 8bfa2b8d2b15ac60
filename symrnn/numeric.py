"""Calling generated code: arguments checked and cast, results shaped as they were asked for.

Numbers are computed in the result type of the weights, at least float32; x and y_true are cast to
it, as Keras does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.signature import Arguments, Output

Arrays = Sequence[Any] | Mapping[str, Any]
_COMMON = {np.dtype(np.float32), np.dtype(np.float64)}


@dataclass(frozen=True)
class Call:
    """Checked arguments: arrays by the name of their symbol, and what the results' shapes follow."""

    arrays: dict[str, np.ndarray]
    dtype: np.dtype
    samples: int
    timesteps: int
    single: bool
    x_shape: tuple[int, ...]


def read(arguments: Arguments, x: Any, y_true: Any, weights: Arrays) -> Call:
    """Check and cast x, y_true and the weights.

    Raises:
        ValueError: a wrong number or shape; the message says what was expected and what was given.
        NotImplementedError: float16.
    """
    given = read_weights(arguments, weights)
    dtype = _result_type(given)
    inputs = _inputs(arguments, x)
    x_given = _array(inputs[0], "x")
    block, single = _samples(arguments, x_given)
    samples, timesteps = block.shape[:2]
    arrays = dict(zip(arguments.names, given, strict=True))
    arrays["x_t"] = block
    for (name, width), state in zip(arguments.states, inputs[1:], strict=True):
        arrays[name] = _rows(name, _array(state, name), (samples, width), single)
    if arguments.target is not None:
        shape = (samples, *((timesteps,) if arguments.sequence else ()), arguments.target)
        name = "y_true_t" if arguments.sequence else "y_true"
        arrays[name] = _rows("y_true", _array(y_true, "y_true"), shape, single)
    return Call(_cast(arrays, dtype), dtype, samples, timesteps, single, x_given.shape)


def _result_type(weights: Sequence[np.ndarray]) -> np.dtype:
    """The result type of the weights, at least float32."""
    kinds = {weight.dtype for weight in weights}
    return kinds.pop() if len(kinds) == 1 and kinds <= _COMMON else np.result_type(np.float32, *weights)


def _cast(arrays: dict[str, np.ndarray], dtype: np.dtype) -> dict[str, np.ndarray]:
    """The arrays in one dtype; a number too large for it is infinite."""
    if all(array.dtype == dtype for array in arrays.values()):
        return arrays
    with np.errstate(over="ignore"):
        return {name: array.astype(dtype, copy=False) for name, array in arrays.items()}


def read_weights(arguments: Arguments, weights: Arrays) -> list[np.ndarray]:
    """The weights as arrays, in the table's order, from a list in that order or a mapping by symbol name."""
    table, names = arguments.weights, arguments.names
    if not isinstance(weights, Mapping | Sequence | np.ndarray) or isinstance(weights, str):
        expected = f"a list of {len(table)} arrays ({', '.join(names)}), or a mapping by name"
        raise ValueError(f"weights: expected {expected}, got {type(weights).__name__}")
    if isinstance(weights, Mapping):
        if set(weights) != set(names):
            raise ValueError(f"weights: expected the names {', '.join(names)}, got {', '.join(map(str, weights))}")
        weights = [weights[name] for name in names]
    if len(weights) != len(table):
        raise ValueError(f"weights: expected {len(table)} arrays ({', '.join(names)}), got {len(weights)}")
    arrays = [_array(value, "weights", i, names) for i, value in enumerate(weights)]
    for i, (weight, array) in enumerate(zip(table, arrays, strict=True)):
        if array.shape != weight.shape:
            place = f"weights[{i}] ({weight.symbol.name}, {weight.keras})"
            raise ValueError(f"{place}: expected the shape {weight.shape}, got {array.shape}")
    return arrays


def _array(value: Any, what: str, place: int | None = None, names: Sequence[str] = ()) -> np.ndarray:
    """The value as an array of real numbers; `what` and the place name it where it is not."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "fiub" and array.dtype != np.float16:
            return array
        error: Exception = ValueError(f"expected an array of real numbers, got {array.dtype}")
        if array.dtype == np.float16:
            error = NotImplementedError("float16 is not supported; supported: float32, float64")
    except ValueError:
        error = ValueError("expected an array of numbers, got rows of different lengths")
    where = what if place is None else f"{what}[{place}] ({names[place]})"
    raise type(error)(f"{where}: {error}")


def _inputs(arguments: Arguments, x: Any) -> list[Any]:
    if not arguments.states:
        return [x]
    names = ["x", *(name for name, _ in arguments.states)]
    if not isinstance(x, list | tuple) or len(x) != len(names):
        got = f"{len(x)} entries" if isinstance(x, list | tuple) else type(x).__name__
        raise ValueError(f"x: expected the list [{', '.join(names)}], got {got}")
    return list(x)


def _samples(arguments: Arguments, x: np.ndarray) -> tuple[np.ndarray, bool]:
    """X as (samples, timesteps, features), and whether it was one sample without that axis."""
    features = arguments.features
    block = x
    if x.ndim == 1 and features == 1:
        block = x[:, None]
    single = block.ndim == 2
    block = block[None] if single else block
    fits = block.ndim == 3 and block.shape[2] == features and arguments.timesteps in (None, block.shape[1])
    if not fits or 0 in block.shape:
        steps = "timesteps" if arguments.timesteps is None else arguments.timesteps
        raise ValueError(
            f"x: expected the shape (samples, {steps}, {features}), "
            f"or ({steps}, {features}) for one sample, got {x.shape}"
        )
    return block, single


def _rows(what: str, array: np.ndarray, shape: tuple[int, ...], single: bool) -> np.ndarray:
    """An array with a row per sample; the samples' axis, or a trailing 1, may be left out as for x."""
    expected = shape[1:] if single else shape
    if array.shape == expected or (expected[-1] == 1 and array.shape == expected[:-1]):
        return array.reshape(shape)
    raise ValueError(f"{what}: expected the shape {expected}, got {array.shape}")


# functions --------------------------------------------------------------------------------------


def compile_source(source: str, name: str) -> Callable[..., tuple]:
    """The function `name` of a generated module. All names in it have passed `program.validate`."""
    namespace: dict[str, Any] = {"__name__": f"symrnn.generated.{name}"}
    exec(compile(source, f"<symrnn {name}>", "exec"), namespace)  # noqa: S102 - our own source, see above
    return namespace[name]


@dataclass(frozen=True)
class NumericFunction:
    """A derivation as a function of numbers: f(x, weights), or f(x, y_true, weights) with a loss.

    `source` is the Python that runs, NumPy for any number of samples; `row_source` is what runs in
    its place for one sample of a scalar model, floats with `math`, rounded to the result type.
    """

    name: str
    source: str
    row_source: str | None
    order: tuple[str, ...] = field(repr=False)
    outputs: tuple[Output, ...] = field(repr=False)
    arguments: Arguments = field(repr=False)
    finish: Callable[[list[Any]], Any] = field(repr=False)

    def __call__(self, x: Any, *rest: Any) -> Any:
        """The results; see `Derivation.lambdify`."""
        y_true, weights = self.split(rest)
        call = read(self.arguments, x, y_true, weights)
        if self.row_source is not None and call.samples == 1 and call.dtype.itemsize <= 8:
            results = self._row(call)
            if results is not None:
                return self.finish(results)
        return self.finish(self.on_arrays(call))

    def on_arrays(self, call: Call) -> list[Any]:
        """The results computed with NumPy, in the arguments' own precision throughout."""
        with np.errstate(all="ignore"):
            values = self._arrays(*(call.arrays[name] for name in self.order))
        shapes = zip(self.outputs, values, strict=True)
        return [_shape_array(output, np.asarray(value), call) for output, value in shapes]

    def split(self, rest: tuple[Any, ...]) -> tuple[Any, Arrays]:
        """y_true (None without a loss) and the weights, from the arguments after x."""
        expected = 1 if self.arguments.target is None else 2
        if len(rest) != expected:
            names = "x, weights" if expected == 1 else "x, y_true, weights"
            raise ValueError(f"{self.name}: expected the arguments ({names}), got {len(rest) + 1} arguments")
        return (None if expected == 1 else rest[0]), rest[-1]

    def _row(self, call: Call) -> list[Any] | None:
        """The results computed with floats; None where floats raise and arrays give inf or NaN."""
        arrays = call.arrays
        lists = [arrays[name].ravel().tolist() if name[-2:] == "_t" else arrays[name].item() for name in self.order]
        try:
            values = self._floats(*lists)
        except (ArithmeticError, ValueError):
            return None
        with np.errstate(over="ignore"):
            return [_shape_row(output, value, call) for output, value in zip(self.outputs, values, strict=True)]

    @cached_property
    def _arrays(self) -> Callable[..., tuple]:
        return compile_source(self.source, self.name)

    @cached_property
    def _floats(self) -> Callable[..., tuple]:
        return compile_source(self.row_source or "", self.name)


def _shape_array(output: Output, value: np.ndarray, call: Call) -> Any:
    if output.kind == "loss":
        return value.reshape(())[()]
    if output.kind == "weight":
        return value.reshape(output.shape)
    if output.kind == "x":
        return value.reshape(call.x_shape)
    if output.step is not None:
        value = value[:, _step(output.step, call)]
    return value[0] if call.single else value


def _step(step: int, call: Call) -> int:
    if step >= call.timesteps:
        raise ValueError(
            f"x: expected more than {step} time steps, because step {step} was asked for, got {call.timesteps}"
        )
    return step


def _shape_row(output: Output, value: Any, call: Call) -> Any:
    """One sample's result: a float, or a list over time, as an array."""
    dtype, kind = call.dtype, output.kind
    if kind == "loss":
        return dtype.type(value)
    if kind == "weight":
        return np.array(value, dtype, ndmin=len(output.shape))
    if kind == "x":
        return np.array(value, dtype).reshape(call.x_shape)
    if output.step is not None:
        value = value[_step(output.step, call)]
    if kind == "rows" or output.step is not None:
        return np.array(value, dtype, ndmin=1 if call.single else 2)
    return np.array(value, dtype).reshape((-1, 1) if call.single else (1, -1, 1))
