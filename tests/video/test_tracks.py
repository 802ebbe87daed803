"""Boxes: overlaps by hand, each partner once, and a box that the motion carries along."""

import numpy as np
from tests.video.clips import ground
from tests.video.test_motion import shifted
from tests.video.test_steady import SIZE, person, square

from opendensepose.video.motion import motion_between, small_frame
from opendensepose.video.steady import crop_labels
from opendensepose.video.tracks import box_ious, match_boxes, moved_box


def test_overlaps_by_hand():
    ious = box_ious(np.float32([[0, 0, 4, 4]]), np.float32([[0, 0, 4, 4], [2, 0, 6, 4], [4, 4, 8, 8], [1, 1, 3, 3]]))
    np.testing.assert_allclose(ious, [[1, 8 / 24, 0, 4 / 16]])
    assert box_ious(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_the_best_pairs_come_first_and_each_box_is_used_once():
    boxes = np.float32([[0, 0, 10, 10], [2, 0, 12, 10]])
    others = np.float32([[3, 0, 13, 10], [50, 50, 60, 60], [0, 0, 10, 10]])
    assert sorted(match_boxes(boxes, others)) == [(0, 2), (1, 0)]
    assert match_boxes(boxes, others[1:2]) == [] and match_boxes(boxes, np.zeros((0, 4))) == []


def test_a_box_moves_with_the_picture():
    first = ground(SIZE)
    motion = motion_between(small_frame(first), small_frame(shifted(first, 6, 4)), SIZE)
    labels = crop_labels(person(square(40)))
    np.testing.assert_allclose(moved_box(labels, labels.box_xyxy, motion), labels.box_xyxy + [6, 4, 6, 4], atol=1.5)


def test_without_labels_the_box_stays():
    motion = motion_between(None, small_frame(ground(SIZE)), SIZE)
    nothing = crop_labels(person(np.zeros(SIZE, np.uint8)))
    np.testing.assert_array_equal(moved_box(nothing, np.float32([1, 2, 3, 4]), motion), [1, 2, 3, 4])
