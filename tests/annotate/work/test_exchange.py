"""Out as COCO-DensePose and in again: coordinates to the pixel, masks, what was not answered; gold people measured."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sql
from tests.annotate.fakes import FlatSurface, write_photos
from tests.annotate.work.test_tasks import annotate, user

from opendensepose.annotate.server.plots import PLOTS
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.exchange import MESH, export_document, import_document
from opendensepose.annotate.work.gold import add_gold, write_gold
from opendensepose.annotate.work.photos import add_boxes, add_photos
from opendensepose.annotate.work.quality import quality_document
from opendensepose.annotate.work.store import open_store, people, points
from opendensepose.annotate.work.store import photos as photo_table
from opendensepose.annotators import measure_annotators
from opendensepose.data import CocoDensePose, check_file
from opendensepose.data.json_files import write_json

SURFACE, RULES = FlatSurface(), tasks.Rules()


class StraightDistances:
    """Metres between labels: the distance in U and V; charts are a metre apart."""

    surface = "a flat body"

    def between_labels(self, a, b):
        return np.hypot(a[1] - b[1], a[2] - b[2]) + (a[0] != b[0])


@pytest.fixture
def done(store, tmp_path):
    """A store with one person whose torso was annotated by ann, on a box that has no whole pixels."""
    add_photos(store, write_photos(tmp_path / "photos", 2))
    entry = {"id": 5, "image_id": 7, "bbox": [3.25, 2.5, 40.5, 38.0]}
    add_boxes(store, {"images": [{"id": 7, "file_name": "photo1.png"}], "annotations": [entry]})
    ann = user(store, "ann")
    annotate(store, RULES, ann, tasks.next_task(store, RULES, ann))
    return store


def test_an_export_has_no_defects_and_reads_the_annotated_pixels(done, tmp_path):
    for vertex in (False, True):
        document = export_document(done, SURFACE.to_iuv, vertex=vertex)
        path = tmp_path / f"annotations{vertex}.json"
        write_json(path, document)
        assert check_file(path, tmp_path / "photos").defects == []
    (entry,) = document["annotations"]
    assert entry["annotator"] == "ann" and entry["ref_model"] == MESH and len(entry["dp_vertex"]) == len(entry["dp_x"])
    with done.reading() as connection:
        asked = connection.execute(sql.select(points).order_by(points.c.rank)).all()
    x0, y0, width, height = entry["bbox"]
    for k, point in enumerate(asked):
        assert int(entry["dp_x"][k] / 255 * width + x0) == int(point.x)
        assert int(entry["dp_y"][k] / 255 * height + y0) == int(point.y)
    person = CocoDensePose(document).person(entry["id"])
    assert np.allclose(person.u, [point.weight_1 for point in asked]) and (person.mask == 1).any()


def test_what_is_exported_comes_back_the_same(done, tmp_path):
    document = export_document(done, SURFACE.to_iuv)
    document["annotations"][0]["dp_unanswered"] = [{"x": 9.5, "y": 9.5, "part": 1, "reason": "not visible"}]
    document["annotations"][0]["keypoints"] = [0.0] * 51
    other = open_store(tmp_path / "other.sqlite", done.clock)
    add_photos(other, tmp_path / "photos")
    assert import_document(other, document, SURFACE.to_points) == {"people": 1, "known": 0, "problems": []}
    assert import_document(other, document, SURFACE.to_points)["known"] == 1  # not doubled
    bob = user(other, "bob")
    task_id = tasks.next_task(other, RULES, bob)
    tasks.submit(other, RULES, bob, task_id)
    again = export_document(other, SURFACE.to_iuv)
    for name in ("bbox", "dp_masks", "dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_unanswered", "keypoints", "area"):
        assert again["annotations"][0][name] == document["annotations"][0][name], name
    other.close()


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


def flat_picture(rng, size_hw, framing, num_people):
    """A person who fills the photo's middle and shows chart 1 with U, V growing to the right and down."""
    height, width = size_hw
    i = np.zeros(size_hw, np.uint8)
    i[100:540, 100:540] = 1
    y, x = np.mgrid[:height, :width]
    u, v = (np.where(i, (values / 640 * 0.5).astype(np.float32), 0) for values in (x, y))
    boxes = np.array([[100, 100, 540, 540.0]])
    pixels = np.zeros((*size_hw, 3), np.uint8)
    return SimpleNamespace(image_rgb=pixels, i=i, u=u, v=v, person=i, boxes_xyxy=boxes)


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
