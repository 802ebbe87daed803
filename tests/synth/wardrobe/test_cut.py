"""Hems are straight, and textures stay in place."""

import numpy as np
import pytest
import torch

from opendensepose.synth.wardrobe.cut import cut, move_onto_cut


def strip(length: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """A strip of cloth along z: vertices, triangles and corner_uv, whose v is z / length."""
    z = torch.arange(length + 1, dtype=torch.float32)
    vertices = torch.cat([torch.stack([torch.full_like(z, x), 0 * z, z], 1) for x in (0.0, 1.0)])
    k = np.arange(length)
    quads = np.stack([k, k + length + 1, k + length + 2, k + 1], 1)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3).astype(np.int32)
    uv = vertices[:, [0, 2]].numpy() / np.float32([1, length])
    return vertices, triangles, uv[triangles]


def test_nothing_is_left_beyond_a_hem_and_the_hem_is_straight():
    vertices, triangles, corner_uv = strip(6)
    made = cut(triangles, corner_uv, vertices[:, 2].numpy() - np.float32(3.4))
    left = move_onto_cut(vertices, made)[torch.from_numpy(made.triangles).long()]
    assert left[..., 2].max() == pytest.approx(3.4) and left[..., 2].min() == 0
    a, b, c = left[..., [0, 2]].unbind(1)
    area = torch.linalg.det(torch.stack([b - a, c - a], 1)).sum() / 2
    assert area == pytest.approx(3.4, abs=0.1)  # no hole, nothing twice; the strip's corners are pulled in a little


def test_a_cut_garment_keeps_its_texture_in_place():
    vertices, triangles, corner_uv = strip(6)
    made = cut(triangles, corner_uv, vertices[:, 2].numpy() - np.float32(3.4))
    left = move_onto_cut(vertices, made)[torch.from_numpy(made.triangles).long()]
    np.testing.assert_allclose(made.corner_uv[..., 1], left[..., 2].numpy() / 6, atol=1e-6)


def test_a_hem_below_the_cloth_cuts_nothing():
    vertices, triangles, corner_uv = strip(3)
    made = cut(triangles, corner_uv, np.full(len(vertices), -1, np.float32))
    assert np.array_equal(made.triangles, triangles) and torch.equal(move_onto_cut(vertices, made), vertices)
