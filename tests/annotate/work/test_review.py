"""Review: accepting, sending back with comments, fixing."""

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate
from tests.annotate.fakes import FlatSurface, square

from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.edits import Answer
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.review import Comment
from opendensepose.annotate.work.store import events, points

SURFACE = FlatSurface()


def test_review_sends_back_and_accepts(store, crowd):
    rules, ann, rita = tasks.Rules(), crowd["ann"], crowd["rita"]
    mine = tasks.next_task(store, rules, ann)
    annotate(store, rules, ann, mine)
    with pytest.raises(RequestError):
        edits.set_parts(store, rules, ann, mine, {1: ""}, version=5)  # submitted: read-only
    with pytest.raises(RequestError):
        review.next_review(store, ann)
    assert review.next_review(store, rita) == mine
    assert review.next_review(store, crowd["max"]) is None  # rita is looking at it
    with pytest.raises(RequestError):
        review.send_back(store, rita, mine, [])
    with pytest.raises(RequestError):
        review.send_back(store, rita, mine, [Comment("no such point", 999)])
    with store.reading() as connection:
        point = connection.scalar(sql.select(points.c.id).where(points.c.task_id == mine).limit(1))
    review.send_back(store, rita, mine, [Comment("left and right", point)])
    with store.reading() as connection:
        (comment,) = review.task_comments(connection, mine)
    assert (comment["point_id"], comment["author"], comment["text"]) == (point, "rita", "left and right")
    assert tasks.next_task(store, rules, ann) == mine  # comes first
    with store.reading() as connection:
        version = tasks.readable_task(connection, ann, mine).version
    edits.answer_point(store, rules, ann, mine, point, Answer(reason="not visible"), SURFACE.point_at, version=version)
    tasks.submit(store, rules, ann, mine)
    with pytest.raises(RequestError, match="changed elsewhere"):
        review.accept(store, rita, mine, version)
    review.accept(store, rita, mine)
    with store.reading() as connection:
        assert tasks.readable_task(connection, rita, mine).status == "accepted"
        kinds = connection.scalars(
            sql.select(events.c.kind).where(events.c.task_id == mine).order_by(events.c.id)
        ).all()
    assert kinds == [
        "lease",
        "parts",
        "points",
        "answer",
        "answer",
        "submit",
        "send_back",
        "answer",
        "submit",
        "accept",
    ]


def test_a_reviewer_fixes_and_others_do_not(store, crowd):
    rules, ann, rita = tasks.Rules(), crowd["ann"], crowd["rita"]
    mine = tasks.next_task(store, rules, ann)
    annotate(store, rules, ann, mine)
    review.fix(store, rules, rita, mine)
    with pytest.raises(RequestError):
        review.accept(store, crowd["max"], mine)
    with store.reading() as connection:
        version = tasks.readable_task(connection, rita, mine).version
    with pytest.raises(RequestError):
        edits.set_parts(store, rules, ann, mine, {1: ""}, version=version)
    edits.set_parts(store, rules, rita, mine, {14: square(0, 9)}, version=version)
    review.accept(store, rita, mine)
    with pytest.raises(RequestError):
        edits.set_parts(store, rules, rita, mine, {1: ""}, version=version + 2)


def test_nobody_reviews_their_own_work(store, crowd):
    rules, max_ = tasks.Rules(), crowd["max"]
    mine = tasks.next_task(store, rules, max_)
    annotate(store, rules, max_, mine)
    assert review.next_review(store, max_) is None
    with pytest.raises(RequestError):
        review.accept(store, max_, mine)


def test_next_review_goes_round_and_does_not_hide_what_the_reviewer_left(store, crowd):
    rules, rita, max_ = tasks.Rules(), crowd["rita"], crowd["max"]
    both = []
    for name in ("ann", "bob"):
        both.append(tasks.next_task(store, rules, crowd[name]))
        annotate(store, rules, crowd[name], both[-1])
    assert review.next_review(store, rita) == both[0]
    assert review.next_review(store, rita) == both[0]  # a reload
    assert review.next_review(store, max_) == both[1]  # rita looks at the first
    assert review.next_review(store, rita, after=both[0]) == both[0]  # max looks at the second
    tasks.release(store, max_, both[1])
    assert review.next_review(store, rita, after=both[0]) == both[1]
    assert review.next_review(store, rita, after=both[1]) == both[0]  # round again, not "nothing to review"
    review.accept(store, rita, both[0])
    assert review.next_review(store, rita, after=both[0]) == both[1]
