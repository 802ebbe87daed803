"""AP and AR of detections (DensePose, section 4; COCO's protocol).

COCO compares a detection with an annotated person by box or mask IoU; here any similarity replaces it: GPS, GPSm, mask
IoU. Thresholds .50:.05:.95, 101 recall points, all / medium (32^2..96^2 px) / large people.

1. In each image, in descending score, a detection takes the free person that is most similar to it and at least as
   similar as the threshold; of equals the last. People left out are taken only if there is no other.
2. Over all images, in descending score (of equals, in the order of the images): precision and recall after each
   detection; precision at a recall is the best that is reached there or later.

The released DensePose evaluators differ from plain COCO in what they leave out (`leave_out="released"`), and published
numbers depend on it:
- a person without points is left out, and so is a detection whose box covers one by at least 0.8 IoU and which is
  unmatched at the highest threshold;
- in an image where everybody is left out (in an area range: is of another size), so are all detections.

Letters: N images, D detections, G annotated people, T thresholds, R recall points, M detections of all images.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

__all__ = ["AveragePrecision", "ScoredImage", "average_precision", "average_precision_intervals"]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
AREA_RANGES = {"all": (0.0, 1e10), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
LEFT_OUT_BOX_IOU = 0.8
_AT_ONCE = 256  # images that are matched together
_TINY = np.spacing(1)  # as COCO has it in the denominator of precision


@dataclass(frozen=True)
class ScoredImage:
    """What AP needs to know of one image.

    score (D,), detection_area (D,) px^2; person_area (G,) px^2, left_out (G,) bool: ignored, neither a hit nor a miss;
    crowd (G,) bool: may be matched many times; similarity (D, G) in [0, 1]; box_iou (D, G). ValueError otherwise.
    """

    score: np.ndarray
    detection_area: np.ndarray
    person_area: np.ndarray
    left_out: np.ndarray
    crowd: np.ndarray
    similarity: np.ndarray
    box_iou: np.ndarray

    def __post_init__(self) -> None:
        shape = len(self.score), len(self.person_area)
        expected: dict[str, tuple[int, ...]] = {"similarity": shape, "box_iou": shape}
        expected |= {"detection_area": shape[:1], "left_out": shape[1:], "crowd": shape[1:]}
        for name, value in expected.items():
            if np.shape(getattr(self, name)) != value:
                raise ValueError(f"{name} must have the shape {value}, got {np.shape(getattr(self, name))}.")
        if np.isnan(self.similarity).any():
            raise ValueError("similarities must be numbers, got NaN.")


@dataclass(frozen=True)
class AveragePrecision:
    """Fractions in [0, 1], NaN where no person has that size. precision (T, R): of all sizes, at recall 0,
    .01, .. 1, for the thresholds .50, .55, .. .95; NaN if there are no people."""

    ap: float
    ap50: float
    ap75: float
    ap_m: float
    ap_l: float
    ar: float
    ar50: float
    ar75: float
    ar_m: float
    ar_l: float
    precision: np.ndarray

    def numbers(self) -> dict[str, float]:
        """The ten figures by name."""
        return {name: value for name, value in vars(self).items() if name != "precision"}


def average_precision(
    images: Sequence[ScoredImage], *, max_detections: int = 20, leave_out: str = "released"
) -> AveragePrecision:
    """Compute AP and AR over all images, with the `max_detections` most confident detections of each.

    leave_out: "released", see the module, or "coco": a match with a person left out is ignored, every unmatched
    detection is a false positive.
    """
    matches = _match_all(images, max_detections, leave_out)
    return _figures([one.precision_and_recall() for one in matches])


def average_precision_intervals(
    images: Sequence[ScoredImage],
    rng: np.random.Generator,
    *,
    max_detections: int = 20,
    leave_out: str = "released",
    num_resamples: int = 200,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Compute bootstrap intervals of AP and AR over images: {"ap": (low, high), "ap50": .., ..}.

    Images are resampled, not people, who are not independent within an image. NaN where some resample has no
    person of that size. ValueError without images.
    """
    if not images:
        raise ValueError("images must hold at least one image, got none.")
    matches = _match_all(images, max_detections, leave_out)
    values: dict[str, list[float]] = defaultdict(list)
    for _ in range(num_resamples):
        drawn = rng.integers(len(images), size=len(images))
        for name, value in _figures([one.of(drawn).precision_and_recall() for one in matches]).numbers().items():
            values[name].append(value)
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: tuple(np.quantile(drawn, ends).tolist()) for name, drawn in values.items()}


