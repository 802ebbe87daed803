"""A texture on people: its colours at their places, the photo's light if wanted, nothing outside."""

import numpy as np
import pytest
from tests.texture.people import colour_of, instance_of, seen_from

from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Source, Texture, draw_texture
from opendensepose.texture.draw import BROAD_LIGHT, draw_body
from opendensepose.texture.texture import chart_texels, pad_charts, texel_xyz
from opendensepose.visualize.surface import SIDES


@pytest.fixture(scope="module")
def texture():
    layout = map_layout(1024)
    inside = chart_texels(layout).face >= 0
    colour = np.zeros((*inside.shape, 3), np.uint8)
    colour[inside] = colour_of(texel_xyz(chart_texels(layout), inside)).round()
    return Texture(pad_charts(colour, inside), np.where(inside, np.uint8(Source.SEEN), 0).astype(np.uint8), layout)


def test_without_shading_the_textures_colours(texture):
    image, person = seen_from("back")
    drawn = draw_texture(np.full_like(image, 7), [person], texture, shading=0, soft_edge=False)
    mask = person.iuv.i > 0
    assert (drawn[~mask] == 7).all()
    assert np.quantile(np.abs(drawn[mask].astype(int) - image[mask]), 0.98) <= 6


def light_of(texture, image) -> np.ndarray:
    """How a grey texture is lit on a square of chart 2 in a grey photo of 40 x 40, (32, 32) relative to its colour."""
    grey = Texture(np.full_like(texture.colour, 120), texture.source, texture.layout)
    i = np.zeros((40, 40), np.uint8)
    i[4:36, 4:36] = 2
    half = np.where(i, np.float32(0.5), 0)
    photo = np.repeat(image[..., None], 3, 2).astype(np.uint8)
    drawn = draw_texture(photo, [instance_of(i, half, half)], grey, soft_edge=False)
    assert (drawn[i == 0] == photo[i == 0]).all()
    flat = draw_texture(photo, [instance_of(i, half, half)], grey, shading=0, soft_edge=False)
    assert (flat[i > 0] == 120).all()
    return drawn[4:36, 4:36, 0] / 120


def test_a_fold_stays(texture):
    image = np.full((40, 40), 160)
    image[:, 20] = 130  # a line 19 percent darker
    light = light_of(texture, image)
    assert light[16, 16] / light[16, 4] == pytest.approx(134 / 164, abs=0.06)


def test_broad_light_stays_in_part(texture):
    image = np.full((40, 40), 160)
    image[:, 20:] = 78  # half as bright, with the 4 that are added to both
    light = light_of(texture, image)
    assert light[16, 4] / light[16, 28] == pytest.approx(2**BROAD_LIGHT, rel=0.05)
    assert light.mean() == pytest.approx(1, abs=0.1)


def test_bad_input_is_one_sentence(texture):
    image, person = seen_from("front", 16)
    with pytest.raises(ValueError, match="must have the photo's size"):
        draw_texture(image[1:], [person], texture)
    with pytest.raises(ValueError, match=r"shading must lie in \[0, 1\], got 2"):
        draw_texture(image, [person], texture, shading=2)
    with pytest.raises(ValueError, match="the photo must be uint8"):
        draw_texture(image / 255, [person], texture)


def test_a_body_is_drawn_in_its_texture():
    layout = map_layout(64)
    red = Texture(np.full((64, 64, 3), (200, 0, 0), np.uint8), np.zeros((64, 64), np.uint8), layout)
    picture = draw_body(red)
    body = (picture != 255).any(2)
    np.testing.assert_array_equal(np.concatenate([draw_body(red, [side]) for side in SIDES], axis=1), picture)
    assert 0.1 < body.mean() < 0.5 and picture[body][:, 0].mean() > 100 and np.median(picture[body][:, 1]) == 0
