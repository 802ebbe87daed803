"""Who works on what, with several annotators: leases, assignment, gold people. Time passes by hand."""

import random

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, person_of
from tests.annotate.fakes import square

from opendensepose.annotate.server import access
from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import events, people, points
from opendensepose.annotate.work.store import tasks as task_table
from opendensepose.annotate.work.task_content import part_counts


def test_each_person_goes_to_one_annotator_while_the_lease_holds(store, crowd):
    rules = tasks.Rules()
    first, second = (tasks.next_task(store, rules, crowd[name]) for name in ("ann", "bob"))
    assert person_of(store, first) != person_of(store, second)
    assert tasks.next_task(store, rules, crowd["cem"]) is None
    assert tasks.next_task(store, rules, crowd["ann"]) == first  # goes on with what was begun


def test_a_lease_that_ran_out_passes_the_person_on_and_the_later_save_is_told(store, crowd, clock):
    rules, ann, bob = tasks.Rules(lease_seconds=60), crowd["ann"], crowd["bob"]
    mine = tasks.next_task(store, rules, ann)
    edits.set_parts(store, rules, ann, mine, {1: square(0, 50)}, version=1)
    tasks.next_task(store, rules, crowd["cem"])  # the other person
    clock.pass_seconds(61)
    tasks.renew_lease(store, rules, crowd["cem"], tasks.next_task(store, rules, crowd["cem"]))
    theirs = tasks.next_task(store, rules, bob)
    assert person_of(store, theirs) == person_of(store, mine) and theirs != mine
    edits.set_parts(store, rules, bob, theirs, {1: square(10, 20)}, version=1)
    with pytest.raises(RequestError, match="somebody else") as refusal:
        edits.set_parts(store, rules, ann, mine, {1: square(0, 99)}, version=2)
    assert refusal.value.status == 409
    with pytest.raises(RequestError, match="somebody else"):
        tasks.renew_lease(store, rules, ann, mine)
    with store.reading() as connection:
        assert part_counts(connection, theirs) == {1: square(10, 20)}
        assert part_counts(connection, mine) == {1: square(0, 50)}  # what was acknowledged stays


def test_a_lease_that_ran_out_unnoticed_goes_on(store, crowd, clock):
    rules = tasks.Rules(lease_seconds=60)
    mine = tasks.next_task(store, rules, crowd["ann"])
    clock.pass_seconds(3600)
    assert edits.set_parts(store, rules, crowd["ann"], mine, {1: square(0, 9)}, version=1) == {"version": 2}
    assert tasks.renew_lease(store, rules, crowd["ann"], mine)["lease_expires_at"] == clock() + 60


def test_a_heartbeat_keeps_a_lease(store, crowd, clock):
    rules = tasks.Rules(lease_seconds=60)
    mine = tasks.next_task(store, rules, crowd["ann"])
    tasks.next_task(store, rules, crowd["cem"])
    for _ in range(3):
        clock.pass_seconds(50)
        tasks.renew_lease(store, rules, crowd["ann"], mine)
    assert person_of(store, tasks.next_task(store, rules, crowd["bob"])) != person_of(store, mine)


def test_n_annotators_per_person_and_nobody_twice(store, crowd):
    rules = tasks.Rules(annotators_per_person=2)
    for name in ("ann", "bob"):
        for _ in range(2):
            annotate(store, rules, crowd[name], tasks.next_task(store, rules, crowd[name]))
    assert all(tasks.next_task(store, rules, crowd[name]) is None for name in ("ann", "bob", "cem"))


def test_skipped_and_released_people_go_to_others(store, crowd):
    rules, ann, bob = tasks.Rules(), crowd["ann"], crowd["bob"]
    skipped = tasks.next_task(store, rules, ann)
    with pytest.raises(RequestError):
        tasks.skip(store, rules, ann, skipped, " ")
    tasks.skip(store, rules, ann, skipped, "too dark")
    released = tasks.next_task(store, rules, ann)
    tasks.release(store, ann, released)
    got = [tasks.next_task(store, rules, bob)]
    tasks.skip(store, rules, bob, got[0], "too dark")
    got.append(tasks.next_task(store, rules, bob))
    assert {person_of(store, one) for one in got} == {person_of(store, one) for one in (skipped, released)}
    assert tasks.next_task(store, rules, ann) is None  # bob has it now


def test_nobody_reads_or_changes_anothers_work(store, crowd):
    rules, ann, bob = tasks.Rules(), crowd["ann"], crowd["bob"]
    mine = tasks.next_task(store, rules, ann)
    with store.reading() as connection:
        for who in (bob, crowd["rita"]):  # not submitted yet
            with pytest.raises(RequestError) as refusal:
                tasks.readable_task(connection, who, mine)
            assert refusal.value.status == 404
    for who, status in ((bob, 404), (crowd["max"], 403)):
        with pytest.raises(RequestError) as refusal:
            edits.set_parts(store, rules, who, mine, {1: ""}, version=1)
        assert refusal.value.status == status
    assert [row.id for row in tasks.task_rows(store, bob)] == []
    assert [row.id for row in tasks.task_rows(store, crowd["max"])] == [mine]


def test_who_works_alone_has_a_task_for_each_person_with_what_was_imported(store, crowd):
    alone, prefill = (
        access.local_session(store).user,
        {"points": [{"part": 1, "x": 5.5, "y": 5.5}], "parts": {"1": "x"}},
    )
    box = {"x0": 1.0, "y0": 2.0, "x1": 30.0, "y1": 40.0, "photo_id": 1, "times_submitted": 0}
    with store.writing() as connection:
        for values in ({"is_gold": False, "prefill": prefill}, {"is_gold": True}):
            connection.execute(people.insert().values(**box, **values))
    theirs = tasks.next_task(store, tasks.Rules(), crowd["ann"])
    for _ in range(2):  # the second list makes no more
        rows = [row for row in tasks.task_rows(store, alone) if row.annotator_id == alone.id]
        assert len(rows) == len({row.person_id for row in rows}) == 3
        assert [(row.status, row.stage, row.version) for row in rows] == [
            ("open", "parts", 1), ("open", "parts", 1), ("open", "points", 1)
        ]  # fmt: skip
        assert (rows[2].x0, rows[2].y0, rows[2].x1, rows[2].y1) == (1, 2, 30, 40)
    with store.reading() as connection:
        asked = connection.scalars(sql.select(points.c.task_id)).all()
        logged = connection.scalars(sql.select(events.c.task_id).where(events.c.kind == "assign")).all()
    assert asked == [rows[2].id] and sorted(logged) == [row.id for row in rows]
    mine = tasks.next_task(store, tasks.Rules(), alone)  # the first person is somebody's
    assert person_of(store, mine) != person_of(store, theirs)


def test_gold_people_are_drawn_at_the_rate_and_do_not_run_out_for_others(store, crowd):
    with store.writing() as connection:
        for _ in range(40):
            box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0}
            connection.execute(people.insert().values(photo_id=1, is_gold=True, times_submitted=0, **box))
            connection.execute(people.insert().values(photo_id=1, is_gold=False, times_submitted=0, **box))
    rules = tasks.Rules(gold_rate=0.5, rng=random.Random(0))
    for name in ("ann", "bob"):
        for _ in range(30):
            tasks.skip(store, rules, crowd[name], tasks.next_task(store, rules, crowd[name]), "next")
    drawn = sql.select(sql.func.count()).select_from(task_table.join(people)).where(people.c.is_gold)
    with store.reading() as connection:
        for name in ("ann", "bob"):
            assert 8 <= connection.scalar(drawn.where(task_table.c.annotator_id == crowd[name].id)) <= 22
