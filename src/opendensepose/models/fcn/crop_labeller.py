"""A ResNet trained on crops of annotated people: initial weights for the backbones of other networks.

Letters: N crops, S x S pixels of a crop, C channels.
Source: ours. The paper's networks start from a ResNet that learned ImageNet's classes; where such weights cannot be had
or their licence does not fit, this one needs nothing but the same annotations.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align

from opendensepose.models.fcn.densepose_fcn import FCN, FCNOutput
from opendensepose.models.fcn.teacher import crop_region, draw_people, no_losses
from opendensepose.models.image_batch import image_batch
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.models.resnet import ResNet
from opendensepose.models.targets import Targets

__all__ = ["CropLabeller", "neighbourhood"]

SCALE_JITTER = 1.6  # regions are up to so many times as large or small
SHIFT_JITTER = 0.15  # of the region's side, each way


class CropLabeller(FCN):
    """Square crops around people, side x side pixels with all that is in them -> charts, U and V; the losses are those
    of the FCN. Its ResNet keeps all of its strides, and it sums a pyramid instead of dilating, so that a crop
    costs a fraction of what it costs an FCN.

    depth, norm, stride_in_1x1, width: see ResNet. channels: of the sum.
    """

    num_crops = 32  # of a batch

    def __init__(
        self,
        side: int = 128,
        depth: int = 50,
        norm: str = "batch",
        stride_in_1x1: bool = False,
        channels: int = 96,
        width: int = 64,
    ):
        nn.Module.__init__(self)  # FCN's own would make its dilated parts
        if side % 32:
            raise ValueError(f"the side of the crops must be a multiple of 32, got {side}.")
        self.side = side
        self.resnet = ResNet(depth, norm, stride_in_1x1, width=width)
        self.laterals = nn.ModuleList(nn.Conv2d(inner, channels, 1) for inner in self.resnet.channels)
        self.predictor = nn.Conv2d(channels, 3 * NUM_CLASSES, 3, padding=1)
        with torch.no_grad():
            self.predictor.weight.mul_(0.5)
            self.predictor.bias.zero_()[NUM_CLASSES:] = 0.5

    def forward(self, images: Sequence[Tensor]) -> FCNOutput:
        """Images (3, H, W), RGB 0..255; output at stride 4."""
        levels = self.resnet(image_batch(images, self.predictor.weight))
        total = None
        for features, lateral in zip(reversed(levels), reversed(self.laterals), strict=True):
            level = lateral(features)
            total = level if total is None else level + F.interpolate(total, scale_factor=2.0, mode="nearest")
        return FCNOutput(*self.predictor(F.relu(total)).split(NUM_CLASSES, dim=1))

    def losses(self, images: Sequence[Tensor], targets: Sequence[Targets]) -> dict[str, Tensor]:
        """Return the losses of the FCN, on crops around annotated people, see `draw_people`, at random scales and
        places; dense labels are not used."""
        people = draw_people(targets, self.num_crops)
        if people is None:
            return no_losses(self)
        crops, labels = [images[0].new_zeros(0, 3, self.side, self.side)], []  # so that there may be none
        for n, k, jitter in people:
            region = _jittered(targets[n].boxes[k], *jitter)
            crops.append(roi_align(images[n][None], [region[None]], self.side, sampling_ratio=-1, aligned=True))
            labels.append(neighbourhood(targets[n], region, self.side))
        return super().losses(torch.cat(crops), labels)

    def prepare(self, mirrored: bool = True, refine: bool = True) -> NoReturn:
        """Raise ValueError: a crop labeller does not find people."""
        raise ValueError(
            "a crop labeller is trained for its backbone only, it predicts nobody: see `train --backbone FILE`."
        )


def _jittered(box: Tensor, scale: float, x: float, y: float) -> Tensor:
    """Scale and shift the square around a box (4,) by numbers in [-1, 1]: (4,) xyxy."""
    region = crop_region(box, SCALE_JITTER**scale)
    shift = region.new_tensor([x, y]) * SHIFT_JITTER * (region[2] - region[0])
    return region + shift.round().repeat(2)


def neighbourhood(targets: Targets, region: Tensor, side: int) -> Targets:
    """Return what is known of all people of an image, in pixels of a crop of a region (4,); points outside of it left
    out."""
    scale, offset = side / (region[2:] - region[:2]), region[:2]

    def moved(boxes: Tensor) -> Tensor:
        return (boxes - offset.repeat(2)) * scale.repeat(2)

    point_xy = (targets.point_xy - offset) * scale
    inside = ((point_xy >= 0) & (point_xy < side)).all(1)
    return replace(
        targets,
        boxes=moved(targets.boxes),
        point_xy=point_xy[inside],
        point_i=targets.point_i[inside],
        point_uv=targets.point_uv[inside],
        point_person=targets.point_person[inside],
        ignored=moved(targets.ignored),
        dense=None,
    )
