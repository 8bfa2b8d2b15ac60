"""The closed form, where it is small."""

import time

import pytest

from symrnn import LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents.blocks import Formulas, Paragraph
from symrnn.documents.example import example_of
from symrnn.documents.sections.closed import blocks


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (None, Formulas),
        (Sequential([SimpleRNN(1), Dense(1)], (4, 1)), Formulas),
        (Sequential([LSTM(3), Dense(1)], (3, 2)), Paragraph),
        (Sequential([LSTM(64), Dense(1)], (500, 8)), Paragraph),
    ],
    ids=["notebook", "T = 4", "LSTM", "large"],
)
def test_a_closed_form_only_where_it_is_small(model, kind):
    about = example_of(derive(model))
    began = time.monotonic()
    assert isinstance(blocks(about)[-1], kind)
    assert time.monotonic() - began < 5
