"""The colours of the parts in the tool: the project's hues, saturated, so that a part stands out on skin of any tone.

Of a mirrored pair the person's left is bright and the right dark, as in the project's other pictures.
"""

import cv2
import numpy as np

from opendensepose.surface import PART_COLOURS, PART_NAMES

__all__ = ["TOOL_COLOURS"]

_SATURATION, _DARK = 0.82, 0.62  # the least of all colours; the value of right parts


def _saturated() -> np.ndarray:
    hsv = cv2.cvtColor((PART_COLOURS.astype(np.float32) / 255)[None], cv2.COLOR_RGB2HSV)[0]
    hsv[1:, 1] = np.maximum(hsv[1:, 1], _SATURATION)
    hsv[1:, 2] = [_DARK if "right" in name else 1.0 for name in PART_NAMES[1:]]
    return np.rint(255 * cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]).astype(np.uint8)


TOOL_COLOURS = _saturated()
TOOL_COLOURS.setflags(write=False)
