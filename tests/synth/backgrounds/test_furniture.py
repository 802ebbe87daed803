"""Furniture stands where it is put, within its extents, and nothing happens beyond the canvas."""

import numpy as np
import pytest

from opendensepose.synth.backgrounds.furniture import box_in_perspective, chair, sofa, stick, table

GREY = 0.5
PIECES = {  # drawn at x, with its foot at `bottom`, as large as `size`
    "box": lambda rng, canvas, x, bottom, size: box_in_perspective(rng, canvas, x, bottom, size, size),
    "table": lambda rng, canvas, x, bottom, size: table(rng, canvas, x, bottom, size, size),
    "chair": lambda rng, canvas, x, bottom, size: chair(rng, canvas, x + size / 2, bottom, size),
    "sofa": lambda rng, canvas, x, bottom, size: sofa(rng, canvas, x, bottom, size, size),
}


def drawn(piece, x, bottom, size=40, seed=0):
    canvas = np.full((160, 200, 3), GREY, np.float32)
    PIECES[piece](np.random.default_rng(seed), canvas, x, bottom, size)
    return canvas


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_covers_its_own_place_and_leaves_the_rest(piece):
    for seed in range(5):
        changed = (drawn(piece, 80, 120, seed=seed) != GREY).any(axis=2)
        assert changed[80:120, 80:120].mean() > 0.2  # at least legs, seat and back
        rows, columns = np.nonzero(changed)
        assert 40 <= rows.min() and rows.max() <= 145 and 30 <= columns.min() and columns.max() <= 170


@pytest.mark.parametrize("piece", PIECES)
def test_equal_generators_draw_equal_pieces_that_stay_finite(piece):
    one = drawn(piece, 80, 120, seed=3)
    assert np.array_equal(one, drawn(piece, 80, 120, seed=3)) and np.isfinite(one).all() and one.min() >= 0
    assert not np.array_equal(one, drawn(piece, 80, 120, seed=4))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(("x", "bottom"), [(-400, 100), (500, 100), (80, -300), (80, 600)])
def test_beyond_the_canvas_nothing_happens(piece, x, bottom):
    assert (drawn(piece, x, bottom) == GREY).all()


def test_a_stick_by_hand():
    """Along the middle the lightest of three bands, then darker ones; as thick as its width."""
    canvas = np.full((40, 60, 3), GREY, np.float32)
    stick(np.random.default_rng(0), canvas, (10, 20), (50, 20), 20, np.float32([0.4, 0.2, 0.8]))
    assert np.allclose(canvas[20, 30], np.float32([0.4, 0.2, 0.8]) * 1.1)
    assert np.allclose(canvas[11, 30], np.float32([0.4, 0.2, 0.8]) * 0.6)
    assert np.allclose(canvas[15, 30], np.float32([0.4, 0.2, 0.8]) * 0.85)
    assert (canvas[:8] == GREY).all() and (canvas[33:] == GREY).all()
