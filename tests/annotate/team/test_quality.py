"""Agreement between annotators and time per point."""

import json
import random

import sqlalchemy as sql
from tests.annotate.annotating import annotate, user
from tests.annotate.fakes import FlatSurface, StraightDistances, flat_picture, write_photos

from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.team.quality import Measured, quality_document, seconds_per_point
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.gold import add_gold
from opendensepose.annotate.work.photos import add_photos
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
    quality = quality_document(store, SURFACE.to_iuv, StraightDistances(), annotators_per_person=2)
    (pair,) = quality["agreement"]
    assert pair["annotators"] == ["ann", "bob"] and pair["mask_iou"] == pair["part_agreement"] == 1
    assert pair["points"] == 2 and pair["distance_cm"] == 0
    assert quality["progress"]["submitted"] == 1 and quality["progress"]["people"] == 1
    json.dumps(quality, allow_nan=False)
    for draw in PLOTS.values():
        assert draw(quality).startswith("<svg")


def test_time_per_point_is_the_median_on_one_person_without_pauses(store, crowd, clock):
    measured = Measured()
    assert seconds_per_point(store, measured) == {}
    ann = crowd["ann"]
    task_id, other = (tasks.next_task(store, tasks.Rules(), crowd[name]) for name in ("ann", "bob"))
    for wait, task in ((0, task_id), (4, task_id), (1, other), (5, task_id), (500, task_id), (10, task_id)):
        clock.pass_seconds(wait)
        with store.writing() as connection:
            tasks.log(connection, store, ann, task, "answer")
        told = seconds_per_point(store, measured)  # the log is read on, not again
    assert told == {"ann": 6.0} == seconds_per_point(store, Measured())  # of 4, 1 + 5 and 10 seconds


def test_only_what_changed_is_measured_again(store, tmp_path):
    add_gold(store, 2, seed=3, render=flat_picture)
    rules, ann = tasks.Rules(gold_rate=0.99, rng=random.Random(0)), user(store, "ann")
    first, second = (tasks.next_task(store, rules, ann, after) for after in (None, 1))
    annotate(store, rules, ann, first)
    located = []

    class Counting(StraightDistances):
        def locate(self, labels):
            located.append(len(labels[0]))
            return super().locate(labels)

    measured = Measured()
    for _ in range(2):
        quality_document(store, SURFACE.to_iuv, Counting(), measured)
    once = len(located)
    assert once > 0
    annotate(store, rules, ann, second)
    (line,) = quality_document(store, SURFACE.to_iuv, Counting(), measured)["annotators"]
    assert line["gold_people"] == 2 and len(located) == 2 * once
    fresh = quality_document(store, SURFACE.to_iuv, StraightDistances())
    assert fresh["annotators"] == [line]
