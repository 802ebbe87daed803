"""All measures of a set of images in one pass: every annotated point against every detection of its image.

Pointwise, a pixel's prediction comes from the most confident detection that labels it; the truth does not choose.
Per instance, each detection is scored against each person. The 20 most confident detections of an image count (boxes:
100).

Letters: P points of a person, D detections of an image, G its annotated people.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pycocotools import mask as rle

from opendensepose.evaluation.average_precision import AveragePrecision, ScoredImage, average_precision
from opendensepose.evaluation.errors import LabelDistances, Labels, point_errors
from opendensepose.evaluation.gps import NORMALISERS, gps, gpsm, normaliser_m
from opendensepose.evaluation.masks import Window, mask_ious
from opendensepose.evaluation.people import (
    AnnotatedPerson,
    DetectedPerson,
    confidence_at,
    keep_annotated,
    keep_detected,
    labels_at,
)

__all__ = ["AnnotatedImage", "ImageScores", "Measures", "PersonErrors", "join_scores", "measure", "score_images"]

MAX_DETECTIONS = 20
MAX_BOXES = 100
_BATCH = 200_000  # points whose distances are asked for at once


@dataclass(frozen=True)
class AnnotatedImage:
    """An image's annotated people and what was detected in it.

    size_hw: height and width in pixels. ignore_region: (H, W) bool, where nobody was annotated, or None.
    """

    image_id: int
    size_hw: tuple[int, int]
    people: list[AnnotatedPerson]
    detections: list[DetectedPerson]
    ignore_region: np.ndarray | None = None


@dataclass(frozen=True)
class PersonErrors:
    """The labelled points of one annotated person and their errors.

    box_xyxy (4,) pixels; point_xy (P, 2) pixels; i (P,) uint8, u, v (P,) float: the truth; error_m (P,) float64, of the
    most confident detection that labels the pixel, infinite if none does. confidence (P,) float64: of that label, NaN
    where there is none or predictions have none. gps: by normaliser, of these errors.
    """

    image_id: int
    annotation_id: int
    box_xyxy: np.ndarray
    point_xy: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    error_m: np.ndarray
    confidence: np.ndarray
    gps: dict[str, float]


@dataclass(frozen=True)
class Measures:
    """surface: its name. people: those with points. gps, gpsm: by normaliser; gpsm and mask are None where no person
    has masks. num_images, num_detections: what was measured on. scored: by normaliser, what GPS' AP is made from."""

    surface: str
    people: list[PersonErrors]
    gps: dict[str, AveragePrecision]
    gpsm: dict[str, AveragePrecision] | None
    mask: AveragePrecision | None
    box: AveragePrecision
    num_images: int
    num_detections: int
    scored: dict[str, list[ScoredImage]]

    @property
    def chart(self) -> np.ndarray:
        """(all points,) uint8."""
        return np.concatenate([np.zeros(0, np.uint8), *(person.i for person in self.people)])

    @property
    def error_m(self) -> np.ndarray:
        """(all points,) float64."""
        return np.concatenate([np.zeros(0), *(person.error_m for person in self.people)])

    @property
    def confidence(self) -> np.ndarray:
        """(all points,) float64, NaN where there is no label or predictions have none."""
        return np.concatenate([np.zeros(0), *(person.confidence for person in self.people)])


@dataclass(frozen=True)
class _Scores:
    """Scores of an image's D detections, in descending score, and G people; gps (D, G) is filled when errors are."""

    image_id: int
    score: np.ndarray
    detection_area: np.ndarray
    person_area: np.ndarray
    crowd: np.ndarray
    has_points: np.ndarray
    box_iou: np.ndarray
    mask_iou: np.ndarray
    gps: dict[str, np.ndarray]

    def scored(self, similarity: np.ndarray, most: int = MAX_DETECTIONS, *, boxes: bool = False) -> ScoredImage:
        """The image as AP takes it, cut to the most confident detections."""
        return ScoredImage(
            score=self.score[:most],
            detection_area=self.detection_area[:most],
            person_area=self.person_area,
            left_out=self.crowd if boxes else ~self.has_points,
            crowd=self.crowd,
            similarity=similarity[:most],
            box_iou=self.box_iou[:most],
        )


