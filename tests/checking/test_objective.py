"""What a check differentiates: which outputs are shares of 1, and the loss over what a mask leaves."""

import numpy as np
import pytest
from sympy import Float, MatrixSymbol
from sympy.matrices.expressions import HadamardProduct, MatAdd

from symrnn import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Input,
    Masking,
    Model,
    Sequential,
    SimpleRNN,
    derive,
)
from symrnn.checking.objective import Known, default_loss, is_share, losses_in_words, objective_of
from symrnn.expressions.nodes import Concat, Differs, N, Softmax
from symrnn.models.losses import Loss

EVERY, CROSS = {"return_sequences": True}, "categorical_crossentropy"

DEFAULTS = [
    ([SimpleRNN(2), Dense(3)], None),
    ([SimpleRNN(2), Dense(3, "softmax")], CROSS),
    ([SimpleRNN(2), Dense(1, "softmax")], None),
    ([SimpleRNN(2), Dense(3), Activation("softmax"), Dropout(0.5)], CROSS),
    ([SimpleRNN(2), Dense(3, "softmax"), Dense(2)], None),
    ([SimpleRNN(2, "softmax")], CROSS),
    ([SimpleRNN(2, "softmax", **EVERY)], CROSS),
    ([LSTM(2, "softmax")], None),
    ([GRU(2), Dense(2, "log_softmax")], None),
    ([Masking(), SimpleRNN(2, "softmax")], CROSS),
    ([Bidirectional(SimpleRNN(2, "softmax"))], CROSS),
    ([Bidirectional(SimpleRNN(2, "softmax"), "mul")], None),
    ([Bidirectional(SimpleRNN(2, "softmax"), "sum")], CROSS),
]


@pytest.mark.parametrize(("layers", "loss"), DEFAULTS, ids=range(len(DEFAULTS)))
def test_the_default_loss_of_a_model(layers, loss):
    assert default_loss(derive(Sequential(layers, (3, 2))).network) == loss


def test_the_default_losses_of_several_outputs():
    x = Input((3, 1))
    h = SimpleRNN(2)(x)
    share, other, sums = Dense(2, "softmax")(h), Dense(2)(h), Dense(3, "softmax")(h)
    assert default_loss(derive(Model(x, [share, other])).network) == [CROSS, "mse"]
    assert default_loss(derive(Model(x, [share, sums])).network) == CROSS
    assert default_loss(derive(Model(x, [other, Dense(1)(h)])).network) is None


A, B, M = MatrixSymbol("A", N, 2), MatrixSymbol("B", N, 2), MatrixSymbol("M", N, 2)
KNOWN = Known({B: Softmax(A)}, {M}, {MatrixSymbol("h", N, 2)})
SHARES = [
    (Softmax(A), True), (A, False), (B, True), (MatrixSymbol("h", N, 2), True), (MatAdd(B, Softmax(A)), True),
    (MatAdd(B, A), False), (Concat(B, B), True), (Concat(B, A), False), (HadamardProduct(M, B), True),
    (HadamardProduct(M, A), False), (HadamardProduct(B, B), False), (HadamardProduct(M, M), False),
    (Differs(A, Float(0.5)), False),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "expected"), SHARES, ids=[str(expr) for expr, _ in SHARES])
def test_rows_with_a_constant_sum(expr, expected):
    assert is_share(expr, KNOWN) is expected


def test_losses_in_words():
    assert losses_in_words([]) is None
    assert losses_in_words([Loss("mse"), Loss("mse")]) == "mse"
    assert losses_in_words([Loss("mse"), Loss("huber", delta=2.0), Loss("mse")]) == f"mse + {Loss('huber', delta=2.0)}"


class TestKeras:
    """The numbers, on tensors of TensorFlow."""

    @pytest.fixture
    def keras(self):
        return pytest.importorskip("keras")

    def test_without_a_loss_all_entries_are_added(self, keras):
        outputs = [keras.ops.convert_to_tensor(array) for array in ([[1.0, 2.0]], [[[3.0]], [[4.0]]])]
        assert float(objective_of([], [], keras)(outputs)) == 10

    def test_losses_of_several_outputs_are_added(self, keras):
        outputs = [keras.ops.convert_to_tensor(array) for array in ([[1.0], [3.0]], [[2.0, 0.0]])]
        targets = [np.zeros((2, 1)), np.zeros((1, 2))]
        assert float(objective_of([Loss("mse"), Loss("mae")], targets, keras)(outputs)) == (1 + 9) / 2 + 1

    @pytest.mark.parametrize(("mask", "mean"), [([[1, 1]], 10.0), ([[1, 0]], 4.0), ([[0, 1]], 16.0), ([[0, 0]], 0.0)])
    def test_the_mean_is_over_what_the_mask_leaves(self, keras, mask, mean):
        y = keras.ops.convert_to_tensor([[[2.0], [4.0]]])
        y._keras_mask = keras.ops.convert_to_tensor(np.array(mask, bool))
        assert float(objective_of([Loss("mse")], [np.zeros((1, 2, 1))], keras)([y])) == mean

    def test_ids_are_whole_numbers(self, keras):
        y = keras.ops.convert_to_tensor([[0.25, 0.75]])
        loss = objective_of([Loss("sparse_categorical_crossentropy")], [np.array([[1.0]])], keras)([y])
        assert float(loss) == pytest.approx(-np.log(0.75), rel=1e-6)
