"""UV of the left hand and foot: one cut, then SLIM from a Tutte map. Used by `scripts/make_charts.py` only.

Hand: cut between palm and back from the wrist's thumb side over all fingertips to the little finger's tip; palm and
back stay joined along the little-finger side. The authors' maps do the same: on real
hands seen from that side, U is continuous from the back of the hand (below 0.5 on the right hand) to the palm.
Foot: cut down the heel and round the sole on the little-toe side to the big toe; sole and upper stay joined inside.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from opendensepose.surface.unwrapping.anatomy import SkinMesh
from opendensepose.surface.unwrapping.partition import FaceGraph
from opendensepose.surface.unwrapping.unwrap import boundary_edges, cut_open, slim

SEAM_STIFFNESS_M = 4e-5  # fingers are thin: a stiffer seam would give a whole finger to one side
# Few steps: more would distort less, but fingers and toes would begin to overlap in UV.
HAND_STEPS, FOOT_STEPS = 12, 2


def flatten_hand(mesh: SkinMesh, chosen: np.ndarray) -> np.ndarray:
    """Map the left hand's faces `chosen` (f,): (f, 3, 2) metres; V grows to the fingers, U from palm to back."""
    faces = mesh.faces[chosen]
    sideways = mesh.bone_centre("metacarpal4.L") - mesh.bone_centre("metacarpal1.L")
    wrist = mesh.bone_centre("wrist.L")
    dorsal = np.cross(sideways, mesh.bone_centre("finger3-1.L") - wrist)
    dorsal *= np.sign(dorsal[0] + dorsal[2]) / np.linalg.norm(dorsal)
    back = _split(mesh, chosen, 0.02 * (mesh.normals(chosen) @ dorsal))
    edges = _edges_between(faces, back)
    ends = np.nonzero(np.bincount(edges.ravel()) == 1)[0]  # the two places at the wrist
    thumb_end = ends[np.argmin(mesh.vertices[ends] @ sideways)]
    path = _walk(edges, thumb_end)
    on_little = mesh.bone_weights["finger5-3.L"][path] > 0.5
    tip = np.argmax(np.where(on_little, np.linalg.norm(mesh.vertices[path] - wrist, axis=1), 0))
    opened, old = cut_open(faces, np.c_[path[:tip], path[1 : tip + 1]])
    uv = slim(mesh.vertices[old], opened, HAND_STEPS)
    hinge = uv[old == path[tip]].mean(0) - uv[old == path[-1]].mean(0)
    uv = _turned(uv, hinge, np.pi / 2)
    if uv[np.unique(opened[back]), 0].mean() < uv[np.unique(opened[~back]), 0].mean():
        uv[:, 0] *= -1
    return uv[opened]


def flatten_foot(mesh: SkinMesh, chosen: np.ndarray) -> np.ndarray:
    """Map the left foot's faces `chosen` (f,): (f, 3, 2) metres; U grows to the toes, V from sole to upper."""
    faces, v = mesh.faces[chosen], mesh.vertices
    low = v[faces].mean(1)[:, 2] < -0.93
    sole = _split(mesh, chosen, np.where(low, 0.02 * (-mesh.normals(chosen)[:, 2] - 0.25), -0.02))
    edges = _edges_between(faces, sole)
    rim = np.unique(edges)
    heel = rim[np.argmax(v[rim, 1])]
    path = _walk(edges, heel)
    quarter = len(path) // 4
    if v[path[quarter], 0] < v[path[-quarter], 0]:  # go round the little toe's side
        path = np.r_[path[:1], path[:0:-1]]
    on_big_toe = mesh.bone_weights["toe1-2.L"][path] > 0.5
    tip = np.argmin(np.where(on_big_toe, v[path, 1], np.inf))
    down = _heel_line(v, faces, ~sole, rim, heel)
    cut = np.r_[np.c_[down[:-1], down[1:]], np.c_[path[:tip], path[1 : tip + 1]]]
    opened, old = cut_open(faces, cut)
    uv = slim(v[old], opened, FOOT_STEPS)
    under, upper = np.unique(opened[sole]), np.unique(opened[~sole])
    inner = v[old[under], 0] <= 0.185
    toe, back = under[np.argmin(v[old[under], 1] + ~inner)], under[np.argmax(v[old[under], 1])]
    uv = _turned(uv, uv[toe] - uv[back], 0.0)
    if uv[upper, 1].mean() < uv[under, 1].mean():
        uv[:, 1] *= -1
    return uv[opened]


def _split(mesh: SkinMesh, chosen: np.ndarray, function: np.ndarray) -> np.ndarray:
    """Split a chart along the zero line of function (f,): (f,) bool, both sides connected."""
    graph = FaceGraph(mesh, chosen)
    side = graph.cut(function, np.ones(len(chosen), bool), SEAM_STIFFNESS_M)
    return graph.absorb_islands(side.astype(np.uint8)).astype(bool)


def _edges_between(faces: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(e, 2) sorted edges that have a face on each side."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    owner = np.repeat(np.arange(len(faces)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, owner = edges[order], owner[order]
    between = (edges[1:] == edges[:-1]).all(1) & (side[owner[1:]] != side[owner[:-1]])
    return edges[1:][between]


def _walk(edges: np.ndarray, start: int) -> np.ndarray:
    """List the vertices of a line or loop of edges from `start`. ValueError where the line forks."""
    neighbours: dict[int, list[int]] = {}
    for a, b in edges.tolist():
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    if max(map(len, neighbours.values())) > 2:
        raise ValueError("the line between two sides must not fork, got a vertex with more than two neighbours.")
    line, before = [int(start)], None
    while True:
        onward = [k for k in neighbours[line[-1]] if k != before]
        if not onward or onward[0] == start:
            return np.array(line)
        before = line[-1]
        line.append(onward[0])


def _heel_line(v: np.ndarray, faces: np.ndarray, upper: np.ndarray, rim: np.ndarray, heel: int) -> np.ndarray:
    """Vertices of a straight line of edges from the ankle ring's hindmost vertex down to `heel`."""
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    length = np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1)
    aside = np.abs(v[edges][:, :, 0].mean(1) - v[heel, 0])
    allowed = np.isin(edges, np.unique(faces[upper])).all(1) & ~np.isin(edges, rim[rim != heel]).any(1)
    price = (length + 3 * aside * length / 0.01)[allowed]
    _, before = dijkstra(
        sp.coo_matrix((price, edges[allowed].T), shape=(len(v),) * 2).tocsr(), False, heel, return_predecessors=True
    )
    ring = np.unique(boundary_edges(faces))
    line = [ring[np.argmax(v[ring, 1])]]
    while line[-1] != heel:
        line.append(before[line[-1]])
    return np.array(line)


def _turned(uv: np.ndarray, direction: np.ndarray, goal: float) -> np.ndarray:
    """uv rotated so that `direction` points at the angle `goal` (radians)."""
    turn = goal - np.arctan2(direction[1], direction[0])
    return uv @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
