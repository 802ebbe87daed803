"""Rotation vectors: a quarter turn by hand, there and back, and how the matrix moves with its vector."""

import numpy as np
import pytest

from opendensepose.fit.rotations import left_jacobian, rotation_matrix, rotation_vector, skew

VECTORS = np.concatenate([np.random.default_rng(0).normal(0, 1, (20, 3)), np.eye(3) * 1e-6, np.zeros((1, 3))])


def test_a_quarter_turn_about_z_takes_x_to_y():
    turn = rotation_matrix(np.array([0, 0, np.pi / 2]))
    assert turn @ [1, 0, 0] == pytest.approx([0, 1, 0])
    assert skew(np.array([0.0, 0.0, 1.0])) @ [1, 0, 0] == pytest.approx([0, 1, 0])


def test_there_and_back():
    matrices = rotation_matrix(VECTORS)
    assert np.einsum("kij,kil->kjl", matrices, matrices) == pytest.approx(np.broadcast_to(np.eye(3), matrices.shape))
    assert rotation_vector(matrices) == pytest.approx(VECTORS, abs=1e-9)


def test_the_left_jacobian_is_the_derivative():
    step = 1e-6 * np.random.default_rng(1).normal(0, 1, VECTORS.shape)
    moved = rotation_matrix((left_jacobian(VECTORS) @ step[..., None])[..., 0]) @ rotation_matrix(VECTORS)
    assert rotation_matrix(VECTORS + step) == pytest.approx(moved, abs=1e-10)
