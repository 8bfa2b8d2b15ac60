"""The losses: values and derivatives against Keras, for predictions and for logits that Keras has kept."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sympy import Expr

from symrnn.codegen.backends.math_source import scalar_source
from symrnn.codegen.backends.numpy_source import source
from symrnn.codegen.backends.python_code import compile_source
from symrnn.expressions.activation_table import sigmoid
from symrnn.expressions.matrices import elementwise, variable
from symrnn.expressions.names import Name
from symrnn.expressions.nodes import SLOTS, N, RowSoftmax, T, steps_symbol
from symrnn.models.forward_pass import forward
from symrnn.models.graph import Graph
from symrnn.models.layers.core import Dense, Masking
from symrnn.models.layers.rnn import SimpleRNN
from symrnn.models.layers.table import Sequential
from symrnn.models.losses import ALIASES, LOSSES, Loss, loss_name, loss_of, losses_of, with_loss, with_sum
from symrnn.models.network import ModelOutput, Network
from symrnn.programs.adjoint import backprop
from symrnn.programs.expansion import expand
from symrnn.programs.program import Equation, Program, defines, recurrence
from tests.support.bank import Case, evaluate, expanded

NAMES = sorted([*LOSSES, *ALIASES])
CROSSENTROPIES = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]
ROWS, STEPS, WIDTH = 4, 3, 3
RNG = np.random.default_rng(7)
pytestmark = pytest.mark.filterwarnings('ignore:"`.*` received `from_logits=True`:UserWarning')


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order() -> None:
    RNG.bit_generator.state = np.random.default_rng(7).bit_generator.state


# networks -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Output:
    """An output y = f(z) of a network whose inputs are z and, where it is `masked`, m."""

    activation: str | None = None
    sequence: bool = False
    masked: bool = False
    width: int = WIDTH
    steps: Expr = T


_FUNCTIONS: dict[str | None, Callable[[Expr], Expr]] = {
    None: lambda z: z,
    "softmax": RowSoftmax,
    "sigmoid": lambda z: elementwise(sigmoid(SLOTS[0]), z),
}


def network_of(*outputs: Output) -> tuple[Network, tuple[Expr, ...]]:
    """A network with these outputs, and its inputs z."""
    names: dict[Expr, Name] = {}
    items, plain, families, heads, zs = [], [], [], [], []

    def symbol(base: str, label: str, output: Output, width: int) -> Expr:
        name = Name(base, layer=label)
        name = replace(name, time="t", steps=output.steps.name) if output.sequence else name
        made = variable(name.code, (N, width))
        names[made] = name
        return made

    for k, output in enumerate(outputs, 1):
        label = "" if len(outputs) == 1 else str(k)
        z, y = (symbol(base, label, output, output.width) for base in "zy")
        mask = symbol("m", label, output, 1) if output.masked else None
        (families if output.sequence else plain).extend([z, *filter(None, [mask])])
        equation = Equation(y, _FUNCTIONS[output.activation](z))
        made = recurrence([equation], [z], stacked=[y], names=names, length=output.steps)
        items.append(made if output.sequence else equation)
        logits = z if output.activation else None
        heads.append(ModelOutput(y, output.sequence, output.width, logits, mask, output.steps))
        zs.append(z)
    symbols = tuple(head.symbol for head in heads)
    program = Program(tuple(plain), tuple(families), tuple(items), symbols, names)
    return Network(Graph((), (), (), ()), program, (), (), (), tuple(heads)), tuple(zs)


Arrays = dict[str, np.ndarray]


def ours(program: Program, wrt: Sequence[Expr], arrays: Arrays) -> list[np.ndarray]:
    """The program's output and its derivatives, for arrays by the name of their symbol."""
    back = backprop(program, tuple(wrt), "L")
    back = replace(back, outputs=(*program.outputs, *back.outputs))
    f = compile_source(source(back, "f"), "f")
    with np.errstate(all="ignore"):
        found = f(*(arrays[symbol.name] for symbol in (*program.sequences, *program.inputs)))
    return [np.asarray(value) for value in found]


# Keras --------------------------------------------------------------------------------------------


