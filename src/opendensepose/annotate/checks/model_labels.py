"""A model's labels of one person: part masks to start from, and its surface point at each asked pixel.

Letters: P asked points; h x w the size of the labelled crop.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.iuv import IUV, crop_iuv
from opendensepose.part_grid import sample_on_grid
from opendensepose.surface import CHART_TO_PART, SurfacePoints, load_charts

__all__ = ["LabelCache", "ModelAnswers", "PersonLabels", "label_person"]

MARGIN = 0.9  # of the box's longer side: the model sees 0.14 of the box around it, and more where the box is narrow
SIDE_PX = 512  # of the box's longer side in the labelled crop: the networks see fewer pixels, part masks have 256
REACH = 0.012  # of the box's longer side: so far from a pixel a label of its part is taken for the pixel's


class ModelAnswers(NamedTuple):
    """What a model says of P pixels: where it names a point of the asked part, which, and how surely.

    is_known: (P,) bool. points: surface points, of those that are known only. confidence: of these, float in [0, 1].
    """

    is_known: np.ndarray
    points: SurfacePoints
    confidence: np.ndarray


@dataclass(frozen=True)
class PersonLabels:
    """A person's labels in a crop of the photo.

    iuv: (h, w). confidence: (h, w), the probability that the chart is right. origin_xy: (2,) pixels of the photo, the
    crop's corner. scale_xy: (2,) pixels of the crop per pixel of the photo.
    """

    iuv: IUV
    confidence: np.ndarray
    origin_xy: np.ndarray
    scale_xy: np.ndarray

    def parts(self, box_xyxy: np.ndarray) -> np.ndarray:
        """Return the parts (256, 256) uint8 over a box of the photo; 0 background."""
        corners = np.asarray(box_xyxy, np.float64).reshape(2, 2)
        return CHART_TO_PART[sample_on_grid(self.iuv.i, ((corners - self.origin_xy) * self.scale_xy).ravel())]

    def answers(self, part: np.ndarray, xy: np.ndarray, box_xyxy: np.ndarray) -> ModelAnswers:
        """Return the labels of pixels xy (P, 2) of the photo that show the parts (P,), 1..14.

        Where the model sees another part at a pixel, the nearest label of the asked part counts, if it is near enough.
        """
        side = np.max(np.asarray(box_xyxy, np.float64)[2:] - np.asarray(box_xyxy)[:2])
        place = (np.asarray(xy, np.float64).reshape(-1, 2) - self.origin_xy) * self.scale_xy
        found = np.full((len(place), 2), -1)
        part_of_label = CHART_TO_PART[self.iuv.i]
        for number in np.unique(part):
            rows, columns = np.nonzero(part_of_label == number)
            own = np.flatnonzero(np.asarray(part) == number)
            if len(rows):
                found[own] = _nearest(rows, columns, place[own], REACH * side * self.scale_xy.max())
        known = found[:, 0] >= 0
        row, column = found[known].T
        i, u, v = (values[row, column] for values in (self.iuv.i, self.iuv.u, self.iuv.v))
        return ModelAnswers(known, load_charts().to_points(i, u, v), self.confidence[row, column].astype(np.float64))


def label_person(predictor: Callable, image_rgb: np.ndarray, box_xyxy: np.ndarray) -> PersonLabels | None:
    """Label the person in a box (4,) of a photo (H, W, 3) uint8; None if the model sees nobody there.

    predictor: image_rgb, boxes -> instances. It gets a crop, shrunk to what its networks can use: in a photo of 24
    megapixels most of the time would go into pixels that nobody asks for.
    """
    box = np.asarray(box_xyxy, np.float64)
    size_wh = np.array(image_rgb.shape[1::-1])
    margin = MARGIN * (box[2:] - box[:2]).max()
    x0, y0 = np.clip(np.floor(box[:2] - margin), 0, size_wh - 1).astype(int)
    x1, y1 = np.clip(np.ceil(box[2:] + margin), [x0 + 1, y0 + 1], size_wh).astype(int)
    crop = image_rgb[y0:y1, x0:x1]
    shrink = min(1.0, SIDE_PX / (box[2:] - box[:2]).max())
    if shrink < 1:
        width, height = (max(1, round(side * shrink)) for side in (x1 - x0, y1 - y0))
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    origin = np.array([x0, y0], np.float64)
    scale = np.array([crop.shape[1] / (x1 - x0), crop.shape[0] / (y1 - y0)])
    inside = ((box.reshape(2, 2) - origin) * scale).ravel().astype(np.float32)
    people = predictor(np.ascontiguousarray(crop), boxes=inside[None])
    if not people:
        return None
    height, width = crop.shape[:2]
    left, top = np.clip(np.floor(inside[:2]), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(inside[2:]), [left + 1, top + 1], [width, height]).astype(int)
    iuv = crop_iuv(people[0].iuv, (left, top, right, bottom))  # a copy: the rest is not kept in memory
    return PersonLabels(
        iuv, people[0].confidence[top:bottom, left:right].copy(), origin + np.array([left, top]) / scale, scale
    )


class LabelCache:
    """The labels of the last people that were asked for, at most `most`; each person is labelled once at a time."""

    def __init__(self, most: int = 16):
        self._most, self._lock = most, threading.Lock()
        self._labels: dict[tuple, PersonLabels | None] = {}

    def get(self, key: tuple, make: Callable[[], PersonLabels | None]) -> PersonLabels | None:
        """Return the labels of a person, made if they are not there."""
        with self._lock:
            if key not in self._labels:
                self._labels[key] = make()
                while len(self._labels) > self._most:
                    del self._labels[next(iter(self._labels))]
            return self._labels[key]


def _nearest(rows: np.ndarray, columns: np.ndarray, place: np.ndarray, reach: float) -> np.ndarray:
    """Return row and column (P, 2) of the label nearest to each place (P, 2) x, y; -1 if it is farther than reach."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(np.stack([columns, rows], axis=1) + 0.5).query(place)
    nearest = np.stack([rows[index], columns[index]], axis=1)
    return np.where((distance <= max(reach, 1.0))[:, None], nearest, -1)
