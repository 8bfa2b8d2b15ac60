"""The derivation for a general t: the rules that its reasons state are true, and its Jacobian is one."""

import re

import numpy as np
import pytest

from symrnn import GRU, LSTM, Dense, Input, Model, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Equations, Formulas, Paragraph
from symrnn.documents.example import example_of
from symrnn.documents.sections import general
from symrnn.documents.writers.text import prose_text
from tests.support.bank import SAMPLE, over


def blocks(*layers, shape=(3, 1)):
    return general.blocks(example_of(derive(Sequential(layers, shape))))


def signal(found):
    return [block for block in found if isinstance(block, Formulas)][1:]


@over(SAMPLE)
def test_equations_are_forward_and_back_for_rows_of_samples(case):
    about = case.example
    first, second = [block.display for block in general.blocks(about) if isinstance(block, Equations)]
    assert (first.part, second.part) == ("forward", "adjoint")
    assert first.program == second.program == about.gradient.display("step", "N").program


@over(SAMPLE)
def test_every_reason_has_its_title_and_words(case):
    found = [block for block in general.blocks(case.example) if isinstance(block, Paragraph)]
    titles = [block.title for block in found if block.title]
    wanted = ["The bias.", "Why the transpose.", "Why the elementwise product.", "Why the sum over time."]
    assert titles[:4] == wanted
    assert titles[4:] in ([], ["How far the signal goes."])
    assert not any(
        "  " in prose_text(block.text) or prose_text(block.text) != prose_text(block.text).strip() for block in found
    )


def test_the_entries_are_those_of_the_products_with_transposes():
    """The formulas under `Why the transpose`, put into NumPy."""
    rows = next(block for block in blocks(SimpleRNN(1)) if isinstance(block, Formulas)).rows
    generator = np.random.default_rng(0)
    H, V, P = (generator.normal(size=size) for size in ((4, 3), (3, 2), (4, 2)))
    names = {r"\bar p": P, "v": V, "h": H}
    for row, shape, product in zip(rows, ("bk", "kj"), (P @ V.T, H.T @ P), strict=True):
        assert row.cells[0].endswith(f"_{{{shape}}}")
        total, one, two, whole = re.fullmatch(
            r"= \\sum_(.) (\S+(?: p)?)_\{(?:..)\} (\S+(?: p)?)_\{(?:..)\} = (\(.*\))_\{..\}", row.cells[1]
        ).groups()
        indices = re.findall(r"_\{(..)\}", row.cells[1])[:2]
        assert total not in shape
        assert np.allclose(np.einsum(f"{indices[0]},{indices[1]}->{shape}", names[one], names[two]), product)
        assert whole in (r"(\bar P V^{\mathsf T})", r"(H^{\mathsf T} \bar P)")


JACOBIANS = [
    (blocks(SimpleRNN(1), Dense(1)), r"\frac{\partial h_1}{\partial h_0}", "= V (1 - h_1^2)"),
    (
        blocks(SimpleRNN(2, go_backwards=True)),
        r"\frac{\partial h_0}{\partial h_1}",
        r"= V \operatorname{diag}(1 - h_0 \odot h_0)",
    ),
    (blocks(SimpleRNN(2, None)), r"\frac{\partial h_1}{\partial h_0}", "= V"),
]


@pytest.mark.parametrize(("found", "name", "formula"), JACOBIANS, ids=[formula for *_, formula in JACOBIANS])
def test_the_signal_is_the_jacobian_of_a_state_by_the_one_before(found, name, formula):
    ((row,),) = [block.rows for block in signal(found)]
    assert row.cells == (name, formula)


@pytest.mark.parametrize("layer", [LSTM(3), GRU(3)], ids=["LSTM", "GRU"])
def test_a_long_jacobian_is_broken(layer):
    ((first, *rest),) = [block.rows for block in signal(blocks(layer))]
    assert first.cells[0] == r"\frac{\partial h_1}{\partial h_0}"
    assert rest
    assert all(row.continues for row in rest)


def test_no_signal_where_there_are_no_two_states():
    x = Input((3,))
    for found in (
        blocks(SimpleRNN(1), shape=(1, 1)),
        blocks(SimpleRNN(1), shape=(None, 1)),
        blocks(Dense(1), shape=(3, 1)),
        general.blocks(example_of(derive(Model(x, Dense(1)(x))))),
    ):
        assert signal(found) == []
        assert len(found) == 9
