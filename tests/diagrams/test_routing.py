"""Arrows from border to border, and labels beside them that cover nothing."""

from itertools import pairwise

import pytest

from symrnn.diagrams.drawing import Arrow, Label, label_box
from symrnn.diagrams.geometry import Box, Point, bezier, depth, overlap
from symrnn.diagrams.routing import Obstacles, Wanted, around, free, loop, segments, straight, with_labels

ROUND, WIDE = Box(0, 0, 40, 40, 20), Box(200, -90, 60, 30, 3)
LINES = (("U",),)


def arrow(x, y, to_x, to_y, name="a"):
    return Arrow(name, "b", (Point(x, y), Point(to_x, to_y)), "U", ("h",))


def is_free(label, boxes, arrows):
    lines = [segment for one in arrows for segment in segments(one.path)]
    return not free([label.box], boxes, lines, 0)


@pytest.mark.parametrize(("rise", "fall"), [(0, 0), (10, 0), (-10, 12)])
def test_an_arrow_runs_from_border_to_border(rise, fall):
    start, end = straight(ROUND, WIDE, rise, fall)
    assert [depth(ROUND, start), depth(WIDE, end)] == pytest.approx([0, 0], abs=1e-6)
    assert all(depth(box, bezier((start, end), part)) < 0 for box in (ROUND, WIDE) for part in (0.01, 0.5, 0.99))
    for x, y in (start, end):  # on the line between the two heights
        assert (y - rise) * 200 == pytest.approx(x * (-90 + fall - rise), abs=1e-3)


def test_a_level_arrow():
    assert straight(ROUND, ROUND.moved(100, 0)) == (pytest.approx((20, 0)), pytest.approx((80, 0)))
    assert straight(ROUND, ROUND.moved(-100, 0))[0] == pytest.approx((-20, 0))


@pytest.mark.parametrize("side", [1, -1])
def test_a_loop_leaves_a_node_and_comes_back_above(side):
    low, *controls, high = loop(ROUND, side, 0)
    assert [depth(ROUND, low), depth(ROUND, high)] == pytest.approx([0, 0], abs=1e-6)
    assert low.y == pytest.approx(-high.y)
    assert low.y > 0
    assert all(side * point.x > 20 for point in controls)
    outer = loop(ROUND, side, 1)
    assert [side * bezier(outer, i / 10).x > side * bezier((low, *controls, high), i / 10).x for i in (3, 5, 7)] == [
        1
    ] * 3


def test_segments_lead_along_a_path():
    path = loop(ROUND, 1, 0)
    pieces = segments(path)
    assert (len(pieces), pieces[0][0], pieces[-1][1]) == (12, path[0], path[-1])
    assert all(one[1] == other[0] for one, other in pairwise(pieces))
    assert segments(path[:2]) == [path[:2]]


def test_the_labels_of_a_bundle_are_at_the_same_part_of_each():
    row = [arrow(x, 0, x + 80, 0) for x in (0, 100, 200)]
    done, covered = with_labels([(row, [[Wanted(LINES)] * 3])], [Box(140, -20, 20, 20)])  # over the second one's middle
    places = [one.labels[0].at.x - one.path[0].x for one in done]
    assert covered == 0
    assert places == pytest.approx([places[0]] * 3)
    assert places[0] != 40
    assert all(is_free(one.labels[0], [Box(140, -20, 20, 20)], done) for one in done)


@pytest.mark.parametrize("path", [(0, 0, 100, 0), (100, 0, 0, 0), (0, 0, 0, 100), (0, 0, 100, 100), (100, 0, 0, 100)])
def test_the_side_of_a_label(path):
    """Above a level arrow, else left of it; with -1 on the other side."""
    one, other = (with_labels([([arrow(*path)], [[Wanted(LINES, side)]])], [])[0][0].labels[0].at for side in (1, -1))
    middle = bezier(arrow(*path).path, 0.5)
    assert (one.y < middle.y) if path[1] == path[3] else (one.x < middle.x)
    assert (one.x + other.x, one.y + other.y) == pytest.approx((2 * middle.x, 2 * middle.y))


def test_a_label_is_on_no_arrow_of_another_bundle():
    """Here it is below its own, as the other is above; arrows without labels are the last."""
    bare = arrow(0, -12, 100, -12, "bare")
    done, covered = with_labels([([arrow(0, 0, 100, 0)], [[Wanted(LINES)]]), ([bare], [])], [])
    assert ([one.start for one in done], covered) == (["a", "bare"], 0)
    assert done[0].labels[0].at.y > 0


def test_the_labels_of_a_bundle_are_not_on_each_other():
    done, covered = with_labels([([arrow(0, 0, 100, 0)] * 2, [[Wanted(LINES)] * 2])], [])
    assert (overlap(*(one.labels[0].box for one in done)), covered) == (False, 0)


def test_what_a_label_covers_where_nothing_is_free():
    everywhere = Box(0, 0, 1000, 1000)
    assert with_labels([([arrow(0, 0, 100, 0)], [[Wanted(LINES)]])], [everywhere])[1] == 10
    assert with_labels([([arrow(0, 0, 100, 0)], [])], [everywhere]) == ([arrow(0, 0, 100, 0)], 0)


def test_obstacles_take_the_first_candidates_that_are_free_together():
    obstacles = Obstacles([Box(0, 0, 10, 10)], [])
    rows = [[Label(LINES, Point(x, y)) for x in (0, 100)] for y in (0, 50)]
    assert obstacles.place(rows) == [rows[0][1], rows[1][1]]
    assert obstacles.boxes[1:] == [rows[0][1].box, rows[1][1].box]
    assert (obstacles.place(rows[:1]), obstacles.covered) == ([rows[0][0]], 10)  # the other is taken, too


def test_labels_around_a_node():
    """The first is at its upper right corner, and none is on it."""
    found = list(around(ROUND, LINES))
    assert all(not overlap(label.box, ROUND.grown(-6)) for label in found)
    assert found[0].at.x > 0 > found[0].at.y
    assert len({label.at for label in found}) == len(found) == 12
    assert found[0].box.width == label_box(LINES, 16).width


def test_free_counts_what_is_touched():
    boxes, lines = [Box(0, 0, 10, 10), Box(12, 0, 10, 10)], [(Point(-20, 0), Point(40, 0))]
    assert free([Box(0, 0, 10, 10)], boxes, lines, 0) == 2
    assert free([Box(0, 0, 10, 10)], boxes, lines, 3) == 3
    assert free([Box(0, 40, 10, 10)], boxes, lines, 3) == 0