@dataclass(frozen=True)
class ImageScores:
    """What some images give: enough to make all measures of them and others. `measure` makes them of one part."""

    scores: list[_Scores]
    people: list[PersonErrors]
    has_masks: bool


def measure(
    images: Iterable[AnnotatedImage],
    distances: LabelDistances,
    *,
    normalisers: tuple[str, ...] = tuple(NORMALISERS),
    on_image: Callable[[], None] | None = None,
) -> Measures:
    """Compute pointwise and per-instance measures in one pass over images, which are not kept.

    Of equal scores, those in the image with the lower id come first. on_image: called after each image.
    """
    part = score_images(images, distances, normalisers, on_image)
    return join_scores([part], distances.surface, normalisers)


def score_images(
    images: Iterable[AnnotatedImage],
    distances: LabelDistances,
    normalisers: tuple[str, ...] = tuple(NORMALISERS),
    on_image: Callable[[], None] | None = None,
) -> ImageScores:
    """Score some images of a set, in one pass; `join_scores` makes measures of all parts."""
    queue = _PointQueue(distances, normalisers)
    scores: list[_Scores] = []
    has_masks = False
    for image in images:
        people, detections, foregrounds = _counted(image)
        scores.append(_score_boxes_and_masks(image.image_id, people, detections, foregrounds, normalisers))
        queue.add(people, detections[:MAX_DETECTIONS], scores[-1])
        has_masks = has_masks or any(person.foreground is not None for person in people)
        if on_image:
            on_image()
    queue.flush()
    return ImageScores(scores, queue.people, has_masks)


def join_scores(
    parts: Sequence[ImageScores], surface: str, normalisers: tuple[str, ...] = tuple(NORMALISERS)
) -> Measures:
    """The measures of all images of the parts, in their order."""
    scores = sorted((one for part in parts for one in part.scores), key=lambda one: one.image_id)
    has_masks = any(part.has_masks for part in parts)
    scored = {k: [one.scored(one.gps[k]) for one in scores] for k in normalisers}
    by_gpsm = {
        k: average_precision([one.scored(gpsm(one.gps[k], one.mask_iou)) for one in scores]) for k in normalisers
    }
    boxes = [one.scored(one.box_iou, MAX_BOXES, boxes=True) for one in scores]
    return Measures(
        surface=surface,
        people=[person for part in parts for person in part.people],
        gps={k: average_precision(scored[k]) for k in normalisers},
        gpsm=by_gpsm if has_masks else None,
        mask=average_precision([one.scored(one.mask_iou) for one in scores]) if has_masks else None,
        box=average_precision(boxes, max_detections=MAX_BOXES, leave_out="coco"),
        num_images=len(scores),
        num_detections=sum(len(one.score) for one in scores),
        scored=scored,
    )


def _counted(image: AnnotatedImage) -> tuple[list[AnnotatedPerson], list[DetectedPerson], list[Window]]:
    """The people and detections outside the ignored region, in descending score; the first detections' foregrounds."""
    people, region = image.people, image.ignore_region
    detections = sorted(image.detections, key=lambda detection: -detection.score)
    if region is not None:
        people = [person for person in people if keep_annotated(person, region)]
        detections = [one for one in detections if keep_detected(one, one.foreground(image.size_hw), region)]
    needed = detections[:MAX_DETECTIONS] if any(person.foreground is not None for person in people) else []
    return people, detections[:MAX_BOXES], [one.foreground(image.size_hw) for one in needed]


def _score_boxes_and_masks(
    image_id: int,
    people: Sequence[AnnotatedPerson],
    detections: Sequence[DetectedPerson],
    foregrounds: Sequence[Window],
    normalisers: Sequence[str],
) -> _Scores:
    """Compute box and mask IoU of an image; GPS is filled later. detections, foregrounds: in descending score."""
    shape = len(detections), len(people)
    crowd = [person.iscrowd for person in people]
    box_iou, masks = np.zeros(shape), np.zeros(shape)
    if min(shape):
        boxes = [np.array([one.box_xywh for one in side]) for side in (detections, people)]
        box_iou = rle.iou(*boxes, [int(one) for one in crowd])
        masks[: len(foregrounds)] = mask_ious(foregrounds, [person.foreground for person in people], crowd)
    return _Scores(
        image_id=image_id,
        score=np.array([detection.score for detection in detections], np.float64),
        detection_area=np.array([detection.area_px for detection in detections]),
        person_area=np.array([person.area for person in people]),
        crowd=np.array(crowd, bool),
        has_points=np.array([person.has_points for person in people], bool),
        box_iou=box_iou,
        mask_iou=masks,
        gps={name: np.zeros(shape) for name in normalisers},
    )


