"""What is painted covers its own part of the canvas, by hand on small ones."""

import numpy as np

from opendensepose.synth.backgrounds.materials import between, colour, fill_polygon, material, shadow, warp_quad

SQUARE = np.array([(4, 4), (12, 4), (12, 12), (4, 12)])


def test_a_mask_chooses_between_two_colours():
    picture = between(np.array([[0.0, 1.0, 0.5]]), (0.2, 0.4, 0.6), (1.0, 0.0, 0.2))
    assert np.allclose(picture[0], [(0.2, 0.4, 0.6), (1.0, 0.0, 0.2), (0.6, 0.2, 0.4)], atol=1e-6)


def test_polygons_and_pictures_cover_the_same_part_and_nothing_outside():
    flat, warped = np.zeros((16, 16, 3), np.float32), np.zeros((16, 16, 3), np.float32)
    fill_polygon(flat, SQUARE, (1.0, 0.5, 0.25))
    warp_quad(warped, np.ones((5, 7, 3)) * (1.0, 0.5, 0.25), SQUARE)
    for canvas in (flat, warped):
        assert np.allclose(canvas[5:11, 5:11], (1.0, 0.5, 0.25), atol=1e-5)
        assert not canvas[:3].any() and not canvas[14:].any() and not canvas[:, :3].any()
    fill_polygon(flat, SQUARE + 100, (1.0, 1.0, 1.0))  # beyond the edge: nothing happens
    assert not flat[:3].any()


def test_a_shadow_is_darkest_in_its_middle_and_ends():
    canvas = np.ones((40, 40, 3), np.float32)
    shadow(canvas, (20, 20), (6, 3), 0.5)
    assert abs(canvas[20, 20, 0] - 0.5) < 0.02 and canvas.min() >= 0.5 - 1e-6
    assert (canvas[:13] == 1).all() and (canvas[:, :7] == 1).all()


def test_a_material_without_texture_is_its_base_colour():
    base = colour(np.random.default_rng(0), 0.5)
    surface = material(np.random.default_rng(1), (8, 12), base, busy=0.0)
    assert surface.shape == (8, 12, 3) and np.allclose(surface, base, atol=1e-5)
    assert abs(base.mean() - 0.5) < 0.01
