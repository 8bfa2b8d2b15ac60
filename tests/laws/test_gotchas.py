"""Where a naive re-implementation deviates from Keras 3.15.1: the gotchas, by their numbers, each a test.

A test is at a point where the naive convention gives another number, asserts that it does, and that symrnn gives
Keras', in float64. A derivation is of what a model computes at inference, and of its gradients, and so there is no test
of these:

- 15, the steps of Adam and RMSprop, and the learning rate in 24: symrnn has no optimizers;
- the `sample_weight` in 18: a derivation has no input for it (masks are tested);
- `use_cudnn` in 25, and 27, the masks of cuDNN: they need a GPU;
- 26, the masks of Keras 3.16: not this version; the reader refuses them, and has its own test.
"""

import re
import warnings

import numpy as np
import pytest
import sympy

import symrnn
from symrnn.checking.keras_models import build
from symrnn.expressions.activations import activations
from symrnn.expressions.functions import define
from symrnn.models.graph import Model
from symrnn.models.layers.activation import ELU, Activation, LeakyReLU
from symrnn.models.layers.core import Dense, Embedding, Input, Masking, NotEqual, TimeDistributed
from symrnn.models.layers.merging import Concatenate, Multiply
from symrnn.models.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from symrnn.models.layers.reshaping import Flatten
from symrnn.models.layers.rnn import GRU, LSTM, Bidirectional, SimpleRNN
from symrnn.models.layers.table import Sequential

keras = pytest.importorskip("keras")
tensorflow = pytest.importorskip("tensorflow")
RNG = np.random.default_rng(0)
X, H, C = RNG.normal(size=(2, 3, 2)), RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2))
MASKED = X * np.array([[[0], [1], [1]], [[1], [1], [0]]])  # the first step of one sample, the last of the other


@pytest.fixture(autouse=True, scope="module")
def _float64():
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*softmax over axis|.*does not support masking")
        yield


