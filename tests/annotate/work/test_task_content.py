import numpy as np
import pytest
from tests.annotate.fakes import square

from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.task_content import (
    answered_points,
    clip_box,
    insert_parts,
    insert_points,
    part_counts,
    part_map,
    part_masks,
    task_points,
)


def test_a_box_is_clipped_to_the_photo_and_rounded():
    assert clip_box([-3, 1.239, 70, 9.999], 64, 48) == {"x0": 0.0, "y0": 1.24, "x1": 64.0, "y1": 10.0}


def test_four_pixels_are_enough():
    assert clip_box([60, 40, 90, 90], 64, 48) == {"x0": 60.0, "y0": 40.0, "x1": 64.0, "y1": 48.0}


@pytest.mark.parametrize("box", [[0, 0, 3.9, 40], [9, 9, 0, 0], [70, 0, 90, 20], [float("nan"), 0, 20, 20]])
def test_a_box_with_too_little_of_the_photo_is_refused(box):
    with pytest.raises(RequestError, match="4 x 4"):
        clip_box(box, 64, 48)


def test_parts_and_points_are_read_as_they_were_inserted(store, crowd):
    task_id = tasks.next_task(store, tasks.Rules(), crowd["ann"])
    answer = {"face": 7, "weight_0": 0.5, "weight_1": 0.25, "weight_2": 0.25}
    rows = [{"part": 1, "x": 5.5, "y": 6.5}, {"part": 14, "x": 7.5, "y": 8.5, **answer}]
    counts = {1: square(0, 10), 14: square(20, 30), 3: ""}
    with store.writing() as connection:
        insert_parts(connection, task_id, counts)
        insert_points(connection, task_id, rows)
        stored, points = part_counts(connection, task_id), task_points(connection, task_id)
    assert stored == {1: counts[1], 14: counts[14]}
    assert [(point.part, point.x, point.y) for point in points] == [(1, 5.5, 6.5), (14, 7.5, 8.5)]
    done, surface_points = answered_points(points)
    assert [point.part for point in done] == [14] and surface_points.face.tolist() == [7]
    np.testing.assert_array_equal(surface_points.barycentric, [[0.5, 0.25, 0.25]])


def test_the_map_has_each_part_where_its_mask_is():
    counts = {1: square(0, 10), 14: square(20, 30)}
    grid = part_map(counts)
    assert (grid[:10] == 1).all() and (grid[20:30] == 14).all() and (grid > 0).sum() == 20 * 256
    assert [bool(code) for code in part_masks(counts)] == [True] + [False] * 12 + [True]


def test_without_points_there_are_no_answers():
    done, surface_points = answered_points([])
    assert done == [] and surface_points.barycentric.shape == (0, 3)
