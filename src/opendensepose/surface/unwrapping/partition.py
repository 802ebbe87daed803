"""Cuts the body skin into the 24 charts at anatomical places (DensePose, Güler et al. 2018, section 2.1).

Used by `scripts/make_charts.py` only. Every cut is a signed function on the mesh's faces, turned into a seam along mesh
edges by a minimum cut: the seam stays near the function's zero line and is short, so it follows the mesh's edge loops.
Only the left half is cut; the right half is its mirror. The places are where the authors' models have their borders on
real photos, measured by `scripts/measure_charts.py`: shorts-like leg openings, shins that begin below the knee, hands
that begin beyond the wrist, an arm whose inner half is all that is seen of it from in front.

Letters: V vertices, F faces, n chosen faces. Axes: x = person's left, y = back, z = up; metres.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, maximum_flow
from scipy.spatial import cKDTree

from opendensepose.surface.tables import MIRROR_CHART
from opendensepose.surface.unwrapping.anatomy import JOINTS, SkinMesh

SEAM_STIFFNESS_M = 4e-4  # weight of a seam's length against its distance from the zero line


def mirror_faces(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Find the face (F,) at the mirrored place (x -> -x). ValueError if the mesh is not symmetric within 1e-6 m."""
    centres = vertices[faces].mean(1)
    distance, index = cKDTree(centres).query(centres * [-1, 1, 1])
    if distance.max() > 1e-6:
        raise ValueError(f"the mesh must be symmetric in x within 1e-6 m, got a face {distance.max():.2g} m off.")
    return index


def partition(mesh: SkinMesh) -> np.ndarray:
    """Assign a chart 1..24 to every face, (F,) uint8; mirror symmetric, each chart connected."""
    centres = mesh.vertices[mesh.faces].mean(1)
    left = np.nonzero(centres[:, 0] > 0)[0]
    graph = FaceGraph(mesh, left)
    label = _label_left(graph, centres[left])
    face_chart = np.zeros(len(centres), np.uint8)
    face_chart[left] = graph.absorb_islands(label)
    right = np.nonzero(face_chart == 0)[0]
    face_chart[right] = MIRROR_CHART[face_chart[mirror_faces(mesh.vertices, mesh.faces)[right]]]
    return face_chart


class FaceGraph:
    """Adjacency of the chosen faces with areas (n,) and shared edge lengths."""

    def __init__(self, mesh: SkinMesh, chosen: np.ndarray):
        triangles = mesh.vertices[mesh.faces]
        area = (
            np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1) / 2
        )
        self.area = area[chosen]
        edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        owner = np.repeat(np.arange(len(mesh.faces)), 3)
        order = np.lexsort((edges[:, 1], edges[:, 0]))
        first, second = owner[order[0::2]], owner[order[1::2]]  # closed surface: every edge has two faces
        ends = edges[order[0::2]]
        length = np.linalg.norm(mesh.vertices[ends[:, 0]] - mesh.vertices[ends[:, 1]], axis=1)
        position = np.full(len(mesh.faces), -1)
        position[chosen] = np.arange(len(chosen))
        a, b = position[first], position[second]
        keep = (a >= 0) & (b >= 0) & (a != b)
        self.a, self.b, self.length = a[keep], b[keep], length[keep]

    def cut(self, phi: np.ndarray, among: np.ndarray, stiffness_m: float = SEAM_STIFFNESS_M) -> np.ndarray:
        """Mark the faces of `among` (bool) on the positive side of phi (n,) metres, with a short seam."""
        n, scale = len(phi), 1e8
        weight = np.rint(np.clip(np.where(among, phi, 0), -0.1, 0.1) * self.area * scale).astype(np.int32)
        inside = among[self.a] & among[self.b]
        a, b = self.a[inside], self.b[inside]
        price = np.rint(self.length[inside] * stiffness_m * scale).astype(np.int32)
        plus, minus = np.nonzero(weight > 0)[0], np.nonzero(weight < 0)[0]
        rows = np.concatenate([a, b, np.full(len(plus), n), minus])
        columns = np.concatenate([b, a, plus, np.full(len(minus), n + 1)])
        values = np.concatenate([price, price, weight[plus], -weight[minus]])
        capacity = sp.csr_matrix((values, (rows, columns)), shape=(n + 2, n + 2), dtype=np.int32)
        residual = capacity - maximum_flow(capacity, n, n + 1).flow
        residual.data = (residual.data > 0).astype(np.int8)
        residual.eliminate_zeros()
        reached = sp.csgraph.breadth_first_order(residual, n, return_predecessors=False)
        positive = np.zeros(n + 2, bool)
        positive[reached] = True
        return positive[:n] & among

    def absorb_islands(self, label: np.ndarray) -> np.ndarray:
        """Keep each label's largest component; give the others to the neighbour with the longest shared edge."""
        label = label.copy()
        for _ in range(20):
            same = label[self.a] == label[self.b]
            links = sp.coo_matrix((np.ones(same.sum()), (self.a[same], self.b[same])), shape=(len(label),) * 2)
            count, component = connected_components(links, directed=False)
            size = np.bincount(component, weights=self.area, minlength=count)
            island = np.ones(count, bool)
            for chart in np.unique(label):
                members = np.unique(component[label == chart])
                island[members[np.argmax(size[members])]] = False
            if not island.any():
                return label
            k = np.nonzero(island)[0][0]
            touch = (component[self.a] == k) != (component[self.b] == k)
            other = np.where(component[self.a[touch]] == k, label[self.b[touch]], label[self.a[touch]])
            label[component == k] = np.argmax(np.bincount(other, weights=self.length[touch]))
        raise ValueError("the charts must be connected, got islands that remain after 20 repairs.")


