"""Import: what is unsound is left out, finished work keeps its state and comments, known people are updated."""

import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, user
from tests.annotate.fakes import FlatSurface, write_photos

from opendensepose.annotate.work import review, tasks
from opendensepose.annotate.work.exchange import export_document
from opendensepose.annotate.work.importing import import_document
from opendensepose.annotate.work.photos import add_boxes, add_photos
from opendensepose.annotate.work.review import Comment, task_comments
from opendensepose.annotate.work.store import open_store, people, points
from opendensepose.annotate.work.store import tasks as task_table

SURFACE, RULES = FlatSurface(), tasks.Rules()


@pytest.fixture
def exported(store, tmp_path):
    """A document of three people: accepted with a comment, sent back, skipped; and the store they are from."""
    add_photos(store, write_photos(tmp_path / "photos", 3))
    boxes = [{"id": k, "image_id": k, "bbox": [3.25, 2.5, 40.5, 38.0]} for k in range(3)]
    images = [{"id": k, "file_name": f"photo{k}.png"} for k in range(3)]
    add_boxes(store, {"images": images, "annotations": boxes})
    ann, rita = user(store, "ann"), user(store, "rita", "reviewer")
    first, second = (tasks.next_task(store, RULES, ann, after) for after in (None, 1))
    for task_id in (first, second):
        annotate(store, RULES, ann, task_id)
        with store.reading() as connection:
            point = connection.scalar(sql.select(points.c.id).where(points.c.task_id == task_id).limit(1))
        review.send_back(store, rita, task_id, [Comment("<b>too high</b>", point), Comment("else good")])
    tasks.submit(store, RULES, ann, first)
    review.accept(store, rita, first)
    tasks.skip(store, RULES, ann, tasks.next_task(store, RULES, ann, second), "too dark")
    return export_document(store, SURFACE.to_iuv, unfinished=True)


@pytest.fixture
def other(exported, tmp_path, store):
    with open_store(tmp_path / "other.sqlite", store.clock) as other:
        add_photos(other, tmp_path / "photos")
        yield other


def test_state_and_comments_are_exported_and_come_back(exported, other):
    assert [entry["status"] for entry in exported["annotations"]] == ["accepted", "sent_back"]
    assert [one["reason"] for one in exported["dp_skipped"]] == ["too dark"]
    first = exported["annotations"][0]["comments"]
    assert [(one["author"], one["text"]) for one in first] == [("rita", "<b>too high</b>"), ("rita", "else good")]
    assert first[0]["x"] is not None and first[1]["x"] is None
    result = import_document(other, exported, SURFACE.to_points, done=True)
    assert (result["people"], result["done"], result["problems"]) == (3, 3, [])
    again = export_document(other, SURFACE.to_iuv, unfinished=True)
    for one, two in zip(exported["annotations"], again["annotations"], strict=True):
        assert {**one, "id": 0} == {**two, "id": 0}
    assert again["dp_skipped"] == exported["dp_skipped"]
    with other.reading() as connection:
        assert len(task_comments(connection, 1)) == 2
    bob = user(other, "bob")
    got = tasks.next_task(other, RULES, bob)  # only who was skipped is left
    with other.reading() as connection:
        assert tasks.readable_task(connection, bob, got).person_id == 3
    assert tasks.next_task(other, RULES, bob, got) == got


def test_who_came_with_proposals_is_still_told_after_import(exported, other):
    first, second = exported["annotations"]
    first["proposals"], second["proposals"] = True, "maybe"  # as another tool may use the word
    import_document(other, exported, SURFACE.to_points, done=True)
    again = export_document(other, SURFACE.to_iuv, unfinished=True)
    assert [entry["proposals"] for entry in again["annotations"]] == [True, False]


