"""Points, boxes and lines: laws, each against counting points."""

import math
import random
from itertools import pairwise

import pytest

from symrnn.diagrams.geometry import Box, Point, between, bezier, bounds, crosses, depth, overlap

CIRCLE = Box(0, 0, 2, 2, 1)
DRAW = random.Random(0)
BOXES = [Box(*(DRAW.uniform(-3, 3) for _ in "xy"), *(DRAW.uniform(1, 4) for _ in "wh")) for _ in range(40)]


def is_inside(box: Box, point: Point) -> bool:
    left, top, right, bottom = box.edges
    return left < point.x < right and top < point.y < bottom


def test_edges_of_a_box_that_is_grown_and_moved():
    box = Box(1, 2, 4, 6, 3)
    assert box.edges == (-1, -1, 3, 5)
    assert box.grown(1).edges == (-2, -2, 4, 6)
    assert box.moved(10, -1).edges == (9, -2, 13, 4)
    assert box.grown(1).radius == box.moved(1, 1).radius == 3


def test_boxes_that_only_touch_have_no_points_in_common():
    for x, y in ((2, 0), (0, 2), (-2, 0), (0, -2), (2, 2)):
        assert not overlap(CIRCLE, CIRCLE.moved(x, y))
        assert overlap(CIRCLE, CIRCLE.moved(0.99 * x, 0.99 * y))


def test_overlap_is_where_a_point_is_in_both():
    assert {overlap(one, other) for one, other in pairwise(BOXES)} == {False, True}
    for one, other in pairwise(BOXES):
        sides = [sorted({*one.edges[i::2], *other.edges[i::2]}) for i in (0, 1)]
        middles = [[(a + b) / 2 for a, b in pairwise(side)] for side in sides]
        points = [Point(x, y) for x in middles[0] for y in middles[1]]
        assert overlap(one, other) == overlap(other, one)
        assert overlap(one, other) == any(is_inside(one, point) and is_inside(other, point) for point in points)


def test_a_line_crosses_a_box_where_one_of_its_points_is_inside():
    found = []
    for box in BOXES:
        ends = [Point(DRAW.uniform(-4, 4), DRAW.uniform(-4, 4)) for _ in "ab"]
        inside = any(is_inside(box, between(*ends, i / 2000)) for i in range(2001))
        assert crosses((ends[0], ends[1]), box) == crosses((ends[1], ends[0]), box) == inside
        found.append(inside)
    assert set(found) == {False, True}


@pytest.mark.parametrize(("start", "end"), [((-3, 1), (3, 1)), ((1, -3), (1, 3)), ((-3, 0), (-1, 0)), ((2, 2), (2, 2))])
def test_a_line_along_an_edge_or_up_to_it_does_not_cross(start, end):
    assert not crosses((Point(*start), Point(*end)), CIRCLE)


def test_depth():
    assert depth(CIRCLE, (0, 0)) == 1
    assert depth(CIRCLE, (3, 4)) == -4
    assert depth(CIRCLE._replace(radius=0), (0, 0.75)) == 0.25
    assert depth(CIRCLE._replace(radius=0), (4, 5)) == -5


@pytest.mark.parametrize("radius", [0, 0.5, 1])
def test_depth_is_the_distance_to_the_border(radius):
    """Along a ray it falls from what it is inside to zero at the border; a round corner is further in."""
    box = CIRCLE._replace(radius=radius)
    corner = depth(box, (1, 1))
    assert corner == pytest.approx(radius * (1 - math.sqrt(2)))
    assert [depth(box, point) for point in ((1, 0), (-1, 0), (0, 1), (0, -1))] == [0, 0, 0, 0]


def test_bounds_are_those_of_all_boxes():
    assert bounds([CIRCLE, CIRCLE.moved(4, 1)]) == (-1, -1, 5, 2)
    left, top, right, bottom = bounds(BOXES)
    assert min(box.edges[0] for box in BOXES) == left
    assert [top, right, bottom] == [f(box.edges[i] for box in BOXES) for i, f in ((1, min), (2, max), (3, max))]


def test_curves():
    path = (Point(0, 0), Point(0, 4), Point(8, 4), Point(8, 0))
    assert (bezier(path, 0), bezier(path, 0.5), bezier(path, 1)) == ((0, 0), (4, 3), (8, 0))
    assert bezier((Point(0, 0), Point(4, 2)), 0.25) == between((0, 0), (4, 2), 0.25) == (1, 0.5)