def _label_left(graph: FaceGraph, p: np.ndarray) -> np.ndarray:
    """(n,) uint8 charts of the left half's faces with centres p (n, 3)."""
    label = np.zeros(len(p), np.uint8)
    every = np.ones(len(p), bool)
    head = graph.cut(neck_function(p), every)
    arm = graph.cut(shoulder_function(p), every & ~head)
    leg = graph.cut(hip_function(p), every & ~head & ~arm)
    torso = every & ~head & ~arm & ~leg
    label[head] = 24
    torso_back = graph.cut(torso_side_function(p), torso)
    label[torso] = 2
    label[torso_back] = 1
    foot = graph.cut(JOINTS["ankle"][2] + 0.008 - p[:, 2], leg)
    below_knee = bent_function(p, JOINTS["hip"], JOINTS["knee"], JOINTS["ankle"]) - 0.08
    shank = graph.cut(below_knee, leg & ~foot)
    thigh = leg & ~foot & ~shank
    label[foot] = 5
    back = leg_back_function(p)
    for region, front_chart, back_chart in ((thigh, 10, 8), (shank, 14, 12)):
        label[region] = front_chart
        label[graph.cut(back, region)] = back_chart
    beyond_wrist = bent_function(p, JOINTS["elbow"], JOINTS["wrist"], JOINTS["knuckles"], share=0.0) - 0.03
    beyond_elbow = bent_function(p, JOINTS["shoulder"], JOINTS["elbow"], JOINTS["wrist"]) - 0.035
    hand = graph.cut(beyond_wrist, arm)
    forearm = graph.cut(beyond_elbow, arm & ~hand)
    upper_arm = arm & ~hand & ~forearm
    label[hand] = 4
    for region, inner, outer, function in (
        (upper_arm, 15, 17, upper_arm_inner_function),
        (forearm, 19, 21, forearm_inner_function),
    ):
        label[region] = outer
        label[graph.cut(function(p), region)] = inner
    return label


def neck_function(p: np.ndarray) -> np.ndarray:
    """Positive above the collar line: low at the throat's pit, higher over the trapezius and at the nape."""
    return p[:, 2] - (0.562 + 0.5 * (p[:, 1] + 0.063) + 0.15 * np.abs(p[:, 0]))


def shoulder_function(p: np.ndarray) -> np.ndarray:
    """Positive beyond the plane through the armpit and the top of the shoulder, which leans inwards."""
    normal = np.array([0.99, 0.0, 0.12])
    beyond = (p - [0.177, 0.0, 0.42]) @ normal
    hips = (p[:, 0] < 0.27) & (p[:, 2] < 0.3)  # the plane would reach the legs
    return np.where(hips, -0.1, beyond)


