"""Distances where a triangle straddles the kink behind a limb, at which the shortest path changes sides.

There the distances of a triangle's corners belong to two paths, and interpolation between them gives too little. Such
pairs, about one in a hundred, are recognised by the slope of the distance in the triangle, which is 1 (metre per metre)
elsewhere, and, as the slope can be 1 by chance, by the corners of the neighbouring triangles, whose distances those of
the triangle's own corners foretell elsewhere. They are measured over nodes around both points: from node to node
there is no interpolation.

Letters: C cells of a FoldedMesh, P pairs of points, K nodes around a cell (two rings, some of them repeated).
"""

import numpy as np

from opendensepose.surface.geodesics.file import NodeDistances
from opendensepose.surface.geodesics.mesh import FoldedMesh

TOLERANCE = 0.03  # a pair is measured anew if slope that is missing times edge lengths is more of its distance
BENT_WAVE = 0.25  # slope that is missing, times distance over edge, without a kink: lines of one distance are bent
SHORT_BY = 0.6  # where the slope is 0, interpolation is short by up to half the edge and a little
REACH = 18  # longest edges apart: farther, a kink is less than 3 % of the distance, by half an edge's length
BENT = 0.03  # a pair is measured anew if a neighbour's corner is this part of the distance from where it is foretold
BENT_SHORT = 0.25  # interpolation is short by up to this part of that
OVER = 0.06  # a way over nodes zigzags: it is too long by up to this part of both cells' longest edges
SURE = 0.45  # and at least this part of what it is longer than interpolation is true
NEAREST = 1.2  # pairs not this many times both cells' longest edges apart stay: the nodes around them are not between


