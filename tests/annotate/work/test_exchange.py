"""Export as COCO-DensePose and import of it: coordinates to the pixel, masks, unanswered points."""

import numpy as np
import pytest
import sqlalchemy as sql
from tests.annotate.annotating import annotate, user
from tests.annotate.fakes import FlatSurface, write_photos

from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.exchange import MESH, export_document
from opendensepose.annotate.work.importing import import_document
from opendensepose.annotate.work.photos import add_boxes, add_photos
from opendensepose.annotate.work.store import open_store, points
from opendensepose.data import CocoDensePose, check_file
from opendensepose.data.json_files import write_json

SURFACE, RULES = FlatSurface(), tasks.Rules()
NOTHING = {"people": 0, "known": 0, "updated": 0, "begun": 0, "done": 0, "problems": []}


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
    assert import_document(other, document, SURFACE.to_points) == NOTHING | {"people": 1}
    assert import_document(other, document, SURFACE.to_points)["known"] == 1  # not doubled
    bob = user(other, "bob")
    task_id = tasks.next_task(other, RULES, bob)
    tasks.submit(other, RULES, bob, task_id)
    again = export_document(other, SURFACE.to_iuv)
    for name in ("bbox", "dp_masks", "dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_unanswered", "keypoints", "area"):
        assert again["annotations"][0][name] == document["annotations"][0][name], name
    other.close()
