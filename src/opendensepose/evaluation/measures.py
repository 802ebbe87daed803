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
from opendensepose.evaluation.errors import DetectedPerson, LabelDistances, Labels, box_xywh, labels_at, point_errors
from opendensepose.evaluation.gps import (
    NORMALISERS,
    annotated_foreground,
    gps,
    gpsm,
    mask_iou,
    normaliser_m,
    predicted_foreground,
)
from opendensepose.instance import DenseAnnotation

__all__ = ["AnnotatedImage", "Measures", "PersonErrors", "measure"]

MAX_DETECTIONS = 20
MAX_BOXES = 100
_BATCH = 200_000  # points whose distances are asked for at once


@dataclass(frozen=True)
class AnnotatedImage:
    """An image's annotated people and what was detected in it. size_hw: height and width in pixels."""

    image_id: int
    size_hw: tuple[int, int]
    people: list[DenseAnnotation]
    detections: list[DetectedPerson]


@dataclass(frozen=True)
class PersonErrors:
    """The labelled points of one annotated person and their errors.

    box_xyxy (4,) pixels; point_xy (P, 2) pixels; i (P,) uint8, u, v (P,) float32: the truth; error_m (P,) float64, of
    the most confident detection that labels the pixel, infinite if none does. gps: by normaliser, of these errors.
    """

    image_id: int
    annotation_id: int
    box_xyxy: np.ndarray
    point_xy: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    error_m: np.ndarray
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


@dataclass(frozen=True)
class _Scores:
    """Scores of an image's D detections, in descending score, and G people; gps (D, G) is filled person by person."""

    score: np.ndarray
    detection_area: np.ndarray
    person_area: np.ndarray
    crowd: np.ndarray
    labelled: np.ndarray
    box_iou: np.ndarray
    mask_iou: np.ndarray
    gps: dict[str, np.ndarray]

    def scored(self, similarity: np.ndarray, most: int = MAX_DETECTIONS, *, boxes: bool = False) -> ScoredImage:
        """The image as AP takes it, cut to the most confident detections."""
        return ScoredImage(
            score=self.score[:most],
            detection_area=self.detection_area[:most],
            person_area=self.person_area,
            left_out=self.crowd if boxes else ~self.labelled,
            crowd=self.crowd,
            similarity=similarity[:most],
            box_iou=self.box_iou[:most],
        )


def measure(
    images: Iterable[AnnotatedImage],
    distances: LabelDistances,
    *,
    normalisers: tuple[str, ...] = tuple(NORMALISERS),
    on_image: Callable[[], None] | None = None,
) -> Measures:
    """Compute pointwise and per-instance measures in one pass over images, which are not kept.

    on_image: called after each image.
    """
    queue = _PointQueue(distances, normalisers)
    scores: list[_Scores] = []
    has_masks = False
    for image in images:
        detections = sorted(image.detections, key=lambda detection: -detection.score)[:MAX_BOXES]
        scores.append(_score_boxes_and_masks(image, detections, normalisers))
        for g in np.flatnonzero(scores[-1].labelled):
            queue.add(image.people[g], int(g), detections[:MAX_DETECTIONS], scores[-1])
        has_masks = has_masks or any(person.mask is not None for person in image.people)
        if on_image:
            on_image()
    queue.flush()
    scored = {k: [one.scored(one.gps[k]) for one in scores] for k in normalisers}
    by_gpsm = {
        k: average_precision([one.scored(gpsm(one.gps[k], one.mask_iou)) for one in scores]) for k in normalisers
    }
    boxes = [one.scored(one.box_iou, MAX_BOXES, boxes=True) for one in scores]
    return Measures(
        surface=distances.surface,
        people=queue.people,
        gps={k: average_precision(scored[k]) for k in normalisers},
        gpsm=by_gpsm if has_masks else None,
        mask=average_precision([one.scored(one.mask_iou) for one in scores]) if has_masks else None,
        box=average_precision(boxes, max_detections=MAX_BOXES, leave_out="coco"),
        num_images=len(scores),
        num_detections=sum(len(one.score) for one in scores),
        scored=scored,
    )


