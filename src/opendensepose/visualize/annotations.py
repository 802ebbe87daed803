"""The usual picture of COCO-DensePose annotations: the photo, the points coloured by U and by V, the part masks.

A panel shows a window of the photo, enlarged or reduced; its pixel centres are at +0.5, like the photo's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from opendensepose.instance import DenseAnnotation
from opendensepose.part_grid import GRID
from opendensepose.surface import PART_COLOURS, PART_NAMES
from opendensepose.visualize.contours import outline_coverage
from opendensepose.visualize.figure import Caption, compose_figure
from opendensepose.visualize.iuv import check_photo
from opendensepose.visualize.points import NO_VALUE, dot_radius, paint_dots
from opendensepose.visualize.values import fade_photo, uv_ramp

__all__ = ["draw_annotations", "draw_person"]

PANEL_PX = 1000  # long side of a panel; smaller photos are enlarged to it
MOST_PANEL_PX = 1400  # larger photos are reduced to it
MOST_ZOOM = 12

_INK = np.array([22, 26, 48], np.float32)
_WHITE = np.array([255, 255, 255], np.float32)


@dataclass(frozen=True)
class _View:
    """A window of the photo, x0, y0, x1, y1 whole pixels, and by how much a panel enlarges it."""

    window: tuple[int, int, int, int]
    zoom: float

    @property
    def size_hw(self) -> tuple[int, int]:
        x0, y0, x1, y1 = self.window
        return max(1, round((y1 - y0) * self.zoom)), max(1, round((x1 - x0) * self.zoom))

    def to_panel(self, xy: np.ndarray) -> np.ndarray:
        return (np.asarray(xy, np.float64) - self.window[:2]) * self.zoom


def draw_annotations(image_rgb: np.ndarray, people: Sequence[DenseAnnotation], title: str = "") -> np.ndarray:
    """Draw all annotations of a photo (H, W, 3) uint8 as one picture (h, w, 3) uint8.

    Its panels: the photo with boxes and annotation ids, points coloured by U, points coloured by V, part masks.
    ValueError if the photo is not such an array.
    """
    check_photo(image_rgb)
    height, width = image_rgb.shape[:2]
    return _draw(image_rgb, people, _View((0, 0, width, height), _zoom(height, width)), title, with_boxes=True)


def draw_person(image_rgb: np.ndarray, person: DenseAnnotation, title: str = "") -> np.ndarray:
    """Draw one person, enlarged, in the same four panels: the box with a margin. ValueError if the box lies outside the
    photo."""
    check_photo(image_rgb)
    height, width = image_rgb.shape[:2]
    x0, y0, x1, y1 = (float(edge) for edge in person.box_xyxy)
    margin = 0.07 * max(x1 - x0, y1 - y0) + 2
    left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
    right, bottom = min(width, int(np.ceil(x1 + margin))), min(height, int(np.ceil(y1 + margin)))
    if left >= right or top >= bottom:
        raise ValueError(
            f"annotation {person.annotation_id}: its box {[x0, y0, x1, y1]} lies outside the photo of {width} x"
            f" {height}."
        )
    view = _View((left, top, right, bottom), _zoom(bottom - top, right - left))
    return _draw(image_rgb, [person], view, title, with_boxes=False)


def _zoom(height: int, width: int) -> float:
    long_side = max(height, width)
    return min(max(1.0, PANEL_PX / long_side), MOST_PANEL_PX / long_side, MOST_ZOOM)


def _draw(
    image_rgb: np.ndarray, people: Sequence[DenseAnnotation], view: _View, title: str, *, with_boxes: bool
) -> np.ndarray:
    photo = _enlarge(image_rgb, view)
    faded = fade_photo(photo)
    ramp = uv_ramp()
    u, v, parts = faded.copy(), faded.copy(), fade_photo(photo, 0.25)
    for person in people:
        _paint_parts(parts, photo, person, view)
        _paint_points(u, person, person.u, view, ramp)
        _paint_points(v, person, person.v, view, ramp)
    if with_boxes:
        for person in people:
            _paint_box(photo, person, view)
    labels = [(str(p.annotation_id), *view.to_panel(p.box_xyxy[:2])) for p in people] if with_boxes else []
    legend = [(name, tuple(int(c) for c in PART_COLOURS[k])) for k, name in enumerate(PART_NAMES) if k]
    return compose_figure(
        [_to_bytes(panel) for panel in (photo, u, v, parts)],
        [Caption("photo"), Caption("U", ramp=ramp), Caption("V", ramp=ramp), Caption("part masks")],
        title=title,
        legend=legend,
        labels=labels,
    )


def _enlarge(image_rgb: np.ndarray, view: _View) -> np.ndarray:
    """The view's window of the photo at the panel's size, (h, w, 3) float32."""
    x0, y0, x1, y1 = view.window
    height, width = view.size_hw
    filter_ = cv2.INTER_AREA if view.zoom < 1 else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image_rgb[y0:y1, x0:x1]), (width, height), interpolation=filter_).astype(
        np.float32
    )


def _paint_points(panel: np.ndarray, person: DenseAnnotation, value: np.ndarray, view: _View, ramp: np.ndarray) -> None:
    """Every point as a dot of the colour of its value, in place."""
    colours = np.where((person.i > 0)[:, None], ramp[np.rint(255 * value).astype(int)], NO_VALUE)
    radius = dot_radius(person.box_xyxy, len(person.i), view.zoom)
    paint_dots(panel, view.to_panel(person.point_xy), colours, radius)


def _paint_parts(panel: np.ndarray, photo: np.ndarray, person: DenseAnnotation, view: _View) -> None:
    """The part masks in their colours with white lines around them, in place; the photo's light shines through."""
    if person.mask is None or not person.mask.any():
        return
    height, width = view.size_hw
    (x0, y0), (x1, y1) = view.to_panel(person.box_xyxy[:2]), view.to_panel(person.box_xyxy[2:])
    sigma = max(0.8 * (x1 - x0) / GRID, 0.8 * (y1 - y0) / GRID, 0.5 * view.zoom)
    margin = int(3 * min(sigma, 20)) + 3  # room for the line around masks that touch the box
    left, top = max(0, int(x0) - margin), max(0, int(y0) - margin)
    right, bottom = min(width, int(x1) + margin), min(height, int(y1) + margin)
    if left >= right or top >= bottom:
        return
    grid_xyxy = (x0 - left, y0 - top, x1 - left, y1 - top)
    label = _parts_at(person.mask, grid_xyxy, (bottom - top, right - left), sigma)
    window = np.s_[top:bottom, left:right]
    inside = label > 0
    light = cv2.cvtColor(photo[window], cv2.COLOR_RGB2GRAY)[..., None] / 255
    colour = PART_COLOURS[label].astype(np.float32) * (0.82 + 0.28 * light)
    edge = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)[..., None]
    panel[window] += 0.8 * np.where(inside[..., None], edge, 0) * (colour - panel[window])
    lines = np.zeros(label.shape, np.float32)
    for number in np.unique(label[inside]):
        np.maximum(lines, outline_coverage(label == number, width_px=1.6), out=lines)
    panel[window] += 0.9 * lines[..., None] * (_WHITE - panel[window])


