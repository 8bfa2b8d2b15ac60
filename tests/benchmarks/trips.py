"""How far calls go through the code: packages and modules entered, and crossings from one to another.

`python -m tests.benchmarks.trips` prints, for some calls of the public interface, how many are entered, how many
pairs of them call each other, and how often.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import symrnn
from symrnn.checking.keras_models import build
from symrnn.models.graph import graph_of
from symrnn.models.lecture import NOTEBOOK

LSTM = symrnn.Sequential([symrnn.LSTM(4), symrnn.Dense(1)], (5, 3))
Pair = tuple[str, str]


def crossings(work: Callable[[], object]) -> Counter[Pair]:
    """How often a module of symrnn calls another one, by their names."""
    found: Counter[Pair] = Counter()

    def called(frame: FrameType, event: str, argument: Any) -> None:
        module = _module(frame)
        if event == "call" and module:
            caller = frame.f_back
            while caller is not None and not _module(caller):
                caller = caller.f_back
            found[_module(caller) if caller else "", module] += 1

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def _module(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__", "")
    return name if name.startswith("symrnn") else ""


def package_of(module: str) -> str:
    """The package of a module, such as programs of symrnn.programs.adjoint."""
    return module.split(".")[1] if "." in module else module


def counts(found: Counter[Pair], part: Callable[[str], str] = str) -> str:
    """Parts entered / pairs of them / crossings."""
    pairs: Counter[Pair] = Counter()
    for (caller, module), number in found.items():
        pairs[part(caller), part(module)] += number
    across = {pair: number for pair, number in pairs.items() if pair[0] and pair[0] != pair[1]}
    return f"{len({module for _, module in pairs})} / {len(across)} / {sum(across.values())}"


def save_document() -> None:
    """The notebook's document as LaTeX."""
    with tempfile.TemporaryDirectory() as folder:
        symrnn.derive().document(check=False).save(Path(folder, "a.tex"))


def main() -> None:
    """Print the counts of each trip."""
    model = build(graph_of(NOTEBOOK), 0)
    trips: dict[str, Callable[[], object]] = {
        "derive().latex()": lambda: symrnn.derive().latex(),
        "derive(LSTM).gradient().lambdify()": lambda: symrnn.derive(LSTM).gradient().lambdify(),
        "check of the notebook's model": lambda: symrnn.check(model),
        "a document to .tex": save_document,
    }
    for name, trip in trips.items():
        found = crossings(trip)
        print(f"{name}: packages {counts(found, package_of)}, modules {counts(found)}")


if __name__ == "__main__":
    main()
