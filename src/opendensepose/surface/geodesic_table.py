"""Tabulates the geodesic distances between all nodes of a folded mesh.

1. Exact distances from each node to its nearest nodes (Mitchell, Mount, Papadimitriou, "The discrete geodesic problem",
   1987, in libigl), inside the patch that they span.
2. These are the arcs of a graph whose shortest paths are almost geodesics, for a geodesic passes close to a node before
   the arc ends (as in Ying, Wang, He, "Saddle vertex graph", 2013): Dijkstra from a fifth of the nodes, the landmarks.
3. From any other node: the best way through a landmark nearby.

Every number is the length of a path on the surface, so it is never too short.

Letters: H nodes of one half, N of both (see `geodesic_mesh`), L landmarks; sides: 2, or 1 without mirror symmetry.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .geodesic_mesh import FoldedMesh

NEIGHBOURS = 192  # nodes to which a node's exact distances are found; see docs/results.md
LANDMARK_REACH = 8  # each node has a landmark among its nearest so many, or is one


def table_rows(mesh: FoldedMesh, advance: Callable[[int], None]) -> Iterator[np.ndarray]:
    """Yields for each node i of one half (sides, i + 1) float32 metres: to the nodes up to i, and to their images.

    advance is called with the number of nodes done, 3 H in all. ValueError if the surface is not in one piece.
    """
    vertices, triangles, index = mesh.unfolded()
    graph = _graph(_local_arcs(vertices, triangles, len(mesh.node_xyz), advance), index)
    landmark = _choose_landmarks(graph, index)
    rows = _landmark_rows(graph, index, landmark, advance)
    if not np.isfinite(rows).all():
        raise ValueError("the surface should be in one piece, but some of its points cannot be reached from others.")
    yield from _rows(mesh, graph, index, landmark, rows, advance)


class _Patches:
    """The mesh (vertices (N, 3), triangles (T, 3)) around a node: `nearest`, and exact distances inside: `solve`."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray):
        import scipy.sparse as sp
        from scipy.spatial import cKDTree

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
        from scipy.sparse.csgraph import dijkstra

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
        exact = igl.exact_geodesic(self.vertices[node], faces, start, none, np.arange(len(node)), none)
        exact, faces = np.where(exact < 1e9, exact, np.inf), faces[(exact < 1e9)[faces].all(1)]
        first, second = faces.ravel(), faces[:, [1, 2, 0]].ravel()
        edge = np.linalg.norm(self.vertices[node[first]] - self.vertices[node[second]], axis=1)
        if (np.abs(exact[first] - exact[second]) > edge * 1.0001 + 1e-7).any():
            return None
        known = np.isfinite(exact) & (node != source)
        return node[known], exact[known]


def _local_arcs(vertices: np.ndarray, triangles: np.ndarray, count: int, advance: Callable[[int], None]):
    """(H, N) sparse float64 metres: exact distances within the patch around each of the first H = count nodes."""
    import scipy.sparse as sp

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


def _graph(arcs, index: np.ndarray):
    """(N, N) sparse float64 metres: the arcs (H, N), their mirror images, and all of them the other way round."""
    import scipy.sparse as sp

    count, total = arcs.shape
    if len(index) == 2:
        image = np.empty(total, np.int64)
        image[index[0]], image[index[1]] = index[1], index[0]
        other = np.flatnonzero(image[:count] >= count)
        arcs = sp.vstack([arcs, arcs[other][:, image]], format="csr")
    back = arcs.T.tocsr()
    longer = arcs.maximum(back)
    shorter = arcs + back - longer  # 0 where an arc goes one way only
    return (longer - (longer - shorter).multiply(shorter > 0)).tocsr()


def _choose_landmarks(graph, index: np.ndarray) -> np.ndarray:
    """(L,) nodes of one half, so spread that every node is one or is among the LANDMARK_REACH nearest of one."""
    home = _home(graph, index)[0]
    free = np.ones(index.shape[1], bool)
    chosen = []
    for k in range(len(free)):
        if free[k]:
            chosen.append(k)
            row = slice(graph.indptr[k], graph.indptr[k + 1])
            nearest = np.argsort(graph.data[row])[:LANDMARK_REACH]
            free[home[graph.indices[row][nearest]]] = False
    return np.array(chosen)


def _home(graph, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) the node of the half that each node of both halves is or mirrors; (N,) its side, 0 on the mirror plane."""
    home, side = np.empty(graph.shape[0], np.int64), np.zeros(graph.shape[0], np.int64)
    for s in reversed(range(len(index))):
        home[index[s]], side[index[s]] = np.arange(index.shape[1]), s
    return home, side


def _landmark_rows(graph, index: np.ndarray, landmark: np.ndarray, advance: Callable[[int], None]) -> np.ndarray:
    """(L, sides, H) float32 metres: from the landmarks to every node of the sides."""
    from scipy.sparse.csgraph import dijkstra

    rows = np.empty((len(landmark), *index.shape), np.float32)
    done, count = 0, index.shape[1]
    for start in range(0, len(landmark), 32):
        batch = slice(start, start + 32)
        rows[batch] = dijkstra(graph, indices=landmark[batch])[:, index]
        now = min(start + 32, len(landmark)) * count // len(landmark)
        advance(now - done)
        done = now
    return rows


def _rows(mesh, graph, index, landmark, rows, advance) -> Iterator[np.ndarray]:
    """Each node's distances to the nodes before it: direct where there is an arc, else through a landmark."""
    sides, count = index.shape
    home, side = _home(graph, index)
    slot = np.full(count, -1)
    slot[landmark] = np.arange(len(landmark))
    for i in range(count):
        row = slice(graph.indptr[i], graph.indptr[i + 1])
        node, node_side = home[graph.indices[row]], side[graph.indices[row]]
        length = graph.data[row].astype(np.float32)
        best = np.full((sides, i + 1), np.inf, np.float32) if slot[i] < 0 else rows[slot[i], :, : i + 1].copy()
        for s in range(sides):
            via = (slot[node] >= 0) & (node_side == s)
            if slot[i] < 0 and via.any():
                through = (rows[slot[node[via]], :, : i + 1] + length[via, None, None]).min(0)
                np.minimum(best, through[::-1] if s else through, out=best)
            direct = (node <= i) & (node_side == s)
            best[s, node[direct]] = np.minimum(best[s, node[direct]], length[direct])
        best[0, i] = 0
        if sides == 2:  # a node on the plane is its own image
            middle = np.flatnonzero(mesh.is_middle[: i + 1])
            best[:, middle] = best[:, middle].min(0)
            if mesh.is_middle[i]:
                best[:] = best.min(0)
        advance(1)
        yield best
