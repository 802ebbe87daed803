"""From a chart coordinate to the face that has it: by hand, there and back, and off the outline."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from opendensepose.surface import SurfacePoints, load_charts, load_surface
from opendensepose.surface.lookup import ChartLookup

# Two triangles in chart 2 that make a square of side 0.5, the corner (0, 0) of which is the first corner of both.
SQUARE = np.float32([[[0, 0], [0.5, 0], [0.5, 0.5]], [[0, 0], [0.5, 0.5], [0, 0.5]]])


@pytest.fixture(scope="module")
def square():
    return ChartLookup(np.array([2, 2], np.uint8), SQUARE)


def find(lookup, u, v):
    points = lookup.find(np.full(len(u), 2), np.float32(u), np.float32(v))
    return points.face.tolist(), (SQUARE[points.face] * points.barycentric[:, :, None]).sum(1), points.barycentric


def test_a_place_inside_by_hand(square):
    face, uv, barycentric = find(square, [0.25, 0.125], [0.125, 0.25])
    assert face == [0, 1]
    assert barycentric == pytest.approx(np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]), abs=1e-6)
    assert uv == pytest.approx(np.array([[0.25, 0.125], [0.125, 0.25]]), abs=1e-6)


def test_a_place_outside_moves_to_the_nearest_edge_by_hand(square):
    _, uv, barycentric = find(square, [0.503, 0.25, 0.503], [0.25, 0.503, 0.503])
    assert uv == pytest.approx(np.array([[0.5, 0.25], [0.25, 0.5], [0.5, 0.5]]), abs=1e-5)
    assert barycentric.min() >= 0 and barycentric.sum(1) == pytest.approx(1)


def test_every_place_of_the_square_comes_back(square):
    u, v = np.random.default_rng(0).random((2, 5000)) / 2
    face, uv, barycentric = find(square, u, v)
    assert np.abs(uv - np.c_[u, v]).max() < 1e-6 and barycentric.min() >= 0
    assert np.array_equal(np.array(face)[np.abs(u - v) > 1e-6], (v > u)[np.abs(u - v) > 1e-6])


def random_points(count: int, seed: int = 0) -> SurfacePoints:
    """Points spread evenly over the skin's area."""
    surface, rng = load_surface(), np.random.default_rng(seed)
    p = surface.vertices[surface.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    face = rng.choice(len(area), count, p=area / area.sum())
    return SurfacePoints(face, rng.dirichlet([1, 1, 1], count))


def test_there_and_back_on_the_skin():
    surface, charts, points = load_surface(), load_charts(), random_points(20_000)
    i, u, v = charts.from_points(points)
    found = charts.to_points(i, u, v)
    again_i, again_u, again_v = charts.from_points(found)
    assert np.array_equal(i, again_i)
    assert max(np.abs(u - again_u).max(), np.abs(v - again_v).max()) < 1e-4
    moved = found.xyz(surface.vertices, surface.faces) - points.xyz(surface.vertices, surface.faces)
    assert np.linalg.norm(moved, axis=1).max() < 2e-3  # metres: no two places of a chart share a (U, V)


def test_outside_the_outline_a_near_point_of_it_is_taken():
    charts, rng = load_charts(), np.random.default_rng(1)
    i, (u, v) = rng.integers(1, 25, 3000), rng.random((2, 3000)).astype(np.float32)
    again_i, again_u, again_v = charts.from_points(charts.to_points(i, u, v))
    assert np.array_equal(i, again_i) and np.isfinite(again_u).all() and np.isfinite(again_v).all()
    for chart in (2, 5, 15):
        mine = i == chart
        corners = charts.face_uv[charts.face_chart == chart]
        steps = np.linspace(0, 1, 21)[:, None]
        edge = np.concatenate([corners[:, k] + steps[:, None] * (corners[:, k - 1] - corners[:, k]) for k in range(3)])
        nearest = cKDTree(edge.reshape(-1, 2)).query(np.c_[u, v][mine])[0]
        taken = np.hypot(again_u - u, again_v - v)[mine]
        assert (taken <= nearest + 0.01).all()
