"""Changes to a rendered image that is used more than once: mirror, small turn and zoom, colour."""

from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.iuv import IUV, flip_iuv
from opendensepose.keypoints import MIRROR_KEYPOINT

__all__ = ["Sample", "augment", "change_colour", "mirror", "warp", "zoom_in"]

GREY = 127  # what lies outside a photo


class Sample(NamedTuple):
    """One image to learn from. In a crop ("crop") only the person whose box frames it is labelled; a crop may also show
    nobody."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    i: np.ndarray  # (H, W) uint8
    u: np.ndarray  # (H, W) float32
    v: np.ndarray  # (H, W) float32
    boxes_xyxy: np.ndarray  # (M, 4) float32 pixels: everybody in the image
    keypoints: np.ndarray  # (17, 3) float32 of the labelled person: x, y in pixels, COCO visibility (0: not known)
    yaw: float  # radians, see synth.truth.facing_yaws; NaN: nobody is labelled


def mirror(sample: Sample) -> Sample:
    """Left and right exchanged, in the picture, the boxes, the keypoints, the yaw and (by the mirror rule) the
    labels."""
    width = sample.image.shape[1]
    flipped = flip_iuv(IUV(sample.i, sample.u, sample.v))
    boxes = sample.boxes_xyxy.copy()
    boxes[:, [0, 2]] = width - sample.boxes_xyxy[:, [2, 0]]
    image = np.ascontiguousarray(sample.image[:, ::-1])
    keypoints = sample.keypoints[list(MIRROR_KEYPOINT)]
    keypoints[:, 0] = width - keypoints[:, 0]
    return Sample(image, flipped.i, flipped.u, flipped.v, boxes, keypoints, -sample.yaw)


def warp(sample: Sample, matrix: np.ndarray) -> Sample:
    """Warp picture, labels, boxes and keypoints by matrix (2, 3), x, y of the old -> x, y of the new picture (edges at
    0, not centres).

    A box becomes the box around its four moved corners, cut at the frame.
    """
    height, width = sample.image.shape[:2]
    at_centres = matrix.astype(np.float64).copy()  # OpenCV counts from pixel centres: p' = M (p + .5) - .5
    at_centres[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    image = cv2.warpAffine(sample.image, at_centres, (width, height), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3)
    i, u, v = (
        cv2.warpAffine(np.ascontiguousarray(label), at_centres, (width, height), flags=cv2.INTER_NEAREST)
        for label in (sample.i, sample.u, sample.v)
    )
    corners = sample.boxes_xyxy[:, [[0, 1], [2, 1], [0, 3], [2, 3]]] @ matrix[:, :2].T + matrix[:, 2]  # (M, 4, 2)
    boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1) if len(corners) else sample.boxes_xyxy
    boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    keypoints = sample.keypoints.copy()
    keypoints[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return Sample(image, i, u, v, boxes, keypoints.astype(np.float32), sample.yaw)


def zoom_in(sample: Sample, rng: np.random.Generator, most: float = 2.5) -> Sample:
    """A random part of the picture with its sides' ratio kept, 1 to `most` times enlarged."""
    height, width = sample.image.shape[:2]
    scale = float(np.exp(rng.uniform(0, np.log(most))))
    corner = rng.uniform(0, 1 - 1 / scale, 2) * [width, height]
    return warp(sample, np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]]))


def change_colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random gain per channel and a random gamma by one look-up table per channel, uint8 to uint8."""
    level = np.linspace(0, 1, 256)
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    table = 255 * np.clip(level[:, None] ** rng.uniform(0.75, 1.33) * gain, 0, 1)
    return cv2.LUT(image, table.round().astype(np.uint8)[:, None, :])


def augment(sample: Sample, rng: np.random.Generator, turn: float = 12.0) -> Sample:
    """Mirror by chance, turn up to `turn` degrees, zoom up to 15 %, move up to 5 %, change colours."""
    if rng.random() < 0.5:
        sample = mirror(sample)
    height, width = sample.image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-turn, turn), rng.uniform(0.87, 1.15))
    matrix[:, 2] += rng.uniform(-0.05, 0.05, 2) * [width, height]
    sample = warp(sample, matrix)
    return sample._replace(image=change_colour(sample.image, rng))