def theirs(output: Output, loss: Loss, z: Any, y_true: np.ndarray, mask: np.ndarray | None) -> Any:
    """The loss that Keras computes in float64, as a tensor."""
    import keras
    from keras.src.backend.common.masking import set_keras_mask
    from keras.src.losses.losses import LossFunctionWrapper

    y = keras.activations.get(output.activation)(z) if output.activation else z
    if mask is not None:
        set_keras_mask(y, keras.ops.convert_to_tensor(mask[..., 0], "bool"))
    return LossFunctionWrapper(keras.losses.get(loss.name), dtype="float64", **loss.arguments)(y_true, y)


def compare(
    output: Output, loss: str | Loss, z: np.ndarray, y_true: np.ndarray, mask: np.ndarray | None = None
) -> None:
    """Our loss and its derivative by z are Keras'."""
    pytest.importorskip("keras")
    import tensorflow as tf

    network, (symbol,) = network_of(output)
    end = "_t" if output.sequence else ""
    arrays = {f"z{end}": z, f"y_true{end}": y_true, f"m{end}": mask}
    value, gradient = ours(with_loss(network, loss), [symbol], arrays)
    point = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(point)
        total = theirs(output, loss_of(loss), point, y_true, mask)
    slope = tape.gradient(total, point).numpy()
    atol = 1e-14 * np.nanmax(np.abs(slope), initial=1.0)  # the terms of a derivative may cancel
    np.testing.assert_allclose(value.reshape(()), total.numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(gradient.reshape(slope.shape), slope, rtol=1e-12, atol=atol)


# points -------------------------------------------------------------------------------------------

Shape = tuple[int, ...]
_PROBABILITIES = ("kl_divergence", "categorical_crossentropy", "poisson")


def targets(loss: str, shape: Shape) -> np.ndarray:
    """Targets that the loss is meant for."""
    if loss == "sparse_categorical_crossentropy":
        return RNG.integers(shape[-1], size=(*shape[:-1], 1)).astype(float)
    if loss in _PROBABILITIES:
        return RNG.dirichlet(np.ones(shape[-1]), size=shape[:-1])
    if loss in ("hinge", "squared_hinge"):
        return RNG.choice([-1.0, 1.0], size=shape)
    if loss in ("binary_crossentropy", "categorical_hinge"):
        return RNG.integers(2, size=shape).astype(float)
    return RNG.normal(size=shape)


def predictions(loss: str, shape: Shape) -> np.ndarray:
    """Predictions at which the loss is smooth."""
    if loss in (*_PROBABILITIES, *CROSSENTROPIES):
        return RNG.uniform(0.05, 0.95, size=shape)
    return RNG.normal(size=shape)


def shape_of(output: Output) -> Shape:
    return (ROWS, STEPS, output.width) if output.sequence else (ROWS, output.width)


def mask_of(output: Output) -> np.ndarray | None:
    if not output.masked:
        return None
    mask = RNG.integers(2, size=(*shape_of(output)[:-1], 1)).astype(float)
    mask[0, ...], mask[1, ...] = 1.0, 0.0
    return mask


OUTPUTS = [Output(sequence=sequence, masked=masked) for sequence in (False, True) for masked in (False, True)]
NAMES_OF_OUTPUTS = ["plain", "plain, masked", "sequence", "sequence, masked"]
over_outputs = pytest.mark.parametrize("output", OUTPUTS, ids=NAMES_OF_OUTPUTS)
SMOOTHED = [Loss(name, label_smoothing=0.1) for name in CROSSENTROPIES[:2]]
FROM_LOGITS = [Loss(name, from_logits=True) for name in CROSSENTROPIES]
BOTH = [Loss(name, from_logits=True, label_smoothing=0.3) for name in CROSSENTROPIES[:2]]
MADE = [*map(Loss, LOSSES), Loss("huber", delta=0.3), Loss("huber", delta=2.5), *SMOOTHED, *FROM_LOGITS, *BOTH]


@over_outputs
@pytest.mark.parametrize("loss", MADE, ids=str)
def test_keras_agrees(output: Output, loss: Loss) -> None:
    shape = shape_of(output)
    compare(output, loss, predictions(loss.name, shape), targets(loss.name, shape), mask_of(output))


LOOKED_AT = [(output, loss) for loss in MADE for output in (OUTPUTS if loss.name in CROSSENTROPIES else OUTPUTS[:1])]


@pytest.mark.parametrize(
    ("output", "loss"), LOOKED_AT, ids=[f"{NAMES_OF_OUTPUTS[OUTPUTS.index(o)]}-{loss}" for o, loss in LOOKED_AT]
)
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_keras_agrees_where_it_has_kept_the_logits(output: Output, activation: str, loss: Loss) -> None:
    """A crossentropy of either activation takes its logits, with or without `from_logits`; no other loss does."""
    output, shape = replace(output, activation=activation), shape_of(output)
    compare(output, loss, 2 * RNG.normal(size=shape), targets(loss.name, shape), mask_of(output))


@pytest.mark.parametrize("output", [Output(masked=True), Output(sequence=True, masked=True)], ids=["rows", "sequence"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_mask_that_lets_nothing_through(output: Output, loss: str) -> None:
    shape = shape_of(output)
    compare(output, loss, predictions(loss, shape), targets(loss, shape), np.zeros((*shape[:-1], 1)))


@pytest.mark.parametrize("loss", ["mse", "categorical_crossentropy", "cosine_similarity"])
def test_a_mask_does_not_hide_what_is_no_number(loss: str) -> None:
    """Keras multiplies by the mask too, and 0 times NaN is NaN."""
    output = Output(masked=True)
    z, mask = predictions(loss, shape_of(output)), np.array([[1.0], [0.0], [1.0], [1.0]])
    z[1, 0] = np.nan
    compare(output, loss, z, targets(loss, z.shape), mask)


@pytest.mark.parametrize("output", [Output(width=1), Output(width=1, sequence=True, masked=True)], ids=["plain", "all"])
@pytest.mark.parametrize("loss", MADE, ids=str)
@pytest.mark.filterwarnings("ignore:In loss categorical_crossentropy, expected y_pred.shape:SyntaxWarning")
def test_keras_agrees_on_one_column(output: Output, loss: Loss) -> None:
    shape = shape_of(output)
    compare(output, loss, predictions(loss.name, shape), targets(loss.name, shape), mask_of(output))


LARGE = np.array([[40.0, -40.0, 0.0], [-30.0, 30.0, 1.0], [20.0, 19.0, -20.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
@pytest.mark.parametrize("loss", [*FROM_LOGITS, *BOTH], ids=str)
def test_keras_agrees_on_large_logits(activation: str | None, loss: Loss) -> None:
    compare(Output(activation), loss, LARGE, targets(loss.name, LARGE.shape))


# kinks --------------------------------------------------------------------------------------------

E, E32 = 1e-7, float(np.float32(1e-7))
NEXT, BEFORE = np.nextafter(E32, 1), np.nextafter(E32, 0)
KINKS: dict[str, tuple[Loss, list[list[float]], list[list[float]]]] = {
    "mae at 0": (Loss("mae"), [[1.0, 2.0, 0.0]], [[1.0, 1.0, 0.0]]),
    "mape at 0": (Loss("mape"), [[1.0, 0.0, 1e-8, 2.0]], [[1.0, 0.0, 1e-8, E]]),
    "msle at eps": (Loss("msle"), [[E, E32, NEXT, BEFORE, -1.0, 0.0]], [[1.0, 1.0, 1.0, 1.0, E32, -2.0]]),
    "huber at delta": (Loss("huber", delta=0.75), [[0.75, -0.75, 0.0, 0.76]], [[0.0, 0.0, 0.0, 0.0]]),
    "huber at 1": (Loss("huber"), [[1.0, -1.0, 0.0, 1.5]], [[0.0, 0.0, 0.0, 0.0]]),
    "log_cosh far out": (Loss("log_cosh"), [[0.0, 800.0, -800.0, 1e-9]], [[0.0, 0.0, 0.0, 0.0]]),
    "poisson of 0": (Loss("poisson"), [[0.0, 0.0, 1e-9]], [[0.0, 1.0, 2.0]]),
    "kl_divergence at its bounds": (Loss("kl_divergence"), [[0.0, E, 1.0, 1.5, 0.5]], [[0.5, 0.5, E, 0.0, 2.0]]),
    "cosine_similarity of nothing": (
        Loss("cosine_similarity"),
        [[0.0, 0.0], [1e-8, 2e-8], [E, 0.0], [1e-170, 1e-170], [3.0, 4.0]],
        [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [0.0, 0.0]],
    ),
    "hinge of -1 and 1": (Loss("hinge"), [[1.0, -1.0, 0.5]], [[1.0, -1.0, 1.0]]),
    "hinge of 0 and 1": (Loss("hinge"), [[1.0, -1.0, 0.5], [2.0, 0.0, 0.1]], [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
    "hinge of 0, 1 and 2": (Loss("hinge"), [[1.0, -1.0, 0.5], [0.5, 0.0, 0.1]], [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]),
    "hinge of 0, 1 and NaN": (Loss("hinge"), [[1.0, -1.0, 0.5]], [[1.0, 0.0, np.nan]]),
    "squared_hinge of 0 and 1": (Loss("squared_hinge"), [[1.0, -1.0, 0.5]], [[1.0, 0.0, 1.0]]),
    "squared_hinge of others": (Loss("squared_hinge"), [[1.0, -1.0, 0.5]], [[1.0, 0.0, 0.9]]),
    "categorical_hinge with ties": (
        Loss("categorical_hinge"),
        [[1.0, 0.0, 0.0], [0.2, 0.5, 0.5], [0.0, 0.5, 0.0], [9.0, 1.0, 1.0], [2.0, 1.0, 1.0]],
        [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
    ),
    "binary_crossentropy at its bounds": (
        Loss("binary_crossentropy"),
        [[0.0, 1.0, E], [1 - E, 0.5, 2.0], [-1.0, 1e-8, 1 - 1e-8]],
        [[0.3, 0.4, 0.3], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]],
    ),
    "binary_crossentropy of the logits 0": (
        Loss("binary_crossentropy", from_logits=True), [[0.0, -0.0, 0.0]], [[0.0, 0.5, 1.0]],
    ),
    "categorical_crossentropy at its bounds": (
        Loss("categorical_crossentropy"), [[0.0, 1.0, 0.0], [1.0, 1e-9, 0.0], [2.0, 4.0, 2.0]], [[0.3, 0.4, 0.3]] * 3,
    ),
    "sparse_categorical_crossentropy at its bounds": (
        Loss("sparse_categorical_crossentropy"),
        [[0.0, 1.0, E], [1 - E, 0.5, 2.0], [-1.0, 1e-8, 1 - 1e-8], [0.2, 0.3, 0.5]],
        [[0.0], [2.0], [1.0], [1.9]],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("loss", "predicted", "y_true"), KINKS.values(), ids=KINKS)
def test_keras_agrees_at_kinks(loss: Loss, predicted: list[list[float]], y_true: list[list[float]]) -> None:
    rows = np.array(predicted)
    compare(Output(width=rows.shape[1]), loss, rows, np.array(y_true))
    compare(Output(width=rows.shape[1], sequence=True), loss, rows[None], np.array(y_true)[None])


def test_the_labels_of_the_whole_batch_decide_for_a_hinge() -> None:
    """One label in the last step of the last sample keeps all others as they are."""
    output = Output(sequence=True)
    z, binary = RNG.normal(size=shape_of(output)), RNG.integers(2, size=shape_of(output)).astype(float)
    other = binary.copy()
    other[-1, -1, -1] = 0.5
    for labels in (binary, other):
        compare(output, "hinge", z, labels)


# several outputs ----------------------------------------------------------------------------------

SEVERAL = [Output("softmax", sequence=True), Output(width=2), Output("sigmoid", sequence=True, masked=True, width=2)]


@pytest.mark.parametrize("steps", [T, steps_symbol("T_2")], ids=str)
@pytest.mark.parametrize("names", [["mse"] * 3, ["categorical_crossentropy", "hinge", "cosine_similarity"]], ids=str)
def test_losses_of_several_outputs(names: list[str], steps: Expr) -> None:
    pytest.importorskip("keras")
    import tensorflow as tf

    outputs = [*SEVERAL[:2], replace(SEVERAL[2], steps=steps)]
    shapes = [(ROWS, 5 if output.steps != T else STEPS, output.width) for output in outputs]
    shapes[1] = (ROWS, 2)
    mask = RNG.integers(2, size=(*shapes[2][:-1], 1)).astype(float)
    zs = [RNG.normal(size=shape) for shape in shapes]
    y_trues = [targets(name, shape) for name, shape in zip(names, shapes, strict=True)]
    network, symbols = network_of(*outputs)
    program = with_loss(network, names if len(set(names)) > 1 else names[0])
    arrays = {symbol.name: z for symbol, z in zip(symbols, zs, strict=True)} | {"m3_t": mask}
    arrays |= dict(zip(["y_true1_t", "y_true2", "y_true3_t"], y_trues, strict=True))
    value, *gradients = ours(program, symbols, arrays)
    points = list(map(tf.constant, zs))
    with tf.GradientTape() as tape:
        tape.watch(points)
        parts = map(theirs, outputs, map(Loss, names), points, y_trues, [None, None, mask])
        total = sum(parts)
    assert value.reshape(()) == pytest.approx(total.numpy(), rel=1e-12)
    for gradient, slope in zip(gradients, tape.gradient(total, points), strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-14)


def test_each_output_has_a_loss_and_a_target() -> None:
    program = with_loss(network_of(*SEVERAL)[0], ["categorical_crossentropy", "kl_divergence", "mse"])
    assert [symbol.name for symbol in program.inputs] == ["z2", "y_true2"]
    assert [symbol.name for symbol in program.sequences] == ["z1_t", "z3_t", "m3_t", "y_true1_t", "y_true3_t"]
    assert [str(symbol) for symbol in program.outputs] == ["L"]
    assert [str(e.lhs) for e in program.assignments] == ["y2", "L1", "q2_y", "y_true2_q", "L2", "L3", "L"]
    assert str(program.assignments[-1].rhs) == "L1 + L2 + L3"
    assert program.names[program.assignments[1].lhs].latex == "L^{(1)}"


def test_sum_of_several_outputs() -> None:
    network, symbols = network_of(*SEVERAL)
    shapes = [(ROWS, STEPS, 3), (ROWS, 2), (ROWS, STEPS, 2)]
    zs = [RNG.normal(size=shape) for shape in shapes]
    arrays = {symbol.name: z for symbol, z in zip(symbols, zs, strict=True)} | {"m3_t": np.ones((ROWS, STEPS, 1))}
    program = with_sum(network)
    value, *_ = ours(program, symbols, arrays)
    expected = ROWS * STEPS + zs[1].sum() + (1 / (1 + np.exp(-zs[2]))).sum()
    assert value.reshape(()) == pytest.approx(expected, rel=1e-14)
    assert [str(symbol) for symbol in program.outputs] == ["s"]
    assert str(program.assignments[-1].rhs) == "s1 + s2 + s3"


def test_sum_of_one_output() -> None:
    numbers = RNG.normal(size=(ROWS, STEPS, WIDTH))
    program = with_sum(network_of(Output(sequence=True))[0])
    assert ours(program, [], {"z_t": numbers})[0].reshape(()) == pytest.approx(numbers.sum())
    program = with_sum(network_of(Output())[0])
    assert ours(program, [], {"z": numbers[:, 0]})[0].reshape(()) == pytest.approx(numbers[:, 0].sum())
    single, _ = network_of(Output(width=1))
    assert with_sum(single) is single.program


# the other way to numbers -------------------------------------------------------------------------


@pytest.mark.parametrize("output", [OUTPUTS[0], OUTPUTS[-1]], ids=[NAMES_OF_OUTPUTS[0], NAMES_OF_OUTPUTS[-1]])
@pytest.mark.parametrize("loss", MADE, ids=str)
def test_derivatives_of_entries(output: Output, loss: Loss) -> None:
    """The rules for matrices, with arrays, and SymPy's derivatives of the entries give the same numbers."""
    network, (symbol,) = network_of(output)
    program, shape = with_loss(network, loss), (2, *((2,) if output.sequence else ()), output.width)
    mask = np.array([1.0, 0.0, 1.0, 1.0])[: np.prod(shape[:-1])].reshape(*shape[:-1], 1)
    arrays = {"z": predictions(loss.name, shape), "y_true": targets(loss.name, shape), "m": mask}
    arrays |= {f"{name}_t": array for name, array in arrays.items()}
    value, slope = ours(program, [symbol], arrays)
    scalars = expand(program, 2)
    back = backprop(scalars, expanded(program, (symbol,), 2), "L")
    order = [arrays[s.name] for s in (*program.inputs, *program.sequences)]
    order = [array.swapaxes(0, 1) for array in order] if output.sequence else order
    case = Case(lambda: program, 2, 2)
    assert evaluate(program, case, *order) == pytest.approx(value.ravel(), rel=1e-13)
    assert evaluate(scalars, case, *map(_by_entry, order)) == pytest.approx(value.ravel(), rel=1e-13)
    if output.sequence:
        slope = slope.reshape(2, 2, -1).transpose(0, 2, 1)  # an entry at each step
    slopes = evaluate(back, case, *map(_by_entry, order))
    np.testing.assert_allclose(slopes, slope.ravel(), rtol=1e-13, atol=1e-15)


def _by_entry(array: np.ndarray) -> np.ndarray:
    """For a sequence, whose time comes first, the time of each entry."""
    return np.moveaxis(array, 0, -1) if array.ndim == 3 else array


@pytest.mark.parametrize("output", [Output(width=1), Output(width=1, sequence=True, masked=True)], ids=["plain", "all"])
@pytest.mark.parametrize("loss", MADE, ids=str)
def test_floats_are_arrays(output: Output, loss: Loss) -> None:
    """What runs for one sample of a scalar model."""
    network, (symbol,) = network_of(output)
    program, shape = with_loss(network, loss), (1, *((STEPS,) if output.sequence else ()), 1)
    mask = np.array([1.0, 0.0, 1.0][: np.prod(shape)]).reshape(shape)
    arrays = {"z": predictions(loss.name, shape), "y_true": targets(loss.name, shape), "m": mask}
    arrays |= {f"{name}_t": array for name, array in arrays.items()}
    value, slope = ours(program, [symbol], arrays)
    back = backprop(program, (symbol,), "L")
    f = compile_source(scalar_source(expand(replace(back, outputs=(*program.outputs, *back.outputs))), "f"), "f")
    order = [arrays[s.name].ravel().tolist() for s in (*back.sequences, *back.inputs)]
    floats = f(*(order if output.sequence else (number for (number,) in order)))
    assert floats[0] == pytest.approx(value.item(), rel=1e-14)
    assert np.ravel(floats[1]) == pytest.approx(slope.ravel(), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("output", [OUTPUTS[0], OUTPUTS[-1]], ids=["plain", "sequence, masked"])
@pytest.mark.parametrize("loss", MADE, ids=str)
def test_arrays_keep_their_type(output: Output, loss: Loss) -> None:
    network, (symbol,) = network_of(output)
    shape, end = shape_of(output), "_t" if output.sequence else ""
    arrays = {f"z{end}": predictions(loss.name, shape), f"y_true{end}": targets(loss.name, shape)}
    arrays |= {f"m{end}": mask_of(output)} if output.masked else {}
    wide = ours(with_loss(network, loss), [symbol], arrays)
    narrow = ours(with_loss(network, loss), [symbol], {name: a.astype(np.float32) for name, a in arrays.items()})
    for one, other in zip(narrow, wide, strict=True):
        assert (one.dtype, one.shape) == (np.float32, other.shape)
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5 * np.abs(other).max())


# models -------------------------------------------------------------------------------------------


def float64() -> Any:
    keras = pytest.importorskip("keras")
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")

    def restore() -> None:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)

    return restore


@pytest.mark.parametrize(
    ("loss", "activation"),
    [
        (loss, activation)
        for loss in MADE
        for activation in ([None, "softmax", "sigmoid"] if loss.name in CROSSENTROPIES else [None])
    ],
    ids=str,
)
def test_compute_loss_of_a_masked_model(loss: Loss, activation: str | None) -> None:
    """Masking, a recurrent layer and a dense one: the mask travels to the loss."""
    keras = pytest.importorskip("keras")
    if loss.name in ("poisson", "kl_divergence") and activation is None:
        activation = "softplus"  # the logarithm of a negative number is NaN
    restore = float64()
    try:
        model = keras.Sequential(
            [keras.Input((STEPS, 2)), keras.layers.Masking(), keras.layers.SimpleRNN(2, return_sequences=True),
             keras.layers.Dense(WIDTH, activation)]
        )  # fmt: skip
        weights = [RNG.normal(size=weight.shape) for weight in model.get_weights()]
        model.set_weights(weights)
        model.compile(loss=loss_class(loss))
        x, y_true = RNG.normal(size=(ROWS, STEPS, 2)), targets(loss.name, (ROWS, STEPS, WIDTH))
        x[0, 1:], x[1] = 0.0, 0.0
        expected = float(model.compute_loss(x, y_true, model(x, training=False)))
    finally:
        restore()
    layers = [Masking(), SimpleRNN(2, return_sequences=True), Dense(WIDTH, activation)]
    network = forward(Sequential(layers, (STEPS, 2)))
    names = [weight.symbol.name for weight in network.weights]
    arrays = dict(zip(names, (np.atleast_2d(weight) for weight in weights), strict=True))
    value = ours(with_loss(network, loss), [], arrays | {"x_t": x, "y_true_t": y_true})[0]
    assert value.reshape(()) == pytest.approx(expected, rel=1e-12)


def loss_class(loss: Loss) -> Any:
    """Keras' class of a loss, which takes the arguments."""
    import keras

    names = {meant: alias for alias, meant in ALIASES.items() if alias[0].isupper() and not alias.isupper()}
    return getattr(keras.losses, names[loss.name])(**loss.arguments)


# names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_loss_name(name: str) -> None:
    keras = pytest.importorskip("keras")
    given, meant = keras.losses.get(name), keras.losses.get(loss_name(name))
    assert getattr(given, "fn", given) is meant
    assert loss_of(name) == Loss(name) == Loss(loss_name(name))


def test_every_name_of_keras_is_known_or_of_a_loss_that_is_not_supported() -> None:
    pytest.importorskip("keras")
    from keras.src.losses import ALL_OBJECTS_DICT

    others = {
        *("binary_focal_crossentropy", "BinaryFocalCrossentropy", "circle", "Circle", "ctc", "CTC", "dice", "Dice"),
        *("categorical_focal_crossentropy", "CategoricalFocalCrossentropy", "tversky", "Tversky"),
        *("Loss", "LossFunctionWrapper"),
    }
    known = {name for name in NAMES if name not in {*LOSSES} or name in ALL_OBJECTS_DICT}
    assert set(ALL_OBJECTS_DICT) == known | others


@pytest.mark.parametrize("name", ["mspe", "", "MSe", None, 3, ["mse"], {"name": "mse"}, "logcosh"], ids=repr)
def test_unknown_loss(name: object) -> None:
    message = f"^unknown loss {re.escape(repr(name))}; known: {', '.join(NAMES)}$"
    for check in (loss_name, loss_of, Loss):
        with pytest.raises(ValueError, match=message):
            check(name)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("mse", {"delta": 2.0}, "loss mse: delta is an argument of huber only, got 2.0"),
        (
            "MSE",
            {"from_logits": True},
            "loss mse: from_logits is an argument of binary_crossentropy, categorical_crossentropy, "
            "sparse_categorical_crossentropy only, got True",
        ),
        (
            "sparse_categorical_crossentropy",
            {"label_smoothing": 0.1},
            "loss sparse_categorical_crossentropy: label_smoothing is an argument of binary_crossentropy, "
            "categorical_crossentropy only, got 0.1",
        ),
        ("huber", {"delta": 0.0}, "loss huber: delta: expected a positive number, got 0.0"),
        ("huber", {"delta": float("nan")}, "loss huber: delta: expected a positive number, got nan"),
        ("huber", {"delta": "1"}, "loss huber: delta: expected a positive number, got '1'"),
        ("huber", {"delta": True}, "loss huber: delta: expected a positive number, got True"),
        ("bce", {"from_logits": 1}, "loss binary_crossentropy: from_logits: expected True or False, got 1"),
        ("mse", {"from_logits": 0}, "loss mse: from_logits: expected True or False, got 0"),
        ("bce", {"from_logits": None}, "loss binary_crossentropy: from_logits: expected True or False, got None"),
        (
            "bce",
            {"label_smoothing": 1.5},
            "loss binary_crossentropy: label_smoothing: expected a number from 0 to 1, got 1.5",
        ),
        (
            "bce",
            {"label_smoothing": -0.1},
            "loss binary_crossentropy: label_smoothing: expected a number from 0 to 1, got -0.1",
        ),
    ],
    ids=str,
)
def test_wrong_argument_of_a_loss(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Loss(name, **arguments)


@pytest.mark.parametrize(
    ("loss", "text", "arguments"),
    [
        (Loss("MSE"), "mse", {}),
        (Loss("huber", delta=1), "huber", {}),
        (Loss("Huber", delta=2), "huber(delta=2)", {"delta": 2}),
        (
            Loss("bce", True, 0.1),
            "binary_crossentropy(from_logits=True, label_smoothing=0.1)",
            {"from_logits": True, "label_smoothing": 0.1},
        ),
        (Loss("bce", False, 0.0, 1.0), "binary_crossentropy", {}),
    ],
    ids=str,
)
def test_arguments_of_a_loss(loss: Loss, text: str, arguments: dict[str, Any]) -> None:
    assert (str(loss), loss.arguments) == (text, arguments)


def test_losses_of_outputs() -> None:
    assert losses_of("MSE", 2) == (Loss("mse"), Loss("mse"))
    assert losses_of(["mse", Loss("huber", delta=2)], 2) == (Loss("mse"), Loss("huber", delta=2))
    assert losses_of(("mae",), 1) == (Loss("mae"),)
    message = "^loss: expected one for all outputs, or a list of 2, got a list of 1$"
    with pytest.raises(ValueError, match=message):
        losses_of(["mse"], 2)
    with pytest.raises(ValueError, match=message):
        with_loss(network_of(*SEVERAL[:2])[0], ["mse"])
    with pytest.raises(ValueError, match=r"^unknown loss None; known: "):
        losses_of(["mse", None], 2)


# equations ----------------------------------------------------------------------------------------


def names_of(loss: str | Loss, output: Output) -> list[str]:
    """What the loss adds to the program, in LaTeX without the time, and in order."""
    program = with_loss(network_of(output)[0], loss)
    added = [symbol for item in program.equations[1:] for symbol in defines(item)]
    return [program.names[symbol].at(None).latex for symbol in added]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", ["L"]),
        ("kl_divergence", ["q_y", r"y_{\mathrm{true},q}", "L"]),
        ("msle", ["q_y", r"y_{\mathrm{true},q}", "L"]),
        ("cosine_similarity", ["r_y", "q_y", r"y_{\mathrm{true},r}", r"y_{\mathrm{true},q}", "L"]),
        ("hinge", ["S_y", "B_y", r"y_{\mathrm{true},h}", "L"]),
        ("categorical_hinge", ["v_y", "k_y", "L"]),
        ("binary_crossentropy", ["q_y", "L"]),
        ("categorical_crossentropy", ["p_y", "q_y", "L"]),
        ("sparse_categorical_crossentropy", ["q_y", r"y_{\mathrm{true},e}", "L"]),
        (Loss("bce", True, 0.1), [r"y_{\mathrm{true},s}", "L"]),
    ],
    ids=str,
)
def test_what_a_loss_adds(loss: str | Loss, expected: list[str]) -> None:
    """One number for the loss, for sequences after its sum over t; values with a row per sample or step."""
    assert names_of(loss, Output()) == expected
    values = expected[:-1]
    assert names_of(loss, Output(sequence=True)) == [*values, "S", "L"]
    assert names_of(loss, Output(masked=True)) == [*values, "S", "M", "L"]
    assert names_of(loss, Output(sequence=True, masked=True)) == [*values, "S", "M", "L"]


def test_the_target_is_an_input() -> None:
    one, many = with_loss(network_of(Output())[0], "mse"), with_loss(network_of(Output(sequence=True))[0], "mse")
    assert [symbol.name for symbol in (*one.inputs, *one.sequences, *one.outputs)] == ["z", "y_true", "L"]
    assert [symbol.name for symbol in (*many.inputs, *many.sequences, *many.outputs)] == ["z_t", "y_true_t", "L"]
    assert [symbol.name for symbol in many.equations[-1].rhs.free_symbols if symbol.name not in "NT"] == ["S"]