def random(model):
    """Weights for a model."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=array.shape) for array in symrnn.derive(model).network.arrays]


def predicted(model, x, weights=None):
    """Keras' prediction, which is that of the live model's derivation."""
    live = build(model, weights=random(model) if weights is None else weights)
    theirs = live([tensorflow.constant(one) for one in x] if isinstance(x, list) else tensorflow.constant(x)).numpy()
    ours = symrnn.derive(live).lambdify()(x, live.get_weights())
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    return theirs


def loss_of(model, x, y_true, loss, weights=None):
    """Keras' loss, by `compute_loss`, which is that of the live model's derivation, with the gradients."""
    live = build(model, weights=random(model) if weights is None else weights)
    live.compile(loss=loss)
    with tensorflow.GradientTape() as tape:
        theirs = live.compute_loss(y=y_true, y_pred=live(x))
    slopes = tape.gradient(theirs, [variable.value for variable in live.weights])
    ours, found = symrnn.derive(live).gradient(loss).lambdify()(x, y_true, live.get_weights())
    for mine, other in zip([ours, *found], [theirs, *slopes], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-14)
    return float(theirs)


def far(a, b):
    return np.shape(a) == np.shape(b) and np.max(np.abs(a - b)) > 1e-3


def equations(model):
    """The equations of one step as text, without their ranges of t."""
    text = symrnn.derive(model).text("step")
    return [re.sub(r" +\(t = .*\)$", "", line).strip() for line in text.splitlines()]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def with_state(layer, masked=False):
    """A layer of 2 units on 3 steps with an initial state; the mask may be given, as an argument."""
    x, h = Input((3, 2)), Input((2,))
    return Model([x, h], layer(x, initial_state=h, mask=NotEqual(0.0)(x) if masked else None))


# cells --------------------------------------------------------------------------------------------


def test_gru_keeps_the_old_state_where_z_is_one():
    """1. h_t = z_t h_{t-1} + (1 - z_t) k_t; many papers exchange z_t and 1 - z_t."""
    model = with_state(GRU(2))
    U, V, b = random(model)
    b[0, :2] = 50.0  # z is 1
    np.testing.assert_allclose(predicted(model, [X, H], [U, V, b]), H)
    b[0, :2] = -50.0  # z is 0, and H is what the exchanged ones would give
    assert far(predicted(model, [X, H], [U, V, b]), H)
    assert "h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ k_t" in equations(model)


def test_the_gates_are_in_the_order_z_r_h_and_i_f_c_o():
    """1. PyTorch has r, z, n."""
    model = Sequential([GRU(1, use_bias=False)], (1, 1))
    U, V = np.array([[1.0, 2.0, 3.0]]), np.zeros((1, 3))
    y, naive = predicted(model, np.ones((1, 1, 1)), [U, V]), (1 - sigmoid(2.0)) * np.tanh(3.0)
    np.testing.assert_allclose(y, [[(1 - sigmoid(1.0)) * np.tanh(3.0)]])
    assert far(y, [[naive]])
    blocks = {array.name.code: [part.symbol.name for part in array.parts] for array in _arrays(LSTM(2))}
    assert blocks["U"] == ["U_i", "U_f", "U_c", "U_o"]
    assert [part.symbol.name for part in _arrays(GRU(2))[0].parts] == ["U_z", "U_r", "U_h"]


def _arrays(layer):
    return symrnn.derive(Sequential([layer], (3, 2))).network.arrays


def test_the_reset_gate_multiplies_the_recurrent_bias_of_the_candidate():
    """2. With reset_after, two rows of biases; without it another function, of the same weights but for one row."""
    x, h = Input((1, 1)), Input((1,))
    model = Model([x, h], GRU(1)(x, initial_state=h))
    x, h, U, V = 0.5, 0.7, [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    b, d = [0.0, 0.0, 0.0], [0.0, 0.0, 2.0]
    y = predicted(model, [np.array([[[x]]]), np.array([[h]])], [np.array([U]), np.array([V]), np.array([b, d])])
    z, r = sigmoid(x * U[0] + h * V[0]), sigmoid(x * U[1] + h * V[1])
    after, beside = r * (h * V[2] + d[2]), r * h * V[2] + d[2]
    right, naive = (z * h + (1 - z) * np.tanh(x * U[2] + inner) for inner in (after, beside))
    np.testing.assert_allclose(y, [[right]])
    assert far(y, [[naive]])
    assert {"p_t = h_{t-1} V_h + b_{Vh}", "k_t = tanh(x_t U_h + b_{hh} + r_t ⊙ p_t)"} <= {
        *equations(with_state(GRU(2)))
    }
    assert "k_t = tanh(x_t U_h + (r_t ⊙ h_{t-1}) V_h + b_{hh})" in equations(with_state(GRU(2, reset_after=False)))
    before = predicted(with_state(GRU(2, use_bias=False, reset_after=False)), [X, H])
    assert far(predicted(with_state(GRU(2, use_bias=False)), [X, H]), before)


def test_hard_sigmoid_has_the_slope_of_one_sixth():
    """3. Keras 2 had clip(0.2 x + 0.5, 0, 1)."""
    y = predicted(Sequential([Activation("hard_sigmoid")], (1, 1)), np.ones((1, 1, 1)))
    np.testing.assert_allclose(y, [[[2 / 3]]])
    assert far(y, [[[0.7]]])


# masks --------------------------------------------------------------------------------------------


def test_a_masked_step_copies_the_output_before_and_not_the_state():
    """4. The output before the first valid step is 0, not the initial state."""
    model = with_state(SimpleRNN(2, return_sequences=True), masked=True)
    y = predicted(model, [MASKED, H])
    np.testing.assert_array_equal(y[0, 0], [0, 0])
    assert far(y[0, 0], H[0])
    np.testing.assert_array_equal(y[1, 2], y[1, 1])
    assert {"h_{out,-1} = 0", "h_{out,t} = m_t h̃_t + (1 - m_t) h_{out,t-1}"} <= {*equations(model)}


def test_an_initial_state_disables_the_implicit_mask():
    """5. A decoder that is called on a masked tensor and a state runs without the mask."""
    x, h = Input((3, 2)), Input((2,))
    implicit = Model([x, h], SimpleRNN(2)(Masking()(x), initial_state=h))
    explicit = with_state(SimpleRNN(2), masked=True)
    assert far(predicted(implicit, [MASKED, H]), predicted(explicit, [MASKED, H]))
    assert "h_t = tanh(g_t U + h_{t-1} V + b_h)" in equations(implicit)


def test_the_backward_half_ends_at_the_first_step():
    """6. Of sequences the backward one is turned round; its last output is that at t = 0."""
    whole = predicted(Sequential([Bidirectional(SimpleRNN(2, return_sequences=True))], (3, 2)), X)
    last = predicted(Sequential([Bidirectional(SimpleRNN(2))], (3, 2)), X)
    np.testing.assert_allclose(last, np.concatenate([whole[:, -1, :2], whole[:, 0, 2:]], axis=-1))
    assert far(last, whole[:, -1])


def test_bidirectional_zeroes_the_outputs_of_masked_steps():
    """6. In sequences, whatever zero_output_for_mask says."""
    half = SimpleRNN(2, return_sequences=True)
    model = Sequential([Masking(), Bidirectional(half)], (3, 2))
    np.testing.assert_array_equal(predicted(model, MASKED)[1, 2], np.zeros(4))
    carried = predicted(Sequential([Masking(), half], (3, 2)), MASKED, random(model)[:3])
    assert far(predicted(model, MASKED)[1, 2, :2], carried[1, 2])


def test_an_unrolled_backward_layer_zeroes_the_wrong_steps():
    """7. A bug of Keras: the mask is not turned round."""
    options = {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True}
    rolled, unrolled = (
        predicted(Sequential([Masking(), SimpleRNN(2, unroll=unroll, **options)], (3, 2)), MASKED)
        for unroll in (False, True)
    )
    np.testing.assert_array_equal(rolled[1, 0], [0, 0])  # t = 2, the first in processing order
    np.testing.assert_array_equal(unrolled[1, 2], [0, 0])  # t = 0, which is valid
    assert far(rolled, unrolled)


def test_a_backward_sequence_stays_in_processing_order():
    """8. The first output is that of the last step."""
    y = predicted(Sequential([SimpleRNN(2, return_sequences=True, go_backwards=True)], (3, 2)), X)
    alone = predicted(Sequential([SimpleRNN(2)], (1, 2)), X[:, -1:])
    np.testing.assert_allclose(y[:, 0], alone)
    assert far(y[:, -1], alone)


def test_a_concatenation_is_masked_where_all_its_inputs_are():
    """Beyond the list: one without a mask is valid everywhere."""
    x = Input((3, 2))
    values = MASKED.copy()
    values[0, 1] = 0.5
    zeros, halves = values * (values != 0), values * (values != 0.5)
    for other, numbers in ((Masking(0.5)(x), halves), (x, values)):
        y = predicted(Model(x, GlobalAveragePooling1D()(Concatenate()([Masking()(x), other]))), values)
        joined = np.concatenate([zeros, numbers], axis=-1)
        np.testing.assert_allclose(y, joined.mean(axis=1))
        assert far(y[0], joined[0, 1:].mean(axis=0))


def test_a_masked_step_of_a_product_counts_as_one():
    """Beyond the list: where the mask of the product, of all its inputs, does not make it 0."""
    x = Input((3, 2))
    values = X.copy()
    values[0, 1] = 0.5
    y = predicted(Model(x, Multiply()([Masking(0.5)(x), x])), values)
    np.testing.assert_array_equal(y[0, 1], [0.5, 0.5])  # and not 0
    both = predicted(Model(x, Multiply()([Masking(0.5)(x), Activation("exponential")(Masking(0.5)(x))])), values)
    np.testing.assert_array_equal(both[0, 1], [0, 0])


# activations --------------------------------------------------------------------------------------

KINKS = [
    *(("celu", 0, 2), ("selu", 0, 1.0507009873554805), ("relu", 0, 0), ("relu6", 6, 0), ("hard_tanh", 1, 1)),
    *(("hard_tanh", -1, 1), ("hard_silu", 3, 1), ("hard_silu", -3, 0), ("hard_sigmoid", 3, 0), ("hard_sigmoid", -3, 0)),
]


@pytest.mark.parametrize(("name", "x", "slope"), KINKS)
def test_the_slope_at_a_kink_is_that_of_keras(name, x, slope):
    """9. SymPy's own derivative of the definition has another value there."""
    assert _slope(Activation(name), x) == slope
    z = sympy.Symbol("z", real=True)
    assert float(define(activations[name](z)).diff(z).subs(z, x)) != slope
    assert float(define(activations[name](z).diff(z)).subs(z, x)) == slope


