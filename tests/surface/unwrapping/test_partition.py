"""The partition, recomputed from the stored surface."""

import numpy as np
import pytest

from opendensepose.surface import MIRROR_CHART, load_charts, load_surface
from opendensepose.surface.unwrapping.anatomy import SkinMesh
from opendensepose.surface.unwrapping.partition import FaceGraph, bent_function, mirror_faces, partition


def stored_mesh() -> SkinMesh:
    surface = load_surface()
    return SkinMesh(surface.vertices.astype(np.float64), surface.faces, {})


def test_the_stored_partition_is_this_one():
    mesh, charts = stored_mesh(), load_charts()
    face_chart = partition(mesh)
    assert (face_chart == charts.face_chart).mean() > 0.999  # the stored vertices are rounded to float32
    assert np.array_equal(MIRROR_CHART[face_chart[mirror_faces(mesh.vertices, mesh.faces)]], face_chart)


def test_a_cut_is_short_and_keeps_to_its_side():
    """A tetrahedron: the cut keeps the one face with a positive function, unless its border costs more."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    graph, every = FaceGraph(SkinMesh(vertices, faces, {}), np.arange(4)), np.ones(4, bool)
    function = np.array([0.05, -0.05, -0.05, -0.05])
    assert graph.cut(function, every, 1e-3).tolist() == [True, False, False, False]
    assert not graph.cut(function, every, 1.0).any()


def test_islands_go_to_their_longest_neighbour():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    graph = FaceGraph(SkinMesh(vertices, faces, {}), np.arange(4))
    assert graph.absorb_islands(np.array([1, 1, 1, 2], np.uint8)).tolist() == [1, 1, 1, 2]


def test_bent_function_by_hand():
    before, joint, after = np.array([0, 0, 2.0]), np.zeros(3), np.array([2.0, 0, 0])
    value = bent_function(np.array([[1, 0, 0], [0, 0, 1], [1, 5, 1]]), before, joint, after)
    assert value == pytest.approx([np.sqrt(0.5), -np.sqrt(0.5), 0])


def test_an_asymmetric_mesh_is_refused():
    vertices = np.array([[0.1, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    with pytest.raises(ValueError, match="symmetric in x"):
        mirror_faces(vertices, np.array([[0, 1, 2]]))
