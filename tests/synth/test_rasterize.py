"""The rasteriser against answers by hand and against rays."""

import numpy as np
import torch

from opendensepose.synth.rasterize import rasterize, vertex_normals


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


def test_normals_of_a_tetrahedron_point_away_from_its_middle():
    points = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    faces = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], dtype=torch.int32)
    normals = vertex_normals(points, faces)
    assert torch.allclose(normals, points / 3**0.5, atol=1e-6)
