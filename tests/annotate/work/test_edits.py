"""Edits: versions, repeated saves, which points are kept, where a point may go."""

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import user
from tests.annotate.fakes import FlatSurface, square

from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import events
from opendensepose.annotate.work.task_content import part_counts, task_points

SURFACE, RULES = FlatSurface(), tasks.Rules()


@pytest.fixture
def task(store, crowd):
    """(ann, her leased task)."""
    return crowd["ann"], tasks.next_task(store, RULES, crowd["ann"])


def sampled(store, ann, task_id: int) -> list:
    edits.set_parts(store, RULES, ann, task_id, {1: square(100, 200), 14: square(0, 90)}, version=1)
    edits.resample_points(store, RULES, ann, task_id, SURFACE.sample_points, version=2)
    with store.reading() as connection:
        return task_points(connection, task_id)


def test_a_repeated_save_has_the_same_response_and_is_logged_once(store, task):
    save = {"version": 1, "request_id": "one"}
    first = edits.set_parts(store, RULES, *task, {1: square(0, 9)}, **save)
    assert edits.set_parts(store, RULES, *task, {1: square(0, 9)}, **save) == first == {"version": 2}
    with store.reading() as connection:
        assert connection.scalar(sql.select(sql.func.count()).where(events.c.request_id == "one")) == 1
    with pytest.raises(RequestError, match="another change"):
        edits.set_box(store, RULES, *task, (0, 0, 9, 9), **save)


@pytest.mark.parametrize("version", [0, 3])
def test_an_outdated_save_changes_nothing(store, task, version):
    edits.set_parts(store, RULES, *task, {1: square(0, 9)}, version=1)
    with pytest.raises(RequestError) as error:
        edits.set_parts(store, RULES, *task, {1: ""}, version=version)
    assert (error.value.status, error.value.version) == (409, 2)
    with store.reading() as connection:
        assert part_counts(connection, task[1]) == {1: square(0, 9)}


def test_a_mask_is_replaced_cleared_or_refused_by_itself(store, task):
    edits.set_parts(store, RULES, *task, {1: square(0, 9), 3: square(20, 30)}, version=1)
    edits.set_parts(store, RULES, *task, {3: square(0, 0)}, version=2)  # an empty mask
    with store.reading() as connection:
        assert part_counts(connection, task[1]) == {1: square(0, 9)}
    with pytest.raises(RequestError, match="."):
        edits.set_parts(store, RULES, *task, {1: "garbage"}, version=3)


def test_the_box_may_change_until_there_are_parts(store, task):
    edits.set_box(store, RULES, *task, (-9, 2, 30, 40), version=1)
    with store.reading() as connection:
        row = tasks.readable_task(connection, *task)
    assert (row.x0, row.y0, row.x1, row.y1) == (0, 2, 30, 40)
    edits.set_parts(store, RULES, *task, {1: square(0, 9)}, version=2)
    with pytest.raises(RequestError, match="clear them"):
        edits.set_box(store, RULES, *task, (0, 0, 20, 20), version=3)


def test_an_answered_point_replaces_the_nearest_new_one_of_its_part(store, task):
    first, second, *head = sampled(store, *task)
    moved = edits.move_point(store, RULES, *task, second.id, second.x + 1.4, second.y, version=3)
    assert {point.id: point.x for point in moved.points}[second.id] == second.x + 1  # at a pixel's centre
    edits.answer_point(store, RULES, *task, second.id, Answer(reason=" not visible "), SURFACE.point_at, version=4)
    edits.resample_points(store, RULES, *task, SURFACE.sample_points, version=5)
    with store.reading() as connection:
        points = task_points(connection, task[1])
    assert [point.part for point in points] == [1, 1, 14, 14]
    assert (points[1].id, points[1].reason, points[1].x) == (second.id, "not visible", second.x + 1)
    assert not {first.id, *(point.id for point in head)} & {point.id for point in points}


def test_an_answer_is_replaced_as_a_whole_and_cleared(store, task):
    point = sampled(store, *task)[0]
    answers = [Answer(Click(3, 20, 30)), Answer(reason="other person"), Answer(clear=True)]
    states = []
    for k, answer in enumerate(answers):
        saved = edits.answer_point(store, RULES, *task, point.id, answer, SURFACE.point_at, version=3 + k)
        now = saved.points[0]
        with store.reading() as connection:
            stored = task_points(connection, task[1])[0]
        assert dict(stored._mapping) == vars(now)  # what is returned is what is stored
        states.append((now.face, now.view, now.reason, now.answered_by))
    ann = task[0].id
    assert states == [(1, 3, None, ann), (None, None, "other person", ann), (None, None, None, None)]


def test_clicks_beside_the_part_and_places_off_it_are_refused(store, task):
    point = sampled(store, *task)[0]
    with pytest.raises(RequestError, match="beside"):
        edits.answer_point(store, RULES, *task, point.id, Answer(Click(0, 90, 90)), SURFACE.point_at, version=3)
    with pytest.raises(RequestError, match="stay on its part"):
        edits.move_point(store, RULES, *task, point.id, 3, 3, version=3)
    with pytest.raises(RequestError, match="no point 999"):
        edits.move_point(store, RULES, *task, 999, 3, 3, version=3)
    with store.reading() as connection:
        assert tasks.readable_task(connection, *task).version == 3


def test_an_answer_is_exactly_one_thing():
    for wrong in ({}, {"reason": "x", "clear": True}, {"click": Click(0, 1, 1), "reason": "x"}):
        with pytest.raises(ValueError, match="exactly one"):
            Answer(**wrong)


def test_somebody_elses_task_is_not_edited(store, task):
    with pytest.raises(RequestError) as error:
        edits.set_parts(store, RULES, user(store, "eve"), task[1], {1: ""}, version=1)
    assert error.value.status == 404
