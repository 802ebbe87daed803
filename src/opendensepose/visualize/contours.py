"""Anti-aliased contour lines of a field, drawn by distance in pixels.

A pixel's distance to the nearest contour is |field - level| / |gradient|: the first-order distance. The line covers the
pixel by how much of its width reaches it, so lines are as thin and as smooth as the field allows, at any image size.
"""

from statistics import NormalDist

import cv2
import numpy as np

__all__ = ["isoline_coverage", "outline_coverage", "smooth_inside"]


def smooth_inside(field: np.ndarray, inside: np.ndarray, sigma_px: float) -> np.ndarray:
    """Smooth `field` (H, W) float32 by a Gaussian over the pixels `inside` (H, W) bool only; 0 elsewhere."""
    if sigma_px <= 0:
        return np.where(inside, field, 0).astype(np.float32)
    weight = inside.astype(np.float32)
    total = cv2.GaussianBlur(np.where(inside, field, 0).astype(np.float32), (0, 0), sigma_px)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma_px)
    return np.where(inside, total / np.maximum(mass, 1e-6), 0).astype(np.float32)


def isoline_coverage(
    field: np.ndarray, inside: np.ndarray, *, spacing: float, width_px: float = 1.0, min_gap_px: float = 4.0
) -> np.ndarray:
    """Compute how much of each pixel the contour lines cover, (H, W) float32 in [0, 1].

    The levels are the multiples of `spacing`, those at 0 and 1 left out (they are the chart's border). Lines that would
    come closer together than `min_gap_px` fade away instead of filling the area.
    """
    if field.shape != inside.shape:
        raise ValueError(f"field and inside must have one shape, got {field.shape} and {inside.shape}")
    slope = np.hypot(_difference(field, inside, axis=0), _difference(field, inside, axis=1))  # per pixel
    level = np.round(field / spacing)
    off_level = np.abs(field - level * spacing)
    is_border = (level <= 0) | (level * spacing >= 1 - 1e-6)
    distance_px = off_level / np.maximum(slope, 1e-6)
    coverage = np.clip(width_px / 2 + 0.5 - distance_px, 0, 1)
    gap_px = spacing / np.maximum(slope, 1e-6)
    fade = np.clip((gap_px - 0.5 * min_gap_px) / (0.5 * min_gap_px), 0, 1)
    return np.where(inside & ~is_border & (slope > 1e-6), coverage * fade, 0).astype(np.float32)


def outline_coverage(mask: np.ndarray, *, width_px: float = 1.0) -> np.ndarray:
    """Compute how much of each pixel the smoothed border of `mask` (H, W) bool covers, (H, W) float32 in [0, 1]."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    reach_px, normal = width_px / 2 + 0.5, NormalDist()
    least = max(normal.cdf(-reach_px), 1e-6)
    near = (soft > least) & (soft < 1 - least)  # few pixels: a loop over them takes less time than to import scipy
    # The quantile of the blurred step is the distance, exact where the border is straight.
    distance_px = np.abs(np.fromiter(map(normal.inv_cdf, soft[near].tolist()), np.float32))
    coverage = np.zeros(mask.shape, np.float32)
    coverage[near] = np.clip(reach_px - distance_px, 0, 1)
    return coverage


def _difference(field: np.ndarray, inside: np.ndarray, *, axis: int) -> np.ndarray:
    """Derivative along `axis` per pixel, (H, W): the mean of the one-sided differences whose both ends are inside."""
    step = np.diff(field, axis=axis)
    both = inside[1:] & inside[:-1] if axis == 0 else inside[:, 1:] & inside[:, :-1]
    step = np.where(both, step, 0)
    before = [(0, 0), (0, 0)]
    after = [(0, 0), (0, 0)]
    before[axis], after[axis] = (1, 0), (0, 1)
    total = np.pad(step, before) + np.pad(step, after)
    count = np.pad(both.astype(np.float32), before) + np.pad(both.astype(np.float32), after)
    return total / np.maximum(count, 1)
