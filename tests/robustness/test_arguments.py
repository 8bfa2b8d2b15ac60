"""Wrong arguments: each is refused with what was expected and what was given, and not by Python or SymPy."""

import math

import numpy as np
import pytest

import symrnn
from symrnn import (
    ELU,
    LSTM,
    Add,
    Bidirectional,
    Cell,
    Dense,
    Dropout,
    Input,
    LeakyReLU,
    Loss,
    Masking,
    Model,
    PReLU,
    ReLU,
    RepeatVector,
    Sequential,
    SimpleRNN,
    SimpleRNNCell,
)
from symrnn.common.errors import cut_repr

NOTEBOOK = symrnn.derive()
LARGE = 10**400
CASES = {
    "one layer": (lambda: Sequential(SimpleRNN(1), (3, 1)), r"Sequential: layers: expected a list of layers, got Si.*"),
    "a number as the shape": (lambda: Input(5), r"Input: shape: expected \(timesteps, features\) or .*, got 5"),
    "a text as the shape": (lambda: Input("ab"), r"Input: shape: expected \(timesteps, features\) or .*, got 'ab'"),
    "axes": (lambda: PReLU(shared_axes=-1), "PReLU: shared_axes: expected a list of axes or None, got -1"),
    "units": (lambda: Dense("a"), "Dense: units: expected a positive whole number, got 'a'"),
    "units of a cell": (lambda: SimpleRNNCell(0), "SimpleRNNCell: units: expected a positive whole number, got 0"),
    "a switch": (lambda: LSTM(1, use_bias=1), "LSTM: use_bias: expected True or False, got 1"),
    "a name": (lambda: SimpleRNN(1, name=5), "SimpleRNN: name: expected a text or None, got 5"),
    "an activation": (lambda: Dense(1, 5), "unknown activation 5; known: .*"),
    "times": (lambda: RepeatVector(2.0), "RepeatVector: n: expected a positive whole number, got 2.0"),
    "a merge mode": (lambda: Bidirectional(LSTM(1), 5), "Bidirectional: merge_mode: expected a text or None, got 5"),
    "no tensor": (lambda: Add()([]), "Add: expected at least one tensor, got none"),
    "no inputs": (lambda: Model([], Input((3, 1))), r"Model: inputs: expected a tensor or a list of tensors, got \[\]"),
    "a title": (lambda: NOTEBOOK.document(title=5), "document: title: expected a text or None, got 5"),
    "a path": (
        lambda: NOTEBOOK.document(["model"], check=False).save(None), "save: expected the name of a file, got None",
    ),
    "a focal loss": (
        lambda: Loss("BinaryFocalCrossentropy", gamma=2.0), "unknown loss 'BinaryFocalCrossentropy'; known: .*",
    ),
    "an argument of no loss": (
        lambda: Loss("mse", gamma=2.0),
        "loss mse: expected the arguments from_logits, label_smoothing, delta, got gamma",
    ),
    "a shape of lists": (lambda: Input([[1], [1]]), r"Input: shape: expected .*, got \[\[1\], \[1\]\]"),
    "a state": (
        lambda: LSTM(1)(Input((3, 1)), initial_state=5), "LSTM: expected tensors, got int",
    ),
    "sections": (lambda: NOTEBOOK.document(5), "sections: expected a list of names, got 5"),
    "a section": (lambda: NOTEBOOK.document([5]), "sections: expected some of model, .*, got 5"),
    "a seed": (
        lambda: NOTEBOOK.document(seed=2.5), "document: seed: expected a whole number of at least 0, got 2.5",
    ),
    "whether to check": (lambda: NOTEBOOK.document(check=5), "document: check: expected True, False or None, got 5"),
    "progress": (lambda: NOTEBOOK.document(progress=5), "progress: expected a function or None, got 5"),
    "numbers that are none": (
        lambda: NOTEBOOK.document(["model"], [1.0, math.nan, 2.0], check=False),
        "x: expected finite numbers to show, got nan",
    ),
    "a target that is none": (
        lambda: NOTEBOOK.document(["model"], y_true=[math.inf], loss="mse", check=False),
        "y_true: expected finite numbers to show, got inf",
    ),
    "an array without axes": (
        lambda: NOTEBOOK.lambdify()([1, 2, 3], np.array(3)),
        r"weights: expected a list of 5 arrays \(.*\), or a mapping by name, got ndarray",
    ),
    "names in an array without axes": (
        lambda: NOTEBOOK.gradient(wrt=np.array("U")), r"wrt: expected a list of names, got array\('U', .*\)",
    ),
    "numbers of a picture": (
        lambda: NOTEBOOK.picture(backward=True, numbers={"dh_0": "a"}),
        r"picture: numbers: expected finite numbers by name, such as dh_0, got \{'dh_0': 'a'\}",
    ),
    "a large number": (lambda: Loss("huber", delta=LARGE), "loss huber: delta: expected a positive number, got 1.*"),
    "samples": (lambda: NOTEBOOK.program("scalar", 0), "zoom 'scalar': samples: expected a positive whole .*, got 0"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()


CELL = {
    "equations": "a list",
    "states": "a mapping",
    "parameters": "a mapping",
    "name": "a text or None",
}


@pytest.mark.parametrize(("field", "expected"), CELL.items())
def test_a_cell_of_wrong_parts(field, expected):
    good = {"equations": [], "inputs": None, "states": {}, "parameters": {}}
    with pytest.raises(ValueError, match=rf"^Cell: {field}: expected {expected}, got 5$"):
        Cell(**{**good, field: 5})


NUMBERS = {
    "Masking": (Masking, "mask_value"),
    "ELU": (ELU, "alpha"),
    "LeakyReLU": (LeakyReLU, "negative_slope"),
    "ReLU": (ReLU, "max_value"),
    "Dropout": (Dropout, "rate"),
}


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, math.nan, LARGE, 10**5000, "1"], ids=lambda value: cut_repr(value)[:9]
)
@pytest.mark.parametrize(("kind", "argument"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_finite(kind, argument, value):
    with pytest.raises(
        ValueError, match=rf"^{kind.__name__}: {argument}: expected a finite number( or None)?, got .*$"
    ) as caught:
        kind(**{argument: value})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("number", [1e308, -1e308, 1e-320, 3e38])
@pytest.mark.parametrize("layer", [ELU, LeakyReLU, ReLU, Masking])
def test_numbers_that_a_double_holds_compute(layer, number):
    d = symrnn.derive(Sequential([layer(number), SimpleRNN(1), Dense(1)], (2, 1)))
    weights = [[[0.5]], [[0.5]], [0.0], [[1.0]], [0.0]]
    for function, rest in ((d.lambdify(), ()), (d.gradient(Loss("huber", delta=abs(number))).lambdify(), (0.5,))):
        assert function([1.0, -2.0], *rest, weights) is not None
        assert function([[[1.0], [-2.0]]] * 2, *([[0.5]] * 2 for _ in rest), weights) is not None


def test_second_derivatives_are_not_the_first_ones_again():
    with pytest.raises(NotImplementedError, match=r"^gradient: the derivatives of derivatives are not supported; .*$"):
        NOTEBOOK.gradient("mse").gradient()


def test_layers_without_memory_take_rows():
    d = symrnn.derive(Sequential([Dense(3), Dense(1)], (2,)))
    weights = [[[1.0] * 3] * 2, [0.0] * 3, [[1.0]] * 3, [0.0]]
    assert d.lambdify()([1.0, 2.0], weights).tolist() == [9.0]


def test_results_are_not_the_callers_arrays():
    """A model that hands its input on, and one whose rows are one row repeated."""
    x = Input((2, 1))
    given = np.ones((2, 2, 1), "float32")
    found = symrnn.derive(Model(x, Dropout(0.5)(x))).lambdify()(given, [])
    found += 1
    assert given.tolist() == [[[1.0], [1.0]]] * 2
    row = Input((1,))
    found = symrnn.derive(Model(row, RepeatVector(2)(row))).lambdify()(np.ones((2, 1), "float32"), [])
    found[0, 0] = 5
    assert found.tolist() == [[[5.0], [1.0]], [[1.0], [1.0]]]


def test_values_are_cut():
    assert cut_repr("a" * 300) == f"'{'a' * 196}..."
    assert cut_repr(10**5000) == "a number above 10^4299"
