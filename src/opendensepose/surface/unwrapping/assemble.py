"""Puts the 24 charts together: partition, one map per left chart, the mirror. Used by `scripts/make_charts.py` only."""

import numpy as np

from opendensepose.surface.tables import MIRROR_CHART
from opendensepose.surface.unwrapping.anatomy import SkinMesh
from opendensepose.surface.unwrapping.hand_foot_maps import flatten_foot, flatten_hand
from opendensepose.surface.unwrapping.head_map import flatten_head
from opendensepose.surface.unwrapping.limb_maps import DIRECTIONS, SPAN, flatten
from opendensepose.surface.unwrapping.partition import mirror_faces, partition
from opendensepose.surface.unwrapping.unwrap import normalise, signed_areas, singular_values

RIGHT = (3, 6, 7, 9, 11, 13, 16, 18, 20, 22, 23)
REVERSED_U = (3, 6, 23)  # right charts whose U is 1 - U of the left


def build_charts(mesh: SkinMesh) -> tuple[np.ndarray, np.ndarray]:
    """Make face_chart (F,) uint8 and face_uv (F, 3, 2) float32 in [0, 1]. Takes a minute, most of it for geodesics."""
    face_chart = partition(mesh)
    face_uv = np.zeros((len(mesh.faces), 3, 2))
    for chart in DIRECTIONS:
        (u0, u1), (v0, v1) = SPAN.get(chart, ((0, 1), (0, 1)))
        filled = _fill(flatten(mesh, mesh.faces[face_chart == chart], chart))
        face_uv[face_chart == chart] = np.array([u0, v0]) + np.array([u1 - u0, v1 - v0]) * filled
    face_uv[face_chart == 4] = _fill(flatten_hand(mesh, np.nonzero(face_chart == 4)[0]))
    face_uv[face_chart == 5] = _fill(flatten_foot(mesh, np.nonzero(face_chart == 5)[0]))
    face_uv[face_chart == 24] = flatten_head(mesh, mesh.faces[face_chart == 24]) * [-1, 1] + [1, 0]
    face_uv = face_uv.astype(np.float32)
    _mirror(mesh, face_chart, face_uv)
    return face_chart, face_uv


def _fill(corner_uv: np.ndarray) -> np.ndarray:
    return normalise(corner_uv.reshape(-1, 2)).reshape(-1, 3, 2)


def _mirror(mesh: SkinMesh, face_chart: np.ndarray, face_uv: np.ndarray) -> None:
    """Write the right charts' UV from the left ones, in place."""
    right = np.nonzero(np.isin(face_chart, RIGHT))[0]
    left = mirror_faces(mesh.vertices, mesh.faces)[right]
    if not np.array_equal(MIRROR_CHART[face_chart[left]], face_chart[right]):
        raise ValueError("the partition must be mirror symmetric, got a face whose mirror image has another chart.")
    mirrored = mesh.vertices[mesh.faces[left]] * [-1, 1, 1]
    here = mesh.vertices[mesh.faces[right]]
    corner = np.linalg.norm(here[:, :, None] - mirrored[:, None], axis=3).argmin(2)  # (r, 3)
    uv = np.take_along_axis(face_uv[left], corner[:, :, None], axis=1)
    reverse = np.isin(face_chart[right], REVERSED_U)
    uv[reverse, :, 0] = 1 - uv[reverse, :, 0]
    face_uv[right] = uv


def distortion(
    vertices: np.ndarray, faces: np.ndarray, face_chart: np.ndarray, face_uv: np.ndarray
) -> dict[int, dict[str, float]]:
    """Measure how much each chart is distorted.

    "stretch": the median over faces of the larger/smaller singular value of surface -> UV. U and V
    are first scaled so that their mean square slopes are equal, since each axis is normalised to [0, 1] by itself;
    "stretch_raw": the same in the stored UV; "area": the 95th / 5th percentile of the faces' area scale; "flipped":
    the number of faces that are turned over.
    """
    table = {}
    for chart in np.unique(face_chart):
        mine = face_chart == chart
        uv = face_uv[mine].astype(np.float64)
        p = vertices[faces[mine]].astype(np.float64)
        weight = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
        slope = [
            (weight * (singular_values(vertices, faces[mine], uv * s) ** 2).sum(1)).sum() for s in ([1, 0], [0, 1])
        ]
        even = singular_values(vertices, faces[mine], uv * [1, np.sqrt(slope[0] / slope[1])])
        raw = singular_values(vertices, faces[mine], uv)
        area = signed_areas(uv)
        scale = raw.prod(1)
        table[int(chart)] = {
            "stretch": float(np.median(even[:, 0] / even[:, 1])),
            "stretch_raw": float(np.median(raw[:, 0] / raw[:, 1])),
            "area": float(np.percentile(scale, 95) / np.percentile(scale, 5)),
            "flipped": int((area * np.sign(np.median(area)) <= 0).sum()),
        }
    return table
