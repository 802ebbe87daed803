"""Texels and their places; padding and resampling of textures."""

import numpy as np
import pytest

from opendensepose.surface import SurfacePoints, load_charts
from opendensepose.surface.atlas import map_layout, tile_layout
from opendensepose.texture import Source, Texture, resample_texture
from opendensepose.texture.texture import chart_texels, pad_charts

LAYOUT = map_layout(512)


def smooth_texture(layout) -> Texture:
    """Colours that are linear in U and V, other ones in each chart."""
    texels, charts = chart_texels(layout), load_charts()
    inside = texels.face >= 0
    i, u, v = charts.from_points(SurfacePoints(texels.face[inside], texels.barycentric[inside]))
    colour = np.zeros((*inside.shape, 3), np.uint8)
    colour[inside] = np.stack([40 + 150 * u, 40 + 150 * v, 10 * i.astype(float)], 1).round()
    source = np.where(inside, np.uint8(Source.SEEN), 0).astype(np.uint8)
    return Texture(pad_charts(colour, inside), source, layout)


def test_a_texels_surface_point_lies_at_its_centre():
    texels = chart_texels(LAYOUT)
    row, column = np.nonzero(texels.face >= 0)
    points = SurfacePoints(texels.face[row, column], texels.barycentric[row, column])
    xy = LAYOUT.xy(*load_charts().from_points(points))
    assert xy == pytest.approx(np.stack([column, row], 1) + 0.5, abs=1e-3)


def test_padding_takes_the_nearest_texel():
    inside = np.zeros((5, 9), bool)
    inside[2, 1] = inside[2, 7] = True
    colour = np.zeros((5, 9, 1))
    colour[2, 1], colour[2, 7] = 3, 8
    padded = pad_charts(colour, inside)[..., 0]
    assert (padded[:, :4] == 3).all() and (padded[:, 5:] == 8).all()


def test_there_and_back_in_another_layout():
    texture = smooth_texture(map_layout(1024))
    atlas = resample_texture(texture, tile_layout())
    assert np.abs(atlas.colour.astype(int) - smooth_texture(tile_layout()).colour)[atlas.source > 0].mean() < 1.5
    again = resample_texture(atlas, texture.layout)
    inside = texture.source > 0
    assert np.quantile(np.abs(again.colour.astype(int) - texture.colour)[inside], 0.97) <= 4
    assert (again.source == texture.source).all()


def test_a_picture_of_another_size_or_type_is_refused():
    with pytest.raises(ValueError, match="got 30 x 20 pixels"):
        Texture.from_picture(np.zeros((20, 30, 3), np.uint8))
    texture = Texture.from_picture(np.zeros((1200, 800, 3), np.uint8))
    assert (texture.layout.rect == tile_layout().rect).all()
    with pytest.raises(ValueError, match="colour must be uint8"):
        Texture(texture.colour / 255, texture.source, texture.layout)
    with pytest.raises(ValueError, match="source must be uint8"):
        Texture(texture.colour, texture.source[1:], texture.layout)
