"""Who works on what, with several annotators: leases, assignment, gold people. Time passes by hand."""

import random

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, person_of
from tests.annotate.fakes import square

from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.review import Comment
from opendensepose.annotate.work.store import people
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


def test_next_goes_round_and_does_not_stay_with_the_first_begun(store, crowd, clock):
    rules, ann = tasks.Rules(), crowd["ann"]

    def leave_for_next(task_id):
        clock.pass_seconds(1)
        tasks.release(store, ann, task_id)
        clock.pass_seconds(1)
        return tasks.next_task(store, rules, ann, after=task_id)

    first = tasks.next_task(store, rules, ann)
    second = leave_for_next(first)
    assert person_of(store, second) != person_of(store, first)
    assert leave_for_next(second) == first  # nobody new is left: round again
    tasks.release(store, ann, first)
    assert tasks.next_task(store, rules, ann) == first  # a new visit goes on where one was
    tasks.skip(store, rules, ann, first, "dark")
    assert leave_for_next(second) == second  # the only one left


def test_people_whose_work_was_begun_come_last_to_others(store, crowd):
    rules, ann, bob = tasks.Rules(), crowd["ann"], crowd["bob"]
    mine = tasks.next_task(store, rules, ann)
    edits.set_parts(store, rules, ann, mine, {1: square(0, 50)}, version=1)
    tasks.release(store, ann, mine)
    other = tasks.next_task(store, rules, bob)
    assert person_of(store, other) != person_of(store, mine)
    last = tasks.next_task(store, rules, bob, after=other)
    assert person_of(store, last) == person_of(store, mine) and last != mine


def test_what_was_sent_back_comes_first_once_and_then_in_turn(store, crowd):
    rules, ann, rita = tasks.Rules(), crowd["ann"], crowd["rita"]
    first = tasks.next_task(store, rules, ann)
    annotate(store, rules, ann, first)
    second = tasks.next_task(store, rules, ann, after=first)
    review.send_back(store, rita, first, [Comment("again")])
    assert tasks.next_task(store, rules, ann, after=second) == first
    tasks.release(store, ann, first)
    assert tasks.next_task(store, rules, ann, after=first) == second


def test_releasing_anothers_work_changes_nothing(store, crowd):
    rules, ann, max_ = tasks.Rules(), crowd["ann"], crowd["max"]
    mine = tasks.next_task(store, rules, ann)
    tasks.release(store, max_, mine)
    with store.reading() as connection:
        assert tasks.readable_task(connection, ann, mine).lease_expires_at is not None


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
