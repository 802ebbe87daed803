"""The losses, each a few lines with its formula.

Letters: N crops or images, H x W cells of the output at hand, h x w detection cells, M boxes per image (padded).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite.network import STRIDE, decide
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
from opendensepose.models.outputs import NUM_CLASSES

__all__ = [
    "box_loss",
    "centre_targets",
    "chart_loss",
    "confidence_loss",
    "dense_losses",
    "detection_losses",
    "heat_loss",
    "quality_loss",
    "uv_loss",
]


def chart_loss(logits: Tensor, i: Tensor, foreground_weight: float = 1.5) -> Tensor:
    """Return the weighted cross-entropy, -sum_p w(I_p) log P(I_p) / sum_p w(I_p), w = 1 on background.

    logits (N, 25, H, W), i (N, H, W) int64.
    """
    weight = logits.new_full((NUM_CLASSES,), foreground_weight)
    weight[0] = 1.0
    # With the classes on the last axis the softmax takes two thirds of the time.
    return F.cross_entropy(logits.movedim(1, -1).reshape(-1, NUM_CLASSES), i.flatten(), weight)


def uv_loss(predicted: Tensor, target: Tensor, i: Tensor, beta: float = 0.05) -> Tensor:
    """Return the smooth L1 of U (or V) in the true chart, mean over foreground cells: d^2/(2 beta) below beta, |d| -
    beta/2 above.

    predicted (N, 24, H, W), target (N, H, W), i (N, H, W) int64.
    """
    foreground = i > 0
    of_true_chart = predicted.gather(1, (i - 1).clamp(min=0)[:, None])[:, 0]  # (N, H, W)
    loss = F.smooth_l1_loss(of_true_chart.float(), target, reduction="none", beta=beta)
    return (loss * foreground).sum() / foreground.sum().clamp(min=1)


def confidence_loss(confidence_logit: Tensor, predicted: Tensor, i: Tensor) -> Tensor:
    """Return the binary cross-entropy against [predicted == I], mean over cells where either is a person.

    confidence_logit (N, H, W); predicted, i (N, H, W) int64: the charts decided for and the true ones.
    """
    person = (predicted > 0) | (i > 0)
    right = (predicted == i).to(confidence_logit.dtype)
    loss = F.binary_cross_entropy_with_logits(confidence_logit, right, reduction="none")
    return (loss * person).sum() / person.sum().clamp(min=1)


def quality_loss(quality_logit: Tensor, predicted: Tensor, i: Tensor) -> Tensor:
    """Return the binary cross-entropy against the share of right labels among the cells where either is a person, mean
    over crops; a crop without a person has the share 0.

    quality_logit (N,); predicted, i (N, H, W) int64: the charts decided for and the true ones.
    """
    right = ((predicted == i) & (i > 0)).sum((1, 2))
    person = ((predicted > 0) | (i > 0)).sum((1, 2))
    return F.binary_cross_entropy_with_logits(quality_logit.float(), right / person.clamp(min=1))


def dense_losses(
    output: DenseOutput, i: Tensor, u: Tensor, v: Tensor, offset_yx: tuple[int, int] = (0, 0)
) -> dict[str, Tensor]:
    """Return the named losses of the dense head. i int64, u, v float32: (N, H, W), labels at the pixels of the crops.

    A cell's centre lies between pixels; offset_yx, each 0 or 1, says which neighbour labels it. Draw it anew for each
    batch, and the labels are without bias.
    """
    y, x = offset_yx
    i2 = i[:, y::2, x::2]  # (N, H/2, W/2)
    predicted = decide(output.chart_logits.detach())
    i4, u4, v4 = (label[:, 1 + y :: 4, 1 + x :: 4] for label in (i, u, v))  # (N, H/4, W/4)
    return {
        "chart": chart_loss(output.chart_logits, i2),
        "u": uv_loss(output.u, u4, i4),
        "v": uv_loss(output.v, v4, i4),
        "confidence": confidence_loss(output.confidence_logit, predicted, i2),
        "quality": quality_loss(output.quality_logit, predicted, i2),
    }


def centre_targets(boxes_xyxy: Tensor, cells_hw: tuple[int, int], spread: float = 0.1) -> tuple[Tensor, Tensor]:
    """Make the heat (N, h, w) in [0, 1] and, for each cell, the box that heats it most (N, h, w, 4).

    heat = max over boxes of exp(-((x - cx)^2 / (2 sx^2) + (y - cy)^2 / (2 sy^2))), s = spread * side, with the cell
    that holds the centre set to 1 (Liu et al., TTFNet, AAAI 2020). boxes_xyxy (N, M, 4) pixels; a box without area is
    padding.
    """
    centres = cell_centres(cells_hw, STRIDE, boxes_xyxy.device)[None, None]  # (1, 1, h, w, 2)
    left_top, right_bottom = boxes_xyxy[:, :, None, None, :2], boxes_xyxy[:, :, None, None, 2:]
    side = right_bottom - left_top  # (N, M, 1, 1, 2)
    away = (centres - (left_top + right_bottom) / 2).abs()  # (N, M, h, w, 2)
    heat = torch.exp(-0.5 * (away / (spread * side).clamp(min=1.0)).square().sum(-1))  # (N, M, h, w)
    heat = torch.where((away <= 4.0).all(-1), torch.ones_like(heat), heat)  # 4 = half a cell
    heat = heat * (side > 0).all(-1)
    heat, best = heat.max(dim=1)  # (N, h, w)
    index = best.flatten(1)[..., None].expand(-1, -1, 4)  # (N, h*w, 4)
    return heat, boxes_xyxy.gather(1, index).unflatten(1, tuple(cells_hw))


def heat_loss(heat_logit: Tensor, heat: Tensor) -> Tensor:
    """Return the focal loss of CenterNet: -(1-p)^2 log p at centres (heat 1), -(1-heat)^4 p^2 log(1-p) elsewhere, per
    centre."""
    p = heat_logit.sigmoid()
    centre = heat >= 1
    at_centre = -((1 - p) ** 2) * F.logsigmoid(heat_logit)
    elsewhere = -((1 - heat) ** 4) * p**2 * F.logsigmoid(-heat_logit)
    return torch.where(centre, at_centre, elsewhere).sum() / centre.sum().clamp(min=1)


def box_loss(predicted: Tensor, target: Tensor, heat: Tensor, min_heat: float = 0.3) -> Tensor:
    """Return 1 - GIoU (Rezatofighi et al., CVPR 2019), mean over the cells with heat > min_heat, weighted by heat.

    predicted, target (N, h, w, 4) xyxy pixels, heat (N, h, w).
    """
    weight = heat * (heat > min_heat)
    p, t = predicted.float(), target
    size = lambda box: (box[..., 2:] - box[..., :2]).clamp(min=0)  # noqa: E731
    shared = (torch.minimum(p[..., 2:], t[..., 2:]) - torch.maximum(p[..., :2], t[..., :2])).clamp(min=0).prod(-1)
    around = (torch.maximum(p[..., 2:], t[..., 2:]) - torch.minimum(p[..., :2], t[..., :2])).prod(-1).clamp(min=1e-3)
    union = (size(p).prod(-1) + size(t).prod(-1) - shared).clamp(min=1e-3)
    giou = shared / union - (around - union) / around
    return ((1 - giou) * weight).sum() / weight.sum().clamp(min=1)


def detection_losses(output: DetectionOutput, boxes_xyxy: Tensor) -> dict[str, Tensor]:
    """Return the named losses of the detection head. boxes_xyxy (N, M, 4) pixels, padded with zeros."""
    heat, target = centre_targets(boxes_xyxy, tuple(output.heat_logit.shape[-2:]))
    return {"heat": heat_loss(output.heat_logit, heat), "box": box_loss(output.boxes_xyxy, target, heat)}