def _figures(tables: Sequence[tuple[np.ndarray, np.ndarray]]) -> AveragePrecision:
    """Average precision (T, R) and recall (T,) of the area ranges into the ten figures."""
    (precision, recall), (precision_m, recall_m), (precision_l, recall_l) = tables
    at = {50: 0, 75: 5}
    return AveragePrecision(
        ap=float(precision.mean()),
        ap50=float(precision[at[50]].mean()),
        ap75=float(precision[at[75]].mean()),
        ap_m=float(precision_m.mean()),
        ap_l=float(precision_l.mean()),
        ar=float(recall.mean()),
        ar50=float(recall[at[50]]),
        ar75=float(recall[at[75]]),
        ar_m=float(recall_m.mean()),
        ar_l=float(recall_l.mean()),
        precision=precision,
    )


@dataclass(frozen=True)
class _Matches:
    """The outcome of all detections: score (M,); right, ignored (T, M) bool; image after image, of which image k has
    num_detections[k] (N,) and num_people[k] (N,) people to be found."""

    score: np.ndarray
    right: np.ndarray
    ignored: np.ndarray
    num_detections: np.ndarray
    num_people: np.ndarray

    def of(self, images: np.ndarray) -> "_Matches":
        """The outcome of a draw of images (N,) int, which may repeat."""
        first = np.cumsum(self.num_detections) - self.num_detections
        count = self.num_detections[images]
        place = np.arange(count.sum()) + np.repeat(first[images] - (np.cumsum(count) - count), count)
        return _Matches(self.score[place], self.right[:, place], self.ignored[:, place], count, self.num_people[images])

    def precision_and_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Precision (T, R) at each recall point and recall (T,) of all detections; NaN without people."""
        num_people, num_thresholds = int(self.num_people.sum()), len(THRESHOLDS)
        precision_at, recall_of_all = np.zeros((num_thresholds, len(RECALLS))), np.zeros(num_thresholds)
        if not num_people:
            return np.full_like(precision_at, np.nan), np.full_like(recall_of_all, np.nan)
        if not len(self.score):
            return precision_at, recall_of_all
        order = np.argsort(-self.score, kind="stable")
        counted = ~self.ignored[:, order]
        hits = np.cumsum(self.right[:, order] & counted, axis=1, dtype=np.float64)
        precision = hits / (np.cumsum(counted, axis=1, dtype=np.float64) + _TINY)
        best_from_here = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = hits / num_people
        for t in range(num_thresholds):
            place = np.searchsorted(recall[t], RECALLS)
            reached = place < len(order)
            precision_at[t, reached] = best_from_here[t, place[reached]]
        return precision_at, recall[:, -1]


def _match_all(images: Sequence[ScoredImage], max_detections: int, leave_out: str) -> list[_Matches]:
    """Match the detections of all images in each area range."""
    if leave_out not in ("released", "coco"):
        raise ValueError(f'leave_out must be "released" or "coco", got {leave_out!r}.')
    parts = [images[start : start + _AT_ONCE] for start in range(0, len(images), _AT_ONCE)]
    batches = [_Batch(part, max_detections) for part in parts]
    match = partial(_match, released=leave_out == "released")
    return [_joined([match(batch, area) for batch in batches]) for area in AREA_RANGES.values()]


def _joined(parts: Sequence[_Matches]) -> _Matches:
    nothing = np.zeros(0), *[np.zeros((len(THRESHOLDS), 0), bool)] * 2, *[np.zeros(0, np.int64)] * 2
    fields = zip(nothing, *(vars(part).values() for part in parts), strict=True)
    return _Matches(*(np.concatenate(field, axis=-1) for field in fields))


class _Batch:
    """N images as padded arrays, detections in descending score: is_detection, score, detection_area (N, D);
    is_person, person_area, left_out, crowd (N, G); similarity, box_iou (N, D, G), -1 where there is no pair."""

    def __init__(self, images: Sequence[ScoredImage], max_detections: int):
        orders = [np.argsort(-np.asarray(one.score), kind="stable")[:max_detections] for one in images]
        num_d, num_g = max(map(len, orders)), max(len(one.person_area) for one in images)
        of_detections, of_people = (len(images), num_d), (len(images), num_g)
        self.is_detection, self.is_person = np.zeros(of_detections, bool), np.zeros(of_people, bool)
        self.score, self.detection_area = np.zeros((2, *of_detections))
        self.person_area = np.zeros(of_people)
        self.left_out, self.crowd = np.zeros((2, *of_people), bool)
        self.similarity, self.box_iou = np.full((2, *of_detections, num_g), -1.0)
        for n, (one, order) in enumerate(zip(images, orders, strict=True)):
            d, g = len(order), len(one.person_area)
            self.is_detection[n, :d], self.is_person[n, :g] = True, True
            for name in ("score", "detection_area"):
                getattr(self, name)[n, :d] = getattr(one, name)[order]
            for name in ("person_area", "left_out", "crowd"):
                getattr(self, name)[n, :g] = getattr(one, name)
            for name in ("similarity", "box_iou"):
                getattr(self, name)[n, :d, :g] = getattr(one, name)[order]


def _match(batch: _Batch, area: tuple[float, float], *, released: bool) -> _Matches:
    """Match N images at all thresholds, detection by detection."""
    low, high = area
    out = batch.left_out | ((batch.person_area < low) | (batch.person_area > high))  # (N, G)
    shape = (len(out), len(THRESHOLDS), batch.score.shape[1])
    matched, ignored = np.zeros((2, *shape), bool)  # (N, T, D)
    taken = np.zeros((*shape[:2], out.shape[1]), bool)  # (N, T, G)
    if released:
        ignored[(out | ~batch.is_person).all(1)] = True
    least = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None]
    images, thresholds = np.ogrid[: shape[0], : shape[1]]
    for d in range(shape[2] if out.shape[1] else 0):
        similar = batch.similarity[:, d, None]  # (N, 1, G)
        free = (~taken | batch.crowd[:, None]) & (similar >= least)  # (N, T, G)
        to_find = free & ~out[:, None]
        free = np.where(to_find.any(2, keepdims=True), to_find, free)
        chosen, has = _last_best(np.where(free, similar, -1.0))  # (N, T)
        matched[:, :, d] = has
        ignored[:, :, d] |= has & out[images, chosen]
        taken[images, thresholds, chosen] |= has
    if released:
        _leave_out_boxes(batch, out, matched, ignored, taken[:, -1])
    other_size = (batch.detection_area < low) | (batch.detection_area > high)  # (N, D)
    ignored |= ~matched & other_size[:, None]
    is_detection = batch.is_detection
    return _Matches(
        score=batch.score[is_detection],
        right=matched.transpose(1, 0, 2)[:, is_detection],
        ignored=ignored.transpose(1, 0, 2)[:, is_detection],
        num_detections=is_detection.sum(1),
        num_people=(batch.is_person & ~out).sum(1),
    )


def _leave_out_boxes(
    batch: _Batch, out: np.ndarray, matched: np.ndarray, ignored: np.ndarray, taken: np.ndarray
) -> None:
    """Ignore at all thresholds the detections that are unmatched at the highest and cover a person left out; count
    those that cover another. matched, ignored (N, T, D) and taken (N, G), at the highest, are changed in place."""
    image = np.arange(len(out))
    for d in range(matched.shape[2] if out.shape[1] else 0):
        box_iou = batch.box_iou[:, d]
        free = (~taken | batch.crowd) & (box_iou >= LEFT_OUT_BOX_IOU)
        chosen, has = _last_best(np.where(free, box_iou, -1.0))  # (N,)
        has &= batch.is_detection[:, d] & ~matched[:, -1, d]
        is_out = out[image, chosen]
        ignored[has, :, d] = is_out[has, None]
        matched[has, -1, d] = is_out[has]
        taken[image, chosen] |= has & is_out


def _last_best(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the largest value along the last axis, the last of equals; whether it is at least 0."""
    chosen = values.shape[-1] - 1 - values[..., ::-1].argmax(-1)
    return chosen, np.take_along_axis(values, chosen[..., None], -1)[..., 0] >= 0
