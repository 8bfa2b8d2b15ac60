"""The spaces in a formula are those that TeX puts there."""

from itertools import product
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest

from symrnn.typesetting.mathml_spacing import _IN_SCRIPTS, _ORDER, _SPACES, set_spaces
from tests.support.tex import needs_latex, widths

SIGN, QUAD = r"\hbox{n}", 10.00002
ATOM = {kind: rf"\math{kind}{{{SIGN}}}" for kind in _ORDER}


def _around(kind):
    """Neighbours beside which a binary operator is none alone."""
    return ATOM["ord"] if kind == "bin" else ""


@needs_latex
@pytest.mark.parametrize("style", [r"\textstyle", r"\scriptstyle"])
def test_the_table_is_tex_s(style):
    """Between each two kinds that TeX leaves as they are."""
    first = {"bin": {"ord", "close", "inner"}}
    pairs = [
        (a, b)
        for a, b in product(_ORDER, repeat=2)
        if (b != "bin" or a in first["bin"]) and (a != "bin" or b in ("ord", "op", "open", "inner"))
    ]
    texts = [f"{_around(a)}{ATOM[a]}{ATOM[b]}{_around(b)}" for a, b in pairs]
    one, *found = widths([ATOM["ord"], *texts], style)
    script = style == r"\scriptstyle"
    for (a, b), width in zip(pairs, found, strict=True):
        count = 2 + (a == "bin") + (b == "bin")
        extra = 0 if script else 4 * ((a == "bin") + (b == "bin"))
        expected = _SPACES[a, b] if not script or (a, b) in _IN_SCRIPTS else 0
        em = 7.0 if script else QUAD  # TeX takes the quad of the font in use
        assert (width - count * one) * 18 / em == pytest.approx(expected + extra, abs=0.6), (a, b)


def spaced(content, **options):
    """A row after its spaces are set."""
    row = fromstring(f"<mrow>{content}</mrow>")
    set_spaces(row, **options)
    return tostring(row, encoding="unicode").removeprefix("<mrow>").removesuffix("</mrow>")


X, N = "<mi>x</mi>", "<mn>2</mn>"
THIN = '<mspace width="0.1667em" />'
ROWS = [
    (X + N, X + N),
    ("<mo>…</mo><mo>,</mo>", '<mo lspace="0" rspace="0">…</mo><mo lspace="0.1667em" rspace="0">,</mo>'),
    (f"{X}<mo>+</mo>{N}", f"{X}<mo>+</mo>{N}"),
    (f"<mo>−</mo>{N}", f'<mo form="prefix">−</mo>{N}'),
    (f"{X}<mo>=</mo><mo>−</mo>{N}", f'{X}<mo>=</mo><mo form="prefix">−</mo>{N}'),
    (f"{X}<mo>=</mo>", f'{X}<mo form="infix" rspace="0">=</mo>'),
    (f"<mi>tanh</mi>{X}", f"<mi>tanh</mi>{THIN}{X}"),
    ("<mi>tanh</mi><mo>(</mo>", "<mi>tanh</mi><mo>(</mo>"),
    (f"<mfrac>{X}{N}</mfrac>{X}", f"<mfrac>{X}{N}</mfrac>{THIN}{X}"),
    ("<mi>V</mi><mi>h</mi>", '<mi>V</mi><mspace width="0.18em" /><mi>h</mi>'),
    ('<mi mathvariant="normal">V</mi><mi>h</mi>', '<mi mathvariant="normal">V</mi><mi>h</mi>'),
    (f"<msub>{X}<mrow><mi>t</mi><mo>−</mo>{N}</mrow></msub>",
     f'<msub>{X}<mrow><mi>t</mi><mo lspace="0" rspace="0">−</mo>{N}</mrow></msub>'),
    (f"<mo>⋅</mo>{X}", f'<mo lspace="0" rspace="0">⋅</mo>{X}'),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), ROWS)
def test_rows(content, expected):
    assert spaced(content) == expected


def test_the_kind_before_a_row_is_heeded():
    assert spaced(f"<mo>−</mo>{X}", start="ord") == f'<mo form="infix">−</mo>{X}'
    assert spaced(f"<mo>−</mo>{X}", start="rel") == f'<mo form="prefix" lspace="0.2778em">−</mo>{X}'
    assert spaced(f"<mo>−</mo>{X}", start="open") == f'<mo form="prefix">−</mo>{X}'
    assert spaced("", start="rel") == "<mrow />"


def test_a_script_has_no_space_but_beside_a_function():
    assert spaced(f"{X}<mo>=</mo>{N}", script=True) == f'{X}<mo lspace="0" rspace="0">=</mo>{N}'
    assert spaced(f"<mi>max</mi>{X}", script=True) == f"<mi>max</mi>{THIN}{X}"


def test_elements_stay_in_their_order():
    names = ["x", "=", "tanh", "(", "−", "y", ")", "+", "2", "⊙", "z"]
    row = Element("mrow")
    for name in names:
        SubElement(row, "mi" if name.isalpha() else "mo").text = name
    set_spaces(row)
    assert [part.text for part in row if part.tag != "mspace"] == names
