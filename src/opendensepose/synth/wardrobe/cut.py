"""Hems and sleeves cut shorter: triangles beyond the cut are removed, those that it crosses end on it.

Letters: V vertices, T triangles of a piece, S vertices moved onto the cut, E edges that it crosses.
"""

from dataclasses import dataclass

import numpy as np
import torch

__all__ = ["Cut", "cut", "move_onto_cut"]


@dataclass(frozen=True)
class Cut:
    """A piece after a cut.

    Vertex moved[s] goes to the mean, over the edges e with row[e] == s, of vertex edge[e, 0] times 1 - share[e] plus
    vertex edge[e, 1] times share[e].
    """

    triangles: np.ndarray  # (t, 3) int32 that are left
    corner_uv: np.ndarray  # (t, 3, 2) float32
    moved: np.ndarray  # (S,) int vertices
    row: np.ndarray  # (E,) int index into moved
    edge: np.ndarray  # (E, 2) int vertices, inside and beyond the cut
    share: np.ndarray  # (E,) float32 where the cut crosses the edge


def cut(triangles: np.ndarray, corner_uv: np.ndarray, beyond: np.ndarray) -> Cut:
    """Cut a mesh where the field `beyond` (V,) over its vertices changes its sign: what is above 0 is removed.

    triangles: (T, 3) int32. corner_uv: (T, 3, 2) float32.
    """
    gone = beyond > 0
    kept = ~gone[triangles].all(1)
    triangles, corner_uv = triangles[kept], corner_uv[kept].copy()
    new_uv, count = np.zeros_like(corner_uv), np.zeros(triangles.shape, np.int64)
    edges, shares = [], []
    for a in range(3):
        for b in range(3):
            inside, outside = triangles[:, a], triangles[:, b]
            crossing = np.flatnonzero(~gone[inside] & gone[outside])
            below, above = beyond[inside[crossing]], beyond[outside[crossing]]
            share = (below / (below - above)).astype(np.float32)
            new_uv[crossing, b] += corner_uv[crossing, a] + share[:, None] * (
                corner_uv[crossing, b] - corner_uv[crossing, a]
            )
            count[crossing, b] += 1
            edges.append(np.stack([inside[crossing], outside[crossing]], 1))
            shares.append(share)
    moved_corner = count > 0
    corner_uv[moved_corner] = new_uv[moved_corner] / count[moved_corner][:, None]
    edge, first = np.unique(np.concatenate(edges), axis=0, return_index=True)  # an edge belongs to two triangles
    moved, row = np.unique(edge[:, 1], return_inverse=True)
    return Cut(triangles, corner_uv, moved, row, edge, np.concatenate(shares)[first])


def move_onto_cut(vertices: torch.Tensor, made: Cut) -> torch.Tensor:
    """Move vertices (V, 3) of the uncut piece onto the cut; a new tensor if any is moved."""
    if not len(made.moved):
        return vertices
    device = vertices.device
    row, edge, share = (torch.from_numpy(x).to(device) for x in (made.row, made.edge.astype(np.int64), made.share))
    ends = vertices[edge[:, 0]].lerp(vertices[edge[:, 1]], share[:, None])
    total = torch.zeros(len(made.moved), 3, device=device).index_add_(0, row, ends)
    count = torch.bincount(row, minlength=len(made.moved))[:, None]
    out = vertices.clone()
    out[torch.from_numpy(made.moved.astype(np.int64)).to(device)] = total / count
    return out
