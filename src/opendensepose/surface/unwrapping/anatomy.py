"""Where joints and landmarks lie on Anny's neutral adult at rest, and the mesh that the chart making works on.

Used by `scripts/make_charts.py` only. Axes: x = the person's left, y = back, z = up; metres. Joints are the left ones.
"""

from dataclasses import dataclass

import numpy as np

# Means of the vertices that two neighbouring bones share (weight product), rounded to millimetres.
JOINTS = {
    "hip": np.array([0.112, 0.007, -0.058]),
    "knee": np.array([0.160, -0.022, -0.456]),
    "ankle": np.array([0.199, -0.004, -0.870]),
    "crotch": np.array([0.0, 0.0, -0.105]),
    "shoulder": np.array([0.187, -0.004, 0.489]),
    "elbow": np.array([0.357, -0.017, 0.290]),
    "wrist": np.array([0.507, -0.192, 0.139]),
    "knuckles": np.array([0.545, -0.255, 0.080]),
}

# The upper arm's flesh is not centred on the bones: its axis is a line fitted to the arm's vertices.
_AXIS = np.array([0.55, 0.02, -0.832]) / np.linalg.norm([0.55, 0.02, -0.832])
JOINTS["arm_axis_shoulder"] = np.array([0.275, -0.007, 0.378]) - 0.14 * _AXIS
JOINTS["arm_axis_elbow"] = np.array([0.275, -0.007, 0.378]) + 0.13 * _AXIS

LANDMARKS = {
    "left eye": np.array([0.032, -0.134, 0.739]),
    "left ear": np.array([0.085, -0.034, 0.697]),
    "nose tip": np.array([0.0, -0.162, 0.697]),
    "lips": np.array([0.0, -0.151, 0.660]),
    "crown": np.array([0.0, -0.045, 0.852]),
    "navel": np.array([0.0, -0.130, 0.140]),
    "left nipple": np.array([0.107, -0.150, 0.360]),
    "right nipple": np.array([-0.107, -0.150, 0.360]),
}


@dataclass(frozen=True)
class SkinMesh:
    """The closed skin in the rest pose.

    vertices (V, 3) float64 metres; faces (F, 3) int; bone_weights: for each bone's name (V,) float64 in [0, 1].
    """

    vertices: np.ndarray
    faces: np.ndarray
    bone_weights: dict[str, np.ndarray]

    def bone_centre(self, bone: str) -> np.ndarray:
        """Average the vertices by the bone's weight: (3,)."""
        weight = self.bone_weights[bone]
        return (self.vertices * weight[:, None]).sum(0) / weight.sum()

    def normals(self, chosen: np.ndarray) -> np.ndarray:
        """Compute (c, 3) unit normals of the faces `chosen` (c,)."""
        a, b, c = (self.vertices[self.faces[chosen, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        return normal / np.linalg.norm(normal, axis=1, keepdims=True)
