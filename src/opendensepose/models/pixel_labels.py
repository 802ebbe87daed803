"""What a network is decoded to: for each pixel a chart, U, V, and how probable that chart is."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

__all__ = ["PixelLabels"]


class PixelLabels(NamedTuple):
    """Labels of a window of pixels, all arrays or all tensors."""

    i: np.ndarray | Tensor  # (h, w) uint8: 0 background, 1..24
    u: np.ndarray | Tensor  # (h, w) float32 in [0, 1], 0 on background
    v: np.ndarray | Tensor  # (h, w) float32 in [0, 1], 0 on background
    confidence: np.ndarray | Tensor  # (h, w) float32, the probability that the chart is right; 0 on background
