import numpy as np
import pytest
from tests.surface.geodesics.test_distances import random_points, sphere, square

from opendensepose.surface.geodesics.mesh import fold


def area(vertices, triangles):
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


@pytest.mark.parametrize(("surface", "mirrored"), [(sphere(), True), (square(2), False)])
def test_division_keeps_area_and_places_and_shortens_edges(surface, mirrored):
    mesh = fold(surface.vertices, surface.faces, 0.005)
    assert mesh.mirrored == mirrored
    both = mesh.unfolded()
    assert area(both.vertices, both.triangles) == pytest.approx(area(surface.vertices, surface.faces), rel=1e-5)
    edges = both.vertices[both.triangles] - both.vertices[np.roll(both.triangles, 1, axis=1)]
    assert np.linalg.norm(edges, axis=2).max() <= 0.005 and len(both.triangles) > len(surface.faces)

    points = random_points(surface, 500, np.random.default_rng(0))
    cell, weights = mesh.locate(points.face, points.barycentric)
    assert (mesh.split[cell] < 0).all() and weights.min() > -1e-6
    place = (mesh.node_xyz[mesh.cell[cell]] * weights[..., None]).sum(1)
    place[mesh.face_side[points.face], 0] *= -1
    assert place == pytest.approx(points.xyz(surface.vertices, surface.faces), abs=1e-6)


def test_nodes_on_the_mirror_plane_occur_once():
    mesh = fold(sphere().vertices, sphere().faces, 1)
    both = mesh.unfolded()
    assert (both.place[0] == both.place[1]).tolist() == mesh.is_middle.tolist()
    assert np.array_equal(both.vertices[both.place[1]], both.vertices[both.place[0]] * [-1, 1, 1])
