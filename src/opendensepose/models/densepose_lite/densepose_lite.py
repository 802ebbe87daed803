"""DensePoseLite, the default model: a person detector and a crop labeller that share one small backbone.

Photo -> people: boxes are detected at several scales, each person's crop is labelled and put back.

Letters: N images, crops or boxes, H x W photo size, h x w crop size.
"""

import copy
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from opendensepose.instance import Instance, place_in_photo, without_duplicates
from opendensepose.iuv import IUV
from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_pixels
from opendensepose.models.densepose_lite.network import (
    Backbone,
    DenseHead,
    DenseOutput,
    DetectionHead,
    DetectionOutput,
    Pyramid,
    decode_boxes,
    nms,
    person_logit,
)
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.prediction import PreparedNetwork

__all__ = ["DensePoseLite", "PreparedDensePoseLite", "crop_and_resize", "crop_box", "remove_small_components"]

GREY = 127  # what lies outside a photo, as in training
BOX_PADDING = 0.14  # of the box's width and height, on each side
STRIDE = 32  # photos are padded to whole strides for detection
MAX_PEOPLE = 50
MAX_IOU = 0.5  # of the boxes of two people
CROPS_PER_PASS = 16
# Of what a box cuts out, 600 MB: four times the largest photo; a box around all of one of 16:9 needs 194 million.
MAX_REGION_PIXELS = 200_000_000
MIN_COMPONENT_FRACTION = 0.01  # of the largest component of a person: smaller ones are dropped
MIN_PERSON_FRACTION = 0.02  # of the crop: a detected person who covers less is dropped
MIN_TIGHT = 0.5  # of the detected box; where the first labels fill less, part of the person may be left out

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in whole pixels of the photo, may reach outside it


class DensePoseLite(nn.Module):
    """Backbone with a detection head, run on whole photos, and a dense head, run on a crop of each person.

    widths, depths: see Backbone. Images are (N, 3, H, W), values 0..255 in any number type, RGB. crop_hw: height and
    width of the crops that are labelled; refine_hw: of those that only tighten the person's box, None: the same.
    detect_sides: people are detected in the photo scaled to each of these longer sides: the first is the one that the
    detector was trained on, a smaller one is for people who fill the photo, a larger one for small people. min_score:
    see PreparedNetwork. quality_channels: see DenseHead, 0 in version 0.1.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192, 288),
        depths: tuple[int, ...] = (1, 2, 3, 2),
        dense_channels: int = 96,
        detection_channels: int = 64,
        crop_hw: tuple[int, int] = (192, 144),
        detect_sides: tuple[int, ...] = (256, 160, 384),
        min_score: float = 0.45,
        quality_channels: int = 0,
        refine_hw: tuple[int, int] | None = None,
    ):
        super().__init__()
        self.crop_hw, self.refine_hw = tuple(crop_hw), tuple(refine_hw or crop_hw)
        self.detect_sides, self.min_score = tuple(detect_sides), min_score
        self.backbone = Backbone(widths, depths)
        self.dense_head = DenseHead(widths[0], dense_channels, widths[3], quality_channels)
        self.detection_head = DetectionHead(widths[1], detection_channels)

    def detect(self, image: Tensor) -> DetectionOutput:
        """Detect people in whole photos (N, 3, H, W)."""
        return self.detection_head(self.backbone(scaled(image, self), to_stride=8).stride8)

    def label(self, image: Tensor) -> DenseOutput:
        """Label crops (N, 3, h, w) that each frame one person: charts, U, V and confidence."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled)

    def forward(self, image: Tensor) -> tuple[DenseOutput, DetectionOutput, Pyramid]:
        """Do both at once, and return the features below them, as training on crops needs them."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled), self.detection_head(pyramid.stride8), pyramid

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction. mirrored: average the labels of each crop with those of its mirror image.
        refine: label a first crop only to tighten the box."""
        return PreparedDensePoseLite(self, mirrored, refine)


def scaled(image: Tensor, model: nn.Module) -> Tensor:
    """Scale 0..255 to about [-1, 1] in the model's number type; grey 127 becomes 0."""
    return (image.to(next(model.parameters()).dtype) - 127.0) / 128.0


