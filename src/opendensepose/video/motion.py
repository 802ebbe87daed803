"""Motion of what a crop shows, from one frame to the next: dense optical flow on small pictures of the crop.

Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016 (OpenCV's DIS).
Letters: h x w cells of a picture, C maps.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

__all__ = ["Motion", "cell_centres", "motion_between", "sample", "small_picture"]

STILL = 0.15  # cells: less motion is noise, which would make labels at borders of charts tremble
SAME_COLOUR = 16.0  # of 255: a difference of colour at which two frames hardly show one point any more


@dataclass(frozen=True)
class Motion:
    """Where each cell of a picture was in the picture before.

    flow: (h, w, 2) float32, x and y in cells, from where a cell is to where it was. same: (h, w) float32 in [0, 1], how
    far both pictures have one colour there.
    """

    flow: np.ndarray
    same: np.ndarray


def small_picture(crop_rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Make a crop (H, W, 3) uint8 small and free of most noise: (h, w, 3) uint8."""
    return cv2.blur(cv2.resize(crop_rgb, size_hw[::-1], interpolation=cv2.INTER_AREA), (3, 3))


def motion_between(before: np.ndarray, now: np.ndarray) -> Motion:
    """Estimate the motion between two small pictures (h, w, 3) uint8 of one part of the frame."""
    grey, grey_before = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (now, before))
    flow = _dis().calc(grey, grey_before, None)
    flow[np.abs(flow).max(axis=-1) < STILL] = 0
    there = cv2.remap(
        before, cell_centres(*grey.shape) + flow - 0.5, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    difference = cv2.absdiff(there, now).max(axis=-1).astype(np.float32) / SAME_COLOUR
    return Motion(flow, np.exp(-difference * difference))


@cache
def _dis() -> cv2.DISOpticalFlow:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    dis.setFinestScale(0)  # the pictures are small already
    return dis


def cell_centres(height: int, width: int) -> np.ndarray:
    """Return where the cells' centres are, in cells: (h, w, 2) float32, x and y, the first at 0.5."""
    x, y = np.meshgrid(np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5)
    return np.stack([x, y], axis=-1)


def sample(maps: np.ndarray, xy: np.ndarray, *, nearest: bool = False) -> np.ndarray:
    """Read maps (C, h, w) at positions (a, b, 2), in cells, linearly or of the nearest cell: (C, a, b). Outside, the
    outermost cell's value holds."""
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    places, fractions = cv2.convertMaps(xy - 0.5, None, cv2.CV_16SC2, nninterpolation=nearest)  # once for all maps
    read = np.empty((len(maps), *xy.shape[:2]), maps.dtype)
    for one, into in zip(maps, read, strict=True):
        cv2.remap(one, places, fractions, how, dst=into, borderMode=cv2.BORDER_REPLICATE)
    return read
