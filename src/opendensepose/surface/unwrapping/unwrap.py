"""Flattens charts: MDS of in-chart geodesic distances, cuts, Tutte and SLIM maps (DensePose 2018, section 2.1).

Used by `scripts/make_charts.py` only. Limbs and torso by multi-dimensional scaling as in the paper; the paper's
hand-made fields for head, hands and feet are replaced by maps that cannot fold: Tutte's (1963) with mean value weights
(Floater 2003), and SLIM (Rabinovich et al. 2017), which starts from it and keeps every triangle's orientation.

Letters: n vertices and F faces of one chart; uv (n, 2). Lengths in metres.
"""

import igl
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve


def geodesic_distances(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Compute (n, n) float64 metres: exact polyhedral distances inside the chart (Mitchell et al. 1987)."""
    n = len(vertices)
    every, none = np.arange(n), np.empty(0, np.int64)
    faces = faces.astype(np.int64)
    rows = [igl.exact_geodesic(vertices, faces, np.array([k]), none, every, none) for k in range(n)]
    distance = np.array(rows)
    return (distance + distance.T) / 2


def mds(distance: np.ndarray) -> np.ndarray:
    """Embed (n, n) distances in the plane by classical multi-dimensional scaling: (n, 2).

    The columns have falling variance and arbitrary signs.
    """
    n = len(distance)
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centring @ distance**2 @ centring)
    return vectors[:, [-1, -2]] * np.sqrt(values[[-1, -2]])


def signed_areas(corner_uv: np.ndarray) -> np.ndarray:
    """Compute (F,) signed areas of triangles, corner_uv (F, 3, 2); all of one sign where nothing is flipped."""
    first, second = corner_uv[:, 1] - corner_uv[:, 0], corner_uv[:, 2] - corner_uv[:, 0]
    return (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2


def singular_values(vertices: np.ndarray, faces: np.ndarray, corner_uv: np.ndarray) -> np.ndarray:
    """Compute (F, 2) falling singular values of the map surface -> UV on each face; corner_uv (F, 3, 2)."""
    p = vertices[faces].astype(np.float64)
    first, second = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    x_axis = first / np.linalg.norm(first, axis=1, keepdims=True)
    normal = np.cross(first, second)
    y_axis = np.cross(normal / np.linalg.norm(normal, axis=1, keepdims=True), x_axis)
    flat = np.stack([[(e * a).sum(1) for e in (first, second)] for a in (x_axis, y_axis)]).transpose(2, 0, 1)
    image = (corner_uv[:, 1:] - corner_uv[:, :1]).astype(np.float64).transpose(0, 2, 1)
    return np.linalg.svd(image @ np.linalg.inv(flat))[1]


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """List the directed edges (b, 2) that have one face."""
    directed = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    key = np.sort(directed, axis=1)
    _, inverse, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    return directed[count[inverse.ravel()] == 1]


def boundary_loop(faces: np.ndarray) -> np.ndarray:
    """List the vertices (b,) of the boundary loop, in the faces' direction. ValueError unless there is one loop."""
    edges = boundary_edges(faces)
    following = dict(zip(edges[:, 0].tolist(), edges[:, 1].tolist(), strict=True))
    loop = [int(edges[0, 0])]
    while (step := following[loop[-1]]) != loop[0]:
        loop.append(step)
    if len(loop) != len(edges):
        raise ValueError(
            f"a chart must have one boundary loop, got {len(edges) - len(loop)} boundary edges outside the first loop."
        )
    return np.array(loop)


def cut_open(faces: np.ndarray, cut_edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split vertices along edges (c, 2). Returns new faces (F, 3) and, for each new vertex, its old index."""
    corner = np.arange(3 * len(faces)).reshape(-1, 3)
    directed = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    corners = corner[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    swap = directed[:, 0] > directed[:, 1]
    directed[swap], corners[swap] = directed[swap][:, ::-1], corners[swap][:, ::-1]
    blocked = {tuple(e) for e in np.sort(cut_edges, axis=1).tolist()}
    order = np.lexsort((directed[:, 1], directed[:, 0]))
    directed, corners = directed[order], corners[order]
    same = (directed[1:] == directed[:-1]).all(1)
    same &= np.array([tuple(e) not in blocked for e in directed[1:].tolist()])
    rows, columns = corners[1:][same].ravel(), corners[:-1][same].ravel()
    links = sp.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(corner.size,) * 2)
    count, component = connected_components(links, directed=False)
    old = np.zeros(count, faces.dtype)
    old[component] = faces.ravel()
    return component.reshape(-1, 3), old


def mean_value_weights(vertices: np.ndarray, faces: np.ndarray) -> sp.csr_matrix:
    """Compute (n, n) Floater's mean value weights: positive, so Tutte's theorem holds."""
    n = len(vertices)
    total = sp.csr_matrix((n, n))
    for k in range(3):
        i, j, m = faces[:, k], faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        a, b = vertices[j] - vertices[i], vertices[m] - vertices[i]
        la, lb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        half_tan = np.linalg.norm(np.cross(a, b), axis=1) / np.maximum(la * lb + (a * b).sum(1), 1e-12)
        half_tan = np.clip(half_tan, 1e-3, 1e3)
        total += sp.csr_matrix((np.r_[half_tan / la, half_tan / lb], (np.r_[i, i], np.r_[j, m])), shape=(n, n))
    return total


def tutte(weights: sp.csr_matrix, fixed: np.ndarray, fixed_uv: np.ndarray) -> np.ndarray:
    """Put each free vertex at the weighted mean of its neighbours: (n, 2); a convex fixed boundary gives no flips."""
    n = weights.shape[0]
    free = np.setdiff1d(np.arange(n), fixed)
    laplacian = (sp.diags(np.asarray(weights.sum(1)).ravel()) - weights).tocsr()
    uv = np.zeros((n, 2))
    uv[fixed] = fixed_uv
    uv[free] = spsolve(laplacian[free][:, free].tocsc(), -laplacian[free][:, fixed] @ fixed_uv)
    return uv


def circle_map(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Compute the Tutte map (n, 2) onto a disk of the chart's area."""
    loop = boundary_loop(faces)
    step = np.linalg.norm(vertices[np.roll(loop, -1)] - vertices[loop], axis=1)
    angle = 2 * np.pi * np.concatenate([[0], np.cumsum(step)[:-1]]) / step.sum()
    triangle = vertices[faces]
    area = np.linalg.norm(np.cross(triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0]), axis=1).sum() / 2
    ring = np.sqrt(area / np.pi) * np.c_[np.cos(angle), np.sin(angle)]
    return tutte(mean_value_weights(vertices, faces), loop, ring)


def slim(vertices: np.ndarray, faces: np.ndarray, steps: int = 60) -> np.ndarray:
    """Compute the free-boundary map (n, 2) of least symmetric Dirichlet energy, from a Tutte map; no flips."""
    scale = 1 / np.ptp(vertices, axis=0).max()
    start = np.asfortranarray(circle_map(vertices, faces) * scale)
    data = igl.slim_precompute(
        np.asfortranarray(vertices * scale),
        np.asfortranarray(faces.astype(np.int32)),
        start,
        igl.MappingEnergyType.SYMMETRIC_DIRICHLET,
        np.empty(0, np.int32),
        np.empty((0, 2)),
        0.0,
    )
    return np.asarray(igl.slim_solve(data, steps))[:, :2] / scale


def normalise(uv: np.ndarray) -> np.ndarray:
    """Shift and scale uv, each axis by itself, to fill [0, 1]^2."""
    low = uv.min(0)
    return (uv - low) / (uv.max(0) - low)
