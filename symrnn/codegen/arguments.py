"""x, y_true and the weights of a call: checked, and cast to one type.

Numbers are computed in the result type of the weights, at least float32; x and y_true are cast to
it, as Keras does; ids of an Embedding stay whole numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.codegen.signature import Arguments
from symrnn.common.errors import cut_repr
from symrnn.common.fields import is_listing
from symrnn.models.network import ModelInput, WeightArray

Arrays = Sequence[Any] | Mapping[str, Any]
_COMMON = {np.dtype(np.float32), np.dtype(np.float64)}


@dataclass(frozen=True)
class CheckedCall:
    """Checked arguments: arrays by the name of their symbol, and what the results' shapes follow."""

    arrays: dict[str, np.ndarray]
    dtype: np.dtype
    samples: int
    lengths: dict[str, int]
    single: bool
    shapes: tuple[tuple[int, ...], ...]

    @property
    def timesteps(self) -> int:
        """The largest number of time steps, 1 where there are none."""
        return max(self.lengths.values(), default=1)


def read(arguments: Arguments, x: Any, y_true: Any, weights: Arrays) -> CheckedCall:
    """Check and cast x, y_true and the weights.

    Raises:
        ValueError: a wrong number or shape; the message says what was expected and what was given.
        NotImplementedError: float16.
    """
    given = read_weights(arguments, weights)
    sources = arguments.sources
    names = [_given_name(source, sources) for source in sources]
    inputs = [_array(value, name) for value, name in zip(_listed(x, names, "x"), names, strict=True)]
    dtype = _result_type(list(given.values()) or inputs)
    blocks: dict[str, np.ndarray] = {}
    lengths: dict[str, int] = {}
    singles: list[bool] = []
    for source, array, name in zip(sources, inputs, names, strict=True):
        block, single = _block(source, array, name)
        _check_length(source, block, name, lengths)
        blocks[source.symbol.name] = block
        singles.append(single)
    lengths |= arguments.lengths
    samples = _samples([blocks[source.symbol.name] for source in sources], names, singles)
    arrays = blocks | given
    targets = arguments.targets
    target_names = [f"y_true[{i}]" for i in range(len(targets))] if len(targets) > 1 else ["y_true"]
    given_targets = _listed(y_true, target_names[: len(targets)], "y_true")
    for target, name, value in zip(targets, target_names, given_targets, strict=False):
        shape = (samples, *(() if target.steps is None else (lengths[target.steps],)), target.width)
        arrays[target.name] = _rows(name, _array(value, name), shape, singles[0])
        if target.depth is not None:
            _check_ids(arrays[target.name], target.depth, name)
    ids = {source.symbol.name for source in sources if source.kind == "ids"}
    return CheckedCall(
        _cast(arrays, dtype, ids), dtype, samples, lengths, singles[0], tuple(array.shape for array in inputs)
    )


def _given_name(source: ModelInput, sources: Sequence[ModelInput]) -> str:
    """What an input is called in messages: x where there is one, else its symbol's name without the step."""
    return "x" if len(sources) == 1 else source.symbol.name.removesuffix("_t")


def whole(array: WeightArray, blocks: Sequence[Any]) -> Any:
    """The Keras weight that has these blocks as the values of its parts."""
    if len(blocks) == 1:
        return blocks[0]
    found = np.empty(array.shape, blocks[0].dtype)
    for part, block in zip(array.parts, blocks, strict=True):
        part.block(found)[...] = block
    return found


def _listed(value: Any, names: Sequence[str], what: str) -> list[Any]:
    """The value in a list, or the list of as many values as there are names."""
    if len(names) <= 1:
        return [value] * len(names)
    if not isinstance(value, list | tuple) or len(value) != len(names):
        got = f"{len(value)} entries" if isinstance(value, list | tuple) else type(value).__name__
        raise ValueError(f"{what}: expected the list [{', '.join(names)}], got {got}")
    return list(value)


def _block(source: ModelInput, array: np.ndarray, name: str) -> tuple[np.ndarray, bool]:
    """An input with all its axes, and whether it was one sample without the samples' axis."""
    width, steps = source.width, source.timesteps
    if source.kind == "rows":
        block = array[None] if array.ndim == 1 else array
        if block.ndim != 2 or block.shape[1] != width or 0 in block.shape:
            raise ValueError(
                f"{name}: expected the shape (samples, {width}), or ({width},) for one sample, got {array.shape}"
            )
        return block, array.ndim == 1
    block = array
    if source.is_flat:
        block = array[..., None]
    elif array.ndim == 1 and width == 1:
        block = array[:, None]
    single = block.ndim == 2
    block = block[None] if single else block
    fits = block.ndim == 3 and block.shape[2] == width and steps in (None, block.shape[1])
    if not fits or 0 in block.shape:
        text = "timesteps" if steps is None else steps
        sample = f"({text},)" if source.is_flat else f"({text}, {width})"
        batch = f"(samples, {text})" if source.is_flat else f"(samples, {text}, {width})"
        raise ValueError(f"{name}: expected the shape {batch}, or {sample} for one sample, got {array.shape}")
    if source.depth is not None:
        _check_ids(block, source.depth, name)
    if source.kind == "mask":
        _check_mask(block, name)
    return block, single


