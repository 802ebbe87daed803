"""A task as JSON: a saved point is described as in the whole task."""

import numpy as np
import pytest
from tests.annotate.fakes import FlatSurface, square

from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.predictions import current_predictions
from opendensepose.annotate.work.store import people
from opendensepose.annotate.work.task_content import task_points
from opendensepose.annotate.work.task_json import draw_task_preview, saved_point_json, task_json

SURFACE, RULES = FlatSurface(), tasks.Rules()


@pytest.fixture
def task(store, crowd):
    """(ann, her task with two points of the torso)."""
    ann = crowd["ann"]
    task_id = tasks.next_task(store, RULES, ann)
    edits.set_parts(store, RULES, ann, task_id, {1: square(100, 200)}, version=1)
    edits.resample_points(store, RULES, ann, task_id, SURFACE.sample_points, version=2)
    return ann, task_id


def test_a_saved_point_is_as_in_the_task(store, task):
    ids = [point["id"] for point in task_json(store, SURFACE, *task)["points"]]
    for version, (point_id, answer) in enumerate(
        [(ids[0], Answer(Click(2, 10, 20))), (ids[1], Answer(Click(0, 10, 20))), (ids[1], Answer(reason="can't tell"))]
    ):
        saved = edits.answer_point(store, RULES, *task, point_id, answer, SURFACE.point_at, version=3 + version)
        response = saved_point_json(SURFACE, point_id, saved.points, saved.known)
        with store.reading() as connection:
            stored = task_points(connection, task[1])
            assert response == saved_point_json(SURFACE, point_id, stored, current_predictions(connection, stored))
        points = {point["id"]: point for point in task_json(store, SURFACE, *task)["points"]}
        assert response["point"] == points[point_id]
        warned = {point_id for warning in response["warnings"] for point_id in warning["points"]}
        assert warned == {point_id for point_id, point in points.items() if point["warning"]}
        assert warned == (set(ids) if version == 1 else set())  # two answers at one place contradict each other


def test_a_point_of_an_imported_file_has_its_first_view_for_a_click(store, task):
    point_id = task_json(store, SURFACE, *task)["points"][0]["id"]
    saved = edits.answer_point(store, RULES, *task, point_id, Answer(Click(4, 10, 20)), SURFACE.point_at, version=3)
    for point in saved.points:
        if point.id == point_id:
            point.view = point.view_x = point.view_y = None
    answer = saved_point_json(SURFACE, point_id, saved.points, saved.known)["point"]["answer"]
    assert answer == pytest.approx({"i": 1, "u": 0.1, "v": 0.2, "view": 0, "x": 10, "y": 20})


def test_a_click_on_a_view_that_was_drawn_otherwise_is_where_the_view_shows_it_now(store, task):
    point_id = task_json(store, SURFACE, *task)["points"][0]["id"]
    saved = edits.answer_point(store, RULES, *task, point_id, Answer(Click(1, 10, 20)), SURFACE.point_at, version=3)
    (clicked,) = (point for point in saved.points if point.id == point_id)
    clicked.view_x = clicked.view_y = 77.0
    answer = saved_point_json(SURFACE, point_id, saved.points, saved.known)["point"]["answer"]
    assert (answer["view"], answer["x"], answer["y"]) == pytest.approx((1, 10, 20))


def test_the_other_people_of_the_photo_are_told_but_not_anothers_open_work(store, crowd, task):
    ann, bob = crowd["ann"], crowd["bob"]
    with store.writing() as connection:
        box = {"x0": 1.0, "y0": 2.0, "x1": 30.0, "y1": 40.0}
        connection.execute(people.insert().values(photo_id=1, is_gold=False, times_submitted=0, **box))
    tasks.next_task(store, RULES, bob)  # the person of the second photo
    theirs = tasks.next_task(store, RULES, bob, 1)
    edits.set_parts(store, RULES, bob, theirs, {2: square(0, 9)}, version=1)
    (other,) = task_json(store, SURFACE, ann, task[1])["others"]
    assert (other["person_id"], other["box_xyxy"], other["parts"]) == (3, [1, 2, 30, 40], {})
    (own,) = task_json(store, SURFACE, bob, theirs)["others"]
    assert own["person_id"] == 1 and own["parts"] == {}
    edits.resample_points(store, RULES, bob, theirs, SURFACE.sample_points, version=2)
    points = task_json(store, SURFACE, bob, theirs)["points"]
    for k, point in enumerate(points):
        edits.answer_point(store, RULES, bob, theirs, point["id"], Answer(reason="x"), SURFACE.point_at, version=3 + k)
    tasks.submit(store, RULES, bob, theirs)
    (other,) = task_json(store, SURFACE, ann, task[1])["others"]
    assert other["parts"] == {2: square(0, 9)}


def test_the_preview_is_the_boxs_crop(store, task):
    box = task_json(store, SURFACE, *task)["box_xyxy"]
    photo = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    picture = draw_task_preview(store, SURFACE, *task, lambda photo_id: photo, fill=False)
    x0, y0, x1, y1 = map(int, box)
    np.testing.assert_array_equal(picture, photo[y0:y1, x0:x1])
