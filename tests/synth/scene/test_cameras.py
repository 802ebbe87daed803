"""Cameras and framings see what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.cameras import (
    _close_up,
    _frame,
    frame_portrait,
    portrait_camera,
    scene_camera,
    scene_spots,
    whole_photo,
)

SIZE = (128, 96)


def _portrait(seed, enabled=None):
    rng = np.random.default_rng(seed)
    points = load_body().coordinates.rest[::9] + np.array([0, 0, 0.87], np.float32)
    middle = (points.min(0) + points.max(0)) / 2
    camera = portrait_camera(rng, enabled or Ingredients(), middle, np.linalg.norm(points - middle, axis=1).max())
    return points, *frame_portrait(rng, enabled or Ingredients(), camera, points, SIZE), rng


@pytest.mark.parametrize("seed", range(12))
def test_a_portrait_without_cuts_shows_the_whole_person_with_padding(seed):
    points, camera, _, _ = _portrait(seed, replace(Ingredients(), truncation=False))
    xy = camera.project(points)
    size = np.ptp(xy, axis=0)
    assert (xy.min(0) > 0).all() and (xy.max(0) < [SIZE[1], SIZE[0]]).all()
    assert max(size / [SIZE[1], SIZE[0]]) > 0.55


@pytest.mark.parametrize("seed", range(12))
def test_the_part_of_the_person_inside_the_photo_is_inside_the_crop(seed):
    points, camera, frame, _ = _portrait(seed)
    xy = camera.project(points)
    seen = xy[((xy > frame[:2]) & (xy < frame[2:])).all(1)]
    inside = ((seen > -0.05 * SIZE[1]) & (seen < np.array([SIZE[1], SIZE[0]]) + 0.05 * SIZE[1])).all(1)
    assert inside.mean() > 0.98


@pytest.mark.parametrize("seed", range(12))
def test_a_whole_photo_ends_where_the_person_is_cut(seed):
    points, shown, frame, rng = _portrait(seed)
    photo = whole_photo(rng, shown, frame, points, SIZE)
    xy, before = photo.project(points), shown.project(points)
    if before[:, 1].max() > frame[3] + 1:  # cut below
        at = xy[np.argmin(np.abs(before[:, 1] - frame[3])), 1]
        assert abs(at - SIZE[0]) < 0.1 * SIZE[0]


def test_scene_spots_are_apart_and_in_front_of_the_camera():
    rng = np.random.default_rng(0)
    for _ in range(10):
        camera = scene_camera(rng, SIZE)
        spots = scene_spots(rng, camera, 4)
        apart = np.linalg.norm(spots[:, None] - spots[None], axis=-1) + 9 * np.eye(len(spots))
        assert apart.min() > 0.4
        assert (camera.to_camera(np.c_[spots, np.ones(len(spots))])[:, 2] > 0.5).all()


def test_close_ups_end_between_the_chin_and_the_knees_of_an_upright_person():
    box = np.array([10.0, 20.0, 40.0, 120.0])
    bottoms = []
    for seed in range(60):
        frame = _close_up(np.random.default_rng(seed), box)
        bottoms.append((frame[3] - box[1]) / 100)
        assert frame[0] < frame[2] and frame[1] < frame[3]
    assert 0.18 < min(bottoms) and max(bottoms) < 0.73 and np.ptp(bottoms) > 0.4


def test_wide_boxes_have_no_close_ups():
    box, rng, again = np.array([0.0, 0.0, 100.0, 50.0]), np.random.default_rng(1), np.random.default_rng(1)
    assert np.array_equal(_frame(rng, box, close_ups=True), _frame(again, box, close_ups=False))
