"""The model as a table: layer, symbol, Keras weight, shape, number of parameters."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from math import prod
from typing import Any

import numpy as np

from symrnn.documents.blocks import Block, Cell, Paragraph, Table
from symrnn.documents.example import Example
from symrnn.documents.inline import Code, Prose, prose
from symrnn.expressions.activations import activation_name
from symrnn.models import custom_cell
from symrnn.models.layers.core import Layer
from symrnn.models.layers.rnn import Cells
from symrnn.models.network import ModelInput, Network, Weight


def blocks(example: Example) -> tuple[Block, ...]:
    """Layers, symbols, Keras' weights, shapes, counts; where every quantity is one number, its value.

    Where the model has regularizers, that no loss here has them.
    """
    weights, left_out = example.weights if example.scalar else None, example.derivation.regularizers
    said = f"Keras adds its regularizers to the loss in training; a loss here is without {', '.join(left_out)}."
    return (model_table(example.derivation.network, weights), *([Paragraph((said,))] if left_out else []))


def model_table(network: Network, weights: Sequence[np.ndarray] | None = None) -> Table:
    """Layer, symbol, Keras weight, shape, number of parameters; and the value of 1 x 1 weights."""
    parts = [weight.block(weights[weight.array]) for weight in network.weights] if weights else []
    values = [_value(part) for part in parts]
    rows: list[tuple[Cell, ...]] = []
    for i, weight in enumerate(network.weights):
        new = i == 0 or network.weights[i - 1].layer != weight.layer
        name = layer_name(network.graph.layers[weight.layer]) if new else ""
        cells = (
            code_span(name),
            weight.name,
            code_span(_keras_name(network, weight)),
            str(weight.shape),
            str(_count(weight)),
        )
        rows.append((*cells, *([values[i]] if any(values) else [])))
    total, sources = sum(map(_count, network.weights)), network.sources
    head = ("layer", "symbol", "Keras weight", "shape", "count", *(["value"] if any(values) else []))
    inputs = " ".join(f"Input {source.symbol.name.removesuffix('_t')}: {_input(source)}." for source in sources)
    inputs = inputs if len(sources) > 1 else f"Input: {_input(sources[0])}."
    note = prose(f"Parameters: {total}, in the order of ", Code("get_weights()"), f". {inputs}")
    return Table(head, tuple(rows), (4, 5), note)


def code_span(text: str) -> Prose:
    """The text of a cell as code; nothing where it is empty."""
    return (Code(text),) if text else ()


def _value(part: np.ndarray) -> str:
    return str(part.reshape(())[()]).removesuffix(".0") if part.size == 1 else ""


def _keras_name(network: Network, weight: Weight) -> str:
    """The Keras weight, with the slice of it that is this one's: kernel[:, 0:4]."""
    array = network.arrays[weight.array]
    if len(array.parts) == 1:
        return weight.keras
    rows = [] if len(array.shape) == 1 else [":" if weight.row is None else str(weight.row)]
    return f"{weight.keras}[{', '.join([*rows, f'{weight.start}:{weight.start + weight.shape[-1]}'])}]"


def _input(source: ModelInput) -> str:
    """What an input holds, in words."""
    if source.steps is None:
        return f"one row, columns: {source.width}"
    steps = "any number of" if source.timesteps is None else str(source.timesteps)
    return f"{steps} time steps, {_ELEMENTS.get(source.kind, _FEATURES).format(source)}"


_FEATURES = "features: {0.width}"
_ELEMENTS = {"ids": "ids below {0.depth}", "mask": "1 where a step counts, else 0"}
"""What an element of a sequence is, by the kind of the input."""


def _count(weight: Weight) -> int:
    return prod(weight.shape)


def layer_name(layer: Layer | Cells) -> str:
    """The layer as it is called, with what is not Keras' default: SimpleRNN(4, relu).

    How it is run, such as return_sequences, and whether it has a bias, are for the equations to show.
    """
    if isinstance(layer, custom_cell.Cell):
        return layer.title
    parts = []
    for one in fields(layer):
        value, default = getattr(layer, one.name), one.default
        if "activation" in one.name:
            value, default = activation_name(value), default if default is MISSING else activation_name(default)
        if not one.kw_only and one.name not in ("name", "use_bias") and value != default:
            plain = default is MISSING or one.name == "activation"
            parts.append(_shown(value) if plain else f"{one.name}={_shown(value)}")
    return f"{type(layer).__name__}({', '.join(parts)})"


def _shown(value: Any) -> str:
    """An argument: a layer or a cell by its name, several in brackets."""
    if isinstance(value, list | tuple) and all(map(is_dataclass, value)):
        return f"[{', '.join(map(layer_name, value))}]"
    return layer_name(value) if isinstance(value, Layer | Cells) else str(value)
