"""Dense head: for each cell of a crop the chart, U and V in every chart, and a confidence.

Letters: N crops, H x W crop size in pixels, 25 classes = background and 24 charts.
Source: the chart-wise classification and regression of Güler et al., CVPR 2018, section 3; the confidence is ours.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from opendensepose.models.densepose_lite.backbone import conv_norm_relu
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.surface import NUM_CHARTS

__all__ = ["DenseHead", "DenseOutput", "PERSON_WEIGHT", "decide", "mean_confidence_logit",
           "person_logit"]  # fmt: skip

PERSON_WEIGHT = 3.0  # of little influence on real photos, of much on rendered people (docs/results.md)
LOG_PERSON_WEIGHT = math.log(PERSON_WEIGHT)


class DenseOutput(NamedTuple):
    """Raw dense output for crops."""

    chart_logits: Tensor  # (N, 25, H/2, W/2)
    u: Tensor  # (N, 24, H/4, W/4), not yet clamped to [0, 1]
    v: Tensor  # (N, 24, H/4, W/4)
    confidence_logit: Tensor  # (N, H/2, W/2); sigmoid = probability that the chart decided for is right
    quality_logit: Tensor  # (N,); sigmoid = expected share of right labels, 0 where the crop shows no person


def decide(chart_logits: Tensor, axis: int = 1) -> Tensor:
    """I, int64: the arg max over charts and background of w P, with w = PERSON_WEIGHT for charts and 1 for background.

    chart_logits has its 25 classes on axis, which is gone in the result. The paper has w = 1 (Güler et al., 2018,
    section 3); the charts share a person's probability, and background takes uncertain arms.
    """
    background, charts = chart_logits.split([1, NUM_CHARTS], dim=axis)
    best = charts.max(dim=axis)  # argmax takes three times as long
    return (best.indices + 1) * (best.values + LOG_PERSON_WEIGHT > background.squeeze(axis))


def person_logit(chart_logits: Tensor, axis: int = 1) -> Tensor:
    """log P(any chart) - log P(background), above 0 where a person is more probable; the classes' axis is gone."""
    background, charts = chart_logits.split([1, NUM_CHARTS], dim=axis)
    return charts.logsumexp(dim=axis) - background.squeeze(axis)


def mean_confidence_logit(chart_logits: Tensor, confidence_logit: Tensor) -> Tensor:
    """(N,): logit of the mean confidence over the cells decided to be a person, about -9 if there are none.

    What a network without a quality head gives as its quality. chart_logits (N, 25, h, w), confidence_logit (N, h, w).
    """
    person = decide(chart_logits) > 0
    total = (confidence_logit.sigmoid() * person).sum((1, 2))
    return torch.logit(total / person.sum((1, 2)).clamp(min=1), eps=1e-4)


class DenseHead(nn.Module):
    """Features at stride 4 -> DenseOutput. Charts are predicted at stride 2 (pixel shuffle), the smooth U and V at
    stride 4, the quality from pooled features.

    pooled_channels: of the pooled features; quality_channels: hidden channels of the quality branch, 0: none, the mean
    confidence stands in. Source of the quality: Huang et al., Mask Scoring R-CNN, CVPR 2019, who predict a mask's IoU.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int = 96, pooled_channels: int = 0, quality_channels: int = 0
    ):
        super().__init__()
        self.quality = None
        if quality_channels:
            layers = nn.Linear(pooled_channels, quality_channels), nn.ReLU(), nn.Linear(quality_channels, 1)
            self.quality = nn.Sequential(*layers)
        self.hidden = conv_norm_relu(in_channels, hidden_channels)
        self.classes = nn.Conv2d(hidden_channels, 4 * (NUM_CLASSES + 1), 1)
        self.shuffle = nn.PixelShuffle(2)
        self.uv = nn.Conv2d(hidden_channels, 2 * NUM_CHARTS, 1)
        nn.init.constant_(self.uv.bias, 0.5)

    def forward(self, stride4: Tensor, pooled: Tensor | None = None) -> DenseOutput:
        """stride4 (N, in_channels, h, w); pooled (N, pooled_channels), needed by the quality branch only."""
        x = self.hidden(stride4)  # (N, hidden, H/4, W/4)
        classes = self.shuffle(self.classes(x))  # (N, 26, H/2, W/2)
        u, v = self.uv(x).chunk(2, dim=1)  # each (N, 24, H/4, W/4)
        charts, confidence = classes[:, :NUM_CLASSES], classes[:, NUM_CLASSES]
        quality = mean_confidence_logit(charts, confidence) if self.quality is None else self.quality(pooled)[:, 0]
        return DenseOutput(charts, u, v, confidence, quality)
