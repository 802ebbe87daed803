"""Changes to rendered images keep picture, labels and boxes together."""

import cv2
import numpy as np
import pytest

from opendensepose.surface import mirror_iuv
from opendensepose.training.augment import augment, change_colour, mirror, warp, zoom_in
from opendensepose.training.rendered.samples import crop_sample


@pytest.fixture
def sample(render):
    return crop_sample(render([np.random.default_rng(3)], (60, 45), framing="portrait", num_people=2)[0])


def assert_same(a, b):
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_mirror_twice_is_identity(sample):
    assert_same(mirror(mirror(sample)), sample)


def test_mirror_follows_the_rule_of_iuv_maps(sample):
    flipped = mirror(sample)
    i, _, v = mirror_iuv(sample.i[:, ::-1], sample.u[:, ::-1], sample.v[:, ::-1])
    np.testing.assert_array_equal(flipped.i, i)
    np.testing.assert_allclose(flipped.v, np.where(i > 0, v, 0))
    np.testing.assert_array_equal(flipped.image, sample.image[:, ::-1])
    assert (flipped.boxes_xyxy[:, 0] <= flipped.boxes_xyxy[:, 2]).all()
    left_wrist, right_wrist = 9, 10
    np.testing.assert_allclose(flipped.keypoints[left_wrist], sample.keypoints[right_wrist] * [-1, 1, 1] + [45, 0, 0])
    assert flipped.yaw == -sample.yaw


def test_moving_nowhere_is_identity(sample):
    assert_same(warp(sample, np.eye(2, 3)), sample)


def test_moving_by_whole_pixels_moves_everything(sample):
    matrix = np.array([[1.0, 0, 4], [0, 1, -3]])
    moved = warp(sample, matrix)
    np.testing.assert_array_equal(moved.i[:-3, 4:], sample.i[3:, :-4])
    np.testing.assert_array_equal(moved.image[:-3, 4:], sample.image[3:, :-4])
    assert (moved.image[-3:] == 127).all() and not moved.i[-3:].any()
    expected = sample.boxes_xyxy + [4, -3, 4, -3]
    np.testing.assert_allclose(moved.boxes_xyxy, np.clip(expected, 0, [45, 60, 45, 60]))
    np.testing.assert_allclose(moved.keypoints, sample.keypoints + [4, -3, 0], atol=1e-4)


def test_labels_stay_on_the_person(sample):
    """The fake person is one bright colour: after any turn the labelled pixels still are."""
    for seed in range(5):
        matrix = cv2.getRotationMatrix2D((22, 30), 10 * seed - 20, 1.1)
        moved = warp(sample, matrix)
        assert np.median(moved.image[moved.i > 0][:, 0]) == 220
        assert (np.abs(moved.image[moved.i > 0].astype(int) - [220, 160, 120]).max(1) < 5).mean() > 0.85


def test_zooming_in_shows_a_part_without_an_edge(sample):
    for seed in range(8):
        zoomed = zoom_in(sample, np.random.default_rng(seed))
        assert zoomed.image.shape == sample.image.shape
        assert not (zoomed.image[:, :2] == 127).all() and not (zoomed.image[-2:] == 127).all()
        size, before = (np.diff(s.keypoints[[0, 5], :2], axis=0)[0] for s in (zoomed, sample))
        assert 1 <= size[0] / before[0] <= 2.5 and size[0] / before[0] == pytest.approx(size[1] / before[1], rel=1e-3)


def test_boxes_of_nobody_stay_nobody(render):
    nobody = crop_sample(render([np.random.default_rng(0)], (32, 32), num_people=0)[0])
    moved = augment(nobody, np.random.default_rng(1))
    assert moved.boxes_xyxy.shape == (0, 4) and not moved.i.any()


def test_colour_changes_are_monotone_and_seeded(sample):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    changed = change_colour(ramp, np.random.default_rng(0))
    assert changed.dtype == np.uint8 and (np.diff(changed.astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal(changed, change_colour(ramp, np.random.default_rng(0)))
    assert not np.array_equal(
        augment(sample, np.random.default_rng(1)).image, augment(sample, np.random.default_rng(2)).image
    )
