import numpy as np
import pytest

from opendensepose.surface import SurfacePoints, load_surface

TRIANGLE = np.array([[0, 0, 0], [4, 0, 0], [0, 8, 0]], np.float32)
FACES = np.array([[0, 1, 2]])


def test_xyz_of_one_triangle_by_hand():
    points = SurfacePoints(np.array([0, 0]), np.array([[0.25, 0.25, 0.5], [0, 1, 0]]))
    assert np.array_equal(points.xyz(TRIANGLE, FACES), [[1, 4, 0], [4, 0, 0]])
    assert points.face.dtype == np.int32 and points.barycentric.dtype == np.float32 and len(points) == 2


def test_points_are_taken_by_place_and_by_mask():
    points = SurfacePoints(np.array([4, 5, 6]), np.eye(3))
    assert points[np.array([2, 0, 2])].face.tolist() == [6, 4, 6]
    assert points[np.array([False, True, False])].barycentric.tolist() == [[0, 1, 0]]


def test_xyz_keeps_the_weighted_mean_of_a_moved_body():
    surface = load_surface()
    rng = np.random.default_rng(0)
    points = SurfacePoints(rng.integers(0, len(surface.faces), 1000), rng.dirichlet([1, 1, 1], 1000))
    moved = surface.vertices @ np.float32([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) + np.float32([1, 2, 3])
    by_corners = (moved[surface.faces[points.face]] * points.barycentric[:, :, None]).sum(1)
    assert np.abs(points.xyz(moved, surface.faces) - by_corners).max() < 1e-5


def test_no_points():
    assert SurfacePoints(np.zeros(0, int), np.zeros((0, 3))).xyz(TRIANGLE, FACES).shape == (0, 3)


@pytest.mark.parametrize("face, barycentric", [([0], [1, 0, 0]), ([[0]], [[1, 0, 0]]), ([0, 0], [[1, 0, 0]])])
def test_wrong_shapes_are_named(face, barycentric):
    with pytest.raises(ValueError, match=r"shapes \(P,\) and \(P, 3\)"):
        SurfacePoints(np.array(face), np.array(barycentric, float))


def test_a_face_of_another_mesh_is_named():
    points = SurfacePoints(np.array([1]), np.array([[1.0, 0, 0]]))
    with pytest.raises(ValueError, match=r"in 0\.\.0, got 1\.\.1"):
        points.xyz(TRIANGLE, FACES)
    with pytest.raises(ValueError, match="shapes"):
        points.xyz(TRIANGLE[:, :2], FACES)


def test_the_nearest_vertex_by_hand_and_vertices_there_and_back():
    points = SurfacePoints(np.array([0, 0]), np.array([[0.6, 0.4, 0], [0.3, 0.1, 0.6]]))
    assert points.nearest_vertex(TRIANGLE, FACES).tolist() == [0, 2]
    surface = load_surface()
    vertex = np.unique(surface.faces)[::-1]
    at = SurfacePoints.at_vertices(vertex, surface.faces)
    assert (at.xyz(surface.vertices, surface.faces) == surface.vertices[vertex]).all()
    assert (at.nearest_vertex(surface.vertices, surface.faces) == vertex).all()
    with pytest.raises(ValueError, match="one of a face, got 3"):
        SurfacePoints.at_vertices([0, 3], FACES)