def _parts_at(mask: np.ndarray, grid_xyxy: tuple, size_hw: tuple[int, int], sigma: float) -> np.ndarray:
    """The part map (256, 256) uint8, laid over grid_xyxy of a window of this size, as (h, w) uint8: the part of the
    largest share after a Gaussian mean of sigma pixels, which rounds off the steps of grid and photo."""
    x0, y0, x1, y1 = grid_xyxy
    step_x, step_y = (x1 - x0) / GRID, (y1 - y0) / GRID
    # OpenCV's pixel centres are at whole numbers, ours half a pixel further.
    grid_to_window = np.array([[step_x, 0, x0 + step_x / 2 - 0.5], [0, step_y, y0 + step_y / 2 - 0.5]])
    label, best = np.zeros(size_hw, np.uint8), np.full(size_hw, -1, np.float32)
    for number in (0, *np.unique(mask[mask > 0])):
        share = cv2.warpAffine(
            (mask == number).astype(np.float32), grid_to_window, size_hw[::-1], borderValue=float(number == 0)
        )
        share = cv2.GaussianBlur(share, (0, 0), float(np.clip(sigma, 0.5, 20)))
        wins = share > best
        label[wins], best[wins] = number, share[wins]
    return label


def _paint_box(panel: np.ndarray, person: DenseAnnotation, view: _View) -> None:
    """The person's box as a thin white line between dark ones, in place."""
    (x0, y0), (x1, y1) = view.to_panel(person.box_xyxy[:2]), view.to_panel(person.box_xyxy[2:])
    height, width = panel.shape[:2]
    x0, y0, x1, y1 = max(x0, 2), max(y0, 2), min(x1, width - 2), min(y1, height - 2)
    for half_px, colour, alpha in ((2.4, _INK, 0.5), (1.1, _WHITE, 0.95)):
        x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
        off_x = np.maximum(x0 - x, x - x1)  # below 0 inside
        off_y = np.maximum(y0 - y, y - y1)
        distance = np.abs(np.maximum(off_x, off_y))
        coverage = alpha * np.clip(half_px + 0.5 - distance, 0, 1).astype(np.float32)[..., None]
        panel += coverage * (colour - panel)


def _to_bytes(panel: np.ndarray) -> np.ndarray:
    return np.clip(panel + 0.5, 0, 255).astype(np.uint8)
