"""Following people: which found person is which track, and where a track's box is in the next frame.

Letters: T tracks, N found people, H x W frame.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from opendensepose.video.motion import Motion, pixel_centres, sample
from opendensepose.video.steady import LabelWindow

__all__ = ["Track", "box_ious", "match_boxes", "moved_box"]

LEAST_IOU = 0.3  # of a found box and the track's: less is somebody else


@dataclass
class Track:
    """A person who is followed.

    track_id: 1, 2, ..., kept for the whole clip. box_xyxy: (4,) float32 where the person is expected. score: of the
    last frame. certainty: what the label's score is multiplied by, as the detector was this sure. misses: searches in
    a row that did not find the person. unseen: frames since the labels were lost. observed: labels of the last frames,
    the newest first. shown: the steady labels of the last frame.
    """

    track_id: int
    box_xyxy: np.ndarray
    score: float
    certainty: float
    misses: int = 0
    unseen: int = 0
    observed: list[LabelWindow] = field(default_factory=list)
    shown: LabelWindow | None = None


def box_ious(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (T, 4) and (N, 4): (T, N)."""
    boxes, others = (np.asarray(part, np.float64).reshape(-1, 4) for part in (boxes, others))
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = (high - low).clip(min=0).prod(-1)
    areas = [(part[:, 2:] - part[:, :2]).prod(-1) for part in (boxes, others)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


def match_boxes(boxes: np.ndarray, others: np.ndarray, least_iou: float = LEAST_IOU) -> list[tuple[int, int]]:
    """Pair boxes (T, 4) with others (N, 4), each used once, the pair with the largest overlap first."""
    ious = box_ious(boxes, others)
    pairs: list[tuple[int, int]] = []
    while ious.size and ious.max() >= max(least_iou, 1e-9):
        row, column = (int(k) for k in np.unravel_index(ious.argmax(), ious.shape))
        pairs.append((row, column))
        ious[row], ious[:, column] = -1, -1
    return pairs


def moved_box(labels: LabelWindow, box_xyxy: np.ndarray, motion: Motion) -> np.ndarray:
    """The box (4,) float32 around a person in a frame, from the labels of the frame before and the motion between.

    box_xyxy: in the frame before; it is returned if nothing of the person is left.
    """
    height, width = motion.flow.shape[:2]
    there = pixel_centres(0, 0, width, height)
    earlier = (there + motion.flow) / np.array(motion.scale_xy, np.float32)
    here = earlier - np.array(labels.corner_xy, np.float32)
    mask = sample(labels.i, here, nearest=True, border=cv2.BORDER_CONSTANT) > 0
    rows, columns = np.flatnonzero(mask.sum(1) > 1), np.flatnonzero(mask.sum(0) > 1)
    if not len(rows) or not len(columns):
        return box_xyxy
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / np.tile(motion.scale_xy, 2)
    return box.astype(np.float32)