@pytest.mark.parametrize(("layer", "slope"), [(ELU(0.5), 0.5), (LeakyReLU(0.25), 0.25)])
def test_the_slope_at_zero_is_that_on_the_left(layer, slope):
    """9. For elu and leaky_relu; 1 would be that on the right."""
    assert _slope(layer, 0.0) == slope


def _slope(layer, x):
    """Keras' derivative of an activation, which is ours."""
    model, x = Sequential([layer], (1, 1)), tensorflow.constant(x, "float64", (1, 1, 1))
    live = build(model)
    with tensorflow.GradientTape() as tape:
        tape.watch(x)
        y = live(x)
    theirs = tape.gradient(y, x).numpy()
    np.testing.assert_array_equal(symrnn.derive(live).gradient(wrt=["x"]).lambdify()(x.numpy(), [])[0], theirs)
    return theirs.item()


def test_sparsemax_is_refused_as_keras_computes_something_else():
    """10. Its shares do not sum to 1."""
    theirs = keras.activations.sparsemax(np.array([[1.0, 0.5, 0.0]])).numpy()
    np.testing.assert_array_equal(theirs, [[0.25, 0, 0]])
    assert far(theirs, [[0.75, 0.25, 0]])
    with pytest.raises(NotImplementedError, match=r"^activation 'sparsemax' is not supported .*keras#23425"):
        Activation("sparsemax")


