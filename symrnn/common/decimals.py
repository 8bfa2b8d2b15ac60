"""Numbers as decimals that read back exactly."""

import struct


def shortest(value: float) -> str:
    """The shortest decimal that reads back: in float32 where the number is one, else in float64.

    >>> shortest(0.10000000149011612), shortest(0.1), shortest(-2.5)
    ('0.1', '0.1', '-2.5')
    """
    return as_float32(value) if _single(value) == value else repr(float(value))


def as_float32(value: float) -> str:
    """The shortest decimal that reads back in float32."""
    rounded = _single(value)
    texts = (repr(float(f"{rounded:.{digits}g}")) for digits in range(1, 10))
    return next((text for text in texts if _single(float(text)) == rounded), repr(rounded))


def _single(value: float) -> float:
    """The nearest float32."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
