"""A texture on people: its colours at their places, the photo's light if wanted, nothing outside."""

import numpy as np
import pytest
from tests.texture.people import colour_of, instance_of, seen_from

from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Source, Texture, draw_texture
from opendensepose.texture.texture import chart_texels, pad_charts, texel_xyz


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


def test_a_darker_half_of_a_part_stays_darker(texture):
    grey = Texture(np.full_like(texture.colour, 120), texture.source, texture.layout)
    i = np.zeros((40, 40), np.uint8)
    i[4:36, 4:36] = 2
    half = np.where(i, np.float32(0.5), 0)
    image = np.full((40, 40, 3), 160, np.uint8)
    image[:, 20:] = 80
    drawn = draw_texture(image, [instance_of(i, half, half)], grey)
    left, right = drawn[20, 10, 0], drawn[20, 30, 0]
    assert left / right == pytest.approx(2, rel=0.05) and left > 120 > right
    flat = draw_texture(image, [instance_of(i, half, half)], grey, shading=0)
    assert flat[20, 10, 0] == flat[20, 30, 0] == 120
    assert (drawn[i == 0] == image[i == 0]).all()


def test_bad_input_is_one_sentence(texture):
    image, person = seen_from("front", 16)
    with pytest.raises(ValueError, match="must have the photo's size"):
        draw_texture(image[1:], [person], texture)
    with pytest.raises(ValueError, match=r"shading must lie in \[0, 1\], got 2"):
        draw_texture(image, [person], texture, shading=2)
    with pytest.raises(ValueError, match="the photo must be uint8"):
        draw_texture(image / 255, [person], texture)
