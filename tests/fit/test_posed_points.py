"""Our points are Anny's, and their derivatives are torch's through Anny's whole model."""

import numpy as np
import pytest
import torch
from tests.fit.people import fitter, placement, vertices_of

from opendensepose.fit.posed_points import PosedPoints
from opendensepose.fit.rotations import rotation_matrix
from opendensepose.surface import SurfacePoints, load_surface


def corners(count: int, rng: np.random.Generator) -> SurfacePoints:
    """Points at vertices: there, skinning a point and skinning its face's corners is the same to rounding."""
    return SurfacePoints(rng.integers(0, len(load_surface().faces), count), np.eye(3)[rng.integers(0, 3, count)])


def test_places_are_those_of_annys_vertices():
    rng, body = np.random.default_rng(0), placement(3)
    surface, vertices = load_surface(), vertices_of(placement(3))
    points = corners(300, rng)
    exact = points.xyz(vertices, surface.faces)
    assert PosedPoints(fitter().skeleton, points).positions(body) == pytest.approx(exact, abs=2e-5)
    inside = SurfacePoints(points.face, rng.dirichlet((1, 1, 1), 300))
    off = PosedPoints(fitter().skeleton, inside).positions(body) - inside.xyz(vertices, surface.faces)
    assert np.linalg.norm(off, axis=1).mean() < 5e-4


def test_derivatives_are_differences():
    rng, body = np.random.default_rng(1), placement(4)
    points = PosedPoints(fitter().skeleton, corners(50, rng))
    places, derivatives = points.derivatives(body)
    num_pose = len(body.pose)
    step = 1e-5 * rng.normal(0, 1, derivatives.shape[2])
    moved = body._replace(
        rotation=rotation_matrix(step[:3]) @ body.rotation,
        place=body.place + step[3:6],
        pose=body.pose + step[6 : 6 + num_pose],
        shape=body.shape + step[6 + num_pose :],
    )
    change = points.positions(moved) - places
    assert change == pytest.approx(derivatives @ step, abs=2e-7)
    assert np.abs(change).max() > 2e-5
    without = points.derivatives(body, with_shape=False)[1]
    assert (without[..., 6 + num_pose :] == 0).all()
    assert without[..., : 6 + num_pose] == pytest.approx(derivatives[..., : 6 + num_pose], abs=1e-5)


def test_the_knees_derivative_is_torchs_through_anny():
    skeleton, body, angle = fitter().skeleton, placement(5), torch.zeros((), requires_grad=True)
    knee = skeleton.body.bone_index["lowerleg01.L"]
    surface = load_surface()
    below = np.flatnonzero(skeleton.descends[:, knee] @ skeleton.weights[surface.anny_vertex].T > 0.99)
    point = SurfacePoints.at_vertices(below[:1], surface.faces)
    column = skeleton.space.columns["lowerleg01.L"].start
    body.pose[column : column + 3] = 0.4, 0, 0
    matrices = torch.from_numpy(skeleton.pose_matrices(body))
    c, s, o = torch.cos(0.4 + angle), torch.sin(0.4 + angle), torch.zeros(())
    turn = torch.stack([torch.ones(()), o, o, o, c, -s, o, s, c]).view(3, 3)
    matrices[0, knee, :3, :3] = turn
    shape = torch.from_numpy(body.shape.astype(np.float32))[None]
    named = {name: shape[:, k] for k, name in enumerate(skeleton.body.phenotypes)}
    posed = skeleton.body.model(pose_parameters=matrices, phenotype_kwargs=named)["vertices"][0]
    posed[surface.anny_vertex[below[0]]].pow(2).sum().backward()
    places, derivatives = PosedPoints(skeleton, point).derivatives(body)
    assert 2 * float(places[0] @ derivatives[0, :, 6 + column]) == pytest.approx(float(angle.grad), rel=1e-3)
