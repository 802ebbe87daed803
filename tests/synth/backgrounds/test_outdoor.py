"""Skies, ridges, leaves and trees cover what they should; landscapes depend on their generator alone."""

import numpy as np
import pytest

from opendensepose.synth.backgrounds.outdoor import (
    GREENS,
    gradient_noise,
    leaves,
    nature,
    photo,
    ridge,
    scatter_leaves,
    sky,
    tree,
)

SIZE_HW = (48, 64)


@pytest.mark.parametrize("draw", [nature, leaves, photo, gradient_noise, sky])
def test_a_canvas_has_its_size_and_depends_on_its_generator_alone(draw):
    one, same, other = (draw(np.random.default_rng(seed), SIZE_HW) for seed in (1, 1, 2))
    assert one.shape == (*SIZE_HW, 3) and one.dtype == np.float32 and np.isfinite(one).all()
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_a_ridge_without_roughness_is_a_level_line():
    canvas, surface = np.zeros((20, 30, 3), np.float32), np.full((20, 30, 3), 0.5, np.float32)
    ridge(np.random.default_rng(0), canvas, 8.0, 0.0, surface)
    assert not canvas[:8].any() and np.allclose(canvas[8], 0.25) and np.allclose(canvas[9:], 0.5)


def test_a_rough_ridge_keeps_to_its_band():
    canvas, surface = np.zeros((60, 80, 3), np.float32), np.ones((60, 80, 3), np.float32)
    ridge(np.random.default_rng(0), canvas, 30.0, 20.0, surface)
    assert not canvas[:19].any() and (canvas[42:] == 1).all() and np.ptp(canvas[..., 0].sum(0)) > 2


def test_the_sky_is_paler_at_the_horizon():
    pale, away = np.float32([0.9, 0.92, 0.94]), []
    for seed in range(20):
        canvas = sky(np.random.default_rng(seed), SIZE_HW)
        away.append(np.abs(canvas[[0, -1]].mean(axis=1) - pale).sum(axis=1))
    top, bottom = np.array(away).T
    assert np.median(bottom) < 0.8 * np.median(top)


def test_leaves_fall_below_the_given_line_only():
    canvas = np.full((80, 60, 3), 2.0, np.float32)
    scatter_leaves(np.random.default_rng(0), canvas, GREENS, 2.0, 8.0, 400, top=0.5)
    changed = (canvas != 2).any(axis=2)
    assert not changed[:34].any() and changed[44:].mean() > 0.5


def test_a_tree_stands_on_its_foot_below_its_crown():
    canvas = np.full((120, 100, 3), 2.0, np.float32)
    tree(np.random.default_rng(0), canvas, 50, 110, 80)
    rows = np.nonzero((canvas != 2).any(axis=(1, 2)))[0]
    assert rows.max() <= 114 and rows.min() < 110 - 0.6 * 80
    width = (canvas != 2).any(axis=2).sum(axis=1)
    assert 0 < width[105] < 12 < width[rows.min() : 80].max()
