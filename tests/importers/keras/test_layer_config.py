"""Single layers of Keras configs: their arguments, and by name whatever symrnn does not know."""

import warnings

import pytest

import symrnn as ours
from symrnn.checking.keras_models import activation_of, import_frameworks
from symrnn.expressions.activations import activations
from symrnn.importers.keras.layer_config import (
    ConfigOrigin,
    dtypes,
    is_builtin,
    item,
    read_entries,
    read_entry,
    read_version,
    value_text,
)
from symrnn.importers.keras.reader import from_keras
from tests.support.keras_bank import LAYERS, QUIET, K, assert_refused, functional, keras, sequential

pytestmark = QUIET


def read(layer, **options):
    return from_keras(sequential(layer, **options)).graph.layers[-1]


FLAGS = {"return_sequences": True, "return_state": True, "go_backwards": True, "unroll": True}
LAYER = {
    "LSTM": (lambda: K.LSTM(2, **FLAGS), ours.LSTM(2, **FLAGS)),
    "GRU": (
        lambda: K.GRU(2, "relu", "softsign", reset_after=False, zero_output_for_mask=True),
        ours.GRU(2, "relu", "softsign", reset_after=False, zero_output_for_mask=True),
    ),
    "RNN": (lambda: K.RNN(K.LSTMCell(2, use_bias=False)), ours.RNN(ours.LSTMCell(2, use_bias=False))),
    "stacked": (
        lambda: K.RNN([K.SimpleRNNCell(2), K.GRUCell(3, reset_after=False)]),
        ours.RNN((ours.SimpleRNNCell(2), ours.GRUCell(3, reset_after=False))),
    ),
    "Bidirectional": (
        lambda: K.Bidirectional(K.GRU(2, return_sequences=True), merge_mode=None),
        ours.Bidirectional(ours.GRU(2, return_sequences=True), merge_mode=None),
    ),
    "another backward layer": (
        lambda: K.Bidirectional(K.GRU(2, go_backwards=True), backward_layer=K.LSTM(2)),
        ours.Bidirectional(ours.GRU(2, go_backwards=True), backward_layer=ours.LSTM(2)),
    ),
    "ReLU": (lambda: K.ReLU(6.0, 0.1, 0.2), ours.ReLU(6.0, 0.1, 0.2)),
    "LeakyReLU": (lambda: K.LeakyReLU(0.1), ours.LeakyReLU(0.1)),
    "ELU": (lambda: K.ELU(0.5), ours.ELU(0.5)),
    "PReLU": (lambda: K.PReLU(shared_axes=[1]), ours.PReLU((1,))),
    "Masking": (lambda: K.Masking(0.5), ours.Masking(0.5)),
}


@pytest.mark.parametrize(("make", "expected"), LAYER.values(), ids=LAYER)
def test_arguments(make, expected):
    assert read(make()) == expected


def test_every_activation_is_read_under_keras_own_name():
    import_frameworks()  # registers what Keras lacks
    names = [name for name in [*activations, "softmax"] if name not in ("swish", "hard_swish")]
    model = sequential(*(K.Activation(activation_of(name, keras)) for name in names))
    assert [layer.activation for layer in from_keras(model).graph.layers[1:]] == names


