"""Gold people: rendered once per seed, annotated like others, and measured against their truth."""

import random
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, user
from tests.annotate.fakes import FlatSurface, StraightDistances, flat_picture

from opendensepose.annotate.team.quality import Measured, gold_errors, quality_document
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.exchange import export_document
from opendensepose.annotate.work.gold import add_gold, read_truth, write_gold
from opendensepose.annotate.work.predictions import predict_points
from opendensepose.annotate.work.store import gold as gold_table
from opendensepose.annotate.work.store import open_store, people, points
from opendensepose.annotators import measure_annotators

SURFACE = FlatSurface()


def test_gold_people_measure_annotators(store, tmp_path):
    assert add_gold(store, 2, seed=3, render=flat_picture) == 2
    assert add_gold(store, 2, seed=3, render=flat_picture) == 0  # the same ones
    rules, ann = tasks.Rules(gold_rate=0.99, rng=random.Random(0)), user(store, "ann")
    for _ in range(2):
        task_id = tasks.next_task(store, rules, ann)
        annotate(store, rules, ann, task_id)
    with store.reading() as connection:
        said = connection.execute(sql.select(points)).all()
    distances = StraightDistances()
    expected = [np.hypot(int(p.x) / 1280 - p.weight_1, int(p.y) / 1280 - p.weight_2) for p in said]
    (line,) = [one for one in quality_document(store, SURFACE.to_iuv, distances)["annotators"] if one["name"] == "ann"]
    assert line["gold_people"] == 2 and line["points"] == len(said) == 4
    assert line["error_cm"] == pytest.approx(100 * np.mean(expected), abs=0.01)
    path = write_gold(store, tmp_path / "gold", SURFACE.to_iuv)
    (measured,) = measure_annotators(path, tmp_path / "gold", distances)  # the verb `annotators` finds the same
    assert measured.annotator == "ann"
    assert 100 * measured.error_m.mean() == pytest.approx(line["error_cm"], abs=0.01)
    assert export_document(store, SURFACE.to_iuv)["annotations"] == []  # gold is no data


def test_errors_with_and_without_proposals_are_apart(store):
    """The first person came with proposals; the annotators' errors on both add up to the whole."""
    add_gold(store, 2, seed=3, render=flat_picture)
    rules, ann = tasks.Rules(gold_rate=0.99, rng=random.Random(0)), user(store, "ann")
    for rate in (1.0, 0.0):
        task_id = tasks.next_task(store, rules, ann)
        shown, labels = tasks.Rules(proposal_rate=rate), SURFACE.label_person(None, None, None)
        show = partial(predict_points, store, shown, ann, task_id, lambda task, said=labels: said)
        annotate(store, rules, ann, task_id, before_answers=show)
    distances = StraightDistances()
    measured = Measured()
    of_kind = {kind: gold_errors(store, SURFACE.to_iuv, distances, measured, kind) for kind in (None, True, False)}
    assert [ones["ann"].num_people for ones in of_kind.values()] == [2, 1, 1]
    (line,) = [one for one in quality_document(store, SURFACE.to_iuv, distances)["annotators"] if one["name"] == "ann"]
    for name, kind in (("error_cm", None), ("with_proposals_cm", True), ("without_proposals_cm", False)):
        assert line[name] == pytest.approx(100 * of_kind[kind]["ann"].error_m.mean(), abs=0.01)
    entries = export_document(store, SURFACE.to_iuv, gold=True)["annotations"]
    assert [entry["proposals"] for entry in entries] == [True, False]


def test_the_same_seed_gives_the_same_people_and_a_box_with_a_margin(store, tmp_path):
    seeds = []

    def render(rng, size_hw, framing, num_people):
        seeds.append(rng.integers(10**9))
        return flat_picture(rng, size_hw, framing, num_people)

    with open_store(tmp_path / "other.sqlite") as other:
        for one in (store, other):
            assert add_gold(one, 2, seed=5, render=render) == 2
    assert seeds[:2] == seeds[2:] and seeds[0] != seeds[1]
    with store.reading() as connection:
        boxes = {(row.x0, row.y0, row.x1, row.y1) for row in connection.execute(sql.select(people))}
        truth = read_truth(connection.scalars(sql.select(gold_table.c.truth)).first())
    assert boxes == {(87, 87, 553, 553)}  # 3 % of 440 pixels around 100..540
    assert (truth.i[100:540, 100:540] == 1).all() and truth.i.sum() == 440**2


def test_people_who_are_too_small_are_refused(store):
    def render(rng, size_hw, framing, num_people):
        return SimpleNamespace(boxes_xyxy=np.array([[0, 0, 100, 100]]))

    with pytest.raises(ValueError, match="another seed"):
        add_gold(store, 1, seed=5, render=render)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        add_gold(store, 0, seed=5, render=render)
