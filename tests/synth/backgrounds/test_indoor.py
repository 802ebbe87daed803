"""Rooms, studios and streets: light without strength by hand, walls mostly light, parts where they belong."""

import numpy as np
import pytest

from opendensepose.synth.backgrounds.indoor import car, facade, room, shelf, soft_light, street, studio, wall_colour

SIZE_HW = (48, 64)


@pytest.mark.parametrize("draw", [studio, room, street])
def test_a_canvas_has_its_size_and_depends_on_its_generator_alone(draw):
    one, same, other = (draw(np.random.default_rng(seed), SIZE_HW) for seed in (1, 1, 2))
    assert one.shape == (*SIZE_HW, 3) and one.dtype == np.float32 and np.isfinite(one).all()
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_light_of_no_strength_changes_nothing_and_more_strength_changes_more():
    assert (soft_light(np.random.default_rng(0), SIZE_HW, 0.0) == 1).all()
    weak, strong = (soft_light(np.random.default_rng(0), SIZE_HW, amount) for amount in (0.1, 0.3))
    assert np.allclose(strong - 1, 3 * (weak - 1), atol=1e-5)
    assert (weak == weak[..., :1]).all()  # of white light


def test_walls_of_a_studio_are_mostly_light_and_seldom_strong_in_colour():
    rng = np.random.default_rng(0)
    walls = np.array([wall_colour(rng) for _ in range(500)])
    assert 0.4 < (walls.mean(axis=1) > 0.75).mean() < 0.9
    assert (np.ptp(walls, axis=1) < 0.08).mean() > 0.5


@pytest.mark.parametrize("draw", [shelf, facade])
@pytest.mark.parametrize("size_hw", [(6, 6), (20, 70), (90, 30)])
def test_house_fronts_and_shelves_fill_any_size(draw, size_hw):
    for seed in range(3):
        picture = draw(np.random.default_rng(seed), *size_hw)
        assert picture.shape == (*size_hw, 3) and np.isfinite(picture).all()


def test_a_car_stands_on_two_wheels():
    canvas = np.full((100, 200, 3), 2.0, np.float32)
    car(np.random.default_rng(0), canvas, 40, 80, 120)
    assert np.allclose(canvas[76, [40 + 24, 40 + 96]], 0.5)  # the hubs
    changed = (canvas != 2).any(axis=2)
    assert not changed[: 80 - int(0.43 * 120)].any()
    assert changed[70, 45:155].all()