def quantized():
    model = sequential(K.Dense(2, name="d"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.quantize("int8")
    return model


def both_states():
    backward = K.LSTM(2, go_backwards=True, return_state=True)
    return K.Bidirectional(K.GRU(2, return_state=True), backward_layer=backward, name="b")


class Nameless(K.Layer):
    def call(self, x):
        return x

    def get_config(self):
        return {}


class Custom(K.Layer):
    def call(self, x):
        return x


class Pretender(K.Dense):
    pass


Pretender.__name__ = "Dense"


@keras.saving.register_keras_serializable("mine")
class MyCell(K.GRUCell):
    pass


UNITS = "units, activation, use_bias"
NOT_SUPPORTED = {
    "custom layer": (
        lambda: sequential(Custom(name="c")),
        f"layer 1 (Custom 'c'): the custom class Custom is not supported; supported: {LAYERS}",
    ),
    "custom layer without a name": (
        lambda: sequential(Nameless(), Nameless()),
        f"layer 1 (Nameless): the custom class Nameless is not supported; supported: {LAYERS}",
    ),
    "halves of different widths": (
        lambda: sequential(K.Bidirectional(K.GRU(2), backward_layer=K.GRU(3, go_backwards=True), name="b")),
        "layer 1 (Bidirectional 'b'): halves of different widths, 2 and 3, are not supported: "
        "Keras takes the shapes of the backward half's results from the forward half",
    ),
    "halves of different states": (
        lambda: functional(lambda x: both_states()(x)[0]),
        "layer 1 (Bidirectional 'b'): halves of different states are not supported: "
        "Keras takes the shapes of the backward half's results from the forward half",
    ),
    "an input of four axes": (
        lambda: sequential(K.TimeDistributed(K.Flatten(), name="t"), K.GRU(2), shape=(5, 4, 3)),
        "layer 1 (TimeDistributed 't'): TimeDistributed(Flatten) is not supported; supported: TimeDistributed(Dense)",
    ),
    "custom layer of a known name": (
        lambda: sequential(Pretender(2, name="d")),
        f"layer 1 (Dense 'd'): the custom class Dense is not supported; supported: {LAYERS}",
    ),
    "custom cell": (
        lambda: sequential(K.RNN(MyCell(2), name="r")),
        (
            "layer 1 (RNN 'r'): RNN(MyCell) is not supported; "
            "supported: SimpleRNNCell, LSTMCell, GRUCell, StackedRNNCells"
        ),
    ),
    "wrapped layer": (
        lambda: sequential(K.TimeDistributed(K.Dropout(0.5), name="td")),
        "layer 1 (TimeDistributed 'td'): TimeDistributed(Dropout) is not supported; supported: TimeDistributed(Dense)",
    ),
    "sparse": (
        lambda: sequential(K.Dense(2), sparse=True),
        "InputLayer 'x': sparse=True is not supported; supported: sparse=False",
    ),
    "axis": (
        lambda: sequential(K.Softmax(axis=1, name="s")),
        "layer 1 (Softmax 's'): axis=1 is not supported; supported: axis=-1",
    ),
    "quantized": (
        quantized,
        (
            "layer 1 (Dense 'd'): argument quantization_config=Int8QuantizationConfig is not supported; "
            f"supported: {UNITS}"
        ),
    ),
    "lambda": (
        lambda: sequential(K.LSTM(2, recurrent_activation=lambda x: x, name="r")),
        ("layer 1 (LSTM 'r'): recurrent_activation=lambda is not supported; supported: the name of a Keras activation"),
    ),
    "lambda inside": (
        lambda: sequential(K.RNN([K.GRUCell(2), K.GRUCell(2, lambda x: x, name="c")], name="r")),
        (
            "layer 1 (RNN 'r'): its StackedRNNCells 'stacked_rnn_cells': its GRUCell 'c': "
            "activation=lambda is not supported; supported: the name of a Keras activation"
        ),
    ),
    "activation layer": (
        lambda: sequential(K.TimeDistributed(K.Dense(2, activation=K.ReLU(), name="d"), name="td")),
        (
            "layer 1 (TimeDistributed 'td'): its Dense 'd': activation=ReLU is not supported; "
            "supported: the name of a Keras activation"
        ),
    ),
}


@pytest.mark.parametrize(("make", "message"), NOT_SUPPORTED.values(), ids=NOT_SUPPORTED)
def test_not_supported(make, message):
    keras.utils.clear_session(free_memory=False)
    assert_refused(NotImplementedError, message, make())


def test_versions_of_keras():
    assert (read_version("3.15.1"), read_version("2.4.0-tf")) == ((3, 15), (2, 4))
    with pytest.raises(NotImplementedError, match=r"^keras_version: 4\.0 is not supported; supported: 2 and 3$"):
        read_version("4.0.1")
    with pytest.raises(ValueError, match=r"^keras_version: expected a version such as 3\.15\.1, got None$"):
        read_version(None)


def test_entries_are_counted_without_inputs_and_operations():
    kinds = {"x": "InputLayer", "d": "Dense", "o": "Any", "g": "GRU"}
    configs = {name: {"name": name, **({} if name in "xo" else {"trainable": True})} for name in kinds}
    listed = [{"class_name": kind, "config": configs[name]} for name, kind in kinds.items()]
    found = read_entries(listed, ConfigOrigin(modules=False))
    assert [*map(str, found)] == ["InputLayer 'x'", "layer 1 (Dense 'd')", "operation (Any 'o')", "layer 2 (GRU 'g')"]
    with pytest.raises(ValueError, match=r"^config: expected layers of different names, got two 'd'$"):
        read_entries([listed[1], listed[1]], ConfigOrigin())


@pytest.mark.parametrize(
    ("module", "registered", "expected"),
    [("keras.layers", None, True), ("keras.src.layers", "Dense", True), ("keras.layers", "my>Dense", False),
     ("mine", None, False), ("kerasx", None, False)],
)  # fmt: skip
def test_keras_own_classes(module, registered, expected):
    given = {"class_name": "Dense", "config": {}, "module": module, "registered_name": registered}
    assert is_builtin(read_entry(given, 1, ConfigOrigin())) == expected


def test_items_of_a_config():
    assert item({"units": 3}, "units", int) == 3
    with pytest.raises(ValueError, match=r"^config: units: expected int, got 'three'$"):
        item({"units": "three"}, "units", int)
    with pytest.raises(ValueError, match=r"^config: units: expected int \| float, got None$"):
        item([], "units", int | float)


def test_dtypes_of_a_layer_and_of_those_in_it():
    inner = {"class_name": "GRUCell", "config": {"dtype": "float64"}}
    policy = {"class_name": "DTypePolicy", "config": {"name": "float32"}}
    given = {"class_name": "RNN", "config": {"dtype": policy, "cell": inner}}
    assert dtypes(read_entry(given, 1, ConfigOrigin())) == ["float32", "float64"]


def test_values_as_messages_show_them():
    assert [
        value_text(value) for value in (1, "a", {"class_name": "ReLU"}, {"class_name": "function", "config": "f"})
    ] == [*("1", "'a'", "ReLU", "function f")]
