"""Outlines that snap: a drawn line that wobbles about a shape ends on its border; without edges nothing moves."""

import cv2
import numpy as np
import pytest

from opendensepose.annotate.surface.snapping import snap_outline

SIZE_HW = 400, 300
MIDDLE = np.array([150.0, 200.0])


def ripple(angle):
    """The shape's radius, pixels, by angle."""
    return 80 * (1 + 0.2 * np.cos(3 * angle))


def shape_in_a_photo(noise: float):
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] + 0.5
    angle = np.arctan2(rows - MIDDLE[1], columns - MIDDLE[0])
    mask = np.hypot(rows - MIDDLE[1], columns - MIDDLE[0]) < ripple(angle)
    photo = np.where(mask[..., None], [200, 150, 120], [60, 90, 140]).astype(np.float32)
    photo = cv2.GaussianBlur(photo, (0, 0), 1.5) + np.random.default_rng(0).normal(0, noise, photo.shape)
    return np.clip(photo, 0, 255).astype(np.uint8), mask


def drawn(wobble_px: float, scale: float = 1.0):
    angle = np.linspace(0, 2 * np.pi, 70, endpoint=False)
    radius = ripple(angle) + wobble_px * np.sin(5 * angle + 1)
    return scale * (MIDDLE + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))


def overlap(outline, mask):
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(16 * (outline - 0.5)).astype(np.int32)], 1, shift=4)
    return (inside.astype(bool) & mask).sum() / (inside.astype(bool) | mask).sum()


@pytest.mark.parametrize("noise", [3, 15])
def test_a_wobbling_line_ends_on_the_border(noise):
    photo, mask = shape_in_a_photo(noise)
    outline = drawn(wobble_px=8)
    snapped = snap_outline(photo, outline, reach_px=10)
    assert overlap(outline, mask) < 0.9 and overlap(snapped, mask) > 0.97
    assert len(snapped) < 100  # few enough corners to edit


def test_a_large_photo_is_snapped_alike():
    photo, mask = shape_in_a_photo(3)
    large = cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    snapped = snap_outline(large, drawn(8, scale=4), reach_px=40)
    assert overlap(snapped / 4, mask) > 0.96


@pytest.mark.parametrize("is_ramp", [False, True])
def test_without_edges_nothing_moves(is_ramp):
    values = np.linspace(0, 255, 200) if is_ramp else np.full(200, 90)
    photo = np.repeat(np.tile(values.astype(np.uint8), (200, 1))[..., None], 3, axis=2)
    square = np.array([[50.0, 50], [150, 50], [150, 150], [50, 150]])
    np.testing.assert_allclose(snap_outline(photo, square, 8), square)


@pytest.mark.parametrize("corner", [(-1e5, -1e5), (1e5, 3), (0, 0)])
def test_outlines_beyond_the_photo_and_without_area_are_outlines_too(corner):
    photo, _ = shape_in_a_photo(3)
    for outline in ([corner] * 3, [corner, (10, 10), (11, 10)]):
        inside = np.clip(np.array(outline, float), 0, SIZE_HW[::-1])
        snapped = snap_outline(photo, inside, reach_px=5)
        assert np.isfinite(snapped).all() and snapped.shape[1] == 2


def test_two_points_are_no_outline():
    with pytest.raises(ValueError, match=r"P >= 3, got \(2, 2\)"):
        snap_outline(np.zeros((9, 9, 3), np.uint8), np.zeros((2, 2)), 3)
