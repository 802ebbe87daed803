"""Progress: each person in one state, what remains, at which pace; the members of the team."""

import pytest
from tests.annotate.annotating import annotate

from opendensepose.annotate.server import access
from opendensepose.annotate.team.assignment import assign
from opendensepose.annotate.team.progress import members, progress, search_progress
from opendensepose.annotate.work import review, tasks
from opendensepose.annotate.work.store import photos

RULES = tasks.Rules()
NAMES = ("people", "accepted", "submitted", "in_work", "waiting", "skipped", "annotations_left")


def told(store, annotators_per_person=1):
    numbers = progress(store, annotators_per_person)
    assert numbers["people"] == sum(numbers[name] for name in NAMES[1:-1])  # each in one state
    return tuple(numbers[name] for name in NAMES)


def test_people_are_counted_once_whatever_their_tasks(store, crowd):
    ann, bob = crowd["ann"], crowd["bob"]
    assert told(store) == (2, 0, 0, 0, 2, 0, 2)
    first = tasks.next_task(store, RULES, ann)
    assert told(store) == (2, 0, 0, 1, 1, 0, 2)
    annotate(store, RULES, ann, first)
    assert told(store) == (2, 0, 1, 0, 1, 0, 1) and told(store, 2) == (2, 0, 0, 1, 1, 0, 3)
    review.accept(store, crowd["rita"], first)
    second = tasks.next_task(store, RULES, ann)
    tasks.skip(store, RULES, ann, second, "dark")
    assert told(store) == (2, 1, 0, 0, 0, 1, 0)
    assign(store, RULES, crowd["max"], [2], bob.id)
    assert told(store) == (2, 1, 0, 1, 0, 0, 1)


def test_the_pace_tells_when_the_rest_is_done(store, crowd, clock):
    assert progress(store, 1)["days_left"] is None and progress(store, 1)["per_day"] is None
    ann = crowd["ann"]
    annotate(store, RULES, ann, tasks.next_task(store, RULES, ann))
    clock.pass_seconds(2 * 86400)
    later = progress(store, 1)
    assert later["per_day"] == pytest.approx(0.5) and later["days_left"] == 2
    assert later["days"] == [["1970-01-12", 1]] and later["done_on"] == "1970-01-16"
    clock.pass_seconds(8 * 86400)
    assert progress(store, 1)["days_left"] is None  # nothing was submitted in the last week


def test_the_search_for_people_is_counted_by_photos(store, crowd):
    with store.writing() as connection:
        connection.execute(photos.insert().values(name="new.png", width=9, height=9, searched=False))
        connection.execute(photos.insert().values(name="empty.png", width=9, height=9, searched=True))
    assert search_progress(store) == {"photos": 4, "left": 1}  # the crowd's two have people


def test_members_have_their_work_and_their_links(store, crowd, clock):
    ann = crowd["ann"]
    annotate(store, RULES, ann, tasks.next_task(store, RULES, ann))
    assign(store, RULES, crowd["max"], [2], ann.id)
    access.revoke(store, "bob")
    lines = {one["name"]: one for one in members(store)}
    assert lines["ann"]["tasks"] == {"submitted": 1, "open": 1}
    assert (lines["ann"]["assigned"], lines["ann"]["week"], lines["ann"]["link"]) == (1, 1, "waiting")
    assert not lines["bob"]["active"] and lines["bob"]["link"] is None and lines["bob"]["worked_at"] is None
    clock.pass_seconds(access.LINK_SECONDS + 1)
    assert {one["name"]: one["link"] for one in members(store)}["ann"] == "expired"
