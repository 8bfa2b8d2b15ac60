"""Random inputs and targets to check at: ids, masked steps, initial states, and what a loss is meant for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.common.errors import cut_repr
from symrnn.models.graph import Graph, Result
from symrnn.models.layers.pooling import GlobalAveragePooling1D
from symrnn.models.network import ModelInput, ModelOutput, Network

Generator = np.random.Generator
SAMPLES = 4
_STEPS = 5
_MOST = 10**7
_PATTERNS: tuple[Callable[[int, int], bool], ...] = (
    lambda t, last: t in (0, last) or t % 3 == 2,
    lambda t, last: t > last // 2,
    lambda t, last: t <= last // 2,
    lambda t, last: False,
    lambda t, last: True,
)
"""Which steps of a sample are masked: at both ends and between, after the middle, before it, none, all."""


def check_seed(seed: object, where: str) -> None:
    """Check that a seed is a whole number of at least 0.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"{where}: seed: expected a whole number of at least 0, got {cut_repr(seed)}")


def random_inputs(network: Network, samples: int, seed: int) -> list[np.ndarray]:
    """Random samples for each input; what a model masks is masked in some steps of some samples.

    A sample with nothing but masked steps is among them where there is room, and the model takes
    no mean over the valid steps, which would be 0 / 0.

    Raises:
        ValueError: they would be more than 10^7 numbers.
    """
    generator = np.random.default_rng(seed)
    steps = _timesteps(network)
    numbers = sum(samples * steps.get(str(source.steps), 1) * source.width for source in network.sources)
    if numbers > _MOST:
        raise ValueError(f"x: expected it to be given: at most {_MOST} numbers are drawn, and it has {numbers}")
    patterns = _PATTERNS[: 4 if any(isinstance(layer, GlobalAveragePooling1D) for layer in network.graph.layers) else 5]
    values = mask_values(network.graph)
    listed = [*((place, values[place]) for place in network.graph.inputs), *((None, ()) for _ in network.sources)]
    return [
        _INPUTS[source.kind](source, samples, steps.get(str(source.steps), 1), masked, patterns, generator)
        for source, (_, masked) in zip(network.sources, listed, strict=False)
    ]


def _timesteps(network: Network) -> dict[str, int]:
    """The number of time steps of each length: where it is open, one that no other length has."""
    found = {str(steps): number for steps, number in network.timesteps.items() if number is not None}
    for steps in network.timesteps:
        free = next(number for number in range(_STEPS, 100) if number not in found.values())
        found.setdefault(str(steps), free)
    return found


def mask_values(graph: Graph) -> dict[int, tuple[float, ...]]:
    """By the place of an input, the values that mask a step of it: 0 for an Embedding."""
    found: dict[int, list[float]] = {place: [] for place in graph.inputs}
    for call in graph.calls:
        value = graph.layer(call).masked_value
        for source in (_origin(graph, result) for result in call.inputs):
            if source.call in found and value is not None:
                found[source.call].append(value)
    return {place: tuple(dict.fromkeys(values)) for place, values in found.items()}


def _origin(graph: Graph, result: Result) -> Result:
    """Where a result comes from but for layers that are the identity."""
    call = graph.calls[result.call]
    return _origin(graph, call.inputs[0]) if graph.layer(call).is_identity else result


def _masked_steps(samples: int, steps: int, patterns: Sequence[Callable[[int, int], bool]]) -> np.ndarray:
    """Which steps of which samples to mask; of one step, those of the last pattern only."""
    rows = [[patterns[i % len(patterns)](t, steps - 1) for t in range(steps)] for i in range(samples)]
    table = np.array(rows)
    whole = table.all(axis=1)
    keep = np.array([patterns[i % len(patterns)] is not _PATTERNS[4] for i in range(samples)])
    table[whole & keep, steps // 2] = False
    return table


def _sequence(
    source: ModelInput, samples: int, steps: int, masked: Sequence[float], patterns: Any, generator: Generator
) -> np.ndarray:
    """Normal numbers; a masked step is nothing but the mask's value, a valid one may have it in a feature."""
    x = generator.normal(size=(samples, steps, source.width))
    for value in masked:
        exact = float(np.float32(value))
        x[_masked_steps(samples, steps, patterns)] = exact
        x[-1, -1, : source.width - 1] = exact
    return x


def _ids(
    source: ModelInput, samples: int, steps: int, masked: Sequence[float], patterns: Any, generator: Generator
) -> np.ndarray:
    depth = source.depth or 1
    ids = generator.integers(min(1, depth - 1), depth, size=(samples, steps))
    hidden = _masked_steps(samples, steps, patterns) if masked else generator.random((samples, steps)) < 1 / depth
    return np.where(hidden, 0, ids)


def _mask(
    source: ModelInput, samples: int, steps: int, masked: Sequence[float], patterns: Any, generator: Generator
) -> np.ndarray:
    """1 where a step counts, else 0."""
    return 1.0 - _masked_steps(samples, steps, patterns)


def _rows(
    source: ModelInput, samples: int, steps: int, masked: Sequence[float], patterns: Any, generator: Generator
) -> np.ndarray:
    """Normal numbers, half as large for a state."""
    return generator.normal(size=(samples, source.width)) * (0.5 if source.state else 1.0)


_INPUTS: Mapping[str, Callable[..., np.ndarray]] = {"sequence": _sequence, "ids": _ids, "mask": _mask, "rows": _rows}


# targets ----------------------------------------------------------------------------------------

Shape = tuple[int, ...]


def random_targets(
    losses: Sequence[str], heads: Sequence[ModelOutput], samples: int, lengths: Mapping[str, int], seed: int
) -> list[np.ndarray]:
    """Targets that each loss is meant for, one for each output."""
    generator = np.random.default_rng(seed + 1)
    found = []
    for name, head in zip(losses, heads, strict=False):
        shape = (samples, *((lengths[str(head.steps)],) if head.sequence else ()), head.width)
        found.append(_TARGETS.get(name, _normal)(shape, generator))
    return found


def _normal(shape: Shape, generator: Generator) -> np.ndarray:
    return generator.normal(size=shape)


def _bits(shape: Shape, generator: Generator) -> np.ndarray:
    return generator.integers(2, size=shape).astype(float)


def _one_hot(shape: Shape, generator: Generator) -> np.ndarray:
    return np.eye(shape[-1])[generator.integers(shape[-1], size=shape[:-1])]


def _shares(shape: Shape, generator: Generator) -> np.ndarray:
    """Rows of positive numbers that sum to 1."""
    parts = generator.uniform(0.1, 1.0, size=shape)
    return parts / parts.sum(axis=-1, keepdims=True)


def _positive(shape: Shape, generator: Generator) -> np.ndarray:
    return generator.uniform(0.5, 2.0, size=shape)


def _classes(shape: Shape, generator: Generator) -> np.ndarray:
    return generator.integers(shape[-1], size=(*shape[:-1], 1))


def _signs(shape: Shape, generator: Generator) -> np.ndarray:
    return 2 * _bits(shape, generator) - 1


_TARGETS: Mapping[str, Callable[[Shape, Generator], np.ndarray]] = {
    "categorical_crossentropy": _one_hot,
    "sparse_categorical_crossentropy": _classes,
    "categorical_hinge": _one_hot,
    "binary_crossentropy": _bits,
    "hinge": _signs,
    "squared_hinge": _signs,
    "kl_divergence": _shares,
    "mape": _positive,
    "msle": _positive,
    "poisson": _positive,
}
"""The targets of a loss by its name; those of the others are normal numbers."""
