"""The table of common slips."""

from symrnn import derive
from symrnn.documents.blocks import Table
from symrnn.documents.example import example_of
from symrnn.documents.sections.mistakes import blocks
from symrnn.documents.writers.text import prose_text


def test_the_table_of_slips():
    table = blocks(example_of(derive()))[-1]
    assert isinstance(table, Table)
    assert [prose_text(cell) for cell in table.rows[1]] == [
        "1 - a_t^2 in place of 1 - h_t^2",
        "-74.55078",
        "-22.11285",
        "-44.29755",
    ]
