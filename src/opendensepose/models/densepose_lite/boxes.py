"""The detection head's output -> boxes of people, in NumPy: whichever library runs the network.

Letters: K boxes, h x w cells.
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["decode_boxes", "merge_scales", "nms", "sigmoid"]

MAX_BOXES = 200  # of one scale
MAX_PEOPLE = 50
MAX_IOU = 0.5  # of the boxes of two people


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-logit)), float32; 0 where exp overflows."""
    with np.errstate(over="ignore"):
        return np.float32(1) / (1 + np.exp(-logit, dtype=np.float32))


def decode_boxes(
    heat_logit: np.ndarray, boxes_xyxy: np.ndarray, min_score: float, max_iou: float = 0.6
) -> tuple[np.ndarray, np.ndarray]:
    """Read boxes (K, 4) and scores (K,) off one image's output, best first: heat >= min_score, non-maximum suppression
    at max_iou.

    heat_logit (h, w) and boxes_xyxy (h, w, 4): one image of a DetectionOutput.
    """
    scores = sigmoid(heat_logit.ravel())
    chosen = np.flatnonzero(scores >= min_score)
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")][:MAX_BOXES]
    boxes, scores = boxes_xyxy.reshape(-1, 4)[chosen], scores[chosen]
    kept = nms(boxes, max_iou)
    return boxes[kept], scores[kept]


def nms(boxes_xyxy: np.ndarray, max_iou: float) -> np.ndarray:
    """Return the indices (M,) int64 of the boxes (K, 4), sorted best first, that overlap no better one with an IoU
    above max_iou: non-maximum suppression as in torchvision.ops.nms, without torch."""
    x0, y0, x1, y1 = boxes_xyxy.T
    width = np.minimum.outer(x1, x1) - np.maximum.outer(x0, x0)  # (K, K), of what two boxes share
    height = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = np.maximum(x1 - x0, 0) * np.maximum(y1 - y0, 0)
    overlaps = shared > max_iou * (np.add.outer(area, area) - shared)
    kept: list[int] = []
    suppressed = np.zeros(len(boxes_xyxy), bool)
    for k in range(len(boxes_xyxy)):
        if not suppressed[k]:
            kept.append(k)
            suppressed |= overlaps[k]
    return np.array(kept, np.int64)


def merge_scales(
    of_scales: Sequence[tuple[np.ndarray, np.ndarray]], size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (K, 4) float32 in a photo of size_hw and heat (K,), the hottest first, from those of several scales,
    after non-maximum suppression; more than the answer will have, since labels count in the final score."""
    boxes, heat = (np.concatenate(part) for part in zip(*of_scales, strict=True))
    order = np.argsort(-heat, kind="stable")
    order = order[nms(boxes[order], MAX_IOU)[:MAX_PEOPLE]]
    boxes, heat = np.clip(boxes[order], 0, [size_hw[1], size_hw[0]] * 2).astype(np.float32), heat[order]
    wide = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 1
    return boxes[wide], heat[wide]
