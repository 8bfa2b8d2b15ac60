"""The tables agree: a layer or cell that symrnn knows has a rule wherever rules go by the layer."""

from dataclasses import fields

import pytest

from symrnn.diagrams.captions import Arriving, action
from symrnn.expressions.gates import GATES
from symrnn.expressions.names import Name
from symrnn.importers.keras.layer_config import ARGUMENTS
from symrnn.models.equations import cells
from symrnn.models.equations.table import RULES, apply
from symrnn.models.layers.core import InputLayer, Layer, NotEqual
from symrnn.models.layers.rnn import CELLS
from symrnn.models.layers.table import LAYERS


class Unknown(Layer):
    """A layer without rules."""


over_layers = pytest.mark.parametrize("kind", LAYERS.values(), ids=LAYERS)
over_cells = pytest.mark.parametrize("kind", CELLS.values(), ids=CELLS)


@over_layers
def test_every_layer_has_equations(kind):
    assert apply.dispatch(kind) is not apply.dispatch(object)


@over_layers
def test_every_layer_has_words(kind):
    """Of its own, or where they depend on its arguments a rule of captions."""
    assert (kind.does is None) == (action.dispatch(kind) is not action.dispatch(object))


@over_cells
def test_every_cell_has_a_step(kind):
    assert cells.step.dispatch(kind) is not cells.step.dispatch(object)


def test_a_mask_has_equations_and_an_input_has_none():
    """An input is made by the forward pass itself, a mask is drawn as one."""
    assert apply.dispatch(NotEqual) is not apply.dispatch(object)
    assert apply.dispatch(InputLayer) is apply.dispatch(object)


@pytest.mark.parametrize(
    "rule", [lambda layer: apply(layer, None, 0, []), lambda layer: action(layer, Arriving(Name("x")))]
)
def test_a_layer_without_a_rule_is_refused_by_name(rule):
    with pytest.raises(NotImplementedError, match=r"^Unknown "):
        rule(Unknown())


@pytest.mark.parametrize("kind", [*LAYERS.values(), *CELLS.values()], ids=[*LAYERS, *CELLS])
def test_keras_arguments_are_those_of_the_class(kind):
    """Apart from its name; `initial_state` is no argument of Keras' class, but one of the call."""
    own = {field.name for field in fields(kind)} - {"name", "initial_state"}
    assert set(ARGUMENTS[kind.__name__].read) == own


def test_rules_stand_beside_their_layers():
    """The module of `equations` that has the rule of a layer bears the name of the module of `layers`."""
    modules = {module.__name__.rsplit(".", 1)[1] for module in RULES}
    assert modules == {kind.__module__.rsplit(".", 1)[1] for kind in LAYERS.values()}
    for kind in LAYERS.values():
        assert apply.dispatch(kind).__module__.rsplit(".", 1)[1] == kind.__module__.rsplit(".", 1)[1]


def test_the_order_of_gates_is_that_of_the_cells():
    found = {name.removesuffix("Cell"): kind.gates for name, kind in CELLS.items() if hasattr(kind, "gates")}
    assert found == GATES
