"""Agreement between annotators and time per point."""

import json

import sqlalchemy as sql
from tests.annotate.annotating import annotate, user
from tests.annotate.fakes import FlatSurface, StraightDistances, write_photos

from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.photos import add_photos
from opendensepose.annotate.work.quality import quality_document, seconds_per_point
from opendensepose.annotate.work.store import people
from opendensepose.annotate.work.store import photos as photo_table

SURFACE = FlatSurface()


def test_agreement_of_two_annotators_who_say_the_same_is_full(store, tmp_path, clock):
    add_photos(store, write_photos(tmp_path / "photos", 1))
    with store.writing() as connection:
        box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0}
        photo_id = connection.scalar(sql.select(photo_table.c.id))
        connection.execute(people.insert().values(photo_id=photo_id, is_gold=False, times_submitted=0, **box))
    rules = tasks.Rules(annotators_per_person=2)
    for name in ("ann", "bob"):
        who = user(store, name)
        annotate(store, rules, who, tasks.next_task(store, rules, who))
    quality = quality_document(store, SURFACE.to_iuv, StraightDistances())
    (pair,) = quality["agreement"]
    assert pair["annotators"] == ["ann", "bob"] and pair["mask_iou"] == pair["part_agreement"] == 1
    assert pair["points"] == 2 and pair["distance_cm"] == 0
    assert quality["progress"]["tasks"]["submitted"] == 2 and quality["progress"]["people"] == 1
    json.dumps(quality, allow_nan=False)
    for draw in PLOTS.values():
        assert draw(quality).startswith("<svg")


def test_time_per_point_is_the_median_on_one_person_without_pauses(store, crowd, clock):
    assert seconds_per_point(store) == {}
    ann = crowd["ann"]
    task_id, other = (tasks.next_task(store, tasks.Rules(), crowd[name]) for name in ("ann", "bob"))
    for wait, task in ((0, task_id), (4, task_id), (1, other), (5, task_id), (500, task_id), (10, task_id)):
        clock.pass_seconds(wait)
        with store.writing() as connection:
            tasks.log(connection, store, ann, task, "answer")
    assert seconds_per_point(store) == {"ann": 6.0}  # of 4, 1 + 5 and 10 seconds
