"""Losses of a head that predicts the charts of regions, at annotated points, on part masks and on dense labels.

Letters: R regions, S x S cells of a region's output, P labelled points of all regions.
Sources: Güler et al., CVPR 2018, section 4; weights and sums as released with detectron2; confidences of U and V:
Neverova et al., NeurIPS 2019; of the segmentations: Sanakoyeu et al., CVPR 2020.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from opendensepose.models.cells import read_maps, region_centres
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.models.whole_batch import shared_mean
from opendensepose.part_grid import GRID, LEAST_SIDE

__all__ = [
    "LossWeights",
    "LabelledPoints",
    "aniso_uv_loss",
    "chart_loss",
    "coarse_loss",
    "dense_points",
    "iso_uv_loss",
    "join_points",
    "parts_at",
    "annotated_points",
    "region_losses",
    "smooth_uv_losses",
]

MIN_VARIANCE = 0.01  # of U and V, added to the softplus of the network's output
DENSE_WEIGHT = 100.0  # the labelled cells of a region weigh as this many points: what annotators give a person


@dataclass(frozen=True)
class LossWeights:
    """coarse, chart: of mean cross-entropies. uv: of the sum over the points of two images, as many as each of
    detectron2's processes had. beta: where smooth L1 turns from square to line."""

    coarse: float = 5.0
    chart: float = 1.0
    uv: float = 0.01
    beta: float = 1.0


class LabelledPoints(NamedTuple):
    """Points of regions whose labels are known: annotated ones, and cells with dense labels."""

    region: Tensor  # (P,) int64
    xy: Tensor  # (P, 2) in [0, 1], over the region
    chart: Tensor  # (P,) int64 1..24
    uv: Tensor  # (P, 2) in [0, 1]
    weight: Tensor  # (P,)


def region_losses(
    output: ChartOutput,
    regions: Tensor,
    image: Tensor,
    person: Tensor,
    targets: Sequence[Targets],
    weights: LossWeights | None = None,
) -> dict[str, Tensor]:
    """Return the weighted losses of the dense head: coarse, chart, and u, v, or in models with confidences uv.

    regions (R, 4) xyxy pixels, image (R,) index into targets, person (R,) row of that image's people. People without
    part masks and points teach nothing. Confidences of the segmentations have no loss of their own: the logits are
    already multiplied by them, so that the cross-entropy teaches them as an inverse temperature.
    """
    weights = weights or LossWeights()
    centres = region_centres(regions, output.coarse.shape[-1])  # (R, S, S, 2)
    annotated, parts = _part_targets(centres, image, person, targets)
    points = _all_points(regions, centres, image, person, targets)
    losses = {
        "coarse": weights.coarse * coarse_loss(output.coarse, parts, annotated),
        "chart": weights.chart * chart_loss(output.fine, points),
    }
    if output.sigma_2 is None:
        uv = smooth_uv_losses(output.u, output.v, points, weights.beta)
    elif output.kappa_u is None:
        uv = {"uv": iso_uv_loss(output, points)}
    else:
        uv = {"uv": aniso_uv_loss(output, points)}
    return losses | {name: weights.uv * loss * 2 / max(1, len(targets)) for name, loss in uv.items()}


def coarse_loss(logits: Tensor, parts: Tensor, used: Tensor) -> Tensor:
    """Return the cross-entropy, mean over the cells of the used regions. logits (R, 2 or 15, S, S), parts (R, S, S)
    int64 0..14, used (R,) bool. With 2 classes any part is a person."""
    label = parts if logits.shape[1] > 2 else (parts > 0).long()
    loss = F.cross_entropy(logits.float(), label, reduction="none") * used[:, None, None]
    return shared_mean(loss.sum(), used.sum() * parts[0].numel() if len(parts) else used.sum())


def chart_loss(logits: Tensor, points: LabelledPoints) -> Tensor:
    """Return -sum_p w_p log P(I_p) / sum_p w_p over the points. logits (R, 25, S, S), read between cells."""
    loss = F.cross_entropy(read_maps(logits, points.region, points.xy).float(), points.chart, reduction="none")
    return shared_mean((points.weight * loss).sum(), points.weight.sum())


def smooth_uv_losses(u: Tensor, v: Tensor, points: LabelledPoints, beta: float = 1.0) -> dict[str, Tensor]:
    """Return the smooth L1 of U and V in the true chart, weighted sums over points: d^2 / (2 beta) below beta, |d| -
    beta/2 above.

    u, v (R, 25, S, S).
    """
    return {
        name: (points.weight * F.smooth_l1_loss(predicted, true, reduction="none", beta=beta)).sum()
        for name, predicted, true in zip("uv", _read_uv(u, v, points), points.uv.unbind(1), strict=True)
    }


def iso_uv_loss(output: ChartOutput, points: LabelledPoints) -> Tensor:
    """Return -sum_p w_p log N(d_p; 0, s I) = sum_p w_p (log 2 pi + log s + |d|^2 / (2 s)), d the error of (U, V), s =
    0.01 + softplus(sigma_2): WC1."""
    d_u, d_v, s = _errors_and_variance(output, points)
    return (points.weight * (math.log(2 * math.pi) + s.log() + (d_u**2 + d_v**2) / (2 * s))).sum()


