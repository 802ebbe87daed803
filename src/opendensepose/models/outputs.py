"""What the networks predict: raw maps of each region, and the labels of pixels that they are decoded to."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from opendensepose.surface import NUM_CHARTS

__all__ = ["NUM_CLASSES", "ChartOutput", "PixelLabels"]

NUM_CLASSES = NUM_CHARTS + 1  # background and the charts


class PixelLabels(NamedTuple):
    """Labels of a window of pixels, all arrays or all tensors."""

    i: np.ndarray | Tensor  # (h, w) uint8: 0 background, 1..24
    u: np.ndarray | Tensor  # (h, w) float32 in [0, 1], 0 on background
    v: np.ndarray | Tensor  # (h, w) float32 in [0, 1], 0 on background
    confidence: np.ndarray | Tensor  # (h, w) float32, the probability that the chart is right; 0 on background


class ChartOutput(NamedTuple):
    """What is told of each region, S = 4 P cells on a side. The confidences are None in models without them."""

    coarse: Tensor  # (R, 2 or 15, S, S) logits: background and person, or background and 14 parts
    fine: Tensor  # (R, 25, S, S) logits: background and 24 charts
    u: Tensor  # (R, 25, S, S), not clamped to [0, 1]; that of background means nothing
    v: Tensor  # (R, 25, S, S)
    sigma_2: Tensor | None = None  # (R, 25, S, S): before the softplus, the variance of U and V
    kappa_u: Tensor | None = None  # (R, 25, S, S)
    kappa_v: Tensor | None = None  # (R, 25, S, S)
    fine_confidence: Tensor | None = None  # (R, 1, S, S) > 0; `fine` is already multiplied by it
    coarse_confidence: Tensor | None = None  # (R, 1, S, S) > 0; `coarse` is already multiplied by it
