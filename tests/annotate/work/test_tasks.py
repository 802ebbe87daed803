"""Who works on what, with several annotators: leases, room, gold people, review. Time passes by hand."""

import random

import pytest
import sqlalchemy as sql
from tests.annotate.fakes import FlatSurface, square, write_photos

from opendensepose.annotate.server import access
from opendensepose.annotate.work import edits, review, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.photos import add_photos
from opendensepose.annotate.work.review import Comment
from opendensepose.annotate.work.store import annotators, events, people, points
from opendensepose.annotate.work.store import tasks as task_table
from opendensepose.annotate.work.task_content import part_counts

SURFACE = FlatSurface()


def user(store, name: str, role: str = "annotator") -> tasks.User:
    access.invite(store, name, role)
    with store.reading() as connection:
        row = connection.execute(sql.select(annotators).where(annotators.c.name == name)).one()
    return tasks.User(row.id, row.name, row.role)


@pytest.fixture
def crowd(store, tmp_path):
    """Three annotators, a reviewer, a manager, and two people, one on each of two photos."""
    add_photos(store, write_photos(tmp_path / "photos", 2))
    with store.writing() as connection:
        for photo_id in (1, 2):
            box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0}
            connection.execute(people.insert().values(photo_id=photo_id, is_gold=False, times_submitted=0, **box))
    names = {"ann": "annotator", "bob": "annotator", "cem": "annotator", "rita": "reviewer", "max": "manager"}
    return {name: user(store, name, role) for name, role in names.items()}


def person_of(store, task_id: int) -> int:
    with store.reading() as connection:
        return connection.scalar(sql.select(task_table.c.person_id).where(task_table.c.id == task_id))


def annotate(store, rules, who, task_id: int) -> None:
    """Paints a torso, asks, answers all, submits."""
    edits.set_parts(store, rules, who, task_id, {1: square(50, 200)}, version=1)
    edits.resample_points(store, rules, who, task_id, SURFACE.sample_points, version=2)
    with store.reading() as connection:
        ids = connection.scalars(sql.select(points.c.id).where(points.c.task_id == task_id)).all()
    for k, point_id in enumerate(ids):
        click = Answer(Click(view=0, x=10 * k, y=5))
        edits.answer_point(store, rules, who, task_id, point_id, click, SURFACE.point_at, version=3 + k)
    tasks.submit(store, rules, who, task_id)


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
