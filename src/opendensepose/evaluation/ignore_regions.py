"""Regions of an image in which nobody was annotated (PoseTrack's ignore_regions_x, ignore_regions_y).

As in the released evaluators, an annotated person is left out whose box lies in a region by 70 % or more, and a
detection of whose labelled pixels 90 % or more do. Boxes are cut to whole pixels first.

Letters: H x W the image.
"""

import numpy as np

from opendensepose.evaluation.masks import Window
from opendensepose.evaluation.people import AnnotatedPerson, DetectedPerson

__all__ = ["keep_annotated", "keep_detected"]

MOST_OF_BOX = 0.7
MOST_OF_LABELS = 0.9


def keep_annotated(person: AnnotatedPerson, region: np.ndarray) -> bool:
    """Tell whether a person is measured in an image with a region (H, W) bool."""
    x, y, width, height = (int(value) for value in person.box_xywh)
    if not width * height:
        return False
    return _within(region, x, y, width, height).sum() / width / height < MOST_OF_BOX


def keep_detected(detection: DetectedPerson, foreground: Window, region: np.ndarray) -> bool:
    """Tell whether a detection with that foreground counts in an image with a region (H, W) bool."""
    x, y, width, height = (int(value) for value in detection.box_xywh)
    if not width * height:
        return False
    if not _within(region, x, y, width, height).any():
        return True
    mask, (left, top) = foreground
    in_region = int(np.count_nonzero(mask & region[top : top + mask.shape[0], left : left + mask.shape[1]]))
    return in_region / max(int(np.count_nonzero(mask)), 1) < MOST_OF_LABELS


def _within(region: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    """The region's pixels in a box."""
    return region[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
