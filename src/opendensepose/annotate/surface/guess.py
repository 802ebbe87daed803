"""The part masks that a model predicts, for the annotator to start from."""

from collections.abc import Callable

import numpy as np

from opendensepose.part_grid import GRID, sample_on_grid
from opendensepose.surface import CHART_TO_PART

__all__ = ["guess_parts"]


def guess_parts(predictor: Callable, image_rgb: np.ndarray, box_xyxy: np.ndarray) -> np.ndarray:
    """Predict the parts (256, 256) uint8 of the person in a box of a photo with a `Predictor`; 0 background.

    image_rgb: (H, W, 3) uint8. box_xyxy: (4,) pixels. All 0 if the model finds nobody.
    """
    box = np.asarray(box_xyxy, np.float32)
    people = predictor(image_rgb, boxes=box[None])
    if not people:
        return np.zeros((GRID, GRID), np.uint8)
    return CHART_TO_PART[sample_on_grid(people[0].iuv.i, box)]