class Kinks:
    """Tables of each cell's slope metric and the nodes around it; a fraction of a second to make for the body."""

    def __init__(self, mesh: FoldedMesh, nodes: NodeDistances):
        self._mesh, self._nodes = mesh, nodes
        corner = mesh.node_xyz[mesh.cell]
        first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
        area = np.maximum((np.cross(first, second) ** 2).sum(1), 1e-30)
        products = [(second**2).sum(1), -2 * (first * second).sum(1), (first**2).sum(1)]
        self._metric = (np.stack(products, 1) / area[:, None]).astype(
            np.float32
        )  # (C, 3): of the square slope, by differences to corner 0
        self._longest = np.sqrt(np.maximum(np.maximum(*products[::2]), ((second - first) ** 2).sum(1))).astype(
            np.float32
        )
        self._find_rings()
        self._find_beyond()

    def _find_beyond(self) -> None:
        """The nodes beyond the edges of the smallest cells, _beyond and _beyond_side (C, 3), to foretell distances.

        With its triangle turned into the cell's plane, a node's place has weights _beyond_weight (C, 3, 3) of the
        cell's corners, _beyond_spread (C, 3) is that of `GeodesicDistances`. At a border it is the opposite corner.
        """
        vertices, triangles, _ = self._mesh.unfolded()
        leaf, count = np.flatnonzero(self._mesh.split < 0), len(self._mesh.cell)
        ends = np.sort(triangles[:, [1, 2, 2, 0, 0, 1]].reshape(-1, 2), axis=1)
        edge = np.unique(ends, axis=0, return_inverse=True)[1].ravel()
        both = np.bincount(edge, weights=triangles.ravel()).astype(np.int64)[edge]  # the two nodes opposite, summed
        alone = np.bincount(edge)[edge] != 2
        corner = triangles[: len(leaf)]
        beyond = np.where(alone, triangles.ravel(), both - triangles.ravel()).reshape(-1, 3)[: len(leaf)]
        home, side = self._homes
        self._beyond, self._beyond_side = np.zeros((count, 3), np.int32), np.zeros((count, 3), bool)
        self._beyond[leaf], self._beyond_side[leaf] = home[beyond], side[beyond]
        self._beyond_weight, self._beyond_spread = np.zeros((count, 3, 3), np.float32), np.zeros((count, 3), np.float32)
        for k in range(3):
            weight = _turned_weights(vertices, corner, beyond[:, k], k)
            weight[beyond[:, k] == corner[:, k]] = np.eye(3)[k]
            self._beyond_weight[leaf, k] = weight
            for i, j in ((0, 1), (1, 2), (2, 0)):
                square = ((vertices[corner[:, i]] - vertices[corner[:, j]]) ** 2).sum(1)
                self._beyond_spread[leaf, k] += weight[:, i] * weight[:, j] * square

    def _bent(self, cell, at_corner, node, across) -> np.ndarray:
        """(P,) metres: how far distances at the nodes beyond a cell's edges are from those that its corners foretell.

        at_corner (3, P): distances from a node (P,) to the cell's corners; across (P,): it is of the other half.
        """
        weight = self._beyond_weight[cell]
        squared = (weight * (at_corner.T**2)[:, None]).sum(2) - self._beyond_spread[cell]
        there = self._nodes.between(self._beyond[cell], node[:, None], self._beyond_side[cell] ^ across[:, None])
        return np.abs(np.sqrt(np.maximum(squared, 0)) - there).max(1)

    def _find_rings(self) -> None:
        """_start (C + 1,) into _home, _side: the nodes of each smallest cell, its neighbours and theirs."""
        import scipy.sparse as sp

        vertices, triangles, index = self._mesh.unfolded()
        total, ends = len(vertices), triangles[:, [0, 1, 1, 2, 2, 0, 0, 0]].reshape(-1, 2)
        links = sp.csr_matrix((np.ones(2 * len(ends), bool), np.concatenate([ends, ends[:, ::-1]]).T), (total, total))
        leaf = np.flatnonzero(self._mesh.split < 0)
        nodes = self._mesh.cell[leaf].ravel()
        corners = sp.csr_matrix((np.ones(len(nodes), bool), (np.repeat(leaf, 3), nodes)), (len(self._mesh.cell), total))
        rings = (corners @ links @ links).tocsr()
        home, side = np.empty(total, np.int32), np.zeros(total, bool)
        for s in reversed(range(len(index))):  # nodes on the mirror plane count as of side 0
            home[index[s]], side[index[s]] = np.arange(index.shape[1]), s
        self._homes = home, side
        self._start, self._home, self._side = rings.indptr, home[rings.indices], side[rings.indices]

    def find(self, cell_a, cell_b, w, u, across, corner_distance, distance) -> tuple[np.ndarray, np.ndarray]:
        """Indices of pairs to be measured anew, and for each how much interpolation may be short by, in metres.

        cell_a, cell_b (P,); w, u (3, P) weights of their corners; across (P,): the points
        are on different halves; corner_distance (3, 3, P), distance (P,) metres.
        """
        d = corner_distance
        missing = self._missing(d[:, 0] * u[0] + d[:, 1] * u[1] + d[:, 2] * u[2], cell_a)
        missing += self._missing(d[0] * w[0] + d[1] * w[1] + d[2] * w[2], cell_b)
        longest_a, longest_b = self._longest[cell_a], self._longest[cell_b]
        far = distance > NEAREST * (longest_a + longest_b)
        missing -= BENT_WAVE * (longest_a**2 + longest_b**2) / np.maximum(distance, longest_a + longest_b)
        kinked, short_by = missing > TOLERANCE * distance, SHORT_BY * missing
        k = np.flatnonzero(far & (distance < REACH * np.maximum(longest_a, longest_b)) & ~kinked)
        near_a, near_b = w[:, k].argmax(0), u[:, k].argmax(0)
        bent_a = self._bent(cell_a[k], d[:, near_b, k], self._mesh.cell[cell_b[k], near_b], across[k])
        bent_b = self._bent(cell_b[k], d[near_a, :, k].T, self._mesh.cell[cell_a[k], near_a], across[k])
        bent = np.maximum(bent_a, bent_b)
        kinked[k], short_by[k] = bent > BENT * distance[k], BENT_SHORT * bent
        found = np.flatnonzero(far & kinked)
        return found, short_by[found]

    def _missing(self, at_corner, cell) -> np.ndarray:
        """(P,) metres: how far the slope between distances at_corner (3, P) is below 1, times the longest edge."""
        p, q = at_corner[1] - at_corner[0], at_corner[2] - at_corner[0]
        metric = self._metric[cell]
        square_slope = metric[:, 0] * p * p + metric[:, 1] * p * q + metric[:, 2] * q * q
        return (1 - np.sqrt(np.minimum(square_slope, 1))) * self._longest[cell]

    def measure(self, cell_a, cell_b, w, u, across, spread_a, spread_b) -> np.ndarray:
        """(P,) metres: the shortest way over a node around each point. across (P,): the points are on different halves.

        spread (P,): mean square distance of the cell's corners from the point.
        """
        (home_a, side_a), (home_b, side_b) = self._around(cell_a), self._around(cell_b)
        to_a = self._to_nodes(cell_a, w, spread_a, home_a, side_a)
        to_b = self._to_nodes(cell_b, u, spread_b, home_b, side_b)
        sides = (side_a[:, :, None] ^ side_b[:, None]) ^ across[:, None, None]
        way = self._nodes.between(home_a[:, :, None], home_b[:, None], sides)
        way += to_a[:, :, None] + to_b[:, None]
        return way.min((1, 2))

    def settled(self, cell_a, cell_b, interpolated, measured, short_by) -> np.ndarray:
        """(P,) metres between what interpolation gives, which is short, and the way over nodes, which is long."""
        longer = np.maximum(measured - interpolated, 0)
        over = OVER * (self._longest[cell_a] + self._longest[cell_b])
        between = interpolated + np.maximum(longer - over, SURE * longer)
        return np.minimum(np.minimum(between, interpolated + short_by), np.maximum(measured, interpolated))

    def _around(self, cell) -> tuple[np.ndarray, np.ndarray]:
        """(P, K) nodes of the half and whether they are on the other side."""
        start, count = self._start[cell], np.diff(self._start)[cell]
        entry = start[:, None] + np.arange(count.max()) % count[:, None]
        return self._home[entry], self._side[entry]

    def _to_nodes(self, cell, weights, spread, home, side) -> np.ndarray:
        """(P, K) metres from the points to nodes near them."""
        squared = np.zeros(home.shape, np.float32)
        for k in range(3):
            corner = self._mesh.cell[cell, k][:, None]
            squared += weights[k][:, None] * self._nodes.between(corner, home, side) ** 2
        return np.sqrt(np.maximum(squared - spread[:, None], 0))


def _turned_weights(vertices, corner, node, k) -> np.ndarray:
    """(T, 3) weights of corner (T, 3), of where node (T,) lies when turned around the edge opposite to corner k."""
    i, j = (k + 1) % 3, (k + 2) % 3
    start = vertices[corner[:, i]]
    edge = vertices[corner[:, j]] - start
    length_squared = np.maximum((edge**2).sum(1), 1e-30)
    along, height = [], []
    for end in (corner[:, k], node):
        step = vertices[end] - start
        along.append((step * edge).sum(1) / length_squared)
        height.append(np.linalg.norm(step - along[-1][:, None] * edge, axis=1))
    weight = np.empty((len(corner), 3))
    weight[:, k] = -height[1] / np.maximum(height[0], 1e-12)
    weight[:, j] = along[1] - weight[:, k] * along[0]
    weight[:, i] = 1 - weight[:, j] - weight[:, k]
    return weight
