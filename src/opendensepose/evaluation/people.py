"""An annotated and a detected person as the measures see them: COCO's boxes, unrounded, for the last bit of a width
decides which pixel is read.

In regions where nobody was annotated (PoseTrack's ignore_regions_x, ignore_regions_y), as in the released evaluators,
an annotated person is left out whose box lies in a region by 70 % or more, and a detection of whose labelled pixels
90 % or more do. Boxes are cut to whole pixels first.

Letters: P annotated points of a person, (h, w) a detection's window, H x W the image.
"""

from dataclasses import dataclass

import numpy as np

from opendensepose.evaluation.errors import Labels
from opendensepose.evaluation.masks import Window, place_mask, stretched_grid
from opendensepose.instance import DenseAnnotation
from opendensepose.iuv import IUV, QuantisedIUV, crop_iuv

__all__ = [
    "AnnotatedPerson",
    "DetectedPerson",
    "annotated_person",
    "box_xywh",
    "confidence_at",
    "detected_person",
    "keep_annotated",
    "keep_detected",
    "labels_at",
]

MOST_OF_BOX = 0.7
MOST_OF_LABELS = 0.9


@dataclass(frozen=True)
class AnnotatedPerson:
    """A person to be found.

    box_xywh (4,) float64 pixels: COCO's bbox; point_xy (P, 2) float64 pixels; true: their labels (P,), i in 1..24;
    has_points: whether points were annotated, be it none: people without are neither hit nor missed; foreground: the
    annotated mask, or None; area px^2; iscrowd: a group drawn as one.
    """

    annotation_id: int
    box_xywh: np.ndarray
    point_xy: np.ndarray
    true: Labels
    has_points: bool
    foreground: Window | None
    area: float
    iscrowd: bool

    @property
    def box_xyxy(self) -> np.ndarray:
        """(4,) float64 pixels."""
        return _corners(self.box_xywh)


def annotated_person(annotation: DenseAnnotation, size_hw: tuple[int, int]) -> AnnotatedPerson:
    """Take the points that have charts, and the part masks stretched over the box, of an image of that size."""
    box = box_xywh(annotation.box_xyxy)
    has_chart = annotation.i > 0
    mask = annotation.mask
    return AnnotatedPerson(
        annotation_id=annotation.annotation_id,
        box_xywh=box,
        point_xy=annotation.point_xy[has_chart],
        true=Labels(*(value[has_chart] for value in (annotation.i, annotation.u, annotation.v))),
        has_points=bool(has_chart.any()),
        foreground=None if mask is None else stretched_grid(mask > 0, box, size_hw),
        area=annotation.area,
        iscrowd=annotation.iscrowd,
    )


@dataclass(frozen=True)
class DetectedPerson:
    """A predicted person: the labels of a window of the image.

    box_xywh (4,) float64 pixels; score: any number, larger is more confident; iuv: the labels (h, w) of a window;
    origin_xy (2,) float64: its upper left corner, not always a whole pixel, as results files place it at the box's;
    ends_at_box: whether labels beyond the box's whole width and height do not count, as the released evaluators have
    it; confidence: of the labels, (h, w) float in [0, 1], or None where files hold none. ValueError if the box is not
    four finite numbers with sides of at least 0, the score is not finite or confidence has another shape than iuv.
    """

    box_xywh: np.ndarray
    score: float
    iuv: IUV | QuantisedIUV
    origin_xy: np.ndarray
    ends_at_box: bool = False
    confidence: np.ndarray | None = None

    def __post_init__(self) -> None:
        box = np.asarray(self.box_xywh, np.float64)
        if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] < 0).any():
            raise ValueError(f"a box must be x, y, width, height, the last two at least 0, got {box.tolist()}.")
        if not np.isfinite(self.score):
            raise ValueError(f"a detection's score must be a finite number, got {self.score}.")
        if self.confidence is not None and self.confidence.shape != self.iuv.size_hw:
            raise ValueError(f"confidence must be {self.iuv.size_hw} as the labels are, got {self.confidence.shape}.")
        object.__setattr__(self, "box_xywh", box)
        object.__setattr__(self, "origin_xy", np.asarray(self.origin_xy, np.float64))

    @property
    def area_px(self) -> float:
        """Of the box, as COCO counts detections' areas."""
        return float(self.box_xywh[2] * self.box_xywh[3])

    def charts(self, size_hw: tuple[int, int]) -> Window:
        """Place the charts, uint8, in an image of that size, cut at its edges and, if the labels end there, the box."""
        height, width = self.iuv.size_hw
        box = self.box_xywh if self.ends_at_box else (*self.origin_xy, width, height)
        return place_mask(self.iuv.i, box, size_hw)

    def foreground(self, size_hw: tuple[int, int]) -> Window:
        """Mark the labelled pixels, bool, of the same window."""
        charts, corner_xy = self.charts(size_hw)
        return Window(charts > 0, corner_xy)


