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

from opendensepose.models.cells import read_maps, region_axes
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.targets import DenseLabels, Targets, join_people
from opendensepose.models.whole_batch import shared_mean
from opendensepose.part_grid import GRID, LEAST_SIDE
from opendensepose.surface import CHART_TO_PART

__all__ = [
    "LossWeights",
    "LabelledPoints",
    "aniso_uv_loss",
    "annotated_points",
    "chart_loss",
    "coarse_loss",
    "coarse_point_loss",
    "dense_points",
    "iso_uv_loss",
    "join_points",
    "parts_at",
    "region_losses",
    "region_parts",
    "smooth_uv_losses",
]

MIN_VARIANCE = 0.01  # of U and V, added to the softplus of the network's output
MAX_PEOPLE = 256  # of dense labels: their numbers are of uint8
DENSE_WEIGHT = 100.0  # the labelled cells of a region weigh as this many points: what annotators give a person


@dataclass(frozen=True)
class LossWeights:
    """The released weights, unless said otherwise.

    coarse, chart: of mean cross-entropies. uv: of the sum over the points of two images, as many as each of
    detectron2's processes had, or with uv_mean of the mean over all points. beta: where smooth L1 turns from square to
    line. coarse_points: of the coarse segmentation's mean cross-entropy at the labelled points, which the released
    losses do not have. dense_jitter: dense labels are learned at random places of the cells instead of their centres,
    so that maps are learned between cells too, where they are read.
    """

    coarse: float = 5.0
    chart: float = 1.0
    uv: float = 0.01
    beta: float = 1.0
    uv_mean: bool = False
    coarse_points: float = 0.0
    dense_jitter: bool = False


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
    stands_for: Tensor | None = None,
) -> dict[str, Tensor]:
    """Return the weighted losses of the dense head: coarse, chart, and u, v, or in models with confidences uv.

    regions (R, 4) xyxy pixels, image (R,) index into targets, person (R,) row of that image's people. stands_for (R,):
    how many regions each stands for, 1 if not said. People without part masks and points teach nothing. Confidences of
    the segmentations have no loss of their own: the logits are already multiplied by them, so that the cross-entropy
    teaches them as an inverse temperature.
    """
    weights = weights or LossWeights()
    stands_for = regions.new_ones(len(regions)) if stands_for is None else stands_for
    people, first = join_people(targets)
    row = first[image] + person  # (R,) of all people
    x, y = region_axes(regions, output.coarse.shape[-1])  # (R, S) each
    parts = region_parts(x, y, row, people)
    jitter = weights.dense_jitter
    found = [annotated_points(regions, row, people), *_dense_points_of_images(x, y, image, person, targets, jitter)]
    points = join_points(found, regions.device)
    points = points._replace(weight=points.weight * stands_for[points.region])
    losses = {
        "coarse": weights.coarse * coarse_loss(output.coarse, parts, stands_for * people.annotated[row]),
        "chart": weights.chart * chart_loss(output.fine, points),
    }
    if weights.coarse_points:
        losses["coarse_points"] = weights.coarse_points * coarse_point_loss(output.coarse, points)
    if output.sigma_2 is None:
        uv = smooth_uv_losses(output.u, output.v, points, weights.beta)
    elif output.kappa_u is None:
        uv = {"uv": iso_uv_loss(output, points)}
    else:
        uv = {"uv": aniso_uv_loss(output, points)}
    if weights.uv_mean:
        return losses | {name: weights.uv * shared_mean(loss, points.weight.sum()) for name, loss in uv.items()}
    return losses | {name: weights.uv * loss * 2 / max(1, len(targets)) for name, loss in uv.items()}


def coarse_loss(logits: Tensor, parts: Tensor, weight: Tensor) -> Tensor:
    """Return the cross-entropy, mean over the cells of the regions, each with its weight (R,). logits (R, 2 or 15, S,
    S), parts (R, S, S) 0..14. With 2 classes any part is a person."""
    label = parts if logits.shape[1] > 2 else parts > 0
    loss = F.cross_entropy(logits.float(), label.long(), reduction="none") * weight[:, None, None]
    return shared_mean(loss.sum(), weight.sum() * logits.shape[-2] * logits.shape[-1])


def coarse_point_loss(logits: Tensor, points: LabelledPoints) -> Tensor:
    """Return -sum_p w_p log P(part of I_p) / sum_p w_p over the points; with 2 classes any part is a person.

    logits (R, 2 or 15, S, S), read between cells. The mean over cells alone leaves many points of thin limbs in
    background.
    """
    parts = torch.as_tensor(CHART_TO_PART.astype("int64"), device=logits.device)[points.chart]
    label = parts if logits.shape[1] > 2 else torch.ones_like(parts)
    loss = F.cross_entropy(read_maps(logits, points.region, points.xy).float(), label, reduction="none")
    return shared_mean((points.weight * loss).sum(), points.weight.sum())


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
    cell, inside = _grid_cells(xy, box[:2], box[2:])
    column, row = cell.unbind(-1)
    return parts[row, column].long() * inside.all(-1)