def _check_ids(block: np.ndarray, depth: int, name: str) -> None:
    """Keras takes the whole part of an id; one that there is no row for is an error on a CPU."""
    with np.errstate(invalid="ignore"):
        wrong = block[~((block > -1) & (block < depth))]
    if wrong.size:
        raise ValueError(f"{name}: expected ids from 0 to {depth - 1}, got {wrong[0]}")


def _check_mask(block: np.ndarray, name: str) -> None:
    wrong = block[(block != 0) & (block != 1)]
    if wrong.size:
        raise ValueError(f"{name}: expected 1 where a time step counts and 0 where it does not, got {wrong[0]}")


def _check_length(source: ModelInput, block: np.ndarray, name: str, lengths: dict[str, int]) -> None:
    """Inputs of one length must have it."""
    if source.steps is None:
        return
    known = lengths.setdefault(source.steps.name, block.shape[1])
    if known != block.shape[1]:
        raise ValueError(f"{name}: expected {known} time steps, as the input before has, got {block.shape[1]}")


def _samples(blocks: Sequence[np.ndarray], names: Sequence[str], singles: Sequence[bool]) -> int:
    """The number of samples, which all inputs have."""
    for block, name, single in zip(blocks, names, singles, strict=True):
        if single != singles[0]:
            which = "no axis of samples, as {} has none" if singles[0] else "an axis of samples, as {} has"
            raise ValueError(f"{name}: expected {which.format(names[0])}")
        if block.shape[0] != blocks[0].shape[0]:
            raise ValueError(f"{name}: expected {blocks[0].shape[0]} samples, as {names[0]} has, got {block.shape[0]}")
    return blocks[0].shape[0]


def _result_type(weights: Sequence[np.ndarray]) -> np.dtype:
    """The result type of the weights, or of the inputs of a model without, at least float32."""
    kinds = {weight.dtype for weight in weights}
    return kinds.pop() if len(kinds) == 1 and kinds <= _COMMON else np.result_type(np.float32, *weights)


def _cast(arrays: dict[str, np.ndarray], dtype: np.dtype, ids: set[str]) -> dict[str, np.ndarray]:
    """The arrays in one dtype, ids in a wide one; a number too large for the dtype is infinite."""
    if not ids and all(array.dtype == dtype for array in arrays.values()):
        return arrays
    with np.errstate(over="ignore"):
        return {name: array.astype(np.float64 if name in ids else dtype, copy=False) for name, array in arrays.items()}


def read_weights(arguments: Arguments, weights: Any) -> dict[str, np.ndarray]:
    """The weights by the name of their symbol, from a list as of get_weights(), or a mapping by name."""
    arrays, names = arguments.arrays, arguments.names
    if not isinstance(weights, Mapping | Sequence | np.ndarray) or not is_listing(weights):
        expected = f"a list of {len(arrays)} arrays ({_described(arrays)}), or a mapping by name"
        raise ValueError(f"weights: expected {expected}, got {type(weights).__name__}")
    if isinstance(weights, Mapping):
        return _read_mapping(arguments, weights)
    if len(weights) != len(arrays):
        raise ValueError(f"weights: expected {len(arrays)} arrays ({_described(arrays)}), got {len(weights)}")
    found: dict[str, np.ndarray] = {}
    for i, (one, value) in enumerate(zip(arrays, weights, strict=True)):
        array = _array(value, f"weights[{i}] ({one.name.code})")
        if array.shape != one.shape:
            place = f"weights[{i}] ({one.name.code}, {one.keras})"
            raise ValueError(f"{place}: expected the shape {one.shape}, got {array.shape}")
        for part in one.parts:
            found[part.symbol.name] = part.block(array)
    return {name: found[name] for name in names}


def _described(arrays: Sequence[WeightArray]) -> str:
    return ", ".join(array.name.code for array in arrays)


def _read_mapping(arguments: Arguments, weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if set(weights) != set(arguments.names):
        raise ValueError(
            f"weights: expected the names {', '.join(arguments.names)}, got {', '.join(map(str, weights))}"
        )
    found: dict[str, np.ndarray] = {}
    for part in (part for array in arguments.arrays for part in array.parts):
        name = part.symbol.name
        array = _array(weights[name], f"weights[{cut_repr(name)}]")
        if array.shape != part.shape:
            raise ValueError(
                f"weights[{cut_repr(name)}] ({part.keras}): expected the shape {part.shape}, got {array.shape}"
            )
        found[name] = array
    return found


def _array(value: Any, what: str) -> np.ndarray:
    """The value as an array of real numbers; `what` names it where it is not."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "fiub" and array.dtype != np.float16:
            return array
        error: Exception = ValueError(f"expected an array of real numbers, got {array.dtype}")
        if array.dtype == np.float16:
            error = NotImplementedError("float16 is not supported; supported: float32, float64")
    except ValueError:
        error = ValueError("expected an array of numbers, got rows of different lengths")
    raise type(error)(f"{what}: {error}")


def _rows(what: str, array: np.ndarray, shape: tuple[int, ...], single: bool) -> np.ndarray:
    """An array with a row per sample; a trailing 1 may be left out, and of one sample the axis of samples."""
    expected = shape[1:] if single else shape
    fitting = [shape, *([shape[1:]] if shape[0] == 1 else [])]
    if array.shape in (*fitting, *(one[:-1] for one in fitting if one[-1] == 1)):
        return array.reshape(shape)
    raise ValueError(f"{what}: expected the shape {expected}, got {array.shape}")
