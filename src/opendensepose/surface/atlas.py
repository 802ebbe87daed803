"""Where the 24 charts lie in a texture: the authors' atlas of 24 tiles, and one square map of even texel density.

Letters: H, W texture; P points.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from opendensepose.surface.charts import Charts
from opendensepose.surface.files import load_charts, load_surface
from opendensepose.surface.surface import Surface
from opendensepose.surface.tables import NUM_CHARTS

__all__ = ["ATLAS_SIZE_HW", "MAP_SIDE", "AtlasLayout", "atlas_xy", "layout_of_size", "map_layout", "tile_layout"]

ATLAS_SIZE_HW = (1200, 800)
TILE = 200
MAP_SIDE = 2048
GUTTER = 8  # texels around each chart of a map of MAP_SIDE, so that neither filters nor smaller copies mix charts


@dataclass(frozen=True)
class AtlasLayout:
    """The rectangle of each chart in a texture.

    rect (25, 4) float64, by chart; row 0 is not used: x0, y0, width, height in pixels, pixel centres at +0.5. U runs
    from x0 to the right, V from y0 + height upwards. ValueError if a rectangle is empty or not in the texture.
    """

    size_hw: tuple[int, int]
    rect: np.ndarray

    @property
    def texels_per_metre(self) -> float:
        """How many texels a metre of the body has along U and V, the mean over the charts."""
        return float((self.rect[1:, 2:] / chart_sizes(load_surface(), load_charts())).mean())

    def __post_init__(self) -> None:
        if self.rect.shape != (NUM_CHARTS + 1, 4):
            raise ValueError(f"rect must be ({NUM_CHARTS + 1}, 4), got {self.rect.shape}.")
        low, size = self.rect[1:, :2], self.rect[1:, 2:]
        if (size <= 0).any() or (low < 0).any() or (low + size > self.size_hw[::-1]).any():
            raise ValueError(
                f"each chart's rectangle must lie in the texture of {self.size_hw[1]} x {self.size_hw[0]}."
            )
        self.rect.flags.writeable = False

    def window(self, chart: int) -> tuple[slice, slice]:
        """The rows and columns that a chart's rectangle touches."""
        x0, y0, width, height = self.rect[chart]
        return slice(int(y0), int(np.ceil(y0 + height))), slice(int(x0), int(np.ceil(x0 + width)))

    def xy(self, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Convert charts 1..24 and U, V to x, y (..., 2) float64. ValueError for another chart."""
        i, u, v = np.asarray(i, int), np.asarray(u, float), np.asarray(v, float)
        if i.size and not 1 <= i.min() <= i.max() <= NUM_CHARTS:
            raise ValueError(f"charts must be in 1..24 (no background), got {i.min()}..{i.max()}.")
        x0, y0, width, height = np.moveaxis(self.rect[i], -1, 0)
        return np.stack([x0 + u * width, y0 + (1 - v) * height], -1)


def tile_layout(scale: float = 1.0) -> AtlasLayout:
    """The authors' atlas, 800 x 1200 at scale 1: chart 6 k + j + 1 in the tile at columns 200 k, rows 200 j; in it
    column = U * 199, row = (1 - V) * 199 (the notebook of DensePose's texture transfer)."""
    chart = np.arange(-1, NUM_CHARTS)
    corner = np.stack([TILE * (chart // 6), TILE * (chart % 6)], 1) + 0.5
    rect = np.concatenate([corner, np.full((len(chart), 2), TILE - 1.0)], 1) * scale
    rect[0] = 0
    return AtlasLayout((round(ATLAS_SIZE_HW[0] * scale), round(ATLAS_SIZE_HW[1] * scale)), rect)


@cache
def map_layout(side: int = MAP_SIDE) -> AtlasLayout:
    """One square map: each chart as large as its part of the body at rest, so that a texel is as long everywhere.

    Charts stand in rows, the tallest first, at the largest scale at which they fit. ValueError for a side below 64.
    """
    if side < 64:
        raise ValueError(f"the side of a map must be at least 64 pixels, got {side}.")
    size_m = chart_sizes(load_surface(), load_charts())
    gutter = max(1.0, GUTTER * side / MAP_SIDE)
    low, high = 0.0, side / size_m.max()
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _packed(size_m * middle, side, gutter) is not None else (low, middle)
    corner = _packed(size_m * low, side, gutter)
    assert corner is not None
    rect = np.zeros((NUM_CHARTS + 1, 4))
    rect[1:] = np.concatenate([corner, size_m * low], 1)
    return AtlasLayout((side, side), rect)


def layout_of_size(size_hw: tuple[int, int]) -> AtlasLayout:
    """The layout that a texture of this size has: 2 to 3 the authors' atlas, square our map.

    ValueError if it is neither.
    """
    height, width = size_hw
    if width == height and width >= 64:
        return map_layout(width)
    if 3 * width == 2 * height and width >= 64:
        return tile_layout(width / ATLAS_SIZE_HW[1])
    raise ValueError(
        f"a texture must be an atlas of 800 x 1200 or a map of {MAP_SIDE} x {MAP_SIDE}, or one of these enlarged or"
        f" reduced, got {width} x {height} pixels."
    )


def atlas_xy(i: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Convert charts 1..24 and U, V to x, y (..., 2) float64 in the authors' 800 x 1200 texture atlas, centres at +0.5.

    Chart 6 k + j + 1 has the cell at columns 200 k, rows 200 j; in it column = U * 199, row = (1 - V) * 199.
    """
    return tile_layout().xy(i, u, v)


def chart_sizes(surface: Surface, charts: Charts) -> np.ndarray:
    """Measure how long U and V from 0 to 1 are on the body, (24, 2) metres: root mean squares over the chart."""
    p, uv = surface.vertices[surface.faces].astype(np.float64), charts.face_uv.astype(np.float64)
    (a, b), (c, d) = np.moveaxis(uv[:, 1:] - uv[:, :1], 0, -1)
    double_area = a * d - b * c
    first, second = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    along_u = (d[:, None] * first - b[:, None] * second) / double_area[:, None]
    along_v = (a[:, None] * second - c[:, None] * first) / double_area[:, None]
    chart, weight = charts.face_chart, np.abs(double_area)
    total = np.bincount(chart, weight, NUM_CHARTS + 1)[1:]
    squares = [np.bincount(chart, weight * (one**2).sum(1), NUM_CHARTS + 1)[1:] for one in (along_u, along_v)]
    return np.sqrt(np.stack(squares, 1) / total[:, None])


def _packed(size: np.ndarray, side: int, gutter: float) -> np.ndarray | None:
    """Corners (24, 2) of rectangles of size (24, 2), in rows, the tallest first; None if they do not fit the square."""
    corner = np.zeros_like(size)
    x = y = gutter
    row_height = 0.0
    for k in np.argsort(-size[:, 1], kind="stable"):
        width, height = size[k]
        if x + width + gutter > side:
            x, y, row_height = gutter, y + row_height + gutter, 0.0
        if x + width + gutter > side or y + height + gutter > side:
            return None
        corner[k] = x, y
        x, row_height = x + width + gutter, max(row_height, height)
    return corner
