"""Dense labels of a training set: what they keep, resuming, and bad input."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from opendensepose.cli import app
from opendensepose.data import category, person_annotation, read_annotations
from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.fcn.teacher import Teacher
from opendensepose.models.zoo import build_model
from opendensepose.surface import CHART_TO_PART
from opendensepose.training.distill import dense_labels, distill

TINY = {"side": 64, "depth": 18, "width": 32, "norm": "group", "channels": 32, "scales": [1.0]}


@pytest.fixture
def teacher(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "teacher.safetensors"
    save_checkpoint(path, build_model("teacher", **TINY), "teacher", TINY)
    return path


@pytest.fixture
def data(tmp_path):
    """Two pictures of two overlapping people, torso above lower legs, and one of nobody."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for image_id in (1, 2, 3):
        Image.fromarray(np.full((80, 100, 3), 90, np.uint8)).save(folder / "images" / f"{image_id}.png")
        images.append({"id": image_id, "file_name": f"{image_id}.png", "height": 80, "width": 100})
        for k, x in enumerate((10, 40)):
            i = np.zeros((80, 100), np.uint8)
            i[10:40, x : x + 35], i[40:70, x : x + 35] = 2, 13
            v, u = np.mgrid[:80, :100].astype(np.float32) / 100 * (i > 0)
            if image_id < 3:
                annotations.append(
                    person_annotation(
                        annotation_id=10 * image_id + k, image_id=image_id, i=i, u=u, v=v,
                        keypoints=np.zeros((17, 3), np.float32),
                    )
                )  # fmt: skip
    document = {"images": images, "annotations": annotations, "categories": [category()]}
    (folder / "annotations.json").write_text(json.dumps(document))
    return folder


def test_labels_lie_in_the_masks_with_charts_of_the_part_and_points_stay(teacher, data):
    made = distill(teacher, data)
    assert made.folder == data / "dense_targets" and (made.num_images, made.num_people) == (2, 4)
    with np.load(made.folder / "1.npz") as labels:
        i, u, v, person = (labels[name] for name in ("I", "U", "V", "instance"))
    assert (i.dtype, u.dtype, v.dtype, person.dtype) == (np.uint8, np.float32, np.float32, np.uint8)
    assert i.shape == u.shape == v.shape == person.shape == (80, 100)
    inside = np.zeros((80, 100), bool)
    inside[10:70, 10:75] = True
    assert ((i > 0) == inside).all() and ((person > 0) == inside).all() and not u[~inside].any()
    assert (CHART_TO_PART[i[10:40, 10:75]] == 1).all() and (CHART_TO_PART[i[40:70, 10:75]] == 8).all()
    assert (person[10:70, 10:40] == 1).all() and (person[10:70, 45:75] == 2).all()
    for one in read_annotations(data / "annotations.json").people(1)[1:]:
        column, row = one.point_xy.astype(int).T
        assert (i[row, column] == one.i).all() and (u[row, column] == one.u).all() and (v[row, column] == one.v).all()


def test_it_goes_on_where_it_stopped(teacher, data):
    folder = distill(teacher, data, mirrored=False).folder
    first, second = ((folder / name).read_bytes() for name in ("1.npz", "2.npz"))
    (folder / "1.npz").unlink()
    (folder / "2.npz").write_bytes(b"kept")
    made = distill(teacher, data, mirrored=False)
    assert made.num_people == 2 and (folder / "2.npz").read_bytes() == b"kept"
    with np.load(folder / "1.npz") as again:
        (folder / "before.npz").write_bytes(first)
        with np.load(folder / "before.npz") as before:
            assert all((again[name] == before[name]).all() for name in ("I", "U", "V", "instance"))
    assert second


def test_bad_input_is_said(teacher, data, tmp_path):
    distill(teacher, data)
    with pytest.raises(ValueError, match="another teacher began"):
        distill(teacher, data, mirrored=False)
    with pytest.raises(ValueError, match="is a DensePoseLite: dense labels are made by a teacher"):
        distill("default", data, tmp_path / "other")
    (data / "images" / "2.png").unlink()
    with pytest.raises(OSError, match=r"2\.png"):
        distill(teacher, data, tmp_path / "other")
    document = json.loads((data / "annotations.json").read_text())
    (data / "annotations.json").write_text(json.dumps(document | {"annotations": []}))
    with pytest.raises(ValueError, match="no annotated person"):
        distill(teacher, data, tmp_path / "third")


def test_the_verb(teacher, data, tmp_path):
    done = CliRunner().invoke(
        app, ["distill", str(teacher), "--data", str(data), "--out", str(tmp_path / "dense"), "--no-mirrored"]
    )
    assert done.exit_code == 0, done.output
    assert "2 images" in done.stdout and "filled in now: 4" in done.stdout
    assert sorted(path.name for path in (tmp_path / "dense").iterdir()) == ["1.npz", "2.npz", "about.json"]


def test_nobody_with_points_is_all_background():
    labels = dense_labels(Teacher(**TINY), np.zeros((8, 9, 3), np.uint8), [])
    assert all(one.shape == (8, 9) and not one.any() for one in labels.values())
