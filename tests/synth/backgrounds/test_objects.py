"""Balls, turned bodies and jointed sticks where they are put; patches pasted by hand; colours of skin among others."""

import numpy as np
import pytest

from opendensepose.synth.backgrounds.objects import SKIN, ball, jointed, objects, paste, thing_colour, turned


def canvas_of(value=2.0):
    return np.full((100, 120, 3), value, np.float32)


def changed(canvas, value=2.0):
    return (canvas != value).any(axis=2)


def test_a_patch_is_mixed_by_its_alpha_and_cut_at_the_edge():
    canvas, patch = np.zeros((6, 8, 3), np.float32), np.ones((3, 4, 3), np.float32)
    alpha = np.full((3, 4), 0.5, np.float32)
    paste(canvas, patch, alpha, 2, 1)
    assert (canvas[1:4, 2:6] == 0.5).all() and canvas.sum() == 3 * 4 * 3 * 0.5
    paste(canvas, patch, alpha * 2, -2, 4)
    assert (canvas[4:, :2] == 1).all() and not canvas[4:, 2:].any()
    before = canvas.copy()
    for x, y in ((-4, 0), (8, 0), (0, 6), (0, -3)):
        paste(canvas, patch, alpha, x, y)
    assert np.array_equal(canvas, before)


def test_a_quarter_of_things_have_the_colour_of_skin():
    rng = np.random.default_rng(0)
    hues = np.array([thing_colour(rng) for _ in range(800)])
    hues /= np.linalg.norm(hues, axis=1, keepdims=True)
    skin = SKIN / np.linalg.norm(SKIN, axis=1, keepdims=True)
    assert 0.18 < ((hues @ skin.T).max(axis=1) > 1 - 1e-6).mean() < 0.32


def test_a_ball_is_a_disk_and_its_shadow_lies_below_its_middle():
    canvas = canvas_of()
    ball(np.random.default_rng(0), canvas, 60, 40, 20)
    y, x = np.mgrid[:100, :120] + 0.5
    distance = np.hypot(x - 60, y - 40)
    assert changed(canvas)[distance < 18].all()
    assert not changed(canvas)[(distance > 22) & (y < 47)].any()


def test_a_turned_body_stands_between_its_foot_and_its_height():
    for seed in range(5):
        canvas = canvas_of()
        turned(np.random.default_rng(seed), canvas, 60, 80, 20, 50)
        rows, columns = np.nonzero(changed(canvas))
        assert 29 <= rows.min() <= 32 and rows.max() <= 80 + 2 * 0.2 * 20 + 1
        above = changed(canvas)[: 80 - 9]  # above the shadow
        assert np.nonzero(above)[1].min() >= 49 and np.nonzero(above)[1].max() <= 71


def test_jointed_sticks_begin_at_their_place():
    for seed in range(5):
        canvas = canvas_of()
        jointed(np.random.default_rng(seed), canvas, 60, 50, 10)
        assert changed(canvas)[48:53, 58:63].any()
        rows, columns = np.nonzero(changed(canvas))
        farthest = np.hypot(columns - 60, rows - 50).max()
        assert farthest < 7 * 0.7 * 10 + 3  # seven sticks at most, none longer than 0.7 of the length


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_picture_full_of_objects_depends_on_its_generator_alone(seed):
    one, same = (objects(np.random.default_rng(seed), (48, 64)) for _ in range(2))
    assert one.shape == (48, 64, 3) and np.isfinite(one).all() and np.array_equal(one, same)
    assert not np.array_equal(one, objects(np.random.default_rng(seed + 10), (48, 64)))
