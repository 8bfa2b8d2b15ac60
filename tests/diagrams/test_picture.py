"""Pictures as a whole: what that of every model has in common, and where pictures go."""

import json
import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest

from symrnn import SimpleRNN
from symrnn.diagrams.geometry import crosses, depth, overlap
from symrnn.diagrams.picture import Picture, picture_of
from symrnn.diagrams.routing import segments
from symrnn.expressions.names import Name
from symrnn.models.forward_pass import forward
from symrnn.programs.program import symbols_of
from symrnn.programs.transforms import name_of
from symrnn.programs.unrolling import unroll
from tests.support.bank import MODELS, over
from tests.support.pictures import drawn, notebook

# every model --------------------------------------------------------------------------------------

OPTIONS = {"unrolled": {}, "rolled": {"rolled": True}, "backward": {"backward": True}}
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())


@over(MODELS)
@every_option
def test_every_picture(case, options):
    found = picture_of(forward(case.model), **options)
    check_svg(found)
    check_text(found)
    check_ends(found.drawing)
    check_room(found.drawing)


CROWDED = [("masked Multiply", None, "unrolled"), ("states of both ways", 7, "backward")]


@pytest.mark.parametrize(("name", "T", "how"), CROWDED)
def test_elided_pictures_with_much_in_them(name, T, how):
    found = picture_of(forward(MODELS[name].at(T)), **OPTIONS[how]).drawing
    assert any(node.kind == "dots" for node in found.nodes)
    check_ends(found)
    check_room(found)


def check_svg(found):
    """Well-formed, with title and description, no names, nothing from outside."""
    root, space = ElementTree.fromstring(found.svg()), "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert [root.find(f"{space}{name}").text for name in ("title", "desc")] == [found.title, found.alt]
    assert not any("href" in key or key == "id" for element in root.iter() for key in element.attrib)


def check_text(found):
    """Sentences, in which nothing is empty and no sign of LaTeX is left."""
    assert not re.search(r"[{}$\\]", found.alt)
    for said in (found.alt, found.caption):
        assert re.fullmatch(r"(\S.*\.)?", said)
        assert not re.search(r"  | [.,;]|\.\.|None", said)


def check_ends(drawing):
    """Arrows run from border to border of nodes."""
    boxes = {node.name: node.box for node in drawing.nodes}
    assert len(boxes) == len(drawing.nodes)
    for arrow in drawing.arrows:
        assert depth(boxes[arrow.start], arrow.path[0]) == pytest.approx(0, abs=1e-3)
        assert depth(boxes[arrow.end], arrow.path[-1]) == pytest.approx(0, abs=1e-3)


def check_room(drawing):
    """Nothing is cut off, no label is on another or on a node, no arrow runs through a node."""
    left, top, right, bottom = drawing.bounds
    apart = [*(node.box for node in drawing.nodes), *(label.box for arrow in drawing.arrows for label in arrow.labels)]
    apart += [*(label.box for label in drawing.notes), *(group.label.box for group in drawing.groups)]
    for edges in (box.edges for box in (*apart, *(label.box for label in drawing.labels))):
        assert edges[0] >= left
        assert edges[1] >= top
        assert edges[2] <= right
        assert edges[3] <= bottom
    assert not [pair for pair in combinations(apart, 2) if overlap(*(box.grown(-1) for box in pair))]
    for arrow in drawing.arrows:
        others = [node.box for node in drawing.nodes if node.name not in (arrow.start, arrow.end)]
        assert not [box for line in segments(arrow.path) for box in others if crosses(line, box.grown(-2))]


@over(MODELS)
def test_arrows_are_what_the_equations_read(case):
    """The same connections, found in the program with time written out."""
    network = forward(case.model)
    drawing = picture_of(network).drawing
    program = unroll(network.program, dict(network.timesteps))
    shown = [node for node in drawing.nodes if node.kind != "start"]
    nodes = {piece.code: node.name for node in shown for piece in node.text if isinstance(piece, Name)}
    for equation in program.assignments:  # what a state is before a mask is in the node of the state
        letter = name_of(program.names, equation.lhs)
        if "~" in letter.base:
            nodes[letter.code] = nodes[replace(letter, base=letter.base.removesuffix("~")).code]
    expected, known = set(), {}
    for equation in program.assignments:
        name, read = equation.lhs.name, [symbol.name for symbol in symbols_of([equation.rhs])]
        known[name] = {node for one in read for node in ([nodes[one]] if one in nodes else known.get(one, ()))}
        expected |= {(node, nodes[name]) for node in known[name] - {nodes[name]}} if name in nodes else set()
    starts = {node.name: node for node in drawing.nodes if node.kind == "start"}
    found = {(arrow.start, arrow.end) for arrow in drawing.arrows if arrow.start not in starts}
    for arrow in (arrow for arrow in drawing.arrows if arrow.start in starts):  # said in words: h_{-1} = h_2
        said = [piece.code for piece in arrow.carries if isinstance(piece, Name)]
        found |= {(nodes[code], arrow.end) for code in said if code in nodes}
    masks = {node.name for node in drawing.nodes if node.kind == "mask"}
    assert found <= expected
    assert {start for start, _ in expected - found} <= masks  # a caption says that a mean or a merge counts them


# what is asked for, and where pictures go ---------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"rolled": True, "backward": True},
            "picture: rolled and backward: expected one of them, as the way back is unrolled",
        ),
        ({"numbers": {}}, "picture: numbers: expected backward=True, as they stand beside the adjoints"),
    ],
)
def test_options_that_exclude_each_other(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        drawn(SimpleRNN(1), **options)


def test_jupyter():
    found = notebook()
    bundle = found._repr_mimebundle_()
    assert json.loads(json.dumps(bundle)) == {"image/svg+xml": found.svg(), "text/plain": f"{found.title}\n{found.alt}"}
    assert found._repr_svg_() == found.svg()
    assert str(found) == bundle["text/plain"]
    assert isinstance(found, Picture)


def test_tikz_has_the_description_where_it_is_wanted():
    plain, said = notebook().tikz(), notebook().tikz(alt=True)
    assert plain.strip() in said
    assert ("BeginAccSupp" in plain, "BeginAccSupp" in said) == (False, True)
