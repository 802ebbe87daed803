"""Photo -> people with DensePoseLite, whichever library runs its networks: boxes are detected at one scale, and at
others where that one leaves a doubt; each person's crop is labelled and put back. NumPy and OpenCV only.

Letters: N images, crops or boxes, H x W photo size, h x w crop size.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from opendensepose.instance import Instance, without_duplicates
from opendensepose.iuv import IUV
from opendensepose.models.densepose_lite.boxes import decode_boxes, merge_scales, sigmoid
from opendensepose.models.densepose_lite.crops import (
    MIN_PERSON_FRACTION,
    Box,
    crop_and_resize,
    crop_box,
    tight_box,
)
from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_pixels, is_person
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput

__all__ = ["SURE", "PreparedDensePoseLite", "Runtime", "erase_small_components"]

STRIDE = 32  # photos are padded to whole strides for detection
CROPS_PER_PASS = 16
SURE = 0.5  # heat from which a box is a person's without a look at other scales
WELL_FRAMED = 0.7  # heat from which a found box needs no first crop to be tightened
HINT = 0.08  # heat from which there may be somebody whom another scale shows
MIN_HEAT = 0.75  # of the least score: of 134 boxes of less, on 109 pictures, none got labels good enough
MIN_FIRST_SCORE = 0.75  # of the least score: who has less after the first crop has too little after the second
ENOUGH = 2  # rows of a smaller copy for each that the network sees
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


class _Photo(NamedTuple):
    """A photo and a smaller copy, in which people are searched and first labelled; itself if it is small."""

    image_rgb: np.ndarray
    small: np.ndarray
    shrink: np.ndarray  # (4,) float32, by how much x, y, x, y shrank


class _Candidate(NamedTuple):
    """A box in which there may be a person."""

    photo: int  # its number
    box: np.ndarray  # (4,) float32 xyxy pixels
    heat: float  # how likely it is a person's
    crop: Box  # what the label network sees, in the pixels of the photo or of its smaller copy


class _View(NamedTuple):
    """What a network reads: a crop of a photo or of its smaller copy, and where that is in the photo."""

    image_rgb: np.ndarray
    crop: Box
    in_photo: Box


class PreparedDensePoseLite:
    """A DensePoseLite as a `PreparedNetwork`; mirrored, refine: see `DensePoseLite.prepare`."""

    def __init__(self, runtime: Runtime, mirrored: bool = True, refine: bool = True):
        self.runtime, self.min_score, self.mirrored, self.refine = runtime, runtime.min_score, mirrored, refine

    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find and label people, see `PreparedNetwork.find`."""
        photos = [self._photo(image_rgb) for image_rgb in images_rgb]
        boxes, heat = zip(*self._find_boxes(photos, min_score), strict=True)
        people = self._label(photos, boxes, heat, min_score)
        return [without_duplicates([person for person in part if person.score >= min_score]) for part in people]

    def detect(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[tuple[np.ndarray, np.ndarray]]:
        """Find the boxes (N, 4) of each photo in which people of at least this score may be, and their heat (N,), the
        hottest first."""
        return self._find_boxes([self._photo(image_rgb) for image_rgb in images_rgb], min_score)

    def label(self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray]) -> list[list[Instance]]:
        """Label given boxes, see `PreparedNetwork.label`. Boxes in which nobody is seen are left out."""
        photos = [self._photo(image_rgb) for image_rgb in images_rgb]
        heat = [np.ones(len(boxes), np.float32) for boxes in boxes_xyxy]
        people = self._label(photos, boxes_xyxy, heat, None)
        return [sorted(part, key=lambda person: -person.score) for part in people]

    def _photo(self, image_rgb: np.ndarray) -> _Photo:
        return _Photo(image_rgb, *_shrunk(image_rgb, 2 * max(self.runtime.detect_sides)))

    def _find_boxes(self, photos: Sequence[_Photo], min_score: float) -> list[tuple[np.ndarray, np.ndarray]]:
        # A score is sqrt(heat * quality of the labels), so no one is kept whose heat is below min_score^2.
        min_heat = max(min_score**2, MIN_HEAT * min_score)
        first_side, *other_sides = self.runtime.detect_sides
        small = [one.small for one in photos]
        first = self._detect(small, first_side, min(HINT, min_heat))
        of_scales = [[(boxes[heat >= min_heat], heat[heat >= min_heat])] for boxes, heat in first]
        doubtful = [k for k, (boxes, heat) in enumerate(first) if not _accounts_for_all(boxes, heat)]
        for side in other_sides:
            again = self._detect([small[k] for k in doubtful], side, min_heat)
            for k, one in zip(doubtful, again, strict=True):
                of_scales[k].append(one)
        found = [
            merge_scales(of_photo, image_rgb.shape[:2]) for image_rgb, of_photo in zip(small, of_scales, strict=True)
        ]
        return [(boxes * photo.shrink, heat) for (boxes, heat), photo in zip(found, photos, strict=True)]

    def _detect(
        self, images_rgb: Sequence[np.ndarray], side: int, min_heat: float
    ) -> list[tuple[np.ndarray, np.ndarray]]:
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
        photos: Sequence[_Photo],
        boxes_xyxy: Sequence[np.ndarray],
        heat: Sequence[np.ndarray],
        min_score: float | None,
    ) -> list[list[Instance]]:
        """Label the people of each photo, in the order of its boxes; heat: how likely each box is a person's, (N,).
        min_score: who will not reach it may be left out; None: the boxes are given, and stay as they are."""
        people: list[list[Instance]] = [[] for _ in photos]
        h, w = self.runtime.crop_hw
        found = [
            _Candidate(k, box, float(one_heat), crop_box(box, w / h))
            for k, (boxes, heats) in enumerate(zip(boxes_xyxy, heat, strict=True))
            for box, one_heat in zip(boxes, heats, strict=True)
        ]
        if self.refine:
            is_framed = [min_score is not None and one.heat >= WELL_FRAMED for one in found]
            others = [one for one, framed in zip(found, is_framed, strict=True) if not framed]
            found = [one for one, framed in zip(found, is_framed, strict=True) if framed]
            found += self._refined(photos, others, min_score or 0.0)
        views = [_view(photos[one.photo], one.crop, h) for one in found]
        outputs = self._outputs([view[:2] for view in views], (h, w), self.mirrored)
        for one, view, output in zip(found, views, outputs, strict=True):
            if is_person(output.chart_logits).mean() >= MIN_PERSON_FRACTION:
                size_hw, seen = photos[one.photo].image_rgb.shape[:2], one._replace(crop=view.in_photo)
                people[one.photo].append(_instance(output, seen, size_hw, box_is_given=min_score is None))
        return people

    def _refined(self, photos: Sequence[_Photo], found: Sequence[_Candidate], min_score: float) -> Iterator[_Candidate]:
        """Yield the candidates with crops tightened to what a first, smaller crop shows, without those that will not
        reach min_score."""
        h, w = self.runtime.crop_hw
        shrinks = [photos[one.photo].shrink for one in found]
        boxes = [one.box / shrink for one, shrink in zip(found, shrinks, strict=True)]
        nearby = [one._replace(crop=crop_box(box, w / h)) for one, box in zip(found, boxes, strict=True)]
        views = [(photos[one.photo].small, one.crop) for one in nearby]
        outputs = self._outputs(views, self.runtime.refine_hw, False)
        for one, box, shrink, output in zip(nearby, boxes, shrinks, outputs, strict=True):
            if _score(one.heat, output) >= MIN_FIRST_SCORE * min_score:
                # Where a person is likelier than not, whichever chart: to cut off an arm costs more than a wide frame.
                tight = tight_box(is_person(output.chart_logits), one.crop, box) * shrink
                yield one._replace(crop=crop_box(tight, w / h))

    def _outputs(
        self, views: Sequence[tuple[np.ndarray, Box]], size_hw: tuple[int, int], mirrored: bool
    ) -> Iterator[DenseOutput]:
        """Yield the network's output for each crop of an image, read at size_hw; without batch axis."""
        for start in range(0, len(views), CROPS_PER_PASS):
            part = views[start : start + CROPS_PER_PASS]
            crops = np.stack([crop_and_resize(image_rgb, crop, size_hw) for image_rgb, crop in part])
            output = self.runtime.label(np.concatenate([crops, crops[:, :, ::-1]]) if mirrored else crops)
            if mirrored:
                halves = zip(*(np.split(maps, 2) for maps in output), strict=True)
                output = average_with_mirrored(*(DenseOutput(*half) for half in halves))
            yield from (DenseOutput(*one) for one in zip(*output, strict=True))


