"""Meshes are joined and cut down to a part, by hand on two triangles."""

import numpy as np
import pytest
import torch

from opendensepose.synth.drawing.mesh import Mesh, grid_triangles, join, subset
from opendensepose.synth.textures.material_table import MaterialTable, material_rows


def _mesh(x: float, colour: tuple[float, float, float]) -> Mesh:
    """A unit square of two triangles and two materials; only the first is used."""
    corners = torch.tensor([[x, 0, 0], [x, 1, 0], [x, 0, 1], [x, 1, 1]])
    rows = material_rows(2)
    rows["colour"][0], rows["decal"] = colour, 0
    blank = torch.zeros(1, 1, 1, 4, dtype=torch.uint8)
    triangles = torch.tensor([[0, 1, 2], [1, 3, 2]], dtype=torch.int32)
    material = torch.zeros(2, dtype=torch.int32)
    return Mesh(corners, triangles, corners, corners, corners, material, MaterialTable(rows, blank, blank))


def test_joined_meshes_keep_their_own_vertices_and_materials():
    first, second = _mesh(0.0, (1, 0, 0)), _mesh(5.0, (0, 0, 1))
    both = join(first, second)
    assert torch.equal(both.vertices[both.triangles[2:].long()], second.vertices[second.triangles.long()])
    assert torch.equal(both.vertices[both.triangles[:2].long()], first.vertices[first.triangles.long()])
    colour = both.table.rows["colour"][both.material.numpy()]
    assert colour.tolist() == [[1, 0, 0]] * 2 + [[0, 0, 1]] * 2
    assert both.table.rows["decal"].tolist() == [0, 0, -1, -1] and second.table.rows["decal"].tolist() == [0, 0]


def test_a_subset_has_the_same_triangles_and_no_other_vertices():
    mesh = _mesh(0.0, (1, 0, 0))
    part = subset(mesh, np.array([False, True]))
    assert torch.equal(part.vertices[part.triangles.long()], mesh.vertices[mesh.triangles[1:].long()])
    assert len(part.vertices) == 3 and len(part.material) == 1


@pytest.mark.parametrize("closed", [False, True])
def test_a_grid_is_covered_once(closed):
    triangles = grid_triangles(3, 4, closed)
    assert len(triangles) == 2 * 2 * (4 if closed else 3)
    row, column = np.divmod(triangles, 4)
    assert (np.ptp(row, axis=1) == 1).all()
    if not closed:
        a, b, c = np.stack([row, column], -1).transpose(1, 0, 2)
        area = np.cross(np.pad(b - a, ((0, 0), (0, 1))), np.pad(c - a, ((0, 0), (0, 1))))[:, 2] / 2
        assert np.abs(area).sum() == 6 and (np.sign(area) == np.sign(area[0])).all()
