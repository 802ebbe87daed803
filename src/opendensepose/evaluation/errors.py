"""Geodesic error of every annotated point (DensePose, Güler et al. 2018, section 4: d = g(i_p, î_p)).

Letters: P annotated points of a person, D detections of an image, (h, w) a detection's window.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from opendensepose.iuv import IUV, crop_iuv
from opendensepose.surface import Charts, SurfacePoints

__all__ = [
    "ChartDistances",
    "DetectedPerson",
    "LabelDistances",
    "Labels",
    "box_xywh",
    "detected_person",
    "labels_at",
    "point_errors",
]


class Labels(NamedTuple):
    """I, U, V of points, arrays of one shape."""

    i: np.ndarray  # (P,) uint8: 0 no label, 1..24 charts
    u: np.ndarray  # (P,) float in [0, 1]
    v: np.ndarray  # (P,) float in [0, 1]


@dataclass(frozen=True)
class DetectedPerson:
    """A predicted person as the measures see it: the labels of a window of the image.

    box_xyxy (4,) float64 pixels; score: any number, larger is more confident; iuv: the labels (h, w) of a window;
    origin_xy (2,) float64: its upper left corner, not always a whole pixel, as results files place it at the box's.
    ValueError if the box is not four finite numbers with x0 <= x1 and y0 <= y1 or the score is not finite.
    """

    box_xyxy: np.ndarray
    score: float
    iuv: IUV
    origin_xy: np.ndarray

    def __post_init__(self) -> None:
        box = np.asarray(self.box_xyxy, np.float64)
        if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] < box[:2]).any():
            raise ValueError(f"a box must be x0, y0, x1, y1 with x0 <= x1 and y0 <= y1, got {box.tolist()}.")
        if not np.isfinite(self.score):
            raise ValueError(f"a detection's score must be a finite number, got {self.score}.")
        object.__setattr__(self, "box_xyxy", box)
        object.__setattr__(self, "origin_xy", np.asarray(self.origin_xy, np.float64))

    @property
    def area_px(self) -> float:
        """Of the box, as COCO counts detections' areas."""
        _, _, width, height = box_xywh(self.box_xyxy)
        return width * height


def box_xywh(box_xyxy: np.ndarray) -> list[float]:
    """Convert a box to COCO's x, y, width, height, to three decimals, the precision of float32 in photos."""
    x0, y0, x1, y1 = (round(float(edge), 3) for edge in box_xyxy)
    return [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)]


def detected_person(box_xyxy: np.ndarray, score: float, iuv: IUV) -> DetectedPerson:
    """Crop a person's own map of the whole image to its labels, with a margin of one pixel of background."""
    rows, columns = np.flatnonzero(iuv.i.any(1)), np.flatnonzero(iuv.i.any(0))
    window = (columns[0] - 1, rows[0] - 1, columns[-1] + 2, rows[-1] + 2) if len(rows) else (0, 0, 0, 0)
    return DetectedPerson(box_xyxy, score, crop_iuv(iuv, window), np.array(window[:2]))


def labels_at(detection: DetectedPerson, point_xy: np.ndarray) -> Labels:
    """Read a detection's labels at image points (P, 2) float64: i (P,) uint8, 0 outside the window; u, v float32.

    The pixel is int(x - origin_x), int(y - origin_y), rounded towards 0 as the released evaluators round it.
    """
    height, width = detection.iuv.size_hw
    column, row = (np.asarray(point_xy, np.float64) - detection.origin_xy).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    out = []
    for values in (detection.iuv.i, detection.iuv.u, detection.iuv.v):
        read = np.zeros(len(column), values.dtype)
        read[inside] = values[row[inside], column[inside]]
        out.append(read)
    return Labels(*out)


class PointDistances(Protocol):
    """Distances between surface points, as `GeodesicDistances` gives."""

    def between(self, a: SurfacePoints, b: SurfacePoints) -> np.ndarray:
        """(P,) metres."""


class LabelDistances(Protocol):
    """Distances on a surface between points given as labels."""

    @property
    def surface(self) -> str:
        """Its name, as tables print it."""

    def between_labels(self, a: Labels, b: Labels) -> np.ndarray:
        """(P,) float metres between labels i in 1..24, u, v in [0, 1] and others."""


@dataclass(frozen=True)
class ChartDistances:
    """Distances on our own surface: labels become surface points."""

    charts: Charts
    geodesics: PointDistances
    surface: str = "opendensepose's body (Anny, neutral adult)"

    def between_labels(self, a: Labels, b: Labels) -> np.ndarray:
        return self.geodesics.between(self.charts.to_points(*a), self.charts.to_points(*b))


def point_errors(true: Labels, predicted: Labels, distances: LabelDistances) -> np.ndarray:
    """Compute geodesic errors: (P,) float64 metres, infinite where nothing is predicted (i = 0).

    true: labels of the annotated points, i in 1..24; predicted: i in 0..24. ValueError if shapes differ.
    """
    true, predicted = Labels(*true), Labels(*predicted)
    if not all(np.shape(value) == np.shape(true.i) for value in (*true, *predicted)):
        raise ValueError(
            f"true and predicted i, u and v must have one shape (P,), "
            f"got {[np.shape(value) for value in (*true, *predicted)]}."
        )
    error_m = np.full(len(true.i), np.inf)
    found = np.asarray(predicted.i) > 0
    if found.any():
        pair = [Labels(*(np.asarray(value)[found] for value in labels)) for labels in (true, predicted)]
        error_m[found] = distances.between_labels(*pair)
    return error_m
