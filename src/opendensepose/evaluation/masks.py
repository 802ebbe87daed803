"""Foreground masks of people, placed in the image, and their IoU.

Letters: (h, w) a window of an image, D detections, G annotated people.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Window", "mask_ious", "place_mask", "stretched_grid"]


class Window(NamedTuple):
    """A part of an image's mask or map."""

    mask: np.ndarray  # (h, w)
    corner_xy: tuple[int, int]  # the image's column and row at which it begins


def place_mask(mask: np.ndarray, box_xywh: ArrayLike, size_hw: tuple[int, int]) -> Window:
    """Put a mask (h, w) at a box's pixel int(x), int(y), cut to int(x + width), int(y + height) and the image.

    The released evaluators round so: towards 0, and the far edge after the sum.
    """
    x, y, width, height = np.asarray(box_xywh, np.float64).tolist()
    left, top = int(x), int(y)
    right, bottom = min(int(x + width), size_hw[1]), min(int(y + height), size_hw[0])
    skip_x, skip_y = max(-left, 0), max(-top, 0)
    mask = mask[skip_y : max(bottom - top, skip_y), skip_x : max(right - left, skip_x)]
    return Window(mask, (left + skip_x, top + skip_y))


def stretched_grid(grid: np.ndarray, box_xywh: ArrayLike, size_hw: tuple[int, int]) -> Window:
    """Stretch the part masks' grid (256, 256) bool linearly over a box, corners on corners, and cut it at one half.

    The same pixels as scipy.ndimage.zoom(grid, order=1) > 0.5, which the released evaluators call, to the last bit.
    """
    _, _, width, height = np.asarray(box_xywh, np.float64).tolist()
    rows, columns = (_Steps.along(side, count) for side, count in zip((height, width), grid.shape, strict=True))
    cells = grid.view(np.uint8)
    pairs = cells[rows.low] + cells[rows.high]
    total = pairs.take(columns.low, 1) + pairs.take(
        columns.high, 1
    )  # (h, w): how many of the four cells around are set
    mask = total == 4
    outline = np.flatnonzero((total.ravel() - np.uint8(1)) < 3)  # its pixels alone need the weights
    y, x = np.divmod(outline, total.shape[1])
    value = np.zeros(len(outline))
    for row, of_row in ((rows.low, rows.of_low), (rows.high, rows.of_high)):
        for column, of_column in ((columns.low, columns.of_low), (columns.high, columns.of_high)):
            value += cells[row[y], column[x]] * of_row[y] * of_column[x]
    mask[y, x] = value > 0.5
    mask[~rows.inside], mask[:, ~columns.inside] = False, False
    return place_mask(mask, box_xywh, size_hw)


class _Steps(NamedTuple):
    """Along one side of a box, for each pixel: the cells before and after its place on the grid, and their weights."""

    low: np.ndarray
    high: np.ndarray
    of_low: np.ndarray
    of_high: np.ndarray
    inside: np.ndarray  # false where rounding puts the last pixel beyond the grid: zoom leaves 0 there

    @classmethod
    def along(cls, side: float, count: int) -> "_Steps":
        number = max(round(max(float(side), 1.0)), 1)
        place = np.arange(number) * ((count - 1) / (number - 1) if number > 1 else 1.0)
        low = np.minimum(place.astype(np.int64), count - 1)
        of_high = place - np.floor(place)
        return cls(low, np.minimum(low + 1, count - 1), 1 - of_high, of_high, place <= count - 1)


def mask_ious(predicted: Sequence[Window], annotated: Sequence[Window | None], crowd: Sequence[bool]) -> np.ndarray:
    """Compute the IoU of all pairs of masks, (D, G); for a crowd, the intersection over the predicted pixels.

    0 where there is no mask or no pixel.
    """
    found = np.zeros((len(predicted), len(annotated)))
    size = [int(np.count_nonzero(one.mask)) for one in predicted]
    for g, person in enumerate(annotated):
        if person is None:
            continue
        of_person = 0 if crowd[g] else int(np.count_nonzero(person.mask))
        for d, one in enumerate(predicted):
            shared = _num_shared(one, person)
            either = size[d] + (0 if crowd[g] else of_person - shared)
            found[d, g] = shared / either if either else 0.0
    return found


def _num_shared(one: Window, other: Window) -> int:
    """How many pixels are in both masks."""
    (p, (px, py)), (a, (ax, ay)) = one, other
    left, top = max(px, ax), max(py, ay)
    right, bottom = min(px + p.shape[1], ax + a.shape[1]), min(py + p.shape[0], ay + a.shape[0])
    if left >= right or top >= bottom:
        return 0
    both = p[top - py : bottom - py, left - px : right - px] & a[top - ay : bottom - ay, left - ax : right - ax]
    return int(np.count_nonzero(both))
