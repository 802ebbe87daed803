"""Moves: image, points, boxes, part masks and dense labels still say the same of each pixel, by different routes."""

import numpy as np
import pytest

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.surface import CHART_TO_PART, PART_NAMES, load_charts, load_surface, mirror_iuv
from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.transforms import (
    MEAN_RGB,
    MIRROR_KEYPOINT,
    MIRROR_PART,
    Transforms,
    crop,
    mirror,
    put_on_canvas,
    scale,
)


@pytest.fixture
def sample(annotated):
    """Two people; the image's colours are random, so that a pixel is known by its colour."""
    sample = AnnotatedImages(annotated, dense="dense").sample(0)
    keypoints = np.zeros((2, 17, 3), np.float32)
    keypoints[:, :, :2] = np.random.default_rng(0).uniform(1, 63, (2, 17, 2))
    keypoints[:, ::2, 2] = 2
    keypoints[:, 1::2] = 0
    image = np.random.default_rng(1).integers(0, 256, sample.image.shape, dtype=np.uint8)
    return sample._replace(image=image, keypoints=keypoints)


def colours(sample):
    column, row = sample.point_xy.astype(int).T
    return sample.image[row, column]


def check_against_dense(sample, exact=True):
    """The points' labels, moved as numbers, against the maps, moved as pictures; the parts likewise."""
    column, row = sample.point_xy.astype(int).T
    same = sample.dense.i[row, column] == sample.point_i
    assert same.all() if exact else same.mean() > 0.95
    atol = 1e-5 if exact else 0.1
    np.testing.assert_allclose(sample.dense.u[row, column][same], sample.point_u[same], atol=atol)
    np.testing.assert_allclose(sample.dense.v[row, column][same], sample.point_v[same], atol=atol)
    assert (sample.dense.person[row, column] == sample.point_person + 1).mean() > (0.999 if exact else 0.95)
    for person, box in enumerate(sample.boxes):
        own = sample.point_person == person
        place = (sample.point_xy[own] - box[:2]) / (box[2:] - box[:2]) * 256
        x, y = np.clip(place, 0, 255).astype(int).T
        assert (sample.parts[person][y, x] == CHART_TO_PART[sample.point_i[own]]).mean() > 0.9
        assert (sample.point_xy[own] >= box[:2]).all() and (sample.point_xy[own] <= box[2:]).all()


def test_mirrored_points_lie_on_the_same_pixels(sample):
    moved = mirror(sample)
    np.testing.assert_array_equal(colours(moved), colours(sample))
    check_against_dense(moved)
    back = mirror(moved)
    for name in ("image", "parts", "point_i"):
        np.testing.assert_array_equal(getattr(back, name), getattr(sample, name))
    for name in ("boxes", "keypoints", "point_xy", "point_u", "point_v"):
        np.testing.assert_allclose(getattr(back, name), getattr(sample, name), atol=1e-5)


def test_the_mirror_rule_is_the_bodys_own_symmetry():
    charts, surface = load_charts(), load_surface()
    rng = np.random.default_rng(0)
    i = np.arange(1, 25, dtype=np.uint8).repeat(20)
    u, v = rng.uniform(0.25, 0.75, (2, len(i))).astype(np.float32)
    places = [charts.to_points(*labels) for labels in ((i, u, v), mirror_iuv(i, u, v))]
    xyz = [(surface.vertices[surface.faces[points.face]] * points.barycentric[..., None]).sum(1) for points in places]
    off = np.linalg.norm(xyz[0] * [-1, 1, 1] - xyz[1], axis=1)
    assert np.median(off) < 0.01 and np.quantile(off, 0.95) < 0.04


def test_sides_of_parts_and_keypoints_are_exchanged():
    swap = {"left": "right", "right": "left"}
    for names, table in ((PART_NAMES, MIRROR_PART), (KEYPOINT_NAMES, MIRROR_KEYPOINT)):
        for name, other in zip(names, table, strict=True):
            words = name.replace("_", " ").split()
            assert names[other].replace("_", " ").split() == [swap.get(word, word) for word in words]


def test_a_mirrored_keypoint_is_the_other_sides(sample):
    moved = mirror(sample)
    nose, wrist = KEYPOINT_NAMES.index("nose"), KEYPOINT_NAMES.index("left_wrist")
    np.testing.assert_allclose(moved.keypoints[0, nose], sample.keypoints[0, nose] * [-1, 1, 1] + [96, 0, 0])
    seen = sample.keypoints[0, wrist, 2] > 0
    assert moved.keypoints[0, KEYPOINT_NAMES.index("right_wrist"), 2] == 2 * seen


def test_a_crop_keeps_what_lies_inside(sample):
    x0, y0, x1, y1 = 10, 6, 80, 60
    moved = crop(sample, (x0, y0, x1, y1))
    assert moved.image.shape == (54, 70, 3)
    check_against_dense(moved)
    column, row = sample.point_xy.astype(int).T
    inside = (column >= x0) & (column < x1) & (row >= y0) & (row < y1)
    kept = inside & np.isin(sample.point_person, np.flatnonzero(_left(sample, (x0, y0, x1, y1)) >= 0.2))
    np.testing.assert_array_equal(colours(moved), sample.image[row, column][kept])


def _left(sample, window):
    """How much of each box a window leaves, pixel by pixel."""
    y, x = np.mgrid[: sample.image.shape[0], : sample.image.shape[1]]
    shown = (x >= window[0]) & (x < window[2]) & (y >= window[1]) & (y < window[3])
    inside = [(x >= b[0]) & (x < b[2]) & (y >= b[1]) & (y < b[3]) for b in sample.boxes]
    return np.array([(one & shown).sum() / one.sum() for one in inside])


def test_people_of_whom_a_crop_leaves_little_are_ignored(sample):
    x0, y0, x1, y1 = sample.boxes[1]
    window = (int(x1) - 1, 0, 96, 64)
    moved = crop(sample, window)
    left = _left(sample, window)
    assert len(moved.boxes) == (left >= 0.2).sum()
    assert len(moved.ignored) == ((left > 0) & (left < 0.2)).sum() >= 1
    assert set(np.unique(moved.dense.person)) <= set(range(len(moved.boxes) + 1))


def test_scaling_by_two_by_hand(sample):
    moved = scale(sample, (128, 192))
    np.testing.assert_allclose(moved.point_xy, 2 * sample.point_xy)
    np.testing.assert_allclose(moved.boxes, 2 * sample.boxes)
    check_against_dense(moved)
    np.testing.assert_array_equal(moved.dense.i[::2, ::2], sample.dense.i)


def test_a_canvas_adds_nothing_but_grey(sample):
    moved = put_on_canvas(sample, (70, 100))
    np.testing.assert_array_equal(moved.image[:64, :96], sample.image)
    assert (moved.image[64:] == MEAN_RGB).all() and not moved.dense.i[:, 96:].any()
    np.testing.assert_array_equal(moved.point_xy, sample.point_xy)


def test_views_keep_labels_in_place_and_depend_on_the_generator_alone(sample):
    transforms = Transforms((48, 64, 90), 200, canvas_hw=(64, 96), colour=True)
    for seed in range(8):
        moved = transforms(sample, np.random.default_rng(seed))
        assert moved.image.shape == (64, 96, 3)
        check_against_dense(moved, exact=False)
        again = transforms(sample, np.random.default_rng(seed))
        np.testing.assert_array_equal(moved.image, again.image)
        np.testing.assert_array_equal(moved.point_xy, again.point_xy)