def box_xywh(box_xyxy: np.ndarray) -> np.ndarray:
    """Convert corners (4,) float32 to COCO's x, y, width, height, to three decimals, the precision of float32."""
    x0, y0, x1, y1 = (round(float(edge), 3) for edge in box_xyxy)
    return np.array([x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)])


def _corners(box_xywh: np.ndarray) -> np.ndarray:
    x, y, width, height = box_xywh
    return np.array([x, y, x + width, y + height])


def detected_person(box_xyxy: np.ndarray, score: float, iuv: IUV) -> DetectedPerson:
    """Crop a person's own map of the whole image to its labels, with a margin of one pixel of background."""
    rows, columns = np.flatnonzero(iuv.i.any(1)), np.flatnonzero(iuv.i.any(0))
    window = (columns[0] - 1, rows[0] - 1, columns[-1] + 2, rows[-1] + 2) if len(rows) else (0, 0, 0, 0)
    return DetectedPerson(box_xywh(box_xyxy), score, crop_iuv(iuv, window), np.array(window[:2]))


def labels_at(detection: DetectedPerson, point_xy: np.ndarray) -> Labels:
    """Read a detection's labels at image points (P, 2) float64: i (P,) uint8, 0 outside the window; u, v (P,) float64.

    The pixel is int(x - origin_x), int(y - origin_y), rounded towards 0 as the released evaluators round it.
    """
    inside, row, column = _pixels_at(detection, point_xy)
    i = np.zeros(len(inside), np.uint8)
    u, v = np.zeros((2, len(inside)))
    iuv, unit = detection.iuv, 255.0 if isinstance(detection.iuv, QuantisedIUV) else 1.0
    i[inside] = iuv.i[row, column]
    u[inside], v[inside] = iuv.u[row, column] / unit, iuv.v[row, column] / unit
    return Labels(i, u, v)


def confidence_at(detection: DetectedPerson, point_xy: np.ndarray) -> np.ndarray:
    """Read the confidence of the labels that `labels_at` reads: (P,) float64, NaN where there is no label or none is
    known."""
    confidence = np.full(len(point_xy), np.nan)
    if detection.confidence is not None:
        inside, row, column = _pixels_at(detection, point_xy)
        labelled = detection.iuv.i[row, column] > 0
        confidence[inside] = np.where(labelled, detection.confidence[row, column], np.nan)
    return confidence


def _pixels_at(detection: DetectedPerson, point_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find which points (P, 2) lie in a detection's window, (P,) bool, and the row and column of those that do."""
    height, width = detection.iuv.size_hw
    if detection.ends_at_box:
        width, height = (
            min(size, int(side)) for size, side in zip((width, height), detection.box_xywh[2:], strict=True)
        )
    column, row = (point_xy - detection.origin_xy).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return inside, row[inside], column[inside]


def keep_annotated(person: AnnotatedPerson, region: np.ndarray) -> bool:
    """Tell whether a person is measured in an image with a region (H, W) bool."""
    x, y, width, height = (int(value) for value in person.box_xywh)
    if not width * height:
        return False
    return _within(region, x, y, width, height).sum() / width / height < MOST_OF_BOX


def keep_detected(detection: DetectedPerson, foreground: Window, region: np.ndarray) -> bool:
    """Tell whether a detection with that foreground counts in an image with a region (H, W) bool."""
    x, y, width, height = (int(value) for value in detection.box_xywh)
    if not width * height:
        return False
    if not _within(region, x, y, width, height).any():
        return True
    mask, (left, top) = foreground
    in_region = int(np.count_nonzero(mask & region[top : top + mask.shape[0], left : left + mask.shape[1]]))
    return in_region / max(int(np.count_nonzero(mask)), 1) < MOST_OF_LABELS


def _within(region: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    """The region's pixels in a box."""
    return region[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
