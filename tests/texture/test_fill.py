"""What was not seen: narrow gaps, the other side, the rest; what was seen stays."""

import numpy as np
import pytest
from tests.texture.people import colour_of

from opendensepose.surface.atlas import map_layout
from opendensepose.texture import Source
from opendensepose.texture.fill import fill_texture
from opendensepose.texture.texture import chart_texels, texel_xyz

LAYOUT = map_layout(512)


@pytest.fixture(scope="module")
def body():
    """Whether texels are inside, their places, and colours that are the same at left and right."""
    inside = chart_texels(LAYOUT).face >= 0
    xyz = np.zeros((*inside.shape, 3))
    xyz[inside] = texel_xyz(chart_texels(LAYOUT), inside)
    colour = np.where(inside[..., None], colour_of(np.abs(xyz) * [1, 0, 0] + xyz * [0, 1, 1]), 0)
    return inside, xyz, colour.astype(np.float32)


def test_a_whole_texture_stays(body):
    inside, _, colour = body
    texture = fill_texture(colour, inside, LAYOUT)
    assert np.abs(texture.colour[inside] - colour[inside]).max() <= 0.5
    assert (texture.source[inside] == Source.SEEN).all()


def test_the_left_half_gives_the_right_one(body):
    inside, xyz, colour = body
    seen = inside & (xyz[..., 0] > 0)
    texture = fill_texture(np.where(seen[..., None], colour, 0), seen, LAYOUT)
    mirrored = texture.source == Source.MIRRORED
    assert mirrored.sum() > 0.9 * (inside & ~seen).sum()
    assert np.median(np.abs(texture.colour[mirrored] - colour[mirrored])) < 2
    assert (np.abs(texture.colour[seen] - colour[seen]) <= 0.5).all()


def test_the_other_side_is_taken_in_this_sides_light(body):
    """The right half is darker by 40, and seen in front only: its back, from the left, is darker by about as much."""
    inside, xyz, colour = body
    right, behind = xyz[..., 0] < 0, xyz[..., 1] > 0
    lit = np.clip(colour / 2 + 60 - 40 * right[..., None], 0, 255).astype(np.float32)
    seen = inside & ~(right & behind)
    texture = fill_texture(np.where(seen[..., None], lit, 0), seen, LAYOUT)
    mirrored = texture.source == Source.MIRRORED
    assert np.median(np.abs(texture.colour[mirrored] - lit[mirrored])) < 4


def test_narrow_gaps_are_inpainted_and_wide_ones_continue_what_is_around(body):
    inside, xyz, colour = body
    gap = inside & (np.abs(xyz[..., 2] - 0.2) < 0.002)
    wide = inside & (xyz[..., 2] < -0.3)
    seen = inside & ~gap & ~wide
    texture = fill_texture(np.where(seen[..., None], np.full_like(colour, 90), 0), seen, LAYOUT)
    assert (texture.source[gap | wide] == Source.FILLED).all()
    assert np.abs(texture.colour[gap | wide].astype(int) - 90).max() <= 3


def test_nothing_seen_is_refused(body):
    with pytest.raises(ValueError, match="no texel was seen"):
        fill_texture(body[2], np.zeros_like(body[0]), LAYOUT)
