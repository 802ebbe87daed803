"""The rows of distances: straight lines on a plane, both halves of a mirrored surface, progress, and pieces."""

import numpy as np
import pytest
from tests.surface.geodesics.test_distances import SIDE, divided, octahedron, square

from opendensepose.surface.geodesics.mesh import fold
from opendensepose.surface.geodesics.table import table_rows


def rows_of(vertices, faces, advance=lambda count: None):
    mesh = fold(np.asarray(vertices, np.float64), np.asarray(faces), 10.0)  # no edge is divided
    return mesh, list(table_rows(mesh, advance))


def test_one_triangle_by_hand():
    _, rows = rows_of([[0, 0, 0], [3, 0, 0], [0, 4, 0]], [[0, 1, 2]])
    assert [row.tolist() for row in rows] == [[[0]], [[3, 0]], [[4, 5, 0]]]
    assert all(row.dtype == np.float32 for row in rows)


def test_a_plane_has_straight_lines_that_are_never_too_short():
    surface = square(3)
    mesh, rows = rows_of(surface.vertices, surface.faces)
    assert not mesh.mirrored and len(rows) == len(surface.vertices)
    for i, row in enumerate(rows):
        straight = np.linalg.norm(mesh.node_xyz[: i + 1] - mesh.node_xyz[i], axis=1)
        assert row.shape == (1, i + 1) and row[0, i] == 0
        assert row[0] == pytest.approx(straight, abs=1e-3 * SIDE) and (row[0] >= straight - 1e-6).all()


def test_a_mirrored_surface_has_rows_to_both_halves():
    """A sphere's nodes: the image is nowhere nearer than the straight line, and equally far where a node is its own."""
    vertices, faces = divided(*octahedron(), 2)
    mesh, rows = rows_of(vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces)
    assert mesh.mirrored and mesh.is_middle.any()
    for i, row in enumerate(rows):
        image = np.linalg.norm(mesh.node_xyz[: i + 1] * [-1, 1, 1] - mesh.node_xyz[i], axis=1)
        assert row.shape == (2, i + 1) and (row[1] >= image - 1e-6).all()
        same = mesh.is_middle[: i + 1] | mesh.is_middle[i]
        assert row[0][same] == pytest.approx(row[1][same], abs=1e-6)


def test_every_node_is_counted_twice():
    done = []
    mesh, _ = rows_of(square(1).vertices, square(1).faces, done.append)
    assert sum(done) == 2 * len(mesh.node_xyz)


def test_pieces_are_refused():
    far = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]])
    with pytest.raises(ValueError, match="in one piece"):
        rows_of([*far, *(far + 3)], [[0, 1, 2], [3, 4, 5]])
