"""Pictures of errors: the body coloured by the error of its charts, and a person's points coloured by theirs.

Colours run from pale (no error) over orange and red to black-violet (`limit_m` and more); grey is "no data".
"""

from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from opendensepose.surface import CHART_COLOURS, load_charts, load_surface
from opendensepose.visualize.surface import FINE, SIDES, light_body, view_body

__all__ = ["draw_body_errors", "draw_person_errors", "error_colours"]

_STOPS = np.array([(255, 244, 204), (254, 205, 110), (249, 142, 59), (222, 67, 56), (142, 23, 84), (45, 10, 60)])
_NO_DATA = np.array([196, 200, 210])
_INK = (22, 26, 48)
_MISSING = (30, 105, 200)  # rings: a colour that no error has
_SMALLEST_NUMBER_PX = 11  # a chart whose largest inner radius is smaller gets no number


def error_colours(error_m: np.ndarray, limit_m: float = 0.30) -> np.ndarray:
    """Colour errors in metres: (..., 3) uint8, pale at 0, darkest from limit_m on and if infinite, grey if NaN."""
    error_m = np.asarray(error_m, np.float64)
    place = np.clip(np.nan_to_num(error_m, nan=0, posinf=limit_m), 0, limit_m) / limit_m * (len(_STOPS) - 1)
    colours = np.stack([np.interp(place, np.arange(len(_STOPS)), channel) for channel in _STOPS.T], -1)
    return np.where(np.isnan(error_m)[..., None], _NO_DATA, colours).round().astype(np.uint8)


def draw_body_errors(error_m: np.ndarray, *, limit_m: float = 0.30) -> np.ndarray:
    """Draw the standing body from four sides, each chart coloured by its error and numbered in centimetres.

    error_m (25,) metres by chart, NaN where there is no data, entry 0 unused. Returns (H, W, 3) uint8. ValueError if
    the shape differs.
    """
    if np.shape(error_m) != (25,):
        raise ValueError(f"errors must be (25,), one for each chart and the background, got {np.shape(error_m)}.")
    colours = error_colours(error_m, limit_m).astype(np.float32)
    row = []
    for chart, shade in _shaded_views():
        canvas = colours[chart] * shade[..., None]
        canvas[chart == 0] = 255
        small = cv2.resize(canvas, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA)
        picture = np.clip(small + 0.5, 0, 255).astype(np.uint8)
        row.append(_number(picture, chart[FINE // 2 :: FINE, FINE // 2 :: FINE], error_m, limit_m))
    return np.concatenate(row, axis=1)


@cache
def _shaded_views() -> list[tuple[np.ndarray, np.ndarray]]:
    """Of the body's four sides, `FINE` times larger: chart (H, W) uint8, and light and borders (H, W) float32."""
    surface, charts = load_surface(), load_charts()
    views = []
    for side in SIDES.values():
        face, weights = view_body(surface, *side)
        chart = np.where(face >= 0, charts.face_chart[face], 0).astype(np.uint8)
        shade = 0.25 + 0.75 * light_body(surface, face, weights)
        views.append((chart, np.where(_borders(chart), 0.3 * shade, shade).astype(np.float32)))
    return views


def _borders(chart: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of the body beside another chart or the background."""
    kernel = np.ones((3, 3), np.uint8)
    return (chart > 0) & (cv2.dilate(chart, kernel) != cv2.erode(chart, kernel))


def _number(picture: np.ndarray, chart: np.ndarray, error_m: np.ndarray, limit_m: float) -> np.ndarray:
    """Write each chart's error in centimetres at its point farthest from its border."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for k in np.unique(chart[chart > 0]):
        if np.isnan(error_m[k]):
            continue
        depth = cv2.distanceTransform(np.pad(chart == k, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth[y, x] < _SMALLEST_NUMBER_PX:
            continue
        text = f"{100 * min(error_m[k], limit_m):.1f}"
        fill = (255, 255, 255) if error_m[k] > 0.5 * limit_m else _INK
        draw.text((x, y), text, font=ImageFont.load_default(size=15), fill=fill, anchor="mm")
    return np.asarray(image)


def draw_person_errors(
    image_rgb: np.ndarray,
    box_xyxy: np.ndarray,
    point_xy: np.ndarray,
    error_m: np.ndarray,
    i: np.ndarray,
    *,
    limit_m: float = 0.30,
    height: int = 360,
) -> np.ndarray:
    """Draw two panels of a person: the predicted charts over the photo, and the points coloured by their error.

    image_rgb (H, W, 3) uint8; box_xyxy (4,) pixels; point_xy (P, 2) pixels; error_m (P,) metres, infinite where
    nothing was predicted (a blue ring); i (H, W) uint8 the predicted charts. Returns (height, w, 3) uint8.
    """
    if i.shape != image_rgb.shape[:2]:
        raise ValueError(f"the chart map must have the photo's shape {image_rgb.shape[:2]}, got {i.shape}.")
    x0, y0, x1, y1 = np.asarray(box_xyxy, np.float64)
    margin = 0.08 * max(x1 - x0, y1 - y0) + 2
    left, top = (int(max(0, edge - margin)) for edge in (x0, y0))
    right, bottom = (int(np.ceil(edge + margin)) for edge in (x1, y1))
    photo, chart = image_rgb[top:bottom, left:right], i[top:bottom, left:right]
    scale = height / max(1, photo.shape[0])
    size = max(1, round(photo.shape[1] * scale)), height
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    chart = cv2.resize(chart, size, interpolation=cv2.INTER_NEAREST)
    painted = np.where((chart > 0)[..., None], 0.35 * photo + 0.65 * CHART_COLOURS[chart], photo)
    dots = _draw_points(photo, (np.asarray(point_xy) - [left, top]) * scale, error_m, limit_m)
    gap = np.full((height, 6, 3), 255, np.uint8)
    return np.concatenate([painted.round().astype(np.uint8), gap, dots], axis=1)


def _draw_points(photo: np.ndarray, xy: np.ndarray, error_m: np.ndarray, limit_m: float) -> np.ndarray:
    """Dots on the faded photo, the worst on top; drawn four times larger and averaged down for smooth edges."""
    fine = 4
    faded = (0.45 * photo + 0.55 * 255).astype(np.uint8)
    image = Image.fromarray(faded).resize((photo.shape[1] * fine, photo.shape[0] * fine))
    draw = ImageDraw.Draw(image)
    radius = fine * max(3.0, photo.shape[0] / 100)
    colours = error_colours(error_m, limit_m)
    for k in np.argsort(error_m, kind="stable"):
        x, y = xy[k] * fine
        frame = (x - radius, y - radius, x + radius, y + radius)
        if np.isinf(error_m[k]):
            draw.ellipse(frame, outline=_MISSING, width=round(radius * 0.45))
        else:
            draw.ellipse(frame, fill=tuple(colours[k].tolist()), outline=_INK, width=round(radius * 0.2))
    return np.asarray(image.resize((photo.shape[1], photo.shape[0]), Image.Resampling.BOX))
