"""Landmarks lie on the skin and joints inside it; centres and normals by hand."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from opendensepose.surface import load_surface
from opendensepose.surface.unwrapping.anatomy import JOINTS, LANDMARKS, SkinMesh


def windings(surface, places):
    """How often the closed surface goes round each place: 1 inside, 0 outside (Van Oosterom, Strackee, 1983)."""
    corners = surface.vertices[surface.faces].astype(np.float64)
    found = []
    for place in places:
        a, b, c = (corners - place).transpose(1, 0, 2)
        la, lb, lc = (np.linalg.norm(one, axis=1) for one in (a, b, c))
        volume = (a * np.cross(b, c)).sum(1)
        rest = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
        found.append(2 * np.arctan2(volume, rest).sum() / (4 * np.pi))
    return np.array(found)


def test_landmarks_lie_on_the_skin():
    distance, _ = cKDTree(load_surface().vertices).query(np.array(list(LANDMARKS.values())))
    assert distance.max() < 0.015


def test_joints_lie_inside_the_body():
    inside = [name for name in JOINTS if name != "crotch"]  # which is a place of the skin
    assert windings(load_surface(), [JOINTS[name] for name in inside]) == pytest.approx(1, abs=1e-6)
    assert windings(load_surface(), [[2.0, 0, 0]]) == pytest.approx(0, abs=1e-6)


def test_the_left_is_plus_x_and_the_pair_is_mirrored():
    assert all(JOINTS[name][0] > 0 for name in JOINTS if name != "crotch") and JOINTS["crotch"][0] == 0
    assert np.array_equal(LANDMARKS["right nipple"], LANDMARKS["left nipple"] * [-1, 1, 1])


def test_centres_and_normals_by_hand():
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 2]], float)
    mesh = SkinMesh(vertices, np.array([[0, 1, 2], [0, 2, 3]]), {"all": np.ones(4), "two": np.array([0, 1, 3, 0])})
    assert mesh.bone_centre("all").tolist() == [0.5, 0.5, 0.5]
    assert mesh.bone_centre("two").tolist() == [0.5, 1.5, 0]
    assert mesh.normals(np.array([1, 0])).tolist() == [[1, 0, 0], [0, 0, 1]]
