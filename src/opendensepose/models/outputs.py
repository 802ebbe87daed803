"""What the networks predict: classes, and the raw maps of each region of DensePose R-CNN."""

from typing import NamedTuple

from torch import Tensor

from opendensepose.surface import NUM_CHARTS

__all__ = ["NUM_CLASSES", "ChartOutput", "EmbeddingOutput"]

NUM_CLASSES = NUM_CHARTS + 1  # background and the charts


class ChartOutput(NamedTuple):
    """Raw output for R regions, S = 4 P cells on a side. The confidences are None in models without them."""

    coarse: Tensor  # (R, 2 or 15, S, S) logits: background and person, or background and 14 parts
    fine: Tensor  # (R, 25, S, S) logits: background and 24 charts
    u: Tensor  # (R, 25, S, S), not clamped to [0, 1]; that of background means nothing
    v: Tensor  # (R, 25, S, S)
    sigma_2: Tensor | None = None  # (R, 25, S, S): before the softplus, the variance of U and V
    kappa_u: Tensor | None = None  # (R, 25, S, S)
    kappa_v: Tensor | None = None  # (R, 25, S, S)
    fine_confidence: Tensor | None = None  # (R, 1, S, S) > 0; `fine` is already multiplied by it
    coarse_confidence: Tensor | None = None  # (R, 1, S, S) > 0; `coarse` is already multiplied by it


class EmbeddingOutput(NamedTuple):
    """Raw output for R regions, S = 4 P cells on a side, of a network that embeds pixels in D dimensions."""

    coarse: Tensor  # (R, 2, S, S) logits: background and person
    embedding: Tensor  # (R, D, S, S), of any length
