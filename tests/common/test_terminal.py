"""What reaches a terminal."""

import pytest

from symrnn.common.terminal import one_line, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h\u0304_t = \u03c3(a)\n", "h\u0304_t = \u03c3(a)\n"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\x00b\rc\u202ed", "a\\x00b\\rc\\u202ed"),
    ],
)
def test_control_signs_are_seen(text, expected):
    assert visible(text) == expected


def test_a_message_is_one_line_of_some_length():
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("a" * 200_000) == "a" * 1997 + "..."
