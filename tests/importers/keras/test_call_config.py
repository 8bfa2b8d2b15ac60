"""Nodes of functional configs: what a layer is called on, in the formats of Keras 2 and 3."""

import re

import pytest

from symrnn.importers.keras.call_config import InboundNode, Reference, ends, node
from symrnn.importers.keras.layer_config import ConfigOrigin, Entry

A, H, M = Reference("a", 0, 0, 3), Reference("h", 0, 1, 2), Reference("m", 0, 0, 2)
TENSOR = {name: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, output], "shape": shape}}
          for name, output, shape in (("a", 0, [None, 5, 3]), ("h", 1, [None, 2]), ("m", 0, [None, 5]))}  # fmt: skip


def entry(kind, *nodes, **config):
    given = {"class_name": kind, "config": {"trainable": True, **config}, "inbound_nodes": list(nodes)}
    return Entry(kind, "l", 1, given, given["config"], ConfigOrigin(modules=False))


def called(kind, *args, **kwargs):
    """The node of a call with these arguments."""
    return node(entry(kind, {"args": list(args), "kwargs": kwargs}), Reference("l", 0, 0))


CALLS = {
    "one input": (called("Dense", TENSOR["a"]), InboundNode((A,))),
    "in a list": (called("Add", [TENSOR["a"], TENSOR["a"]]), InboundNode((A, A))),
    "by name": (called("GRU", sequence=TENSOR["a"]), InboundNode((A,))),
    "with states": (called("GRU", TENSOR["a"], initial_state=[TENSOR["h"]]), InboundNode((A,), (H,))),
    "states in the list": (called("GRU", [TENSOR["a"], TENSOR["h"]]), InboundNode((A,), (H,))),
    "states by place": (called("LSTM", TENSOR["a"], [TENSOR["h"], TENSOR["h"]]), InboundNode((A,), (H, H))),
    "with a mask": (called("GRU", TENSOR["a"], mask=TENSOR["m"]), InboundNode((A,), (), M)),
    "without a mask": (called("GRU", TENSOR["a"], mask=None, training=False), InboundNode((A,))),
    "no masks in a list": (called("Add", [TENSOR["a"]], mask=[None, None]), InboundNode((A,))),
    "a tuple": (called("Add", {"class_name": "__tuple__", "items": [TENSOR["a"], TENSOR["h"]]}), InboundNode((A, H))),
}


@pytest.mark.parametrize(("found", "expected"), CALLS.values(), ids=CALLS)
def test_calls(found, expected):
    assert found == expected


def test_an_operation_takes_numbers_too():
    given = entry("NotEqual", {"args": [TENSOR["a"], 0.5], "kwargs": {}})
    del given.config["trainable"]
    assert node(given, Reference("l", 0, 0)) == InboundNode((A, 0.5))


OLD = {
    "one input": ("Dense", [["a", 0, 0, {}]], InboundNode((Reference("a", 0, 0),))),
    "several": ("Add", [["a", 0, 0, {}], ["h", 0, 1, {}]], InboundNode((Reference("a", 0, 0), Reference("h", 0, 1)))),
    "states": (
        "GRU",
        [["a", 0, 0, {"initial_state": [["h", 0, 1]]}]],
        InboundNode((Reference("a", 0, 0),), (Reference("h", 0, 1),)),
    ),
}


@pytest.mark.parametrize(("kind", "given", "expected"), OLD.values(), ids=OLD)
def test_calls_of_keras_2(kind, given, expected):
    assert node(entry(kind, given), Reference("l", 0, 0)) == expected


REFUSED = {
    "training": (
        lambda: called("Dropout", TENSOR["a"], training=True),
        "the call (tensor, training=True) is not supported; supported: (inputs)",
    ),
    "no input": (lambda: called("Dense"), "the call () is not supported; supported: (inputs)"),
    "a number": (lambda: called("Dense", 3), "the call (3) is not supported; supported: (inputs)"),
    "too many": (
        lambda: called("Dense", TENSOR["a"], False, 1),
        "the call (tensor, False, 1) is not supported; supported: (inputs)",
    ),
    "unknown": (
        lambda: called("GRU", [TENSOR["a"]], constants=[TENSOR["h"]]),
        "the call ([tensor], constants=[tensor]) is not supported; supported: (inputs, initial_state, mask)",
    ),
    "a mask that is no sequence": (
        lambda: called("GRU", TENSOR["a"], mask=TENSOR["a"]),
        "the call (tensor, mask=tensor) is not supported; supported: (inputs, initial_state, mask)",
    ),
    "an old one": (lambda: node(entry("Dense", [3]), Reference("l", 0, 0)), "the call [3] is not supported"),
    "an old one's arguments": (
        lambda: node(entry("Dense", [["a", 0, 0, 3]]), Reference("l", 0, 0)),
        "the call [['a', 0, 0, 3]] is not supported",
    ),
    "named outputs": (
        lambda: ends({"output_layers": {"y": ["a", 0, 0]}}, "output_layers"),
        "output_layers: a dict of tensors is not supported; supported: a list, as in "
        "keras.Model(list(inputs.values()), list(outputs.values()))",
    ),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_not_supported(act, message):
    with pytest.raises(NotImplementedError, match=f"^{re.escape(message)}$"):
        act()


@pytest.mark.parametrize(("index", "count"), [(1, 1), (-1, 1), (0, 0)])
def test_a_call_that_is_not_there(index, count):
    given = entry("Dense", *[{"args": [], "kwargs": {}}] * count)
    message = f"^config: inbound_nodes: expected a call {index}, got {count} calls$"
    with pytest.raises(ValueError, match=message):
        node(given, Reference("l", index, 0))


@pytest.mark.parametrize("history", [["a", 0], ["a", -1, 0], [0, 0, 0], ["a", True, 0], None])
def test_a_wrong_history(history):
    message = f"config: expected a tensor's history [layer, call, result], got {history}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        called("Dense", {"class_name": "__keras_tensor__", "config": {"keras_history": history}})


def test_ends():
    """One layer or a list of them; of a functional model Keras counts the calls from 1 here."""
    one, other = ["a", 0, 0], ["f", 1, 2]
    assert ends({"k": one}, "k") == [Reference("a", 0, 0)]
    assert ends({"k": [one, other]}, "k", ["f"]) == [Reference("a", 0, 0), Reference("f", 0, 2)]
    with pytest.raises(ValueError, match=r"^config: k: expected at least one layer, got none$"):
        ends({"k": []}, "k")


def test_sources_are_filled_with_values():
    call = InboundNode((A, 0.5), (H,), M)
    assert list(call.sources) == [A, H, M]
    assert call.filled(lambda source: source.layer) == InboundNode(("a", 0.5), ("h",), "m")
    assert list(call.filled(lambda source: source.layer).sources) == []
