"""The IUV map: for each pixel a chart number and chart coordinates. Cutting and mirroring of such maps; pixels to
surface points and back."""

from dataclasses import dataclass

import numpy as np

from opendensepose.surface import NUM_CHARTS, SurfacePoints, load_charts, mirror_iuv
from opendensepose.surface.atlas import map_layout

__all__ = ["IUV", "PixelLookup", "QuantisedIUV", "crop_iuv", "empty_iuv", "flip_iuv", "labelled_points"]

LOOKUP_SIDE = 1024  # of the map on which pixels are searched; a texel of it is 2 mm


@dataclass(frozen=True)
class IUV:
    """i (H, W) uint8, 0 background, 1..24 charts; u, v (H, W) float32 in [0, 1], 0 on background. ValueError
    otherwise."""

    i: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def __post_init__(self) -> None:
        kinds = [type(value).__name__ for value in (self.i, self.u, self.v) if not isinstance(value, np.ndarray)]
        if kinds:
            raise ValueError(f"i, u and v must be NumPy arrays, got {kinds[0]}.")
        if self.i.ndim != 2 or self.i.dtype != np.uint8:
            raise ValueError(f"i must be uint8 of shape (H, W), got {self.i.dtype} of shape {self.i.shape}.")
        for name in ("u", "v"):
            value = getattr(self, name)
            if value.shape != self.i.shape or value.dtype != np.float32:
                raise ValueError(
                    f"{name} must be float32 of shape {self.i.shape} like i, got {value.dtype} of shape {value.shape}."
                )
            if value.size and not (value.min() >= 0 and value.max() <= 1):
                raise ValueError(f"{name} must lie in [0, 1], got values from {value.min()} to {value.max()}.")
        if self.i.size and self.i.max() > NUM_CHARTS:
            raise ValueError(f"i must be 0..{NUM_CHARTS}, got {self.i.max()}.")

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.i.shape


@dataclass(frozen=True)
class QuantisedIUV:
    """The map as results files have it: i (H, W) uint8, 0 background, 1..24 charts; u, v (H, W) uint8 in 255ths, of any
    value on background. ValueError otherwise."""

    i: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def __post_init__(self) -> None:
        for name in ("i", "u", "v"):
            value = getattr(self, name)
            if value.ndim != 2 or value.dtype != np.uint8 or value.shape != self.i.shape:
                raise ValueError(f"{name} must be uint8 (H, W) like i, got {value.dtype} of shape {value.shape}.")
        if self.i.size and self.i.max() > NUM_CHARTS:
            raise ValueError(f"i must be 0..{NUM_CHARTS}, got {self.i.max()}.")

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.i.shape

    def to_iuv(self) -> IUV:
        """Return the map in float32, 0 on background."""
        u, v = (np.where(self.i > 0, part, 0).astype(np.float32) / np.float32(255) for part in (self.u, self.v))
        return IUV(self.i, u, v)


def empty_iuv(size_hw: tuple[int, int]) -> IUV:
    """Make a map in which every pixel is background."""
    return IUV(np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.float32), np.zeros(size_hw, np.float32))


def crop_iuv(iuv: IUV, box_xyxy: tuple[int, int, int, int]) -> IUV:
    """Cut out the map inside a box of whole pixels, which may reach outside the map: there is background."""
    x0, y0, x1, y1 = (int(edge) for edge in box_xyxy)
    if x1 < x0 or y1 < y0:
        raise ValueError(f"a box has x0 <= x1 and y0 <= y1, got {tuple(box_xyxy)}.")
    out = empty_iuv((y1 - y0, x1 - x0))
    height, width = iuv.size_hw
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if left < right and top < bottom:
        there = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
        for name in ("i", "u", "v"):
            getattr(out, name)[there] = getattr(iuv, name)[top:bottom, left:right]
    return out


def flip_iuv(iuv: IUV) -> IUV:
    """Mirror the map: columns reversed, left and right charts exchanged by the mirror rule."""
    i, u, v = mirror_iuv(iuv.i[:, ::-1], iuv.u[:, ::-1], iuv.v[:, ::-1])
    u, v = (np.where(i > 0, value, 0).astype(np.float32) for value in (u, v))
    return IUV(np.ascontiguousarray(i, dtype=np.uint8), u, v)


def labelled_points(iuv: IUV) -> tuple[np.ndarray, SurfacePoints]:
    """Take all labelled pixels, row by row: columns and rows (P, 2) int32, and the surface points they show."""
    row, column = np.nonzero(iuv.i)
    points = load_charts().to_points(iuv.i[row, column], iuv.u[row, column], iuv.v[row, column])
    return np.stack([column, row], 1).astype(np.int32), points


class PixelLookup:
    """Finds the pixels of one person that show given surface points; made once for a map, for many queries."""

    def __init__(self, iuv: IUV):
        import cv2  # only this table needs it

        self.layout = map_layout(LOOKUP_SIDE)
        self.metres_per_texel = float(1 / self.layout.texels_per_metre)
        row, column = np.nonzero(iuv.i)
        self.pixel_xy, self.chart = np.stack([column, row], 1).astype(np.int32), iuv.i[row, column]
        x, y = self._texel(self.chart, iuv.u[row, column], iuv.v[row, column])
        seen = np.full(self.layout.size_hw, -1, np.int64)
        seen[y, x] = np.arange(len(row))
        distance, label = cv2.distanceTransformWithLabels(
            (seen < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        of_label = np.full(label.max() + 1, -1, np.int64)
        of_label[label[seen >= 0]] = seen[seen >= 0]
        self.nearest = of_label[label]  # (H, W): the pixel whose label is nearest to a texel, -1 if there is none
        self.distance_m = distance * self.metres_per_texel

    def _texel(self, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.floor(self.layout.xy(i, u, v)).astype(np.int64).T

    def find(self, points: SurfacePoints, reach_m: float = 0.02) -> np.ndarray:
        """Find the pixel that shows the place nearest to each point on its chart: column and row (P, 2) int32.

        Both are -1 where no pixel shows a place within reach_m metres.
        """
        i, u, v = load_charts().from_points(points)
        x, y = self._texel(i, u, v)
        pixel, reached = self.nearest[y, x], self.distance_m[y, x] <= reach_m
        found = np.full((len(i), 2), -1, np.int32)
        if len(self.chart):
            there = reached & (pixel >= 0) & (self.chart[pixel] == i)
            found[there] = self.pixel_xy[pixel[there]]
        return found
