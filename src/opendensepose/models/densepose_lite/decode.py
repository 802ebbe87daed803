"""Raw dense output -> one chart, U, V and confidence per pixel, at any resolution; in NumPy, whichever library runs the
network.

Letters: C channels, h x w cells of the network's output, R x S pixels asked for.
"""

import math
from collections.abc import Iterator

import numpy as np

from opendensepose.models.densepose_lite.boxes import sigmoid
from opendensepose.models.densepose_lite.outputs import PERSON_WEIGHT, DenseOutput
from opendensepose.surface import MIRROR_CHART, NUM_CHARTS, mirror_iuv

__all__ = ["average_with_mirrored", "decode_crop", "decode_pixels", "person_logit"]

LOG_PERSON_WEIGHT = np.float32(math.log(PERSON_WEIGHT))
TILE_CELLS, TILE_PIXELS = 16, 512  # of a tile's side, at most: few charts meet in it, and it stays in the cache
# By chart 1..24: 1 where the mirrored point has 1 - U, and where it has 1 - V; else 0.
_ZEROS = np.zeros(NUM_CHARTS + 1, np.float32)
REVERSES_U, REVERSES_V = (part[1:, None, None] for part in mirror_iuv(np.arange(NUM_CHARTS + 1), _ZEROS, _ZEROS)[1:])


def person_logit(chart_logits: np.ndarray) -> np.ndarray:
    """Return log P(any chart) - log P(background) (...), above 0 where a person is more probable; chart_logits
    (25, ...)."""
    charts = chart_logits[1:]
    most = charts.max(axis=0)
    return np.log(np.exp(charts - most).sum(axis=0)) + most - chart_logits[0]


