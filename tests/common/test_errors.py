"""Where an error happened stands before its message, and its kind stays."""

import re

import pytest

from symrnn.common.errors import at


@pytest.mark.parametrize("kind", [ValueError, NotImplementedError])
@pytest.mark.parametrize("place", ["dense", "größe: 2", ("a", 1), ""])
def test_the_place_goes_before_the_message(kind, place):
    with pytest.raises(kind, match=f"^{re.escape(str(place))}: wrong$") as caught, at(place):
        raise kind("wrong")
    assert caught.type is kind
    assert caught.value.__suppress_context__


def test_places_stand_from_the_outside_in():
    with pytest.raises(ValueError, match=r"^model: layer: wrong$"), at("model"), at("layer"):
        raise ValueError("wrong")


def test_a_subclass_is_what_it_is_a_kind_of():
    """Its own arguments, such as those of a UnicodeDecodeError, cannot be made anew from a message."""
    with pytest.raises(ValueError, match=r"^text: 'utf-8' codec can't decode byte 0xff") as caught, at("text"):
        b"\xff".decode("utf-8")
    assert caught.type is ValueError


@pytest.mark.parametrize("error", [KeyError("a"), FileNotFoundError("a"), TypeError("a"), ImportError("a")])
def test_any_other_error_passes_as_it_is(error):
    with pytest.raises(type(error)) as caught, at("place"):
        raise error
    assert caught.value is error


def test_nothing_happens_where_nothing_is_refused():
    with at("place"):
        done = True
    assert done
