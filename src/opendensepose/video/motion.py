"""Motion between frames: where each pixel was in the frame before (dense optical flow, on small frames).

Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016 (OpenCV's DIS).
Letters: H x W frame, h x w small frame.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

__all__ = ["Motion", "motion_between", "pixel_centres", "sample", "small_frame"]

STILL = 0.25  # small pixels: less motion is noise, which would make labels at borders of charts tremble
LONG_SIDE = 320  # pixels of a small frame: enough for motion, and constant work whatever the clip's size


@dataclass(frozen=True)
class Motion:
    """A small frame and its motion.

    small_rgb: (h, w, 3) uint8. flow: (h, w, 2) float32, x and y in small pixels, from where a pixel is to where it was
    in the frame before. scale_xy: small pixels per pixel of the frame.
    """

    small_rgb: np.ndarray
    flow: np.ndarray
    scale_xy: tuple[float, float]

    def earlier(self, xy: np.ndarray) -> np.ndarray:
        """Where positions (a, b, 2) of this frame, in its pixels, were in the frame before."""
        scale = np.array(self.scale_xy, np.float32)
        return xy + sample(self.flow, xy * scale) / scale

    def colour_at(self, xy: np.ndarray) -> np.ndarray:
        """The colour (a, b, 3) uint8 at positions (a, b, 2) in the frame's pixels; black outside the frame."""
        return sample(self.small_rgb, xy * np.array(self.scale_xy, np.float32), border=cv2.BORDER_CONSTANT)


def small_frame(image_rgb: np.ndarray) -> np.ndarray:
    """Make a frame (H, W, 3) uint8 small and free of most noise: (h, w, 3) uint8."""
    height, width = image_rgb.shape[:2]
    factor = min(1.0, LONG_SIDE / max(height, width))
    size_wh = max(16, round(width * factor)), max(16, round(height * factor))
    return cv2.blur(cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA), (3, 3))


def motion_between(previous: np.ndarray | None, small_rgb: np.ndarray, size_hw: tuple[int, int]) -> Motion:
    """Estimate the motion from `previous` to `small_rgb`, small frames of one size; without a previous one it is 0."""
    height, width = small_rgb.shape[:2]
    flow = np.zeros((height, width, 2), np.float32)
    if previous is not None:
        grey, grey_before = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (small_rgb, previous))
        flow = _dis().calc(grey, grey_before, None)
        flow[np.abs(flow).max(axis=-1) < STILL] = 0
    return Motion(small_rgb, flow, (width / size_hw[1], height / size_hw[0]))


@cache
def _dis() -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)


def pixel_centres(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Positions of the centres of a window's pixels: (y1 - y0, x1 - x0, 2) float32, x and y."""
    x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32) + 0.5, np.arange(y0, y1, dtype=np.float32) + 0.5)
    return np.stack([x, y], axis=-1)


def sample(
    values: np.ndarray, xy: np.ndarray, *, nearest: bool = False, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """Read maps (H, W) or (H, W, C), C at most 4, at positions (a, b, 2), linearly or of the nearest pixel.

    Pixels' centres are at +0.5. border: OpenCV's; BORDER_CONSTANT reads 0 outside.
    """
    return cv2.remap(values, xy - 0.5, None, cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR, borderMode=border)
