"""The flattening methods, on meshes whose answer is known."""

import numpy as np
import pytest

from opendensepose.surface.unwrapping.unwrap import (
    boundary_loop,
    circle_map,
    cut_open,
    geodesic_distances,
    mds,
    mean_value_weights,
    normalise,
    signed_areas,
    singular_values,
    slim,
    tutte,
)


def grid(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat mesh of unit squares, each two triangles."""
    x, y = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1))
    vertices = np.c_[x.ravel(), y.ravel(), np.zeros(x.size)].astype(float)
    a = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    right, up = a + 1, a + columns + 1
    return vertices, np.r_[np.c_[a, right, up], np.c_[right, up + 1, up]]


def folded(vertices: np.ndarray) -> np.ndarray:
    """The same sheet folded by a right angle at x = 2: distances inside it stay."""
    x, y, _ = vertices.T
    return np.c_[np.minimum(x, 2), y, np.maximum(x - 2, 0)]


def test_geodesics_of_a_folded_sheet_are_straight():
    vertices, faces = grid(4, 3)
    distance = geodesic_distances(folded(vertices), faces)
    straight = np.linalg.norm(vertices[:, None] - vertices[None], axis=2)
    assert np.abs(distance - straight).max() < 1e-6


def test_mds_unfolds_the_sheet():
    vertices, faces = grid(4, 3)
    uv = mds(geodesic_distances(folded(vertices), faces))
    areas = signed_areas(uv[faces])
    assert (areas > 0).all() or (areas < 0).all()
    assert np.allclose(singular_values(vertices, faces, uv[faces]), 1, atol=1e-5)


def test_signed_area_and_singular_values_by_hand():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    uv = np.array([[0, 0], [0, 3], [2, 0]], float)
    assert signed_areas(uv[None]) == pytest.approx([-3])
    assert singular_values(vertices, np.array([[0, 1, 2]]), uv[None]) == pytest.approx(np.array([[3, 2]]))


def test_a_cut_makes_a_tube_a_disk():
    around, high = 8, 3
    _, faces = grid(around, high)
    column, row = (
        np.arange((around + 1) * (high + 1)) % (around + 1),
        np.arange((around + 1) * (high + 1)) // (around + 1),
    )
    tube = (column % around + row * around)[faces]
    with pytest.raises(ValueError, match="one boundary loop"):
        boundary_loop(tube)
    line = np.arange(high + 1) * around
    opened, old = cut_open(tube, np.c_[line[:-1], line[1:]])
    assert len(old) == (around + 1) * (high + 1)
    assert len(boundary_loop(opened)) == 2 * (around + high)
    assert np.array_equal(old[opened], tube)


def test_tutte_gives_back_a_flat_sheet():
    vertices, faces = grid(5, 4)
    rim = boundary_loop(faces)
    uv = tutte(mean_value_weights(vertices, faces), rim, vertices[rim, :2])
    assert np.abs(uv - vertices[:, :2]).max() < 1e-9  # mean value coordinates reproduce linear functions


def test_circle_map_and_slim_do_not_flip_and_slim_flattens():
    rng = np.random.default_rng(0)
    vertices, faces = grid(6, 5)
    bumpy = vertices + np.c_[np.zeros((len(vertices), 2)), 0.3 * rng.random(len(vertices))]
    assert (signed_areas(circle_map(bumpy, faces)[faces]) > 0).all()
    uv = slim(vertices, faces, 30)
    assert (signed_areas(uv[faces]) > 0).all()
    assert np.abs(singular_values(vertices, faces, uv[faces]) - 1).max() < 0.02


def test_normalise_by_hand():
    assert np.array_equal(normalise(np.array([[1.0, -2], [3, 2], [2, 0]])), [[0, 0], [1, 1], [0.5, 0.5]])