class PreparedDensePoseLite:
    """A DensePoseLite as a `PreparedNetwork`; mirrored, refine: see `DensePoseLite.prepare`."""

    def __init__(self, network: nn.Module, mirrored: bool = True, refine: bool = True):
        self.model = fold_norms(copy.deepcopy(network).eval()).requires_grad_(False)
        self.device = next(network.parameters()).device
        self.min_score, self.mirrored, self.refine = network.min_score, mirrored, refine

    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find and label people, see `PreparedNetwork.find`."""
        # A score is sqrt(heat * quality of the labels), so no one is kept whose heat is below min_score^2. Where
        # min_score is low, so little heat is met all over a photo and hardly ever on a person: ask for min_score / 2.
        min_heat = max(min_score**2, min_score / 2)
        of_scales = [self._detect(images_rgb, side, min_heat) for side in self.model.detect_sides]
        found = [
            _merge_scales(of_photo, image_rgb.shape[:2])
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

    def _detect(self, images_rgb: Sequence[np.ndarray], side: int, min_heat: float) -> list[tuple[Tensor, Tensor]]:
        """Detect people in photos scaled to a longer side of `side`: for each photo boxes (N, 4) in its pixels and
        their heat (N,)."""
        found: dict[int, tuple[Tensor, Tensor]] = {}
        scales = [side / max(image_rgb.shape[:2]) for image_rgb in images_rgb]
        sizes_hw = [
            tuple(STRIDE * math.ceil(length * scale / STRIDE - 1e-6) for length in image_rgb.shape[:2])
            for image_rgb, scale in zip(images_rgb, scales, strict=True)
        ]
        for hw in dict.fromkeys(sizes_hw):
            equal = [k for k, size_hw in enumerate(sizes_hw) if size_hw == hw]
            whole = [(0, 0, round(hw[1] / scales[k]), round(hw[0] / scales[k])) for k in equal]
            images = [crop_and_resize(images_rgb[k], box, hw) for k, box in zip(equal, whole, strict=True)]
            output = self.model.detect(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).to(self.device))
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
        h, w = self.model.crop_hw
        crops = [crop_box(box, w / h) for box in boxes]
        if self.refine:
            outputs = self._outputs(images, crops, self.model.refine_hw, mirrored=False)
            crops = [crop_box(_tight_box(*one), w / h) for one in zip(outputs, crops, boxes, strict=True)]
        outputs = self._outputs(images, crops, self.model.crop_hw, self.mirrored)
        people: list[list[Instance]] = [[] for _ in images_rgb]
        for k, output, crop, box, one_heat in zip(photo, outputs, crops, boxes, np.concatenate(heat), strict=True):
            if (person_logit(output.chart_logits, axis=0) > 0).float().mean() >= MIN_PERSON_FRACTION:
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
            image = torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).to(self.device)  # (N, 3, h, w)
            output = self.model.label(torch.cat([image, image.flip(-1)]) if mirrored else image)
            if mirrored:
                halves = zip(*(maps.chunk(2) for maps in output), strict=True)
                output = average_with_mirrored(*(DenseOutput(*half) for half in halves))
            yield from (DenseOutput(*one) for one in zip(*output, strict=True))


def _merge_scales(
    of_scales: Sequence[tuple[Tensor, Tensor]], size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (N, 4) float32 in the photo and heat (N,) of one photo, the hottest first, after non-maximum
    suppression; more than the answer will have, since labels count in the final score."""
    boxes, heat = (torch.cat(part) for part in zip(*of_scales, strict=True))
    order = heat.argsort(descending=True, stable=True)
    order = order[nms(boxes[order], MAX_IOU)[:MAX_PEOPLE]]
    boxes, heat = boxes[order].cpu().numpy(), heat[order].cpu().numpy()
    boxes = np.clip(boxes, 0, [size_hw[1], size_hw[0]] * 2).astype(np.float32)
    wide = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1
    return boxes[wide], heat[wide]


def crop_box(box_xyxy: np.ndarray, aspect: float, padding: float = BOX_PADDING) -> Box:
    """Return the box with padding, widened or heightened about its centre to width / height = aspect."""
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    width, height = (x1 - x0) * (1 + 2 * padding), (y1 - y0) * (1 + 2 * padding)
    width, height = max(width, height * aspect, 4.0), max(height, width / aspect, 4.0)
    left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
    return left, top, left + max(1, round(width)), top + max(1, round(height))


def crop_and_resize(image_rgb: np.ndarray, box: Box, size_hw: tuple[int, int]) -> np.ndarray:
    """Cut a box out of the photo, grey where it reaches outside, and scale it to size_hw: (h, w, 3) uint8."""
    x0, y0, x1, y1 = box
    step = math.isqrt((x1 - x0) * (y1 - y0) // MAX_REGION_PIXELS) + 1
    if step > 1:  # mostly outside a long photo: every step-th pixel is more than enough
        box = x0 // step, y0 // step, x1 // step, y1 // step
        return crop_and_resize(image_rgb[::step, ::step], box, size_hw)
    height, width = image_rgb.shape[:2]
    inside = image_rgb[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    top, left = max(-y0, 0), max(-x0, 0)
    bottom, right = max(y1 - max(height, y0), 0), max(x1 - max(width, x0), 0)
    if top or left or bottom or right:
        inside = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY,) * 3)
    shrinks = inside.shape[0] > size_hw[0]
    return cv2.resize(inside, size_hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _tight_box(output: DenseOutput, crop: Box, box: np.ndarray) -> np.ndarray:
    """Return the box of the pixels labelled as the person, in the photo's pixels; the given box if they are too few,
    and one between both if the labels fill little of it: then either may be wrong."""
    # Where a person is likelier than not, whichever chart: cutting an arm off costs more than a wider frame.
    person = (person_logit(output.chart_logits, axis=0) > 0).cpu().numpy()
    if person.mean() < MIN_PERSON_FRACTION:
        return box
    rows, columns = np.nonzero(person.sum(1) > 1)[0], np.nonzero(person.sum(0) > 1)[0]
    if not len(rows) or not len(columns):
        return box
    x0, y0, x1, y1 = crop
    x = x0 + np.array([columns[0], columns[-1] + 1]) * (x1 - x0) / person.shape[1]
    y = y0 + np.array([rows[0], rows[-1] + 1]) * (y1 - y0) / person.shape[0]
    tight = np.array([x[0], y[0], x[1], y[1]], np.float32)
    if _area(tight) < MIN_TIGHT * _area(box):
        between = (tight + box) / 2
        tight = np.concatenate([np.minimum(tight, between)[:2], np.maximum(tight, between)[2:]])
    return tight


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


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
    device = output.u.device
    rows = (torch.arange(top, bottom, device=device) + 0.5 - y0) / (y1 - y0)
    columns = (torch.arange(left, right, device=device) + 0.5 - x0) / (x1 - x0)
    i, u, v, confidence = (part.cpu().numpy() for part in decode_pixels(output, rows, columns))
    kept = remove_small_components(i > 0)
    labels = IUV(i * kept, u * kept, v * kept)
    rows, columns = np.flatnonzero(labels.i.any(axis=1)), np.flatnonzero(labels.i.any(axis=0))
    score = 0.0
    if len(rows):
        score = math.sqrt(heat * float(output.quality_logit.sigmoid()))
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
