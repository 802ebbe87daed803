"""Motion: a picture that is shifted has moved by the shift, in the frame's own pixels whatever its size."""

import cv2
import numpy as np
import pytest
from tests.video.clips import ground

from opendensepose.video.motion import LONG_SIDE, motion_between, pixel_centres, sample, small_frame


def shifted(image: np.ndarray, x: float, y: float) -> np.ndarray:
    move = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("size_hw", [(96, 128), (480, 800)])
def test_a_shifted_frame_came_from_the_shift(size_hw):
    first = ground(size_hw)
    x, y = 0.02 * size_hw[1], -0.015 * size_hw[0]
    motion = motion_between(small_frame(first), small_frame(shifted(first, x, y)), size_hw)
    here = pixel_centres(size_hw[1] // 4, size_hw[0] // 4, size_hw[1] * 3 // 4, size_hw[0] * 3 // 4)
    moved = np.median(here - motion.earlier(here), axis=(0, 1))
    np.testing.assert_allclose(moved, [x, y], atol=0.3 / motion.scale_xy[0])


def test_without_a_frame_before_nothing_moved():
    motion = motion_between(None, small_frame(ground((96, 128))), (96, 128))
    here = pixel_centres(3, 4, 9, 8)
    np.testing.assert_array_equal(motion.earlier(here), here)


def test_small_frames_are_small_and_small_ones_stay():
    assert max(small_frame(ground((1080, 1920))).shape) == LONG_SIDE
    assert small_frame(ground((96, 128))).shape == (96, 128, 3)


def test_sampling_at_pixel_centres_gives_the_pixels_and_between_them_the_mean():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(sample(values, pixel_centres(0, 0, 4, 3)), values)
    assert sample(values, np.float32([[[1.0, 0.5]]]))[0, 0] == 0.5
    outside = np.float32([[[-5, 0.5]]])
    assert sample(values + 1, outside, nearest=True, border=cv2.BORDER_CONSTANT)[0, 0] == 0