def hip_function(p: np.ndarray) -> np.ndarray:
    """Positive below the leg opening of shorts: in front oblique from crotch to hip, behind across the buttocks."""
    x, y, z = p.T
    crotch = JOINTS["crotch"][2]
    out = np.clip((x - 0.015) / 0.165, 0, 1.1)
    front = crotch + 0.085 * out
    back = crotch + 0.1 + 0.025 * out
    behind = np.clip((y + 0.03) / 0.07, 0, 1)
    behind = behind**2 * (3 - 2 * behind)
    return front * (1 - behind) + back * behind - z


def torso_side_function(p: np.ndarray) -> np.ndarray:
    """Positive behind the side line: hip, waist, armpit, then along the top of the shoulder to the neck."""
    side = np.interp(
        p[:, 2], [-0.05, 0.05, 0.2, 0.28, 0.38, 0.45, 0.52, 0.58], [-0.02, -0.03, -0.03, -0.02, 0.0, 0.01, 0.015, 0.015]
    )
    return p[:, 1] - side


def leg_back_function(p: np.ndarray) -> np.ndarray:
    """Positive behind the leg's side lines; the thigh's outer line lies further back, as on the authors' surface."""
    side = np.interp(p[:, 2], [-0.9, -0.6, -0.48, -0.3, -0.15, 0.0], [0.008, 0.007, -0.012, -0.034, -0.024, -0.02])
    middle = np.interp(p[:, 2], [-0.9, -0.6, -0.45, -0.3, -0.1], [0.195, 0.18, 0.155, 0.135, 0.11])
    outwards = np.clip((p[:, 0] - middle) / 0.05, 0, 1)
    return p[:, 1] - side - outwards * np.interp(p[:, 2], [-0.5, -0.4], [0, 0.025])


def bent_function(
    p: np.ndarray, before: np.ndarray, joint: np.ndarray, after: np.ndarray, share: float = 0.5
) -> np.ndarray:
    """Positive beyond the plane through `joint` that bisects the two bones' angle; share 0: normal to the first."""
    first = (joint - before) / np.linalg.norm(joint - before)
    second = (after - joint) / np.linalg.norm(after - joint)
    normal = (1 - share) * first + share * second
    return (p - joint) @ (normal / np.linalg.norm(normal))


def limb_angle(p: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where p (n, 3) lies about a limb from `start` to `end`: the angle in degrees, 0 = forward, 90 = away from the
    body; how far along, 0 to 1; and the distance from the axis in metres, (n,) each."""
    axis = (end - start) / np.linalg.norm(end - start)
    forward = np.array([0, -1.0, 0])
    forward -= (forward @ axis) * axis
    forward /= np.linalg.norm(forward)
    outward = np.cross(forward, axis)
    outward *= np.sign(outward[0])
    along = np.clip((p - start) @ axis / np.linalg.norm(end - start), 0, 1)
    a, b = (p - start) @ forward, (p - start) @ outward
    return np.rad2deg(np.arctan2(b, a)), along, np.hypot(a, b)


def _arc_function(
    p: np.ndarray, start: np.ndarray, end: np.ndarray, front_deg: tuple[float, float], back_deg: tuple[float, float]
) -> np.ndarray:
    """Return a function of p (n, 3) that is positive on the inner side of a limb, between two seams given as angles,
    see `limb_angle`.

    front_deg, back_deg are pairs (at start, at end); the inner side is from back_deg - 360 up to front_deg.
    """
    angle, along, radius = limb_angle(p, start, end)
    front = front_deg[0] + (front_deg[1] - front_deg[0]) * along
    back = back_deg[0] + (back_deg[1] - back_deg[0]) * along - 360
    middle, half = (front + back) / 2, (front - back) / 2
    off = np.abs((angle - middle + 180) % 360 - 180)
    return np.deg2rad(half - off) * radius


def upper_arm_inner_function(p: np.ndarray) -> np.ndarray:
    """Positive on the inner (front/inner) side of the upper arm."""
    return _arc_function(p, JOINTS["arm_axis_shoulder"], JOINTS["arm_axis_elbow"], (60, 60), (195, 195))


def forearm_inner_function(p: np.ndarray) -> np.ndarray:
    """Positive on the inner (front/inner) side of the forearm."""
    return _arc_function(p, JOINTS["arm_axis_elbow"], JOINTS["wrist"], (52, 52), (195, 180))
