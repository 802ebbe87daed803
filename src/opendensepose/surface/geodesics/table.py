"""Tabulates the geodesic distances between all nodes of a folded mesh.

1. Exact distances from each node to its nearest nodes (Mitchell, Mount, Papadimitriou, "The discrete geodesic problem",
   1987, in libigl), inside the patch that they span.
2. These are the arcs of a graph whose shortest paths are almost geodesics, for a geodesic passes close to some node
   before the arc ends (as in Ying, Wang, He, "Saddle vertex graph", 2013): Dijkstra from each node of one half.

Every number is the length of a path on the surface, so it is never too short.

Letters: H nodes of one half, N of both (see `geodesic_mesh`); sides: 2, or 1 without mirror symmetry.
"""

from collections.abc import Callable, Iterator

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from opendensepose.surface.geodesics.mesh import FoldedMesh

NEIGHBOURS = 128  # nodes to which a node's exact distances are found; with 64, errors treble
BATCH = 32  # nodes whose shortest paths are found at a time


def table_rows(mesh: FoldedMesh, advance: Callable[[int], None]) -> Iterator[np.ndarray]:
    """Yield for each node i of one half (sides, i + 1) float32 metres: to the nodes up to i, and to their images.

    advance is called with the number of nodes done, 2 H in all. ValueError if the surface is not in one piece.
    """
    both = mesh.unfolded()
    graph = _graph(_local_arcs(both.vertices, both.triangles, len(mesh.node_xyz), advance), both.place)
    yield from _rows(mesh, graph, both.place, advance)


class _Patches:
    """The mesh (vertices (N, 3), triangles (T, 3)) around a node: `nearest`, and exact distances inside: `solve`."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray):
        self.vertices, self.triangles = vertices, triangles
        total, corners = len(vertices), triangles.size
        ends = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
        length = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
        both_ways = ends[:, [0, 1]].T.ravel(), ends[:, [1, 0]].T.ravel()
        self.edges = sp.csr_matrix((np.r_[length, length], both_ways), (total, total))
        self.around = sp.csr_matrix((np.ones(corners, bool), (triangles.ravel(), np.arange(corners) // 3)))
        self.tree = cKDTree(vertices)
        self.local = np.full(total, -1)

    def nearest(self, source: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The nodes (p,) nearest to the source along edges, about size of them, and how far along edges (p,)."""
        reach = 2.5 * self.tree.query(self.vertices[source], [min(size + 1, len(self.vertices))])[0][0]
        along_edges = dijkstra(self.edges, indices=source, limit=reach)
        patch = np.flatnonzero(np.isfinite(along_edges))
        if len(patch) > size + 1:
            patch = patch[np.argpartition(along_edges[patch], size)[: size + 1]]
        return patch, along_edges[patch]

    def solve(self, source: int, patch: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Nodes (p,) of the patch's triangles and exact distances (p,); None if they contradict the edges' lengths.

        The solver now and then returns a number that is too small; it stands out from its neighbours'.
        """
        import igl

        self.local[patch] = np.arange(len(patch))
        faces = self.local[self.triangles[np.unique(self.around[patch].indices)]]
        self.local[patch] = -1
        within, faces = np.unique(faces[(faces >= 0).all(1)], return_inverse=True)
        node, faces = patch[within], faces.reshape(-1, 3)
        start, none = np.flatnonzero(node == source), np.empty(0, np.int64)
        if not len(start):
            return None
        exact = igl.exact_geodesic(self.vertices[node], faces, start, none, np.arange(len(node)), none)
        exact, faces = np.where(exact < 1e9, exact, np.inf), faces[(exact < 1e9)[faces].all(1)]
        first, second = faces.ravel(), faces[:, [1, 2, 0]].ravel()
        edge = np.linalg.norm(self.vertices[node[first]] - self.vertices[node[second]], axis=1)
        if (np.abs(exact[first] - exact[second]) > edge * 1.0001 + 1e-7).any():
            return None
        known = np.isfinite(exact) & (node != source)
        return node[known], exact[known]


def _local_arcs(
    vertices: np.ndarray, triangles: np.ndarray, count: int, advance: Callable[[int], None]
) -> sp.csr_matrix:
    """(H, N) sparse float64 metres: exact distances within the patch around each of the first H = count nodes."""
    patches = _Patches(vertices, triangles)
    starts, columns, values = [0], [], []
    for source in range(count):
        for size in (NEIGHBOURS, NEIGHBOURS * 3 // 4, NEIGHBOURS * 5 // 4, NEIGHBOURS // 2):
            patch, along_edges = patches.nearest(source, size)
            solved = patches.solve(source, patch)
            if solved is not None:
                break
        node, length = solved or (patch[patch != source], along_edges[patch != source])
        columns.append(node)
        values.append(length)
        starts.append(starts[-1] + len(node))
        advance(1)
    return sp.csr_matrix((np.concatenate(values), np.concatenate(columns), starts), (count, len(vertices)))


def _graph(arcs: sp.csr_matrix, place: np.ndarray) -> sp.csr_matrix:
    """(N, N) sparse float64 metres: the arcs (H, N), their mirror images, and all of them the other way round."""
    count, total = arcs.shape
    if len(place) == 2:
        image = np.empty(total, np.int64)
        image[place[0]], image[place[1]] = place[1], place[0]
        other = np.flatnonzero(image[:count] >= count)
        arcs = sp.vstack([arcs, arcs[other][:, image]], format="csr")
    back = arcs.T.tocsr()
    longer = arcs.maximum(back)
    shorter = arcs + back - longer  # 0 where an arc goes one way only
    return (longer - (longer - shorter).multiply(shorter > 0)).tocsr()


def _rows(
    mesh: FoldedMesh, graph: sp.csr_matrix, place: np.ndarray, advance: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """The lengths of the graph's shortest paths, as `table_rows` yields them."""
    sides, count = place.shape
    for start in range(0, count, BATCH):
        nodes = np.arange(start, min(start + BATCH, count))
        distances = dijkstra(graph, indices=nodes)[:, place].astype(np.float32)  # (b, sides, H)
        if not np.isfinite(distances).all():
            raise ValueError("the surface must be in one piece, got points that cannot be reached from others.")
        for i, row in zip(nodes, distances, strict=True):
            if sides == 2 and mesh.is_middle[i]:  # a node on the plane is its own image
                row[:] = row.min(0)
            advance(1)
            yield row[:, : i + 1]
