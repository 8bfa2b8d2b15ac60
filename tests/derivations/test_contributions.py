"""The terms of the sums over t: together they are the gradient."""

import numpy as np
import pytest

from symrnn import Dense, Sequential, SimpleRNN, derive
from symrnn.derivations.contributions import contributions_of, summed_name
from symrnn.documents.example import example_of
from symrnn.expressions.names import Name
from symrnn.programs.program import Recurrence
from tests.support.bank import MODELS, over


@over(MODELS)
def test_the_terms_of_a_weight_add_up_to_its_gradient(case):
    about = case.example
    totals: dict[str, np.ndarray] = {}
    for one in contributions_of(about.gradient, about.values):
        totals[one.weight] = totals.get(one.weight, 0) + one.total
    summed = {summed_name(weight.name).code for weight in about.gradient.table}
    assert totals.keys() <= summed
    for weight in about.gradient.table:
        if weight.symbol.name in totals:
            exact = np.asarray(about.values[weight.name.partial(about.gradient.objective).code])
            shown = totals[weight.symbol.name].reshape(exact.shape)
            assert shown == pytest.approx(exact, rel=1e-12, abs=1e-12 * max(1.0, float(np.abs(exact).max())))


@over(MODELS)
def test_every_weight_that_is_read_in_steps_has_its_terms(case):
    about = case.example
    names = about.gradient.steps.names
    weights = {weight.name.partial(about.gradient.objective).code for weight in about.gradient.table}
    items = [item for item in about.gradient.steps.equations if isinstance(item, Recurrence)]
    totals = [total.lhs for item in items for total in item.sums]
    sums = {summed_name(names[total]).code for total in totals if total in names}
    found = {one.weight for one in contributions_of(about.gradient, about.values)}
    assert {f"d{name}" for name in found} == sums & weights


def test_the_notebook():
    about = example_of(derive())
    found = {one.weight: one for one in contributions_of(about.gradient, about.values)}
    assert list(found) == ["U", "V", "b_h"]
    assert found["U"].numbers == pytest.approx([3.642046e-5, -3.685072e-4, 7.894466e-3], rel=1e-6)
    assert found["V"].sizes == pytest.approx((0, 1.650418e-4, 2.537690e-3), rel=1e-6, abs=0)
    assert found["b_h"].numbers == pytest.approx([3.642046e-5, -1.842536e-4, 2.631489e-3], rel=1e-6)


def test_the_first_state_counts_where_it_is_given():
    model = Sequential([SimpleRNN(1, initial_state=True), Dense(1)], (2, 1))
    about = example_of(derive(model), x=[[[0.5], [0.25]], [2.0]], weights=([[1.0]], [[0.5]], [0.0], [[1.0]], [0.0]))
    terms = next(one for one in contributions_of(about.gradient, about.values) if one.weight == "V")
    delta = float(about.values["delta_0"].reshape(()))
    assert terms.numbers[0] == pytest.approx(2.0 * delta)


@pytest.mark.parametrize(
    ("name", "code"),
    [(Name("U", sub="[2]"), "U"), (Name("b", sub="h[11]"), "b_h"), (Name("b", sub="h"), "b_h")],
)
def test_names_of_sums(name, code):
    assert summed_name(name).code == code
