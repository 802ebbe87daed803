"""Raw dense output -> one chart, U, V and confidence per pixel, at any resolution.

Letters: C channels, h x w cells of the network's output, R x S pixels asked for.
"""

import numpy as np
import torch
from torch import Tensor

from opendensepose.models.dense_head import DenseOutput, decide
from opendensepose.surface import MIRROR_CHART, mirror_iuv

__all__ = ["average_with_mirrored", "decode_crop", "decode_pixels", "linear_weights"]

MAX_FLOATS = 24_000_000  # of one intermediate array; larger regions are decoded in strips of rows


def linear_weights(positions: Tensor, num_cells: int) -> Tensor:
    """Matrix (R, num_cells) of linear interpolation at positions (R,) in [0, 1], where cell k has its centre at
    (k + 0.5) / num_cells. Beyond the outer centres the outer cell's value holds."""
    x = (positions * num_cells - 0.5).clamp(0, num_cells - 1)
    return (1 - (x[:, None] - torch.arange(num_cells, device=x.device)).abs()).clamp(min=0)


def _resample(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """maps (C, h, w) at all pairs of rows (R,) and columns (S,), positions in [0, 1] -> (C, R, S)."""
    across = maps.float() @ linear_weights(columns, maps.shape[2]).T  # (C, h, S)
    return linear_weights(rows, maps.shape[1]) @ across


def decode_pixels(output: DenseOutput, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """I uint8, U, V float32 in [0, 1] and confidence float32 in [0, 1], each (R, S), of one crop.

    output: DenseOutput of one crop, without the batch axis. rows (R,), columns (S,): float positions of the pixels
    asked for, 0 the top (left) edge of the crop and 1 its bottom (right) edge. I is decided as dense_head.decide()
    says, from the interpolated logits; U and V are those of that chart. Confidence is the probability that the chart is
    right, 0 on background.
    """
    strip = max(1, MAX_FLOATS // (25 * max(1, len(columns))))
    parts = [_decode_strip(output, part, columns) for part in rows.split(strip)]
    i, u, v, confidence = (torch.cat(maps) for maps in zip(*parts, strict=True))
    return i, u, v, confidence


def _decode_strip(output: DenseOutput, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    i = decide(_resample(output.chart_logits, rows, columns), axis=0)  # (R, S)
    person = i > 0
    chart = (i - 1).clamp(min=0)[None]
    u, v = (_resample(maps, rows, columns).gather(0, chart)[0].clamp(0, 1) * person for maps in (output.u, output.v))
    confidence = _resample(output.confidence_logit[None], rows, columns)[0].sigmoid() * person
    return i.to(torch.uint8), u, v, confidence


def decode_crop(output: DenseOutput, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """decode_pixels at every pixel of crops of size_hw, batched: each (N, H, W)."""
    device = output.u.device
    rows, columns = ((torch.arange(n, device=device) + 0.5) / n for n in size_hw)
    crops = [decode_pixels(DenseOutput(*one), rows, columns) for one in zip(*output, strict=True)]
    i, u, v, confidence = (torch.stack(maps) for maps in zip(*crops, strict=True))
    return i, u, v, confidence


def average_with_mirrored(output: DenseOutput, of_mirrored: DenseOutput) -> DenseOutput:
    """Mean of the output for crops and the output for the same crops seen in a mirror, the latter turned back by the
    mirror rule."""
    charts = np.arange(1, 25, dtype=np.uint8)
    device = output.u.device
    zeros = np.zeros(24, np.float32)
    _, u_at_0, v_at_0 = mirror_iuv(charts, zeros, zeros)  # 1 where the rule turns U (V) round
    order = torch.as_tensor(np.asarray(MIRROR_CHART).astype(np.int64), device=device)  # (25,)
    back = of_mirrored._replace(**{name: getattr(of_mirrored, name).flip(-1) for name in of_mirrored._fields})

    def turned(maps: Tensor, at_0: np.ndarray) -> Tensor:
        turn = torch.as_tensor(at_0, dtype=maps.dtype, device=device)[:, None, None]
        return (turn + (1 - 2 * turn) * maps)[:, order[1:] - 1]

    return DenseOutput(
        (output.chart_logits + back.chart_logits[:, order]) / 2,
        (output.u + turned(back.u, u_at_0)) / 2,
        (output.v + turned(back.v, v_at_0)) / 2,
        (output.confidence_logit + back.confidence_logit) / 2,
    )
