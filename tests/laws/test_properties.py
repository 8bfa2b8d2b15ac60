"""Law 5 by Hypothesis: over every dimension of the models that Keras can build, the numbers are float64 Keras'.

A model is drawn as a graph of symrnn's layers, built in Keras, and derived from the live model or from its
description. Predictions, and gradients by all weights, inputs and initial states, of the sum or of a loss, agree.
"""

from collections import Counter
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from symrnn.models.graph import graph_of
from symrnn.models.layers.rnn import CELLS, MERGE_MODES
from symrnn.models.layers.table import LAYERS
from symrnn.models.losses import LOSSES
from tests.support.sketches import MASKED, NAMES, WANTED, Sketch, in_float64, trial_of

TOLERANCE = 1e-10
met: Counter = Counter()


@pytest.fixture(autouse=True, scope="module")
def _float64():
    with in_float64():
        yield


# agreement ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", WANTED, ids=" ".join)
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_numbers_are_those_of_keras(wanted, data):
    sketch = Sketch(lambda options: data.draw(st.sampled_from(options)), wanted)
    model = sketch.model()
    trial = trial_of(sketch, model, np.random.default_rng(data.draw(st.integers(0, 2**16))))
    met.update(("mask", case) for case in sketch.cases)
    theirs, ours, wider = trial.theirs, trial.ours(), trial.wider()
    assert [np.shape(mine) for mine in ours] == [other.shape for other in theirs]
    infinite = not all(np.isfinite(result).all() for result in theirs)  # e^x of e^x overflows soon
    undecided = _difference(ours, wider) > TOLERANCE / 4  # a rounding decides, such as which step is the largest
    met["left out", ""] += infinite or undecided
    assume(not infinite and not undecided)
    assert _difference(ours, theirs) < TOLERANCE
    _count(model, trial.network, sketch.loss)


def _difference(ours, theirs):
    """The largest of two lists of arrays, each relative to its largest number; NaN where one has it."""
    pairs = zip(ours, theirs, strict=True)
    with np.errstate(invalid="ignore"):
        return np.max([np.max(abs(a - b), initial=0) / max(1e-3, np.max(abs(b), initial=0)) for a, b in pairs])


# what was met -------------------------------------------------------------------------------------


def _count(model, network, loss):
    graph = graph_of(model)
    met["models", ""] += 1
    met["loss", loss] += 1
    met["masked loss", loss] += any(head.mask is not None for head in network.heads)
    met["kind of model", type(model).__name__] += 1
    met["several outputs", len(graph.outputs) > 1] += 1
    met["open", None in network.timesteps.values()] += 1
    met["several lengths", len(network.timesteps) > 1] += 1
    met["states given", any(call.states for call in graph.calls)] += 1
    met["shared", len({call.layer for call in graph.calls}) < len(graph.calls)] += 1
    for layer in graph.layers:
        _count_layer(layer)


def _count_layer(layer):
    """The layer's kind and arguments, and those of the layers and cells in it."""
    kind = type(layer).__name__
    met["layer", kind] += 1
    for part in fields(layer):
        value = getattr(layer, part.name)
        if part.name in ("backward_layer", "cell"):
            met[part.name, type(value).__name__] += 1
        elif part.name == "activation" and kind in ("Dense", "Activation"):
            met[kind, value] += 1
        elif part.name in ("activation", "recurrent_activation", "merge_mode") or isinstance(value, bool):
            met[part.name, value] += 1
        for inner in value if isinstance(value, list | tuple) else [value]:
            if is_dataclass(inner):
                _count_layer(inner)


OPTIONS = (
    *("use_bias", "reset_after", "return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "unroll"),
    *("mask_zero", "open", "several outputs", "several lengths", "states given", "shared"),
)


def test_everything_was_met():
    """Runs after the property: no layer, activation, merge mode, mask, loss or option was left out."""
    if not met:
        pytest.skip("the property did not run")
    expected = {("layer", name) for name in (*LAYERS, *CELLS)} | {("merge_mode", mode) for mode in MERGE_MODES}
    expected |= {("mask", case) for case in MASKED} | {(option, value) for option in OPTIONS for value in (True, False)}
    expected |= {("kind of model", kind) for kind in ("Sequential", "Model")}
    expected |= {("loss", None), *((what, loss) for what in ("loss", "masked loss") for loss in LOSSES)}
    expected |= {("Activation", "glu"), ("Dense", "glu"), ("cell", "list")}
    expected |= {("backward_layer", kind) for kind in ("NoneType", "SimpleRNN", "LSTM", "GRU", "RNN")}
    expected |= {(place, name) for place in ("activation", "recurrent_activation") for name in NAMES}
    assert not sorted(map(str, expected - {key for key, count in met.items() if count}))
    assert met["models", ""] > 240
    assert met["left out", ""] < 0.05 * met["models", ""]
