"""What the model says of points: asked once per place, shown to a share of the people, accepted as an answer."""

import pytest
from tests.annotate.annotating import annotate
from tests.annotate.fakes import FlatSurface, square

from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.predictions import (
    current_predictions,
    draws_proposals,
    has_proposals,
    predict_points,
    witness_of,
)
from opendensepose.annotate.work.task_content import task_points

SURFACE = FlatSurface()
SHOWN, HIDDEN = tasks.Rules(proposal_rate=1.0), tasks.Rules()


@pytest.fixture
def task(store, crowd):
    """(ann, her task with two points on the torso and two on the head)."""
    ann, task_id = crowd["ann"], tasks.next_task(store, HIDDEN, crowd["ann"])
    edits.set_parts(store, HIDDEN, ann, task_id, {1: square(100, 200), 14: square(0, 90)}, version=1)
    edits.resample_points(store, HIDDEN, ann, task_id, SURFACE.sample_points, version=2)
    return ann, task_id


class Model:
    """Counts how often it is asked."""

    def __init__(self):
        self.count = 0

    def __call__(self, task):
        self.count += 1
        return SURFACE.label_person(None, None, None)


def said(store, task_id):
    with store.reading() as connection:
        points = task_points(connection, task_id)
        known = current_predictions(connection, points)
    return points, known, witness_of(points, known)


def test_the_model_is_asked_once_and_again_where_a_point_moved(store, task):
    model = Model()
    assert said(store, task[1])[1] == {}
    for _ in range(2):
        predict_points(store, HIDDEN, *task, model)
    points, known, witness = said(store, task[1])
    assert model.count == 1 and known.keys() == {point.id for point in points}
    assert witness.is_known.tolist() == [True, True, False, False]  # it sees no head
    assert witness.points.barycentric.tolist() == [[0.5, 0.25, 0.25]] * 2 and witness.points.face.tolist() == [1, 1]
    edits.move_point(store, HIDDEN, *task, points[0].id, points[0].x + 1, points[0].y, version=3)
    assert said(store, task[1])[2].is_known.tolist() == [False, True, False, False]
    predict_points(store, HIDDEN, *task, model)
    assert model.count == 2 and said(store, task[1])[2].is_known.tolist() == [True, True, False, False]


def test_nobody_seen_is_remembered_too(store, task):
    asked = []
    for _ in range(2):
        predict_points(store, HIDDEN, *task, asked.append)  # None: the model sees nobody
    assert len(asked) == 1 and not said(store, task[1])[2].is_known.any()


def test_a_proposal_is_accepted_as_it_is_and_corrected_by_a_click(store, task):
    predict_points(store, SHOWN, *task, Model())
    first, _, head, _ = said(store, task[1])[0]
    saved = edits.answer_point(store, SHOWN, *task, first.id, Answer(accept=True), SURFACE.point_at, version=3)
    now = saved.points[0]
    assert (now.face, now.weight_0, now.weight_1, now.view, now.answered_by) == (1, 0.5, 0.25, None, task[0].id)
    click = Answer(Click(0, 10, 20))
    saved = edits.answer_point(store, SHOWN, *task, first.id, click, SURFACE.point_at, version=4)
    assert saved.points[0].view == 0 and saved.points[0].weight_1 == pytest.approx(0.1)
    with pytest.raises(RequestError, match="no proposal"):
        edits.answer_point(store, SHOWN, *task, head.id, Answer(accept=True), SURFACE.point_at, version=5)


def test_who_has_no_proposals_cannot_accept_any_even_if_the_rate_changes_later(store, task):
    predict_points(store, HIDDEN, *task, Model())
    first = said(store, task[1])[0][0]
    edits.move_point(store, SHOWN, *task, first.id, first.x + 1, first.y, version=3)
    predict_points(store, SHOWN, *task, Model())
    with store.reading() as connection:
        assert has_proposals(connection, task[1]) is False
    with pytest.raises(RequestError, match="no proposal"):
        edits.answer_point(store, SHOWN, *task, first.id, Answer(accept=True), SURFACE.point_at, version=4)


def test_what_was_submitted_before_the_model_was_asked_came_without_proposals(store, crowd):
    ann, task_id = crowd["ann"], tasks.next_task(store, HIDDEN, crowd["ann"])
    annotate(store, HIDDEN, ann, task_id)
    predict_points(store, SHOWN, ann, task_id, Model())
    with store.reading() as connection:
        assert has_proposals(connection, task_id) is False


def test_the_share_of_people_with_proposals_is_the_rate():
    half = tasks.Rules(proposal_rate=0.5)
    drawn = [draws_proposals(half, k) for k in range(2000)]
    assert 900 < sum(drawn) < 1100 and drawn == [draws_proposals(half, k) for k in range(2000)]
    assert not any(draws_proposals(HIDDEN, k) for k in range(50)) and all(draws_proposals(SHOWN, k) for k in range(50))
    with pytest.raises(ValueError, match="got 1.5"):
        tasks.Rules(proposal_rate=1.5)
