"""What the page needs of a photo: it draws every layer itself, and finds the point of the body that a pixel shows."""

import base64
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from opendensepose.instance import Instance, merge_instances
from opendensepose.surface import CHART_TO_PART, PART_COLOURS
from opendensepose.texture.page import body_arrays, packed, page_settings, pixel_arrays, shown_step, shrink_photo
from opendensepose.visualize.values import confidence_ramp, uv_ramp

__all__ = ["body_data", "view_data"]

JPEG_QUALITY = 90


@cache
def body_data() -> dict[str, object]:
    """Return what is the same for all photos: the body's arrays by name, packed; names and colours."""
    return {
        **body_arrays(),
        **page_settings(),
        "chartParts": CHART_TO_PART.tolist(),
        "partColours": PART_COLOURS.tolist(),
        "uvRamp": uv_ramp().tolist(),
        "confidenceRamp": confidence_ramp().tolist(),
    }


def view_data(image_rgb: np.ndarray, people: Sequence[Instance]) -> dict[str, object]:
    """Return the photo (H, W, 3) uint8 as it is shown, and of each of its pixels the person, point of the body and
    confidence in 255ths. People without charts, of embedding models, are left out."""
    people = [one for one in people if one.iuv.i.any()]
    step = shown_step(image_rgb.shape[:2])
    shown = shrink_photo(image_rgb, step)
    height, width = shown.shape[:2]
    _, person = merge_instances(people, image_rgb.shape[:2])
    confidence = np.zeros(person.shape, np.uint8)
    for k, one in enumerate(people, start=1):
        where = person == k
        confidence[where] = np.rint(255 * one.confidence[where])
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[
        1
    ].tobytes()
    return {
        **pixel_arrays(image_rgb.shape[:2], people, step),
        "confidence": packed(confidence[::step, ::step]),
        "photo": "data:image/jpeg;base64," + base64.b64encode(jpeg).decode(),
        "width": width,
        "height": height,
        "step": step,
        "people": [
            {"box": [round(float(edge), 1) for edge in one.box_xyxy], "score": round(float(one.score), 3)}
            for one in people
        ],
    }
