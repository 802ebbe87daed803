"""The mesh on whose nodes geodesic distances are tabulated: the surface folded in two, its long edges divided.

Division keeps the geometry: new nodes lie on edges. The table needs short edges because the distance has a kink where
the shortest path changes sides, as behind a leg, and interpolation in a triangle does not follow it.

Letters: V, F vertices and faces of the surface; H nodes of one half, C cells of one half; N nodes of both halves. A
surface that has no mirror symmetry is one "half" by itself.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MIRROR_TOLERANCE = 1e-6  # metres


class UnfoldedMesh(NamedTuple):
    """Both halves as one mesh. Nodes on the mirror plane occur once."""

    vertices: np.ndarray  # (N, 3) float64 metres
    triangles: np.ndarray  # (T, 3) int64
    place: np.ndarray  # (sides, H) int64: of node h of a side among the N


@dataclass(frozen=True)
class FoldedMesh:
    """Nodes and cells of the half with x >= 0, and how the surface's faces map to them.

    node_xyz (H, 3) float64 metres; is_middle (H,) bool: on the mirror plane, x = 0; mirrored: False if the surface has
    no mirror symmetry, then all of it is here.
    cell (C, 3) int32 nodes of a triangle; split (C,) int8: -1, or the corner opposite to the edge in whose middle the
    cell was divided; child (C,) int32: the first of its two children (the second follows). The first cells are faces.
    face_cell (F,) int32, face_side (F,) bool: True on the half with x <= 0; face_corner (F, 3) uint8: the corner of the
    face that is corner 0, 1, 2 of its cell.
    """

    node_xyz: np.ndarray
    is_middle: np.ndarray
    mirrored: bool
    cell: np.ndarray
    split: np.ndarray
    child: np.ndarray
    face_cell: np.ndarray
    face_side: np.ndarray
    face_corner: np.ndarray

    def unfolded(self) -> UnfoldedMesh:
        """Join both halves into one mesh."""
        count = len(self.node_xyz)
        leaves = self.cell[self.split < 0].astype(np.int64)
        here = np.arange(count)
        if not self.mirrored:
            return UnfoldedMesh(self.node_xyz, leaves, here[None])
        twin = np.where(self.is_middle, here, count - 1 + np.cumsum(~self.is_middle))
        vertices = np.concatenate([self.node_xyz, self.node_xyz[~self.is_middle] * [-1, 1, 1]])
        return UnfoldedMesh(vertices, np.concatenate([leaves, twin[leaves[:, ::-1]]]), np.stack([here, twin]))

    def locate(self, face: np.ndarray, barycentric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The smallest cell (P,) that holds each point, and weights (P, 3) float64 of its nodes, of sum 1."""
        cell = self.face_cell[face]
        weights = np.take_along_axis(barycentric, self.face_corner[face], axis=1).astype(np.float64)
        weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
        active = np.flatnonzero(self.split[cell] >= 0)
        while len(active):
            parent = cell[active]
            first_place, corner = 3 * active, self.split[parent]
            apex, first, second = (weights.take(first_place + (corner + k) % 3) for k in range(3))
            w = np.empty((len(active), 3))
            in_second = second > first
            w[:, 0] = apex
            w[:, 1] = np.where(in_second, 2 * first, first - second)
            w[:, 2] = np.where(in_second, second - first, 2 * second)
            weights[active] = w
            cell[active] = self.child[parent] + in_second
            active = active[self.split[cell[active]] >= 0]
        return cell, weights


