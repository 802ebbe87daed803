"""Vertices are moved and projected, with normals by hand on a tetrahedron."""

import numpy as np
import torch

from opendensepose.camera import Camera, look_at
from opendensepose.synth.drawing.vertices import displace, project, rotation_about_z, transform, vertex_normals

TETRAHEDRON = [[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
OUTWARDS = [[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]


def test_normals_of_a_tetrahedron_point_away_from_its_middle():
    points = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    faces = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], dtype=torch.int32)
    normals = vertex_normals(points, faces)
    assert torch.allclose(normals, points / 3**0.5, atol=1e-6)


def test_projection_is_the_camera_s():
    rotation, translation = look_at(np.array([2.0, -4.0, 1.0]), np.array([0.1, 0.2, 0.3]), roll=0.4)
    camera = Camera(rotation, translation, 90.0, (20.0, 30.0), (64, 48))
    points = np.random.default_rng(0).uniform(-1, 1, (50, 3)).astype(np.float32)
    in_camera, screen = project(torch.from_numpy(points), camera)
    assert np.allclose(in_camera, camera.to_camera(points), atol=1e-5)
    assert np.allclose(screen[:, :2], camera.project(points), atol=1e-3)
    assert torch.equal(screen[:, 2], in_camera[:, 2])
    assert np.allclose(transform(torch.from_numpy(points), rotation, translation), in_camera, atol=1e-5)


def test_displacement_moves_vertices_along_their_normals():
    points, faces = torch.tensor(TETRAHEDRON), torch.tensor(OUTWARDS, dtype=torch.int32)
    moved = displace(points, faces, torch.tensor([0.0, 1.0, 2.0, 3.0]))
    assert torch.allclose((moved - points).norm(dim=1), torch.tensor([0.0, 1.0, 2.0, 3.0]), atol=1e-6)
    assert torch.allclose(moved, points * (1 + torch.arange(4)[:, None] / 3**0.5), atol=1e-5)


def test_a_quarter_turn_takes_x_to_y():
    assert np.allclose(rotation_about_z(np.pi / 2) @ [1.0, 0, 2], [0, 1, 2])
