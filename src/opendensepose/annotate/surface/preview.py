"""A picture of the annotation so far over the photo: the points alone, or spread over the part masks.

A pixel of a part's mask takes the chart of the annotated point with the shortest path inside the mask, so that a label
does not jump from one finger to the next. U and V are a plane fitted to the points of that chart and, near each point,
the point's own values.
"""

import cv2
import numpy as np

from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.part_grid import GRID, to_cells
from opendensepose.surface import CHART_TO_PART
from opendensepose.visualize import draw_contours, outline_coverage

__all__ = ["draw_preview", "spread_points"]

INK, WHITE = np.array([22, 26, 48], np.float32), np.array([255, 255, 255], np.float32)
FILL = 0.7  # the opacity of the filled parts
SOFT = 0.02  # of the box's longer side: the distance within which points are averaged
STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, 2**0.5), (1, -1, 2**0.5))


def draw_preview(
    crop_rgb: np.ndarray,
    box_xyxy: np.ndarray,
    parts: np.ndarray,
    xy: np.ndarray,
    i: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    fill: bool,
) -> np.ndarray:
    """Draw P annotated points over the photo's crop (h, w, 3) to the box, at any scale, in the parts' colours of the
    tool; return (h, w, 3) uint8.

    parts: (256, 256) uint8 over the box. xy: (P, 2) pixels of the photo; i, u, v: (P,). fill: spread over the masks.
    """
    height, width = crop_rgb.shape[:2]
    xy_grid = to_cells(np.asarray(xy, np.float64).reshape(-1, 2), box_xyxy)
    xy_crop = xy_grid / GRID * [width, height]
    i, u, v = np.asarray(i), np.asarray(u, np.float32), np.asarray(v, np.float32)
    if fill and len(i):
        iuv = _enlarge(spread_points(parts, xy_grid, i, u, v), (height, width))
        everything = np.array([0, 0, width, height], np.float32)
        person = Instance(everything, 1.0, iuv, (iuv.i > 0).astype(np.float32))
        tint = TOOL_COLOURS[CHART_TO_PART[iuv.i]].astype(np.float32)
        canvas = crop_rgb + np.where(iuv.i > 0, FILL, 0)[..., None] * (tint - crop_rgb)
        canvas = draw_contours(canvas.astype(np.uint8), [person], fade=0).astype(np.float32)
    else:
        grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
        canvas = np.repeat(0.6 * grey + 82, 3, axis=2)
        label = cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST)
        lines = np.zeros(label.shape, np.float32)
        for part in np.unique(label[label > 0]):
            np.maximum(lines, outline_coverage(label == part, width_px=1.2), out=lines)
        canvas += 0.6 * lines[..., None] * (WHITE - canvas)
    radius = float(np.clip(max(height, width) / 130, 2.5, 7))
    for centre, chart in zip(xy_crop, i, strict=True):
        _dot(canvas, centre, radius + 1.8, INK)
        _dot(canvas, centre, radius + 0.9, WHITE)
        _dot(canvas, centre, radius, TOOL_COLOURS[CHART_TO_PART[chart]].astype(np.float32))
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def spread_points(parts: np.ndarray, xy: np.ndarray, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> IUV:
    """Spread P points over the part masks (h, w) uint8 to a map (h, w); xy (P, 2) in its pixels.

    Parts without points, and components of a mask without a point, stay background.
    """
    nearest = _nearest_point(parts, xy, CHART_TO_PART[i])
    chart = np.where(nearest >= 0, i[nearest], 0).astype(np.uint8)
    maps = np.zeros((2, *parts.shape), np.float32)
    soft = (SOFT * max(parts.shape)) ** 2
    for k in np.unique(chart[chart > 0]):
        own = np.flatnonzero(i == k)
        row, column = np.nonzero(chart == k)
        place = np.stack([column + 0.5, row + 0.5], 1)
        squared = ((place[:, None] - xy[own]) ** 2).sum(2)  # (pixels, points of the chart)
        weight = 1 / (squared + soft) ** 2
        for values, out in ((u, maps[0]), (v, maps[1])):
            out[row, column] = np.clip(_fit(place, xy[own], values[own], weight), 0, 1)
    return IUV(chart, *maps)


def _fit(place: np.ndarray, xy: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fit a plane to values (P,) at xy (P, 2); evaluate it at places (N, 2) and add the weighted mean residual.

    weight: (N, P). The slope is a damped least-squares fit to all points.
    """
    middle = xy.mean(0)
    offset = xy - middle
    damping = 1e-3 * np.trace(offset.T @ offset) + 1e-6
    slope = np.linalg.solve(offset.T @ offset + damping * np.eye(2), offset.T @ (values - values.mean()))
    residual = values - values.mean() - offset @ slope
    return values.mean() + (place - middle) @ slope + weight @ residual / weight.sum(1)


def _nearest_point(parts: np.ndarray, xy: np.ndarray, point_part: np.ndarray) -> np.ndarray:
    """(h, w) int64: the point of the pixel's part with the shortest path inside the mask; -1 if there is none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    index = np.full(parts.shape, -1)
    row, column = np.nonzero(parts)
    index[row, column] = np.arange(len(row))
    start, stop, length = [], [], []
    padded_part, padded_index = np.pad(parts, 1), np.pad(index, 1, constant_values=-1)
    for down, right, step in STEPS:
        window = np.s_[1 + down : 1 + down + parts.shape[0], 1 + right : 1 + right + parts.shape[1]]
        same = (padded_part[window] == parts) & (parts > 0)
        start.append(index[same])
        stop.append(padded_index[window][same])
        length.append(np.full(same.sum(), step))
    edges = np.concatenate(length), (np.concatenate(start), np.concatenate(stop))
    sources: list[int] = []
    owner: dict[int, int] = {}
    for k, part in enumerate(point_part):
        own = np.flatnonzero(parts[row, column] == part)
        if len(own):
            node = own[((np.stack([column, row], 1)[own] + 0.5 - xy[k]) ** 2).sum(1).argmin()]
            sources.append(node)
            owner.setdefault(int(node), k)
    nearest = np.full(parts.shape, -1)
    if sources:
        graph = coo_array(edges, shape=(len(row), len(row))).tocsr()
        _, _, source = dijkstra(graph, directed=False, indices=sources, min_only=True, return_predecessors=True)
        table = np.full(len(row) + 1, -1)
        table[list(owner)] = list(owner.values())
        nearest[row, column] = np.where(source >= 0, table[np.maximum(source, 0)], -1)
    return nearest


def _enlarge(iuv: IUV, size_hw: tuple[int, int]) -> IUV:
    """Resize the map: smooth U and V within a chart, rounded borders of the charts."""
    label, best = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.float32)
    u, v = np.zeros((2, *size_hw), np.float32)
    for k in np.unique(iuv.i):
        weight = cv2.GaussianBlur((iuv.i == k).astype(np.float32), (0, 0), 1.0)
        share = cv2.resize(weight, size_hw[::-1], interpolation=cv2.INTER_LINEAR)
        wins = share > best
        label[wins], best[wins] = k, share[wins]
        if k:
            for values, out in ((iuv.u, u), (iuv.v, v)):
                mean = cv2.GaussianBlur(np.where(iuv.i == k, values, 0), (0, 0), 1.0) / np.maximum(weight, 1e-6)
                out[wins] = cv2.resize(mean, size_hw[::-1], interpolation=cv2.INTER_LINEAR)[wins]
    return IUV(label, np.clip(u, 0, 1), np.clip(v, 0, 1))


def _dot(canvas: np.ndarray, centre: np.ndarray, radius: float, colour: np.ndarray) -> None:
    """Draw an antialiased disc at a centre (x, y) of the canvas (h, w, 3) float32, in place."""
    x, y = (float(value) for value in centre)
    x0, x1 = max(0, int(x - radius - 1)), max(0, int(x + radius) + 2)
    y0, y1 = max(0, int(y - radius - 1)), max(0, int(y + radius) + 2)
    piece = canvas[y0:y1, x0:x1]
    columns, rows = np.arange(x0, x0 + piece.shape[1]) + 0.5, np.arange(y0, y0 + piece.shape[0]) + 0.5
    coverage = np.clip(radius + 0.5 - np.hypot(columns - x, rows[:, None] - y), 0, 1).astype(np.float32)
    piece += coverage[..., None] * (colour - piece)