def aniso_uv_loss(output: ChartOutput, points: LabelledPoints) -> Tensor:
    """Return -sum_p w_p log N(d_p; 0, s I + k k^T), with k = (kappa_u, kappa_v) and t = s + |k|^2, that is
    sum_p w_p (log 2 pi + log(s t) / 2 + (|d|^2 - (d . k)^2 / t) / (2 s)): WC2."""
    d_u, d_v, s = _errors_and_variance(output, points)
    k_u, k_v = _read_uv(output.kappa_u, output.kappa_v, points)
    t = s + k_u**2 + k_v**2
    square = (d_u**2 + d_v**2 - (d_u * k_u + d_v * k_v) ** 2 / t) / s
    return (points.weight * (math.log(2 * math.pi) + 0.5 * (s * t).log() + 0.5 * square)).sum()


def _errors_and_variance(output: ChartOutput, points: LabelledPoints) -> tuple[Tensor, Tensor, Tensor]:
    u, v = _read_uv(output.u, output.v, points)
    s = F.softplus(_read_chart(output.sigma_2, points)) + MIN_VARIANCE
    return u - points.uv[:, 0], v - points.uv[:, 1], s


def _read_uv(u: Tensor, v: Tensor, points: LabelledPoints) -> tuple[Tensor, Tensor]:
    return _read_chart(u, points), _read_chart(v, points)


def _read_chart(maps: Tensor, points: LabelledPoints) -> Tensor:
    return read_maps(maps, points.region, points.xy, points.chart).float()


def parts_at(xy: Tensor, parts: Tensor, box: Tensor) -> Tensor:
    """Read the part 0..14, int64 (...), at pixels xy (..., 2), as `part_grid.part_at` does; parts (256, 256) over box
    (4,)."""
    cell = ((xy - box[:2]) / (box[2:] - box[:2]).clamp(min=LEAST_SIDE) * GRID).floor()
    inside = ((cell >= 0) & (cell < GRID)).all(-1)
    column, row = cell.clamp(0, GRID - 1).long().unbind(-1)
    return parts[row, column].long() * inside


def annotated_points(region: int, box: Tensor, person: int, targets: Targets) -> LabelledPoints:
    """Return a person's annotated points inside a region."""
    xy = (targets.point_xy - box[:2]) / (box[2:] - box[:2])
    kept = (targets.point_person == person) & ((xy >= 0) & (xy <= 1)).all(1)
    chart = targets.point_i[kept]
    weight = xy.new_ones(len(chart))
    return LabelledPoints(torch.full_like(chart, region), xy[kept], chart, targets.point_uv[kept], weight)


def dense_points(region: int, centres: Tensor, person: int | None, dense: DenseLabels) -> LabelledPoints:
    """Return the cells of a region whose centre, (S, T, 2) in pixels, falls on a pixel labelled as the person, or as
    anyone if None. Together they weigh DENSE_WEIGHT for each person."""
    pixel = centres.floor().long()
    limit = pixel.new_tensor(dense.i.shape[::-1])  # (W, H)
    inside = ((pixel >= 0) & (pixel < limit)).all(-1)
    x, y = torch.minimum(pixel.clamp(min=0), limit - 1).unbind(-1)
    who = dense.person[y, x].long() * inside * (dense.i[y, x] > 0)  # (S, T) from 1
    labelled = who > 0 if person is None else who == person + 1
    row, column = torch.nonzero(labelled, as_tuple=True)
    x, y = x[row, column], y[row, column]
    xy = (torch.stack([column, row], 1) + 0.5) / pixel.new_tensor(centres.shape[1::-1])
    uv = torch.stack([dense.u[y, x], dense.v[y, x]], 1)
    weight = xy.new_full((len(row),), DENSE_WEIGHT * len(who[labelled].unique()) / max(1, len(row)))
    return LabelledPoints(torch.full_like(row, region), xy, dense.i[y, x].long(), uv, weight)


def _all_points(
    regions: Tensor, centres: Tensor, image: Tensor, person: Tensor, targets: Sequence[Targets]
) -> LabelledPoints:
    """Return, of all regions, the annotated points, and the cells with dense labels where there are any."""
    found = []
    for k, (n, who) in enumerate(zip(image.tolist(), person.tolist(), strict=True)):
        found.append(annotated_points(k, regions[k], who, targets[n]))
        if targets[n].dense is not None:
            found.append(dense_points(k, centres[k], who, targets[n].dense))
    return join_points(found, regions.device)


def join_points(found: Sequence[LabelledPoints], device: torch.device | str) -> LabelledPoints:
    """Join all of them into one; without any, none."""
    index, xy = torch.zeros(0, dtype=torch.long, device=device), torch.zeros(0, 2, device=device)
    none = LabelledPoints(index, xy, index, xy, xy[:, 0])
    return LabelledPoints(*(torch.cat(part) for part in zip(none, *found, strict=True)))


def _part_targets(centres: Tensor, image: Tensor, person: Tensor, targets: Sequence[Targets]) -> tuple[Tensor, Tensor]:
    """Return which regions have part masks (R,) bool, and the part of each cell (R, S, S) int64."""
    annotated = torch.zeros(len(image), dtype=torch.bool, device=centres.device)
    parts = torch.zeros(centres.shape[:3], dtype=torch.long, device=centres.device)
    for k, (n, who) in enumerate(zip(image.tolist(), person.tolist(), strict=True)):
        annotated[k] = targets[n].annotated[who]
        parts[k] = parts_at(centres[k], targets[n].parts[who], targets[n].boxes[who])
    return annotated, parts
