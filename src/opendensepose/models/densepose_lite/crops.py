"""Crops that frame one person: which part of the photo, cut out and scaled; tightened to what is labelled in them."""

import math

import cv2
import numpy as np

__all__ = ["Box", "MIN_PERSON_FRACTION", "crop_and_resize", "crop_box", "tight_box"]

GREY = 127  # what lies outside a photo, as in training
BOX_PADDING = 0.14  # of the box's width and height, on each side
# Of what a box cuts out, 600 MB: four times the largest photo; a box around all of one of 16:9 needs 194 million.
MAX_REGION_PIXELS = 200_000_000
MIN_PERSON_FRACTION = 0.02  # of the crop: a detected person who covers less is dropped
MIN_TIGHT = 0.5  # of the detected box; where the first labels fill less, part of the person may be left out

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in whole pixels of the photo, may reach outside it


def crop_box(box_xyxy: np.ndarray, aspect: float, padding: float = BOX_PADDING) -> Box:
    """Return the box with padding, widened or heightened about its centre to width / height = aspect."""
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    width, height = (x1 - x0) * (1 + 2 * padding), (y1 - y0) * (1 + 2 * padding)
    width, height = max(width, height * aspect, 4.0), max(height, width / aspect, 4.0)
    left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
    return left, top, left + max(1, round(width)), top + max(1, round(height))


def crop_and_resize(image_rgb: np.ndarray, box: Box, size_hw: tuple[int, int]) -> np.ndarray:
    """Cut a box out of the photo, grey where it reaches outside, and scale it to size_hw: (h, w, 3) uint8."""
    x0, y0, x1, y1 = box
    step = math.isqrt((x1 - x0) * (y1 - y0) // MAX_REGION_PIXELS) + 1
    if step > 1:  # mostly outside a long photo: every step-th pixel is more than enough
        box = x0 // step, y0 // step, x1 // step, y1 // step
        return crop_and_resize(image_rgb[::step, ::step], box, size_hw)
    height, width = image_rgb.shape[:2]
    inside = image_rgb[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
    top, left = max(-y0, 0), max(-x0, 0)
    bottom, right = max(y1 - max(height, y0), 0), max(x1 - max(width, x0), 0)
    if top or left or bottom or right:
        inside = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(GREY,) * 3)
    shrinks = inside.shape[0] > size_hw[0]
    return cv2.resize(inside, size_hw[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def tight_box(person: np.ndarray, crop: Box, box: np.ndarray) -> np.ndarray:
    """Return the box of the cells labelled as the person, in the photo's pixels; the given box if they are too few, and
    one between both if the labels fill little of it: then either may be wrong. person: (h, w) bool, of the crop."""
    if person.mean() < MIN_PERSON_FRACTION:
        return box
    rows, columns = np.nonzero(person.sum(1) > 1)[0], np.nonzero(person.sum(0) > 1)[0]
    if not len(rows) or not len(columns):
        return box
    x0, y0, x1, y1 = crop
    x = x0 + np.array([columns[0], columns[-1] + 1]) * (x1 - x0) / person.shape[1]
    y = y0 + np.array([rows[0], rows[-1] + 1]) * (y1 - y0) / person.shape[0]
    tight = np.array([x[0], y[0], x[1], y[1]], np.float32)
    if _area(tight) < MIN_TIGHT * _area(box):
        between = (tight + box) / 2
        tight = np.concatenate([np.minimum(tight, between)[:2], np.maximum(tight, between)[2:]])
    return tight


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
