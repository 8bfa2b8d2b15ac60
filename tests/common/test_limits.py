"""Numbers of any size in messages."""

import pytest

from symrnn.common.limits import round_number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (12345, "12345"),
        (10**9 - 1, "999999999"),
        (10**9, "about 10^9"),
        (10**30, "about 10^30"),
        (7**4000, "about 10^3381"),
    ],
)
def test_a_number_is_shown_in_full_or_by_its_order(number: int, text: str) -> None:
    assert round_number(number) == text
