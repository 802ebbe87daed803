"""The floor is dark where it is touched, and only there."""

import numpy as np
import torch

from opendensepose.camera import Camera, look_at
from opendensepose.synth.drawing.contact_shadow import contact_map, darken_contacts

SIZE = (60, 80)


def camera_above() -> Camera:
    rotation, translation = look_at(np.array([0.0, -3.0, 2.0]), np.array([0.0, 0.0, 0.0]))
    return Camera(rotation, translation, 80.0, (40.0, 30.0), SIZE)


def foot(x: float, height: float = 0.0) -> torch.Tensor:
    grid = np.stack(np.meshgrid(np.linspace(-0.05, 0.05, 12), np.linspace(-0.12, 0.12, 24)), -1).reshape(-1, 2)
    return torch.tensor(np.c_[grid[:, 0] + x, grid[:, 1], np.full(len(grid), height)], dtype=torch.float32)


def picture(vertices, triangle=None) -> torch.Tensor:
    triangle = torch.full(SIZE, -1, dtype=torch.int32) if triangle is None else triangle
    return darken_contacts(torch.ones(*SIZE, 3), triangle, vertices, camera_above())


def test_the_map_is_darkest_under_the_foot():
    darkness, corner, cell_m = contact_map(foot(0.3))
    row, column = np.unravel_index(int(darkness.argmax()), darkness.shape)
    assert np.linalg.norm(corner + cell_m * (np.array([column, row]) + 0.5) - [0.3, 0.0]) < 0.06
    assert 0.5 < darkness.max() < 1 and darkness.min() >= 0
    assert darkness[0].max() < 0.05 and darkness[:, -1].max() < 0.05  # it fades towards its edges


def test_the_higher_the_fainter_and_nothing_from_far_above():
    strengths = [float(contact_map(foot(0.0, height)).darkness.max()) for height in (0.0, 0.03, 0.1)]
    assert strengths[0] > strengths[1] > strengths[2] > 0
    assert (picture(foot(0.0, 0.3)) == 1).all()


def test_the_dark_spot_is_where_the_camera_sees_the_foot():
    image = picture(foot(0.3))
    row, column = np.unravel_index(int(image[..., 0].argmin()), SIZE)
    x, y = camera_above().project(np.array([[0.3, 0.0, 0.0]]))[0]
    assert abs(column + 0.5 - x) < 3 and abs(row + 0.5 - y) < 3
    assert (image[:10] == 1).all()  # the far wall stays as it is


def test_what_stands_in_front_is_not_darkened():
    covered = torch.zeros(SIZE, dtype=torch.int32)
    assert (picture(foot(0.0), covered) == 1).all()


def test_a_foot_out_of_view_changes_nothing():
    assert (picture(foot(50.0)) == 1).all()


def test_people_far_apart_share_one_map_of_larger_cells():
    contacts = contact_map(torch.cat([foot(0.0), foot(30.0)]))
    assert max(contacts.darkness.shape) <= 162 and contacts.cell_m > 0.1
