"""A model in a few words: what is left out is the notebook's, what does not fit is named."""

import re

import pytest

from symrnn import GRU, LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.model_options import DEFAULTS, RECURRENT, described


def test_nothing_given_is_the_notebook():
    assert described(None, {}) == derive()
    assert described(None, dict.fromkeys(DEFAULTS)) == derive()


@pytest.mark.parametrize(
    ("options", "layers", "shape"),
    [
        ({"units": 2}, [SimpleRNN(2), Dense(1)], (3, 1)),
        ({"layer": "LSTM", "outputs": 3}, [LSTM(1), Dense(3)], (3, 1)),
        ({"layer": "GRU", "features": 4, "timesteps": 1}, [GRU(1), Dense(1)], (1, 4)),
        ({"activation": "relu"}, [SimpleRNN(1, "relu"), Dense(1)], (3, 1)),
        ({"loss": "mse", "show": ("step",), "units": None}, [SimpleRNN(1), Dense(1)], (3, 1)),
        ({"timesteps": 100000}, [SimpleRNN(1), Dense(1)], (100000, 1)),
    ],
)
def test_options_of_a_model(options, layers, shape):
    assert described(None, options).network.graph == derive(Sequential(layers, shape)).network.graph


def test_every_recurrent_layer_has_its_class_name():
    assert {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU} == RECURRENT


MISTAKES = [
    ({"layer": "RNN"}, "--layer: expected SimpleRNN, LSTM, GRU, got 'RNN'"),
    ({"layer": "größe\n"}, r"--layer: expected SimpleRNN, LSTM, GRU, got 'größe\n'"),
    ({"units": 0}, "SimpleRNN: units: expected a positive whole number, got 0"),
    ({"units": -1, "layer": "GRU"}, "GRU: units: expected a positive whole number, got -1"),
    ({"timesteps": 0}, "input_shape: timesteps: expected a positive whole number, got 0"),
]


@pytest.mark.parametrize(("options", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        described(None, options)


def test_an_option_is_spelled_as_where_it_comes_from(tmp_path):
    with pytest.raises(ValueError, match=r"^:layer:: expected SimpleRNN, LSTM, GRU, got ''$"):
        described(None, {"layer": ""}, ":{}:")
    with pytest.raises(ValueError, match=r"^:units: expected no such option beside MODEL, which has its own$"):
        described(tmp_path / "model.keras", {"units": 2}, ":{}")


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name != "timesteps"])
def test_beside_a_file_only_timesteps_is_an_option(tmp_path, name):
    message = f"^--{name}: expected no such option beside MODEL, which has its own$"
    with pytest.raises(ValueError, match=message):
        described(tmp_path / "model.keras", {name: DEFAULTS[name], "timesteps": 2})


def test_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "größe ½.keras"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(f'{path}: no such file')}$"):
        described(path, {"timesteps": 2})
