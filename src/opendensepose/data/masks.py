"""Masks as COCO files have them: run-length codes, and the 14 part masks of a person as one map of parts."""

from typing import Any

import numpy as np

from opendensepose.data.fields import as_numbers
from opendensepose.part_grid import GRID
from opendensepose.surface import NUM_PARTS

__all__ = [
    "decode_mask",
    "decode_part_masks",
    "encode_mask",
    "part_foreground",
    "part_mask_runs",
    "polygons_mask",
    "run_lengths",
    "segmentation_mask",
]

MAX_PIXELS = 200_000_000  # of a mask: four times the largest photo
MAX_COORDINATE = 100_000.0  # pixels, of a polygon's corners


def encode_mask(mask: np.ndarray) -> dict:
    """Encode a mask (H, W) bool as COCO's compressed RLE, JSON-ready: {"size": [H, W], "counts": str}."""
    from pycocotools import mask as rle  # here, since reading photos needs no pycocotools

    code = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}


def decode_mask(code: dict) -> np.ndarray:
    """Decode a run-length code to a mask (H, W) bool; compressed (counts is text) or not (a list of ints).

    ValueError, which does not name the mask, if the code is malformed, its runs do not fill its size, or it has more
    than MAX_PIXELS.
    """
    runs = run_lengths(code)
    height, width = code["size"]
    if height * width > MAX_PIXELS:
        raise ValueError(f"a mask must have at most {MAX_PIXELS:,} pixels, got {height} x {width}")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T  # column by column, beginning with background


def run_lengths(code: Any) -> np.ndarray:
    """Read the runs (R,) int64 of a run-length code: background, mask, background, ... column by column.

    ValueError if the code is malformed or the runs do not add up to its size.
    """
    if not isinstance(code, dict) or not {"size", "counts"} <= code.keys():
        raise ValueError(f"a mask must be an object with `size` and `counts`, got {type(code).__name__}")
    size, counts = code["size"], code["counts"]
    if not (
        isinstance(size, list | tuple) and len(size) == 2 and all(type(side) is int and side >= 0 for side in size)
    ):
        raise ValueError(f"the size of a mask must be [height, width], got {size!r}")
    if isinstance(counts, str):
        runs = _uncompress(counts)
    else:
        runs = np.asarray(counts)
        if runs.ndim != 1 or (runs.size and runs.dtype.kind != "i"):
            raise ValueError("the counts of a mask must be text or a list of whole numbers")
    total = runs.sum(dtype=np.float64)  # float64 does not overflow, so huge runs cannot wrap round to the right number
    if runs.size and runs.min() < 0 or total != size[0] * size[1]:
        raise ValueError(
            f"the runs of a mask of {size[0]} x {size[1]} cover {total:.0f} pixels, expected {size[0] * size[1]}"
        )
    return runs.astype(np.int64)


