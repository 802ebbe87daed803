"""Rotation vectors: axis times radians. Their matrices, how these change, and back. All in batches (..., 3)."""

import numpy as np

__all__ = ["left_jacobian", "rotation_matrix", "rotation_vector", "skew"]

SMALL = 1e-8  # squared radians: below, the series' first terms are exact to rounding


def skew(v: np.ndarray) -> np.ndarray:
    """Make the matrices (..., 3, 3) with skew(v) @ w = v x w."""
    out = np.zeros((*v.shape, 3), v.dtype)
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -z, y, -x
    out[..., 1, 0], out[..., 2, 0], out[..., 2, 1] = z, -y, x
    return out


def rotation_matrix(v: np.ndarray) -> np.ndarray:
    """Turn rotation vectors (..., 3) into matrices (..., 3, 3): Rodrigues' formula."""
    k, a, b, _ = _series(v)
    return np.eye(3) + a * k + b * (k @ k)


def left_jacobian(v: np.ndarray) -> np.ndarray:
    """Compute how the rotation turns when its vector (..., 3) changes, (..., 3, 3).

    rotation_matrix(v + d) = rotation_matrix(left_jacobian(v) @ d) @ rotation_matrix(v), to first order in d.
    """
    k, _, b, c = _series(v)
    return np.eye(3) + b * k + c * (k @ k)


def rotation_vector(matrix: np.ndarray) -> np.ndarray:
    """Find the rotation vectors (..., 3), of at most pi radians, of matrices (..., 3, 3)."""
    from scipy.spatial.transform import Rotation

    flat = np.asarray(matrix, np.float64).reshape(-1, 3, 3)
    return Rotation.from_matrix(flat).as_rotvec().reshape(*np.shape(matrix)[:-2], 3)


def _series(v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The skew matrix and sin(t) / t, (1 - cos t) / t^2, (t - sin t) / t^3 of the angle t."""
    v = np.asarray(v, np.float64)
    square = (v * v).sum(-1)[..., None, None]
    small = square < SMALL
    t2 = np.where(small, 1.0, square)
    t = np.sqrt(t2)
    a = np.where(small, 1 - square / 6, np.sin(t) / t)
    b = np.where(small, 0.5 - square / 24, (1 - np.cos(t)) / t2)
    c = np.where(small, 1 / 6 - square / 120, (t - np.sin(t)) / (t2 * t))
    return skew(v), a, b, c
