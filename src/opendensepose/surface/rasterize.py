"""Triangles to pixels with numpy, for pictures of the body and textures; rendered people have a faster one on Warp.

Letters: T triangles, K fragments: the pixels whose centres a triangle covers.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Fragments", "rasterize", "triangle_fragments"]


class Fragments(NamedTuple):
    """Which triangle (K,) covers which pixel, columns x and rows y (K,), at which barycentric coordinates (K, 3)."""

    triangle: np.ndarray
    x: np.ndarray
    y: np.ndarray
    barycentric: np.ndarray


def triangle_fragments(corner_xy: np.ndarray, size_hw: tuple[int, int]) -> Fragments:
    """Find all pixels of a picture of size_hw that triangles cover; those of no area cover none.

    corner_xy (T, 3, 2) pixels, centres at +0.5. Triangles may turn either way and may overlap.
    """
    xy = np.asarray(corner_xy, np.float64)
    low = np.maximum(np.ceil(xy.min(1) - 0.5), 0).astype(int)
    high = np.minimum(np.floor(xy.max(1) - 0.5), [size_hw[1] - 1, size_hw[0] - 1]).astype(int)
    first, second = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    span = np.where((np.abs(area) > 1e-9)[:, None], np.maximum(high - low + 1, 0), 0)
    count = span.prod(1)
    triangle = np.repeat(np.arange(len(xy)), count)
    rank = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    x, y = low[triangle, 0] + rank % span[triangle, 0], low[triangle, 1] + rank // span[triangle, 0]
    dx, dy = x + 0.5 - xy[triangle, 0, 0], y + 0.5 - xy[triangle, 0, 1]
    one = (dx * second[triangle, 1] - dy * second[triangle, 0]) / area[triangle]
    two = (dy * first[triangle, 0] - dx * first[triangle, 1]) / area[triangle]
    weights = np.stack([1 - one - two, one, two], 1)
    keep = weights.min(1) >= -1e-9
    return Fragments(triangle[keep], x[keep], y[keep], weights[keep])


def rasterize(corner_xyz: np.ndarray, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest triangle in each pixel: (H, W) int32, -1 where none, and barycentric (H, W, 3) float32.

    corner_xyz (T, 3, 3): pixel x, y and depth of the corners.
    """
    triangle, x, y, weights = triangle_fragments(corner_xyz[:, :, :2], size_hw)
    far_first = np.argsort(-(corner_xyz[triangle, :, 2] * weights).sum(1), kind="stable")
    triangle, weights, x, y = triangle[far_first], weights[far_first], x[far_first], y[far_first]
    triangle_map = np.full(size_hw, -1, np.int32)
    weight_map = np.zeros((*size_hw, 3), np.float32)
    triangle_map[y, x], weight_map[y, x] = triangle, weights  # the last, nearest one stays
    return triangle_map, weight_map
