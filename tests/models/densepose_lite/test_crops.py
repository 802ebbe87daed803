"""Crops: which part of the photo, cut out, scaled, and tightened."""

import numpy as np
import pytest
from tests.hostile import memory_limit

from opendensepose.models.densepose_lite import crops
from opendensepose.models.densepose_lite.crops import crop_and_resize, crop_box, tight_box


def test_crop_box_by_hand():
    assert crop_box(np.float32([10, 20, 30, 60]), aspect=0.5, padding=0.25) == (5, 10, 35, 70)
    assert crop_box(np.float32([10, 20, 30, 60]), aspect=2.0, padding=0.0) == (-20, 20, 60, 60)
    assert crop_box(np.float32([10, 20, 30, 60]), aspect=0.25, padding=0.0) == (10, 0, 30, 80)


def test_crops_are_grey_outside_the_photo():
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    crop = crop_and_resize(image, (-2, -1, 6, 5), (6, 8))
    np.testing.assert_array_equal(crop[1:5, 2:7], image)
    crop[1:5, 2:7] = 127
    assert (crop == 127).all()
    assert (crop_and_resize(image, (9, 9, 12, 12), (3, 3)) == 127).all()
    np.testing.assert_array_equal(
        crop_and_resize(image[:, :4], (0, 0, 4, 4), (1, 1))[0, 0], image[:, :4].mean((0, 1)).round()
    )


def test_a_box_far_beyond_the_photo_is_cut_out_with_bounded_memory(monkeypatch):
    rows = np.linspace(0, 250, 240).astype(np.uint8)
    image = np.repeat(np.repeat(rows[:, None, None], 400, 1), 3, 2)
    box = (-200, -300, 600, 500)
    exact = crop_and_resize(image, box, (40, 40)).astype(int)
    monkeypatch.setattr(crops, "MAX_REGION_PIXELS", 800 * 800 // 16)
    coarse = crop_and_resize(image, box, (40, 40)).astype(int)
    inside = (slice(16, 26), slice(11, 29))  # off the photo's edge
    assert abs(coarse - exact)[inside].max() <= 6  # a step of five pixels is 5 grey values
    monkeypatch.undo()
    with memory_limit(2 << 30):
        assert crop_and_resize(image, (-200_000, -200_000, 200_000, 200_000), (40, 40)).shape == (40, 40, 3)


@pytest.mark.parametrize(
    "labelled, expected",
    [
        ((0, 24, 0, 18), (0, 0, 72, 96)),  # all of the crop, beyond the detected box
        ((3, 21, 3, 15), (12, 12, 60, 84)),  # most of the box
        ((3, 9, 3, 15), (11, 11, 61, 59.5)),  # a quarter of it: halfway to the box
    ],
)
def test_the_second_crop_is_framed_by_the_first_labels_unless_they_fill_little_of_the_box(labelled, expected):
    row, row_end, column, column_end = labelled
    person = np.zeros((24, 18), bool)
    person[row:row_end, column:column_end] = True
    np.testing.assert_allclose(tight_box(person, (0, 0, 72, 96), np.float32([10, 10, 62, 83])), expected)
