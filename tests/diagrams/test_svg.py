"""SVG: the exact text of small drawings, and what is escaped."""

from xml.etree import ElementTree

import pytest

from symrnn.diagrams.drawing import LOOKS, Arrow, Drawing, Label, Node
from symrnn.diagrams.geometry import Box, Point
from symrnn.diagrams.labels import Number
from symrnn.diagrams.svg import head_size, render_svg
from symrnn.expressions.names import Name
from tests.support.pictures import notebook, way_back

SPACE = "{http://www.w3.org/2000/svg}"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-137.94 -162 362.94 180" width="362.94" height="180" role="img" ',
    "<title>SimpleRNN(1), Dense(1), unrolled in time</title>",
    '<path d="M0 -12 L0 -46.85" fill="none" stroke="#0072B2" stroke-width="1.3"/>',
    '<path d="M0 -53 L3.4 -45 L0 -46.85 L-3.4 -45 Z" fill="#0072B2"/>',
    '<path d="M19 -72 L73.25 -72" fill="none" stroke="#D55E00" stroke-width="2.8"/>',
    '<path d="M200 -91 L200 -124.42" fill="none" stroke="#009E73" stroke-width="3.9"/>\n'
    '<path d="M200 -91 L200 -124.42" fill="none" stroke="#FFFFFF" stroke-width="1.3"/>',
    '<rect x="-19" y="-91" width="38" height="38" rx="19" fill="#FFFFFF" stroke="#000000" stroke-width="1.1"/>',
    '<text fill="#000000"><tspan x="-6.88" y="-66.88" font-size="16" font-style="italic">h</tspan>'
    '<tspan x="1.12" y="-63.36" font-size="11.52">0</tspan></text>',
)


@pytest.mark.parametrize("piece", SVG)
def test_the_notebook(piece):
    assert piece in notebook().svg()


def shapes(*, nodes=(), arrows=(), notes=()):
    """The lines of a drawing between its background and its end."""
    lines = render_svg(Drawing(nodes, arrows, (), notes), "t", "d").splitlines()
    assert lines[1:3] == ["<title>t</title>", "<desc>d</desc>"]
    assert lines[3].startswith("<rect")
    return lines[4:-1]


def node(kind, line=(), radius=0.0):
    return Node("n", kind, Box(0, 0, 40, 30, radius), (line,), (0.0,), line)


def arrow(*path, look="plain"):
    return Arrow("a", "b", tuple(Point(*point) for point in path), look, ())


def note(line, **options):
    return Label((line,), Point(0, 0), **options)


def test_only_states_and_values_have_a_border():
    for kind, count in {"state": 1, "value": 1, "input": 0, "output": 0, "mask": 0, "dots": 0, "note": 0}.items():
        assert len(shapes(nodes=(node(kind),))) == count
    assert 'rx="3"' in shapes(nodes=(node("value", radius=3.0),))[0]


def test_a_curve():
    line, _ = shapes(arrows=(arrow((0, 0), (50, 10), (50, -30), (0, -20)),))
    assert line.startswith('<path d="M0 0 C50 10 50 -30 ')


def test_the_way_back_is_dashed():
    assert 'stroke-dasharray="5 3"' in shapes(arrows=(arrow((0, 0), (100, 0), look="back"),))[0]
    assert "stroke-dasharray" in way_back().svg()
    assert "stroke-dasharray" not in notebook().svg()


def test_the_line_of_an_arrow_ends_inside_its_head():
    """Also of one that is shorter than its head, and of one without a length."""
    line, head = shapes(arrows=(arrow((0, 0), (100, 0)),))
    assert line.startswith('<path d="M0 0 L94 0"')
    assert head == '<path d="M100 0 L92 3.4 L94 0 L92 -3.4 Z" fill="#000000"/>'
    assert shapes(arrows=(arrow((0, 0), (3, 0)),))[0].startswith('<path d="M0 0 L0 0"')
    assert "nan" not in "".join(shapes(arrows=(arrow((0, 0), (0, 0)),)))


def test_heads_of_broad_arrows_are_larger():
    sizes = {name: head_size(look) for name, look in LOOKS.items()}
    assert sizes == {"V": (10, 4.8), "W": (10, 4.8)} | dict.fromkeys(("U", "plain", "back"), (8, 3.4))


def test_dots_are_circles():
    found = shapes(nodes=(node("dots", ("⋯",)),))
    assert found == [f'<circle cx="{x}" cy="0" r="1.4" fill="#000000"/>' for x in (-6, 0, 6)]


def test_a_bar_is_a_line():
    text, bar = shapes(notes=(note((Name("h").adjoint(),), colour="555555"),))
    assert text.startswith('<text fill="#555555">')
    assert bar.startswith('<line x1="')


def test_a_space_at_the_beginning_of_a_run_becomes_room():
    (text,) = shapes(notes=(note((Name("h"), " = 0")),))
    name, sign = ElementTree.fromstring(text)
    assert (name.text, sign.text) == ("h", "= 0")
    assert float(sign.get("x")) - float(name.get("x")) == pytest.approx(8.96 + 4)  # the letter, the space


def test_numbers_have_two_decimals_and_no_minus_zero():
    found = shapes(arrows=(arrow((-0.001, -0.004), (1e-9, 100.126), look="plain"),))
    assert found[0].startswith('<path d="M0 0 L0 94.')
    assert "-0 " not in found[0] + found[1]
    assert "100.13" in found[1]


def test_words_and_descriptions_are_escaped():
    wild = "</title><script>&\"'"
    text = render_svg(Drawing((node("input", (wild,)),), (), (), (note((Number(1e-9),)),)), wild, wild)
    root = ElementTree.fromstring(text)
    assert [root.find(f"{SPACE}{name}").text for name in ("title", "desc")] == [wild, wild]
    assert wild in [span.text for span in root.iter(f"{SPACE}tspan")]
    assert "<script" not in text