def test_gelu_is_exact_and_the_leaky_layer_has_another_slope_than_the_activation():
    """11. keras.ops.gelu is the approximation by default; the slopes are 0.3 and 0.2."""
    gelu = predicted(Sequential([Activation("gelu")], (3, 2)), X)
    assert np.max(np.abs(gelu - keras.ops.gelu(X).numpy())) > 1e-5
    leaky, layer = (predicted(Sequential([one], (3, 2)), X) for one in (Activation("leaky_relu"), LeakyReLU()))
    assert far(leaky, layer)


def test_softmax_in_a_cell_is_over_the_units():
    """16. And not over the steps; so one unit is always 1."""
    model = Sequential([SimpleRNN(3, activation="softmax", return_sequences=True)], (3, 2))
    np.testing.assert_allclose(predicted(model, X).sum(axis=-1), np.ones((2, 3)))
    assert far(predicted(model, X).sum(axis=1), np.ones((2, 3)))
    one = Sequential([SimpleRNN(1, activation="softmax")], (3, 2))
    np.testing.assert_array_equal(predicted(one, X), np.ones((2, 1)))


def test_the_bias_of_the_forget_gate_is_stored():
    """17. Nothing is added to it at run time."""
    model = Sequential([LSTM(2)], (3, 2))
    U, V, b = build(model).get_weights()
    np.testing.assert_array_equal(b, [0, 0, 1, 1, 0, 0, 0, 0])
    y = predicted(model, X, [U, V, b])
    assert far(y, predicted(model, X, [U, V, 2 * b]))
    assert "f_t = σ(x_t U_f + h_{t-1} V_f + b_{hf})" in equations(model)


# constants and dtypes -----------------------------------------------------------------------------


def test_constants_are_in_float32():
    """14. Those of gelu, leaky_relu and log_cosh, even in a float64 model."""
    slope = float(np.float32(0.2))
    y = predicted(Sequential([Activation("leaky_relu")], (1, 1)), -np.ones((1, 1, 1))).item()
    assert y == -slope != -0.2
    model = Model(x := Input((1,)), Dense(1, use_bias=False)(x))
    loss = loss_of(model, np.ones((1, 1)), np.ones((1, 1)), "log_cosh", [np.ones((1, 1))])
    assert loss == pytest.approx(np.log(2) - float(np.float32(np.log(2))), rel=1e-6)
    assert abs(loss) > 1e-9


def test_masking_compares_in_float32():
    """20. No number in float64 is 0.1 in float32, unless it was rounded; one other feature keeps the step."""
    model = Sequential([Masking(0.1), SimpleRNN(2)], (3, 2))
    never, rounded = X.copy(), X.copy()
    never[0, 1], rounded[0, 1] = 0.1, np.float32(0.1)
    unmasked = Sequential([SimpleRNN(2)], (3, 2))
    np.testing.assert_array_equal(predicted(model, never), predicted(unmasked, never))
    assert far(predicted(model, rounded), predicted(unmasked, rounded))
    rounded[0, 1, 0] = 0.2
    np.testing.assert_array_equal(predicted(model, rounded), predicted(unmasked, rounded))
    alone = predicted(Sequential([Masking(-1.0)], (1, 1)), -np.ones((1, 1, 1)))
    np.testing.assert_array_equal(alone, [[[0]]])


