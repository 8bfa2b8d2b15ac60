"""Drawings as values: the room of labels, what text there is, and how the looks differ."""

from symrnn.diagrams.drawing import LOOKS, Arrow, Drawing, Group, Label, Node, label_box
from symrnn.diagrams.geometry import Box, Point
from symrnn.diagrams.labels import set_line
from symrnn.expressions.names import Name

LETTER = (Name("h", time=0),)
NODE = Node("h_0", "state", Box(0, 0, 38, 61), (LETTER, (), ("c",)), (-11.5, 0.0, 11.5), LETTER, 14)
BESIDE = Label((("U",),), Point(100, 0))
ARROW = Arrow("h_0", "h_0", (Point(19, 0), Point(200, 0)), "U", LETTER, labels=(BESIDE,))


def contrast(colour):
    """The contrast to white (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_colours_can_be_told_from_white_and_say_nothing_alone():
    assert [round(contrast(LOOKS[name].colour), 1) for name in "UVW"] == [5.2, 3.9, 3.4]
    assert len({(look.width, look.double, look.dashed) for look in LOOKS.values()}) == len(LOOKS)


def test_the_room_of_a_label_is_that_of_its_longest_line_and_of_all_its_lines():
    one, two = label_box((LETTER,), 16), label_box((LETTER, ("a long line",)), 16)
    assert one == (0, 0, 1.125 * set_line(LETTER, 16)[1], 1.2 * 16, 0)
    assert (two.width, two.height) == (label_box((("a long line",),), 16).width, 2 * one.height)


def test_the_box_of_a_label_is_about_its_centre():
    assert BESIDE.box == label_box(BESIDE.lines, 16).moved(100, 0)


def test_the_labels_of_a_node_are_its_lines_that_say_something():
    assert NODE.labels == (Label((LETTER,), Point(0, -11.5), 14), Label((("c",),), Point(0, 11.5), 14))


def test_the_labels_of_a_drawing_are_all_its_text():
    title, note = Label((("GRU",),), Point(0, -200)), Label((("sum",),), Point(-300, 0))
    drawing = Drawing((NODE,), (ARROW,), (Group("GRU", ("h_0",), title),), (note,))
    assert drawing.labels == (*NODE.labels, BESIDE, title, note)


def test_the_bounds_of_a_drawing_have_all_of_it_in_them():
    far = Label((("sum",),), Point(-300, 90))
    left, top, right, bottom = Drawing((NODE,), (ARROW,), (), (far,)).bounds
    assert (left, bottom) == (far.box.edges[0] - 6, far.box.edges[3] + 6)
    assert (top, right) == (-30.5 - 6, 200 + 2 + 6)  # an arrow has some width
