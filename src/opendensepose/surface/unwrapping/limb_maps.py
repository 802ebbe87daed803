"""UV of torso and limbs: multi-dimensional scaling of in-chart geodesic distances (DensePose 2018, section 2.1).

Used by `scripts/make_charts.py` only. Only left limbs are mapped; the right ones are their mirror.
"""

import numpy as np
from scipy.spatial import cKDTree

from opendensepose.surface.unwrapping.anatomy import JOINTS, SkinMesh
from opendensepose.surface.unwrapping.unwrap import geodesic_distances, mds

UP, LEFT, FORWARD = np.array([0, 0, 1.0]), np.array([1.0, 0, 0]), np.array([0, -1.0, 0])
UPPER_ARM = JOINTS["elbow"] - JOINTS["shoulder"]
FOREARM = JOINTS["wrist"] - JOINTS["elbow"]


def across(axis: np.ndarray) -> np.ndarray:
    """Return the part of the forward direction that is perpendicular to a limb's axis."""
    axis = axis / np.linalg.norm(axis)
    return FORWARD - (FORWARD @ axis) * axis


# (direction in which U grows, direction in which V grows), as measured on the authors' models.
DIRECTIONS = {
    1: (-UP, -LEFT),
    2: (-UP, -LEFT),
    8: (-UP, LEFT),
    10: (UP, -LEFT),
    12: (UP, LEFT),
    14: (-UP, LEFT),
    15: (UPPER_ARM, across(UPPER_ARM)),
    17: (UPPER_ARM, across(UPPER_ARM)),
    19: (-FOREARM, -across(FOREARM)),
    21: (FOREARM, across(FOREARM)),
}

# MDS gives a map up to a rotation; its principal axes are taken, except in the thigh's front, where the authors' U and
# V are rotated by this much: the hip's corner at U 1, the crotch at the side of V 1.
TURN_DEG = {10: 15.0}

# Where a chart's U and V begin and end on the authors' maps. Their outlines have corners that ours lack, and these
# reach 0 and 1 first: a seam's middle stays inside. Measured on photos, as said in `partition`; others fill [0, 1].
SPAN = {
    1: ((0.0, 1.0), (0.1, 0.9)),
    2: ((0.0, 0.95), (0.1, 0.9)),
    10: ((0.0, 0.8), (0.2, 0.95)),
    14: ((0.1, 1.0), (0.0, 1.0)),
    15: ((0.0, 0.9), (0.2, 0.8)),
    17: ((0.0, 1.0), (0.2, 0.9)),
    19: ((0.15, 0.95), (0.15, 0.7)),
    21: ((0.05, 0.95), (0.0, 0.9)),
}


def flatten(mesh: SkinMesh, faces: np.ndarray, chart: int) -> np.ndarray:
    """Map the faces (f, 3) of one torso or left limb chart to (f, 3, 2) metres, axes as DIRECTIONS."""
    used, local = np.unique(faces, return_inverse=True)
    vertices, local = mesh.vertices[used], local.reshape(-1, 3)
    uv = mds(geodesic_distances(vertices, local))
    for axis, direction in enumerate(DIRECTIONS[chart]):
        uv[:, axis] *= np.sign((uv[:, axis] * ((vertices - vertices.mean(0)) @ direction)).sum())
    turn = np.deg2rad(TURN_DEG.get(chart, 0.0))
    uv = uv @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if chart in (1, 2):  # the torso is its own mirror; remove rounding
        mirror = cKDTree(vertices).query(vertices * [-1, 1, 1])[1]
        uv = np.c_[uv[:, 0] + uv[mirror, 0], uv[:, 1] - uv[mirror, 1]] / 2
    return uv[local]
