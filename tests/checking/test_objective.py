"""What a check differentiates: the loss over what a mask leaves."""

import numpy as np
import pytest

from symrnn.checking.objective import losses_in_words, objective_of
from symrnn.models.losses import Loss


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
