"""Motion: a picture that is shifted has moved by the shift; what shows something else is not the same."""

import cv2
import numpy as np
import pytest
from tests.video.clips import ground

from opendensepose.video.motion import cell_centres, motion_between, sample, small_picture


def shifted(image: np.ndarray, x: float, y: float) -> np.ndarray:
    move = np.float32([[1, 0, x], [0, 1, y]])
    return cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("size_hw", [(104, 78), (416, 312)])
def test_a_shifted_crop_came_from_the_shift(size_hw):
    first = ground(size_hw)
    x, y = 0.03 * size_hw[1], -0.02 * size_hw[0]
    before, now = (small_picture(one, (104, 78)) for one in (first, shifted(first, x, y)))
    motion = motion_between(before, now)
    inside = np.s_[20:80, 20:60]
    np.testing.assert_allclose(np.median(-motion.flow[inside], axis=(0, 1)), [0.03 * 78, -0.02 * 104], atol=0.3)
    assert np.median(motion.same[inside]) > 0.9


def test_a_picture_that_stays_has_not_moved_and_is_the_same():
    picture = small_picture(ground((104, 78)), (104, 78))
    motion = motion_between(picture, picture)
    assert not motion.flow.any() and (motion.same == 1).all()


def test_another_picture_is_not_the_same():
    one, other = (small_picture(picture, (104, 78)) for picture in (ground((104, 78)), 255 - ground((104, 78))))
    assert motion_between(one, other).same.mean() < 0.1


def test_maps_by_hand():
    maps = np.float32([[[0, 1], [2, 3]], [[4, 4], [4, 8]]])
    xy = np.float32([[[0.5, 0.5], [1.0, 1.0], [9.0, 9.0]]])
    np.testing.assert_allclose(sample(maps, xy), [[[0, 1.5, 3]], [[4, 5, 8]]])
    np.testing.assert_array_equal(sample(maps, np.float32([[[1.4, 0.6]]]), nearest=True), [[[1]], [[4]]])
    np.testing.assert_allclose(sample(maps, cell_centres(2, 2)), maps)
