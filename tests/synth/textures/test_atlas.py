"""Mipmaps keep colours, and their levels follow the distance."""

import numpy as np
import pytest

from opendensepose.synth.textures.atlas import LEVELS, pack_textures


def test_smaller_copies_keep_the_colour_of_what_is_opaque():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:, ::2] = (200, 100, 50, 255)  # every second column is transparent black
    atlas = pack_textures([picture], "cpu")
    start, height, width = atlas.table[LEVELS - 1].tolist()
    assert (height, width) == (2, 2)
    texel = atlas.texels[start].tolist()
    assert texel[:3] == pytest.approx([200, 100, 50], abs=2) and texel[3] == pytest.approx(128, abs=2)


def test_a_picture_twice_as_far_is_taken_at_half_the_size():
    atlas = pack_textures([np.zeros((512, 512, 4), np.uint8)], "cpu")
    near = atlas.level(0, side_m=1.0, pixels_per_metre=250.0)
    assert atlas.level(0, side_m=1.0, pixels_per_metre=125.0) == near + 1
    assert atlas.level(0, side_m=1.0, pixels_per_metre=1e9) == 0
    assert atlas.level(0, side_m=1.0, pixels_per_metre=1e-9) == LEVELS - 1


def test_colours_are_read_where_the_mesh_has_them():
    picture = np.full((4, 8, 4), 255, np.uint8)
    picture[0, 7, :3] = (51, 102, 153)  # the upper right corner
    atlas = pack_textures([np.zeros((2, 2, 4), np.uint8), picture], "cpu")
    colours = atlas.colours_at(1, np.array([[1.0, 1.0], [0.9, 0.9], [0.5, 0.5], [0.0, 0.0]]))
    np.testing.assert_allclose(colours, [[0.2, 0.4, 0.6]] * 2 + [[1, 1, 1]] * 2, atol=1e-6)