def test_a_second_import_updates_what_nobody_changed(exported, other):
    import_document(other, exported, SURFACE.to_points, done=True)
    entry = exported["annotations"][0]
    entry["dp_x"] = [value + 2 for value in entry["dp_x"]]
    entry["comments"] = []
    assert import_document(other, exported, SURFACE.to_points, done=True)["known"] == 3
    result = import_document(other, exported, SURFACE.to_points, done=True, update=True)
    assert (result["people"], result["updated"], result["begun"]) == (0, 3, 0)
    again = export_document(other, SURFACE.to_iuv)["annotations"][0]
    assert again["dp_x"] == pytest.approx(entry["dp_x"], abs=0.1) and "comments" not in again
    max_ = user(other, "max", "manager")
    review.send_back(other, max_, 1, [Comment("look again")])
    result = import_document(other, exported, SURFACE.to_points, done=True, update=True)
    assert (result["updated"], result["begun"]) == (2, 1)  # work on the first began


def test_a_box_that_moved_a_little_is_the_same_person(exported, other):
    del exported["dp_skipped"]
    import_document(other, exported, SURFACE.to_points)
    exported["annotations"][1]["bbox"][0] += 2
    result = import_document(other, exported, SURFACE.to_points, update=True)
    assert (result["people"], result["updated"]) == (0, 2)
    with other.reading() as connection:
        assert sorted(connection.scalars(sql.select(people.c.x0)).all()) == [3.25, 5.25]


def test_work_with_open_points_is_imported_as_begun(exported, other):
    exported["annotations"][0]["dp_unanswered"] = [{"x": 9.5, "y": 9.5, "part": 1}]
    import_document(other, exported, SURFACE.to_points, done=True)
    with other.reading() as connection:
        assert connection.scalars(sql.select(task_table.c.status).order_by(task_table.c.id)).first() == "open"


HOSTILE = ["a\0b", 5, 1e300, [], {}, True, None, "x" * 10_000, -1, [None], [[]], {"a": "\0"}]


@pytest.mark.parametrize(
    "field", ["dp_unanswered", "comments", "annotator", "status", "dp_I", "dp_masks", "bbox", "id"]
)
def test_hostile_fields_stop_nobody(exported, other, field):
    bob = user(other, "bob")
    for value in (*HOSTILE, [{"x": 9, "y": 9, "part": 1, "reason": "a\0b"}], [{"author": "a\0", "text": "b"}]):
        entry = {**exported["annotations"][0], field: value}
        document = {**exported, "annotations": [entry], "dp_skipped": value}
        for done in (False, True):
            try:
                import_document(other, document, SURFACE.to_points, done=done, update=True)
            except ValueError:
                continue
    for _ in range(3):
        task_id = tasks.next_task(other, RULES, bob)
        if task_id is not None:
            tasks.skip(other, RULES, bob, task_id, "next")
    export_document(other, SURFACE.to_iuv, unfinished=True)


def test_what_an_older_version_let_in_stops_nobody(store, exported):
    bob = user(store, "bob")
    poison = {"points": [{"part": 1, "x": 5.0, "y": 5.0, "reason": "a\0b"}], "parts": {}, "entry": {}}
    with store.writing() as connection:
        box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0, "photo_id": 1, "is_gold": False, "times_submitted": 0}
        connection.execute(people.insert().values(**box, prefill=poison))
    for _ in range(2):
        tasks.skip(store, RULES, bob, tasks.next_task(store, RULES, bob), "next")


def test_unsound_entries_are_told_and_left_out(store, tmp_path):
    add_photos(store, write_photos(tmp_path / "photos", 1))
    sound = {"id": 1, "image_id": 1, "bbox": [0, 0, 30, 30]}
    bad = [
        {"bbox": [0, 0, -1, 5]},
        {"dp_masks": ["x"]},
        {"dp_x": [1], "dp_y": [1], "dp_I": [99], "dp_U": [0], "dp_V": [0]},
    ]
    bad += [{"dp_unanswered": [{"x": 1e9, "y": 0, "part": 1}]}, {"bbox": [0, 0, 1, 1]}, {"dp_unanswered": [3]}]
    entries = [sound, *({**sound, **change, "id": 2 + k} for k, change in enumerate(bad))]
    images = [{"id": 1, "file_name": "photo0.png"}, {"id": 2, "file_name": "nowhere.png"}]
    result = import_document(store, {"images": images, "annotations": entries}, SURFACE.to_points)
    assert result["people"] == 1 and len(result["problems"]) == len(bad) + 1
    with pytest.raises(ValueError, match="annotations"):
        import_document(store, [], SURFACE.to_points)
