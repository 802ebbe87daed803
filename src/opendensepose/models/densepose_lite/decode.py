"""Raw dense output -> one chart, U, V and confidence per pixel, at any resolution; in NumPy, whichever library runs the
network.

Letters: C channels, h x w cells of the network's output, R x S pixels asked for.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.models.densepose_lite.boxes import sigmoid
from opendensepose.models.densepose_lite.outputs import PERSON_WEIGHT, DenseOutput
from opendensepose.surface import MIRROR_CHART, NUM_CHARTS, mirror_iuv

__all__ = ["average_with_mirrored", "decode_crop", "decode_pixels", "is_person", "mean_output", "turn_back"]

LOG_PERSON_WEIGHT = np.float32(math.log(PERSON_WEIGHT))
TILE_CELLS, TILE_PIXELS = 24, 512  # of a tile's side, at most: few charts meet in it, and it stays in the cache
MIN_PIXELS_OF_THREADS = 500_000  # of a crop: on smaller ones threads wait for Python more than they gain
# By chart 1..24: 1 where the mirrored point has 1 - U, and where it has 1 - V; else 0.
_ZEROS = np.zeros(NUM_CHARTS + 1, np.float32)
REVERSES_U, REVERSES_V = (part[1:, None, None] for part in mirror_iuv(np.arange(NUM_CHARTS + 1), _ZEROS, _ZEROS)[1:])


def is_person(chart_logits: np.ndarray) -> np.ndarray:
    """Return where P(any chart) > P(background), (h, w) bool; chart_logits (25, h, w)."""
    with np.errstate(over="ignore"):
        return np.exp(chart_logits[1:] - chart_logits[0]).sum(axis=0) > 1


class _Side(NamedTuple):
    """Some rows (or columns) of pixels, the cells between which they lie, and the weights (pixels, cells) of linear
    interpolation between the cells' centres."""

    pixels: slice
    cells: slice
    weights: np.ndarray


def _sides(positions: np.ndarray, fine_cells: int, coarse_cells: int) -> list[tuple[_Side, _Side]]:
    """Divide pixels at positions in [0, 1] into pieces of at most TILE_PIXELS and few cells: each on the fine and on
    the coarse grid. Cell k of n has its centre at (k + 0.5) / n; beyond the outer centres the outer cell's value
    holds."""
    positions = np.asarray(positions, np.float32)
    if not len(positions):
        return []
    span = fine_cells * float(positions.max() - positions.min())
    count = min(max(math.ceil(span / TILE_CELLS), math.ceil(len(positions) / TILE_PIXELS), 1), len(positions))
    edges = [len(positions) * k // count for k in range(count + 1)]
    pieces = [slice(*edge) for edge in zip(edges[:-1], edges[1:], strict=True)]
    fine, coarse = ([_side(positions, piece, cells) for piece in pieces] for cells in (fine_cells, coarse_cells))
    return list(zip(fine, coarse, strict=True))


def _side(positions: np.ndarray, pixels: slice, num_cells: int) -> _Side:
    x = np.clip(positions[pixels] * num_cells - np.float32(0.5), 0, num_cells - 1)
    first, last = int(x.min()), min(int(x.max()) + 1, num_cells - 1)
    weights = 1 - np.abs(x[:, None] - np.arange(first, last + 1, dtype=np.float32))
    return _Side(pixels, slice(first, last + 1), np.maximum(weights, 0))


def decode_pixels(
    output: DenseOutput, rows: np.ndarray, columns: np.ndarray, into: Sequence[np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Decode I uint8, U, V float32 in [0, 1] and confidence float32 in [0, 1], each (R, S), of one crop.

    output: DenseOutput of one crop, without the batch axis. rows (R,), columns (S,): float positions of the pixels
    asked for, 0 the top (left) edge of the crop and 1 its bottom (right) edge. I is decided as `network.decide` says,
    from the interpolated logits; U and V are those of that chart. Confidence is the sigmoid of its
    logit, 0 on background. into: arrays of zeros to write the four into, and to return.
    """
    scores = np.array(output.chart_logits, np.float32)
    scores[1:] += LOG_PERSON_WEIGHT
    possible = _possible(scores)
    uv_maps = np.stack([output.u, output.v], axis=1)  # (24, 2, h, w)
    if into is None:
        into = [np.zeros((len(rows), len(columns)), dtype) for dtype in (np.uint8, *[np.float32] * 3)]
    i, u, v, confidence = into
    of_rows = _sides(rows, scores.shape[1], uv_maps.shape[2])
    of_columns = _sides(columns, scores.shape[2], uv_maps.shape[3])

    def decode_tile(sides: tuple[tuple[_Side, _Side], tuple[_Side, _Side]]) -> None:
        (down, coarse_down), (across, coarse_across) = sides
        tile = down.pixels, across.pixels
        classes = np.flatnonzero(possible[:, down.cells, across.cells].any(axis=(1, 2)))
        if classes[-1] == 0:
            return  # nobody
        chosen = _decide_between(classes, _read(scores[classes], down, across))
        person = chosen > 0
        if not person.any():
            return
        i[tile] = chosen
        np.multiply(sigmoid(_read(output.confidence_logit, down, across)), person, out=confidence[tile])
        for chart in classes[classes > 0]:
            there = chosen == chart
            left, top, width, height = cv2.boundingRect(there.view(np.uint8))
            y, x = slice(top, top + height), slice(left, left + width)
            values = _read(uv_maps[chart - 1], _part(coarse_down, y), _part(coarse_across, x))
            for of_tile, value in zip((u[tile], v[tile]), values, strict=True):
                np.copyto(of_tile[y, x], value, where=there[y, x])
        for of_tile in (u[tile], v[tile]):
            np.clip(of_tile, 0, 1, out=of_tile)

    tiles = product(of_rows, of_columns)
    if i.size < MIN_PIXELS_OF_THREADS or cv2.getNumThreads() < 2:
        for sides in tiles:
            decode_tile(sides)
    else:  # NumPy lets other threads run while it computes
        with ThreadPoolExecutor(cv2.getNumThreads()) as threads:
            list(threads.map(decode_tile, tiles))
    return i, u, v, confidence


def _part(side: _Side, pixels: slice) -> _Side:
    """Return some of a side's pixels."""
    return side._replace(weights=side.weights[pixels])


def _read(maps: np.ndarray, down: _Side, across: _Side) -> np.ndarray:
    """Interpolate maps (..., h, w) at the pixels of a tile."""
    return down.weights @ maps[..., down.cells, across.cells] @ across.weights.T


def _possible(scores: np.ndarray) -> np.ndarray:
    """(25, h, w) bool: which classes may have the best score somewhere between a cell and the next ones to the right
    and below. Not those whose best there is worse than another class's worst."""
    worst, best = scores.copy(), scores.copy()
    for here, after in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, :, :-1], np.s_[:, :, 1:])):
        np.minimum(worst[here], worst[after], out=worst[here])
        np.maximum(best[here], best[after], out=best[here])
    return best >= worst.max(axis=0)


