"""Photo -> people with DensePoseLite, whichever library runs its networks: boxes are detected at several scales, each
person's crop is labelled and put back. NumPy and OpenCV only.

Letters: N images, crops or boxes, H x W photo size, h x w crop size.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np

from opendensepose.instance import Instance, place_in_photo, without_duplicates
from opendensepose.iuv import IUV
from opendensepose.models.densepose_lite.boxes import decode_boxes, merge_scales, sigmoid
from opendensepose.models.densepose_lite.crops import (
    MIN_PERSON_FRACTION,
    Box,
    crop_and_resize,
    crop_box,
    tight_box,
)
from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_pixels, person_logit
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput

__all__ = ["PreparedDensePoseLite", "Runtime", "remove_small_components"]

STRIDE = 32  # photos are padded to whole strides for detection
CROPS_PER_PASS = 16
MIN_COMPONENT_FRACTION = 0.01  # of the largest component of a person: smaller ones are dropped


class Runtime(Protocol):
    """The two networks of a DensePoseLite in some library, and its settings, see `DensePoseLite`.

    Images are (N, H, W, 3) uint8 RGB, sides in whole strides of 32 for `detect` and of 4 for `label`; outputs are
    float32 arrays.
    """

    crop_hw: tuple[int, int]
    refine_hw: tuple[int, int]
    detect_sides: tuple[int, ...]
    min_score: float

    def detect(self, images_rgb: np.ndarray) -> DetectionOutput:
        """Detect people in whole photos."""
        ...

    def label(self, crops_rgb: np.ndarray) -> DenseOutput:
        """Label crops that each frame one person."""
        ...


class PreparedDensePoseLite:
    """A DensePoseLite as a `PreparedNetwork`; mirrored, refine: see `DensePoseLite.prepare`."""

    def __init__(self, runtime: Runtime, mirrored: bool = True, refine: bool = True):
        self.runtime, self.min_score, self.mirrored, self.refine = runtime, runtime.min_score, mirrored, refine

    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find and label people, see `PreparedNetwork.find`."""
        # A score is sqrt(heat * quality of the labels), so no one is kept whose heat is below min_score^2. Where
        # min_score is low, so little heat is met all over a photo and hardly ever on a person: ask for min_score / 2.
        min_heat = max(min_score**2, min_score / 2)
        of_scales = [self._detect(images_rgb, side, min_heat) for side in self.runtime.detect_sides]
        found = [
            merge_scales(of_photo, image_rgb.shape[:2])
            for image_rgb, of_photo in zip(images_rgb, zip(*of_scales, strict=True), strict=True)
        ]
        boxes, heat = zip(*found, strict=True)
        people = self._label(images_rgb, boxes, heat, boxes_are_given=False)
        return [without_duplicates([person for person in part if person.score >= min_score]) for part in people]

    def label(self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray]) -> list[list[Instance]]:
        """Label given boxes, see `PreparedNetwork.label`. Boxes in which nobody is seen are left out."""
        heat = [np.ones(len(boxes), np.float32) for boxes in boxes_xyxy]
        people = self._label(images_rgb, boxes_xyxy, heat, boxes_are_given=True)
        return [sorted(part, key=lambda person: -person.score) for part in people]

    def _detect(self, images_rgb: Sequence[np.ndarray], side: int, min_heat: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Detect people in photos scaled to a longer side of `side`: for each photo boxes (N, 4) in its pixels and
        their heat (N,)."""
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        scales = [side / max(image_rgb.shape[:2]) for image_rgb in images_rgb]
        sizes_hw = [
            tuple(STRIDE * math.ceil(length * scale / STRIDE - 1e-6) for length in image_rgb.shape[:2])
            for image_rgb, scale in zip(images_rgb, scales, strict=True)
        ]
        for hw in dict.fromkeys(sizes_hw):
            equal = [k for k, size_hw in enumerate(sizes_hw) if size_hw == hw]
            whole = [(0, 0, round(hw[1] / scales[k]), round(hw[0] / scales[k])) for k in equal]
            images = [crop_and_resize(images_rgb[k], box, hw) for k, box in zip(equal, whole, strict=True)]
            output = self.runtime.detect(np.stack(images))
            for k, heat_logit, boxes in zip(equal, *output, strict=True):
                boxes, heat = decode_boxes(heat_logit, boxes, min_heat)
                found[k] = boxes / scales[k], heat
        return [found[k] for k in range(len(images_rgb))]

    def _label(
        self,
        images_rgb: Sequence[np.ndarray],
        boxes_xyxy: Sequence[np.ndarray],
        heat: Sequence[np.ndarray],
        boxes_are_given: bool,
    ) -> list[list[Instance]]:
        """Label the people of each photo, in the order of its boxes; heat: how likely each box is a person's, (N,)."""
        photo = [k for k, boxes in enumerate(boxes_xyxy) for _ in boxes]  # of each box of all photos
        images, boxes = [images_rgb[k] for k in photo], [box for part in boxes_xyxy for box in part]
        h, w = self.runtime.crop_hw
        crops = [crop_box(box, w / h) for box in boxes]
        if self.refine:
            outputs = self._outputs(images, crops, self.runtime.refine_hw, mirrored=False)
            # Where a person is likelier than not, whichever chart: cutting an arm off costs more than a wider frame.
            persons = (person_logit(output.chart_logits) > 0 for output in outputs)
            crops = [crop_box(tight_box(*one), w / h) for one in zip(persons, crops, boxes, strict=True)]
        outputs = self._outputs(images, crops, self.runtime.crop_hw, self.mirrored)
        people: list[list[Instance]] = [[] for _ in images_rgb]
        for k, output, crop, box, one_heat in zip(photo, outputs, crops, boxes, np.concatenate(heat), strict=True):
            if (person_logit(output.chart_logits) > 0).mean() >= MIN_PERSON_FRACTION:
                people[k].append(
                    _instance(output, crop, box, float(one_heat), images_rgb[k].shape[:2], boxes_are_given)
                )
        return people

    def _outputs(
        self, images_rgb: Sequence[np.ndarray], crops: Sequence[Box], size_hw: tuple[int, int], mirrored: bool
    ) -> Iterator[DenseOutput]:
        """Yield the network's output for one crop of each image, read at size_hw; without batch axis."""
        for start in range(0, len(crops), CROPS_PER_PASS):
            part = slice(start, start + CROPS_PER_PASS)
            read = [crop_and_resize(*one, size_hw) for one in zip(images_rgb[part], crops[part], strict=True)]
            image = np.stack(read)  # (N, h, w, 3)
            output = self.runtime.label(np.concatenate([image, image[:, :, ::-1]]) if mirrored else image)
            if mirrored:
                halves = zip(*(np.split(maps, 2) for maps in output), strict=True)
                output = average_with_mirrored(*(DenseOutput(*half) for half in halves))
            yield from (DenseOutput(*one) for one in zip(*output, strict=True))


def _instance(
    output: DenseOutput, crop: Box, box: np.ndarray, heat: float, size_hw: tuple[int, int], box_is_given: bool
) -> Instance:
    """Put the crop's labels into the photo, with a score and, unless it is given, a better box.

    The score is the geometric mean of the detector's and of the labels' quality, so that those come first who are
    labelled well (as in Huang et al., Mask Scoring R-CNN, CVPR 2019). The box is the mean of the detected one and of
    the one around the labels: two estimates whose errors differ.
    """
    x0, y0, x1, y1 = crop
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, size_hw[1]), min(y1, size_hw[0])
    rows = (np.arange(top, bottom) + 0.5 - y0) / (y1 - y0)
    columns = (np.arange(left, right) + 0.5 - x0) / (x1 - x0)
    i, u, v, confidence = decode_pixels(output, rows, columns)
    kept = remove_small_components(i > 0)
    labels = IUV(i * kept, u * kept, v * kept)
    rows, columns = np.flatnonzero(labels.i.any(axis=1)), np.flatnonzero(labels.i.any(axis=0))
    score = 0.0
    if len(rows):
        score = math.sqrt(heat * float(sigmoid(output.quality_logit)))
        around = np.array([left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1], np.float32)
        box = box if box_is_given else (box + around) / 2
    return place_in_photo(labels, confidence * kept, (left, top), size_hw, np.asarray(box, np.float32), score)


def remove_small_components(person: np.ndarray) -> np.ndarray:
    """Return the mask (h, w) bool without components smaller than 1 % of the largest one: hardly ever a person's."""
    count, component, stats, _ = cv2.connectedComponentsWithStats(person.astype(np.uint8), connectivity=8)
    if count <= 2:  # the background and one component
        return person
    area = stats[1:, cv2.CC_STAT_AREA]
    return np.concatenate([[False], area >= MIN_COMPONENT_FRACTION * area.max()])[component]