def test_a_saturated_float32_tanh_has_no_slope_in_tensorflow():
    """23. From 7.907 on its tanh is 1; the exact slope there is 4.5e-7; check decides nothing."""
    live = keras.Sequential([keras.Input((1, 1), dtype="float32"), keras.layers.SimpleRNN(1, dtype="float32")])
    live.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)])
    x = tensorflow.constant([[[8.0]]], "float32")
    with tensorflow.GradientTape() as tape:
        y = live(x)
    theirs = tape.gradient(y, live.weights[0].value).numpy().item()
    wide = [array.astype(np.float64) for array in live.get_weights()]
    exact = symrnn.derive(live).gradient().lambdify()(x.numpy(), wide)[0].item()
    assert theirs == 0
    assert exact == pytest.approx(8 / np.cosh(8.0) ** 2)
    assert symrnn.check(live, x.numpy()).verdict == "undecidable"


def test_a_loss_is_in_floatx_whatever_the_dtype_of_the_layers():
    """24. Keras' compute_loss of a float64 model is rounded to float32, where that is floatx."""
    model = Sequential([SimpleRNN(2)], (3, 2))
    live, target = build(model, weights=random(model)), np.full((2, 2), 0.1)
    keras.config.set_floatx("float32")
    try:
        live.compile(loss="mse")
        rounded = live.compute_loss(y=target, y_pred=live(X)).numpy()
    finally:
        keras.config.set_floatx("float64")
    ours, _ = symrnn.derive(live).gradient("mse").lambdify()(X, target, live.get_weights())
    assert ours == pytest.approx(keras.losses.mean_squared_error(target, live(X)).numpy().mean(), rel=1e-14)
    assert rounded.dtype == np.float32
    assert 1e-12 < abs(ours - rounded) < 1e-6


# losses -------------------------------------------------------------------------------------------

FAR = np.array([[30.0, -30.0]])  # logits whose shares are clipped


def _rows(activation):
    """y = f(x W) for a row x."""
    return Model(x := Input((2,)), Dense(2, activation, use_bias=False)(x))


@pytest.mark.parametrize(
    ("activation", "loss"), [("softmax", "categorical_crossentropy"), ("sigmoid", "binary_crossentropy")]
)
def test_a_crossentropy_is_computed_from_the_logits(activation, loss):
    """12. In training; of an array that predict has returned it is clipped."""
    target = np.array([[0.0, 1.0]])
    value = loss_of(_rows(activation), FAR, target, loss, [np.eye(2)])
    clipped = keras.losses.get(loss)(target, predicted(_rows(activation), FAR, [np.eye(2)])).numpy().item()
    assert value == pytest.approx(60.0 if activation == "softmax" else 30.0)
    assert far(value, clipped)


def test_the_logits_are_those_of_either_activation():
    """12. A categorical crossentropy of a sigmoid is that of the softmax of its logits."""
    target, z = np.array([[0.0, 1.0]]), np.array([[1.0, 2.0]])
    value = loss_of(_rows("sigmoid"), z, target, "categorical_crossentropy", [np.eye(2)])
    shares = sigmoid(z) / sigmoid(z).sum()
    assert value == pytest.approx(np.log(1 + np.exp(-1.0)))
    assert far(value, -np.log(shares[0, 1]))


def test_time_distributed_loses_the_logits():
    """12. And so the same numbers have a clipped crossentropy."""
    target, weights = np.array([[[0.0, 1.0]]]), [np.eye(2), np.zeros(2)]
    dense = Dense(2, "softmax")
    kept, lost = (
        loss_of(Sequential([layer], (1, 2)), FAR[None], target, "categorical_crossentropy", weights)
        for layer in (dense, TimeDistributed(dense))
    )
    assert kept == pytest.approx(60.0)
    assert lost == pytest.approx(-np.log(1e-7))


def test_a_sparse_crossentropy_is_normalised_after_the_clip():
    """13. The other one before it."""
    p, weights = np.array([[2.0, 0.5]]), [np.eye(2)]
    sparse = loss_of(_rows(None), p, np.array([1]), "sparse_categorical_crossentropy", weights)
    dense = loss_of(_rows(None), p, np.array([[0.0, 1.0]]), "categorical_crossentropy", weights)
    assert sparse == pytest.approx(-np.log(0.5 / 1.5), rel=1e-6)
    assert dense == pytest.approx(-np.log(0.5 / 2.5))