def _decide_between(classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return which of the classes (C,) has the best score (C, R, S) at each pixel, the first of equals."""
    best = scores[0].copy()
    chosen = np.full(best.shape, classes[0], np.uint8)
    for one, score in zip(classes[1:].astype(np.uint8), scores[1:], strict=True):
        np.copyto(chosen, one, where=score > best)
        np.maximum(best, score, out=best)
    return chosen


def decode_crop(output: DenseOutput, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Apply decode_pixels at every pixel of crops of size_hw, batched: each (N, H, W)."""
    rows, columns = ((np.arange(n, dtype=np.float32) + 0.5) / n for n in size_hw)
    crops = [decode_pixels(DenseOutput(*one), rows, columns) for one in zip(*output, strict=True)]
    i, u, v, confidence = (np.stack(maps) for maps in zip(*crops, strict=True))
    return i, u, v, confidence


def average_with_mirrored(output: DenseOutput, of_mirrored: DenseOutput) -> DenseOutput:
    """Average the output for crops and that for the same crops mirrored, turned back."""
    return mean_output(output, turn_back(of_mirrored))


def mean_output(one: DenseOutput, other: DenseOutput) -> DenseOutput:
    """Average two outputs for the same crops."""
    return DenseOutput(*((a + b) * np.float32(0.5) for a, b in zip(one, other, strict=True)))


def turn_back(of_mirrored: DenseOutput) -> DenseOutput:
    """Make the output for crops of that for the same crops mirrored, by the mirror rule: columns reversed, left and
    right charts exchanged, 1 - U or 1 - V where the rule says so."""
    charts, classes = MIRROR_CHART[1:].astype(int) - 1, MIRROR_CHART.astype(int)
    back_u, back_v = (
        (reverses + (1 - 2 * reverses) * maps).take(charts, axis=1)[..., ::-1]
        for maps, reverses in ((of_mirrored.u, REVERSES_U), (of_mirrored.v, REVERSES_V))
    )
    return DenseOutput(
        of_mirrored.chart_logits.take(classes, axis=1)[..., ::-1],
        back_u,
        back_v,
        of_mirrored.confidence_logit[..., ::-1],
        of_mirrored.quality_logit,
    )