def _score_boxes_and_masks(
    image: AnnotatedImage, detections: list[DetectedPerson], normalisers: Sequence[str]
) -> _Scores:
    """Compute box and mask IoU of an image; GPS is filled later. detections: in descending score."""
    people, shape = image.people, (len(detections), len(image.people))
    crowd = [int(person.iscrowd) for person in people]
    box_iou, masks = np.zeros(shape), np.zeros(shape)
    if min(shape):
        boxes = [np.array([box_xywh(one.box_xyxy) for one in side]) for side in (detections, people)]
        box_iou = rle.iou(*boxes, crowd)
        predicted = [predicted_foreground(detection, image.size_hw) for detection in detections[:MAX_DETECTIONS]]
        for g, person in enumerate(people):
            annotated = annotated_foreground(person, image.size_hw)
            if annotated is not None:
                masks[: len(predicted), g] = [mask_iou(one, annotated, crowd=person.iscrowd) for one in predicted]
    return _Scores(
        score=np.array([detection.score for detection in detections]),
        detection_area=np.array([detection.area_px for detection in detections]),
        person_area=np.array([person.area for person in people]),
        crowd=np.array(crowd, bool),
        labelled=np.array([(person.i > 0).any() for person in people], bool),
        box_iou=box_iou,
        mask_iou=masks,
        gps={name: np.zeros(shape) for name in normalisers},
    )


class _PersonPoints(NamedTuple):
    """The points of the g-th person of an image that have labels, and what each detection says there."""

    person: DenseAnnotation
    g: int
    scores: _Scores  # of the image
    point_xy: np.ndarray  # (P, 2)
    true: Labels  # (P,)
    predicted: Labels  # (D, P)


class _PointQueue:
    """Collects the points of many people to compute distances in large batches."""

    def __init__(self, distances: LabelDistances, normalisers: tuple[str, ...]):
        self.distances, self.normalisers = distances, normalisers
        self.people: list[PersonErrors] = []
        self.waiting: list[_PersonPoints] = []
        self.num_points = 0

    def add(self, person: DenseAnnotation, g: int, detections: list[DetectedPerson], scores: _Scores) -> None:
        """Read each detection's labels at the points of the g-th person."""
        has_label = person.i > 0
        point_xy = person.point_xy[has_label]
        true = Labels(*(value[has_label] for value in (person.i, person.u, person.v)))
        read = [labels_at(detection, point_xy) for detection in detections]
        stacked = (np.array([getattr(one, name) for one in read]) for name in Labels._fields)
        predicted = Labels(*(values.reshape(-1, len(point_xy)) for values in stacked))
        self.waiting.append(_PersonPoints(person, g, scores, point_xy, true, predicted))
        self.num_points += predicted.i.size
        if self.num_points > _BATCH:
            self.flush()

    def flush(self) -> None:
        if not self.waiting:
            return
        of_detections = [
            Labels(*(np.broadcast_to(value, one.predicted.i.shape) for value in one.true)) for one in self.waiting
        ]
        error_m = point_errors(
            _concatenate(of_detections), _concatenate([one.predicted for one in self.waiting]), self.distances
        )
        start = 0
        for one in self.waiting:
            size = one.predicted.i.size
            self._finish(one, error_m[start : start + size].reshape(one.predicted.i.shape))
            start += size
        self.waiting, self.num_points = [], 0

    def _finish(self, points: _PersonPoints, error_m: np.ndarray) -> None:
        """Turn error_m (D, P) into GPS of each detection and errors of the most confident one that labels the point."""
        person, point_xy = points.person, points.point_xy
        best_m = np.full(len(point_xy), np.inf)
        if len(error_m):
            first = np.isfinite(error_m).argmax(0)
            best_m = error_m[first, np.arange(len(point_xy))]
        own = {}
        for name in self.normalisers:
            scale_m = normaliser_m(name, points.true.i)
            points.scores.gps[name][: len(error_m), points.g] = gps(error_m, scale_m)
            own[name] = float(gps(best_m, scale_m))
        self.people.append(
            PersonErrors(person.image_id, person.annotation_id, person.box_xyxy, point_xy, *points.true, best_m, own)
        )


def _concatenate(labels: Sequence[Labels]) -> Labels:
    """Concatenate labels of any shapes: (all points,)."""
    return Labels(*(np.concatenate([values.ravel() for values in part]) for part in zip(*labels, strict=True)))
