"""Geodesic distances between any two points of the body surface (DensePose, Güler et al. 2018, sections 3 and 4)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from opendensepose.surface.charts import Charts
from opendensepose.surface.geodesics.file import load_or_make
from opendensepose.surface.geodesics.mesh import fold
from opendensepose.surface.points import SurfacePoints
from opendensepose.surface.surface import Surface
from opendensepose.surface.tables import CHART_TO_PART, PART_NAMES

MAX_EDGE_M = 0.025  # longer edges are divided; docs/results.md has the accuracy that this gives
NEAR_M = 0.05  # below, a distance is checked against the straight line
NUM_THREADS = 2
BLOCK = 16384  # queries at a time: their 9 distances each stay in the processor's cache


class GeodesicDistances:
    """Lengths of shortest paths on a surface, a million per second, from a table of all pairs of nodes.

    The first use on a machine computes the table, which takes one core about three minutes for the body, and stores it
    in cache_dir, by default `cache_folder()` of opendensepose.cache_folder (360 MB); later uses map it into memory. An
    interrupted build leaves no partial table; a damaged table is rebuilt.

    max_edge_m: edges are divided until none is longer, metres. progress: whether a bar is shown on a terminal.
    ValueError if the surface is not in one piece or is too large for a table of 1 GB.

    Between a point in triangle i and one in triangle j, with barycentric weights w and u, the table's nine distances d
    give the distance's square by sum_ij w_i u_j d_ij^2 - sum_i<k w_i w_k l_ik^2 - sum_j<k u_j u_k m_jk^2, where l and m
    are the triangles' edges: exact where the surface between them unrolls into a plane. Where the shortest path changes
    sides, as behind a leg, it is too short: by 0.05 % on average over the body, 5.5 % at most (docs/results.md).
    """

    def __init__(
        self,
        surface: Surface,
        cache_dir: str | Path | None = None,
        progress: bool = True,
        *,
        max_edge_m: float = MAX_EDGE_M,
    ):
        if not max_edge_m > 0:
            raise ValueError(f"max_edge_m must be a length in metres above 0, got {max_edge_m}.")
        self._num_faces = len(surface.faces)
        self._mesh = fold(surface.vertices, surface.faces, max_edge_m)
        corners = self._mesh.node_xyz[self._mesh.cell]
        edges = corners[:, [1, 2, 0]] - corners[:, [2, 0, 1]]
        self._edge_squared = (edges**2).sum(2).astype(np.float32)  # (C, 3), opposite to each corner
        self._nodes = load_or_make(self._mesh, cache_dir, progress)

    def between(self, points_a: SurfacePoints, points_b: SurfacePoints) -> np.ndarray:
        """(P,) float32 metres from each of points_a to the point of points_b at the same place in the list.

        between(b, a) equals between(a, b) exactly; if the surface is mirror symmetric (within a micrometre), distances
        of mirrored pairs are equal exactly. On one face the distance is the straight line.
        ValueError if the lists differ in length or a point's face is not on the surface.
        """
        if len(points_a) != len(points_b):
            raise ValueError(f"points_a and points_b must be equally many, got {len(points_a)} and {len(points_b)}.")
        for points in (points_a, points_b):
            if len(points) and not 0 <= points.face.min() <= points.face.max() < self._num_faces:
                raise ValueError(
                    f"the points' faces must be in 0..{self._num_faces - 1}, "
                    f"got {points.face.min()}..{points.face.max()}."
                )
        distance = np.empty(len(points_a), np.float32)

        def fill(start: int) -> None:
            block = slice(start, start + BLOCK)
            a = points_a.face[block], points_a.barycentric[block]
            b = points_b.face[block], points_b.barycentric[block]
            distance[block] = self._between(*a, *b)

        with ThreadPoolExecutor(NUM_THREADS) as pool:  # numpy lets go of the interpreter in its long loops
            list(pool.map(fill, range(0, len(points_a), BLOCK)))
        return distance

    def _between(
        self, face_a: np.ndarray, barycentric_a: np.ndarray, face_b: np.ndarray, barycentric_b: np.ndarray
    ) -> np.ndarray:
        """(P,) float32 metres. Sums go in an order that swapping or mirroring the points does not change."""
        mesh = self._mesh
        cell_a, w = mesh.locate(face_a, barycentric_a)
        cell_b, u = mesh.locate(face_b, barycentric_b)
        across = mesh.face_side[face_a] ^ mesh.face_side[face_b]
        w, u = (np.ascontiguousarray(weights.T, np.float32) for weights in (w, u))
        squared = self._nodes.between(mesh.cell[cell_a].T[:, None], mesh.cell[cell_b].T[None], across)
        squared *= squared
        squared *= w[:, None] * u[None]
        total = squared[0, 0] + squared[1, 1] + squared[2, 2]
        for i, j in ((0, 1), (0, 2), (1, 2)):
            total += squared[i, j] + squared[j, i]
        total -= self._spread(cell_a, w) + self._spread(cell_b, u)
        self._straighten(total, face_a, face_b, cell_a, cell_b, w, u, across)
        return np.sqrt(total)

    def _straighten(
        self,
        total: np.ndarray,
        face_a: np.ndarray,
        face_b: np.ndarray,
        cell_a: np.ndarray,
        cell_b: np.ndarray,
        w: np.ndarray,
        u: np.ndarray,
        across: np.ndarray,
    ) -> None:
        """No distance is below the straight line, and on one face it is that; total (P,) is changed in place."""
        mesh = self._mesh
        same = (mesh.face_cell[face_a] == mesh.face_cell[face_b]) & ~across
        near = np.flatnonzero(same | (total < NEAR_M**2))
        step = self._xyz(cell_a[near], w[:, near])
        other = self._xyz(cell_b[near], u[:, near])
        other[:, 0] *= np.where(across[near], -1, 1)
        step -= other
        straight = step[:, 0] ** 2 + step[:, 1] ** 2 + step[:, 2] ** 2
        total[near] = np.where(same[near], straight, np.maximum(total[near], straight))

    def _spread(self, cell: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(P,) the weighted mean square distance of a cell's nodes from the point in it, square metres."""
        edge = self._edge_squared[cell]
        w0, w1, w2 = weights
        return w1 * w2 * edge[:, 0] + w2 * w0 * edge[:, 1] + w0 * w1 * edge[:, 2]

    def _xyz(self, cell: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(P, 3) float64 metres, of points as if on the first half."""
        corner = self._mesh.node_xyz[self._mesh.cell[cell]]
        return (
            corner[:, 0] * weights[0][:, None] + corner[:, 1] * weights[1][:, None] + corner[:, 2] * weights[2][:, None]
        )

    def part_means(self, charts: Charts, pairs: int = 100_000, seed: int = 0) -> np.ndarray:
        """(15,) float64 metres: the mean distance between two random points of each of the 14 coarse parts.

        The points are spread evenly over the part's area; entry 0, the background, is nan. Left and right are the same.
        Released evaluators divide by such means, of their own body and of eight groups (docs/results.md); these are
        of this surface. pairs per part: 100,000 find the means to about 0.2 %. charts are the surface's own; ValueError
        if they have another number of faces.
        """
        if len(charts.face_chart) != self._num_faces:
            raise ValueError(
                f"the charts must have the surface's {self._num_faces} faces, got {len(charts.face_chart)}."
            )
        rng = np.random.default_rng(seed)
        mesh, part = self._mesh, CHART_TO_PART[charts.face_chart]
        corner = mesh.node_xyz[mesh.cell[mesh.face_cell]]
        area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
        means = np.full(len(PART_NAMES), np.nan)
        for k in range(1, len(PART_NAMES)):
            mine = np.flatnonzero(part == k)
            if len(mine):
                face = rng.choice(mine, 2 * pairs, p=area[mine] / area[mine].sum())
                points = [SurfacePoints(half, rng.dirichlet((1, 1, 1), pairs)) for half in np.split(face, 2)]
                means[k] = self.between(*points).mean(dtype=np.float64)
        return means
