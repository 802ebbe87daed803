"""Boxes: overlaps by hand, each partner once; cells that the motion carries along, and the box around them."""

import numpy as np

from opendensepose.video.tracks import box_ious, box_of_cells, is_framed, match_boxes, moved_cells


def test_overlaps_by_hand():
    ious = box_ious(np.float32([[0, 0, 4, 4]]), np.float32([[0, 0, 4, 4], [2, 0, 6, 4], [4, 4, 8, 8], [1, 1, 3, 3]]))
    np.testing.assert_allclose(ious, [[1, 8 / 24, 0, 4 / 16]])
    assert box_ious(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def test_the_best_pairs_come_first_and_each_box_is_used_once():
    boxes = np.float32([[0, 0, 10, 10], [2, 0, 12, 10]])
    others = np.float32([[3, 0, 13, 10], [50, 50, 60, 60], [0, 0, 10, 10]])
    assert sorted(match_boxes(boxes, others)) == [(0, 2), (1, 0)]
    assert match_boxes(boxes, others[1:2]) == [] and match_boxes(boxes, np.zeros((0, 4))) == []


def cells() -> np.ndarray:
    person = np.zeros((20, 10), bool)
    person[4:12, 2:6] = True
    return person


def test_the_box_around_cells_by_hand():
    np.testing.assert_array_equal(box_of_cells(cells(), (100, 50, 120, 90)), [104, 58, 112, 74])
    assert box_of_cells(np.zeros((20, 10), bool), (0, 0, 10, 20)) is None
    assert box_of_cells(np.eye(20, 10, dtype=bool)[:, :1], (0, 0, 10, 20)) is None  # one cell is hardly a person


def test_cells_move_against_the_flow_to_where_they_were():
    flow = np.zeros((20, 10, 2), np.float32) + [-3, 2]  # 3 cells to the right and 2 up
    np.testing.assert_array_equal(moved_cells(cells(), flow)[2:10, 5:9], True)
    assert moved_cells(cells(), flow).sum() == cells().sum()
    assert not moved_cells(cells(), flow + 100).any()


def test_a_crop_is_kept_while_it_shows_the_person_well():
    crop = (0, 0, 75, 100)
    assert is_framed(crop, (4, -3, 79, 97)) and not is_framed(crop, (9, 0, 84, 100))
    assert not is_framed(crop, (-10, -10, 85, 110))
