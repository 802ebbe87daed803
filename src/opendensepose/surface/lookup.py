"""Finds the face at a chart coordinate, for a million coordinates per second on one core.

Each chart's square is divided into cells that list the faces overlapping them, the likeliest first. A point tries its
cell's faces in turn; a point outside the chart's outline is moved to the nearest edge of the outline.

Letters: P points, F faces, C cells (24 charts x RESOLUTION x RESOLUTION), E edges of the charts' outlines.
"""

import numpy as np

from opendensepose.surface.points import SurfacePoints

RESOLUTION = 256  # cells along each axis of a chart
EXACT_TREE = 4  # FLANN's single k-d tree, the one that finds the nearest point and not one near it
INSIDE = 1e-7  # a point this far outside a face (in UV) still counts as inside
NEAR = 1e-5  # ... and this far, if no other face of the cell has it: cracks between faces by rounding


class ChartLookup:
    """Search tables over face_chart (F,) in 1..24 and face_uv (F, 3, 2) float32; about three seconds to build."""

    def __init__(self, face_chart: np.ndarray, face_uv: np.ndarray):
        uv = face_uv.astype(np.float64)
        self._to_barycentric(uv)
        self._list_faces(face_chart.astype(np.int64) - 1, uv)
        self._find_outline(face_chart.astype(np.int64) - 1, uv)

    def _to_barycentric(self, uv: np.ndarray) -> None:
        """origin (F, 2), inverse (F, 4): to barycentric 1 and 2; height (F, 3): distance of a corner to its edge."""
        first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        double_area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        self.origin = uv[:, 0]
        self.inverse = np.stack([second[:, 1], -second[:, 0], -first[:, 1], first[:, 0]], 1) / double_area[:, None]
        opposite = np.linalg.norm(uv[:, [2, 0, 1]] - uv[:, [1, 2, 0]], axis=2)
        self.height = np.abs(double_area)[:, None] / opposite

    def _barycentric(self, face: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P, 3) barycentric coordinates and (P,) signed UV distance to the face's nearest edge, positive inside."""
        origin, inverse, height = self.origin[face], self.inverse[face], self.height[face]
        du, dv = u - origin[:, 0], v - origin[:, 1]
        weights = np.empty((len(face), 3))
        weights[:, 1] = inverse[:, 0] * du + inverse[:, 1] * dv
        weights[:, 2] = inverse[:, 2] * du + inverse[:, 3] * dv
        weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
        signed = np.minimum(weights[:, 0] * height[:, 0], weights[:, 1] * height[:, 1])
        return weights, np.minimum(signed, weights[:, 2] * height[:, 2])

    def _list_faces(self, chart: np.ndarray, uv: np.ndarray) -> None:
        """cell_start (C + 1,) and cell_face: the faces of each cell, the one deepest around the cell's centre first."""
        low = np.clip(np.floor(uv.min(1) * RESOLUTION - 1e-3).astype(np.int64), 0, RESOLUTION - 1)
        high = np.clip(np.floor(uv.max(1) * RESOLUTION + 1e-3).astype(np.int64), 0, RESOLUTION - 1)
        size = high - low + 1
        count = size.prod(1)
        face = np.repeat(np.arange(len(uv)), count)
        rank = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
        column = low[face, 0] + rank % size[face, 0]
        row = low[face, 1] + rank // size[face, 0]
        depth = self._barycentric(face, (column + 0.5) / RESOLUTION, (row + 0.5) / RESOLUTION)[1]
        near = depth > -0.75 / RESOLUTION  # a cell's corner is 0.71 cells from its centre
        cell = self._cell(chart[face], column, row)[near]
        order = np.lexsort((-depth[near], cell))
        self.cell_face = face[near][order].astype(np.int32)
        self.cell_start = np.searchsorted(cell[order], np.arange(24 * RESOLUTION**2 + 1)).astype(np.int32)

    @staticmethod
    def _cell(chart: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
        return (chart * RESOLUTION + row) * RESOLUTION + column

    def _find_outline(self, chart: np.ndarray, uv: np.ndarray) -> None:
        """outline_face, outline_corner (E,): edges with one face in their chart; nearest_edge (C,)."""
        half = uv[:, [0, 1, 2]], uv[:, [1, 2, 0]]
        ends = np.concatenate([np.repeat(chart, 3)[:, None], half[0].reshape(-1, 2), half[1].reshape(-1, 2)], 1)
        swap = (ends[:, 1] > ends[:, 3]) | ((ends[:, 1] == ends[:, 3]) & (ends[:, 2] > ends[:, 4]))
        ends[swap] = ends[swap][:, [0, 3, 4, 1, 2]]
        _, index, count = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
        edge = np.nonzero(count[index.ravel()] == 1)[0]
        self.outline_face, self.outline_corner = edge // 3, edge % 3
        a = uv[self.outline_face, self.outline_corner]
        b = uv[self.outline_face, (self.outline_corner + 1) % 3]
        self.outline_start, self.outline_step = a, b - a
        self.nearest_edge = self._nearest_edges(chart[self.outline_face])

    def _nearest_edges(self, edge_chart: np.ndarray) -> np.ndarray:
        """(C,) outline edge nearest to the centre of each cell that has no face or that the outline crosses; else 0."""
        import cv2  # only this table needs it

        nearest = np.zeros((24, RESOLUTION, RESOLUTION), np.int32)
        empty = (np.diff(self.cell_start) == 0).reshape(nearest.shape)
        for k in np.unique(edge_chart):
            mine = np.nonzero(edge_chart == k)[0]
            samples = np.ceil(np.linalg.norm(self.outline_step[mine], axis=1) * 2 * RESOLUTION).astype(int) + 1
            owner = np.repeat(mine, samples)
            rank = np.arange(len(owner)) - np.repeat(np.cumsum(samples) - samples, samples)
            along = rank / np.repeat(np.maximum(samples - 1, 1), samples)
            points = self.outline_start[owner] + along[:, None] * self.outline_step[owner]
            wanted = np.pad(empty[k], 1)
            column, row = np.minimum((points * RESOLUTION).astype(int), RESOLUTION - 1).T
            for step in np.ndindex(3, 3):  # the outline's cells and their neighbours
                wanted[row + step[0], column + step[1]] = True
            row, column = np.nonzero(wanted[1:-1, 1:-1])
            tree = cv2.flann_Index(points.astype(np.float32), {"algorithm": EXACT_TREE})  # type: ignore[attr-defined]
            centres = (np.stack([column, row], 1) + 0.5) / RESOLUTION
            nearest[k, row, column] = owner[tree.knnSearch(centres.astype(np.float32), 1, params={})[0][:, 0]]
        return nearest.ravel()

    def find(self, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> SurfacePoints:
        """Find points at charts i (P,) in 1..24 and u, v (P,) in [0, 1]; outside the outline, a nearby point of it."""
        u, v = u.astype(np.float64), v.astype(np.float64)
        column = np.minimum((u * RESOLUTION).astype(np.int32), RESOLUTION - 1)
        row = np.minimum((v * RESOLUTION).astype(np.int32), RESOLUTION - 1)
        cell = self._cell(i.astype(np.int32) - 1, column, row)
        start, stop = self.cell_start[cell], self.cell_start[cell + 1]
        face = np.zeros(len(u), np.int32)
        weights = np.zeros((len(u), 3))
        best = np.full(len(u), -np.inf)
        open_ = np.nonzero(start < stop)[0]
        candidate = start[open_]
        while len(open_):
            trial = self.cell_face[candidate]
            w, depth = self._barycentric(trial, u[open_], v[open_])
            better = depth > best[open_]
            where = open_[better]
            face[where], weights[where], best[where] = trial[better], w[better], depth[better]
            candidate += 1
            again = (best[open_] < -INSIDE) & (candidate < stop[open_])
            open_, candidate = open_[again], candidate[again]
        outside = np.nonzero(best < -NEAR)[0]
        if len(outside):
            face[outside], weights[outside] = self._snap(cell[outside], u[outside], v[outside])
        np.maximum(weights, 0, out=weights)
        weights /= weights.sum(1, keepdims=True)
        return SurfacePoints(face, weights.astype(np.float32))

    def _snap(self, cell: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point of the outline's edge that is nearest to the cell: face (P,), barycentric (P, 3)."""
        edge = self.nearest_edge[cell]
        start, step = self.outline_start[edge], self.outline_step[edge]
        along = ((u - start[:, 0]) * step[:, 0] + (v - start[:, 1]) * step[:, 1]) / (step**2).sum(1)
        along = np.clip(along, 0, 1)
        weights = np.zeros((len(u), 3))
        points, corner = np.arange(len(u)), self.outline_corner[edge]
        weights[points, corner] = 1 - along
        weights[points, (corner + 1) % 3] = along
        return self.outline_face[edge], weights
