"""Every benchmark runs, at sizes that take no time, and prints finite ratios; nothing is asked of them here."""

from math import isfinite

import pytest

from tests.benchmarks import derivations, imports, numbers

SMALL = (2, 3, 2, 2)
RUNS = {
    "independence": lambda: [derivations.independence(2, 3, rounds=1)],
    "independence of gates": lambda: derivations.independence_of_gates(2, 3, rounds=1),
    "against_diff": lambda: derivations.against_diff(3, 3, rounds=1),
    "growth": lambda: [derivations.growth(2, 4, rounds=1)],
    "notebook": lambda: [numbers.notebook(rounds=1, slice_seconds=0.0)],
    "batch": lambda: numbers.batch("LSTM", SMALL, rounds=1, slice_seconds=0.0),
    "import": lambda: imports.against_sympy(rounds=1),
}


@pytest.mark.parametrize("name", RUNS)
def test_ratios_are_printed(name, capsys):
    ratios = RUNS[name]()
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(ratios) > 0
    assert all(isfinite(ratio) and ratio > 0 for ratio in ratios)


def test_importing_imports_nothing_heavy():
    assert imports.imported() == []
