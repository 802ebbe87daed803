"""Triangles to pixels: by hand, whichever way they turn, and each pixel of a split square once."""

import numpy as np
import pytest

from opendensepose.surface.rasterize import rasterize, triangle_fragments


def test_the_nearer_triangle_is_kept_by_hand():
    far = [[0, 0, 2], [4, 0, 2], [0, 4, 2]]
    near = [[0, 0, 1], [2, 0, 1], [0, 2, 1]]
    triangle, weights = rasterize(np.array([near, far], float), (4, 4))
    assert triangle.tolist() == [[0, 0, 1, 1], [0, 1, 1, -1], [1, 1, -1, -1], [1, -1, -1, -1]]
    assert weights[0, 0] == pytest.approx([0.5, 0.25, 0.25])


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
def test_triangles_may_turn_either_way(order):
    corner = np.array([[[0.2, 0.1], [6.3, 1.2], [2.4, 5.5]]])[:, order]
    found = triangle_fragments(corner, (6, 7))
    centre = np.stack([found.x, found.y], 1) + 0.5
    assert np.einsum("kc,cx->kx", found.barycentric, corner[0]) == pytest.approx(centre)
    assert found.barycentric.min() >= -1e-9 and len(found.x) > 8


def test_a_quadrilateral_of_two_triangles_covers_each_pixel_once():
    rng = np.random.default_rng(0)
    a, b, c, d = np.array([[0.3, 0.2], [19.6, 1.1], [18.2, 14.7], [1.4, 13.3]]) + rng.normal(0, 0.05, (4, 2))
    found = triangle_fragments(np.array([[a, b, c], [c, d, a]]), (16, 20))
    assert len({*zip(found.x.tolist(), found.y.tolist(), strict=True)}) == len(found.x) > 200


def test_what_lies_outside_or_has_no_area_covers_nothing():
    outside, line = [[30, 30], [40, 30], [30, 40]], [[0, 0], [2, 2], [4, 4]]
    assert len(triangle_fragments(np.array([outside, line], float), (8, 8)).triangle) == 0
