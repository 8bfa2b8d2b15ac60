"""The order in which Keras lists the layers of a functional model, and so their weights.

Sources: map_graph and _build_map in keras/src/ops/function.py. Keras sorts by the depth below the outputs, then by
the first visit on the way from the outputs; what it computes masks with is part of its graph and counts as depth.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symrnn.models.layers.core import Embedding, InputLayer, Layer, NotEqual, Tensor
from symrnn.models.layers.merging import Concatenate


@dataclass(frozen=True, eq=False)
class _Node:
    """A call of a layer, or without a layer an operation of Keras on masks."""

    layer: Layer | None
    sources: "tuple[_Node, ...]"


def keras_order(inputs: Sequence[Tensor], calls: Sequence[Tensor], outputs: Sequence[Tensor]) -> list[Layer]:
    """The layers of a model; `calls` has one tensor of each call, after those it depends on."""
    nodes = _nodes(calls)
    ends = [nodes[id(tensor.call)] for tensor in outputs]
    visited, finished = _visits(ends)
    depths = _depths(finished)
    first = {id(layer): number for number, layer in reversed(list(enumerate(visited)))}
    layers = {id(layer): layer for layer in visited}
    for tensor in inputs:
        if id(tensor.layer) not in layers:  # nothing needs it
            layers[id(tensor.layer)], first[id(tensor.layer)] = tensor.layer, -1
    return sorted(layers.values(), key=lambda layer: (-depths.get(id(layer), 0), first[id(layer)]))


def _nodes(calls: Sequence[Tensor]) -> dict[int, _Node]:
    """Keras' nodes of the calls."""
    nodes: dict[int, _Node] = {}
    masks: dict[tuple[int, int], _Node | None] = {}
    for tensor in calls:
        sources = [nodes[id(source.call)] for source in (*tensor.inputs, *tensor.states)]
        carried = [masks.get((id(source.call), source.result)) for source in tensor.inputs]
        given = None if tensor.mask is None else nodes[id(tensor.mask.call)]
        takes_carried = tensor.layer.reads_mask and not tensor.states  # Keras hands on the mask of an only tensor
        used = given or (carried[0] if takes_carried else None)
        node = _Node(tensor.layer, (*sources, *([] if used is None else [used])))
        if isinstance(tensor.layer, NotEqual) and _is_sequence(tensor.inputs[0]):
            node = _Node(None, (node,))
        nodes[id(tensor.call)] = node
        mask = _mask(tensor.layer, sources, carried, given)
        masks |= {
            (id(tensor.call), result): mask for result in range(tensor.layer.results) if tensor.layer.keeps_time(result)
        }
    return nodes


def _is_sequence(tensor: Tensor) -> bool:
    return not isinstance(tensor.layer, InputLayer) or len(tensor.layer.shape) == 2


def _mask(layer: Layer, sources: Sequence[_Node], carried: Sequence[_Node | None], given: _Node | None) -> _Node | None:
    """What computes the mask that the first result carries: compute_mask in keras/src/layers."""
    if layer.mask == "makes":
        return _made(layer, sources[0])
    if layer.mask == "joins":
        return _concatenated(sources, carried) if isinstance(layer, Concatenate) else _either(carried)
    if not layer.keeps_time():
        return None
    return given or carried[0]


def _made(layer: Layer, source: _Node) -> _Node | None:
    """not_equal(x, value), and where a step has features any() of it."""
    if layer.masked_value is None:
        return None
    tested = _Node(None, (source,))
    return tested if isinstance(layer, Embedding) else _Node(None, (tested,))


def _either(carried: Sequence[_Node | None]) -> _Node | None:
    """One logical_or after the other, where all have a mask."""
    masks = [mask for mask in carried if mask is not None]
    if len(masks) < len(carried):
        return None
    found = masks[0]
    for mask in masks[1:]:
        found = _Node(None, (found, mask))
    return found


def _concatenated(sources: Sequence[_Node], carried: Sequence[_Node | None]) -> _Node | None:
    """any(concatenate(...)) of ones_like(x), or of logical_or(expand_dims(mask), zeros_like(x))."""
    if not any(carried):
        return None

    def part(source: _Node, mask: _Node | None) -> _Node:
        like = _Node(None, (source,))
        return like if mask is None else _Node(None, (_Node(None, (mask,)), like))

    return _Node(None, (_Node(None, tuple(map(part, sources, carried))),))


def _visits(ends: Sequence[_Node]) -> tuple[list[Layer], list[_Node]]:
    """The layers as they are first met from the ends, and the nodes after all that they need; without recursion."""
    met: list[Layer] = []
    finished: dict[_Node, None] = {}
    trail: list[tuple[_Node | None, Iterator[_Node]]] = [(None, iter(ends))]
    while trail:
        node, sources = trail[-1]
        following = next(sources, None)
        if following is None:
            trail.pop()
            finished |= {} if node is None else {node: None}
        elif following not in finished:
            met += [] if following.layer is None else [following.layer]
            trail.append((following, iter(following.sources)))
    return met, list(finished)


def _depths(finished: Sequence[_Node]) -> Mapping[int, int]:
    """How far each layer is above the outputs; all calls of a layer are where its highest is, so far as met."""
    nodes: dict[_Node, int] = {}
    layers: dict[int, int] = {}
    for node in reversed(finished):
        depth = nodes.get(node, 0)
        if node.layer is not None:
            depth = max(depth, layers.get(id(node.layer), 0))
            layers[id(node.layer)] = depth
        for source in node.sources:
            nodes[source] = max(depth + 1, nodes.get(source, 0))
    return layers
