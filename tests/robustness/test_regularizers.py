"""Regularizers: terms of Keras' loss in training that no loss here has, which is said wherever a loss stands."""

import subprocess
import sys

import pytest

import symrnn
from symrnn.documents.blocks import Paragraph

keras = pytest.importorskip("keras")
K, R = keras.layers, keras.regularizers


def regularized():
    lstm = K.LSTM(2, kernel_regularizer="l2", activity_regularizer=R.L1L2(0.1, 0.2))
    layers = [K.Bidirectional(lstm, name="b"), K.Dropout(0.5), K.Dense(1, bias_regularizer="l1", name="d_1")]
    return keras.Sequential([keras.Input((3, 2)), *layers])


LEFT_OUT = (
    "activity_regularizer=L1L2, kernel_regularizer=L2 of layer 1 (Bidirectional 'b')",
    "bias_regularizer=L1 of layer 3 (Dense 'd_1')",
)


def test_they_are_named_for_each_layer():
    d = symrnn.derive(regularized())
    assert (d.regularizers, d.gradient("mse").regularizers) == (LEFT_OUT, LEFT_OUT)


def test_a_report_names_them_where_it_names_a_loss():
    report = symrnn.check(regularized(), loss="mse")
    assert report.ok
    assert f"gradients of the loss mse, without {', '.join(LEFT_OUT)}.\n" in str(report)
    assert "without" not in str(symrnn.check(regularized()))


def test_the_command_names_those_of_a_file(tmp_path):
    """Keras is handed the file without them."""
    regularized().save(tmp_path / "m.keras")
    command = [sys.executable, "-m", "symrnn", "check", "m.keras", "--loss", "mse"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"gradients of the loss mse, without {', '.join(LEFT_OUT)}.\n" in found


def test_a_document_names_them(tmp_path):
    regularized().save(tmp_path / "m.keras")
    article = symrnn.derive(tmp_path / "m.keras").document(loss="mse", sections=["model", "check"])
    texts = [block.text for section in article.sections for block in section.blocks if isinstance(block, Paragraph)]
    said = "".join(part for text in texts for part in text if isinstance(part, str))
    assert said.count(", ".join(LEFT_OUT)) == 2


def test_a_model_without_says_nothing():
    model = keras.Sequential([keras.Input((3, 2)), K.SimpleRNN(1)])
    assert symrnn.derive(model).regularizers == ()
    assert "without" not in str(symrnn.check(model, loss="mse"))