def _accounts_for_all(boxes: np.ndarray, heat: np.ndarray) -> bool:
    """Return whether there is a person for sure, and whatever else looks a little like one, boxes (N, 4) with heat (N,)
    from HINT on, is centred inside such people: then other scales show nobody else."""
    sure = boxes[heat >= SURE]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (centres[:, None] > sure[:, :2]) & (centres[:, None] < sure[:, 2:])  # (N, sure, 2)
    return len(sure) > 0 and bool(inside.all(axis=2).any(axis=1).all())


def _shrunk(image_rgb: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Shrink a photo that is at least twice as long as `side` by a whole number, to no less than that, so that it is
    read once for all scales. Returns it and by how much x, y, x, y shrank, (4,) float32."""
    height, width = image_rgb.shape[:2]
    step = max(height, width) // side
    if step < 2:
        return image_rgb, np.ones(4, np.float32)
    small = cv2.resize(image_rgb, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    return small, np.array([width / small.shape[1], height / small.shape[0]] * 2, np.float32)


def _view(photo: _Photo, crop: Box, height: int) -> _View:
    """Return what a crop that is read at a height shows, from the smaller copy if that has pixels enough: to read many
    megapixels a second time takes a seventh of a call."""
    left, top, right, bottom = (round(edge) for edge in crop / photo.shrink)
    if bottom - top < ENOUGH * height:
        return _View(photo.image_rgb, crop, crop)
    x0, y0, x1, y1 = (round(edge) for edge in (left, top, right, bottom) * photo.shrink)
    return _View(photo.small, (left, top, right, bottom), (x0, y0, x1, y1))


def _score(heat: float, output: DenseOutput) -> float:
    """Return the geometric mean of the detector's and of the labels' quality, so that those come first who are labelled
    well (as in Huang et al., Mask Scoring R-CNN, CVPR 2019)."""
    return math.sqrt(heat * float(sigmoid(output.quality_logit)))


def _instance(output: DenseOutput, found: _Candidate, size_hw: tuple[int, int], box_is_given: bool) -> Instance:
    """Put the crop's labels into a photo of size_hw, with a score and, unless it is given, a better box.

    The box is the mean of the detected one and of the one around the labels: two estimates whose errors differ.
    """
    box = found.box
    x0, y0, x1, y1 = found.crop
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, size_hw[1]), min(y1, size_hw[0])
    rows = (np.arange(top, bottom) + 0.5 - y0) / (y1 - y0)
    columns = (np.arange(left, right) + 0.5 - x0) / (x1 - x0)
    i, u, v, confidence = (np.zeros(size_hw, dtype) for dtype in (np.uint8, *[np.float32] * 3))
    of_crop = [whole[top:bottom, left:right] for whole in (i, u, v, confidence)]
    decode_pixels(output, rows, columns, into=of_crop)
    x, y, width, height = erase_small_components(*of_crop)
    score = 0.0
    if width:
        score = _score(found.heat, output)
        around = np.array([left + x, top + y, left + x + width, top + y + height], np.float32)
        box = box if box_is_given else (box + around) / 2
    return Instance(np.asarray(box, np.float32), score, IUV(i, u, v), confidence)


def erase_small_components(i: np.ndarray, *maps: np.ndarray) -> tuple[int, int, int, int]:
    """Set i (h, w) uint8 and the other maps (h, w) to 0 on the components of i > 0 that are smaller than 1 % of the
    largest one, holes counted: hardly ever a person's. Returns x, y, width and height of the others, all 0 if there
    are none."""
    contours, hierarchy = cv2.findContours(i, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = hierarchy[0, :, 3] if len(contours) else ()
    outlines = [contour for contour, parent in zip(contours, parents, strict=True) if parent < 0]
    areas = np.array([_filled_pixels(outline) for outline in outlines])
    boxes = np.array([cv2.boundingRect(outline) for outline in outlines]).reshape(-1, 4)
    small = areas < MIN_COMPONENT_FRACTION * areas.max(initial=0)
    for k in np.flatnonzero(small):
        x, y, width, height = boxes[k]
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, outlines, int(k), 1, cv2.FILLED, offset=(-int(x), -int(y)))
        for part in (i, *maps):
            part[y : y + height, x : x + width][inside > 0] = 0
    corners = boxes[~small]
    if not len(corners):
        return 0, 0, 0, 0
    (x, y), (right, bottom) = corners[:, :2].min(axis=0), (corners[:, :2] + corners[:, 2:]).max(axis=0)
    return int(x), int(y), int(right - x), int(bottom - y)


def _filled_pixels(outline: np.ndarray) -> float:
    """Count the pixels on and inside an outline through pixels' centres (n, 1, 2): Pick's theorem."""
    steps = np.abs(np.diff(outline[:, 0], axis=0, append=outline[:1, 0])).max(axis=1).sum()
    return cv2.contourArea(outline) + steps / 2 + 1
