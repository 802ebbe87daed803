"""Geodesic point similarity of a detection and an annotated person, and masked GPS.

GPS = 1/P * sum_p exp(-d_p^2 / (2 k^2)) (DensePose, Güler et al. 2018, section 4), with one of two normalisers k:
"kappa": 0.255 m everywhere, the paper's, of which its tables are made: a single point 30 cm off scores 0.5;
"part": the mean geodesic distance inside the point's body part, that of the released evaluators and model-zoo numbers.
GPSm = sqrt(GPS * IoU), with the IoU of the predicted and the annotated foreground (released evaluators).

Letters: P points, (h, w) a window of an image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import zoom

from opendensepose.evaluation.errors import DetectedPerson, box_xywh
from opendensepose.instance import DenseAnnotation

__all__ = [
    "KAPPA_M",
    "NORMALISERS",
    "PART_NORMALISER_M",
    "Window",
    "annotated_foreground",
    "gps",
    "gpsm",
    "mask_iou",
    "normaliser_m",
    "predicted_foreground",
]

KAPPA_M = 0.255
# Torso, hands, feet, upper legs, lower legs, upper arms, lower arms, head: metres, those of the released evaluators.
_GROUP_M = (0.351, 0.107, 0.126, 0.237, 0.173, 0.142, 0.128, 0.150)
_GROUP_CHARTS = (2, 2, 2, 4, 4, 4, 4, 2)  # how many charts each group has, in order
PART_NORMALISER_M = np.array([np.nan, *np.repeat(_GROUP_M, _GROUP_CHARTS)])  # (25,) by chart, 0 = background
PART_NORMALISER_M.flags.writeable = False
NORMALISERS = {"kappa": "kappa = 0.255 m (the paper's)", "part": "per-part mean distance (released evaluators)"}


class Window(NamedTuple):
    """A part of an image's mask."""

    mask: np.ndarray  # (h, w) bool
    corner_xy: tuple[int, int]  # the image's column and row at which it begins


def normaliser_m(name: str, chart: np.ndarray) -> np.ndarray:
    """Return the normaliser of points in charts (P,) 1..24: (P,) metres. ValueError if the name is unknown."""
    if name not in NORMALISERS:
        raise ValueError(f"the normaliser must be one of {', '.join(NORMALISERS)}, got {name!r}.")
    return np.full(np.shape(chart), KAPPA_M) if name == "kappa" else PART_NORMALISER_M[chart]


def gps(error_m: np.ndarray, scale_m: np.ndarray) -> np.ndarray:
    """Average over the last axis exp(-d^2 / (2 k^2)) of errors (..., P), infinite if missing; 0 if P is 0."""
    error_m = np.asarray(error_m, np.float64)
    if error_m.shape[-1] == 0:
        return np.zeros(error_m.shape[:-1])
    return np.exp(-(error_m**2) / (2 * np.asarray(scale_m) ** 2)).mean(-1)


def gpsm(gps_value: np.ndarray, iou: np.ndarray) -> np.ndarray:
    """Compute sqrt(GPS * IoU)."""
    return np.sqrt(np.asarray(gps_value) * np.asarray(iou))


def annotated_foreground(annotation: DenseAnnotation, size_hw: tuple[int, int]) -> Window | None:
    """Merge the person's part masks into one mask in the image's pixels; None if there are none.

    The 256 x 256 grid is stretched linearly over the box, corners on corners, cut at one half, and put at the whole
    pixel of the box's corner, as the released evaluators do.
    """
    if annotation.mask is None:
        return None
    x, y, width, height = box_xywh(annotation.box_xyxy)
    grid_h, grid_w = annotation.mask.shape
    scale = max(height, 1.0) / grid_h, max(width, 1.0) / grid_w
    mask = zoom((annotation.mask > 0).astype(np.float64), scale, order=1, prefilter=False) > 0.5
    return _cut(mask, (x, y, width, height), size_hw)


def predicted_foreground(detection: DetectedPerson, size_hw: tuple[int, int]) -> Window:
    """Mark the detection's labelled pixels, within the image."""
    height, width = detection.iuv.size_hw
    x, y = (int(value) for value in np.floor(detection.origin_xy))
    return _cut(detection.iuv.i > 0, (x, y, width, height), size_hw)


def _cut(mask: np.ndarray, box_xywh: Sequence[float], size_hw: tuple[int, int]) -> Window:
    """Cut the mask to the box and the image, with its upper left corner at the box's whole pixel."""
    x, y, width, height = box_xywh
    left, top = int(x), int(y)
    right, bottom = min(int(x + width), size_hw[1]), min(int(y + height), size_hw[0])
    skip_x, skip_y = max(-left, 0), max(-top, 0)
    mask = mask[skip_y : max(bottom - top, skip_y), skip_x : max(right - left, skip_x)]
    return Window(mask, (left + skip_x, top + skip_y))


def mask_iou(predicted: Window, annotated: Window, *, crowd: bool = False) -> float:
    """Compute the IoU of two masks; for a crowd, the intersection over the predicted pixels. 0 without pixels."""
    (p, (px, py)), (a, (ax, ay)) = predicted, annotated
    left, top = max(px, ax), max(py, ay)
    right, bottom = min(px + p.shape[1], ax + a.shape[1]), min(py + p.shape[0], ay + a.shape[0])
    shared = 0
    if left < right and top < bottom:
        both = p[top - py : bottom - py, left - px : right - px] & a[top - ay : bottom - ay, left - ax : right - ax]
        shared = int(np.count_nonzero(both))
    either = int(np.count_nonzero(p)) + (0 if crowd else int(np.count_nonzero(a)) - shared)
    return shared / either if either else 0.0
