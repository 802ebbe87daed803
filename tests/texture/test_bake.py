"""A texture is what the photos show: its texels have the body's true colours, and drawn again it is the photo."""

import numpy as np
import pytest
from tests.texture.people import colour_of, instance_of, seen_from

from opendensepose.surface import mirror_iuv
from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Source, bake_texture, draw_texture
from opendensepose.texture.texture import chart_texels, texel_xyz

LAYOUT = map_layout(512)


@pytest.fixture(scope="module")
def front():
    return seen_from("front")


def errors(texture, where):
    want = colour_of(texel_xyz(chart_texels(texture.layout), where))
    return np.abs(texture.colour[where] - want)


def test_seen_texels_have_the_places_colours(front):
    image, person = front
    texture = bake_texture([(image, [person])], LAYOUT)
    seen = texture.source == Source.SEEN
    inside = chart_texels(LAYOUT).face >= 0
    assert 0.25 < seen.sum() / inside.sum() < 0.5
    assert np.median(errors(texture, seen)) < 2 and np.quantile(errors(texture, seen), 0.99) < 25
    assert ((texture.source == Source.NONE) == ~inside).all()


def test_drawn_again_it_is_the_photo(front):
    image, person = front
    texture = bake_texture([(image, [person])])
    again = draw_texture(image, [person], texture, shading=0, soft_edge=False).astype(float)
    source = np.repeat(texture.source[..., None], 3, 2)
    drawn = draw_texture(
        np.zeros_like(image),
        [person],
        type(texture)(source, texture.source, texture.layout),
        shading=0,
        soft_edge=False,
    )
    seen = drawn[..., 0] >= 250
    assert seen.sum() > 0.8 * (person.iuv.i > 0).sum()
    assert 10 * np.log10(255**2 / ((again - image)[seen] ** 2).mean()) >= 30


def test_two_sides_show_more_and_each_keeps_its_own(front):
    image, person = front
    one = bake_texture([(image, [person])], LAYOUT)
    both = bake_texture(iter([(image, [person]), (lambda view: (view[0], [view[1]]))(seen_from("back"))]), LAYOUT)
    assert (both.source == Source.SEEN).sum() > 1.7 * (one.source == Source.SEEN).sum()
    assert np.median(errors(both, both.source == Source.SEEN)) < 2


def test_the_confident_view_dominates(front):
    image, person = front
    unsure = instance_of(person.iuv.i, person.iuv.u, person.iuv.v, 0.3)
    alone = bake_texture([(image, [person])], LAYOUT)
    merged = bake_texture([(255 - image, [unsure]), (image, [person])], LAYOUT)
    seen = alone.source == Source.SEEN
    assert np.abs(merged.colour[seen].astype(int) - alone.colour[seen]).max() <= 3  # 0.3 to the power 4 of 255


def test_of_a_mirrored_photo_the_mirrored_body_is_baked(front):
    image, person = front
    i, u, v = mirror_iuv(person.iuv.i[:, ::-1], person.iuv.u[:, ::-1], person.iuv.v[:, ::-1])
    flipped = instance_of(i, np.where(i, u, 0).astype(np.float32), np.where(i, v, 0).astype(np.float32))
    texture = bake_texture([(image[:, ::-1], [flipped])], LAYOUT)
    seen = texture.source == Source.SEEN
    xyz = texel_xyz(chart_texels(LAYOUT), seen) * [-1, 1, 1]
    assert np.median(np.abs(texture.colour[seen] - colour_of(xyz))) < 3


def test_bad_input_is_one_sentence(front):
    image, person = front
    with pytest.raises(ValueError, match="no photo shows a person"):
        bake_texture([(image, [])], LAYOUT)
    with pytest.raises(ValueError, match="must have the photo's size"):
        bake_texture([(image[1:], [person])], LAYOUT)
    with pytest.raises(ValueError, match="photos must be pairs"):
        bake_texture([image], LAYOUT)
