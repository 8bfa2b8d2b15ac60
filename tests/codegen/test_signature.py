"""What the functions of a derivation take and give: names in order, shapes, and nothing of NumPy."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from symrnn import LSTM, Dense, Sequential, derive
from symrnn.codegen.signature import Arguments, Output, Target
from tests.support.bank import SAMPLE, over


@over(SAMPLE)
def test_the_names_are_those_of_the_weights_in_their_order(case):
    network = case.derivation.network
    names = Arguments(network.sources, network.arrays).names
    assert list(names) == [weight.symbol.name for weight in network.weights]
    assert len(set(names)) == len(names)


def test_an_array_of_several_symbols_has_all_their_names():
    lstm = Arguments((), derive(Sequential([LSTM(1), Dense(1)], (2, 1))).network.arrays)
    kernel, recurrent, bias = ([f"{name}_{gate}" for gate in "ifco"] for name in ("U", "V", "b_h"))
    assert lstm.names == (*kernel, *recurrent, *(name.replace("h_", "h") for name in bias), "W", "b_o")
    assert Arguments((), ()).names == ()


def test_values_are_compared_and_never_changed():
    assert Target("y_true", 2) == Target("y_true", 2, None, None) != Target("y_true", 2, "T")
    assert Output("loss") == Output("loss", (), None, 0) != Output("loss", (1,))
    for value, name in [(Target("y_true", 2), "width"), (Output("rows"), "kind"), (Arguments((), ()), "arrays")]:
        with pytest.raises(FrozenInstanceError, match=f"^cannot assign to field '{name}'$"):
            setattr(value, name, None)


def test_numpy_is_not_needed():
    script = "import sys; sys.modules['numpy'] = None; import symrnn.codegen.signature"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
