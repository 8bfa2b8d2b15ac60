"""A model described in a few words: the options that the command line and the Sphinx directive share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symrnn.common.errors import cut_repr
from symrnn.interface import Derivation, derive
from symrnn.models.layers.core import Dense, Layer
from symrnn.models.layers.rnn import CELLS
from symrnn.models.layers.table import LAYERS, Sequential

RECURRENT: Mapping[str, Any] = {name: LAYERS[name] for name in (cell.removesuffix("Cell") for cell in CELLS)}
"""The layers of one cell that symrnn knows, by name."""
DEFAULTS: Mapping[str, Any] = {
    **{"timesteps": 3, "layer": "SimpleRNN", "units": 1, "features": 1, "outputs": 1},
    "activation": "tanh",
}
"""What describes the model where there is no file: the notebook's model."""


def described(model: Path | None, options: Mapping[str, Any], spelled: str = "--{}") -> Derivation:
    """The derivation of a file, or of one recurrent layer and Dense by the options.

    An option that is None or left out was not given. `spelled` is how options are written where
    they come from, for messages.

    Raises:
        ValueError: an option that the model has no place for, or a wrong value of one.
        NotImplementedError: the file has something that symrnn does not support; it is named.
        FileNotFoundError: there is no such file.
    """
    given = {name: options[name] for name in DEFAULTS if options.get(name) is not None}
    if model is None:
        return derive(_model({**DEFAULTS, **given}, spelled))
    for name in given:
        if name != "timesteps":
            raise ValueError(f"{spelled.format(name)}: expected no such option beside MODEL, which has its own")
    return derive(model, timesteps=given.get("timesteps"))


def _model(options: Mapping[str, Any], spelled: str) -> Sequential:
    kind = RECURRENT.get(options["layer"])
    if kind is None:
        raise ValueError(
            f"{spelled.format('layer')}: expected {', '.join(RECURRENT)}, got {cut_repr(options['layer'])}"
        )
    layers: list[Layer] = [kind(options["units"], activation=options["activation"]), Dense(options["outputs"])]
    return Sequential(layers, input_shape=(options["timesteps"], options["features"]))
