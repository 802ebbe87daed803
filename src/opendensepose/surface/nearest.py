"""Finds the surface point nearest to places in space, for a million places per second on one core.

Space around the surface is divided into cells that list the faces near them, the nearest to the cell's centre first. A
place on the surface tries its cell's faces until one holds it; a place beside the surface tries them all.

Letters: P places, F faces, C cells, L entries of the cells' lists.
"""

import numpy as np

from opendensepose.surface.points import SurfacePoints

CELL_M = 0.005
REACH_M = 0.004  # places so near the surface have their nearest face in their cell's list; others search all vertices
ON_SURFACE_M = 2e-5  # a place so near a face is on it
EDGE = 1e-4  # of barycentric coordinates: so far outside a face still counts as inside, by rounding
PLACES_PER_PASS = 400_000
FAR_PER_PASS = 256


class NearestPoints:
    """Search tables over vertices (V, 3), metres, and faces (F, 3)."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray):
        self.corner = vertices[faces].astype(np.float32)  # (F, 3, 3)
        self.vertices, self.faces = vertices, faces
        a, b, c = np.moveaxis(self.corner.astype(np.float64), 1, 0)
        first, second = b - a, c - a
        normal = np.cross(first, second)
        square = np.maximum((normal**2).sum(1, keepdims=True), 1e-24)
        to_second = np.cross(second, normal) / square  # barycentric 1 and 2 of a place, and its height over the face
        to_third = np.cross(normal, first) / square
        self.table = np.stack([to_second, to_third, normal / np.sqrt(square)], 1).astype(np.float32)  # (F, 3, 3)
        self._list_faces()

    def _list_faces(self) -> None:
        """cell_start (C + 1,), cell_face and cell_distance (L,): the faces within REACH_M of a cell, nearest to its
        centre first, and how far they are from there."""
        low, high = self.corner.min(1) - REACH_M, self.corner.max(1) + REACH_M
        self.origin = low.min(0) - CELL_M
        self.shape = np.ceil((high.max(0) - self.origin) / CELL_M).astype(np.int64) + 2
        first = np.floor((low - self.origin) / CELL_M).astype(np.int64)
        size = np.floor((high - self.origin) / CELL_M).astype(np.int64) - first + 1
        count = size.prod(1)
        face = np.repeat(np.arange(len(first)), count)
        rank = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
        x, rank = rank % size[face, 0], rank // size[face, 0]
        index = first[face] + np.stack([x, rank % size[face, 1], rank // size[face, 1]], 1)
        centre = (self.origin + (index + 0.5) * CELL_M).astype(np.float32)
        distance = np.linalg.norm(self._closest(face, centre)[1] - centre, axis=1)
        near = distance <= CELL_M * np.sqrt(3) / 2 + REACH_M
        cell, face, distance = self._cell(index[near]), face[near], distance[near]
        order = np.lexsort((distance, cell))
        self.cell_face, self.cell_distance = face[order].astype(np.int32), distance[order].astype(np.float32)
        self.cell_start = np.searchsorted(cell[order], np.arange(self.shape.prod() + 1)).astype(np.int32)

    def _cell(self, index: np.ndarray) -> np.ndarray:
        return (index[:, 0] * self.shape[1] + index[:, 1]) * self.shape[2] + index[:, 2]

    def _closest(self, face: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The point of each place's face that is closest to it: barycentric (P, 3) and place (P, 3).

        Inside, the projection; outside, the closest of the three edges' closest points.
        """
        corner = self.corner[face]
        second, third = np.einsum("pkx,px->kp", self.table[face, :2], places - corner[:, 0])
        weights = np.stack([1 - second - third, second, third], 1)
        outside = np.nonzero(weights.min(1) < 0)[0]
        if len(outside):
            best = np.full(len(outside), np.inf)
            for k in range(3):
                start, end = corner[outside, k], corner[outside, (k + 1) % 3]
                step = end - start
                along = ((places[outside] - start) * step).sum(1) / np.maximum((step**2).sum(1), 1e-18)
                along = np.clip(along, 0, 1)
                distance = ((start + along[:, None] * step - places[outside]) ** 2).sum(1)
                better = distance < best
                rows = outside[better]
                weights[rows] = 0
                weights[rows, k], weights[rows, (k + 1) % 3] = 1 - along[better], along[better]
                best[better] = distance[better]
        return weights, np.einsum("pk,pkx->px", weights, corner)

    def find(self, places: np.ndarray) -> SurfacePoints:
        """Find the surface points nearest to places (P, 3) float32, metres."""
        face, weights = np.zeros(len(places), np.int32), np.zeros((len(places), 3), np.float32)
        for start in range(0, len(places), PLACES_PER_PASS):
            part = slice(start, start + PLACES_PER_PASS)
            face[part], weights[part] = self._find(places[part])
        return SurfacePoints(face, weights)

    def _find(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        index = np.floor((places - self.origin) / CELL_M)
        in_grid = ((index >= 0) & (index < self.shape)).all(1)
        cell = self._cell(np.where(in_grid[:, None], index, 0).astype(np.int64))
        start, stop = self.cell_start[cell], np.where(in_grid, self.cell_start[cell + 1], self.cell_start[cell])
        face, weights = np.zeros(len(places), np.int32), np.zeros((len(places), 3), np.float32)
        open_, candidate = np.nonzero(start < stop)[0], start[start < stop]
        beside = [np.nonzero(start >= stop)[0]]
        while len(open_):
            trial = self.cell_face[candidate]
            second, third, height = self._coordinates(trial, places[open_])
            inside = np.minimum(np.minimum(second, third), 1 - second - third) > -EDGE
            on = inside & (np.abs(height) < ON_SURFACE_M)
            where = open_[on]
            face[where], weights[where, 1], weights[where, 2] = trial[on], second[on], third[on]
            candidate = candidate + 1
            again = ~on & (candidate < stop[open_])
            beside.append(open_[~on & ~again])
            open_, candidate = open_[again], candidate[again]
        weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
        left = np.concatenate(beside)
        if len(left):
            face[left], weights[left] = self._find_beside(places[left], start[left], stop[left])
        np.maximum(weights, 0, out=weights)
        return face, weights / weights.sum(1, keepdims=True)

    def _coordinates(self, face: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Barycentric 1 and 2 and the height in metres of each place over its face, three (P,)."""
        table, offset = self.table[face], places - self.corner[face, 0]
        return np.einsum("pkx,px->kp", table, offset)

    def _find_beside(self, places: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Face and barycentric coordinates of places that lie on no face."""
        face, weights, best = np.zeros(len(places), np.int32), np.zeros((len(places), 3)), np.full(len(places), np.inf)
        open_, candidate = np.nonzero(start < stop)[0], start[start < stop]
        centre = self.origin + (np.floor((places - self.origin) / CELL_M) + 0.5) * CELL_M
        off_centre = np.linalg.norm(places - centre, axis=1)
        while len(open_):
            self._improve(face, weights, best, open_, self.cell_face[candidate], places)
            candidate = candidate + 1
            again = candidate < stop[open_]
            open_, candidate = open_[again], candidate[again]
            nearer = self.cell_distance[candidate] - off_centre[open_] < np.sqrt(best[open_])  # than the best: may be
            open_, candidate = open_[nearer], candidate[nearer]
        far = np.nonzero(best > REACH_M**2)[0]
        for first in range(0, len(far), FAR_PER_PASS):
            part = far[first : first + FAR_PER_PASS]
            self._search_all(face, weights, best, part, places)
        return face, weights

    def _improve(
        self,
        face: np.ndarray,
        weights: np.ndarray,
        best: np.ndarray,
        rows: np.ndarray,
        trial: np.ndarray,
        places: np.ndarray,
    ) -> None:
        """Take a trial face (R,) for the places in rows (R,) where it is nearer than the best so far, in place."""
        own, point = self._closest(trial, places[rows])
        distance = ((point - places[rows]) ** 2).sum(1)
        better = distance < best[rows]
        face[rows[better]], weights[rows[better]], best[rows[better]] = trial[better], own[better], distance[better]

    def _search_all(
        self, face: np.ndarray, weights: np.ndarray, best: np.ndarray, rows: np.ndarray, places: np.ndarray
    ) -> None:
        """The same for places far from the surface, in all faces that may hold their nearest point."""
        middle = self.corner.mean(1)
        radius = np.linalg.norm(self.corner - middle[:, None], axis=2).max(1)
        for row in rows:
            distance = np.linalg.norm(middle - places[row], axis=1)
            trial = np.nonzero(distance - radius <= (distance + radius).min())[0]
            own, point = self._closest(trial, np.broadcast_to(places[row], (len(trial), 3)))
            k = ((point - places[row]) ** 2).sum(1).argmin()
            face[row], weights[row] = trial[k], own[k]
