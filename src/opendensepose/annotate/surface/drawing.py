"""The pictures of the views: the part in the light with its charts' lines, the rest of the body faint around it.

Pictures are drawn `FINE` times larger and averaged down. Letters: H, W fine picture; V vertices, F faces.
"""

from functools import cache

import cv2
import numpy as np
import torch

from opendensepose.annotate.surface.cameras import View, load_views, part_faces
from opendensepose.surface import SurfacePoints, load_charts, load_surface
from opendensepose.synth.drawing.rasterize import depth_map, rasterize
from opendensepose.synth.drawing.vertices import vertex_normals
from opendensepose.visualize import isoline_coverage, outline_coverage

__all__ = ["draw_view", "draw_views"]

FINE = 2
FAR_M = 64.0  # the rasteriser draws in perspective; from so far away it is parallel
PAPER = np.float32([247, 248, 250])
SKIN = np.float32([232, 192, 166])
FAINT = np.float32([203, 207, 214])
INK, U_LINE, V_LINE = np.float32([58, 34, 30]), np.float32([255, 255, 255]), np.float32([112, 52, 40])
LAMP, FILL = np.float32([-0.42, -0.55, -0.72]), np.float32([0.75, 0.1, -0.6])  # right, down, away: from top left
AMBIENT_DIRECTIONS = 48


def draw_views() -> dict[tuple[int, int], bytes]:
    """All pictures as PNG files by (part - 1, view)."""
    pictures = {}
    for part, views in enumerate(load_views()):
        openness = _openness(part + 1)
        for view in views:
            picture = draw_view(view, openness)
            done, png = cv2.imencode(".png", picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])
            if not done:
                raise OSError(f"view {view.number} of part {view.part} could not be written as PNG.")
            pictures[part, view.number] = png.tobytes()
    return pictures


def draw_view(view: View, openness: np.ndarray | None = None) -> np.ndarray:
    """The picture (height, width, 3) uint8 RGB of a view. openness (V,): of its part, computed where not given."""
    surface = load_surface()
    openness = _openness(view.part) if openness is None else openness
    face, weights = _seen(view, part_faces(view.part), closed=False)
    others = np.setdiff1d(np.arange(len(surface.faces)), part_faces(view.part))
    around, around_weights = _seen(view, others, closed=True)
    canvas = np.broadcast_to(PAPER, (*face.shape, 3)).copy()
    part = (face >= 0) & _faces_viewer(view)[face]  # where it is open, the parts beside it close it
    faint = (around >= 0) & ~part
    light = _light(view, around, around_weights, faint, None)
    canvas[faint] = PAPER + (FAINT * light[faint, None] - PAPER) * 0.55
    light = _light(view, face, weights, part, openness)
    canvas[part] = SKIN * light[part, None]
    _draw_lines(canvas, face, weights, part)
    outline = outline_coverage(part, width_px=1.2 * FINE)
    _blend(canvas, INK, 0.85 * outline)
    small = cv2.resize(canvas, (view.width, view.height), interpolation=cv2.INTER_AREA)
    return np.clip(small + 0.5, 0, 255).astype(np.uint8)


def _seen(view: View, faces: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """The surface's face (H, W) int64 seen at each pixel, -1 where none of `faces`, and barycentric (H, W, 3)."""
    surface = load_surface()
    xy, depth = view.project(surface.vertices)
    screen = torch.from_numpy(np.c_[xy * FINE, depth + FAR_M].astype(np.float32))
    triangles = torch.from_numpy(np.ascontiguousarray(surface.faces[faces], np.int32))
    size_hw = view.height * FINE, view.width * FINE
    triangle, weights, _ = rasterize(screen, triangles, size_hw, num_closed=len(triangles) if closed else 0)
    triangle = triangle.numpy()
    return np.where(triangle >= 0, faces[triangle], -1), weights.numpy()


def _faces_viewer(view: View) -> np.ndarray:
    """(F,) bool."""
    surface = load_surface()
    corner = surface.vertices[surface.faces]
    return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]) @ view.towards > 0


