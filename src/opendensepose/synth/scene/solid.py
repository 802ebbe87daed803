"""Plain solids, of which things are built: boxes, tubes, ellipsoids, rings.

A solid belongs to no person: a pixel that shows it has no label. Letters: N vertices and M triangles of a solid.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

from opendensepose.synth.drawing.mesh import OWN_AXES, Mesh, grid_triangles
from opendensepose.synth.textures.material_table import Material, material_table

__all__ = ["Solid", "box", "ellipsoid", "mesh_of", "ring", "tube"]


@dataclass(frozen=True)
class Solid:
    """A closed surface of one material, drawn from both sides."""

    vertices: np.ndarray  # (N, 3) float32 world, metres
    triangles: np.ndarray  # (M, 3) int32
    cloth: np.ndarray  # (N, 3) float32: metres along the surface in columns 0 and 2, for its texture
    material: Material


def _patches(points: np.ndarray, cloth: np.ndarray, material: Material, closed: bool = False) -> Solid:
    """A Solid from K grids of points (K, rows, columns, 3); closed joins each grid's last column to its first."""
    num_grids, rows, columns = points.shape[:3]
    triangles = grid_triangles(rows, columns, closed) + rows * columns * np.arange(num_grids)[:, None, None]
    return Solid(
        points.reshape(-1, 3).astype(np.float32),
        triangles.reshape(-1, 3).astype(np.int32),
        cloth.reshape(-1, 3).astype(np.float32),
        material,
    )


_SQUARE = np.array([[[-1.0, -1], [-1, 1]], [[1, -1], [1, 1]]])  # (2, 2, 2)


def box(
    center: np.ndarray, half: tuple[float, float, float], material: Material, axes: np.ndarray | None = None
) -> Solid:
    """Build a box with sharp edges; half: half its lengths along the rows of axes (3, 3), by default the world's."""
    half_m = np.asarray(half, float)
    points, cloth = [], []
    for axis in range(3):
        across, up = (axis + 1) % 3, (axis + 2) % 3
        for sign in (-1, 1):
            side = np.zeros((2, 2, 3))
            side[..., axis] = sign
            side[..., across], side[..., up] = _SQUARE[..., 0] * sign, _SQUARE[..., 1]
            points.append(side * half_m)
            flat = np.zeros((2, 2, 3))
            flat[..., 0], flat[..., 2] = side[..., across] * half_m[across], side[..., up] * half_m[up]
            cloth.append(flat)
    local = np.stack(points)
    return _patches(center + local @ (np.eye(3) if axes is None else np.asarray(axes)), np.stack(cloth), material)


def tube(path: ArrayLike, radius: ArrayLike, material: Material, sides: int = 8, flat: float = 1.0) -> Solid:
    """Build a round tube, closed at both ends, along a path (K, 3) with one radius or K; flat: depth over width."""
    path = np.asarray(path, float)
    radius = np.broadcast_to(np.asarray(radius, float), len(path))
    path = np.concatenate([path[:1], path, path[-1:]])  # the ends, drawn together to a point
    radius = np.concatenate([[0.0], radius, [0.0]])
    along = path[-1] - path[0] if np.allclose(path[1], path[2]) else np.gradient(path[1:-1], axis=0)
    along = np.concatenate([along[:1], along, along[-1:]]) if along.ndim == 2 else np.tile(along, (len(path), 1))
    along = along / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    other = np.array([1.0, 0, 0]) if abs(along[:, 2]).mean() > 0.7 else np.array([0, 0, 1.0])
    first = np.cross(along, other)
    first /= np.linalg.norm(first, axis=1, keepdims=True) + 1e-9
    second = np.cross(along, first)
    theta = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring_ = np.cos(theta)[:, None] * first[:, None] + flat * np.sin(theta)[:, None] * second[:, None]
    points = path[:, None] + radius[:, None, None] * ring_
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    cloth = np.zeros_like(points)
    cloth[..., 0], cloth[..., 2] = theta * max(radius.mean(), 0.005), length[:, None]
    return _patches(points[None], cloth[None], material, closed=True)


def ellipsoid(center: np.ndarray, axes: np.ndarray, material: Material, rows: int = 8, columns: int = 12) -> Solid:
    """Build an ellipsoid; axes: (3, 3), rows are half axes in metres, the last from centre to pole."""
    phi, theta = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns, False), indexing="ij")
    sphere = np.stack([np.sin(phi) * np.cos(theta), np.sin(phi) * np.sin(theta), np.cos(phi)], -1)
    points = center + sphere @ np.asarray(axes, float)
    size = np.linalg.norm(axes, axis=1)
    cloth = np.stack([theta * size[:2].mean(), 0 * phi, phi * size[2]], -1)
    return _patches(points[None], cloth[None], material, closed=True)


def ring(center: np.ndarray, normal: np.ndarray, radius: float, thickness: float, material: Material,
         sides: int = 5) -> Solid:  # fmt: skip
    """Build a torus about an axis: a wheel, rim or handle."""
    normal = np.asarray(normal, float) / np.linalg.norm(normal)
    first = np.cross(normal, [0, 0, 1.0] if abs(normal[2]) < 0.9 else [1.0, 0, 0])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    turn, theta = np.linspace(0, 2 * np.pi, 21), np.linspace(0, 2 * np.pi, sides, endpoint=False)
    outwards = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    around = np.cos(theta)[:, None, None] * outwards + np.sin(theta)[:, None, None] * normal
    points = (center + radius * outwards + thickness * around).transpose(1, 0, 2)
    cloth = np.zeros_like(points)
    cloth[..., 0], cloth[..., 2] = (theta * thickness)[None], (turn * radius)[:, None]
    return _patches(points[None], cloth[None], material, closed=True)


def mesh_of(solids: list[Solid], rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    """Make one mesh of the solids; rng draws their fabrics from the pool of pool_seed."""
    offsets = np.cumsum([0] + [len(solid.vertices) for solid in solids])
    vertices = np.concatenate([solid.vertices for solid in solids])
    columns = {
        "vertices": vertices,
        "triangles": np.concatenate([s.triangles + np.int32(o) for s, o in zip(solids, offsets, strict=False)]),
        "cloth": np.concatenate([solid.cloth for solid in solids]),
        "facing": np.tile(OWN_AXES, (len(vertices), 1)),
        "paint": np.ones_like(vertices),
        "material": np.concatenate([np.full(len(s.triangles), k, np.int32) for k, s in enumerate(solids)]),
    }
    table = material_table(rng, [solid.material for solid in solids], pool_seed, device)
    return Mesh(**{name: torch.from_numpy(values).to(device) for name, values in columns.items()}, table=table)
