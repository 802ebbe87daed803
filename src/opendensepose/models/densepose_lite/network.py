"""The parts of DensePoseLite: a backbone, a dense head that labels crops, a detection head that finds people.

Letters: N images or crops, H x W their size in pixels, C channels, h = H/8, w = W/8 cells of the detection head,
K boxes, 25 classes = background and 24 charts.

The backbone: dense 3x3 residual blocks down to stride 32, a U-shaped way back to stride 4. Dense convolutions with
batch norm, since depthwise ones are slow to train on a CPU. Sources: residual blocks (He et al., CVPR 2016), lateral
connections (Lin et al., CVPR 2017), global context (Liu et al., ParseNet, 2015).

The dense head: for each cell of a crop the chart, U and V in every chart, and a confidence. Source: the chart-wise
classification and regression of Güler et al., CVPR 2018, section 3; the confidence is ours.

The detection head: a heat map of box centres, and the box seen from each cell. Sources: centres as peaks of a heat map
(Zhou et al., Objects as Points, 2019), distances to the four sides (Tian et al., FCOS, ICCV 2019).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite.outputs import PERSON_WEIGHT, DenseOutput, DetectionOutput
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.surface import NUM_CHARTS

__all__ = [
    "STRIDE",
    "Backbone",
    "DenseHead",
    "DetectionHead",
    "Pyramid",
    "ResidualBlock",
    "conv_norm_relu",
    "decide",
    "mean_confidence_logit",
]

NORM_MOMENTUM = 0.02  # batches of crops and of whole photos alternate: average the statistics over about 50 of them
LOG_PERSON_WEIGHT = math.log(PERSON_WEIGHT)
STRIDE = 8  # of the detection head
TYPICAL_SIDE = 40.0  # pixels from a centre to a side: the unit in which distances are predicted


class Pyramid(NamedTuple):
    """Decoder features, and the encoder's deepest ones. `stride4` is None when the decoder was stopped at stride 8."""

    stride4: Tensor | None  # (N, widths[0], H/4, W/4)
    stride8: Tensor  # (N, widths[1], H/8, W/8)
    pooled: Tensor  # (N, widths[3]), mean over the cells at stride 32


def conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Build a convolution without bias, batch norm, ReLU; padded so that only the stride changes the size."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels, momentum=NORM_MOMENTUM),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), both convolutions 3x3 of the same width."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = conv_norm_relu(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))), inplace=True)


def _stage(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
    blocks = [ResidualBlock(out_channels) for _ in range(depth)]
    return nn.Sequential(conv_norm_relu(in_channels, out_channels, stride=2), *blocks)


class Backbone(nn.Module):
    """Image -> decoder features at strides 4 and 8.

    widths, depths: channels and residual blocks of the encoder at strides 4, 8, 16, 32. The decoder has one block per
    stride.
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 192, 288), depths: tuple[int, ...] = (1, 2, 3, 2)):
        super().__init__()
        if len(widths) != 4 or len(depths) != 4:
            raise ValueError(f"widths and depths need 4 numbers each (strides 4 to 32), got {widths} and {depths}.")
        self.widths = tuple(widths)
        self.stem = conv_norm_relu(3, widths[0] // 2, stride=2)
        self.encoder = nn.ModuleList(
            _stage(before, width, depth)
            for before, width, depth in zip((widths[0] // 2, *widths[:-1]), widths, depths, strict=True)
        )
        self.context = nn.Linear(widths[-1], widths[-1])
        self.lateral = nn.ModuleList(
            conv_norm_relu(width + below, width, kernel=1) for width, below in zip(widths[:-1], widths[1:], strict=True)
        )
        self.decoder = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])

    def forward(self, image: Tensor, to_stride: int = 4) -> Pyramid:
        """image (N, 3, H, W) float, scaled to about [-1, 1]. to_stride 8 leaves out the costly last step."""
        skips, x = [], self.stem(image)  # stride 2
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)  # strides 4, 8, 16, 32
        x = F.relu(x + self.context(x.mean(dim=(2, 3)))[:, :, None, None])
        pooled = x.mean(dim=(2, 3))
        x = self._up(x, skips[2], level=2)  # stride 16
        stride8 = self._up(x, skips[1], level=1)
        stride4 = self._up(stride8, skips[0], level=0) if to_stride == 4 else None
        return Pyramid(stride4, stride8, pooled)

    def _up(self, below: Tensor, skip: Tensor, level: int) -> Tensor:
        below = F.interpolate(below, size=skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.decoder[level](self.lateral[level](torch.cat([skip, below], dim=1)))


def decide(chart_logits: Tensor, axis: int = 1) -> Tensor:
    """Decide I, int64: the arg max over charts and background of w P; w is PERSON_WEIGHT for charts, 1 for background.

    chart_logits has its 25 classes on axis, which is gone in the result. The paper has w = 1 (Güler et al., 2018,
    section 3); the charts share a person's probability, and background takes uncertain arms.
    """
    background, charts = chart_logits.split([1, NUM_CHARTS], dim=axis)
    best = charts.max(dim=axis)  # argmax takes three times as long
    return (best.indices + 1) * (best.values + LOG_PERSON_WEIGHT > background.squeeze(axis))


def mean_confidence_logit(chart_logits: Tensor, confidence_logit: Tensor) -> Tensor:
    """Return (N,), the logit of the mean confidence over the cells decided to be a person, about -9 if there are none.

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


class DetectionHead(nn.Module):
    """Features at stride 8 -> DetectionOutput."""

    def __init__(self, in_channels: int, hidden_channels: int = 64, prior: float = 0.02):
        super().__init__()
        self.hidden = conv_norm_relu(in_channels, hidden_channels)
        self.heat = nn.Conv2d(hidden_channels, 1, 1)
        self.sides = nn.Conv2d(hidden_channels, 4, 1)
        nn.init.constant_(self.heat.bias, math.log(prior / (1 - prior)))

    def forward(self, stride8: Tensor) -> DetectionOutput:
        x = self.hidden(stride8)  # (N, hidden, h, w)
        sides = TYPICAL_SIDE * self.sides(x).float().clamp(-6, 4).exp()  # (N, 4, h, w) left, top, right, bottom
        left_top, right_bottom = sides.permute(0, 2, 3, 1).split(2, dim=-1)  # each (N, h, w, 2)
        centre = cell_centres(x.shape[-2:], STRIDE, x.device)
        return DetectionOutput(
            self.heat(x)[:, 0].float(), torch.cat([centre - left_top, centre + right_bottom], dim=-1)
        )
