"""Deleting people: with all that hangs on them; never what others have done; the log keeps it."""

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, person_of
from tests.annotate.fakes import square

from opendensepose.annotate.team.deletion import delete_people
from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import events, parts, people
from opendensepose.annotate.work.store import tasks as task_table

RULES = tasks.Rules()


def count(store, table) -> int:
    with store.reading() as connection:
        return connection.scalar(sql.select(sql.func.count()).select_from(table))


def test_a_false_box_goes_with_what_the_manager_drew_in_it(store, crowd):
    task_id = tasks.next_task(store, RULES, crowd["max"])
    person = person_of(store, task_id)
    edits.set_parts(store, RULES, crowd["max"], task_id, {1: square(50, 200)}, version=1)
    assert delete_people(store, crowd["max"], [person, 99]) == {"deleted": 1, "refused": []}
    assert (count(store, people), count(store, task_table), count(store, parts)) == (1, 0, 0)
    with store.reading() as connection:
        logged = connection.execute(sql.select(events).where(events.c.kind == "delete")).one()
        assert connection.scalar(sql.select(sql.func.count()).where(events.c.kind == "parts")) == 1
    assert logged.detail["person"] == person and logged.detail["tasks"] == [task_id]


def test_what_others_have_done_is_kept(store, crowd):
    begun = tasks.next_task(store, RULES, crowd["ann"])
    edits.set_parts(store, RULES, crowd["ann"], begun, {1: square(50, 200)}, version=1)
    submitted = tasks.next_task(store, RULES, crowd["bob"])
    annotate(store, RULES, crowd["bob"], submitted)
    ids = [person_of(store, begun), person_of(store, submitted)]
    answer = delete_people(store, crowd["max"], ids)
    assert answer["deleted"] == 0 and [one["person_id"] for one in answer["refused"]] == ids
    assert [one["why"] for one in answer["refused"]] == ["somebody else has begun to work", "the work was submitted"]


def test_whom_others_skipped_may_be_deleted_by_managers_only(store, crowd):
    skipped = tasks.next_task(store, RULES, crowd["ann"])
    person = person_of(store, skipped)
    tasks.skip(store, RULES, crowd["ann"], skipped, "nobody there")
    with pytest.raises(RequestError, match="manager"):
        delete_people(store, crowd["ann"], [person])
    assert delete_people(store, crowd["max"], [person])["deleted"] == 1
