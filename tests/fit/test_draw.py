"""The body over the photo: it covers the person's pixels, the 3D scene has bodies, photo and camera."""

import json
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.fit.people import CAMERA, labelled, placement, vertices_of
from tests.texture.test_gltf import khronos_report

from opendensepose.fit.body_fit import BodyFit
from opendensepose.fit.draw import draw_bodies, scene_glb
from opendensepose.surface import load_surface
from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Texture


@pytest.fixture(scope="module")
def fit():
    vertices = vertices_of(placement(1))
    return BodyFit(CAMERA, vertices, np.eye(4, dtype=np.float32)[None], ("root",), {"age": 0.5}, {"neck": 0.5}, 0.1)


def photo(level: int = 90) -> np.ndarray:
    return np.full((*CAMERA.size_hw, 3), level, np.uint8)


def test_the_body_covers_the_person_and_nothing_else(fit):
    person, picture = labelled(fit.vertices), draw_bodies(photo(), [fit])
    assert max(picture.shape) == 900
    changed = np.abs(picture.astype(int) - 90).max(2) > 12
    there = cv2.resize(person.iuv.i, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert (changed & there).sum() / (changed | there).sum() > 0.9


def test_the_photo_stays_where_there_is_no_body_and_its_size_is_checked(fit):
    assert (draw_bodies(np.tile(photo(), (8, 8, 1)), []) == 90).all()
    behind = replace(fit, vertices=fit.vertices - np.float32([0, 20, 0]))
    assert (draw_bodies(photo(), [behind]) == 90).all()
    with pytest.raises(ValueError, match="the body is of a photo of"):
        draw_bodies(photo()[:50], [fit])


@pytest.fixture(scope="module")
def glb(fit):
    texture = Texture(np.full((64, 64, 3), 99, np.uint8), np.zeros((64, 64), np.uint8), map_layout(64))
    return scene_glb(photo(), [fit, fit], [texture, texture])


def test_the_scene_has_the_bodies_the_photo_and_its_camera(glb):
    size = struct.unpack_from("<I", glb, 12)[0]
    content = json.loads(glb[20 : 20 + size])
    assert {"body_1", "body_2", "photo"} <= {node.get("name") for node in content["nodes"]}
    (camera,) = content["cameras"]
    assert camera["perspective"]["yfov"] == pytest.approx(2 * np.arctan(64 / CAMERA.focal_px))
    lengths = {accessor["count"] for accessor in content["accessors"]}
    assert 3 * len(load_surface().faces) in lengths and 6 in lengths


def test_the_khronos_validator_finds_nothing_wrong(glb, tmp_path):
    report = khronos_report(glb, tmp_path)
    assert (report["issues"]["numErrors"], report["issues"]["numWarnings"]) == (0, 0), report["issues"]["messages"]