class _Axis:
    """Linear interpolation at positions in [0, 1] along one side of a grid of cells with centres at (k + 0.5) / n.
    Beyond the outer centres the outer cell's value holds."""

    def __init__(self, positions: np.ndarray, num_cells: int):
        x = np.clip(np.asarray(positions, np.float32) * num_cells - 0.5, 0, num_cells - 1).astype(np.float32)
        self.weights = np.maximum(1 - np.abs(x[:, None] - np.arange(num_cells, dtype=np.float32)), 0)
        self.first = np.floor(x).astype(int)  # the cell at or before each position
        self.num_cells = num_cells

    def cells(self, pixels: slice) -> slice:
        """Return the cells between which the pixels lie."""
        return slice(int(self.first[pixels].min()), min(int(self.first[pixels].max()) + 2, self.num_cells))

    def tiles(self) -> list[slice]:
        """Return slices of pixels that together are all: none longer than TILE_PIXELS, few cells in each."""
        if not len(self.first):
            return []
        span = int(self.first.max() - self.first.min()) + 1
        count = max(-(-span // TILE_CELLS), -(-len(self.first) // TILE_PIXELS))
        edges = np.linspace(0, len(self.first), min(count, len(self.first)) + 1).astype(int)
        return [slice(*edge) for edge in zip(edges[:-1], edges[1:], strict=True)]


class _Patch:
    """The cells around a tile of pixels, and how to read maps of cells at those pixels."""

    def __init__(self, rows: _Axis, columns: _Axis, tile: tuple[slice, slice]):
        self.cells = rows.cells(tile[0]), columns.cells(tile[1])
        self.down = rows.weights[tile[0], self.cells[0]]
        self.across = columns.weights[tile[1], self.cells[1]].T

    def read(self, cell_map: np.ndarray) -> np.ndarray:
        """Interpolate a map (h, w) at the tile's pixels."""
        return self.down @ cell_map[self.cells] @ self.across


def decode_pixels(
    output: DenseOutput, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Decode I uint8, U, V float32 in [0, 1] and confidence float32 in [0, 1], each (R, S), of one crop.

    output: DenseOutput of one crop, without the batch axis. rows (R,), columns (S,): float positions of the pixels
    asked for, 0 the top (left) edge of the crop and 1 its bottom (right) edge. I is decided as `network.decide` says,
    from the interpolated logits; U and V are those of that chart. Confidence is the probability that the chart is
    right, 0 on background.
    """
    scores = np.array(output.chart_logits, np.float32)
    scores[1:] += LOG_PERSON_WEIGHT
    possible = _possible(scores)
    fine, coarse = (
        [_Axis(*side) for side in zip((rows, columns), cells_hw, strict=True)]
        for cells_hw in (scores.shape[1:], output.u.shape[1:])
    )
    i = np.zeros((len(rows), len(columns)), np.uint8)
    u, v, confidence = (np.zeros(i.shape, np.float32) for _ in range(3))
    for tile in _tiles(*fine):
        patch = _Patch(*fine, tile)
        classes = np.flatnonzero(possible[:, *patch.cells].any(axis=(1, 2))).astype(np.uint8)
        if classes[-1] == 0:
            continue  # nobody
        i[tile] = _decide_between(classes, scores, patch)
        person = i[tile] > 0
        if person.any():
            confidence[tile] = sigmoid(patch.read(output.confidence_logit)) * person
            patch = _Patch(*coarse, tile)
            for chart in classes[classes > 0]:
                there = i[tile] == chart
                if there.any():
                    for maps, whole in ((output.u, u), (output.v, v)):
                        np.copyto(whole[tile], patch.read(maps[chart - 1]).clip(0, 1), where=there)
    return i, u, v, confidence


def _possible(scores: np.ndarray) -> np.ndarray:
    """(25, h, w) bool: which classes may have the best score somewhere between a cell and the next ones to the right
    and below. Not those whose best there is worse than another class's worst."""
    worst = best = scores
    for axis in (1, 2):
        last = scores.shape[axis] - 1
        after = np.minimum(np.arange(last + 1) + 1, last)
        worst = np.minimum(worst, worst.take(after, axis))
        best = np.maximum(best, best.take(after, axis))
    return best >= worst.max(axis=0)


def _tiles(rows: _Axis, columns: _Axis) -> Iterator[tuple[slice, slice]]:
    of_columns = columns.tiles()
    for tile_rows in rows.tiles():
        for tile_columns in of_columns:
            yield tile_rows, tile_columns


def _decide_between(classes: np.ndarray, scores: np.ndarray, patch: _Patch) -> np.ndarray:
    """Return which of the classes has the best score at each of the patch's pixels, the first of equals."""
    best = patch.read(scores[classes[0]])
    chosen = np.full(best.shape, classes[0], np.uint8)
    for one in classes[1:]:
        score = patch.read(scores[one])
        np.copyto(chosen, one, where=score > best)
        np.maximum(best, score, out=best)
    return chosen


def decode_crop(
    output: DenseOutput, size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Apply decode_pixels at every pixel of crops of size_hw, batched: each (N, H, W)."""
    rows, columns = ((np.arange(n, dtype=np.float32) + 0.5) / n for n in size_hw)
    crops = [decode_pixels(DenseOutput(*one), rows, columns) for one in zip(*output, strict=True)]
    i, u, v, confidence = (np.stack(maps) for maps in zip(*crops, strict=True))
    return i, u, v, confidence


def average_with_mirrored(output: DenseOutput, of_mirrored: DenseOutput) -> DenseOutput:
    """Average the output for crops and that for the same crops mirrored, the latter turned back by the mirror rule:
    columns reversed, left and right charts exchanged, 1 - U or 1 - V where the rule says so."""
    charts = MIRROR_CHART[1:].astype(int) - 1
    back_u, back_v = (
        (reverses + (1 - 2 * reverses) * maps[..., ::-1])[:, charts]
        for maps, reverses in ((of_mirrored.u, REVERSES_U), (of_mirrored.v, REVERSES_V))
    )
    back = DenseOutput(
        of_mirrored.chart_logits[:, MIRROR_CHART.astype(int), :, ::-1],
        back_u,
        back_v,
        of_mirrored.confidence_logit[..., ::-1],
        of_mirrored.quality_logit,
    )
    return DenseOutput(*((one + other) / 2 for one, other in zip(output, back, strict=True)))
