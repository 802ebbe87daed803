"""`render`, a stand-in for synth.generate.render_images: upright ellipses as bodies, upper half chart 2, lower half
chart 1, U down and V across."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from opendensepose.data.coco import category, person_annotation
from opendensepose.training.annotated.transforms import Transforms
from opendensepose.training.recipe import Recipe
from opendensepose.training.recipes import default, rcnn


def render_ellipses(rngs, size_hw, framing="scene", num_people=None, device="cpu", pool_seed=0, ingredients=None):
    """One picture per generator."""
    return [_picture(rng, size_hw, framing, num_people) for rng in rngs]


def _picture(rng, size_hw, framing, num_people):
    """Flat coloured ellipses on noise, with the fields of RenderedImage that training reads. Later people are in
    front."""
    if num_people is None:
        num_people = 1 + int(rng.integers(2)) if framing == "portrait" else int(rng.integers(4))
    height, width = size_hw
    image = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
    i, person = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8)
    u, v = np.zeros(size_hw, np.float32), np.zeros(size_hw, np.float32)
    y, x = np.mgrid[:height, :width] + 0.5
    boxes = []
    for k in range(1, num_people + 1):
        portrait = framing == "portrait" and k == 1
        half_h = height * (0.42 if portrait else rng.uniform(0.1, 0.3))
        half_w = half_h * 0.5
        centre_y = height / 2 if portrait else rng.uniform(half_h, height - half_h)
        centre_x = width / 2 if portrait else rng.uniform(half_w, width - half_w)
        if framing == "portrait" and k > 1:
            centre_x = width * 0.95
        inside = ((y - centre_y) / half_h) ** 2 + ((x - centre_x) / half_w) ** 2 <= 1
        if framing == "portrait" and k > 1:
            inside &= person != 1
        if not inside.any():
            continue
        image[inside] = [220, 160, 120] if k == 1 else [200, 180, 90]
        person[inside] = k
        i[inside] = np.where(y < centre_y, 2, 1)[inside]
        u[inside] = ((y - centre_y + half_h) / (2 * half_h))[inside]
        v[inside] = ((x - centre_x + half_w) / (2 * half_w))[inside]
    for k in range(1, num_people + 1):
        ys, xs = np.nonzero(person == k)
        if len(ys):
            boxes.append([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    keypoints = np.zeros((num_people, 17, 3), np.float32)
    keypoints[..., :2], keypoints[..., 2] = rng.uniform(0, min(size_hw), (num_people, 17, 2)), 2
    yaws = rng.uniform(-np.pi, np.pi, num_people).astype(np.float32)
    return SimpleNamespace(image_rgb=image, i=i, u=u, v=v, person=person, boxes_xyxy=boxes, keypoints=keypoints,
                           yaws=yaws)  # fmt: skip


@pytest.fixture
def render():
    return render_ellipses


@pytest.fixture
def rendered_recipe():
    """A function that makes a recipe which runs in seconds."""

    def make(**changes):
        values = {
            "name": "tiny",
            "architecture": "densepose_lite",
            "kwargs": {"widths": (8, 8, 8, 8), "depths": (0, 0, 0, 0), "dense_channels": 8, "crop_hw": (64, 32)},
            "crop_hw": (64, 32),
            "crop_scales": ((0.5, 0.5), (1.0, 0.5)),
            "cooldown_crop_scales": ((1.0, 1.0),),
            "photo_sides": (64, 32),
            "photo_scales": ((1.0, 1.0),),
            "steps": 6,
            "minutes": None,
            "reuse": 1,
            "batch_size": 4,
            "empty_share": 0.0,
            "photo_every": 3,
            "workers": 0,
            "warmup_steps": 2,
            "validate_every": 3,
            "validation_images": 3,
            "norm_batches": 3,
            # bfloat16's gradients of such small grids (1 x 1 cells at stride 32) are now and then NaN in oneDNN
            "precision": "float32",
        }
        return default(**(values | changes))

    return make


TINY_RCNN = {
    "depth": 18, "width": 32, "norm": "group", "stride_in_1x1": False, "channels": 16, "head_channels": 16,
    "head_layers": 1, "decoder": False, "cells": 7, "box_hidden": 16, "short_side": 64, "long_side": 96,
}  # fmt: skip


def write_annotated(folder, count: int = 4, num_people: int = 2, size_hw=(64, 96)):
    """A folder as `render` makes it, of ellipses."""
    (folder / "images").mkdir(parents=True)
    (folder / "dense").mkdir()
    images, annotations = [], []
    for image_id in range(1, count + 1):
        picture = _picture(np.random.default_rng(image_id), size_hw, "scene", num_people)
        Image.fromarray(picture.image_rgb).save(folder / "images" / f"{image_id}.png")
        np.savez(folder / "dense" / f"{image_id}.npz", I=picture.i, U=picture.u, V=picture.v, instance=picture.person)
        images.append({"id": image_id, "file_name": f"{image_id}.png", "height": size_hw[0], "width": size_hw[1]})
        for k in range(1, num_people + 1):
            own = (np.where(picture.person == k, part, 0) for part in (picture.i, picture.u, picture.v))
            entry = person_annotation(
                annotation_id=100 * image_id + k,
                image_id=image_id,
                **dict(zip("iuv", own, strict=True)),
                keypoints=np.zeros((17, 3)),
            )
            if entry is not None:
                annotations.append(entry)
    content = {"images": images, "annotations": annotations, "categories": [category()]}
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def annotated(tmp_path):
    return write_annotated(tmp_path / "data")


def tiny_annotated_recipe(**changes) -> Recipe:
    """Runs in seconds."""
    values = {
        "name": "tiny", "architecture": "densepose_rcnn", "kwargs": TINY_RCNN, "steps": 4, "batch_size": 2,
        "transforms": Transforms((64,), 96, canvas_hw=(64, 96), colour=True), "learning_rate": 1e-3, "warmup_steps": 0,
        "frozen": (), "clip_norm": 35.0,
        "sampling": {"anchors": 32, "proposals_per_level": 50, "proposals": 20, "boxes": 16, "dense": 4},
        "workers": 0, "report_every": 1, "save_every": 2, "validate_every": 4,
    }  # fmt: skip
    return rcnn(**(values | changes))


@pytest.fixture
def annotated_recipe():
    return tiny_annotated_recipe


def metrics_by_step(out_dir, split="train"):
    """{step: {name: value}} of a run's metrics."""
    found = {}
    with (out_dir / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                found.setdefault(int(row["step"]), {})[row["name"]] = float(row["value"])
    return found
