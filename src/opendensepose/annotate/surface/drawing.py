"""The pictures of the views: the shaded part with its charts' contour lines, the rest of the body faint around it.

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

__all__ = ["draw_part", "draw_view"]

FINE = 2
FAR_M = 64.0  # the rasteriser has a perspective camera; from so far away its projection is parallel
PAPER = np.array([247, 248, 250], np.float32)
SKIN = np.array([232, 192, 166], np.float32)
FAINT = np.array([203, 207, 214], np.float32)
INK, U_LINE, V_LINE = np.array([[58, 34, 30], [255, 255, 255], [112, 52, 40]], np.float32)
KEY_LIGHT, FILL_LIGHT = np.array(
    [[-0.42, -0.55, -0.72], [0.75, 0.1, -0.6]], np.float32
)  # right, down, away: from top left
OCCLUSION_DIRECTIONS = 48


def draw_part(part: int) -> list[bytes]:
    """Draw the pictures of a part's views as PNG files."""
    visibility = _ambient_visibility(part)
    pictures = []
    for view in load_views()[part - 1]:
        picture = draw_view(view, visibility)
        done, png = cv2.imencode(".png", picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])
        if not done:
            raise OSError(f"view {view.number} of part {view.part} could not be written as PNG.")
        pictures.append(png.tobytes())
    return pictures


def draw_view(view: View, visibility: np.ndarray | None = None) -> np.ndarray:
    """Draw a view (height, width, 3) uint8 RGB. visibility (V,): ambient, of its part; computed if None."""
    surface = load_surface()
    visibility = _ambient_visibility(view.part) if visibility is None else visibility
    face, weights = _rasterize_view(view, part_faces(view.part), closed=False)
    others = np.setdiff1d(np.arange(len(surface.faces)), part_faces(view.part))
    around, around_weights = _rasterize_view(view, others, closed=True)
    canvas = np.broadcast_to(PAPER, (*face.shape, 3)).copy()
    part = (face >= 0) & _front_facing(view)[face]  # where it is cut open, the neighbouring parts close it
    faint = (around >= 0) & ~part
    light = _shade(view, around, around_weights, faint, None)
    canvas[faint] = PAPER + (FAINT * light[faint, None] - PAPER) * 0.55
    light = _shade(view, face, weights, part, visibility)
    canvas[part] = SKIN * light[part, None]
    _draw_lines(canvas, face, weights, part)
    outline = outline_coverage(part, width_px=1.2 * FINE)
    _blend(canvas, INK, 0.85 * outline)
    small = cv2.resize(canvas, (view.width, view.height), interpolation=cv2.INTER_AREA)
    return np.clip(small + 0.5, 0, 255).astype(np.uint8)


def _rasterize_view(view: View, faces: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the face (H, W) int64 at each pixel, -1 where none of `faces` is, and barycentric weights (H, W, 3)."""
    surface = load_surface()
    xy, depth = view.project(surface.vertices)
    screen = torch.from_numpy(np.c_[xy * FINE, depth + FAR_M].astype(np.float32))
    triangles = torch.from_numpy(np.ascontiguousarray(surface.faces[faces], np.int32))
    size_hw = view.height * FINE, view.width * FINE
    triangle, weights, _ = rasterize(screen, triangles, size_hw, num_closed=len(triangles) if closed else 0)
    triangle = triangle.numpy()
    return np.where(triangle >= 0, faces[triangle], -1), weights.numpy()


def _front_facing(view: View) -> np.ndarray:
    """(F,) bool: the face is turned towards the viewer."""
    surface = load_surface()
    corner = surface.vertices[surface.faces]
    return np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]) @ view.towards > 0


@cache
def _normals() -> np.ndarray:
    """(V, 3) float32, smooth, of the body at rest."""
    surface = load_surface()
    vertices, faces = torch.from_numpy(surface.vertices.copy()), torch.from_numpy(surface.faces.copy())
    return vertex_normals(vertices, faces).numpy()


def _shade(
    view: View, face: np.ndarray, weights: np.ndarray, where: np.ndarray, visibility: np.ndarray | None
) -> np.ndarray:
    """(H, W) float32 brightness: a key light from the upper left, a weak fill light, less ambient light in creases."""
    surface = load_surface()
    light = np.ones(face.shape, np.float32)
    corner = surface.faces[face[where]]
    normal = np.einsum("pk,pkc->pc", weights[where], (_normals() @ view.axes.T.astype(np.float32))[corner])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    key, fill = (np.maximum(normal @ (to / np.linalg.norm(to)), 0) for to in (KEY_LIGHT, FILL_LIGHT))
    bright = 0.40 + 0.60 * key + 0.18 * fill
    if visibility is not None:
        bright *= 0.45 + 0.55 * np.einsum("pk,pk->p", weights[where], visibility[corner])
    light[where] = bright
    return light


def _ambient_visibility(part: int) -> np.ndarray:
    """(V,) float32 in [0, 1]: the share of ambient light that reaches each vertex of a part without the others."""
    surface, faces = load_surface(), part_faces(part)
    index = np.unique(surface.faces[faces])
    points = surface.vertices[index] - surface.vertices[index].mean(0)
    triangles = torch.from_numpy(np.searchsorted(index, surface.faces[faces]).astype(np.int32))
    normal, side = _normals()[index], 500
    scale = (side / 2 - 2) / np.linalg.norm(points, axis=1).max()
    lit, total = np.zeros((2, len(index)), np.float32)
    k = np.arange(OCCLUSION_DIRECTIONS) + 0.5
    z, turn = 1 - 2 * k / OCCLUSION_DIRECTIONS, np.pi * (1 + 5**0.5) * k
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
    visibility = np.ones(len(surface.vertices), np.float32)
    visibility[index] = lit / np.maximum(total, 1e-6)
    return visibility


def _draw_lines(canvas: np.ndarray, face: np.ndarray, weights: np.ndarray, part: np.ndarray) -> None:
    """Draw the charts' borders and contour lines of U (white) and V (dark) at every 0.1 into canvas (H, W, 3) float."""
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
