"""Exact ray casting in float64: which point of a part a view shows at a place of its picture.

A view's triangles are listed by cells of the picture; a ray is tested against those of its cell.
"""

from typing import NamedTuple

import numpy as np

from opendensepose.annotate.surface.cameras import View, part_faces
from opendensepose.surface import SurfacePoints, load_surface

__all__ = ["Hit", "ViewRays"]

CELL_PX = 8
INSIDE = 1e-9  # tolerance of barycentric coordinates: no cracks between faces
LEAST_AREA_PX = 1e-9  # twice the area of the smallest triangle that can be hit
SAME_DEPTH_M = 1e-4
WEIGHT_STEPS = 2**24  # float32 resolves so many steps in [0, 1]


class Hit(NamedTuple):
    """Where a ray hits a triangle of the part."""

    row: int  # of the part's faces
    barycentric: np.ndarray  # (3,) float64
    depth_m: float


class ViewRays:
    """Cast the rays of one view at the faces of its part alone: other parts hide nothing."""

    def __init__(self, view: View):
        surface = load_surface()
        self.view, self.face = view, part_faces(view.part)
        self.row_of_face = np.full(len(surface.faces), -1, np.int64)
        self.row_of_face[self.face] = np.arange(len(self.face))
        xy, self.depth = view.project(surface.vertices[surface.faces[self.face]].astype(np.float64))
        self.origin = xy[:, 0]
        self.first, self.second = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
        self.area = self.first[:, 0] * self.second[:, 1] - self.first[:, 1] * self.second[:, 0]
        self.front = self.area < -LEAST_AREA_PX  # counter-clockwise from outside, in a picture with y down
        self._list_triangles(xy)

    def _list_triangles(self, xy: np.ndarray) -> None:
        """Set cell_start (C + 1,) and cell_row: the triangles whose bounding boxes overlap each cell."""
        self.columns, self.rows = (-(-side // CELL_PX) for side in (self.view.width, self.view.height))
        most = np.array([self.columns, self.rows]) - 1
        low = np.clip(np.floor(xy.min(1) / CELL_PX).astype(np.int64), 0, most)
        high = np.clip(np.floor(xy.max(1) / CELL_PX).astype(np.int64), 0, most)
        span = high - low + 1
        count = np.where(np.abs(self.area) > LEAST_AREA_PX, span.prod(1), 0)
        row = np.repeat(np.arange(len(xy)), count)
        rank = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        cell = (low[row, 1] + rank // span[row, 0]) * self.columns + low[row, 0] + rank % span[row, 0]
        order = np.argsort(cell, kind="stable")
        self.cell_row = row[order]
        self.cell_start = np.searchsorted(cell[order], np.arange(self.columns * self.rows + 1))

    def first_hit(self, x: float, y: float) -> Hit | None:
        """Return the nearest triangle at a place in pixels, None if there is none."""
        if not (0 <= x < self.view.width and 0 <= y < self.view.height):
            return None
        cell = int(y // CELL_PX) * self.columns + int(x // CELL_PX)
        row = self.cell_row[self.cell_start[cell] : self.cell_start[cell + 1]]
        dx, dy = x - self.origin[row, 0], y - self.origin[row, 1]
        one = (dx * self.second[row, 1] - dy * self.second[row, 0]) / self.area[row]
        two = (dy * self.first[row, 0] - dx * self.first[row, 1]) / self.area[row]
        weights = np.stack([1 - one - two, one, two], 1)
        hit = np.flatnonzero(weights.min(1) >= -INSIDE) if len(row) else np.zeros(0, int)
        if not len(hit):
            return None
        depth = (weights[hit] * self.depth[row[hit]]).sum(1)
        nearest = hit[depth.argmin()]
        return Hit(int(row[nearest]), weights[nearest], float(depth.min()))

    def point_at(self, x: float, y: float) -> SurfacePoints | None:
        """Return the surface point at a place in pixels; None beside the part and where only its inside is visible."""
        hit = self.first_hit(x, y)
        if hit is None or not self.front[hit.row]:
            return None
        weights = np.maximum(hit.barycentric, 0)
        steps = np.round(weights / weights.sum() * WEIGHT_STEPS)  # so that float32 weights add up to exactly 1
        largest = weights.argmax()
        steps[largest] += WEIGHT_STEPS - steps.sum()
        return SurfacePoints(self.face[[hit.row]], (steps / WEIGHT_STEPS)[None])

    def places(self, points: SurfacePoints) -> tuple[np.ndarray, np.ndarray]:
        """Project points to pixels (P, 2) float64; also return whether this view shows them, (P,) bool.

        A point of another part is not shown, and its pixel is NaN.
        """
        row = self.row_of_face[points.face]
        weights = points.barycentric.astype(np.float64)
        xy = self.origin[row] + weights[:, 1:2] * self.first[row] + weights[:, 2:] * self.second[row]
        xy[row < 0] = np.nan
        depth = (weights * self.depth[row]).sum(1)
        shown = (row >= 0) & self.front[row]
        for k in np.flatnonzero(shown):
            hit = self.first_hit(*xy[k])
            shown[k] = hit is not None and hit.depth_m > depth[k] - SAME_DEPTH_M
        return xy, shown
