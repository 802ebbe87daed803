"""DensePose-FCN: at each place of the whole photo one of 25 classes, and U and V in each of 24 charts.

Letters: N images, H x W input size (padded to whole strides of 32), h x w = H/4 x W/4 cells, P points.
Source: Güler et al., CVPR 2018, section 3: the network of DenseReg (Güler et al., CVPR 2017), a ResNet whose last
stages keep stride 8 by dilated convolutions (Chen et al., DeepLab, 2015), on DensePose's annotations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from opendensepose.models.cells import cell_centres
from opendensepose.models.fcn.decode import STRIDE, PreparedFCN
from opendensepose.models.image_batch import image_batch
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.models.point_losses import (
    LabelledPoints,
    chart_loss,
    dense_points,
    join_points,
    parts_at,
    smooth_uv_losses,
)
from opendensepose.models.prediction import PreparedNetwork
from opendensepose.models.resnet import NormedConv, ResNet
from opendensepose.models.targets import Targets
from opendensepose.models.whole_batch import shared_mean
from opendensepose.surface import CHART_TO_PART

__all__ = ["FCN", "FCNOutput", "FCNWeights", "part_loss", "part_map", "points_of"]

NORM_GROUPS = 32
UNKNOWN = -1  # part of a place about which nothing is known


class FCNOutput(NamedTuple):
    """Raw output at stride 4."""

    logits: Tensor  # (N, 25, h, w): background and 24 charts
    u: Tensor  # (N, 25, h, w), not clamped to [0, 1]; that of background means nothing
    v: Tensor  # (N, 25, h, w)


@dataclass(frozen=True)
class FCNWeights:
    """Of the means over cells (part), and over points (chart, u and v). beta: of smooth L1."""

    part: float = 1.0
    chart: float = 1.0
    uv: float = 5.0
    beta: float = 0.05


class FCN(nn.Module):
    """Images -> charts, U and V all over them; people are not separated.

    depth, norm, stride_in_1x1, width: see ResNet. channels: of the head. short_side, long_side: photos are scaled to
    the first unless the longer side would exceed the second. scales: photos are seen at all these multiples of that
    size and the probabilities and U, V averaged: (1.0,) is the single-scale test, (0.75, 1.0, 1.25) a multi-scale one.
    """

    min_score = 0.5  # mean probability of the charts of a connected piece of foreground, below which it is dropped
    loss_weights = FCNWeights()

    def __init__(
        self,
        depth: int = 101,
        norm: str = "frozen",
        stride_in_1x1: bool = False,
        channels: int = 256,
        short_side: int = 640,
        long_side: int = 1066,
        scales: Sequence[float] = (1.0,),
        width: int = 64,
    ):
        super().__init__()
        self.short_side, self.long_side, self.scales = short_side, long_side, tuple(scales)
        self.resnet = ResNet(depth, norm, stride_in_1x1, max_stride=8, width=width)
        self.head = nn.Sequential(
            NormedConv(self.resnet.channels[-1], channels, 3, norm=nn.GroupNorm(NORM_GROUPS, channels)),
            nn.ReLU(inplace=True),
        )
        self.predictor = nn.ConvTranspose2d(channels, 3 * NUM_CLASSES, 4, stride=2, padding=1)
        with torch.no_grad():
            self.predictor.weight.mul_(0.5)
            self.predictor.bias.zero_()[NUM_CLASSES:] = 0.5

    def forward(self, images: Sequence[Tensor]) -> FCNOutput:
        """Images (3, H, W), RGB 0..255; smaller ones of a batch are padded at the right and the bottom."""
        features = self.resnet(image_batch(images, self.predictor.weight))[-1]  # (N, C, H/8, W/8)
        return FCNOutput(*self.predictor(self.head(features)).split(NUM_CLASSES, dim=1))

    def losses(self, images: Sequence[Tensor], targets: Sequence[Targets]) -> dict[str, Tensor]:
        """Return the losses part: which part, or background, each cell shows; chart, u, v at annotated points and dense
        labels.

        images: a list, or (N, 3, H, W); with N = 0 all losses are 0.
        """
        # Without images in float32: synchronised batch norm sends empty statistics in the type of its input, but others
        # in float32, and the processes' must agree.
        device = self.predictor.weight.device.type
        with torch.autocast(device, enabled=torch.is_autocast_enabled(device) and len(images) > 0):
            output = self(images)
        return self.output_losses(output, [image.shape[-2:] for image in images], targets)

    def output_losses(
        self, output: FCNOutput, sizes_hw: Sequence[tuple[int, int]], targets: Sequence[Targets]
    ) -> dict[str, Tensor]:
        """Return the losses of an output for images of these sizes, without their padding."""
        weights, hw = self.loss_weights, output.logits.shape[-2:]
        centres = cell_centres(hw, STRIDE, output.logits.device)
        parts = torch.zeros(len(targets), *hw, dtype=torch.long, device=centres.device)
        for k, one in enumerate(zip(sizes_hw, targets, strict=True)):
            parts[k] = part_map(centres, *one)
        points = join_points([points_of(n, centres, target) for n, target in enumerate(targets)], centres.device)
        uv = smooth_uv_losses(output.u, output.v, points, weights.beta)
        losses = {
            "part": weights.part * part_loss(output.logits, parts),
            "chart": weights.chart * chart_loss(output.logits, points),
        }
        return losses | {name: weights.uv * shared_mean(one, points.weight.sum()) for name, one in uv.items()}

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction; mirrored and refine change nothing."""
        return PreparedFCN(self)