def test_a_binary_crossentropy_is_clipped_asymmetrically_in_float32():
    """13. 1 - 1e-7 is rounded to 1 - 1.19e-7."""
    live = keras.Sequential([keras.Input((1, 1), dtype="float32"), keras.layers.Activation("linear", dtype="float32")])
    loss = symrnn.derive(live).gradient("binary_crossentropy", ["x"]).lambdify()
    x = np.array([[[1.0]]], "float32")
    at_one, at_zero = loss(x, 1 - x, [])[0], loss(1 - x, x, [])[0]
    assert at_one == pytest.approx(15.942385, abs=1e-5)
    assert at_zero == pytest.approx(16.118095, abs=1e-5)
    for p, ours in ((x, at_one), (1 - x, at_zero)):
        theirs = keras.losses.binary_crossentropy(tensorflow.constant(1 - p), tensorflow.constant(p)).numpy()
        assert ours == pytest.approx(theirs.item(), rel=1e-6)


def test_a_masked_loss_is_the_mean_over_the_valid_steps():
    """18. Of the whole batch."""
    model = Sequential([Masking(), SimpleRNN(2, return_sequences=True)], (3, 2))
    value = loss_of(model, MASKED, X, "mse")
    each = ((predicted(model, MASKED) - X) ** 2).mean(axis=-1)
    valid = MASKED.any(axis=-1)
    assert value == pytest.approx(each[valid].mean())
    assert far(value, each.mean())


# pooling, ids, states -----------------------------------------------------------------------------


def test_only_the_average_over_time_knows_the_mask():
    """19. The maximum and Flatten see what masked steps have carried; an average of no valid step is NaN."""
    steps = [Masking(), SimpleRNN(2, return_sequences=True)]
    weights = [np.eye(2), np.eye(2), np.full(2, -5.0)]  # so that all valid outputs are below 0
    whole = predicted(Sequential(steps, (3, 2)), MASKED, weights)
    average, top, flat = (
        predicted(Sequential([*steps, layer], (3, 2)), MASKED, weights)
        for layer in (GlobalAveragePooling1D(), GlobalMaxPooling1D(), Flatten())
    )
    np.testing.assert_allclose(average[0], whole[0, 1:].mean(axis=0))
    assert far(average, whole.mean(axis=1))
    np.testing.assert_allclose(top, whole.max(axis=1))
    assert far(top[0], whole[0, 1:].max(axis=0))
    np.testing.assert_allclose(flat, whole.reshape(2, 6))
    assert np.isnan(predicted(Sequential([*steps, GlobalAveragePooling1D()], (3, 2)), np.zeros((1, 3, 2)))).all()


def test_the_mask_of_an_id_is_that_of_the_number_before_it_is_cut():
    """21. 0.5 is the id 0, and not masked."""
    model = Sequential([Embedding(3, 2, mask_zero=True), SimpleRNN(2)], (3,), dtype="float64")
    cut, zero = np.array([[1.0, 0.5, 2.9]]), np.array([[1.0, 0.0, 2.0]])
    assert far(predicted(model, cut), predicted(model, zero))
    np.testing.assert_array_equal(predicted(model, cut), predicted(model, np.array([[1.0, 0.5, 2.0]])))


def test_a_stateful_model_goes_on_from_the_last_call():
    """22. The state is an input and an output of the derivation."""
    model = Sequential([GRU(2, stateful=True)], (3, 2))
    live = build(model, batch_size=2, weights=random(model))
    first, second = live(X).numpy(), live(X).numpy()
    predict = symrnn.derive(live).lambdify()
    y, state = predict([X, np.zeros((2, 2))], live.get_weights())
    np.testing.assert_allclose(y, first)
    np.testing.assert_allclose(predict([X, state], live.get_weights())[0], second)
    assert far(first, second)


def test_weights_and_implementation_are_not_part_of_a_layer():
    """25. Keras ignores the weights given to Bidirectional; implementation is the same mathematics, and not stored."""
    weights = random(Sequential([Bidirectional(SimpleRNN(2))], (3, 2)))
    live = keras.Sequential(
        [keras.Input((3, 2)), keras.layers.Bidirectional(keras.layers.SimpleRNN(2), weights=weights)]
    )
    derivation = symrnn.derive(live)
    assert far(derivation.weights[0], weights[0])
    np.testing.assert_allclose(derivation.lambdify()(X, derivation.weights), live(X).numpy())
    one, two = (keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2, implementation=i)]) for i in (1, 2))
    assert symrnn.derive(one).text("step") == symrnn.derive(two).text("step")
    two.set_weights(one.get_weights())
    np.testing.assert_allclose(one(X), two(X))
