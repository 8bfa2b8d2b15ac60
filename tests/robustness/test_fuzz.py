"""The first cases of each fuzzer; `python -m tests.robustness.fuzz SECONDS` runs as many as there is time for."""

import time

import pytest

from tests.robustness.fuzz import FUZZERS, Late, allowed, bounded, outcome
from tests.support.keras_bank import QUIET

pytestmark = [*QUIET, pytest.mark.filterwarnings("ignore::UserWarning")]  # what Keras says of a damaged model

CASES = {"files": 60}
"""How many cases of a fuzzer take a few seconds."""


@pytest.mark.parametrize("name", FUZZERS)
def test_every_case_holds(name, tmp_path):
    FUZZERS[name].prepare()
    found = {number: outcome(name, number, tmp_path)[0] for number in range(CASES[name])}
    assert {number: wrong for number, wrong in found.items() if wrong} == {}


def test_what_takes_longer_ends():
    with pytest.raises(Late), bounded(1):
        time.sleep(10)


def raised(error):
    def act():
        raise error

    return act


@pytest.mark.parametrize(
    "act",
    [raised(KeyError("a")), raised(ValueError("one\nand two")), raised(ValueError("a" * 5000)), raised(TypeError())],
)
def test_another_end_does_not_hold(act):
    with pytest.raises(AssertionError):
        allowed(act)


def test_a_refusal_holds():
    assert not allowed(raised(ValueError("expected a model")))
    assert allowed(lambda: 5)
