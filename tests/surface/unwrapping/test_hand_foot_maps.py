"""The lines along which hands and feet are cut open, by hand; which way the stored maps run."""

import numpy as np
import pytest

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.unwrapping.hand_foot_maps import _edges_between, _heel_line, _turned, _walk

# A strip of four triangles: 0-1-2 below, 3-4-5 above.
STRIP = np.array([[0, 1, 3], [1, 4, 3], [1, 2, 4], [2, 5, 4]])


def test_edges_between_two_sides_by_hand():
    side = np.array([True, True, False, False])
    assert _edges_between(STRIP, side).tolist() == [[1, 4]]
    assert sorted(_edges_between(STRIP, np.array([True, False, True, False])).tolist()) == [[1, 3], [1, 4], [2, 4]]
    assert not len(_edges_between(STRIP, np.ones(4, bool)))


def test_a_line_is_walked_from_its_end_and_a_loop_once():
    assert _walk(np.array([[2, 3], [0, 1], [1, 2]]), 0).tolist() == [0, 1, 2, 3]
    assert _walk(np.array([[2, 3], [0, 1], [1, 2]]), 3).tolist() == [3, 2, 1, 0]
    loop = _walk(np.array([[0, 1], [1, 2], [2, 3], [0, 3]]), 2).tolist()
    assert loop[0] == 2 and sorted(loop) == [0, 1, 2, 3]


def test_a_line_that_forks_is_refused():
    with pytest.raises(ValueError, match="must not fork"):
        _walk(np.array([[0, 1], [1, 2], [1, 3]]), 0)


def test_a_map_is_turned_without_stretch():
    uv = np.random.default_rng(0).random((9, 2))
    turned = _turned(uv, np.array([0.0, 3.0]), 0.0)  # what pointed up points to the right
    assert np.allclose(turned, np.c_[uv[:, 1], -uv[:, 0]])
    assert np.allclose(_turned(uv, np.array([1.0, 1.0]), np.pi / 4), uv)


def test_the_heel_line_keeps_to_the_straight_edges():
    """A wall of 4 x 4 squares: from the top of its middle column down to the heel, along that column."""
    x, z = (grid.ravel() for grid in np.meshgrid(np.arange(5), np.arange(5)))
    y = -0.1 * np.abs(x - 2) + 0.05 * (z == 4)  # the middle is the hindmost, most so at the top
    a = (np.arange(4)[:, None] * 5 + np.arange(4)).ravel()
    faces = np.r_[np.c_[a, a + 1, a + 5], np.c_[a + 1, a + 6, a + 5]]
    rim = np.arange(5)
    line = _heel_line(np.c_[x, y, z].astype(float), faces, np.ones(len(faces), bool), rim, 2)
    assert line.tolist() == [22, 17, 12, 7, 2]


def test_hands_and_feet():
    """Back of the right hand at U below 0.5, fingertips at large V; toes of the left foot at large U."""
    surface, charts = load_surface(), load_charts()
    centre = surface.vertices[surface.faces].mean(1)
    p = surface.vertices[surface.faces].astype(np.float64)
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    hand = charts.face_chart == 3
    back = normal[hand] @ [-0.79, -0.11, 0.61] > 0
    u, v = charts.face_uv[hand].mean(1).T
    assert u[back].mean() < 0.4 and u[~back].mean() > 0.6
    distance = np.linalg.norm(centre[hand] - [-0.507, -0.192, 0.139], axis=1)
    assert v[distance < 0.05].mean() < 0.25 and v[distance > np.percentile(distance, 98)].mean() > 0.7
    foot = charts.face_chart == 5
    toes = centre[foot, 1] < -0.17
    assert charts.face_uv[foot][toes, :, 0].mean() > 0.75
