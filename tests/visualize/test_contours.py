import cv2
import numpy as np
import pytest
from scipy.special import ndtri
from tests.visualize.test_iuv import rectangle

from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside


def test_by_hand_a_ramp_crosses_half_at_one_column():
    field = np.tile(np.linspace(0.005, 0.995, 100, dtype=np.float32), (50, 1))  # 0.01 a pixel
    lines = isoline_coverage(field, np.ones_like(field, bool), spacing=0.5, width_px=1)
    np.testing.assert_allclose(lines.sum(axis=1), 1, atol=1e-3)  # a line one pixel wide
    centre = (lines * (np.arange(100) + 0.5)).sum(axis=1)
    np.testing.assert_allclose(centre, 50, atol=1e-3)  # where the ramp is 0.5


@pytest.mark.parametrize("width_px", [1.0, 2.0, 3.0])
def test_a_slanted_line_keeps_its_width_and_direction(width_px):
    y, x = np.mgrid[:300, :300].astype(np.float32)
    field = 0.5 + ((x - 150) * 0.8 + (y - 150) * 0.6) / 500
    lines = isoline_coverage(field, np.ones_like(field, bool), spacing=0.5, width_px=width_px)
    inner = lines[100:200]
    assert inner.sum() / 100 == pytest.approx(width_px / 0.8, rel=0.05)


def test_lines_too_close_fade_away():
    field = np.tile(np.linspace(0, 1, 30, dtype=np.float32), (30, 1))
    assert isoline_coverage(field, np.ones_like(field, bool), spacing=0.03, min_gap_px=4).max() == 0


def test_a_flat_field_and_no_pixels_have_no_lines():
    flat = np.full((20, 20), 0.5, np.float32)
    assert isoline_coverage(flat, np.ones_like(flat, bool), spacing=0.1).max() == 0
    assert isoline_coverage(flat, np.zeros_like(flat, bool), spacing=0.1).max() == 0


def test_smoothing_keeps_a_constant_up_to_the_border():
    inside = rectangle(1) > 0
    smooth = smooth_inside(np.full(inside.shape, 0.7, np.float32), inside, 3.0)
    np.testing.assert_allclose(smooth[inside], 0.7, atol=1e-5)
    assert smooth[~inside].max() == 0


def test_an_outline_is_as_long_as_the_border():
    outline = outline_coverage(rectangle(1) > 0, width_px=1)
    assert outline.sum() == pytest.approx(2 * (120 + 80), rel=0.1)
    assert outline[100, 100] == 0 and outline[10, 10] == 0


@pytest.mark.parametrize("width_px", [0.5, 1.0, 1.3, 5.2])
def test_an_outline_is_the_quantile_of_the_blurred_mask(width_px):
    mask = rectangle(1) > 0
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    distance_px = np.abs(ndtri(np.clip(soft, 1e-6, 1 - 1e-6)))
    by_scipy = np.clip(width_px / 2 + 0.5 - distance_px, 0, 1).astype(np.float32)
    np.testing.assert_allclose(outline_coverage(mask, width_px=width_px), by_scipy, atol=1e-6)


def test_a_wide_outline_leaves_what_is_far_from_it():
    outline = outline_coverage(rectangle(1) > 0, width_px=12)
    assert outline.max() == 1
    assert outline[100, 100] == 0 and outline[10, 10] == 0
