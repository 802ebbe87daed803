"""Solids have the volume of their formula and their faces look outwards."""

import numpy as np
import pytest

from opendensepose.synth.scene.solid import box, ellipsoid, ring, tube
from opendensepose.synth.textures.material_table import Material

GREY = Material(np.full(3, 0.5))


def volume(solid) -> float:
    """By the divergence theorem: above 0 if the corners run counter-clockwise seen from outside."""
    a, b, c = (solid.vertices[solid.triangles[:, k]].astype(float) for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def test_a_box_has_the_product_of_its_sides_wherever_it_lies():
    assert abs(volume(box(np.array([3.0, -1, 2]), (0.5, 1.0, 1.5), GREY))) == pytest.approx(6.0, rel=1e-5)
    c, s = np.cos(0.4), np.sin(0.4)
    axes = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    assert abs(volume(box(np.zeros(3), (0.5, 1.0, 1.5), GREY, axes))) == pytest.approx(6.0, rel=1e-5)


def test_round_solids_come_near_their_formulas():
    cylinder = tube([[0, 0, 0], [0, 0, 2.0]], 0.5, GREY, sides=64)
    assert abs(volume(cylinder)) == pytest.approx(np.pi * 0.25 * 2, rel=0.01)
    ball = ellipsoid(np.ones(3), np.diag([1.0, 2.0, 3.0]), GREY, rows=40, columns=64)
    assert abs(volume(ball)) == pytest.approx(4 / 3 * np.pi * 6, rel=0.02)
    torus = ring(np.zeros(3), np.array([0, 1.0, 0]), 1.0, 0.2, GREY, sides=32)
    assert abs(volume(torus)) == pytest.approx(2 * np.pi**2 * 0.04, rel=0.03)


@pytest.mark.parametrize(
    "path", [[[0, 0, 0], [1.0, 0, 0]], [[0, 0, 0], [0, 0.5, 0.5], [0, 1.0, 2.0]], [[1, 2, 3], [1, 2, 4.0]]]
)
def test_a_tube_keeps_its_radius_from_its_path(path):
    solid = tube(path, 0.1, GREY)
    path = np.asarray(path, float)
    starts, steps = path[:-1], np.diff(path, axis=0)
    along = np.clip(((solid.vertices[:, None] - starts) * steps).sum(-1) / (steps**2).sum(-1), 0, 1)
    away = np.linalg.norm(solid.vertices[:, None] - starts - along[..., None] * steps, axis=-1).min(1)
    assert away.max() < 0.1 + 1e-5 and np.isclose(away, 0.1, atol=0.02).mean() >= 0.5
