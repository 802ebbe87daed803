"""Raw dense output -> one chart, U, V and confidence per pixel, at any resolution.

Letters: C channels, h x w cells of the network's output, R x S pixels asked for.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from opendensepose.models.cells import cell_positions
from opendensepose.models.densepose_lite.network import DenseOutput, decide
from opendensepose.models.mirror import mirror_class_maps, mirror_uv_maps
from opendensepose.models.outputs import NUM_CLASSES

__all__ = ["average_with_mirrored", "decode_crop", "decode_pixels"]

MAX_FLOATS = 24_000_000  # of one intermediate array; larger regions are decoded in strips of rows


class _Corners(NamedTuple):
    """Linear interpolation at K pixels of a grid of cells: the four cells around each and what each counts."""

    index: Tensor  # (4, K) int64 into the flattened grid
    weight: Tensor  # (4, K), of sum 1

    def of(self, table: Tensor) -> Tensor:
        """Values (K, C) from those of the cells, (h * w, C)."""
        return sum(table[index] * weight[:, None] for index, weight in zip(*self, strict=True))

    def of_chart(self, maps: Tensor, chart: Tensor) -> Tensor:
        """Values (K,) from maps (24, h, w), pixel k from the map of chart[k], 1..24."""
        start = (chart - 1) * (maps.shape[1] * maps.shape[2])
        values = maps.reshape(-1)
        return sum(values[start + index] * weight for index, weight in zip(*self, strict=True))


class _Grid:
    """Where the pixels at all pairs of rows (R,) and columns (S,), positions in [0, 1], lie in a grid of h x w cells
    with centres at (k + 0.5) / h. Beyond the outer centres the outer cell's value holds."""

    def __init__(self, rows: Tensor, columns: Tensor, cells_hw: tuple[int, int]):
        self.cells_hw = cells_hw
        (self.top, self.down), (self.left, self.across) = (
            _place(positions, cells) for positions, cells in zip((rows, columns), cells_hw, strict=True)
        )

    def corners(self, row: Tensor, column: Tensor) -> _Corners:
        """Return those of the pixels in these rows and columns, (K,) each."""
        height, width = self.cells_hw
        top, left, down, across = self.top[row], self.left[column], self.down[row], self.across[column]
        below, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
        index = torch.stack([top * width + left, top * width + right, below * width + left, below * width + right])
        weight = torch.stack([(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across])
        return _Corners(index, weight)

    def agreed(self, labels: Tensor) -> Tensor:
        """(R, S): the label of the four cells around a pixel, -1 where they differ; labels (h, w)."""
        right = torch.cat([labels[:, 1:], labels[:, -1:]], dim=1)
        below, across = (torch.cat([part[1:], part[-1:]]) for part in (labels, right))
        same = (labels == right) & (labels == below) & (labels == across)
        return torch.where(same, labels, -1)[self.top[:, None], self.left]


def _place(positions: Tensor, num_cells: int) -> tuple[Tensor, Tensor]:
    """Return the cell at or before each position and how far, in [0, 1), it is to the next one."""
    x = cell_positions(positions, num_cells)
    cell = x.floor()
    return cell.long(), x - cell


def decode_pixels(output: DenseOutput, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Decode I uint8, U, V float32 in [0, 1] and confidence float32 in [0, 1], each (R, S), of one crop.

    output: DenseOutput of one crop, without the batch axis. rows (R,), columns (S,): float positions of the pixels
    asked for, 0 the top (left) edge of the crop and 1 its bottom (right) edge. I is decided as dense_head.decide()
    says, from the interpolated logits; U and V are those of that chart. Confidence is the probability that the chart is
    right, 0 on background.
    """
    strip = max(1, MAX_FLOATS // (NUM_CLASSES * max(1, len(columns))))
    output = DenseOutput(*(part.float() for part in output))
    parts = [_decode_strip(output, part, columns) for part in rows.split(strip)]
    i, u, v, confidence = (torch.cat(maps) for maps in zip(*parts, strict=True))
    return i, u, v, confidence


def _decode_strip(output: DenseOutput, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    fine = _Grid(rows, columns, output.confidence_logit.shape)
    # Where four cells decide alike, so does any mean of them: the decision compares linear functions of the logits.
    i = fine.agreed(decide(output.chart_logits, axis=0))  # (R, S)
    open_row, open_column = torch.nonzero(i < 0, as_tuple=True)
    logits = fine.corners(open_row, open_column).of(output.chart_logits.flatten(1).T.contiguous())  # (K, 25)
    i[open_row, open_column] = decide(logits, axis=1)
    row, column = torch.nonzero(i, as_tuple=True)
    chart = i[row, column]
    confidence = fine.corners(row, column).of(output.confidence_logit.reshape(-1, 1))[:, 0].sigmoid()
    corners = _Grid(rows, columns, output.u.shape[1:]).corners(row, column)
    values = (*(corners.of_chart(maps, chart).clamp(0, 1) for maps in (output.u, output.v)), confidence)
    u, v, sure = (i.new_zeros(i.shape, dtype=torch.float32) for _ in values)
    for whole, value in zip((u, v, sure), values, strict=True):
        whole[row, column] = value
    return i.to(torch.uint8), u, v, sure


def decode_crop(output: DenseOutput, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Apply decode_pixels at every pixel of crops of size_hw, batched: each (N, H, W)."""
    device = output.u.device
    rows, columns = ((torch.arange(n, device=device) + 0.5) / n for n in size_hw)
    crops = [decode_pixels(DenseOutput(*one), rows, columns) for one in zip(*output, strict=True)]
    i, u, v, confidence = (torch.stack(maps) for maps in zip(*crops, strict=True))
    return i, u, v, confidence


def average_with_mirrored(output: DenseOutput, of_mirrored: DenseOutput) -> DenseOutput:
    """Average the output for crops and that for the same crops mirrored, the latter turned back by the mirror
    rule."""
    back_u, back_v = mirror_uv_maps(of_mirrored.u, of_mirrored.v)
    back = DenseOutput(
        mirror_class_maps(of_mirrored.chart_logits),
        back_u,
        back_v,
        of_mirrored.confidence_logit.flip(-1),
        of_mirrored.quality_logit,
    )
    return DenseOutput(*((one + other) / 2 for one, other in zip(output, back, strict=True)))
