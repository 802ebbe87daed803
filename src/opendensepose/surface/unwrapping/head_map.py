"""UV of the head's half: a Tutte map into the outline of the authors' chart. Used by `scripts/make_charts.py` only.

The sagittal line becomes the outline's sides and top, the neck line its bottom. Landmarks (measured on the authors'
models) fix V along the face's midline; a monotone change of U then brings eye and ear to their places. A convex
outline, positive weights and a monotone change cannot flip a triangle. The mouth's inside and the eye socket shrink to
their openings by themselves.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from opendensepose.surface.unwrapping.anatomy import LANDMARKS, SkinMesh
from opendensepose.surface.unwrapping.unwrap import boundary_loop, mean_value_weights, normalise, tutte

# The outline's right side from the neck to the crown, read off what the authors' models show in each row of V.
OUTLINE_V = (0, 0.05, 0.15, 0.3, 0.42, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 0.975, 0.993, 1.0)
OUTLINE_U = (0.94, 0.955, 0.976, 0.994, 1, 0.999, 0.99, 0.97, 0.935, 0.885, 0.82, 0.74, 0.64, 0.5)

# (length along the sagittal line from the throat in metres, V, on the face's side): throat, under the chin, chin, lips
# (the mouth's inside gets almost no V), nose tip, between the eyes, forehead, hairline; then
# back of the head, nape.
MIDLINE = (
    (0.0, 0.0, True),
    (0.053, 0.14, True),
    (0.117, 0.22, True),
    (0.154, 0.357, True),
    (0.462, 0.363, True),
    (0.508, 0.48, True),
    (0.554, 0.60, True),
    (0.609, 0.765, True),
    (0.664, 0.90, True),
    (0.847, 0.86, False),
    (0.912, 0.62, False),
    (0.970, 0.42, False),
    (1.022, 0.21, False),
    (None, 0.0, False),
)
EAR_U, EYE_U = 0.41, 0.79
ROUNDS = 3  # the outline and the change of U depend on each other, so they are found alternately


def flatten_head(mesh: SkinMesh, faces: np.ndarray) -> np.ndarray:
    """Map the left half's faces (f, 3) to (f, 3, 2) in [0, 1], with U as on the right half (chart 23)."""
    used, local = np.unique(faces, return_inverse=True)
    vertices, local = mesh.vertices[used], local.reshape(-1, 3)
    weights = mean_value_weights(vertices, local)
    sagittal, neck = _boundary(vertices, local)
    eye = np.argmin(np.linalg.norm(vertices - LANDMARKS["left eye"], axis=1))
    ear = np.argmin(np.linalg.norm(vertices - LANDMARKS["left ear"], axis=1))
    change = PchipInterpolator([0, 0.528, 0.885, 1], [0, EAR_U, EYE_U, 1])
    for _ in range(ROUNDS):
        outline = _outline(change)
        sides = _place_sagittal(vertices[sagittal], outline)
        length = _lengths(vertices[np.r_[sagittal[-1], neck, sagittal[0]]])
        bottom_u = sides[-1, 0] + (sides[0, 0] - sides[-1, 0]) * length[1:-1] / length[-1]
        bottom = np.c_[bottom_u, np.zeros(len(neck))]
        uv = tutte(weights, np.r_[sagittal, neck], np.r_[sides, bottom])
        change = PchipInterpolator([0, uv[ear, 0], uv[eye, 0], 1], [0, EAR_U, EYE_U, 1])
    return normalise(np.c_[change(uv[:, 0]), uv[:, 1]])[local]


def _boundary(vertices: np.ndarray, local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sagittal vertices from throat over crown to nape, and the neck's vertices from nape to throat."""
    loop = boundary_loop(local)
    middle = np.abs(vertices[loop, 0]) < 1e-7
    first = np.nonzero(middle & ~np.roll(middle, 1))[0]
    if len(first) != 1:
        raise ValueError(f"the sagittal line must be in one piece, got {len(first)} pieces.")
    loop, middle = np.roll(loop, -first[0]), np.roll(middle, -first[0])
    sagittal, neck = loop[middle], loop[~middle]
    if vertices[sagittal[0], 1] > vertices[sagittal[-1], 1]:  # start in front
        return sagittal[::-1], neck[::-1]
    return sagittal, neck


def _lengths(points: np.ndarray) -> np.ndarray:
    """(n,) length along a polyline (n, d)."""
    return np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]


def _outline(change: PchipInterpolator) -> np.ndarray:
    """(2001, 2) the outline from the throat over the crown (point 1000) to the nape, before the change of U."""
    u, v = np.array(OUTLINE_U), np.array(OUTLINE_V, float)
    length = _lengths(np.c_[u, v])
    even = np.linspace(0, length[-1], 1001)
    face = np.c_[PchipInterpolator(length, u)(even), PchipInterpolator(length, v)(even)]
    back = np.c_[1 - face[:, 0], face[:, 1]][::-1]
    outline = np.r_[face, back[1:]]
    fine = np.linspace(0, 1, 5001)
    outline[:, 0] = np.interp(outline[:, 0], change(fine), fine)
    return outline


def _place_sagittal(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Place the sagittal vertices (n, 3) on the outline: (n, 2)."""
    along = _lengths(outline)
    along /= along[-1]

    def at(v: float, on_face: bool) -> np.ndarray:
        side = slice(0, 1001) if on_face else slice(None, 999, -1)
        return np.interp(v, outline[side, 1], along[side])

    length = _lengths(points)
    stations = [length[-1] if metres is None else metres for metres, _, _ in MIDLINE]
    along_outline = PchipInterpolator(stations, [at(v, on_face) for _, v, on_face in MIDLINE])(length)
    return np.stack([np.interp(along_outline, along, outline[:, axis]) for axis in (0, 1)], 1)
