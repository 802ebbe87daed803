"""Proposal network: which boxes of a photo may hold a person.

Letters: N images, L pyramid levels, A anchors per cell, h x w cells of a level, K boxes of one image.
Source: Ren et al., Faster R-CNN, NIPS 2015, on a feature pyramid (Lin et al., CVPR 2017). torchvision's anchors are
rounded to whole pixels, detectron2's are not: ours are detectron2's.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder, _topk_min
from torchvision.ops import batched_nms, clip_boxes_to_image

__all__ = ["BOX_CODER", "PROPOSAL_CODER", "ProposalNetwork", "anchors_of_level"]

STRIDES = (4, 8, 16, 32, 64)
ANCHOR_SIDES = (32, 64, 128, 256, 512)  # pixels of the network's input, one per level
# Deltas (K, 4 C) of C classes move boxes (K, 4) xyxy and scale them to at most 1000 / 16 times their size. The weights
# divide the deltas of x, y, width, height.
PROPOSAL_CODER = BoxCoder((1.0, 1.0, 1.0, 1.0))  # anchors -> proposals
BOX_CODER = BoxCoder((10.0, 10.0, 5.0, 5.0))  # proposals -> people's boxes
ASPECTS = (0.5, 1.0, 2.0)  # height / width


def anchors_of_level(cells_hw: tuple[int, int], stride: int, side: float, device: torch.device | str = "cpu") -> Tensor:
    """Return the anchors (h * w * A, 4) float32 xyxy: in each cell, around its top left corner, one box of area
    side^2 per aspect."""
    widths = [math.sqrt(side**2 / aspect) for aspect in ASPECTS]
    halves = torch.tensor([[w / 2, aspect * w / 2] for w, aspect in zip(widths, ASPECTS, strict=True)], device=device)
    y, x = (torch.arange(n, device=device, dtype=torch.float32) * stride for n in cells_hw)
    corner = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[:, :, None]  # (h, w, 1, 2)
    return torch.cat([corner - halves, corner + halves], dim=-1).reshape(-1, 4)


class ProposalNetwork(nn.Module):
    """Pyramid of L levels -> boxes of each image with their logits, the likeliest first.

    The best `num_per_level` of each level enter non-maximum suppression (IoU above `max_iou`, within a level), the best
    `num_kept` of all leave it.
    """

    def __init__(self, channels: int = 256, num_per_level: int = 1000, num_kept: int = 1000, max_iou: float = 0.7):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.objectness_logits = nn.Conv2d(channels, len(ASPECTS), 1)
        self.anchor_deltas = nn.Conv2d(channels, 4 * len(ASPECTS), 1)
        self.num_per_level, self.num_kept, self.max_iou = num_per_level, num_kept, max_iou
        for layer in (self.conv, self.objectness_logits, self.anchor_deltas):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, pyramid: list[Tensor], sizes_hw: list[tuple[int, int]]) -> list[tuple[Tensor, Tensor]]:
        """Return boxes (K, 4) and logits (K,) of each image. sizes_hw: the images' sizes without what pads them."""
        raw = [self.raw(features) for features in pyramid]
        return self.best(raw, self.anchors(pyramid), sizes_hw, self.num_per_level, self.num_kept)

    def anchors(self, pyramid: list[Tensor]) -> list[Tensor]:
        """Return the anchors (h * w * A, 4) of each level."""
        places = zip(pyramid, STRIDES, ANCHOR_SIDES, strict=False)
        return [anchors_of_level(level.shape[-2:], stride, side, level.device) for level, stride, side in places]

    def best(
        self,
        raw: list[tuple[Tensor, Tensor]],
        anchors: list[Tensor],
        sizes_hw: list[tuple[int, int]],
        num_per_level: int,
        num_kept: int,
    ) -> list[tuple[Tensor, Tensor]]:
        """Return what `forward` does, from what `raw` and `anchors` give for each level."""
        logits, boxes, levels = [], [], []
        for level, (level_raw, level_anchors) in enumerate(zip(raw, anchors, strict=True)):
            best_logits, best_boxes = _best_of_level(*level_raw, level_anchors, num_per_level)
            logits.append(best_logits)
            boxes.append(best_boxes)
            levels.append(torch.full_like(best_logits[0], level))
        logits, boxes, levels = torch.cat(logits, 1), torch.cat(boxes, 1), torch.cat(levels)
        return [
            _suppress(image_boxes, image_logits, levels, hw, self.max_iou, num_kept)
            for image_boxes, image_logits, hw in zip(boxes, logits, sizes_hw, strict=True)
        ]

    def raw(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits (N, h * w * A) and deltas (N, h * w * A, 4) of one level (N, C, h, w), in the anchors'
        order."""
        x = F.relu(self.conv(features), inplace=True)
        logits = self.objectness_logits(x).permute(0, 2, 3, 1).flatten(1)
        deltas = self.anchor_deltas(x).unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        return logits, deltas


def _best_of_level(logits: Tensor, deltas: Tensor, anchors: Tensor, num_best: int) -> tuple[Tensor, Tensor]:
    logits, index = logits.topk(_topk_min(logits, num_best, 1), dim=1)
    deltas = deltas.gather(1, index[..., None].expand(-1, -1, 4))
    boxes = PROPOSAL_CODER.decode_single(deltas.flatten(0, 1), anchors[index.flatten()])
    return logits, boxes.view(*logits.shape, 4)


def _suppress(
    boxes: Tensor, logits: Tensor, levels: Tensor, size_hw: tuple[int, int], max_iou: float, num_kept: int
) -> tuple[Tensor, Tensor]:
    finite = boxes.isfinite().all(1) & logits.isfinite()
    boxes = clip_boxes_to_image(boxes, size_hw)
    usable = finite & (boxes[:, 2:] > boxes[:, :2]).all(1)
    boxes, logits, levels = boxes[usable], logits[usable], levels[usable]
    kept = batched_nms(boxes, logits, levels, max_iou)[:num_kept]
    return boxes[kept], logits[kept]
