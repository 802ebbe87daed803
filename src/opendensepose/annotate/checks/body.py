"""The body at rest as the checks need it: places, normals, and the skeleton of its 14 parts."""

from functools import cache

import numpy as np

from opendensepose.surface import CHART_TO_PART, SurfacePoints, load_charts, load_surface

__all__ = ["at_rest", "joint", "normals_at_rest", "path_to_torso"]

PARENT = {14: 1, 11: 1, 13: 11, 2: 13, 10: 1, 12: 10, 3: 12, 6: 1, 8: 6, 5: 8, 7: 1, 9: 7, 4: 9}


def path_to_torso(part: int) -> list[int]:
    """Return a part 1..14, its parent in the skeleton, its parent's parent, ..., the torso."""
    return [part, *path_to_torso(PARENT[part])] if part in PARENT else [part]


@cache
def joint(child: int, parent: int) -> np.ndarray:
    """Return (3,) metres: the joint of two adjacent parts, the centroid of their border."""
    surface = load_surface()
    number = CHART_TO_PART[load_charts().face_chart]
    shared = np.intersect1d(surface.faces[number == child], surface.faces[number == parent])
    return surface.vertices[shared].mean(0).astype(np.float64)


def at_rest(points: SurfacePoints) -> np.ndarray:
    """Return the places (P, 3) float64 of points, metres."""
    return points.xyz(_vertices_and_normals()[0], load_surface().faces)


def normals_at_rest(points: SurfacePoints) -> np.ndarray:
    """Return the interpolated unit normals (P, 3) float64 of points, outwards."""
    normal = points.xyz(_vertices_and_normals()[1], load_surface().faces)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


@cache
def _vertices_and_normals() -> tuple[np.ndarray, np.ndarray]:
    """The surface's vertices and vertex normals (V, 3) float64; every click needs them."""
    surface = load_surface()
    vertices = surface.vertices.astype(np.float64)
    corner = vertices[surface.faces]
    facing = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    smooth = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(smooth, surface.faces[:, k], facing)
    return vertices, smooth / np.linalg.norm(smooth, axis=1, keepdims=True)
