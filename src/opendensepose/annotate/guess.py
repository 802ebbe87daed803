"""The part masks that a model would draw, for the annotator to start from."""

import numpy as np

from opendensepose.data.masks import GRID
from opendensepose.surface import CHART_TO_PART

__all__ = ["guess_parts"]


def guess_parts(predictor, image_rgb: np.ndarray, box_xyxy: np.ndarray) -> np.ndarray:
    """The parts (256, 256) uint8 of the person in a box of a photo, 0 background, as a `Predictor` labels them.

    image_rgb: (H, W, 3) uint8. box_xyxy: (4,) pixels. All 0 where the model sees nobody.
    """
    box = np.asarray(box_xyxy, np.float32)
    people = predictor(image_rgb, boxes=box[None])
    if not people:
        return np.zeros((GRID, GRID), np.uint8)
    chart = people[0].iuv.i
    step = (np.arange(GRID) + 0.5) / GRID
    x, y = (np.floor(box[k] + step * (box[k + 2] - box[k])).astype(int) for k in range(2))
    inside = ((y >= 0) & (y < chart.shape[0]))[:, None] & (x >= 0) & (x < chart.shape[1])
    seen = chart[np.clip(y, 0, chart.shape[0] - 1)[:, None], np.clip(x, 0, chart.shape[1] - 1)]
    return np.where(inside, CHART_TO_PART[seen], 0).astype(np.uint8)
