"""Two upright legs, 40 pixels apart: hips at y 0, knees at y 100; the left leg is at x 60, the right one at x 20."""

import numpy as np
import pytest

from opendensepose.data.sides import side_contradictions

NAMES = ("left_hip", "left_knee", "right_hip", "right_knee")
KEYPOINTS = np.array([[60, 0, 2], [60, 100, 2], [20, 0, 2], [20, 100, 2]], float)
LEFT, RIGHT = 7, 6  # upper legs


def contradictions(part, x, keypoints=KEYPOINTS, side_px=100.0):
    point_xy = np.stack([x, np.full(len(x), 50.0)], axis=1)
    return side_contradictions(np.array(part), point_xy, keypoints, NAMES, side_px)


def test_points_on_their_own_side_agree_and_on_the_other_contradict():
    assert contradictions([LEFT, LEFT, RIGHT, RIGHT], [60, 58, 20, 22]) == []
    (found,) = contradictions([LEFT, LEFT], [20, 22])
    assert "2 points labelled upper leg left lie 39 px" in found and "1 px from the other side's" in found


@pytest.mark.parametrize(("x", "count"), [(31, 0), (29, 1)])  # nearer to the other bone by 18 and 22 of 40 px
def test_the_threshold_is_half_the_distance_of_the_bones(x, count):
    assert len(contradictions([LEFT, LEFT], [x, x])) == count


def test_a_side_that_is_not_seen_or_too_near_is_not_judged():
    unseen = KEYPOINTS.copy()
    unseen[1, 2] = 0
    assert contradictions([LEFT, LEFT], [20, 20], unseen) == []
    assert contradictions([LEFT, LEFT], [20, 20], side_px=40 / 0.11) == []
    assert contradictions([LEFT], [20]) == []  # one point is too few