def _uncompress(counts: str) -> np.ndarray:
    """Runs (R,) int64 of COCO's text form.

    A number is written in groups of five bits, the lowest first, each as the character 48 + bits, with 32 added where
    more groups follow; the top bit of the last is the sign. From the fourth on, it is the difference to the run two
    before (source: the format of pycocotools, tested against its own writer).
    """
    code = np.frombuffer(counts.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if code.size == 0:
        return code
    if code.min() < 0 or code.max() > 63 or code[-1] & 32:
        raise ValueError("the counts of a mask are damaged or cut off")
    is_last = (code & 32) == 0
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(code.size) - np.repeat(starts, ends - starts + 1)
    if place.max() > 11:
        raise ValueError("the counts of a mask hold a number that is too large")
    numbers = np.add.reduceat((code & 31) << (5 * place), starts)
    numbers -= np.where(code[ends] & 16, np.int64(1) << (5 * (place[ends] + 1)), 0)
    numbers[1::2], numbers[2::2] = np.cumsum(numbers[1::2]), np.cumsum(numbers[2::2])
    return numbers


def decode_part_masks(codes: Any) -> np.ndarray:
    """Decode `dp_masks` to a map of parts (256, 256) uint8, 0 background: 14 run-length codes, empty for unseen parts.

    Where masks overlap, the later part counts. ValueError if they are not 14 or not 256 x 256.
    """
    if not isinstance(codes, list | tuple) or len(codes) != NUM_PARTS:
        got = f"{len(codes)} entries" if isinstance(codes, list | tuple) else type(codes).__name__
        raise ValueError(f"part masks must be a list of {NUM_PARTS}, got {got}")
    part = np.zeros(GRID * GRID, np.uint8)  # column by column, like the codes
    for number, code in enumerate(codes, start=1):
        if code:
            runs = part_mask_runs(code, number)
            part[np.repeat(np.arange(len(runs)) % 2 == 1, runs)] = number
    return np.ascontiguousarray(part.reshape(GRID, GRID).T)


def part_foreground(codes: Any) -> np.ndarray:
    """Decode `dp_masks` to the foreground (256, 256) bool: the union of at most the first 14 codes, also of fewer.

    ValueError if they are no list or one is not a mask of 256 x 256.
    """
    if not isinstance(codes, list | tuple):
        raise ValueError(f"part masks must be a list, got {type(codes).__name__}")
    ends = [np.cumsum(part_mask_runs(code, k)) for k, code in enumerate(codes[:NUM_PARTS], start=1) if code]
    begins, stops = ([one[k : len(one) // 2 * 2 : 2] for one in ends] for k in (0, 1))  # of runs of mask
    cell = np.concatenate([[0], *begins, *stops, [GRID * GRID]])
    step = np.zeros(len(cell), np.int64)
    num_begins = sum(map(len, begins))
    step[1 : num_begins + 1], step[num_begins + 1 : -1] = 1, -1
    order = np.argsort(cell, kind="stable")
    num_masks = np.cumsum(step[order])  # that hold the cells from this one on
    return np.repeat(num_masks[:-1] > 0, np.diff(cell[order])).reshape(GRID, GRID).T


def segmentation_mask(segmentation: Any, size_hw: tuple[int, int]) -> np.ndarray | None:
    """Draw COCO's `segmentation` (H, W) bool: polygons or a run-length code; None if it is None or an empty list.

    ValueError, which does not name the field, if it is neither or the code is not of the image's size.
    """
    if segmentation is None or segmentation == []:
        return None
    if isinstance(segmentation, list):
        return polygons_mask(segmentation, size_hw)
    mask = decode_mask(segmentation)
    if mask.shape != size_hw:
        raise ValueError(f"the mask is {mask.shape[0]} x {mask.shape[1]}, the image {size_hw[0]} x {size_hw[1]}")
    return mask


def polygons_mask(polygons: list, size_hw: tuple[int, int]) -> np.ndarray:
    """Fill polygons, [x, y, x, y, ..] in pixels, by COCO's rule: (H, W) bool, their union.

    ValueError if one is not a list of at least three corners within MAX_COORDINATE.
    """
    from pycocotools import mask as rle

    if size_hw[0] * size_hw[1] > MAX_PIXELS:
        raise ValueError(f"a mask must have at most {MAX_PIXELS:,} pixels, got {size_hw[0]} x {size_hw[1]}")
    for place, polygon in enumerate(polygons):
        corners = as_numbers(polygon)
        if corners is None or len(corners) < 6 or len(corners) % 2 or not (abs(corners) <= MAX_COORDINATE).all():
            raise ValueError(
                f"polygon {place} must be a list x, y, x, y, .. of at least 3 corners within {MAX_COORDINATE:,.0f} px"
            )
    if not polygons:
        return np.zeros(size_hw, bool)
    return rle.decode(rle.merge(rle.frPyObjects(polygons, *size_hw))).astype(bool)


def part_mask_runs(code: Any, number: int) -> np.ndarray:
    """Read the runs (R,) int64 of the mask of part `number`. ValueError unless it is a valid one of 256 x 256."""
    size = code.get("size") if isinstance(code, dict) else None
    if isinstance(size, list | tuple) and len(size) == 2 and tuple(size) != (GRID, GRID):
        raise ValueError(f"part mask {number} must be {GRID} x {GRID}, got {size[0]} x {size[1]}")
    try:
        return run_lengths(code)
    except ValueError as error:
        raise ValueError(f"part mask {number}: {error}") from None