def part_loss(logits: Tensor, parts: Tensor) -> Tensor:
    """Return -mean_p log sum_{c in charts of the part at p} P(c), over the cells whose part is known.

    The masks tell which of 14 parts a pixel shows, not which of its charts, front or back: any of them is right.
    Background is a part of one class. logits (N, 25, h, w), parts (N, h, w) int64, UNKNOWN -1, background 0.
    """
    chart_to_part = torch.as_tensor(CHART_TO_PART.astype("int64"), device=logits.device)
    known = parts >= 0
    log_p = logits.float().log_softmax(1).movedim(1, -1)[known]  # (P, 25)
    its = chart_to_part[None] == parts[known][:, None]  # (P, 25)
    loss = -log_p.masked_fill(~its, -torch.inf).logsumexp(1)
    return shared_mean(loss.sum(), known.sum())


def part_map(centres: Tensor, size_hw: tuple[int, int], targets: Targets) -> Tensor:
    """Map the parts (h, w) int64: the part 1..14 of each cell; 0 outside all people; UNKNOWN outside the image, in
    groups drawn as one, and in boxes of people without part masks. Where masks overlap, the later person counts."""
    x, y = centres.unbind(-1)
    parts = torch.zeros(x.shape, dtype=torch.long, device=x.device)
    for x0, y0, x1, y1 in torch.cat([targets.ignored, targets.boxes[~targets.annotated]]).tolist():
        parts[(x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)] = UNKNOWN
    for k in torch.nonzero(targets.annotated).flatten().tolist():
        own = parts_at(centres, targets.parts[k], targets.boxes[k])
        parts = torch.where(own > 0, own, parts)
    return parts.masked_fill((x > size_hw[1]) | (y > size_hw[0]), UNKNOWN)


def points_of(image: int, centres: Tensor, targets: Targets) -> LabelledPoints:
    """Return the annotated points of an image, and its cells with dense labels. centres (h, w, 2) reach over the
    padding."""
    size = STRIDE * torch.tensor(centres.shape[1::-1], device=centres.device)  # pixels x, y
    xy = targets.point_xy / size
    kept = ((xy >= 0) & (xy <= 1)).all(1)
    chart = targets.point_i[kept]
    points = LabelledPoints(
        torch.full_like(chart, image), xy[kept], chart, targets.point_uv[kept], xy.new_ones(len(chart))
    )
    if targets.dense is None:
        return points
    x, y = centres[None, 0, :, 0], centres[None, :, 0, 1]
    dense = dense_points(chart.new_tensor([image]), x, y, None, targets.dense)
    return join_points([points, dense], centres.device)
