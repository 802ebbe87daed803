"""The rasteriser against answers by hand and against rays."""

import numpy as np
import pytest
import torch

from opendensepose.camera import Camera, look_at
from opendensepose.synth.drawing.rasterize import depth_map, rasterize
from opendensepose.synth.drawing.vertices import project
from opendensepose.synth.textures.atlas import UvMapping, pack_textures


def _draw(points, faces, size_hw=(8, 8)):
    return rasterize(torch.tensor(points, dtype=torch.float32), torch.tensor(faces, dtype=torch.int32), size_hw)


def test_one_triangle_covers_the_pixel_centres_inside_it():
    triangle, barycentric, depth = _draw([[1, 1, 2.0], [5, 1, 2.0], [1, 5, 2.0]], [[0, 1, 2]])
    y, x = np.mgrid[0:8, 0:8] + 0.5
    inside = (x >= 1) & (y >= 1) & (x + y <= 6)
    assert ((triangle.numpy() == 0) == inside).all()
    assert torch.isinf(depth[triangle < 0]).all()
    weights = barycentric[triangle == 0]
    corners = torch.tensor([[1.0, 1.0], [5.0, 1.0], [1.0, 5.0]])
    expected = torch.from_numpy(np.stack([x[inside], y[inside]], 1)).float()
    assert torch.allclose(weights @ corners, expected, atol=1e-5)


def test_the_nearer_triangle_wins_whatever_the_order_and_the_winding():
    far, near = [[0, 0, 3.0], [8, 0, 3.0], [0, 8, 3.0]], [[0, 0, 2.0], [0, 8, 2.0], [8, 0, 2.0]]
    first, _, depth = _draw(far + near, [[0, 1, 2], [3, 4, 5]])
    second, _, _ = _draw(far + near, [[3, 4, 5], [0, 1, 2]])
    assert first[1, 1] == 1 and second[1, 1] == 0 and depth[1, 1] == 2.0


def test_barycentric_coordinates_are_perspective_correct():
    # A plane z = 1 + x seen from the origin: the point under a pixel is known from its ray.
    world = np.array([[-0.4, -0.5, 0.6], [1.0, -0.5, 2.0], [-0.4, 1.5, 0.6]])
    focal, center = 40.0, 32.0
    screen = np.concatenate([world[:, :2] / world[:, 2:] * focal + center, world[:, 2:]], 1)
    triangle, barycentric, depth = _draw(screen, [[0, 1, 2]], (64, 64))
    rows, columns = np.nonzero(triangle.numpy() >= 0)
    assert len(rows) > 500
    point = barycentric.numpy()[rows, columns] @ world
    ray = np.stack([(columns + 0.5 - center) / focal, (rows + 0.5 - center) / focal, np.ones(len(rows))], 1)
    distance = 1 / (1 - ray[:, 0])  # z = 1 + x with x = ray_x * z
    assert np.allclose(point, ray * distance[:, None], atol=1e-4)
    assert np.allclose(depth.numpy()[rows, columns], distance, atol=1e-4)


def test_what_lies_behind_or_at_the_camera_is_not_drawn():
    triangle, _, _ = _draw(
        [[0, 0, -1.0], [8, 0, 1.0], [0, 8, 1.0], [0, 0, 0.01], [8, 0, 0.01], [0, 8, 0.01]], [[0, 1, 2], [3, 4, 5]]
    )
    assert (triangle == -1).all()


TETRAHEDRON = [[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
OUTWARDS = [[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]


def test_a_closed_mesh_looks_the_same_without_its_far_side():
    rotation, translation = look_at(np.array([0.3, -4.0, 0.5]), np.zeros(3))
    camera = Camera(rotation, translation, 60.0, (16.0, 16.0), (32, 32))
    _, screen = project(torch.tensor(TETRAHEDRON), camera)
    faces = torch.tensor(OUTWARDS, dtype=torch.int32)
    whole, near = rasterize(screen, faces, (32, 32)), rasterize(screen, faces, (32, 32), num_closed=4)
    assert (whole.triangle >= 0).sum() > 100
    assert all(torch.equal(a, b) for a, b in zip(whole, near, strict=True))
    inside_out = rasterize(screen, faces.flip(1), (32, 32), num_closed=4)  # then the far side is all that is drawn
    assert (inside_out.depth > whole.depth)[whole.triangle >= 0].float().mean() > 0.9


def test_a_depth_map_holds_the_nearest_plane_linearly():
    # z = 1 + x / 10 over the left half in front of z = 9
    points = torch.tensor([[0.0, 0, 1], [4, 0, 1.4], [0, 16, 1], [0, 0, 9], [40, 0, 9], [0, 40, 9]])
    depth = depth_map(points, torch.tensor([[3, 4, 5], [0, 1, 2]], dtype=torch.int32), (8, 8))
    y, x = torch.meshgrid(torch.arange(8) + 0.5, torch.arange(8) + 0.5, indexing="ij")
    expected = torch.where(x / 4 + y / 16 <= 1, 1 + x / 10, torch.tensor(9.0))
    assert torch.allclose(depth, expected, atol=1e-5)
    assert torch.isinf(depth_map(points + 100, torch.tensor([[0, 1, 2]], dtype=torch.int32), (8, 8))).all()


def test_a_cut_out_triangle_is_there_only_where_its_picture_is_opaque():
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:, 32:, 3] = 255  # opaque where u > 0.5
    atlas = pack_textures([picture], "cpu")
    points = torch.tensor([[0.0, 0, 2], [0, 40, 2], [40, 0, 2], [-50, -50, 3], [-50, 150, 3], [150, -50, 3]])
    behind, holed = [3, 4, 5], [0, 1, 2]
    corner_uv = torch.tensor([[[0.0, 0]] * 3, [[0.0, 0], [0, 1], [1, 0]]])  # u = x / 40
    uv = UvMapping(atlas, corner_uv, 0, 0, 1, torch.zeros(1, dtype=torch.int32))
    triangles = torch.tensor([behind, holed], dtype=torch.int32)
    seen, _, depth = rasterize(points, triangles, (32, 32), uv=uv)
    assert (seen[:8, :19] == 0).all() and (seen[:8, 22:] == 1).all()
    assert depth[0, 0] == pytest.approx(3) and depth[0, 25] == pytest.approx(2)
    assert (rasterize(points, triangles, (32, 32)).triangle[:10, :25] == 1).all()  # without its texture
