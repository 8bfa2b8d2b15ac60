"""The first lines of a document: what it is about, and what it answers, so that a reader may stop anywhere."""

from collections.abc import Sequence
from math import prod

import numpy as np

from symrnn.documents.blocks import Section
from symrnn.documents.example import Example
from symrnn.documents.inline import Code, Prose, prose, series
from symrnn.documents.sections.model import layer_name
from symrnn.models.layers.core import InputLayer
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.substitution import written

_LISTED = 6
"""Up to so many numbers of x are listed."""


def subtitle(example: Example) -> Prose:
    """The layers, and on how many time steps."""
    layers = [one for one in example.derivation.network.graph.layers if not isinstance(one, InputLayer)]
    names = [prose(Code(layer_name(layer))) for layer in layers]
    shown = names if len(names) <= 4 else [*names[:2], prose("..."), names[-1]]
    steps = list(example.derivation.network.timesteps.values())
    if not steps:
        return series(shown)
    words = {None: "any number of time steps", 1: "one time step"}
    return prose(series(shown), f" on {words.get(steps[0], f'{steps[0]} time steps')}")


def first_lines(example: Example, sections: Sequence[Section]) -> Prose:
    """The answer, and which sections show where it comes from, how it changes, and that Keras agrees."""
    names, answer = [section.name for section in sections], _answer(example)
    wanted = (
        (("forward", "closed", "worked"), "where that comes from" if answer else "what it computes"),
        (("backward", "gradients", "slips"), _of_weights(example)),
        (("check",), _of_check(example)),
    )
    parts = [(_places(names, which), what) for which, what in wanted if set(which) & set(names)]
    if not parts:
        return answer
    (place, what), *others = parts
    verb = "show" if place.startswith("sections") else "shows"
    listed = series([prose(f"{place.capitalize()} {verb} {what}"), *(prose(f"{p} {w}") for p, w in others)])
    return prose(answer, listed, ".")


def _of_check(example: Example) -> str:
    found = example.reports() if example.reports is not None and example.is_numbered else ""
    agrees = not isinstance(found, str) and all(report.ok for report in found)
    return "that Keras agrees" if agrees else "how Keras compares"


def _of_weights(example: Example) -> str:
    count = sum(prod(array.shape) for array in example.derivation.network.arrays)
    words = {0: "that it has no weights to change", 1: "how it changes with its one weight"}
    return words.get(count, f"how it changes with each of the {count} weights")


def _places(names: Sequence[str], which: Sequence[str]) -> str:
    """Section 3, sections 3 and 4, sections 3 to 5; those of them that follow one another."""
    found = [i + 1 for i, name in enumerate(names) if name in which]
    if len(found) == 1:
        return f"section {found[0]}"
    if found == list(range(found[0], found[-1] + 1)) and len(found) > 2:
        return f"sections {found[0]} to {found[-1]}"
    return f"sections {', '.join(map(str, found[:-1]))} and {found[-1]}"


def _answer(example: Example) -> Prose:
    """For x = ... this network answers y = ...; only of numbers."""
    network = example.derivation.network
    y = network.heads[0].symbol.name
    if not (example.scalar and example.is_numbered) or y not in example.values or len(network.sources) > 1:
        return ()
    numbers = np.asarray(example.x).reshape(-1)
    listed = ", ".join(written(float(value), True) for value in numbers[:_LISTED])
    dots = r", \dots" if len(numbers) > _LISTED else ""
    value = LATEX.value(float(example.values[y].reshape(())))
    return prose(f"For $x = ({listed}{dots})$ this network answers $y {value}$. ")
