"""The usual picture of DensePose, the photo, U and V side by side; all pictures of a photo; one for notebooks."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from opendensepose.instance import DenseAnnotation, Instance
from opendensepose.visualize.figure import Caption, compose_figure
from opendensepose.visualize.iuv import check_photo, draw_charts, draw_contours, draw_overlay
from opendensepose.visualize.points import draw_points
from opendensepose.visualize.values import confidence_ramp, draw_confidence, draw_u, draw_v, uv_ramp

__all__ = ["draw_labels", "draw_triple", "fit_panel", "show"]

LEAST_PANEL_PX, MOST_PANEL_PX = 640, 1400  # long side of a panel: smaller photos are enlarged, larger ones reduced


def draw_triple(image_rgb: np.ndarray, people: Sequence[Instance | DenseAnnotation], *, title: str = "") -> np.ndarray:
    """Draw a photo (H, W, 3) uint8, U and V as one picture (h, w, 3) uint8 with colour bars.

    people: all predicted, every pixel in the colour of its U or V, or all annotated, every point. ValueError if they
    are mixed.
    """
    check_photo(image_rgb)
    annotated = [isinstance(person, DenseAnnotation) for person in people]
    if any(annotated) and not all(annotated):
        raise ValueError("people must be all predicted (Instance) or all annotated (DenseAnnotation), got both")
    if any(annotated):
        u, v = (draw_points(image_rgb, people, value=value) for value in ("u", "v"))
    else:
        predicted = [person for person in people if not isinstance(person, DenseAnnotation)]
        u, v = draw_u(image_rgb, predicted), draw_v(image_rgb, predicted)
    panels = [fit_panel(panel) for panel in (image_rgb, u, v)]
    ramp = uv_ramp().astype(np.float32)
    captions = [Caption("photo"), Caption("U", ramp=ramp), Caption("V", ramp=ramp)]
    return compose_figure(panels, captions, title=title, columns=3)


def draw_labels(image_rgb: np.ndarray, people: Sequence[Instance], title: str = "") -> dict[str, np.ndarray]:
    """Draw all pictures of a prediction, each (h, w, 3) uint8: triple, charts, contours, points, confidence.

    title: over the triple and the confidence, which have colour bars; the others are of the photo's size.
    """
    confidence = fit_panel(draw_confidence(image_rgb, people))
    caption = Caption("confidence", ramp=confidence_ramp().astype(np.float32))
    return {
        "triple": draw_triple(image_rgb, people, title=title),
        "charts": draw_charts(image_rgb, people),
        "contours": draw_contours(image_rgb, people),
        "points": draw_points(image_rgb, people),
        "confidence": compose_figure([confidence], [caption], title=title, columns=1),
    }


def fit_panel(picture: np.ndarray) -> np.ndarray:
    """Enlarge or reduce a picture (H, W, 3) uint8 to a panel of a figure; most photos stay as they are."""
    long_side = max(picture.shape[:2])
    zoom = min(max(1.0, LEAST_PANEL_PX / long_side), MOST_PANEL_PX / long_side)
    if zoom == 1:
        return picture
    size_wh = tuple(max(1, round(zoom * side)) for side in picture.shape[1::-1])
    return cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)


def show(
    image_rgb: np.ndarray,
    people: Sequence[Instance],
    draw: Callable[[np.ndarray, Sequence[Instance]], np.ndarray] = draw_overlay,
) -> Image.Image:
    """Return a picture of the people, which a notebook shows as it is.

    image_rgb: (H, W, 3) uint8. draw: any draw_... function of `opendensepose.visualize`.
    """
    return Image.fromarray(draw(image_rgb, people))