class _ImagePoints(NamedTuple):
    """The points of all people of an image, one after another, and what each detection says there."""

    people: list[AnnotatedPerson]
    scores: _Scores
    true: Labels  # (P,)
    predicted: list[Labels]  # D times (P,)
    confidence: list[np.ndarray]  # D times (P,)


class _PointQueue:
    """Collects the points of many images to compute distances in large batches."""

    def __init__(self, distances: LabelDistances, normalisers: tuple[str, ...]):
        self.distances, self.normalisers = distances, normalisers
        self.people: list[PersonErrors] = []
        self.waiting: list[_ImagePoints] = []
        self.num_labels = 0

    def add(self, people: list[AnnotatedPerson], detections: list[DetectedPerson], scores: _Scores) -> None:
        """Read each detection's labels at the points of all people of an image."""
        if not any(len(person.point_xy) for person in people):
            return
        point_xy = np.concatenate([person.point_xy for person in people])
        predicted = [labels_at(detection, point_xy) for detection in detections]
        confidence = [confidence_at(detection, point_xy) for detection in detections]
        true = _concatenate([one.true for one in people])
        self.waiting.append(_ImagePoints(people, scores, true, predicted, confidence))
        self.num_labels += len(predicted) * len(point_xy)
        if self.num_labels > _BATCH:
            self.flush()

    def flush(self) -> None:
        """Compute the errors of all points that wait."""
        if not self.waiting:
            return
        first, of = 0, []
        for image in self.waiting:
            points = np.arange(first, first + len(image.true.i))
            of += [points] * len(image.predicted)
            first += len(points)
        all_predicted = [labels for image in self.waiting for labels in image.predicted]
        error_m = np.zeros(0)
        if all_predicted:
            true = _concatenate([image.true for image in self.waiting])
            error_m = point_errors(true, _concatenate(all_predicted), self.distances, np.concatenate(of))
        start = 0
        for image in self.waiting:
            shape = len(image.predicted), len(image.true.i)
            stop = start + shape[0] * shape[1]
            self._finish(image, error_m[start:stop].reshape(shape))
            start = stop
        self.waiting, self.num_labels = [], 0

    def _finish(self, image: _ImagePoints, error_m: np.ndarray) -> None:
        """Turn error_m (D, P) into GPS of each detection and errors of the most confident one that labels the point."""
        best_m, confidence = np.full(error_m.shape[1], np.inf), np.full(error_m.shape[1], np.nan)
        if len(error_m):
            best = np.isfinite(error_m).argmax(0), np.arange(error_m.shape[1])
            best_m, confidence = error_m[best], np.stack(image.confidence)[best]
        scale_m = {name: normaliser_m(name, image.true.i) for name in self.normalisers}
        start = 0
        for g, person in enumerate(image.people):
            own = slice(start, start + len(person.point_xy))
            start = own.stop
            if own.start == own.stop:
                continue
            for name, scale in scale_m.items():
                image.scores.gps[name][: len(error_m), g] = gps(error_m[:, own], scale[own])
            self.people.append(
                PersonErrors(
                    image_id=image.scores.image_id,
                    annotation_id=person.annotation_id,
                    box_xyxy=person.box_xyxy,
                    point_xy=person.point_xy,
                    **person.true._asdict(),
                    error_m=best_m[own],
                    confidence=confidence[own],
                    gps={name: float(gps(best_m[own], scale[own])) for name, scale in scale_m.items()},
                )
            )


def _concatenate(labels: Sequence[Labels]) -> Labels:
    """Concatenate labels: (all points,)."""
    return Labels(*(np.concatenate(part) for part in zip(*labels, strict=True)))
