"""U, V and the confidence of every pixel as colours over the photo."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from opendensepose.instance import Instance
from opendensepose.visualize.iuv import check_people

__all__ = ["confidence_ramp", "draw_confidence", "draw_u", "draw_v", "fade_photo", "uv_ramp"]


def uv_ramp() -> np.ndarray:
    """Return the colours (256, 3) uint8 of U and V from 0 to 1: OpenCV's parula."""
    return _ramp(cv2.COLORMAP_PARULA)


def confidence_ramp() -> np.ndarray:
    """Return the colours (256, 3) uint8 of the confidence from 0 to 1: magma, from dark to light."""
    return _ramp(cv2.COLORMAP_MAGMA)


def _ramp(colour_map: int) -> np.ndarray:
    return cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], colour_map)[:, 0, ::-1].copy()


def draw_u(image_rgb: np.ndarray, people: Sequence[Instance], *, opacity: float = 0.9) -> np.ndarray:
    """Paint every labelled pixel of the photo (H, W, 3) uint8 in the colour of its U, see `uv_ramp`; the rest fades."""
    return _draw(image_rgb, people, lambda person: person.iuv.u, uv_ramp(), opacity)


def draw_v(image_rgb: np.ndarray, people: Sequence[Instance], *, opacity: float = 0.9) -> np.ndarray:
    """Paint every labelled pixel of the photo (H, W, 3) uint8 in the colour of its V, see `uv_ramp`; the rest fades."""
    return _draw(image_rgb, people, lambda person: person.iuv.v, uv_ramp(), opacity)


def draw_confidence(image_rgb: np.ndarray, people: Sequence[Instance], *, opacity: float = 0.9) -> np.ndarray:
    """Paint every labelled pixel of the photo (H, W, 3) uint8 in the colour of its confidence (`confidence_ramp`)."""
    return _draw(image_rgb, people, lambda person: person.confidence, confidence_ramp(), opacity)


def _draw(
    image_rgb: np.ndarray,
    people: Sequence[Instance],
    value_of: Callable[[Instance], np.ndarray],
    ramp: np.ndarray,
    opacity: float,
) -> np.ndarray:
    """Paint a value (H, W) in [0, 1] of each person over the faded photo; the most confident person is on top."""
    ordered = check_people(image_rgb, people)
    faded = fade_photo(image_rgb.astype(np.float32))
    canvas = faded.copy()
    for person in ordered:
        labelled = person.iuv.i > 0
        colour = ramp[np.rint(255 * value_of(person)[labelled]).astype(int)].astype(np.float32)
        canvas[labelled] = faded[labelled] + opacity * (colour - faded[labelled])
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def fade_photo(photo: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Take colour and contrast from a photo (H, W, 3) float32, so that what is painted on it stands out."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None]
    colourless = photo + 0.75 * strength * (grey - photo)
    return colourless + 0.30 * strength * (np.float32(225) - colourless)
