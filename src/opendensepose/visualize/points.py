"""Points as dots over the photo: an annotation's own, or a sample of a prediction's pixels."""

from collections.abc import Sequence

import numpy as np

from opendensepose.instance import DenseAnnotation, Instance
from opendensepose.surface import CHART_COLOURS
from opendensepose.visualize.iuv import check_people, check_photo
from opendensepose.visualize.values import fade_photo, uv_ramp

__all__ = ["NO_VALUE", "dot_radius", "draw_points", "paint_dots", "sample_points"]

POINTS_PER_PERSON = 150  # of a prediction: as many as an annotator is asked at most
NO_VALUE = np.array([200, 200, 205], np.float32)  # points that have a mesh vertex but no I, U and V

_INK = np.array([22, 26, 48], np.float32)
_WHITE = np.array([255, 255, 255], np.float32)


def draw_points(image_rgb: np.ndarray, people: Sequence[Instance | DenseAnnotation], *, value: str = "i") -> np.ndarray:
    """Draw the points of annotations, and some of predictions, on the photo (H, W, 3) uint8, which fades.

    value: what their colours are of: "i", the chart, in `CHART_COLOURS`; "u" or "v", see `uv_ramp`. ValueError for
    another one.
    """
    if value not in ("i", "u", "v"):
        raise ValueError(f"value must be 'i', 'u' or 'v', got {value!r}")
    check_photo(image_rgb)
    check_people(image_rgb, [person for person in people if not isinstance(person, DenseAnnotation)])
    canvas = fade_photo(image_rgb.astype(np.float32))
    for person in people:
        if isinstance(person, DenseAnnotation):
            xy, i, numbers = person.point_xy, person.i, getattr(person, value)
        else:
            xy = sample_points(person)
            x, y = xy.astype(int).T
            i, numbers = person.iuv.i[y, x], getattr(person.iuv, value)[y, x]
        colours = CHART_COLOURS[i] if value == "i" else uv_ramp()[np.rint(255 * numbers).astype(int)]
        radius = dot_radius(person.box_xyxy, len(xy), 1.0)
        paint_dots(canvas, xy, np.where((i > 0)[:, None], colours, NO_VALUE), radius)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def sample_points(person: Instance, most: int = POINTS_PER_PERSON) -> np.ndarray:
    """Choose at most `most` labelled pixels on a grid of even steps: their centres (P, 2) float64, x and y."""
    labelled = person.iuv.i > 0
    step = max(1, int(np.ceil(np.sqrt(labelled.sum() / most))))
    while True:
        y, x = np.nonzero(labelled[step // 2 :: step, step // 2 :: step])
        if len(x) <= most:
            return np.stack([x, y], axis=1) * step + step // 2 + 0.5
        step += 1


def dot_radius(box_xyxy: np.ndarray, num_points: int, zoom: float) -> float:
    """Compute a quarter of the distance in pixels between neighbouring points, were they spread evenly over 40 % of a
    box that is enlarged by zoom."""
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    area_px = 0.4 * (x1 - x0) * (y1 - y0) * zoom**2
    return float(np.clip(0.27 * np.sqrt(area_px / max(num_points, 1)), 1.9, 12))


def paint_dots(panel: np.ndarray, centres: np.ndarray, colours: np.ndarray, radius: float) -> None:
    """Paint dots at centres (P, 2) of a panel (H, W, 3) float32 in colours (P, 3), with a dark and a white ring, in
    place."""
    ring = np.clip(0.24 * radius, 0, 2.2) if radius > 3 else 0.0  # on small dots a white ring would hide the colour
    for centre in centres:
        _dot(panel, centre, radius + ring + np.clip(0.25 * radius, 0.6, 1.6), _INK, 0.6)
    for centre, colour in zip(centres, colours, strict=True):
        if ring:
            _dot(panel, centre, radius + ring, _WHITE, 0.95)
        _dot(panel, centre, radius, colour, 1.0)


def _dot(panel: np.ndarray, centre: np.ndarray, radius: float, colour: np.ndarray, alpha: float) -> None:
    """A filled circle with smooth edges at a centre (x, y) of the panel, in place; outside parts are cut off."""
    x, y = (float(value) for value in centre)
    reach = radius + 1
    x0, x1 = max(0, int(x - reach)), min(panel.shape[1], int(x + reach) + 1)
    y0, y1 = max(0, int(y - reach)), min(panel.shape[0], int(y + reach) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    distance = np.hypot(np.arange(x0, x1) + 0.5 - x, (np.arange(y0, y1) + 0.5 - y)[:, None])
    coverage = alpha * np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)[..., None]
    panel[y0:y1, x0:x1] += coverage * (colour - panel[y0:y1, x0:x1])
