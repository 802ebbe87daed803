"""The IUV map: for each pixel a chart number and chart coordinates. Cutting and mirroring of such maps."""

from dataclasses import dataclass

import numpy as np

from opendensepose.surface import NUM_CHARTS, mirror_iuv

__all__ = ["IUV", "QuantisedIUV", "crop_iuv", "empty_iuv", "flip_iuv"]


@dataclass(frozen=True)
class IUV:
    """i (H, W) uint8, 0 background, 1..24 charts; u, v (H, W) float32 in [0, 1], 0 on background. ValueError
    otherwise."""

    i: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def __post_init__(self) -> None:
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
