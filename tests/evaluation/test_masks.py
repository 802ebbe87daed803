"""Foregrounds in the image's pixels and their IoU, by hand and against scipy's zoom."""

import numpy as np
import pytest
from scipy.ndimage import zoom
from tests.evaluation.people import annotation, detection

from opendensepose.evaluation.masks import Window, mask_ious, place_mask, stretched_grid
from opendensepose.evaluation.people import annotated_person

WHOLE = np.ones((256, 256), np.uint8)


def annotated(box, mask, size_hw):
    return annotated_person(annotation(box, [], mask=mask), size_hw).foreground


def iou(predicted, other, crowd=False):
    return mask_ious([predicted], [other], [crowd]).item()


def test_mask_iou_by_hand():
    predicted = detection((2, 3, 6, 7), 1).foreground((20, 20))  # 16 pixels
    other = annotated((4, 3, 8, 7), WHOLE, (20, 20))  # 16 pixels, 8 in common
    assert iou(predicted, other) == 8 / 24
    assert iou(predicted, other, crowd=True) == 8 / 16
    assert iou(predicted, annotated((10, 10, 12, 12), WHOLE, (20, 20))) == 0
    nobody = detection((2, 3, 6, 7), 0).foreground((20, 20))
    assert iou(nobody, annotated((0, 0, 4, 4), 0 * WHOLE, (20, 20))) == 0
    assert mask_ious([predicted], [None, other], [False, False]).tolist() == [[0, 8 / 24]]
    assert mask_ious([], [other], [False]).shape == (0, 1)


def test_masks_end_at_the_images_edge():
    outside = annotated((-2, -1, 4, 4), WHOLE, (3, 3))
    assert outside.mask.shape == (3, 3) and outside.corner_xy == (0, 0)
    beyond = detection((5, 5, 9, 9), 1).foreground((7, 6))
    assert beyond.mask.shape == (2, 1) and beyond.corner_xy == (5, 5)
    gone = detection((10, 10, 12, 12), 1).foreground((7, 6))
    assert gone.mask.size == 0 and iou(gone, beyond) == 0


@pytest.mark.parametrize(
    ("box", "corner", "shape"),
    [
        ((-2.5, 0, 10, 5), (0, 0), (5, 7)),  # from -2, not -3, to 7
        ((0.6, 0, 10.5, 5), (0, 0), (5, 11)),  # 11.1: the far edge is rounded after the sum
        ((0.4, 0, 10.5, 5), (0, 0), (5, 10)),
    ],
)
def test_corners_are_rounded_towards_0(box, corner, shape):
    window = place_mask(np.ones((5, 12), bool), box, (30, 30))
    assert (window.corner_xy, window.mask.shape) == (corner, shape)


def test_a_grid_as_large_as_the_box_is_the_mask_itself():
    mask = (np.random.default_rng(0).random((256, 256)) > 0.5) * np.uint8(3)
    window = annotated((10, 20, 266, 276), mask, (400, 400))
    np.testing.assert_array_equal(window.mask, mask > 0)
    assert window.corner_xy == (10, 20)
    assert annotated((10, 20, 266, 276), None, (400, 400)) is None


def test_a_stretched_disk_keeps_its_share_of_the_box():
    y, x = np.mgrid[:256, :256]
    mask = ((x - 127.5) ** 2 + (y - 127.5) ** 2 < 100**2).astype(np.uint8)
    window = annotated((3.4, 5.6, 63.4, 125.6), mask, (400, 400))
    assert window.mask.shape == (120, 60)
    assert window.mask.mean() == pytest.approx(mask.mean(), abs=0.02)


def test_stretching_is_scipys_zoom_to_the_last_bit():
    """Whole grids too: for some sizes zoom's rounding leaves out the last row or column."""
    rng = np.random.default_rng(1)
    missing = 0
    for k in range(150):
        grid = np.ones((256, 256), bool) if k % 3 == 0 else rng.random((256, 256)) > 0.5
        width, height = rng.uniform(0.3, 300, 2).round(int(rng.integers(0, 4)))
        scale = max(height, 1) / 256, max(width, 1) / 256
        expected = zoom(grid.astype(float), scale, order=1, prefilter=False) > 0.5
        window = stretched_grid(grid, (0, 0, width, height), (400, 400))
        np.testing.assert_array_equal(window.mask, expected[: int(height), : int(width)])
        missing += k % 3 == 0 and not window.mask.all()
    assert missing > 0


def test_windows_share_the_pixels_of_the_image_that_both_set():
    rng = np.random.default_rng(2)
    for _ in range(20):
        whole, windows = [], []
        for _ in range(2):
            x, y, width, height = rng.integers(0, 8, 2).tolist() + rng.integers(1, 8, 2).tolist()
            window = Window(rng.random((height, width)) > 0.4, (x, y))
            whole.append(np.zeros((20, 20), bool))
            whole[-1][y : y + height, x : x + width] = window.mask
            windows.append(window)
        either = (whole[0] | whole[1]).sum()
        assert iou(*windows) == ((whole[0] & whole[1]).sum() / either if either else 0)
