"""Auxiliary outputs that training adds and prediction drops: keypoints and the direction a person faces.

Both need to know left from right and front from back, the mistakes that charts alone unlearn slowly.

Letters: N crops, H x W crop size, h = H/8, w = W/8 cells, K = 17 COCO keypoints, B yaw bins.
Source: keypoints as a one-hot classification over cells (He et al., Mask R-CNN, ICCV 2017); yaw in bins with soft
targets (Prokudin et al., Deep Directional Statistics, ECCV 2018, use bins too).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.keypoints import NUM_KEYPOINTS
from opendensepose.models.densepose_lite.network import STRIDE, Pyramid

__all__ = ["AuxiliaryHeads", "AuxiliaryOutput", "auxiliary_losses", "keypoint_loss", "yaw_loss"]


class AuxiliaryOutput(NamedTuple):
    """Raw auxiliary output for crops."""

    keypoint_logits: Tensor  # (N, K, h, w); softmax over the cells = where the keypoint is
    yaw_logits: Tensor  # (N, B); softmax = which way the person faces, bin b centred at 2 pi b / B


class AuxiliaryHeads(nn.Module):
    """Pyramid -> AuxiliaryOutput. widths: the backbone's."""

    def __init__(self, widths: tuple[int, ...], yaw_bins: int = 12):
        super().__init__()
        self.keypoints = nn.Conv2d(widths[1], NUM_KEYPOINTS, 1)
        self.yaw = nn.Linear(widths[3], yaw_bins)

    def forward(self, pyramid: Pyramid) -> AuxiliaryOutput:
        return AuxiliaryOutput(self.keypoints(pyramid.stride8), self.yaw(pyramid.pooled))


def keypoint_loss(keypoint_logits: Tensor, keypoints: Tensor) -> Tensor:
    """Return the cross-entropy of the cell that holds each keypoint, mean over the keypoints inside their crop; 0
    without any.

    keypoint_logits (N, K, h, w); keypoints (N, K, 3): x, y in pixels of the crop, COCO visibility (0: not known).
    """
    height, width = keypoint_logits.shape[-2:]
    cell = (keypoints[..., :2] / STRIDE).floor()  # (N, K, 2) x, y
    inside = (cell >= 0).all(-1) & (cell[..., 0] < width) & (cell[..., 1] < height) & (keypoints[..., 2] > 0)
    index = (cell[..., 1] * width + cell[..., 0]).nan_to_num().clamp(0, height * width - 1).long()  # (N, K)
    of_keypoints = keypoint_logits.float().flatten(2).flatten(0, 1)  # (N K, h w)
    loss = F.cross_entropy(of_keypoints, index.flatten(), reduction="none")
    return (loss * inside.flatten()).sum() / inside.sum().clamp(min=1)


def yaw_loss(yaw_logits: Tensor, yaw: Tensor) -> Tensor:
    """Return the cross-entropy against the two bins beside the true yaw, weighted linearly; mean over crops with a
    known yaw.

    yaw_logits (N, B); yaw (N,) radians, NaN: not known.
    """
    num_bins = yaw_logits.shape[1]
    known = torch.isfinite(yaw)
    position = torch.where(known, yaw, 0.0) / (2 * math.pi) * num_bins
    centres = torch.arange(num_bins, device=yaw.device)
    away = (position[:, None] - centres + num_bins / 2).remainder(num_bins) - num_bins / 2  # (N, B), round the circle
    target = (1 - away.abs()).clamp(min=0)
    loss = F.cross_entropy(yaw_logits.float(), target, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def auxiliary_losses(output: AuxiliaryOutput, keypoints: Tensor, yaw: Tensor) -> dict[str, Tensor]:
    """Return the named losses of the auxiliary heads. keypoints (N, K, 3), yaw (N,): see keypoint_loss and yaw_loss."""
    return {"keypoint": keypoint_loss(output.keypoint_logits, keypoints), "yaw": yaw_loss(output.yaw_logits, yaw)}