def region_parts(x: Tensor, y: Tensor, row: Tensor, people: Targets) -> Tensor:
    """Read the part 0..14, uint8 (R, S, T), of the person `row` (R,) of each region, at the pixels where its columns x
    (R, T) and its rows y (R, S) meet."""
    boxes = people.boxes[row].unbind(1)
    (columns, in_x), (rows, in_y) = (
        _grid_cells(place, boxes[k][:, None], boxes[k + 2][:, None]) for k, place in enumerate((x, y))
    )
    parts = people.parts[row[:, None, None], rows[:, :, None], columns[:, None]]
    return parts * (in_y[:, :, None] & in_x[:, None])


def _grid_cells(place: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cell, int64, of the grid from low to high where each place lies, or the nearest one, and whether it
    lies inside."""
    cell = ((place - low) / (high - low).clamp(min=LEAST_SIDE) * GRID).floor()
    return cell.clamp(0, GRID - 1).long(), (cell >= 0) & (cell < GRID)


def annotated_points(regions: Tensor, row: Tensor, people: Targets) -> LabelledPoints:
    """Return the annotated points of the person `row` (R,) of each region (R, 4) that lie inside it."""
    of_person = people.point_person.argsort(stable=True)  # the points of the first person, of the second, ...
    num_points = torch.bincount(people.point_person, minlength=len(people.boxes))
    start = num_points.cumsum(0) - num_points
    num = num_points[row]  # (R,)
    region = torch.arange(len(regions), device=regions.device).repeat_interleave(num)
    within = torch.arange(len(region), device=regions.device) - (num.cumsum(0) - num)[region]
    point = of_person[start[row][region] + within]
    low, high = regions[:, :2], regions[:, 2:]
    xy = (people.point_xy[point] - low[region]) / (high - low)[region]
    kept = ((xy >= 0) & (xy <= 1)).all(1)
    point, xy = point[kept], xy[kept]
    return LabelledPoints(region[kept], xy, people.point_i[point], people.point_uv[point], xy.new_ones(len(xy)))


def dense_points(
    region: Tensor,
    x: Tensor,
    y: Tensor,
    person: Tensor | None,
    dense: DenseLabels,
    random: torch.Generator | None = None,
) -> LabelledPoints:
    """Return the cells of regions of one image whose centre falls on a pixel labelled as the region's person, or as
    anyone if None. The cells of a region together weigh DENSE_WEIGHT for each person.

    region (R,) its number, x (R, T) and y (R, S) pixels of its columns' and rows' centres, person (R,) row of the
    image's people. random: take a random place of each column and row instead of its centre.
    """
    offset_x, offset_y = torch.zeros_like(x), torch.zeros_like(y)  # in cells
    if random is not None:
        offset_x, offset_y = (torch.rand(one.shape, generator=random).to(one.device) - 0.5 for one in (x, y))
        x, y = (one + offset * (one[:, 1:2] - one[:, :1]) for one, offset in ((x, offset_x), (y, offset_y)))
    (rows, in_y), (columns, in_x) = (_pixels(one, size) for one, size in zip((y, x), dense.i.shape, strict=True))
    known = dense.person * (dense.i > 0)  # (H, W) from 1
    who = known[rows[:, :, None], columns[:, None]]  # (R, S, T)
    labelled = who > 0 if person is None else who == person[:, None, None] + 1
    k, row, column = torch.nonzero(labelled & in_y[:, :, None] & in_x[:, None], as_tuple=True)
    num_people = 1
    if person is None:
        seen = torch.unique(MAX_PEOPLE * k + who[k, row, column])
        num_people = torch.bincount(seen // MAX_PEOPLE, minlength=len(region))
    weight = DENSE_WEIGHT * num_people / torch.bincount(k, minlength=len(region))  # (R,) of a cell
    offset = torch.stack([offset_x[k, column], offset_y[k, row]], 1)
    xy = (torch.stack([column, row], 1) + 0.5 + offset) / k.new_tensor([x.shape[1], y.shape[1]])
    at = rows[k, row], columns[k, column]
    uv = torch.stack([dense.u[at], dense.v[at]], 1)
    return LabelledPoints(region[k], xy, dense.i[at].long(), uv, weight[k])


def _pixels(place: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the pixel, int64, of `size` in a row, where each place lies, or the nearest one, and whether it is one of
    them."""
    pixel = place.floor().long()
    return pixel.clamp(0, size - 1), (pixel >= 0) & (pixel < size)


def _dense_points_of_images(
    x: Tensor, y: Tensor, image: Tensor, person: Tensor, targets: Sequence[Targets], jitter: bool
) -> list[LabelledPoints]:
    """Return the cells with dense labels of the regions of each image that has such labels."""
    found = []
    for n, target in enumerate(targets):
        if target.dense is not None:
            own = torch.nonzero(image == n).flatten()
            random = torch.Generator().manual_seed(target.seed) if jitter else None
            found.append(dense_points(own, x[own], y[own], person[own], target.dense, random))
    return found


def join_points(found: Sequence[LabelledPoints], device: torch.device | str) -> LabelledPoints:
    """Join all of them into one; without any, none."""
    index, xy = torch.zeros(0, dtype=torch.long, device=device), torch.zeros(0, 2, device=device)
    none = LabelledPoints(index, xy, index, xy, xy[:, 0])
    return LabelledPoints(*(torch.cat(part) for part in zip(none, *found, strict=True)))
