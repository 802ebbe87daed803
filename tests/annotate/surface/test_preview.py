import numpy as np
import pytest

from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.annotate.surface.preview import draw_preview, spread_points
from opendensepose.surface import CHART_TO_PART


def test_values_that_lie_on_a_plane_are_spread_as_that_plane():
    parts = np.zeros((64, 64), np.uint8)
    parts[8:56, 8:56] = 1
    xy = np.random.default_rng(0).uniform(10, 54, (12, 2))
    i = np.full(12, 2, np.uint8)
    iuv = spread_points(parts, xy, i, (xy[:, 0] / 64).astype(np.float32), (xy[:, 1] / 64).astype(np.float32))
    np.testing.assert_array_equal(iuv.i > 0, parts > 0)
    row, column = np.nonzero(parts)
    np.testing.assert_allclose(iuv.u[row, column], (column + 0.5) / 64, atol=0.02)
    np.testing.assert_allclose(iuv.v[row, column], (row + 0.5) / 64, atol=0.02)


def test_the_nearest_point_is_the_one_on_the_way_inside_the_mask():
    """A hook: its end lies beside the first point as the crow flies, but far along the mask."""
    parts = np.zeros((40, 40), np.uint8)
    parts[2:38, 4:8], parts[34:38, 4:20], parts[2:38, 16:20] = 6, 6, 6
    xy = np.array([[6.0, 3.0], [18.0, 30.0]])
    iuv = spread_points(parts, xy, np.array([9, 7], np.uint8), np.full(2, 0.5, np.float32), np.full(2, 0.5, np.float32))
    assert iuv.i[3, 17] == 7 and iuv.i[3, 5] == 9


def test_a_part_without_points_and_a_piece_apart_stay_background():
    parts = np.zeros((32, 32), np.uint8)
    parts[2:10, 2:10], parts[2:10, 20:28], parts[20:28, 2:10] = 14, 14, 1
    iuv = spread_points(parts, np.array([[5.0, 5.0]]), np.array([23], np.uint8), np.float32([0.2]), np.float32([0.4]))
    np.testing.assert_array_equal(iuv.i > 0, (parts == 14) & (np.arange(32) < 15))


@pytest.mark.parametrize("fill", [False, True])
def test_the_picture_has_a_dot_of_the_parts_colour_at_each_point(fill):
    parts = np.zeros((256, 256), np.uint8)
    parts[50:200, 50:200] = 1
    crop = np.full((300, 150, 3), 90, np.uint8)
    box = np.array([10, 20, 160, 320.0])
    xy = np.array([[70.5, 150.5], [100.5, 200.5]])
    uv = np.float32([0.3, 0.6])
    picture = draw_preview(crop, box, parts, xy, np.array([2, 1], np.uint8), uv, uv, fill)
    assert picture.shape == crop.shape and picture.dtype == np.uint8
    for (x, y), chart in zip(xy - box[:2], (2, 1), strict=True):
        np.testing.assert_allclose(picture[int(y), int(x)].astype(int), TOOL_COLOURS[CHART_TO_PART[chart]], atol=3)
    inside, outside = picture[60 + 90, 100].astype(int), picture[5, 5].astype(int)
    assert (np.ptp(inside) > 20) == fill and np.ptp(outside) < 3


def test_nobody_answered_yet_is_a_picture_too():
    none = np.zeros(0, np.float32)
    crop = np.zeros((20, 20, 3), np.uint8)
    empty = np.zeros((256, 256), np.uint8)
    for fill in (False, True):
        assert draw_preview(crop, [0, 0, 9, 9], empty, np.zeros((0, 2)), none, none, none, fill).shape == crop.shape
