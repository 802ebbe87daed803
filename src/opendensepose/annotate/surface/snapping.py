"""Outlines that snap to the photo's edges: the annotator drags roughly along a part's border, the outline follows it.

Each corner of the drawn outline moves to the strongest edge across the line, within reach. Between corners OpenCV's
intelligent scissors (Mortensen and Barrett, Intelligent Scissors for Image Composition, 1995) follow the edges.
Letters: P points of an outline, M of the corners.
"""

import cv2
import numpy as np

__all__ = ["snap_outline"]

_WORK_PX = 384  # the photo's piece is shrunk to this: edges finer than that are threads and noise
_SPACING = 1.6  # of the reach: how far corners stand from each other
_LEAST_STEP = 0.25  # of the strongest edge nearby: what is weaker is not one, and the corner stays
_SIMPLIFY = 0.12  # of the reach: how far the corners that are given back may lie from the path


def snap_outline(image_rgb: np.ndarray, outline_xy: np.ndarray, reach_px: float) -> np.ndarray:
    """Move a closed outline (P, 2), pixels of the photo (H, W, 3) uint8, to edges within reach; return corners (M, 2).

    P >= 3. Where there is no edge, the outline stays.
    """
    outline = np.asarray(outline_xy, np.float64)
    if outline.ndim != 2 or outline.shape[1] != 2 or len(outline) < 3:
        raise ValueError(f"the outline must be (P, 2) with P >= 3, got {outline.shape}.")
    size_wh = np.array(image_rgb.shape[1::-1])
    low = np.clip(np.floor(outline.min(0) - 3 * reach_px), 0, size_wh - 2).astype(int)
    high = np.clip(np.ceil(outline.max(0) + 3 * reach_px), low + 2, size_wh).astype(int)
    crop = image_rgb[low[1] : high[1], low[0] : high[0]]
    shrink = min(1.0, _WORK_PX / max(crop.shape[:2]))
    if shrink < 1:
        crop = cv2.resize(crop, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    scale = np.array(crop.shape[1::-1]) / (high - low)
    reach = max(2.0, reach_px * float(scale.mean()))
    strength = _edge_strength(crop)
    corners, is_edge = _corners_on_edges(strength, _resample((outline - low) * scale, _SPACING * reach), reach)
    path = _along_edges(crop, corners, is_edge, reach)
    simple = cv2.approxPolyDP(path.astype(np.float32)[:, None], max(0.6, _SIMPLIFY * reach), True)[:, 0]
    return (simple if len(simple) >= 3 else corners) / scale + low


def _edge_strength(crop: np.ndarray) -> np.ndarray:
    """(h, w) float32: the largest step of colour at each pixel, in Lab, in which equal steps look equal."""
    lab = cv2.GaussianBlur(cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), (0, 0), 1.2)
    across, down = cv2.Scharr(lab, cv2.CV_32F, 1, 0), cv2.Scharr(lab, cv2.CV_32F, 0, 1)
    return np.sqrt((across**2 + down**2).sum(2))


def _resample(outline: np.ndarray, spacing: float) -> np.ndarray:
    """Points (M, 2) along a closed outline, at most `spacing` apart: its own corners, thinned where they are denser."""
    kept = [outline[0]]
    for corner in outline[1:]:
        if min(np.hypot(*(corner - kept[-1])), np.hypot(*(corner - kept[0]))) >= spacing:
            kept.append(corner)
    sides = []
    for start, end in zip(kept, [*kept[1:], kept[0]], strict=True):
        count = max(1, int(np.ceil(np.hypot(*(end - start)) / spacing)))
        sides.append(start + (end - start) * (np.arange(count) / count)[:, None])
    return np.concatenate(sides)


def _corners_on_edges(strength: np.ndarray, corners: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Move corners (M, 2) across the line to the strongest edge within reach, nearer ones first among equals.

    Return them, and (M,) bool: where there is an edge.
    """
    along = np.roll(corners, -1, 0) - np.roll(corners, 1, 0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    steps = np.arange(-np.ceil(reach), np.ceil(reach) + 1)
    places = corners[:, None] + steps[:, None] * normal[:, None]  # (M, steps, 2)
    map_xy = (places - 0.5).astype(np.float32)
    found = cv2.remap(strength, map_xy[..., 0], map_xy[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    best = (found * (1 - 0.5 * np.abs(steps) / (reach + 1))).argmax(1)
    rows = np.arange(len(corners))
    is_edge = found[rows, best] > _LEAST_STEP * np.percentile(found.max(1), 90)
    is_edge &= found[rows, best] > 1.5 * np.median(found, axis=1)  # a step, not a slope
    moved = np.where(is_edge[:, None], places[rows, best], corners)
    return np.clip(moved, 0.5, np.array(strength.shape[::-1]) - 0.5), is_edge


def _along_edges(crop: np.ndarray, corners: np.ndarray, is_edge: np.ndarray, reach: float) -> np.ndarray:
    """The closed path (P, 2) through the corners along the crop's edges; straight where there is none."""
    pieces = []
    for k, (start, end) in enumerate(zip(corners, np.roll(corners, -1, 0), strict=True)):
        if not (is_edge[k] and is_edge[(k + 1) % len(corners)]):
            pieces.append(start[None])
            continue
        low = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
        high = np.ceil(np.maximum(start, end) + reach).astype(int)
        window = np.ascontiguousarray(crop[low[1] : high[1], low[0] : high[0]])
        pieces.append(_between(window, start - low, end - low, reach) + low)
    return np.concatenate(pieces)


def _between(window: np.ndarray, start: np.ndarray, end: np.ndarray, reach: float) -> np.ndarray:
    """The scissors' path from start to end (2,), its end left out; the straight line if it strays from it."""
    size = np.array(window.shape[1::-1])
    first, last = (np.clip(np.floor(at), 0, size - 1).astype(int) for at in (start, end))
    if (first == last).all() or size.min() < 5:
        return start[None]
    scissors = cv2.segmentation.IntelligentScissorsMB().setEdgeFeatureCannyParameters(24, 72, 3, True)
    scissors.applyImage(window)
    scissors.buildMap(first.tolist())
    path = scissors.getContour(last.tolist()).reshape(-1, 2) + 0.5
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    offset = path - start
    strayed = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]).max()
    return start[None] if strayed > 0.75 * reach else np.concatenate([start[None], path[1:-1]])
