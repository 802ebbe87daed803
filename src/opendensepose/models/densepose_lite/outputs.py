"""What the networks of DensePoseLite give, as tensors where torch runs them, as NumPy arrays everywhere else.

Letters: N images or crops, H x W their size in pixels, h = H/8, w = W/8 cells of the detection head.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any  # torch.Tensor or np.ndarray

__all__ = ["PERSON_WEIGHT", "DenseOutput", "DetectionOutput"]

PERSON_WEIGHT = 3.0  # of little influence on real photos, of much on rendered people (docs/results.md)


class DenseOutput(NamedTuple):
    """Raw dense output for crops."""

    chart_logits: Array  # (N, 25, H/2, W/2)
    u: Array  # (N, 24, H/4, W/4), not yet clamped to [0, 1]
    v: Array  # (N, 24, H/4, W/4)
    confidence_logit: Array  # (N, H/2, W/2); sigmoid = confidence, see Instance
    quality_logit: Array  # (N,); sigmoid = expected share of right labels, 0 where the crop shows no person


class DetectionOutput(NamedTuple):
    """Raw output of the detection head."""

    heat_logit: Array  # (N, h, w); sigmoid = how likely a person's box is centred in the cell
    boxes_xyxy: Array  # (N, h, w, 4) pixels of the input image: the box each cell proposes