@cache
def _normals() -> np.ndarray:
    """(V, 3) float32, smooth, of the body at rest."""
    surface = load_surface()
    vertices, faces = torch.from_numpy(surface.vertices.copy()), torch.from_numpy(surface.faces.copy())
    return vertex_normals(vertices, faces).numpy()


def _light(view: View, face, weights, where, openness) -> np.ndarray:
    """(H, W) float32 brightness: a lamp at the viewer's upper left, a weak one at the right, less light in creases."""
    surface = load_surface()
    light = np.ones(face.shape, np.float32)
    corner = surface.faces[face[where]]
    normal = np.einsum("pk,pkc->pc", weights[where], (_normals() @ view.axes.T.astype(np.float32))[corner])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    lamp, fill = (np.maximum(normal @ (to / np.linalg.norm(to)), 0) for to in (LAMP, FILL))
    bright = 0.40 + 0.60 * lamp + 0.18 * fill
    if openness is not None:
        bright *= 0.45 + 0.55 * np.einsum("pk,pk->p", weights[where], openness[corner])
    light[where] = bright
    return light


def _openness(part: int) -> np.ndarray:
    """(V,) float32 in [0, 1]: how much of the light from all around reaches each vertex of a part seen alone."""
    surface, faces = load_surface(), part_faces(part)
    index = np.unique(surface.faces[faces])
    points = surface.vertices[index] - surface.vertices[index].mean(0)
    triangles = torch.from_numpy(np.searchsorted(index, surface.faces[faces]).astype(np.int32))
    normal, side = _normals()[index], 500
    scale = (side / 2 - 2) / np.linalg.norm(points, axis=1).max()
    lit, total = np.zeros((2, len(index)), np.float32)
    k = np.arange(AMBIENT_DIRECTIONS) + 0.5
    z, turn = 1 - 2 * k / AMBIENT_DIRECTIONS, np.pi * (1 + 5**0.5) * k
    for away in np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], 1):
        right = np.cross(away, [0.36, 0.48, 0.8])
        right /= np.linalg.norm(right)
        local = points @ np.stack([right, np.cross(away, right), away]).T
        screen = np.ascontiguousarray(np.c_[local[:, :2] * scale + side / 2, local[:, 2]], np.float32)
        depth = depth_map(torch.from_numpy(screen), triangles, (side, side)).numpy()
        cosine = np.maximum(-normal @ away, 0)
        x, y = screen[:, :2].astype(int).T
        lit += cosine * (screen[:, 2] < depth[y, x] + 4 / scale)
        total += cosine
    openness = np.ones(len(surface.vertices), np.float32)
    openness[index] = lit / np.maximum(total, 1e-6)
    return openness


def _draw_lines(canvas: np.ndarray, face: np.ndarray, weights: np.ndarray, part: np.ndarray) -> None:
    """Borders of the charts, lines of equal U (white) and V (dark) at every 0.1, drawn into canvas (H, W, 3) float."""
    charts = load_charts()
    chart = np.where(part, charts.face_chart[face], 0)
    u, v = np.zeros((2, *face.shape), np.float32)
    u[part], v[part] = charts.from_points(SurfacePoints(face[part], weights[part]))[1:]
    for k in np.unique(chart[chart > 0]):
        x, y, width, height = cv2.boundingRect((chart == k).astype(np.uint8))
        window = slice(max(0, y - 8), y + height + 8), slice(max(0, x - 8), x + width + 8)
        inside = chart[window] == k
        for field, colour, strength in ((v, V_LINE, 0.5), (u, U_LINE, 0.75)):
            line = isoline_coverage(field[window], inside, spacing=0.1, width_px=FINE, min_gap_px=FINE * 5)
            _blend(canvas[window], colour, strength * line)
        _blend(canvas[window], INK, 0.75 * outline_coverage(inside, width_px=1.6 * FINE))


def _blend(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> None:
    """canvas <- (1 - alpha) canvas + alpha colour, in place; alpha (H, W)."""
    canvas += alpha[..., None] * (colour - canvas)
