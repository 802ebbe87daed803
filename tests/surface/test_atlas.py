"""Layouts of textures: the authors' tiles by hand, the map's charts apart and of one scale, sizes recognised."""

import numpy as np
import pytest

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.atlas import (
    GUTTER,
    AtlasLayout,
    atlas_xy,
    chart_sizes,
    layout_of_size,
    map_layout,
    tile_layout,
)


def test_tiles_by_hand():
    """Chart 8 = 6 * 1 + 1 + 1: second column, second row."""
    assert atlas_xy([1, 8], [0, 1], [1, 0]).tolist() == [[0.5, 0.5], [399.5, 399.5]]
    assert tile_layout(2).xy([1, 8], [0, 1], [1, 0]).tolist() == [[1, 1], [799, 799]]
    with pytest.raises(ValueError, match=r"got 0\.\.0"):
        atlas_xy([0], [0], [0])


def test_the_maps_charts_lie_apart():
    rect = map_layout().rect[1:]
    low, high = rect[:, :2], rect[:, :2] + rect[:, 2:]
    apart = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= GUTTER - 1e-6
    assert low.min() >= GUTTER - 1e-6 and high.max() <= 2048 - GUTTER + 1e-6


def test_the_maps_texels_are_equally_long_on_the_body():
    sizes = chart_sizes(load_surface(), load_charts())
    scale = map_layout(1024).rect[1:, 2:] / sizes
    assert scale == pytest.approx(scale[0, 0])
    assert sizes[0::1] == pytest.approx(sizes[[0, 1, 3, 2, 5, 4, *(k ^ 1 for k in range(6, 24))]], rel=0.02)


def test_chart_sizes_by_hand():
    """One face that U spans by 2 m at 0.5, V by 3 m at 0.25: 4 m and 12 m."""

    class Flat:
        vertices, faces = np.float32([[0, 0, 0], [2, 0, 0], [0, 3, 0]]), np.int32([[0, 1, 2]])

    class Chart:
        face_chart, face_uv = np.uint8([1]), np.float32([[[0, 0], [0.5, 0], [0, 0.25]]])

    with np.errstate(invalid="ignore"):  # the other charts have no face
        assert chart_sizes(Flat, Chart)[0] == pytest.approx([4, 12])


def test_a_size_names_its_layout():
    assert (layout_of_size((1200, 800)).rect == tile_layout().rect).all()
    assert layout_of_size((600, 400)).size_hw == (600, 400)
    assert layout_of_size((512, 512)) is map_layout(512)
    with pytest.raises(ValueError, match="got 640 x 480 pixels"):
        layout_of_size((480, 640))
    with pytest.raises(ValueError, match="at least 64 pixels, got 8"):
        map_layout(8)


def test_a_layout_beyond_the_texture_is_refused():
    rect = np.array(tile_layout().rect)
    with pytest.raises(ValueError, match="must lie in the texture of 700 x 1200"):
        AtlasLayout((1200, 700), rect)
    with pytest.raises(ValueError, match=r"must be \(25, 4\), got \(24, 4\)"):
        AtlasLayout((1200, 800), rect[1:])