def fold(vertices: np.ndarray, faces: np.ndarray, max_edge_m: float) -> FoldedMesh:
    """The FoldedMesh of vertices (V, 3) metres and faces (F, 3) int, none of its edges longer than max_edge_m.

    If each face's mirror image (x -> -x) is a face too and none crosses the plane x = 0, the halves are made exact
    mirror images of each other, which moves nodes by less than MIRROR_TOLERANCE.
    """
    xyz, faces = vertices.astype(np.float64), faces.astype(np.int64)
    twin = _mirror_vertices(xyz)
    image = None if twin is None else _mirror_faces(xyz, faces, twin)
    if twin is None or image is None:
        face_cell, side = np.arange(len(faces), dtype=np.int32), np.zeros(len(faces), bool)
        face_corner = np.tile(np.arange(3, dtype=np.uint8), (len(faces), 1))
        half = faces
    else:
        xyz = (xyz + xyz[twin] * [-1, 1, 1]) / 2
        side = xyz[faces].sum(1)[:, 0] < 0
        canonical = np.where(side, image, np.arange(len(faces)))
        half = faces[~side]
        face_cell = (np.cumsum(~side) - 1)[canonical].astype(np.int32)
        here = np.where(side[:, None], twin[faces], faces)
        face_corner = (faces[canonical][:, :, None] == here[:, None, :]).argmax(2).astype(np.uint8)
    used, cell = np.unique(half, return_inverse=True)
    node_xyz, cell, split, child = _divide(xyz[used], cell.reshape(-1, 3), max_edge_m)
    is_middle = (node_xyz[:, 0] == 0) & (image is not None)
    return FoldedMesh(node_xyz, is_middle, image is not None, cell, split, child, face_cell, side, face_corner)


def _mirror_vertices(xyz: np.ndarray) -> np.ndarray | None:
    """(V,) the vertex at the mirrored place of each, or None if some has none."""
    from scipy.spatial import cKDTree  # only tables need scipy

    distance, twin = cKDTree(xyz).query(xyz * [-1, 1, 1])
    if distance.max() > MIRROR_TOLERANCE or not np.array_equal(twin[twin], np.arange(len(xyz))):
        return None
    return twin


def _mirror_faces(xyz: np.ndarray, faces: np.ndarray, twin: np.ndarray) -> np.ndarray | None:
    """(F,) the face at the mirrored place of each, or None if some has none or crosses the mirror plane."""
    x = np.where(twin == np.arange(len(xyz)), 0, xyz[:, 0])[faces]
    if ((x > 0).any(1) == (x < 0).any(1)).any():
        return None
    keys = [np.sort(corners, axis=1) @ [len(xyz) ** 2, len(xyz), 1] for corners in (faces, twin[faces])]
    order = np.argsort(keys[0])
    image = order[np.minimum(np.searchsorted(keys[0], keys[1], sorter=order), len(faces) - 1)]
    return image if np.array_equal(keys[0][image], keys[1]) else None


def _divide(xyz: np.ndarray, cell: np.ndarray, max_edge_m: float) -> tuple[np.ndarray, ...]:
    """Cuts cells through the middle of their longest edge until none is longer: node_xyz, cell, split, child.

    Both cells of an edge get the same new node, so the smallest cells fit together again.
    """
    cells, split, child = [cell], [np.full(len(cell), -1, np.int8)], [np.zeros(len(cell), np.int32)]
    middle_of: dict[tuple[int, ...], int] = {}
    count = len(cell)
    while True:
        corners = xyz[cells[-1]]
        length = np.linalg.norm(corners[:, [1, 2, 0]] - corners[:, [2, 0, 1]], axis=2)
        too_long = np.flatnonzero(length.max(1) > max_edge_m)
        if not len(too_long):
            break
        corner = length[too_long].argmax(1)
        apex, first, second = (cells[-1][too_long, (corner + k) % 3] for k in range(3))
        edges = np.sort(np.stack([first, second], 1), axis=1)
        middle = np.empty(len(edges), np.int64)
        new: list[tuple[int, ...]] = []
        for k, edge in enumerate(map(tuple, edges.tolist())):
            if edge not in middle_of:
                middle_of[edge] = len(xyz) + len(new)
                new.append(edge)
            middle[k] = middle_of[edge]
        if new:
            xyz = np.concatenate([xyz, xyz[np.array(new)].mean(1)])
        split[-1][too_long] = corner
        child[-1][too_long] = count + 2 * np.arange(len(too_long))
        pairs = np.stack([np.stack([apex, first, middle], 1), np.stack([apex, middle, second], 1)], 1)
        cells.append(pairs.reshape(-1, 3))
        split.append(np.full(2 * len(too_long), -1, np.int8))
        child.append(np.zeros(2 * len(too_long), np.int32))
        count += 2 * len(too_long)
    return xyz, np.concatenate(cells).astype(np.int32), np.concatenate(split), np.concatenate(child)
