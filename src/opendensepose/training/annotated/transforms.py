"""Augmentations of an image and its annotation together: scale, crop, mirror; and colour.

Letters: K people, M points, H x W pixels.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from opendensepose.iuv import IUV, flip_iuv
from opendensepose.keypoints import MIRROR_KEYPOINT
from opendensepose.models.image_batch import network_size
from opendensepose.models.targets import DenseLabels
from opendensepose.part_grid import GRID, grid_centres, to_cells
from opendensepose.surface import CHART_TO_PART, MIRROR_CHART, mirror_iuv
from opendensepose.training.annotated.images import AnnotatedSample
from opendensepose.training.augment import change_colour

__all__ = ["MIRROR_PART", "Transforms", "crop", "mirror", "put_on_canvas", "scale"]

MEAN_RGB = (124, 116, 104)  # what the networks subtract
LEAST_VISIBLE = 0.2  # of a box; people of whom a crop leaves less are ignored

MIRROR_PART = np.zeros(15, np.uint8)
MIRROR_PART[CHART_TO_PART] = CHART_TO_PART[MIRROR_CHART]


@dataclass(frozen=True)
class Transforms:
    """Augment a sample as in training: `Transforms(...)(sample, rng)`.

    short_sides: one is drawn, and the image scaled to it unless its longer side would exceed long_side. canvas_hw: the
    size that all images get then, by a window drawn at random, with grey where there is no image; None: none. On a CPU
    each new size of a convolution costs as much time as several steps. mirror: how often. colour: whether colours
    change.
    """

    short_sides: tuple[int, ...] = (640, 672, 704, 736, 768, 800)
    long_side: int = 1333
    canvas_hw: tuple[int, int] | None = None
    mirror: float = 0.5
    colour: bool = False

    def __call__(self, sample: AnnotatedSample, rng: np.random.Generator) -> AnnotatedSample:
        side = int(rng.choice(self.short_sides))
        sample = scale(sample, network_size(sample.image.shape[:2], side, self.long_side))
        if self.canvas_hw:
            spare = [have - wanted for have, wanted in zip(sample.image.shape, self.canvas_hw, strict=False)]
            y, x = (int(rng.integers(max(0, n) + 1)) for n in spare)
            sample = put_on_canvas(crop(sample, (x, y, x + self.canvas_hw[1], y + self.canvas_hw[0])), self.canvas_hw)
        if rng.random() < self.mirror:
            sample = mirror(sample)
        if self.colour:
            sample = sample._replace(image=change_colour(sample.image, rng))
        return sample


def scale(sample: AnnotatedSample, size_hw: tuple[int, int]) -> AnnotatedSample:
    """The same at another size; the image by Pillow's bilinear filter as in prediction, dense labels by the nearest
    pixel."""
    height, width = sample.image.shape[:2]
    if (height, width) == tuple(size_hw):
        return sample
    image = np.asarray(Image.fromarray(sample.image).resize(size_hw[::-1], Image.Resampling.BILINEAR))
    factor = np.array([size_hw[1] / width, size_hw[0] / height], np.float32)
    keypoints = sample.keypoints.copy()
    keypoints[..., :2] *= factor
    dense = sample.dense
    if dense is not None:
        row = ((np.arange(size_hw[0]) + 0.5) * height / size_hw[0]).astype(int)
        column = ((np.arange(size_hw[1]) + 0.5) * width / size_hw[1]).astype(int)
        dense = DenseLabels(*(labels[row][:, column] for labels in dense))
    return sample._replace(
        image=image,
        boxes=sample.boxes * np.tile(factor, 2),
        keypoints=keypoints,
        point_xy=sample.point_xy * factor,
        ignored=sample.ignored * np.tile(factor, 2),
        dense=dense,
    )


def mirror(sample: AnnotatedSample) -> AnnotatedSample:
    """Left and right exchanged: in the picture, and by the mirror rule in all labels."""
    width = sample.image.shape[1]
    point_i, point_u, point_v = mirror_iuv(sample.point_i, sample.point_u, sample.point_v)
    keypoints = sample.keypoints[:, list(MIRROR_KEYPOINT)]
    keypoints[..., 0] = np.where(keypoints[..., 2] > 0, width - keypoints[..., 0], 0)
    dense = sample.dense
    if dense is not None:
        iuv = flip_iuv(IUV(dense.i, dense.u, dense.v))
        dense = DenseLabels(iuv.i, iuv.u, iuv.v, np.ascontiguousarray(dense.person[:, ::-1]))
    point_xy = sample.point_xy * np.array([-1, 1], np.float32) + np.array([width, 0], np.float32)
    return sample._replace(
        image=np.ascontiguousarray(sample.image[:, ::-1]),
        boxes=_mirrored_boxes(sample.boxes, width),
        parts=MIRROR_PART[sample.parts[:, :, ::-1]],
        keypoints=keypoints,
        point_xy=point_xy,
        point_i=point_i,
        point_u=point_u,
        point_v=point_v,
        ignored=_mirrored_boxes(sample.ignored, width),
        dense=dense,
    )


def _mirrored_boxes(boxes: np.ndarray, width: int) -> np.ndarray:
    return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)


def crop(sample: AnnotatedSample, window_xyxy: tuple[int, int, int, int]) -> AnnotatedSample:
    """What lies in a window of whole pixels, as far as there is image. Boxes are cut at its edges, and part masks with
    them; people of whom little is left are ignored."""
    height, width = sample.image.shape[:2]
    x0, y0, x1, y1 = (min(edge, end) for edge, end in zip(window_xyxy, (width, height) * 2, strict=True))
    if (x0, y0, x1, y1) == (0, 0, width, height):
        return sample
    size, offset = np.array([x1 - x0, y1 - y0] * 2, np.float32), np.array([x0, y0] * 2, np.float32)
    boxes = np.clip(sample.boxes - offset, 0, size)
    visible = _area(boxes) / np.maximum(_area(sample.boxes), 1e-6)
    kept = visible >= LEAST_VISIBLE
    ignored = np.concatenate([np.clip(sample.ignored - offset, 0, size), boxes[~kept & (visible > 0)]])
    row = np.cumsum(kept) - 1  # of each person among those kept
    point_xy = sample.point_xy - offset[:2]
    inside = ((point_xy >= 0) & (point_xy < size[:2])).all(1) & kept[sample.point_person]
    person = row[sample.point_person[inside]].astype(np.int64)
    has_points = np.bincount(person, minlength=kept.sum()) > 0
    keypoints = sample.keypoints[kept].copy()
    keypoints[..., :2] -= offset[:2]
    outside = ((keypoints[..., :2] < 0) | (keypoints[..., :2] >= size[:2])).any(-1)
    keypoints[outside | (keypoints[..., 2] == 0)] = 0
    moved = zip(sample.parts[kept], sample.boxes[kept] - offset, boxes[kept], strict=True)
    parts = [_cut_parts(*one) for one in moved]
    dense = sample.dense
    if dense is not None:
        i, u, v, number = (np.ascontiguousarray(labels[y0:y1, x0:x1]) for labels in dense)
        rows = np.zeros(256, np.uint8)
        rows[1 : len(kept) + 1] = np.where(kept, row + 1, 0)
        number = rows[number]
        dense = DenseLabels(np.where(number > 0, i, 0).astype(np.uint8), u, v, number)
    return sample._replace(
        image=np.ascontiguousarray(sample.image[y0:y1, x0:x1]),
        boxes=boxes[kept],
        parts=np.array(parts, np.uint8).reshape(-1, GRID, GRID),
        annotated=sample.annotated[kept] & has_points,
        keypoints=keypoints,
        point_xy=point_xy[inside],
        point_i=sample.point_i[inside],
        point_u=sample.point_u[inside],
        point_v=sample.point_v[inside],
        point_person=person,
        ignored=ignored[_area(ignored) > 0],
        dense=dense,
    )


def put_on_canvas(sample: AnnotatedSample, size_hw: tuple[int, int]) -> AnnotatedSample:
    """The image in the top left corner of a larger one of the mean colour; annotations stay where they are."""
    height, width = sample.image.shape[:2]
    if (height, width) == tuple(size_hw):
        return sample
    image = np.empty((*size_hw, 3), np.uint8)
    image[...] = MEAN_RGB
    image[:height, :width] = sample.image
    dense = sample.dense
    if dense is not None:
        dense = DenseLabels(*(np.pad(labels, ((0, size_hw[0] - height), (0, size_hw[1] - width))) for labels in dense))
    return sample._replace(image=image, dense=dense)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _cut_parts(parts: np.ndarray, box: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """A grid of parts laid over `box`, laid over the part `cut` of it, by the nearest cell."""
    if (box == cut).all():
        return parts
    centres = np.stack(grid_centres(cut), axis=1)  # (256, 2)
    column, row = np.clip(to_cells(centres, box), 0, GRID - 1).astype(int).T
    return parts[row][:, column]
