"""Distortion of charts, and the right charts made from the left ones."""

import numpy as np
import pytest

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.unwrapping.anatomy import SkinMesh
from opendensepose.surface.unwrapping.assemble import _mirror, distortion

ALL = range(1, 25)


def test_no_triangle_is_flipped_and_none_is_stretched_much():
    surface, charts = load_surface(), load_charts()
    table = distortion(surface.vertices, surface.faces, charts.face_chart, charts.face_uv)
    assert sorted(table) == list(ALL)
    assert sum(row["flipped"] for row in table.values()) == 0
    assert max(row["stretch"] for row in table.values()) <= 1.6


def test_distortion_by_hand():
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [2, 1, 0]], float)
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    row = distortion(vertices, faces, np.array([1, 1]), vertices[faces][:, :, :2] / [2, 1])[1]
    assert row["stretch_raw"] == pytest.approx(2) and row["stretch"] == pytest.approx(1)
    assert row["area"] == pytest.approx(1) and row["flipped"] == 0


def test_stretch_and_flips_are_seen():
    """One triangle twice as long in the map as it is wide, the other also turned over."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    faces = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]])
    uv = np.array([[[0, 0], [0.2, 0], [0, 0.1]]] * 2 + [[[0, 0], [0, 0.1], [0.2, 0]]])
    row = distortion(vertices, faces, np.full(3, 7), uv)[7]
    assert row["flipped"] == 1 and row["stretch_raw"] == pytest.approx(2)


def two_hands():
    """A face of the left hand and its mirror image, whose corners come in another order."""
    left = np.array([[1, 0, 0], [2, 0, 0], [1, 1, 0]], float)
    return SkinMesh(np.r_[left, left * [-1, 1, 1]], np.array([[0, 1, 2], [5, 4, 3]]), {})


@pytest.mark.parametrize(("left", "right", "reversed_u"), [(4, 3, True), (8, 7, False), (24, 23, True)])
def test_right_charts_are_the_left_ones_mirrored(left, right, reversed_u):
    face_uv = np.zeros((2, 3, 2))
    face_uv[0] = [[0, 0], [1, 0.25], [0.25, 1]]
    _mirror(two_hands(), np.array([left, right]), face_uv)
    u = [0.75, 0, 1] if reversed_u else [0.25, 1, 0]
    assert face_uv[1].tolist() == np.stack([u, [1, 0.25, 0]], 1).tolist()
    assert face_uv[0, 1].tolist() == [1, 0.25]


def test_a_partition_without_symmetry_is_refused():
    with pytest.raises(ValueError, match="mirror symmetric"):
        _mirror(two_hands(), np.array([4, 6]), np.zeros((2, 3, 2)))
