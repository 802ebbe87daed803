"""From places in space to the surface: by hand on a square, there and back on the body, and against all faces."""

import numpy as np
import pytest

from opendensepose.surface import SurfacePoints, load_surface
from opendensepose.surface.nearest import REACH_M, NearestPoints

# A square of 4 cm of two triangles at height 0.
VERTICES = np.float32([[0, 0, 0], [0.04, 0, 0], [0.04, 0.04, 0], [0, 0.04, 0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def random_points(surface, count, seed=0):
    rng = np.random.default_rng(seed)
    return SurfacePoints(rng.integers(len(surface.faces), size=count), rng.dirichlet([1, 1, 1], count))


def test_by_hand():
    found = NearestPoints(VERTICES, FACES).find(
        np.float32([[0.03, 0.01, 0], [0.01, 0.03, 0.002], [-0.001, 0.02, 0], [0.5, 0.5, 0.1]])
    )
    xyz = found.xyz(VERTICES, FACES)
    assert xyz == pytest.approx(np.array([[0.03, 0.01, 0], [0.01, 0.03, 0], [0, 0.02, 0], [0.04, 0.04, 0]]), abs=1e-6)
    assert found.face.tolist()[:3] == [0, 1, 1]


def test_points_of_the_body_come_back():
    surface = load_surface()
    points = random_points(surface, 20_000)
    xyz = points.xyz(surface.vertices, surface.faces)
    again = surface.to_points(xyz)
    assert np.abs(again.xyz(surface.vertices, surface.faces) - xyz).max() < 5e-5
    assert (again.face == points.face).mean() > 0.99  # of two that share an edge, either
    assert again.barycentric.sum(1) == pytest.approx(1, abs=1e-5) and again.barycentric.min() >= 0


@pytest.mark.parametrize("noise_m", [0.3 * REACH_M, 10 * REACH_M])
def test_places_beside_the_body_find_the_nearest_of_all_faces(noise_m):
    surface = load_surface()
    rng = np.random.default_rng(1)
    places = random_points(surface, 60, 2).xyz(surface.vertices, surface.faces)
    places = (places + rng.normal(0, noise_m, places.shape)).astype(np.float32)
    found = np.linalg.norm(surface.to_points(places).xyz(surface.vertices, surface.faces) - places, axis=1)
    every = np.arange(len(surface.faces))
    for place, distance in zip(places, found, strict=True):
        _, closest = surface.nearest._closest(every, np.broadcast_to(place, (len(every), 3)))
        assert distance == pytest.approx(np.linalg.norm(closest - place, axis=1).min(), abs=2e-5)


def test_bad_places_are_one_sentence():
    with pytest.raises(ValueError, match=r"shape \(P, 3\), got \(4, 2\)"):
        load_surface().to_points(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="must be finite"):
        load_surface().to_points([[0, np.nan, 0]])
    assert len(load_surface().to_points(np.zeros((0, 3)))) == 0
