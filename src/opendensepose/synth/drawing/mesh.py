"""The mesh of a picture: what is rasterised and shaded. Letters: N vertices, T triangles, M materials."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from opendensepose.synth.textures.material_table import MaterialTable

__all__ = ["AT_VERTICES", "OWN_AXES", "Mesh", "grid_triangles", "join", "subset"]

AT_VERTICES = ("vertices", "cloth", "facing", "paint")  # fields with a row for each vertex
# `facing` of what does not lie on the skin: its textures follow the first column of `cloth`, and it has no print.
OWN_AXES = np.array([[0, -0.01, 0]], np.float32)


@dataclass(frozen=True)
class Mesh:
    """Triangles with their materials, on one device; colours are sRGB in [0, 1]."""

    vertices: torch.Tensor  # (N, 3) float32, world, metres
    triangles: torch.Tensor  # (T, 3) int32
    cloth: torch.Tensor  # (N, 3) float32 texture coordinates: metres on the body at rest
    facing: torch.Tensor  # (N, 3) float32 normals of the body at rest
    paint: torch.Tensor  # (N, 3) float32 factors of a skin's colour
    material: torch.Tensor  # (T,) int32 index into the table's rows
    table: MaterialTable  # M rows


def grid_triangles(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    """Triangulate a grid of vertices numbered row by row: (T, 3) int32; closed joins the last column to the first."""
    r, c = np.mgrid[0 : rows - 1, 0 : columns - (0 if closed else 1)]
    here, right = r * columns + c, r * columns + (c + 1) % columns
    quads = np.stack([here, here + columns, right, right, here + columns, right + columns], -1)
    return quads.reshape(-1, 3).astype(np.int32)


def join(first: Mesh, second: Mesh) -> Mesh:
    """Join two meshes of one pool of textures, first's vertices, triangles and materials before second's.

    The second's prints are dropped.
    """
    rows = second.table.rows.copy()
    rows["decal"] = -1
    return Mesh(
        **{name: torch.cat([getattr(first, name), getattr(second, name)]) for name in AT_VERTICES},
        triangles=torch.cat([first.triangles, second.triangles + len(first.vertices)]),
        material=torch.cat([first.material, second.material + len(first.table.rows)]),
        table=first.table._replace(rows=np.concatenate([first.table.rows, rows])),
    )


def subset(mesh: Mesh, keep: np.ndarray) -> Mesh:
    """Keep the triangles of a mask (T,) bool and the vertices that they use."""
    mask = torch.from_numpy(keep).to(mesh.triangles.device)
    used, numbers = torch.unique(mesh.triangles[mask], return_inverse=True)
    return replace(
        mesh,
        **{name: getattr(mesh, name)[used.long()].contiguous() for name in AT_VERTICES},
        triangles=numbers.to(torch.int32).contiguous(),
        material=mesh.material[mask],
    )
