"""Maps of torso and limbs: a flat sheet by hand, and the stored charts."""

import numpy as np
import pytest
from tests.surface.unwrapping.landmarks import label_at

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.unwrapping.anatomy import JOINTS, LANDMARKS, SkinMesh
from opendensepose.surface.unwrapping.limb_maps import DIRECTIONS, FOREARM, UPPER_ARM, across, flatten
from opendensepose.surface.unwrapping.unwrap import normalise


def test_a_stored_limb_is_the_map_of_its_geodesics():
    """Chart 12 recomputed from the stored surface, the others by `scripts/make_charts.py` only."""
    surface, charts = load_surface(), load_charts()
    mine = charts.face_chart == 12
    mesh = SkinMesh(surface.vertices.astype(np.float64), surface.faces, {})
    uv = normalise(flatten(mesh, surface.faces[mine], 12).reshape(-1, 2)).reshape(-1, 3, 2)
    assert np.abs(uv - charts.face_uv[mine]).max() < 1e-4


def sheet(corner, columns=3, rows=5):
    """A flat mesh of squares of 10 cm in the plane y = 0, symmetric in x where `corner` is -0.15: SkinMesh."""
    x, z = np.meshgrid(corner + 0.1 * np.arange(columns + 1), 0.1 * np.arange(rows + 1))
    a = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, up = a + 1, a + columns + 1
    faces = np.r_[np.c_[a, right, up], np.c_[right, up + 1, up]]
    return SkinMesh(np.c_[x.ravel(), np.zeros(x.size), z.ravel()], faces, {})


def test_a_flat_torso_by_hand():
    """U is how far a point lies below the middle, V how far to the person's right."""
    mesh = sheet(-0.15)
    uv, xyz = flatten(mesh, mesh.faces, 2), mesh.vertices[mesh.faces]
    assert np.allclose(uv, np.stack([0.25 - xyz[..., 2], -xyz[..., 0]], axis=2), atol=1e-6)


@pytest.mark.parametrize("chart", [8, 10, 12, 14])
def test_a_flat_leg_keeps_its_lengths_and_runs_as_directed(chart):
    mesh = sheet(0.1)
    uv, xyz = (a.reshape(-1, a.shape[2]) for a in (flatten(mesh, mesh.faces, chart), mesh.vertices[mesh.faces]))
    apart = [np.linalg.norm(a[:, None] - a[None], axis=2) for a in (uv, xyz)]
    assert np.abs(apart[0] - apart[1]).max() < 1e-6
    for axis, direction in enumerate(DIRECTIONS[chart]):
        assert np.corrcoef(uv[:, axis], xyz @ direction)[0, 1] > 0.9


def test_across_is_forward_and_square_to_the_limb():
    for axis in (np.array([0, 0, -3.0]), UPPER_ARM, FOREARM):
        assert across(axis) @ axis == pytest.approx(0, abs=1e-12) and across(axis)[1] < 0
    assert across(np.array([0, 0, -3.0])).tolist() == [0, -1, 0]


def test_the_forearm_runs_both_ways():
    """Outer side: U 0 at the elbow; inner side reversed; V falls with the angle from forward over outward to back."""
    surface, charts = load_surface(), load_charts()
    along = (JOINTS["wrist"] - JOINTS["elbow"]) / np.linalg.norm(JOINTS["wrist"] - JOINTS["elbow"])
    forward = across(along) / np.linalg.norm(across(along))
    outward = np.cross(forward, along) * np.sign(np.cross(forward, along)[0])
    for chart, sign, begin in ((21, 1, 0), (19, -1, -180)):
        mine = charts.face_chart == chart
        centre = surface.vertices[surface.faces[mine]].astype(np.float64).mean(1) - JOINTS["elbow"]
        u, v = charts.face_uv[mine].mean(1).T
        assert np.corrcoef(u, sign * centre @ along)[0, 1] > 0.9
        angle = (np.degrees(np.arctan2(centre @ outward, centre @ forward)) - begin) % 360
        assert np.corrcoef(v, -angle)[0, 1] > 0.9


def test_landmarks_of_the_torso():
    """Read off the published atlas, whose body may have its nipples elsewhere; V is measured on photos, see SPAN."""
    for place, want in (("navel", (0.65, 0.5)), ("left nipple", (0.37, 0.30)), ("right nipple", (0.37, 0.72))):
        chart, u, v = label_at(LANDMARKS[place])
        assert chart == 2 and (u, v) == pytest.approx(want, abs=0.07)
