"""The list of people: what each role sees, filters, orders, pages, neighbours."""

import pytest
from tests.annotate.annotating import annotate

from opendensepose.annotate.server import access
from opendensepose.annotate.team.people_list import Filter, list_people, neighbours
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.store import people, photos

RULES = tasks.Rules()
BOX = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0, "times_submitted": 0}


@pytest.fixture
def busy(store, crowd):
    """Eight people on two photos; ann submitted one and skipped one, bob has one open; a gold person nobody has."""
    with store.writing() as connection:
        for k in range(6):
            connection.execute(people.insert().values(photo_id=1 + k % 2, is_gold=False, **BOX))
        connection.execute(people.insert().values(photo_id=1, is_gold=True, **BOX))
    ann = crowd["ann"]
    first = tasks.next_task(store, RULES, ann)
    annotate(store, RULES, ann, first)
    tasks.skip(store, RULES, ann, tasks.next_task(store, RULES, ann, first), "50 % too_dark")
    tasks.next_task(store, RULES, crowd["bob"])
    return crowd


def ids(store, user, limit=50, offset=0, **wanted):
    return [row["person_id"] for row in list_people(store, user, Filter(**wanted), limit, offset)["rows"]]


def test_each_role_sees_its_people(store, busy):
    assert ids(store, busy["max"]) == [1, 2, 2, 3, 4, 5, 6, 7, 8]  # bob was given whom ann skipped; no gold
    assert ids(store, busy["ann"]) == [1, 2] and ids(store, busy["bob"]) == [2]
    assert ids(store, busy["rita"]) == [1] and ids(store, busy["cem"]) == []
    assert ids(store, access.local_session(store).user) == ids(store, busy["max"])
    assert "gold" not in list_people(store, busy["ann"], Filter(), 9, 0)["rows"][0]


def test_filters_counts_and_orders(store, busy):
    max_ = busy["max"]
    listed = list_people(store, max_, Filter(state="waiting"), 50, 0)
    assert listed["counts"] == {
        "waiting": 6, "open": 1, "submitted": 1, "sent_back": 0, "accepted": 0, "skipped": 1
    }  # fmt: skip
    assert listed["total"] == 6 == len(listed["rows"])
    assert ids(store, max_, state="to_do") == [2, 3, 4, 5, 6, 7, 8]
    assert ids(store, max_, annotator=busy["ann"].id) == [1, 2]
    assert ids(store, max_, photo=2) == [2, 2, 4, 6, 8]
    for search, found in (("TOO_dark", [2]), ("50 %", [2]), ("o_o", []), ("bob", [2]), ("photo0", [1, 3, 5, 7])):
        assert ids(store, max_, search=search) == found, search
    (skipped,) = list_people(store, max_, Filter(state="skipped"), 50, 0)["rows"]
    assert (skipped["skip_reason"], skipped["annotator"]) == ("50 % too_dark", "ann")
    assert ids(store, max_, sort="photo") == [1, 3, 5, 7, 2, 2, 4, 6, 8]
    assert ids(store, max_, sort="person", reverse=True) == [8, 7, 6, 5, 4, 3, 2, 2, 1]
    assert ids(store, max_, sort="state")[-2:] == [1, 2] and ids(store, max_, sort="annotator")[-1] == 2
    assert ids(store, max_, limit=3, offset=3) == [3, 4, 5] and ids(store, max_, offset=100) == []


def test_walking_by_neighbours_is_the_list(store, busy):
    max_ = busy["max"]
    for wanted in (Filter(), Filter(sort="photo", reverse=True), Filter(state="to_do"), Filter(photo=2)):
        rows = [(row["person_id"], row["annotator_id"]) for row in list_people(store, max_, wanted, 50, 0)["rows"]]
        walked, here = [rows[0]], neighbours(store, max_, wanted, *rows[0], None)
        assert here["previous"] is None and here["at"] == 1 and here["total"] == len(rows)
        while here["next"]:
            walked.append((here["next"]["person_id"], here["next"]["by"]))
            here = neighbours(store, max_, wanted, *walked[-1], None)
            assert here["previous"] == dict(zip(("person_id", "by"), walked[-2], strict=True))
        assert walked == rows


def test_who_left_the_list_has_the_neighbours_of_their_old_place(store, busy):
    here = neighbours(store, busy["max"], Filter(state="waiting"), 4, None, None)
    assert (here["at"], here["previous"]["person_id"], here["next"]["person_id"]) == (2, 3, 5)
    tasks.add_person(store, RULES, busy["max"], 1, (0, 0, 9, 9))
    from opendensepose.annotate.team.assignment import open_person

    open_person(store, RULES, busy["max"], 4)
    here = neighbours(store, busy["max"], Filter(state="waiting"), 4, busy["max"].id, 2)
    assert (here["at"], here["previous"]["person_id"], here["next"]["person_id"]) == (None, 3, 5)


def test_ten_thousand_are_paged_by_the_database(store, crowd):
    rows = [{"name": f"n{k:05d}.jpg", "width": 64, "height": 48, "searched": True} for k in range(1200)]
    with store.writing() as connection:
        connection.execute(photos.insert(), rows)
        connection.execute(people.insert(), [{"photo_id": 1, "is_gold": False, **BOX}] * 1200)
    listed = list_people(store, crowd["max"], Filter(), 50, 1150)
    assert listed["total"] == 1202 and len(listed["rows"]) == 50 and listed["rows"][0]["person_id"] == 1151
