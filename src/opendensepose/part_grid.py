"""The grid of 256 x 256 cells over a person's box, in which COCO-DensePose keeps part masks.

Along a side from `start` to `stop`, cell k reaches from start + k / 256 (stop - start) to the next; a place on an edge
belongs to the cell right of it or below. `models.point_losses.parts_at` is `part_at` on tensors.

Letters: H x W pixels of the photo.
"""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["GRID", "LEAST_SIDE", "grid_centres", "part_at", "parts_of_pixels", "sample_on_grid", "to_cells"]

GRID = 256
LEAST_SIDE = 1e-3  # pixels: boxes count as at least so wide and high, so that one without area has a grid too


def to_cells(xy: ArrayLike, box_xyxy: ArrayLike) -> np.ndarray:
    """Places xy (..., 2), pixels, as columns and rows (..., 2) float64 of the grid over a box (4,): 0 to 256 inside."""
    box = np.asarray(box_xyxy, np.float64)
    return (np.asarray(xy) - box[:2]) / np.maximum(box[2:] - box[:2], LEAST_SIDE) * GRID


def grid_centres(box_xyxy: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """x (256,) of the columns' centres and y (256,) of the rows', float64 pixels, over a box (4,)."""
    box = np.asarray(box_xyxy, np.float64)
    step = (np.arange(GRID) + 0.5) / GRID
    x, y = (box[k] + step * (box[k + 2] - box[k]) for k in range(2))
    return x, y


def part_at(parts: np.ndarray, box_xyxy: ArrayLike, xy: ArrayLike) -> np.ndarray:
    """The part (...,) uint8 at places xy (..., 2), pixels; 0 outside the box (4,). parts: (256, 256) over the box."""
    cell = np.floor(to_cells(xy, box_xyxy))
    inside = ((cell >= 0) & (cell < GRID)).all(-1)
    column, row = np.moveaxis(np.clip(cell, 0, GRID - 1).astype(int), -1, 0)
    return np.where(inside, parts[row, column], 0).astype(np.uint8)


def parts_of_pixels(parts: np.ndarray, box_xyxy: ArrayLike, size_hw: tuple[int, int]) -> np.ndarray:
    """`part_at` the centre of every pixel of a photo, (H, W) uint8, with far less work."""
    centres = np.arange(max(size_hw)) + 0.5
    columns, rows = np.floor(to_cells(np.stack([centres, centres], axis=1), box_xyxy)).T
    y, x = (np.flatnonzero((c[:n] >= 0) & (c[:n] < GRID)) for c, n in zip((rows, columns), size_hw, strict=True))
    out = np.zeros(size_hw, np.uint8)
    out[np.ix_(y, x)] = parts[np.ix_(rows[y].astype(int), columns[x].astype(int))]
    return out


def sample_on_grid(labels: np.ndarray, box_xyxy: ArrayLike) -> np.ndarray:
    """What a map of labels (H, W) says at the cells' centres, (256, 256); 0 where a centre lies outside the map."""
    x, y = (np.floor(centres).astype(int) for centres in grid_centres(box_xyxy))
    height, width = labels.shape
    inside = ((y >= 0) & (y < height))[:, None] & (x >= 0) & (x < width)
    seen = labels[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)]
    return np.where(inside, seen, 0).astype(labels.dtype)
