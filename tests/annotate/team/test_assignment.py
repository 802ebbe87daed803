"""Who is given whom: opened by address, assigned, moved, reopened."""

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, person_of
from tests.annotate.fakes import square

from opendensepose.annotate.server import access
from opendensepose.annotate.team.assignment import assign, open_person, reopen, unassign
from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import people
from opendensepose.annotate.work.store import tasks as task_table

RULES = tasks.Rules()


def row(store, task_id):
    with store.reading() as connection:
        return connection.execute(sql.select(task_table).where(task_table.c.id == task_id)).one()


def test_a_person_is_opened_by_their_number_and_leased(store, crowd, clock):
    ann, bob, max_ = crowd["ann"], crowd["bob"], crowd["max"]
    mine = tasks.next_task(store, RULES, ann)
    tasks.release(store, ann, mine)
    assert open_person(store, RULES, ann, person_of(store, mine)) == mine
    assert row(store, mine).lease_expires_at > clock()
    for number in (person_of(store, mine), 2, 99):
        with pytest.raises(RequestError) as refusal:
            open_person(store, RULES, bob, number)
        assert refusal.value.status == 404
    assert open_person(store, RULES, max_, person_of(store, mine), by=ann.id) == mine
    assert open_person(store, RULES, max_, person_of(store, mine)) == mine  # not free: the work there is
    begun = open_person(store, RULES, max_, 2)
    assert row(store, begun).annotator_id == max_.id


def test_assigned_people_come_first_and_nobody_else_gets_them(store, crowd):
    ann, bob, max_ = crowd["ann"], crowd["bob"], crowd["max"]
    assert assign(store, RULES, max_, [2, 2, 99], bob.id) == {
        "assigned": 1,
        "refused": [{"person_id": 99, "why": "there is no such person"}],
    }
    mine = tasks.next_task(store, RULES, ann)
    assert person_of(store, mine) == 1
    assert tasks.next_task(store, RULES, ann, mine) == mine  # the other person is bob's
    assert person_of(store, tasks.next_task(store, RULES, bob)) == 2
    assert unassign(store, max_, [2]) == {"unassigned": 1}
    assert tasks.next_task(store, RULES, crowd["cem"]) is not None  # taken back from bob, who did nothing


def test_begun_work_moves_with_all_that_was_done(store, crowd):
    ann, bob, max_ = crowd["ann"], crowd["bob"], crowd["max"]
    mine = tasks.next_task(store, RULES, ann)
    edits.set_parts(store, RULES, ann, mine, {1: square(0, 50)}, version=1)
    assert assign(store, RULES, max_, [person_of(store, mine)], bob.id)["assigned"] == 1
    with pytest.raises(RequestError) as refusal:
        edits.set_parts(store, RULES, ann, mine, {1: ""}, version=2)
    assert refusal.value.status == 404
    assert tasks.next_task(store, RULES, bob) == mine
    edits.set_parts(store, RULES, bob, mine, {2: square(0, 9)}, version=3)
    moved = row(store, mine)
    assert (moved.annotator_id, moved.version) == (bob.id, 4)


def test_submitted_work_is_not_moved_and_the_revoked_get_nothing(store, crowd):
    ann, bob, max_ = crowd["ann"], crowd["bob"], crowd["max"]
    mine = tasks.next_task(store, RULES, ann)
    annotate(store, RULES, ann, mine)
    (refused,) = assign(store, RULES, max_, [person_of(store, mine)], bob.id)["refused"]
    assert "submitted" in refused["why"]
    access.revoke(store, "bob")
    with pytest.raises(RequestError, match="no such annotator"):
        assign(store, RULES, max_, [2], bob.id)


def test_annotators_reopen_their_submission_until_a_reviewer_looks(store, crowd):
    ann, rita = crowd["ann"], crowd["rita"]
    mine = tasks.next_task(store, RULES, ann)
    annotate(store, RULES, ann, mine)
    reopen(store, RULES, ann, mine)
    assert row(store, mine).status == "open" and row(store, mine).lease_expires_at is not None
    with pytest.raises(RequestError):
        review.accept(store, rita, mine)
    tasks.submit(store, RULES, ann, mine)
    with store.reading() as connection:
        assert connection.scalar(sql.select(people.c.times_submitted).where(people.c.id == 1)) == 1
    assert review.next_review(store, rita) == mine
    with pytest.raises(RequestError, match="reviewer is looking"):
        reopen(store, RULES, ann, mine)
    tasks.release(store, rita, mine)
    reopen(store, RULES, ann, mine)
    with pytest.raises(RequestError, match="open"):
        reopen(store, RULES, ann, mine)
    tasks.submit(store, RULES, ann, mine)
    review.accept(store, rita, mine)
    with pytest.raises(RequestError, match="accepted"):
        reopen(store, RULES, ann, mine)
    reopen(store, RULES, crowd["max"], mine)
    assert row(store, mine).status == "sent_back"
    assert tasks.next_task(store, RULES, ann) == mine


def test_a_skipped_person_is_brought_back(store, crowd):
    ann, max_ = crowd["ann"], crowd["max"]
    mine = tasks.next_task(store, RULES, ann)
    tasks.skip(store, RULES, ann, mine, "too dark")
    reopen(store, RULES, ann, mine)  # by the annotator
    assert (row(store, mine).status, row(store, mine).skip_reason) == ("open", None)
    tasks.skip(store, RULES, ann, mine, "too dark")
    theirs = tasks.next_task(store, RULES, crowd["bob"], 99)
    assert person_of(store, theirs) == person_of(store, mine)
    with pytest.raises(RequestError, match="somebody else") as refusal:
        reopen(store, RULES, ann, mine)
    assert refusal.value.status == 409 and row(store, mine).status == "skipped"
    tasks.skip(store, RULES, crowd["bob"], theirs, "dark indeed")
    reopen(store, RULES, max_, mine)  # by a manager: it waits for its annotator and for others
    assert row(store, mine).status == "open" and row(store, mine).lease_expires_at is None
    assert assign(store, RULES, max_, [person_of(store, theirs)], crowd["bob"].id)["assigned"] == 1
    assert row(store, theirs).status == "open"  # assigning brings back too
