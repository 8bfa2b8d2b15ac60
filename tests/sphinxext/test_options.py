"""What a directive shows: its options as values, and the parts that they name as nodes."""

import re

import pytest

pytest.importorskip("sphinx")

from docutils import nodes

import symrnn
from symrnn import Dense, Sequential, SimpleRNN
from symrnn.documents.sections.table import SECTIONS
from symrnn.model_options import described
from symrnn.sphinxext.displays import rows_of
from symrnn.sphinxext.nodes import contents
from symrnn.sphinxext.options import read_options, shown

# options ----------------------------------------------------------------------------------------

VALUES = [
    ("units", "2", 2),
    ("timesteps", " 7 ", 7),
    ("activation", "größe", "größe"),
    ("gradient", "", True),
    ("show", "step, picture,,closed ", ("step", "picture", "closed")),
    ("show", ",", ()),
    ("x", "1, 2 -0.5e3\n4", [1.0, 2.0, -500.0, 4.0]),
    ("y_true", "0", [0.0]),
    ("label", "a b", "a b"),
]


@pytest.mark.parametrize(("name", "text", "value"), VALUES)
def test_an_option_as_a_value(name, text, value):
    assert read_options({name: text}) == {name: value}


MISTAKES = [
    ({"units": "two"}, ":units: expected a whole number, got 'two'"),
    ({"units": "1.5"}, ":units: expected a whole number, got '1.5'"),
    ({"layer": ""}, ":layer: expected a name, got nothing"),
    ({"loss": ""}, ":loss: expected the name of a loss, got nothing"),
    ({"x": "1 b"}, ":x: expected numbers, got '1 b'"),
    ({"show": ""}, ":show: expected names with commas between them, got nothing"),
    ({"gradient": "no"}, ":gradient: expected no value, got 'no'"),
    ({"Units": "2"}, "unknown option 'Units'; known: timesteps, layer, units, features, outputs, activation, loss, "
     "gradient, show, x, y_true, label, caption"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=[message[:40] for _, message in MISTAKES])
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_options(options)


def test_options_mean_what_they_mean_on_the_command_line():
    found = read_options({"layer": "GRU", "units": "2", "features": "3", "timesteps": "4", "activation": "relu"})
    model = Sequential([symrnn.GRU(2, activation="relu"), Dense(1)], input_shape=(4, 3))
    assert described(None, found) == symrnn.derive(model)


# what is shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["step", "unrolled", "scalar", "closed"])
def test_zooms(name):
    (block,) = shown(symrnn.derive(), {"show": (name,), "gradient": True})
    assert rows_of(block.astext()) == rows_of(symrnn.derive().gradient().latex(name))


def test_a_loss_is_that_of_the_gradient():
    (block,) = shown(symrnn.derive(), {"show": ("step",), "loss": "mse"})
    assert rows_of(block.astext()) == rows_of(symrnn.derive().gradient("mse").latex("step"))


def test_the_default_is_the_unrolled_equations():
    (block,) = shown(symrnn.derive(), {})
    assert rows_of(block.astext()) == rows_of(symrnn.derive().latex("unrolled"))


def test_parts_stand_in_the_order_of_their_names():
    alone, together = (shown(symrnn.derive(), {"show": names}) for names in (("model",), ("model", "picture")))
    assert not any(isinstance(node, nodes.rubric) for node in alone)
    assert [type(node).__name__ for node in together] == ["rubric", *(type(node).__name__ for node in alone), "figure"]
    assert shown(symrnn.derive(), {"show": ()}) == []


@pytest.mark.parametrize(
    ("options", "how"),
    [({"show": ("picture",)}, {}), ({"show": ("picture",), "gradient": True}, {"backward": True}),
     ({"show": ("rolled",), "gradient": True}, {"rolled": True})],
)  # fmt: skip
def test_pictures(options, how):
    (figure,) = shown(symrnn.derive(), options)
    assert figure[0].astext() == symrnn.derive().picture(**how).alt


@pytest.mark.parametrize(("width", "x"), [(1, [1.0, 2.0, 3.0]), (2, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])])
def test_numbers_are_the_sample_of_a_section(width, x):
    derivation = symrnn.derive(Sequential([SimpleRNN(1), Dense(1)], (3, width)))
    found = shown(derivation, {"show": ("worked",), "x": x})
    rows = [x[i : i + width] for i in range(0, len(x), width)]
    (section,) = derivation.document(["worked"], rows).sections
    assert [node.astext() for node in found] == [node.astext() for node in contents(section)]


def test_a_name_of_nothing_is_refused():
    with pytest.raises(ValueError, match=rf"^sections: expected some of {', '.join(SECTIONS)}, got 'none'$"):
        shown(symrnn.derive(), {"show": ("none",)})
