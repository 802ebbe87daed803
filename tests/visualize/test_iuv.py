from dataclasses import dataclass, replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy.special import ndtri

from opendensepose.surface import CHART_COLOURS
from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside
from opendensepose.visualize.iuv import draw_overlay


@dataclass
class Person:
    box_xyxy: np.ndarray
    score: float
    iuv: SimpleNamespace


def person(i, score=0.9):
    rows, columns = np.nonzero(i)
    box = np.float32([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    height, width = i.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return Person(box, score, SimpleNamespace(i=i, u=y / height, v=x / width))


def rectangle(chart, rows=(40, 160), columns=(60, 140), size=(200, 200)):
    i = np.zeros(size, np.uint8)
    i[rows[0] : rows[1], columns[0] : columns[1]] = chart
    return i


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


def test_overlay_changes_the_person_and_the_box_only():
    photo = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    before = photo.copy()
    picture = draw_overlay(photo, [person(rectangle(2))])
    np.testing.assert_array_equal(photo, before)
    assert picture.shape == photo.shape and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[170:], photo[170:])
    inside = picture[45:155, 65:135].reshape(-1, 3).astype(float)
    assert np.linalg.norm(np.median(inside, axis=0) - CHART_COLOURS[2]) < 60


def test_nobody_leaves_the_photo_as_it_is():
    photo = np.random.default_rng(1).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(draw_overlay(photo, []), photo)


def test_the_surest_person_is_on_top_whatever_the_order():
    photo = np.full((200, 200, 3), 128, np.uint8)
    sure, unsure = person(rectangle(2), 0.9), person(rectangle(9), 0.6)
    first, second = draw_overlay(photo, [sure, unsure]), draw_overlay(photo, [unsure, sure])
    np.testing.assert_array_equal(first, second)
    middle = np.median(first[60:140, 80:120].reshape(-1, 3), axis=0)
    assert np.linalg.norm(middle - CHART_COLOURS[2]) < np.linalg.norm(middle - CHART_COLOURS[9])


def test_people_at_the_frame_and_tiny_people_are_drawn():
    photo = np.zeros((64, 48, 3), np.uint8)
    whole = np.full((64, 48), 1, np.uint8)
    dot = np.zeros((64, 48), np.uint8)
    dot[0, 0] = 23
    assert draw_overlay(photo, [person(whole), person(dot)]).shape == photo.shape


@pytest.mark.parametrize("side", [0.5, 1.5, 2.5, 3.5, 4.5])
def test_boxes_of_a_few_pixels_are_drawn_or_left_out(side):
    thin = replace(person(rectangle(1)), box_xyxy=np.float32([20.25, 30.5, 60, 30.5 + side]))
    assert draw_overlay(np.zeros((200, 200, 3), np.uint8), [thin]).shape == (200, 200, 3)


def test_a_photo_of_wrong_kind_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        draw_overlay(np.zeros((10, 10, 3), np.float32), [])
    with pytest.raises(ValueError, match="photo"):
        draw_overlay(np.zeros((10, 10, 3), np.uint8), [person(rectangle(2))])
