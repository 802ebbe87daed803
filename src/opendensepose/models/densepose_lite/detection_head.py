"""Detection head: where people are. A heat map of box centres, and the box seen from each cell.

Letters: N images, H x W image size in pixels, h = H/8, w = W/8 cells, K boxes. Sources: centres as peaks of a heat
map (Zhou et al., Objects as Points, 2019), distances to the four sides (Tian et al., FCOS, ICCV 2019).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite.backbone import conv_norm_relu

__all__ = ["STRIDE", "DetectionHead", "DetectionOutput", "decode_boxes", "nms"]

STRIDE = 8
TYPICAL_SIDE = 40.0  # pixels from a centre to a side: the unit in which distances are predicted


class DetectionOutput(NamedTuple):
    """Raw output of the detection head."""

    heat_logit: Tensor  # (N, h, w); sigmoid = how likely a person's box is centred in the cell
    boxes_xyxy: Tensor  # (N, h, w, 4) pixels of the input image: the box each cell proposes


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


def decode_boxes(
    heat_logit: Tensor, boxes_xyxy: Tensor, min_score: float, max_iou: float = 0.6
) -> tuple[Tensor, Tensor]:
    """Boxes (K, 4) and scores (K,) of one image, best first: heat >= min_score, non-maximum suppression at max_iou.

    heat_logit (h, w) and boxes_xyxy (h, w, 4): one image of a DetectionOutput.
    """
    scores = heat_logit.sigmoid().flatten()
    chosen = torch.nonzero(scores >= min_score).flatten()
    chosen = chosen[scores[chosen].argsort(descending=True)][:200]
    boxes, scores = boxes_xyxy.reshape(-1, 4)[chosen], scores[chosen]
    kept = nms(boxes, max_iou)
    return boxes[kept], scores[kept]


def nms(boxes_xyxy: Tensor, max_iou: float) -> Tensor:
    """Indices of the boxes (K, 4), sorted best first, that overlap no better kept one with an IoU above max_iou.

    Non-maximum suppression as in torchvision.ops.nms, which would double the time that the first prediction takes to
    start.
    """
    left_top = torch.maximum(boxes_xyxy[:, None, :2], boxes_xyxy[:, :2])  # (K, K, 2)
    right_bottom = torch.minimum(boxes_xyxy[:, None, 2:], boxes_xyxy[:, 2:])
    shared = (right_bottom - left_top).clamp(min=0).prod(-1)
    area = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).clamp(min=0).prod(-1)
    overlaps = (shared > max_iou * (area[:, None] + area - shared)).cpu().numpy()
    kept: list[int] = []
    for k in range(len(overlaps)):
        if not overlaps[k, kept].any():
            kept.append(k)
    return torch.tensor(kept, dtype=torch.int64, device=boxes_xyxy.device)
