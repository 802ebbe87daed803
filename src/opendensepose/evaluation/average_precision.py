"""AP and AR of detections (DensePose, section 4; COCO's protocol), matched and summed by pycocotools.

COCO compares a detection with an annotated person by box or mask IoU; here any similarity replaces it: GPS, GPSm, mask
IoU. Thresholds .50:.05:.95, 101 recall points, all / medium (32^2..96^2 px) / large people.

The released DensePose evaluators differ from plain COCO in what they leave out (`leave_out="released"`), and published
numbers depend on it:
- a person without points is left out, and so is a detection whose box covers one by at least 0.8 IoU and which is
  unmatched at the highest threshold;
- in an image where everybody is left out (in an area range: is of another size), so are all detections.

Letters: D detections, G annotated people, T thresholds, R recall points, A area ranges.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np
from pycocotools.cocoeval import COCOeval

__all__ = ["AveragePrecision", "ScoredImage", "average_precision", "average_precision_intervals"]

AREA_RANGES = {"all": (0, 1e5**2), "medium": (32**2, 96**2), "large": (96**2, 1e5**2)}
LEFT_OUT_BOX_IOU = 0.8
_PERSON = 1  # the only category


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
    return _matched(images, max_detections, leave_out).summed()


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
    evaluation = _matched(images, max_detections, leave_out)
    of_image = np.array(evaluation.evalImgs, object).reshape(-1, len(images))  # (A, images)
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(num_resamples):
        evaluation.evalImgs = of_image[:, rng.integers(len(images), size=len(images))].ravel().tolist()
        for name, value in evaluation.summed().numbers().items():
            drawn[name].append(value)
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: tuple(np.quantile(values, ends).tolist()) for name, values in drawn.items()}


def _matched(images: Sequence[ScoredImage], max_detections: int, leave_out: str) -> "_SimilarityEval":
    if leave_out not in ("released", "coco"):
        raise ValueError(f'leave_out must be "released" or "coco", got {leave_out!r}.')
    evaluation = _SimilarityEval(images, max_detections, released=leave_out == "released")
    with redirect_stdout(StringIO()):  # the library reports its progress with print
        evaluation.evaluate()
    return evaluation


def _summed(precision: np.ndarray, recall: np.ndarray) -> AveragePrecision:
    """Average pycocotools' tables into the ten figures."""
    precision, recall = (np.where(part > -1, part, np.nan) for part in (precision, recall))  # (T, R, A), (T, A)
    at = {50: 0, 75: 5}
    return AveragePrecision(
        ap=float(precision[:, :, 0].mean()),
        ap50=float(precision[at[50], :, 0].mean()),
        ap75=float(precision[at[75], :, 0].mean()),
        ap_m=float(precision[:, :, 1].mean()),
        ap_l=float(precision[:, :, 2].mean()),
        ar=float(recall[:, 0].mean()),
        ar50=float(recall[at[50], 0]),
        ar75=float(recall[at[75], 0]),
        ar_m=float(recall[:, 1].mean()),
        ar_l=float(recall[:, 2].mean()),
        precision=precision[:, :, 0],
    )


class _SimilarityEval(COCOeval):
    """pycocotools' evaluation with given similarities. Images are named 0, 1, ..; people and detections from 1 on."""

    evalImgs: list[dict[str, Any] | None]
    eval: dict[str, np.ndarray]

    def __init__(self, images: Sequence[ScoredImage], max_detections: int, *, released: bool):
        super().__init__(iouType="bbox")
        self.images, self.released = images, released
        self.params.imgIds, self.params.catIds = list(range(len(images))), [_PERSON]
        self.params.maxDets = [max_detections]
        self.params.areaRng, self.params.areaRngLbl = [list(r) for r in AREA_RANGES.values()], list(AREA_RANGES)

    def summed(self) -> AveragePrecision:
        """Accumulate the matches in `evalImgs`."""
        with redirect_stdout(StringIO()):
            self.accumulate()
        return _summed(self.eval["precision"][:, :, 0, :, 0], self.eval["recall"][:, 0, :, 0])

    def _prepare(self) -> None:
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        self.evalImgs, self.eval = [], {}
        self.order: dict[int, np.ndarray] = {}
        for k, image in enumerate(self.images):
            people = zip(image.person_area, image.left_out, image.crowd, strict=True)
            self._gts[k, _PERSON] = [
                {"id": number, "area": area, "ignore": int(left_out), "iscrowd": int(crowd)}
                for number, (area, left_out, crowd) in enumerate(people, start=1)
            ]
            detections = zip(image.score, image.detection_area, strict=True)
            self._dts[k, _PERSON] = [
                {"id": number, "score": score, "area": area} for number, (score, area) in enumerate(detections, start=1)
            ]
            by_score = np.argsort(-np.asarray(image.score), kind="mergesort")
            self.order[k] = by_score[: self.params.maxDets[-1]]

    def computeIoU(self, imgId: int, catId: int) -> np.ndarray | list:
        """The given similarities, rows in descending score."""
        similarity = self.images[imgId].similarity[self.order[imgId]]
        return similarity if similarity.size else []

    def evaluateImg(self, imgId: int, catId: int, aRng: list[float], maxDet: int) -> dict[str, Any] | None:
        """The library's matching, then what the released evaluators leave out."""
        result = super().evaluateImg(imgId, catId, aRng, maxDet)
        if result is None or not self.released:
            return result
        left_out = np.asarray(result["gtIgnore"]).astype(bool)  # (G,), in the library's order
        matched, taken = result["dtMatches"], result["gtMatches"]  # (T, D) ids of people, (T, G) ids of detections
        ignored = (np.asarray(result["dtIgnore"]).astype(bool) & (matched != 0)) | left_out.all()  # (T, D)
        person = np.array(result["gtIds"], int) - 1
        box_iou = self.images[imgId].box_iou[self.order[imgId]][:, person]  # (D, G)
        crowd = np.asarray(self.images[imgId].crowd, bool)[person]
        for d in np.flatnonzero(matched[-1] == 0):
            free = (taken[-1] == 0) | crowd
            candidates = np.where(free & (box_iou[d] >= LEFT_OUT_BOX_IOU), box_iou[d], -1.0)
            if not (candidates > 0).any():
                continue
            # The last of equals, as the released evaluators' loop takes it.
            g = len(candidates) - 1 - int(np.argmax(candidates[::-1]))
            ignored[:, d] = left_out[g]
            if left_out[g]:
                matched[-1, d], taken[-1, g] = result["gtIds"][g], result["dtIds"][d]
        area = np.asarray(self.images[imgId].detection_area)[self.order[imgId]]
        other_size = (area < aRng[0]) | (area > aRng[1])
        result["dtIgnore"] = ignored | ((matched == 0) & other_size)
        return result
