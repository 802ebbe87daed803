"""The multi-task cascade: keypoints, masks and charts of each region, predicted in two stages; the second
receives the first's outputs.

Letters: R regions, C channels, P cells of a pooled region's side, S = 4 P cells of its outputs' side.
Source: Güler et al., CVPR 2018, section 4 and figure 9; the branches are Mask R-CNN's (He et al., ICCV 2017). How the
first stage's outputs are joined with the region's features is not published; here, outputs are averaged down to the
features' cells, set beside them, and mixed by one 1x1 convolution.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.keypoints import NUM_KEYPOINTS
from opendensepose.models.cells import region_axes
from opendensepose.models.outputs import NUM_CLASSES, ChartOutput
from opendensepose.models.point_losses import region_losses, region_parts
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN, build_densepose_rcnn
from opendensepose.models.rcnn.heads import ConvHead, DeepLabHead
from opendensepose.models.rcnn.samples import RegionSamples, task_regions
from opendensepose.models.resnet import NormedConv
from opendensepose.models.targets import Targets, join_people
from opendensepose.models.whole_batch import shared_mean

__all__ = ["Branch", "CascadeRCNN", "Join", "Stage", "TaskOutputs", "build_cascade_rcnn", "keypoint_loss", "mask_loss"]

CHANNELS_PER_GROUP = 8
REGIONS_MULTIPLE = 8


class TaskOutputs(NamedTuple):
    """The outputs of one stage for each region; None where a task is left out."""

    charts: ChartOutput
    keypoints: Tensor | None  # (R, 17, S, S) logits of the cell where each keypoint is
    mask: Tensor | None  # (R, 1, S, S) logit of being the person

    def first(self, count: int) -> "TaskOutputs":
        """Return those of the first `count` regions."""
        charts = ChartOutput(*(None if maps is None else maps[:count] for maps in self.charts))
        return TaskOutputs(charts, *(None if maps is None else maps[:count] for maps in self[1:]))


class Branch(nn.Module):
    """Features (R, C, P, P) -> maps (R, outputs, S, S): convolutions 3x3, a transposed one, bilinear doubling."""

    def __init__(self, channels: int, hidden: int, num_layers: int, outputs: int, norm: bool = False):
        super().__init__()
        self.head = ConvHead(channels, hidden, num_layers, norm)
        self.predictor = nn.ConvTranspose2d(hidden, outputs, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.predictor(self.head(x))
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Stage(nn.Module):
    """A refinement unit for each branch: features (R, C, P, P) -> TaskOutputs."""

    def __init__(self, charts: nn.Module, keypoints: nn.Module | None, mask: nn.Module | None):
        super().__init__()
        self.charts, self.keypoints, self.mask = charts, keypoints, mask

    def forward(self, x: Tensor) -> TaskOutputs:
        return TaskOutputs(self.charts(x), *(branch and branch(x) for branch in (self.keypoints, self.mask)))


class Join(nn.Module):
    """Features (R, C, P, P) and the first stage's outputs for them -> (R, C, P, P)."""

    def __init__(self, channels: int, output_channels: int):
        super().__init__()
        self.mix = NormedConv(
            channels + output_channels, channels, 1, norm=nn.GroupNorm(max(1, channels // CHANNELS_PER_GROUP), channels)
        )

    def forward(self, x: Tensor, first: TaskOutputs) -> Tensor:
        maps = [*first.charts[:4], *(one for one in first[1:] if one is not None)]
        averaged = (F.avg_pool2d(one, one.shape[-1] // x.shape[-1]) for one in maps)
        return F.relu(self.mix(torch.cat([x, *averaged], dim=1)))


class CascadeRCNN(DensePoseRCNN):
    """DensePose R-CNN with auxiliary tasks; made of the parts that `build_cascade_rcnn` chooses.

    rcnn: the network whose parts become this one's. keypoints, mask: branches beside the charts'. join, second: all
    outputs of the first stage join the region's features in a second one. Any of these four may be None.
    """

    keypoint_weight = mask_weight = 1.0  # of the mean cross-entropies, as in Mask R-CNN

    def __init__(
        self,
        rcnn: DensePoseRCNN,
        keypoints: Branch | None,
        mask: Branch | None,
        join: Join | None,
        second: Stage | None,
    ):
        super().__init__(
            rcnn.resnet, rcnn.pyramid, rcnn.proposals, rcnn.box_head, rcnn.decoder, rcnn.head, rcnn.predictor,
            rcnn.cells, rcnn.short_side, rcnn.long_side, rcnn.loss_weights, rcnn.clip_value,
        )  # fmt: skip
        self.keypoints, self.mask, self.join, self.second = keypoints, mask, join, second

    def charts(self, pyramid: list[Tensor], boxes: list[Tensor]) -> ChartOutput:
        """Predict the charts of the boxes of each image: the last stage's."""
        return self.stages(self.regions(pyramid, boxes), charts_only=True)[-1].charts

    def stages(self, x: Tensor, charts_only: bool = False) -> list[TaskOutputs]:
        """Compute each stage's outputs from pooled features; charts_only: leave out what the last stage's charts do not
        need."""
        one = self.second is None and charts_only
        keypoints, mask = (None if branch is None or one else branch(x) for branch in (self.keypoints, self.mask))
        first = TaskOutputs(self.predictor(self.head(x)), keypoints, mask)
        if self.join is None or self.second is None:
            return [first]
        x = self.join(x, first)
        return [first, TaskOutputs(self.second.charts(x), None, None) if charts_only else self.second(x)]

    def dense_losses(
        self, pyramid: list[Tensor], sampled: list[RegionSamples], targets: list[Targets]
    ) -> dict[str, Tensor]:
        """Return the losses of all tasks at both stages, the second's with a 2 in their names. Each task learns from
        regions of its own: people of whom only keypoints or masks are known teach these."""
        pairs = zip(sampled, targets, strict=True)
        regions = [task_regions(*pair, self.sampling, self.taught_by(pair[1])) for pair in pairs]
        boxes, person, stands_for = (torch.cat(part) for part in zip(*regions, strict=True))
        image = torch.cat([torch.full_like(one.person, n) for n, one in enumerate(regions)])
        people, first = join_people(targets)
        row = first[image] + person
        x = self.regions(pyramid, [one.boxes for one in regions])
        # Zeros behind the last region: on a CPU each new size of a convolution costs as much as several steps.
        outputs = self.stages(F.pad(x, (0, 0, 0, 0, 0, 0, 0, -len(x) % REGIONS_MULTIPLE)))
        losses: dict[str, Tensor] = {}
        for suffix, output in zip(("", "2"), outputs, strict=False):
            charts, keypoints, mask = output.first(len(x))
            of_stage = region_losses(charts, boxes, image, person, targets, self.loss_weights, stands_for)
            if keypoints is not None:
                of_stage["keypoints"] = self.keypoint_weight * keypoint_loss(keypoints, boxes, people.keypoints[row])
            if mask is not None:
                of_stage["mask"] = self.mask_weight * mask_loss(mask, boxes, row, people)
            losses |= {name + suffix: loss for name, loss in of_stage.items()}
        return losses

    def taught_by(self, targets: Targets) -> Tensor:
        """Return which people (K,) bool of an image teach an auxiliary task."""
        teaches = torch.zeros_like(targets.annotated)
        if self.keypoints is not None:
            teaches = teaches | (targets.keypoints[..., 2] > 0).any(1)
        return teaches if self.mask is None else teaches | targets.has_mask


def build_cascade_rcnn(
    keypoints: bool = True,
    masks: bool = True,
    cascade: bool = True,
    keypoint_channels: int = 512,
    keypoint_layers: int = 8,
    mask_channels: int = 256,
    mask_layers: int = 4,
    **kwargs: Any,
) -> CascadeRCNN:
    """Build a CascadeRCNN with random weights.

    keypoints, masks: with these branches. cascade: with a second stage, whose chart branch has the first one's sizes.
    keypoint_channels, keypoint_layers, mask_channels, mask_layers: of the convolutions of these branches, Mask R-CNN's
    if not said. kwargs: of `build_densepose_rcnn`.
    """
    rcnn = build_densepose_rcnn(**kwargs)
    convs = rcnn.head.convs if isinstance(rcnn.head, DeepLabHead) else rcnn.head
    channels, *_, norm = convs.sizes

    def branches() -> list[Branch | None]:
        return [
            Branch(channels, keypoint_channels, keypoint_layers, NUM_KEYPOINTS, norm) if keypoints else None,
            Branch(channels, mask_channels, mask_layers, 1, norm) if masks else None,
        ]

    keypoint_branch, mask_branch = branches()
    join = second = None
    if cascade:
        charts = nn.Sequential(convs.another(), rcnn.predictor.another())
        coarse_classes = rcnn.predictor.layers["coarse"].out_channels
        join = Join(channels, coarse_classes + 3 * NUM_CLASSES + NUM_KEYPOINTS * keypoints + masks)
        second = Stage(charts, *branches())
    model = CascadeRCNN(rcnn, keypoint_branch, mask_branch, join, second)
    _start(model.keypoints, model.mask, model.join, model.second)
    return model


def keypoint_loss(logits: Tensor, regions: Tensor, keypoints: Tensor) -> Tensor:
    """Return -log softmax(logits)[cell of the keypoint], over the cells of a region, mean over the keypoints that are
    known, hidden ones too, and lie in the region. logits (R, 17, S, S), keypoints (R, 17, 3) x, y, visibility."""
    cells = logits.shape[-1]
    low, high = regions[:, None, :2], regions[:, None, 2:]
    place = (keypoints[..., :2] - low) / (high - low)  # (R, 17, 2)
    used = (keypoints[..., 2] > 0) & ((place >= 0) & (place <= 1)).all(-1)
    column, row = (place[used] * cells).long().clamp(max=cells - 1).unbind(-1)
    loss = F.cross_entropy(logits.flatten(2)[used].float(), row * cells + column, reduction="sum")
    return shared_mean(loss, used.sum())


def mask_loss(logits: Tensor, regions: Tensor, row: Tensor, people: Targets) -> Tensor:
    """Return the binary cross-entropy against the union of the part masks of the person `row` (R,), mean over the
    regions' cells; people without part masks teach nothing. logits (R, 1, S, S)."""
    mask = region_parts(*region_axes(regions, logits.shape[-1]), row, people) > 0  # (R, S, S)
    known = people.has_mask[row]
    loss = F.binary_cross_entropy_with_logits(logits[:, 0].float(), mask.float(), reduction="none")
    return shared_mean((loss * known[:, None, None]).sum(), known.sum() * logits.shape[-2] * logits.shape[-1])


def _start(*modules: nn.Module | None) -> None:
    """Draw random weights that keep the size of what passes through (He et al., ICCV 2015), and small ones for a
    branch's outputs; the charts' predictor has its own."""
    for module in (part for one in modules if one is not None for part in one.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, Branch):
            nn.init.normal_(module.predictor.weight, std=0.001)
            nn.init.zeros_(module.predictor.bias)
